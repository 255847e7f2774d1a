"""The same message in several inputs, and the same connection.

The one rule: a match is one message on one hop. Copies on other hops have another number of Vias
and are not sightings of it; ``analyzer.hops`` finds them later, among all rows.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

from analyzer.inputs.identity import identities
from analyzer.inputs.pairing import Pairing
from analyzer.inputs.values import ConnectionLink, Match, Sighting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.window import Window

Group = dict[int, int]
"""Row by input."""


def match(traces: Sequence[Window]) -> list[Match]:
    """Return the messages that at least two inputs have, in order of their first sighting.

    What no match has was seen in one input only. Linear in the number of messages; bytes are read
    back and compared.
    """
    groups = identities(traces)
    pairs = []
    for a, b in combinations(range(len(traces)), 2):
        found = Pairing(traces[a], traces[b]).run(groups[a], groups[b])
        pairs += [(-one.certainty, one.away, (a, one.first), (b, one.second)) for one in found]
    pairs.sort()
    joined = _joined([(Sighting(*one), Sighting(*other)) for *_, one, other in pairs])
    matches = [Match(tuple(sorted(Sighting(*one) for one in group.items()))) for group in joined]
    return sorted(matches, key=lambda one: one.sightings[0])


def _joined(pairs: list[tuple[Sighting, Sighting]]) -> list[Group]:
    """Join pairs, the surest first, into groups with one row of each input at most."""
    group_of: dict[Sighting, Group] = {}
    for one, other in pairs:
        ours = group_of.setdefault(one, {one.input: one.row})
        theirs = group_of.setdefault(other, {other.input: other.row})
        if ours is not theirs and not ours.keys() & theirs.keys():
            ours.update(theirs)
            for sighting in theirs.items():
                group_of[Sighting(*sighting)] = ours
    found = {id(group): group for group in group_of.values()}
    return [group for group in found.values() if len(group) > 1]


def connections(matches: Sequence[Match], traces: Sequence[Window]) -> list[ConnectionLink]:
    """Return which connection of an input is which of another one, those with most messages first.

    A connection may have several partners: a text trace does not always tell two apart. Where two
    connections have a partner each that fits better, they are not linked.
    """
    votes: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    turned: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    for one in matches:
        ends = [(number, traces[number].rows.stream[row]) for number, row in one.sightings]
        for (a, ours), (b, theirs) in combinations(ends, 2):
            link = (a, ours >> 1), (b, theirs >> 1)
            votes[link] += 1
            turned[link] += (ours ^ theirs) & 1
    best: dict[tuple[tuple[int, int], int], int] = {}
    for (first, second), count in votes.items():
        for end in ((first, second[0]), (second, first[0])):
            best[end] = max(best.get(end, 0), count)
    return [
        ConnectionLink(*link, count, turned[link] * 2 > count)
        for link, count in sorted(votes.items(), key=lambda item: (-item[1], item[0]))
        if count in (best[link[0], link[1][0]], best[link[1], link[0][0]])
    ]
