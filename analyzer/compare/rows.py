"""Aligned rows: pairs of exchanges in the order of both sides, and between them what is one-sided.

An exchange that both sides have, but in another order, is a pair as well, marked ``moved``.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from analyzer.compare.align import align
from analyzer.compare.sip_exchanges import OTHER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.compare.values import Exchange, Token

ROLE = 3
"""Place of the role in the token of a SIP exchange."""


class Place(NamedTuple):
    """One row before its exchanges are compared."""

    a: int
    """Number of the exchange; -1 without."""
    b: int
    gap: int
    """How many fixed pairs come before it."""
    moved: bool = False


class Table(NamedTuple):
    """The rows, and the pairs that are in the same order on both sides."""

    places: tuple[Place, ...]
    fixed: tuple[tuple[int, int], ...]


def table_of(a: Sequence[Exchange], b: Sequence[Exchange]) -> Table:
    """Align the exchanges of two sessions."""
    tokens = [one.token for one in a], [one.token for one in b]
    fixed = align(*tokens)
    fixed = sorted(fixed + _undecided(*tokens, fixed))
    moved = _moved(*tokens, fixed)
    gap_a, gap_b = _gaps(len(a), [i for i, _ in fixed]), _gaps(len(b), [j for _, j in fixed])
    places = [Place(i, j, at) for at, (i, j) in enumerate(fixed)]
    places += [Place(i, j, min(gap_a[i], gap_b[j]), moved=True) for i, j in moved]
    paired_a = {one.a for one in places}
    paired_b = {one.b for one in places}
    places += [Place(i, -1, gap_a[i]) for i in range(len(a)) if i not in paired_a]
    places += [Place(-1, j, gap_b[j]) for j in range(len(b)) if j not in paired_b]
    places.sort(key=_order(a, b, fixed, (gap_a, gap_b)))
    return Table(tuple(places), tuple(fixed))


def _gaps(length: int, fixed: Sequence[int]) -> list[int]:
    """Return of each exchange how many fixed ones come before it."""
    return [bisect_left(fixed, at) for at in range(length)]


def _order(
    a: Sequence[Exchange],
    b: Sequence[Exchange],
    fixed: Sequence[tuple[int, int]],
    gaps: tuple[list[int], list[int]],
) -> Callable[[Place], tuple[object, ...]]:
    """Return the key of the rows: by gap, and within one by the time since its beginning."""

    def since(side: int, at: int, gap: int) -> int | None:
        if at < 0 or gaps[side][at] != gap:
            return None
        exchanges = (a, b)[side]
        start = exchanges[fixed[gap - 1][side]].began if gap else exchanges[0].began
        return exchanges[at].began - start

    def key(place: Place) -> tuple[object, ...]:
        is_fixed = place.a >= 0 and place.b >= 0 and not place.moved
        if is_fixed:
            return (place.gap, 1, 0, (), 0)
        known = [
            one
            for one in (since(0, place.a, place.gap), since(1, place.b, place.gap))
            if one is not None
        ]
        token = (a[place.a] if place.a >= 0 else b[place.b]).token
        return (place.gap, 0, min(known), token, max(place.a, place.b))

    return key


def _undecided(
    a: Sequence[Token], b: Sequence[Token], fixed: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Pair, within a gap, INVITEs of which one side does not tell whom they were for."""
    found: list[tuple[int, int]] = []
    ends = [(-1, -1), *fixed, (len(a), len(b))]
    for (i, j), (k, m) in pairwise(ends):
        if k - i < 2 or m - j < 2:
            continue
        left = [at for at in range(i + 1, k) if a[at][1] == "sip"]
        right = [at for at in range(j + 1, m) if b[at][1] == "sip"]
        pairs = ((x, y) for x in left for y in right if _may_be_same(a[x], b[y]))
        found += [pair for pair in [next(pairs, None)] if pair is not None]
    return found


def _may_be_same(one: Token, other: Token) -> bool:
    unknown = OTHER in (one[ROLE], other[ROLE]) and one != other
    return unknown and one[:ROLE] == other[:ROLE] and one[ROLE + 1 :] == other[ROLE + 1 :]


def _moved(
    a: Sequence[Token], b: Sequence[Token], fixed: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Pair what is left of equal tokens, the first with the first."""
    paired_a, paired_b = {i for i, _ in fixed}, {j for _, j in fixed}
    left: dict[Token, list[int]] = {}
    for j in range(len(b) - 1, -1, -1):
        if j not in paired_b:
            left.setdefault(b[j], []).append(j)
    return [
        (i, left[token].pop()) for i, token in enumerate(a) if i not in paired_a and left.get(token)
    ]
