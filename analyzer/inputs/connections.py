"""Which connections of several inputs are one connection, and how it looks when put together.

The one rule: messages that were seen on both decide, direction by direction; where there are none
(each input has one direction alone) equal addresses and ports do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from analyzer.rows import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.inputs.order import FrameOrder
    from analyzer.inputs.values import Clock, Match
    from analyzer.trace import Trace

Node = tuple[int, int]
"""Input and number of a connection in it."""

APART_NS = 3_600_000_000_000
"""Connections of the same ports with an hour between them are two: ports come round again."""


@dataclass(slots=True)
class _Group:
    """Connections that are one."""

    members: dict[Node, int]
    """With 1 where the opener of that input is the other side than in the first one."""

    def inputs(self) -> set[int]:
        return {which for which, _ in self.members}


class Joined:
    """The connections of all inputs together."""

    def __init__(
        self, traces: Sequence[Trace], matches: Sequence[Match], clocks: Sequence[Clock]
    ) -> None:
        self._traces = traces
        self._clocks = clocks
        self._groups: dict[Node, _Group] = {
            (which, number): _Group({(which, number): 0})
            for which, trace in enumerate(traces)
            for number in range(len(trace.connections))
        }
        self._by_messages(matches)
        self._by_addresses()
        groups = list({id(group): group for group in self._groups.values()}.values())
        self.home: list[Node] = []
        """Of each joined connection, the one whose messages are shown."""
        self.members: list[tuple[Node, ...]] = []
        self.streams: dict[tuple[int, int], int] = {}
        """By input and stream in it, the joined stream."""
        groups.sort(key=self._first)
        for number, group in enumerate(groups):
            self._number(number, group)

    def connection(self, number: int, order: FrameOrder) -> Connection:
        """Return what a trace keeps of a joined connection."""
        which, at = self.home[number]
        mine = self._traces[which].connections[at]
        flipped = self.streams[which, 2 * at] & 1
        members = [(k, self._traces[k].connections[c]) for k, c in self.members[number]]
        ends = (mine.opener, mine.responder)
        messages = [0, 0]
        for k, one in members:
            side = self.streams[k, 2 * one.number] & 1
            for at_side, count in enumerate(one.messages):
                messages[at_side ^ side] = max(messages[at_side ^ side], count)
        return Connection(
            number,
            *(ends[::-1] if flipped else ends),
            mine.transport,
            any(one.syn_seen for _, one in members),
            min(order.numbers[k][one.first_frame - 1] for k, one in members),
            max(order.numbers[k][one.last_frame - 1] for k, one in members),
            min(self._clocks[k].corrected(one.first_time) for k, one in members),
            max(self._clocks[k].corrected(one.last_time) for k, one in members),
            self._ends(members),
            min(one.holes for _, one in members),
            (messages[0], messages[1]),
        )

    def _ends(self, members: Sequence[tuple[int, Connection]]) -> tuple[str, str]:
        """Return how each direction ended: as whoever saw it end says."""
        found = ["end", "end"]
        for k, one in members:
            side = self.streams[k, 2 * one.number] & 1
            for at_side, how in enumerate(one.ends):
                if how != "end":
                    found[at_side ^ side] = how
        return found[0], found[1]

    def _by_messages(self, matches: Sequence[Match]) -> None:
        """Join by messages that were seen on both, those with most of them first."""
        votes: Counter[tuple[Node, Node, int]] = Counter()
        for match in matches:
            for (a, row_a), (b, row_b) in combinations(match.sightings, 2):
                left, right = self._stream(a, row_a), self._stream(b, row_b)
                votes[(a, left >> 1), (b, right >> 1), (left ^ right) & 1] += 1
        for (left_node, right_node, turned), _ in votes.most_common():
            self._unite(left_node, right_node, turned)

    def _stream(self, which: int, row: int) -> int:
        return self._traces[which].rows.stream[row]

    def _by_addresses(self) -> None:
        """Join what has the same ends and was open at the same time."""
        known: dict[tuple[str, ...], list[Node]] = {}
        for which, trace in enumerate(self._traces):
            # A trace has both directions, and a port that it does not say is presumed.
            for one in () if trace.has_lines else trace.connections:
                kind = "udp" if one.transport == "udp" else "stream"
                ends = (kind, *sorted((one.opener, one.responder)))
                known.setdefault(ends, []).append((which, one.number))
        for nodes in known.values():
            for left, right in combinations(nodes, 2):
                if left[0] != right[0] and self._meet(left, right):
                    turned = self._row(left).opener != self._row(right).opener
                    self._unite(left, right, int(turned))

    def _meet(self, left: Node, right: Node) -> bool:
        spans = []
        for which, number in (left, right):
            one, right_time = self._traces[which].connections[number], self._clocks[which].corrected
            spans.append((right_time(one.first_time), right_time(one.last_time)))
        (first, end), (other_first, other_end) = spans
        return first <= other_end + APART_NS and other_first <= end + APART_NS

    def _row(self, node: Node) -> Connection:
        return self._traces[node[0]].connections[node[1]]

    def _unite(self, left: Node, right: Node, turned: int) -> None:
        """Make two groups one, unless an input would then be in it twice."""
        mine, theirs = self._groups[left], self._groups[right]
        if mine is theirs or mine.inputs() & theirs.inputs():
            return
        turned ^= mine.members[left] ^ theirs.members[right]
        for node, side in theirs.members.items():
            mine.members[node] = side ^ turned
            self._groups[node] = mine

    def _first(self, group: _Group) -> int:
        return min(
            self._clocks[node[0]].corrected(self._row(node).first_time) for node in group.members
        )

    def _number(self, number: int, group: _Group) -> None:
        home = max(group.members, key=self._worth)
        opener = next((one for one in group.members if self._row(one).syn_seen), home)
        base = group.members[opener]
        for (which, connection), side in group.members.items():
            turned = side ^ base
            for back in (0, 1):
                self.streams[which, 2 * connection + back] = 2 * number + (back ^ turned)
        self.home.append(home)
        self.members.append(tuple(sorted(group.members)))

    def _worth(self, node: Node) -> tuple[bool, int, int]:
        """A capture before a text trace, then by messages, then in the order of the inputs."""
        captured = self._traces[node[0]].quality.unit == "frame"
        return captured, sum(self._row(node).messages), -node[0]

    def others(self, number: int, which: int) -> Iterator[Node]:
        """Yield the connections of other inputs that are the same."""
        return (node for node in self.members[number] if node[0] != which)
