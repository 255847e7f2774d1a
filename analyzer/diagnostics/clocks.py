"""What the clocks of servers show, against the time stamps of the capture.

The one rule: a capture has one clock, that of the computer that took it. Which of two clocks is
wrong is only known where a third one agrees with one of them.
"""

from __future__ import annotations

import re
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from analyzer.diagnostics.reading import server_infos
from analyzer.header_text import header_text
from analyzer.times import SECOND
from analyzer.transaction_table import CHALLENGES
from dissectors.xccos.rooms import parse_ts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.diagnostics.rule import Case
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView

FIRST_DATED = 946_684_800 * SECOND
"""2000: a capture without dates counts from 1970, and nothing can be compared with it."""
READ_COPIES = 16
"""Delivered posts of one dialog whose time stamps are read: a clock does not change so fast."""
SPREAD_NS = 5 * SECOND
"""Time stamps of copies further apart do not come from one clock: history, or many authors."""
_TS = re.compile(rb"<(?:[\w.-]++:)?grpchat\s[^<>]*?\bts\s*+=\s*+[\"']([^\"'<>]{1,64}+)[\"']")


class Reading(NamedTuple):
    """How far one clock is from that of the capture."""

    server: str
    """Whose clock: a URI or an address."""
    role: str
    """What that is, in words."""
    what: str
    """Where the time stands: ``serverTime``, ``Date`` or ``ts``."""
    offset: int
    """Nanoseconds that it is ahead of the capture."""
    row: int
    session: int


def readings_of(case: Case) -> Iterator[Reading]:
    """Yield what each session shows of the clocks of its servers."""
    for view in case.sessions:
        if view.dialogs and case.time(view.dialogs[0].rows[0]) >= FIRST_DATED:
            yield from _dates(case, view)
            yield from _server_times(case, view)
            for dialog in view.of_role("channel"):
                yield from _copies(case, view, dialog)


def _dates(case: Case, view: SessionView) -> Iterator[Reading]:
    """Yield the first Date of each registration: servers send it with challenges ([MS-SIP])."""
    found, server = view.found, view.front_end or "its front end"
    for registration in view.registrations:
        for index in registration.transactions:
            row = found.final[index]
            if row < 0 or found.status(index) not in CHALLENGES:
                continue
            date = _http_date(header_text(case.trace, row, "Date") or "")
            if date is not None:
                offset = date - case.time(row)
                yield Reading(server, "front end", "Date", offset, row, view.index)
                break


def _http_date(text: str) -> int | None:
    """Return the nanoseconds since 1970 of ``Sun, 01 Aug 2010 12:49:01 GMT``, or None."""
    from email.utils import parsedate_to_datetime  # only answers to challenges have a Date

    try:
        date = parsedate_to_datetime(text)
        return int(date.replace(tzinfo=date.tzinfo or UTC).timestamp()) * SECOND
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _server_times(case: Case, view: SessionView) -> Iterator[Reading]:
    for command, row, told in server_infos(case, view):
        time = parse_ts(told.get("serverTime", ""))
        if time is not None:
            service, offset = _service(view, command.dialog), time - case.time(row)
            yield Reading(service, "service", "serverTime", offset, row, view.index)


def _service(view: SessionView, dialog: int) -> str:
    known = view.material.dialogs[dialog].service if dialog >= 0 else None
    return known or "the Channel service"


def _copies(case: Case, view: SessionView, dialog: DialogDraft) -> Iterator[Reading]:
    """Yield the clock that the time stamps of delivered posts come from, if it is one."""
    offsets = dict(islice(_offsets(case, view, dialog), READ_COPIES))
    if not offsets:
        return
    middle = sorted(offsets.values())[(len(offsets) - 1) // 2]
    if all(abs(offset - middle) <= SPREAD_NS for offset in offsets.values()):
        service = _service(view, dialog.index)
        for row, offset in offsets.items():
            yield Reading(service, "service", "ts", offset, row, view.index)


def _offsets(case: Case, view: SessionView, dialog: DialogDraft) -> Iterator[tuple[int, int]]:
    """Yield the rows of delivered posts, and how far their time stamps are ahead."""
    elements, tag = view.material.elements, dialog.client_side.tag
    for element in elements.of(dialog.index):
        if elements.what[element][0] == "grpchat" and elements.sender_tag(element) != tag:
            row = elements.row[element]
            offset = _ts_offset(case, row) if case.rows.items[row] == 1 else None
            if offset is not None:
                yield row, offset


def _ts_offset(case: Case, row: int) -> int | None:
    found = _TS.search(case.trace.raw(row))
    time = None if found is None else parse_ts(found[1].decode("utf-8", "replace"))
    return None if time is None else time - case.time(row)
