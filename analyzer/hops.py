"""Hop copies: one message seen on several legs of a proxied path.

A copy has the same Call-ID, tags, CSeq, status, URIs and body length as the message seen first, but
another connection and another number of Via values: a proxy adds one to a request and takes one
from an answer. Equal numbers mean two clients that share every identifier, never two hops.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.compiled import exchanges
from dissectors.notes import HOLE, QUOTED, TRUNCATED

if TYPE_CHECKING:
    from analyzer.rows import Rows
    from analyzer.transaction_table import Transactions

WINDOW_NS = 5_000_000_000
"""A proxy passes a message on within milliseconds; seconds only when it is about to give up."""
TRYING = 100
BROKEN = HOLE | TRUNCATED
OCCURRENCES = 64
"""Repetitions of one message that are looked at for the one that was copied."""


def find_copies(rows: Rows, transactions: Transactions) -> dict[int, int]:
    """Return every hop copy with the row that was seen first."""
    spread = _calls_on_several_legs(rows)
    if not spread:
        return {}
    one_leg = _rows_of_one_leg(rows, transactions)
    seen: dict[tuple[int, ...], list[int]] = {}
    copies: dict[int, int] = {}
    taken: set[tuple[int, int]] = set()
    calls, cseqs, status, notes = rows.call_id, rows.cseq, rows.status, rows.notes
    senders, receivers, from_tags, to_tags = rows.from_uri, rows.to_uri, rows.from_tag, rows.to_tag
    lengths = rows.content_length
    for row in range(len(rows)):
        if calls[row] not in spread or notes[row] & QUOTED or row in one_leg:
            continue
        key = (
            *(calls[row], from_tags[row], to_tags[row], cseqs[row], status[row], senders[row]),
            *(receivers[row], lengths[row]),
        )
        originals = seen.get(key)
        if originals is None:
            seen[key] = [row]
            continue
        origin = _origin(rows, row, originals[-OCCURRENCES:], taken)
        if origin < 0:
            originals.append(row)
        else:
            copies[row] = origin
            taken.add((origin, rows.stream[row]))
    return _whole_first(rows, copies)


def _whole_first(rows: Rows, copies: dict[int, int]) -> dict[int, int]:
    """Let a whole copy stand for a message of which the one seen first lacks a part.

    A server's trace may hide bodies that the capture of a client has.
    """
    notes = rows.notes
    better: dict[int, int] = {}
    for copy, origin in copies.items():
        if notes[origin] & BROKEN and not notes[copy] & BROKEN:
            better.setdefault(origin, copy)
    if not better:
        return copies
    turned = {
        copy: better.get(origin, origin)
        for copy, origin in copies.items()
        if better.get(origin) != copy
    }
    return turned | better


def _calls_on_several_legs(rows: Rows) -> set[int]:
    """Return the Call-IDs that were seen on more than one connection: only they can be copied."""
    twin = exchanges()
    if twin is not None:
        found: set[int] = twin.on_several_connections(rows)
        return found
    # In two steps, so that what is done for every row is done by ``zip`` and ``set``.
    streams = set(zip(rows.call_id, rows.stream, strict=True))
    times = Counter(call for call, _ in {(call, stream >> 1) for call, stream in streams})
    return {call for call, count in times.items() if count > 1 and call}


def _rows_of_one_leg(rows: Rows, transactions: Transactions) -> set[int]:
    """Return the rows that no proxy passes on (RFC 3261 sections 16.7, 16.10 and 17.1.1.3).

    These are 100 Trying, CANCEL with its answers, and the ACK of a failed INVITE.
    """
    cancel = rows.strings.find("CANCEL")
    found = {row for more in transactions.more.values() for row in more.acks}
    found.update(row for row, status in enumerate(rows.status) if status == TRYING)
    if cancel is not None:
        found.update(row for row, method in enumerate(rows.method) if method == cancel)
    return found


def _origin(rows: Rows, row: int, originals: list[int], taken: set[tuple[int, int]]) -> int:
    """Return the original that this row copies: the latest without a copy on this leg, or -1."""
    stream, vias, time = rows.stream[row], rows.vias[row], rows.time[row]
    possible = [
        origin
        for origin in originals
        if rows.stream[origin] >> 1 != stream >> 1
        and rows.vias[origin] != vias
        and abs(time - rows.time[origin]) <= WINDOW_NS
    ]
    free = [origin for origin in possible if (origin, stream) not in taken]
    return (free or possible or [-1])[-1]
