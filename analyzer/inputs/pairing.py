"""The messages that two inputs have in common.

The one rule: what is beyond doubt comes first. Messages without a double give the offset between
the clocks and say which connection is which; these decide about repetitions and about messages
whose bytes differ.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.inputs.alignment import MAX_CELLS, LocalOffset, align, most_common_offset
from analyzer.inputs.beginnings import Side, beginnings
from analyzer.inputs.identity import Fingerprint, fingerprint, is_identified

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from analyzer.inputs.identity import Identity
    from analyzer.window import Window

SURE, ALIKE, UNLIKE = 2, 1, 0
"""Equal bytes without a double; one of several with equal bytes; other bytes."""
MINORITY = 5
"""A connection is another one's when it has at least a fifth of the messages of the best."""


class Pair(NamedTuple):
    """A row of each of two inputs that are one message."""

    first: int
    second: int
    certainty: int
    away: int
    """Nanoseconds between the times, after the clocks were compared."""


Rows = list[int]
Group = tuple[Rows, Rows]


class Streams:
    """Which direction of a connection in one input is which one in the other, by votes."""

    def __init__(self, first: Window, second: Window) -> None:
        self._columns = first.rows.stream, second.rows.stream
        self._votes: Counter[tuple[int, int]] = Counter()
        self._best: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def vote(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Count pairs of rows."""
        ours, theirs = self._columns
        self._votes.update((ours[a], theirs[b]) for a, b in pairs)
        for both, count in self._votes.items():
            for best, stream in zip(self._best, both, strict=True):
                best[stream] = max(best.get(stream, 0), count)

    def linked(self, a: int, b: int) -> bool:
        """Tell whether two rows are on streams that are known to be one."""
        ours, theirs = self._columns[0][a], self._columns[1][b]
        most = max(self._best[0].get(ours, 0), self._best[1].get(theirs, 0))
        return most > 0 and self._votes[ours, theirs] * MINORITY >= most

    def possible(self, a: int, b: int) -> bool:
        """Tell whether nothing speaks against two rows' being of one stream."""
        known = self._columns[0][a] in self._best[0] and self._columns[1][b] in self._best[1]
        return not known or self.linked(a, b)


class Pairing:
    """Finds the messages that two inputs have in common."""

    def __init__(self, first: Window, second: Window) -> None:
        self._first, self._second = first, second
        self._times = first.rows.time, second.rows.time
        self._streams = Streams(first, second)
        self._sure: list[tuple[int, int]] = []
        self._alike: list[Group] = []
        self._unlike: list[Group] = []
        self._offset = LocalOffset([])

    def run(self, ours: Mapping[Identity, Rows], theirs: Mapping[Identity, Rows]) -> list[Pair]:
        """Return the pairs; the rows of each identity are given for both inputs."""
        for key, rows in ours.items():
            others = theirs.get(key)
            if others is not None:
                self._sort((rows, others), identified=is_identified(key))
        self._streams.vote(self._sure)
        self._compare_clocks()
        found = [
            Pair(a, b, SURE, self._away(a, b)) for a, b in self._sure if self._is_one_sending(a, b)
        ]
        self._streams.vote(pair for group in self._alike for pair in self._by_time(group))
        found += [
            Pair(a, b, ALIKE, self._away(a, b))
            for group in self._alike
            for a, b in self._repetitions(group)
        ]
        different = self._different()
        self._streams.vote((one.first, one.second) for one in different)
        found += different
        return found + self._beginnings(found)

    def _sort(self, group: Group, *, identified: bool) -> None:
        """Say of the rows of one identity how sure it is which is which."""
        ours, theirs = group
        if len(ours) == len(theirs) == 1 and self._first.raw(ours[0]) == self._second.raw(
            theirs[0]
        ):
            self._sure.append((ours[0], theirs[0]))
            return
        prints = (
            {row: fingerprint(self._first.raw(row)) for row in ours},
            {row: fingerprint(self._second.raw(row)) for row in theirs},
        )
        rest = self._take_equal(group, prints, _whole)
        if identified:
            # A text trace may have the body masked.
            rest = self._take_equal(rest, prints, _head)
            if rest[0] and rest[1]:
                self._unlike.append(rest)

    def _take_equal(
        self,
        group: Group,
        prints: tuple[dict[int, Fingerprint], dict[int, Fingerprint]],
        part: Callable[[Fingerprint], Hashable],
    ) -> Group:
        """Take the rows that have a part of the fingerprint in common; return the others."""
        ours, theirs = (
            _grouped(rows, {row: part(one[row]) for row in rows})
            for rows, one in zip(group, prints, strict=True)
        )
        rest: Group = ([], [])
        for what, rows in ours.items():
            others = theirs.pop(what, None)
            if others is None:
                rest[0].extend(rows)
            elif len(rows) == len(others) == 1:
                self._sure.append((rows[0], others[0]))
            else:
                self._alike.append((rows, others))
        for others in theirs.values():
            rest[1].extend(others)
        return sorted(rest[0]), sorted(rest[1])

    def _compare_clocks(self) -> None:
        """Learn the offset from the best there is."""
        ours, theirs = self._times
        singles = [(a[0], b[0]) for a, b in self._unlike if len(a) == len(b) == 1]
        pairs = self._sure or singles
        self._offset = LocalOffset((ours[a], theirs[b]) for a, b in pairs)
        if not pairs:
            groups = [
                ([ours[a] for a in rows], [theirs[b] for b in others])
                for rows, others in (*self._alike, *self._unlike)
            ]
            offset = most_common_offset(groups)
            if offset is not None:
                self._offset = LocalOffset([(0, offset)])

    def _away(self, a: int, b: int) -> int:
        time = self._times[0][a]
        return abs(self._times[1][b] - time - self._offset.at(time))

    def _is_one_sending(self, a: int, b: int) -> bool:
        """Tell whether equal messages were sent once.

        Over UDP each place may have missed what the other one has of two sendings. Over TCP there
        is only one, and one place may have seen it only when a segment was sent again.
        """
        first, second = self._first, self._second
        udp = "udp" in (
            first.streams[first.rows.stream[a]].transport,
            second.streams[second.rows.stream[b]].transport,
        )
        return not udp or self._away(a, b) <= self._offset.limit

    def _by_time(self, group: Group) -> list[tuple[int, int]]:
        """Pair equal messages by their order and times alone."""
        ours, theirs = self._times
        rows = sorted((ours[a] + self._offset.at(ours[a]), a) for a in group[0])
        others = sorted((theirs[b], b) for b in group[1])
        times = [time for time, _ in rows], [time for time, _ in others]
        return [(rows[i][1], others[j][1]) for i, j in align(*times, self._offset.limit)]

    def _repetitions(self, group: Group) -> list[tuple[int, int]]:
        """Pair equal messages: first on streams that are one, then whatever is left."""
        ours = _grouped(group[0], self._first.rows.stream)
        theirs = _grouped(group[1], self._second.rows.stream)
        found: list[tuple[int, int]] = []
        if len(ours) + len(theirs) > 2 and len(ours) * len(theirs) <= MAX_CELLS:
            for rows in ours.values():
                found += self._on_linked(rows, theirs.values())
        taken = {a for a, _ in found}, {b for _, b in found}
        rest = (
            [a for a in group[0] if a not in taken[0]],
            [b for b in group[1] if b not in taken[1]],
        )
        return found + [pair for pair in self._by_time(rest) if self._streams.possible(*pair)]

    def _on_linked(self, rows: Rows, others: Iterable[Rows]) -> list[tuple[int, int]]:
        linked = [b for some in others if self._streams.linked(rows[0], some[0]) for b in some]
        return self._by_time((rows, linked)) if linked else []

    def _beginnings(self, found: Iterable[Pair]) -> list[Pair]:
        """Pair what one input has the beginning of alone."""
        pairs = [(one.first, one.second) for one in found]
        ours = Side(self._first, {a for a, _ in pairs})
        theirs = Side(self._second, {b for _, b in pairs})
        clock, (first, second), linked = self._offset, self._times, self._streams.linked
        made = [
            *beginnings(ours, theirs, lambda a: first[a] + clock.at(first[a]), linked, clock.limit),
            *(
                (a, b)
                for b, a in beginnings(
                    theirs,
                    ours,
                    lambda b: second[b] - clock.at(second[b] - clock.at(second[b])),
                    lambda b, a: linked(a, b),
                    clock.limit,
                )
            ),
        ]
        return [Pair(a, b, UNLIKE, self._away(a, b)) for a, b in made]

    def _different(self) -> list[Pair]:
        """Pair messages whose bytes differ: cut at one place, or changed on the way (an ALG)."""
        found = []
        for group in self._unlike:
            for a, b in self._by_time(group):
                if self._streams.possible(a, b):
                    found.append(Pair(a, b, UNLIKE, self._away(a, b)))
        return found


def _whole(one: Fingerprint) -> Hashable:
    return one


def _head(one: Fingerprint) -> Hashable:
    return one.head


def _grouped(rows: Rows, what: Mapping[int, Hashable] | Sequence[int]) -> dict[Hashable, Rows]:
    found: dict[Hashable, Rows] = {}
    for row in rows:
        found.setdefault(what[row], []).append(row)
    return found
