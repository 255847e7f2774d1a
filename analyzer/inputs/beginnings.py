"""Messages of which one input has the beginning alone, without what identifies a message.

The one rule: a capture that begins or ends inside a message, or that cuts packets short, has seen
it all the same. It is the message that begins with the same bytes, on the same connection, at the
same time; where several do, nothing is said.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from dissectors.notes import MISSING_HEADER, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.window import Window

LEAST = 32
"""Bytes that are enough to be compared: a start line has more."""
NEAR = 64
"""Messages around the time that are looked at: on a busy server they pass within a tenth of a
second."""


class Side(NamedTuple):
    """An input, and its rows that are matched already."""

    window: Window
    taken: set[int]


def beginnings(
    cut: Side,
    whole: Side,
    expected: Callable[[int], int],
    linked: Callable[[int, int], bool],
    limit: int,
) -> Iterator[tuple[int, int]]:
    """Yield the rows of ``cut`` that are beginnings, and the rows of ``whole`` that they begin.

    Args:
        cut: the input whose rows may be cut.
        whole: the other one.
        expected: gives the time of a row of ``cut`` by the clock of ``whole``.
        linked: tells whether a row of each is on one connection.
        limit: nanoseconds that sightings of one message are apart at most.
    """
    marks = TRUNCATED | MISSING_HEADER
    rows = [
        row
        for row, notes in enumerate(cut.window.rows.notes)
        if notes & marks == marks and row not in cut.taken
    ]
    if not rows:
        return
    times = whole.window.rows.time
    left = sorted(set(range(len(whole.window))) - whole.taken, key=times.__getitem__)
    for row in rows:
        start, time = cut.window.raw(row), expected(row)
        place = bisect_left(left, time, key=times.__getitem__)
        found = [
            other
            for other in left[max(0, place - NEAR) : place + NEAR]
            if abs(times[other] - time) <= limit
            and linked(row, other)
            and whole.window.raw(other).startswith(start)
        ]
        if len(start) >= LEAST and len(found) == 1:
            left.remove(found[0])
            yield row, found[0]
