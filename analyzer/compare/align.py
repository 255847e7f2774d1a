"""Aligns two sequences of tokens: the same tokens in the same order, as many as can be.

Tokens that occur once on either side are anchors, as in a patience diff: the INVITE to the Channel
service is never given up for eleven preferences. Between anchors the longest common subsequence is
found by the algorithm of Myers (1986), O(ND); where more than ``MAX_EDITS`` differ it goes on from
the furthest point reached, so that time stays bounded and the result is good, but maybe not best.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.compare.values import Token

MAX_EDITS = 400
"""Differences between two anchors for which the shortest edit is looked for: the work grows with
the square, and 400 take a twentieth of a second."""

Pair = tuple[int, int]
Span = tuple[int, int, int, int]
"""From and to in A, from and to in B."""


def align(a: Sequence[Token], b: Sequence[Token]) -> list[Pair]:
    """Return the places of equal tokens, ascending in both.

    ``align(b, a)`` gives the same pairs the other way round: of equally good ways the one is taken
    that does not depend on the order of the arguments.
    """
    number = {token: at for at, token in enumerate(sorted({*a, *b}))}
    one, two = [number[token] for token in a], [number[token] for token in b]
    if two < one:
        return [(i, j) for j, i in _early(two, one, _aligned(two, one))]
    return _early(one, two, _aligned(one, two))


def _aligned(a: list[int], b: list[int]) -> list[Pair]:
    found: list[Pair] = []
    spans: list[Span] = [(0, len(a), 0, len(b))]
    while spans:
        span = spans.pop()
        inner = _trimmed(a, b, span, found)
        if inner[0] == inner[1] or inner[2] == inner[3]:
            continue
        anchors = _anchors(a, b, inner)
        if not anchors:
            found += _shortest(a, b, inner)
            continue
        found += anchors
        ends = [(inner[0] - 1, inner[2] - 1), *anchors, (inner[1], inner[3])]
        spans += [(i + 1, k, j + 1, m) for (i, j), (k, m) in pairwise(ends)]
    return sorted(found)


def _trimmed(a: list[int], b: list[int], span: Span, found: list[Pair]) -> Span:
    """Take what is equal at both ends into ``found``; return what is left."""
    i, k, j, m = span
    while i < k and j < m and a[i] == b[j]:
        found.append((i, j))
        i, j = i + 1, j + 1
    while i < k and j < m and a[k - 1] == b[m - 1]:
        k, m = k - 1, m - 1
        found.append((k, m))
    return i, k, j, m


def _anchors(a: list[int], b: list[int], span: Span) -> list[Pair]:
    """Return the tokens that occur once on each side, as many as are in the same order."""
    once_a, once_b = _once(a, span[0], span[1]), _once(b, span[2], span[3])
    pairs = sorted((at, once_b[token]) for token, at in once_a.items() if token in once_b)
    # The longest ascending subsequence of the places in B, by patience sorting.
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for at, (_, place) in enumerate(pairs):
        pile = bisect_left(tops, place)
        before.append(piles[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(place)
            piles.append(at)
        else:
            tops[pile], piles[pile] = place, at
    chain: list[Pair] = []
    at = piles[-1] if piles else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def _once(tokens: list[int], start: int, end: int) -> dict[int, int]:
    """Return the tokens that occur once in a part, with their places."""
    places: dict[int, int] = {}
    again: set[int] = set()
    for at in range(start, end):
        token = tokens[at]
        if token in places:
            again.add(token)
        places[token] = at
    return {token: at for token, at in places.items() if token not in again}


def _shortest(a: list[int], b: list[int], span: Span) -> list[Pair]:
    """Return the pairs of a part by repeated runs of Myers' algorithm."""
    i, k, j, m = span
    found: list[Pair] = []
    while i < k and j < m:
        pairs, i, j = _myers(a, b, (i, k, j, m))
        found += pairs
    return found


def _myers(a: list[int], b: list[int], span: Span) -> tuple[list[Pair], int, int]:
    """Return pairs, and how far in A and B they account for."""
    start, end, first, last = span
    n, m = end - start, last - first
    furthest = {1: 0}
    history: list[dict[int, int]] = []
    """The furthest x of each diagonal (x - y) before each round."""
    for d in range(min(n + m, MAX_EDITS) + 1):
        history.append(dict(furthest))
        for k in range(-d, d + 1, 2):
            x = furthest[k + 1] if _goes_down(furthest, k, d) else furthest[k - 1] + 1
            y = x - k
            while x < n and y < m and a[start + x] == b[first + y]:
                x, y = x + 1, y + 1
            furthest[k] = x
            if x >= n and y >= m:
                return _walked(history, (start, first), x, y), end, last
    reached = [(2 * x - k, k) for k, x in furthest.items() if x <= n and x - k <= m]
    k = max(one for one in reached if (one[1] + len(history)) % 2)[1]
    x = furthest[k]
    return _walked(history, (start, first), x, x - k), start + x, first + x - k


def _goes_down(furthest: dict[int, int], k: int, d: int) -> bool:
    """Say whether a diagonal is reached by leaving out one of B, not one of A."""
    return k == -d or (k != d and furthest[k - 1] < furthest[k + 1])


def _walked(history: list[dict[int, int]], origin: Pair, x: int, y: int) -> list[Pair]:
    """Return the pairs on the way back from a point."""
    start, first = origin
    found: list[Pair] = []
    for d in range(len(history) - 1, -1, -1):
        before, k = history[d], x - y
        from_k = k + 1 if _goes_down(before, k, d) else k - 1
        from_x = before[from_k]
        from_y = from_x - from_k
        while x > max(from_x, 0) and y > max(from_y, 0):
            x, y = x - 1, y - 1
            found.append((start + x, first + y))
        x, y = from_x, from_y
    return found[::-1]


def _early(a: list[int], b: list[int], pairs: list[Pair]) -> list[Pair]:
    """Take the earlier of equal tokens: what is left over of repeated ones are the later ones."""
    found: list[Pair] = []
    for pair in pairs:
        before = found[-1] if found else (-1, -1)
        i, j = pair
        if j == before[1] + 1 and a[before[0] + 1] == b[j]:
            i = before[0] + 1
        elif i == before[0] + 1 and b[before[1] + 1] == a[i]:
            j = before[1] + 1
        found.append((i, j))
    return found
