"""Which messages stay when there are too many: what is finished goes first, the oldest of it.

The one rule: whatever goes is counted, and the counts are shown.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from analyzer.meaning import outline
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.model import Session
    from analyzer.rows import Rows
    from analyzer.sources.spool import Spool
    from analyzer.trace import Trace

KEPT_SHARE = 0.8
"""Of the messages that may stay, so many do: else one would go at every look."""
QUIET_NS = 60 * SECOND
"""A session that ended, or a message that belongs to none, stays so long at least: an answer or a
retransmission may still come, and somebody may be looking at it."""


class Let(NamedTuple):
    """What was let go so far."""

    sessions: int = 0
    """Finished ones."""
    messages: int = 0
    cut: int = 0
    """Messages among them of sessions that go on: these are no longer told from their beginning."""


def chosen_rows(trace: Trace, keep: int, before: Let) -> tuple[list[int], Let]:
    """Return the rows that stay of a snapshot, and the counts of what was let go until now."""
    count = len(trace)
    surplus = count - int(keep * KEPT_SHARE)
    owner = _owners(trace)
    end = trace.quality.last_time or 0
    of_session: dict[int, list[int]] = {}
    loose: list[tuple[int, tuple[int, ...]]] = []
    for row, session in enumerate(owner):
        if session >= 0:
            of_session.setdefault(session, []).append(row)
        elif trace.rows.time[row] < end - QUIET_NS:
            loose.append((trace.rows.time[row], (row,)))
    finished = [
        (session.ended, tuple(of_session.get(session.index, ())))
        for session in outline(trace).sessions
        if session.ended < end - QUIET_NS and _over(trace, session)
    ]
    gone: set[int] = set()
    sessions = 0
    for _, rows in sorted([*loose, *finished]):
        if len(gone) >= surplus:
            break
        gone.update(rows)
        sessions += bool(rows) and owner[rows[0]] >= 0
    left = [row for row in range(count) if row not in gone]
    cut = max(surplus - len(gone), 0)
    return left[cut:], Let(
        before.sessions + sessions, before.messages + len(gone) + cut, before.cut + cut
    )


def _over(trace: Trace, session: Session) -> bool:
    """Tell whether a session signed off, or all of its connections were closed."""
    if session.signed_off is not None:
        return True
    ends = [trace.connections[number].ends for number in session.connections]
    return all(end != ("end", "end") for end in ends)


def _owners(trace: Trace) -> list[int]:
    """Return the session of each message, -1 where it belongs to none."""
    analysis = outline(trace)
    owner = [-1] * len(trace)
    for session in analysis.sessions:
        for row in _rows_of(trace, session):
            owner[row] = session.index
    return owner


def _rows_of(trace: Trace, session: Session) -> Iterator[int]:
    analysis = outline(trace)
    for join in session.joins:
        dialog = analysis.dialogs[join.dialog]
        yield from dialog.rows
        yield from dialog.copies
    for number in session.services:
        one = analysis.transactions[number]
        yield from (row for row in (one.request, one.final) if row is not None)
        yield from (*one.retransmissions, *one.provisional, *one.repeated_finals, *one.acks)


def columns_of(
    rows: Rows,
    kept: Sequence[int],
    into: Rows,
    read: Callable[[int, int], bytes],
    store: Spool,
) -> str | None:
    """Copy some messages into other rows of the same strings, and their bytes into a new store.

    Returns why the bytes could not be written.
    """
    problem = None
    messages, theirs = rows.message_table.columns, into.message_table.columns
    for name, column in messages.items():
        theirs[name] = array(column.typecode, map(column.__getitem__, kept))
    for table, start, number, taken in (
        (rows.piece_table, "piece", "pieces", into.piece_table),
        (rows.item_table, "item", "items", into.item_table),
    ):
        spans = [(messages[start][row], messages[number][row]) for row in kept]
        theirs[start] = array("Q", taken.extend_by(table, spans))
    offsets, lengths = into.piece_table.columns["offset"], into.piece_table.columns["length"]
    for piece, length in enumerate(lengths):
        data = read(offsets[piece], length)
        offsets[piece] = store.length
        problem = store.write(data) or problem
    into.finish()
    return problem
