"""Connections: keep-alive, and compression that could not be read."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from analyzer.diagnostics.rule import Hit, Rule
from analyzer.header_text import HeaderReader
from analyzer.legs import is_success
from analyzer.times import SECOND, duration_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.diagnostics.rule import Case, Confidence
    from analyzer.sessions.view import SessionView

KEEP_ALIVE = re.compile(r"\btimeout[ \t]*+=[ \t]*+([0-9]{1,9}+)", re.IGNORECASE)
COMPRESSION = "LZ77-"
"""``Compression: LZ77-8K`` and the like ([MS-SIPCOMP])."""
SLACK = 0.95
"""A connection that is closed so much of the agreed time after the last message was idle."""
CLOSED = ("fin", "rst")


def idle(case: Case) -> Iterator[Hit]:
    """Tell connections that were silent for longer than agreed and then closed."""
    for view in case.sessions:
        agreed = _agreed(view)
        if agreed is None or view.signed_off is not None:
            continue
        seconds, row = agreed
        yield from _closed_idle(case, view, seconds, row)


def _agreed(view: SessionView) -> tuple[int, int] | None:
    """Return the timeout of ``ms-keep-alive`` in seconds, and the answer that has it."""
    for registration in view.registrations:
        for index in registration.transactions:
            final = view.found.final[index]
            if final >= 0 and is_success(view.found.status(index)):
                value = HeaderReader(view.trace, final).text("ms-keep-alive") or ""
                found = KEEP_ALIVE.search(value)
                if found is not None:
                    return int(found[1]), final
    return None


def _closed_idle(case: Case, view: SessionView, seconds: int, agreed: int) -> Iterator[Hit]:
    streams = view.trace.rows.stream
    last: dict[int, int] = {}
    for dialog in view.dialogs:
        for row in dialog.rows:
            number = streams[row] >> 1
            last[number] = max(row, last.get(number, -1))
    for number, row in last.items():
        connection = view.trace.connections[number]
        if not set(connection.ends) & set(CLOSED):
            continue
        by_server = connection.ends[1] in CLOSED and connection.ends[0] not in CLOSED
        least, most = _closed_between(case, connection.last_frame)
        # A connection that its client closed may have been closed long before the next message.
        silent = (most if by_server else least) - view.time(row)
        if silent < seconds * SECOND * SLACK:
            continue
        confidence: Confidence = "likely" if by_server else "possible"
        text = (
            f"the connection of {case.user(view.index)} carried no message for about "
            f"{duration_text(silent)} and was closed in frame {connection.last_frame}"
            f"{' by the server' if by_server else ''}; ms-keep-alive allows {seconds} s without a "
            f"sign of life (frame {view.frame(agreed)})"
        )
        frames = (connection.last_frame,)
        yield Hit(text, (agreed, row), view.index, confidence, frames)


def _closed_between(case: Case, frame: int) -> tuple[int, int]:
    """Return the times between which a frame lies: rows have no time for one without message."""
    rows = case.rows
    at = bisect_left(rows.frame, frame)
    least = rows.time[at - 1] if at else 0
    most = rows.time[at] if at < len(rows) else (case.trace.quality.last_time or least)
    return least, most


def compressed(case: Case) -> Iterator[Hit]:
    """Tell connections on which compression was agreed, and that could not be unpacked."""
    rows, trace = case.rows, case.trace
    unread = {hole.stream >> 1 for hole in trace.quality.holes}
    negotiate = rows.strings.find("NEGOTIATE")
    if negotiate is None:
        return
    offered: dict[int, tuple[int, str]] = {}
    for row, method in enumerate(rows.method):
        if method != negotiate:
            continue
        connection = rows.stream[row] >> 1
        scheme = HeaderReader(trace, row).text("Compression") or ""
        if rows.status[row] < 0:
            offered[connection] = (row, scheme)
            continue
        asked, wanted = offered.pop(connection, (-1, ""))
        scheme = scheme or wanted
        if asked < 0 or not is_success(rows.status[row]) or not _compresses(scheme):
            continue
        if connection not in unread:
            continue
        stream = trace.streams[rows.stream[asked]]
        text = (
            f"{stream.src} and {stream.dst} agreed on compression ({scheme}, "
            f"[MS-SIPCOMP]) in frames {rows.frame[asked]} and {rows.frame[row]}: not all that "
            "follows on this connection can be read"
        )
        yield Hit(text, (asked, row))


def _compresses(scheme: str) -> bool:
    return scheme.upper().startswith(COMPRESSION)


CONNECTIONS: tuple[Rule, ...] = (
    Rule(
        "GC209",
        "warning",
        "Idle connection closed",
        "Client and front end agree on a keep-alive (ms-keep-alive, timeout in seconds). A "
        "connection that carries nothing for longer is closed, and with it the session. Empty "
        "lines sent as sign of life are no messages: where the client closed the connection "
        "itself, that is only one explanation.",
        "Look for what silences the client (sleep, NAT, firewall) before the frame in which the "
        "connection ends.",
        "[MS-SIP] keep-alive; ms-keep-alive in the answer to REGISTER",
        idle,
    ),
    Rule(
        "GC210",
        "warning",
        "Compressed connection",
        "NEGOTIATE with Compression: LZ77-... was accepted: from then on the connection carries "
        "compressed packets, and some of them could not be unpacked here. Nothing that is missing "
        "there is a fault.",
        "Capture behind the front end, or turn compression off on the client while capturing.",
        "[MS-SIPCOMP]",
        compressed,
    ),
)
