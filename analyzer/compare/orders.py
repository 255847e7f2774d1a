"""The order of exchanges: what a client did one after the other here, the other way round there.

Requests that were under way at the same time have no order: which of them is seen first is chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compare.exchange_pairs import Found
from analyzer.compare.naming import SIGN_IN_STEPS
from analyzer.compare.values import Told
from analyzer.flows.signin import SIGN_IN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.compare.rows import Place, Table
    from analyzer.compare.values import Exchange, Weight

PHASES = {SIGN_IN_STEPS[step.id]: step.phase for step in SIGN_IN.steps}
LOOKED_AT = 200
"""Pairs between the two places of a moved one that are looked at."""


def order_found(
    place: Place, table: Table, a: Sequence[Exchange], b: Sequence[Exchange]
) -> Found | None:
    """Return in what order a moved pair is, None where that is chance."""
    one, two = a[place.a], b[place.b]
    if not one.up:
        return None
    looked = 0
    for i, j in table.fixed[place.gap :]:
        other_a, other_b = a[i], b[j]
        looked += 1
        if looked > LOOKED_AT:
            break
        if (place.a < i) == (place.b < j) or not other_a.up:
            continue
        if _apart(one, other_a) and _apart(two, other_b):
            subject = other_a.subject
            return Found(
                "order", _weight(one, other_a),
                Told(f"has it {_way(place.a < i)} {subject}", _frames(one, other_a)),
                Told(f"has it {_way(place.b < j)} {subject}", _frames(two, other_b)),
            )  # fmt: skip
    return None


def _weight(one: Exchange, other: Exchange) -> Weight:
    """Steps of one phase come in any order: which of them is first varies between clients."""
    phases = {None if it.step is None else PHASES.get(it.step) for it in (one, other)}
    return "trivial" if len(phases) == 1 and None not in phases else "minor"


def _apart(one: Exchange, other: Exchange) -> bool:
    """Say whether one exchange was over when the other began."""
    return one.ended <= other.began or other.ended <= one.began


def _way(before: bool) -> str:  # noqa: FBT001  (private, one word for each)
    return "before" if before else "after"


def _frames(one: Exchange, other: Exchange) -> tuple[int, ...]:
    return tuple(sorted({*one.frames[:1], *other.frames[:1]}))
