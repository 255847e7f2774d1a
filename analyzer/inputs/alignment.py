"""Repetitions of one message in two inputs: which is which.

The one rule: repetitions keep their order, and some may be missing at either place. So this is an
alignment of two sequences; what two sightings cost is how far their times are apart after the
clocks have been compared, and more than ``limit`` is not the same message.
"""

from __future__ import annotations

from bisect import bisect_left
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_CELLS = 4096
"""Of the table of an alignment: 64 repetitions at both places. What repeats more often is paired
by time alone, in one walk."""
NEIGHBOURS = 4
"""On either side, of which the offset at a time is the median: a few wrong ones do no harm."""
LEAST_LIMIT = 100_000_000
"""A retransmission follows after T1, 500 ms (RFC 3261 section 17.1.1.1): a fifth of that is neither
jitter nor the next one."""
LIMIT_FACTOR = 4
SAMPLES = 2000
"""Anchors that the jitter is measured at."""
MODE_WIDTH = 50_000_000
MAX_DIFFERENCES = 1 << 16


class LocalOffset:
    """How far the clock of one input is ahead of another one's, along the time of the first.

    It follows drift and steps, because it only looks at what is near.
    """

    def __init__(self, anchors: Iterable[tuple[int, int]]) -> None:
        """Take pairs of times, in nanoseconds, at which messages without a double were seen."""
        known = sorted(anchors)
        self._times = [time for time, _ in known]
        self._ahead = [other - time for time, other in known]
        self.limit = LEAST_LIMIT
        """Times further apart than this are not those of one message."""
        step = max(1, len(known) // SAMPLES)
        away = sorted(abs(other - time - self.at(time)) for time, other in known[::step])
        if away:
            self.limit = max(LEAST_LIMIT, LIMIT_FACTOR * away[len(away) * 9 // 10])

    def __bool__(self) -> bool:
        return bool(self._times)

    def at(self, time: int) -> int:
        """Return the nanoseconds that the second input is ahead at a time of the first."""
        place = bisect_left(self._times, time)
        near = self._ahead[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1]
        return int(median(near)) if near else 0


def most_common_offset(groups: Iterable[tuple[Sequence[int], Sequence[int]]]) -> int | None:
    """Return the offset at which most repeated messages meet, where nothing else tells one.

    Each group has the times of equal messages in both inputs. None where there are no groups.
    """
    differences: list[int] = []
    for first, second in groups:
        if len(first) * len(second) <= MAX_CELLS and len(differences) < MAX_DIFFERENCES:
            differences += [b - a for a in first for b in second]
    differences.sort()
    best, most, begin = None, 0, 0
    for end, difference in enumerate(differences):
        while difference - differences[begin] > MODE_WIDTH:
            begin += 1
        if end - begin + 1 > most:
            most, best = end - begin + 1, differences[(begin + end) // 2]
    return best


def align(first: Sequence[int], second: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Pair two ascending sequences of times of the same clock; return pairs of places.

    A time pairs with at most one, in order, none further apart than ``limit``; of all such pairings
    the one that leaves least unpaired at the least distance.
    """
    if len(first) * len(second) > MAX_CELLS:
        return _walk(first, second, limit)
    width = len(second) + 1
    # Leaving two unpaired costs as much as pairing them at the limit.
    skip = limit / 2
    costs = [[skip * j for j in range(width)]]
    for i, time in enumerate(first, 1):
        above, row = costs[-1], [skip * i]
        for j, other in enumerate(second, 1):
            row.append(min(above[j - 1] + abs(other - time), above[j] + skip, row[-1] + skip))
        costs.append(row)
    return _path(costs, first, second, skip)


def _path(
    costs: list[list[float]], first: Sequence[int], second: Sequence[int], skip: float
) -> list[tuple[int, int]]:
    i, j, found = len(first), len(second), []
    while i and j:
        here = costs[i][j]
        if here == costs[i - 1][j - 1] + abs(second[j - 1] - first[i - 1]):
            i, j = i - 1, j - 1
            found.append((i, j))
        elif here == costs[i - 1][j] + skip:
            i -= 1
        else:
            j -= 1
    return found[::-1]


def _walk(first: Sequence[int], second: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Pair the earliest that are near enough, unless the next one is nearer."""
    i, j, found = 0, 0, []
    while i < len(first) and j < len(second):
        away = second[j] - first[i]
        if i + 1 < len(first) and abs(second[j] - first[i + 1]) < abs(away) and away > 0:
            i += 1
        elif j + 1 < len(second) and abs(second[j + 1] - first[i]) < abs(away) and away < 0:
            j += 1
        elif abs(away) <= limit:
            found.append((i, j))
            i, j = i + 1, j + 1
        else:
            i, j = (i + 1, j) if away > 0 else (i, j + 1)
    return found
