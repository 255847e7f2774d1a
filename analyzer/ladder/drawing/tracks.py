"""Brackets side by side: each command or post that waits for something has a track of its own.

All that one command or post leads to hangs on its one track: a post with five hundred copies is
one line with five hundred ends.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.ladder.values import Bracket

MOST_TRACKS = 12
"""Side by side: of more nobody can tell which is which. What would need another one has its label
at its end and no line."""


class Track(NamedTuple):
    """The brackets that begin at one event."""

    first: int
    last: int
    column: int | None
    """From left to right; None where all are taken."""
    brackets: tuple[Bracket, ...]


def tracks(brackets: Iterable[Bracket]) -> list[Track]:
    """Return brackets by their first event, in its order, no two in a column at a time."""
    found: dict[int, list[Bracket]] = {}
    for one in brackets:
        found.setdefault(one.first, []).append(one)
    free = list(range(MOST_TRACKS))
    taken: list[tuple[int, int]] = []
    made = []
    for first, ends in sorted(found.items()):
        while taken and taken[0][0] < first:
            heapq.heappush(free, heapq.heappop(taken)[1])
        last = max(one.last for one in ends)
        column = heapq.heappop(free) if free else None
        if column is not None:
            heapq.heappush(taken, (last, column))
        made.append(Track(first, last, column, tuple(ends)))
    return made


def width(made: Iterable[Track]) -> int:
    """Return how many columns tracks take."""
    return max((one.column + 1 for one in made if one.column is not None), default=0)
