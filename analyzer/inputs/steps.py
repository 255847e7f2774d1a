"""Clocks that were set while an input was taken: by hand, by NTP, or by the end of summer time.

The one rule: a delay is not a step. Messages that were held up come late in one direction, and soon
come in time again; a clock that was set shows in both directions, and stays.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from analyzer.inputs.bounds import both_ways
from analyzer.inputs.lines import MAX_DRIFT_PPB
from analyzer.inputs.values import Step
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.inputs.bounds import Crossing
    from analyzer.rows import Rows

LEAST_STEP = 100_000_000
"""NTP sets a clock that is wrong by more than 128 ms, and slews one that is less (RFC 5905 section
11.2.2, STEPT). Smaller steps show in the error."""
BESIDE = 4
"""Messages on either side, whose medians are compared."""
NEAR = 32
"""Messages on either side that a step is judged by."""
MAX_STEPS = 8
ZONE_NS = 900 * SECOND
"""Time zones are whole quarters of an hour apart, and so are the times that end summer time."""
ZONE_SLACK = 100_000_000
LASTING = 2
"""A delay is over in about the time that it amounts to; what stays this many times as long is
none."""


class _Place(NamedTuple):
    """Where a clock may have been set: before the crossing with this number."""

    at: int
    by: int


def find_steps(found: Sequence[Crossing], rows: Rows) -> tuple[Step, ...]:
    """Return the steps of a clock; of its input the rows are given, and what crossed, in order."""
    ahead = [one.ahead_ns for one in found]
    if len(ahead) < 2 * BESIDE or max(ahead) - min(ahead) < LEAST_STEP:
        return ()
    kept: list[_Place] = []
    places = sorted(sorted(_candidates(found), key=lambda one: -abs(one.by))[:MAX_STEPS])
    for k, place in enumerate(places):
        start = kept[-1].at if kept else 0
        end = places[k + 1].at if k + 1 < len(places) else len(found)
        if _is_set(found[start : place.at], found[place.at : end], place.by):
            kept.append(place)
    return tuple(_step(found, rows, place) for place in kept)


def _candidates(found: Sequence[Crossing]) -> list[_Place]:
    """Return where the level of the differences jumps by more than drift and jitter explain."""
    ahead = [one.ahead_ns for one in found]
    runs: list[list[_Place]] = []
    for at in range(BESIDE, len(ahead) - BESIDE + 1):
        left, right = sorted(ahead[at - BESIDE : at]), sorted(ahead[at : at + BESIDE])
        # A mean of the middle ones: one message of four may be held up or mistaken.
        jump = (sum(right[1:-1]) - sum(left[1:-1])) // (BESIDE - 2)
        if abs(jump) < LEAST_STEP:
            continue
        jitter = right[-2] - right[1] + left[-2] - left[1]
        if abs(jump) > LEAST_STEP + 2 * jitter + _drift(found[at - BESIDE : at + BESIDE]):
            if not runs or at > runs[-1][-1].at + 1:
                runs.append([])
            runs[-1].append(_Place(at, jump))
    return [_exact(found, run) for run in runs]


def _exact(found: Sequence[Crossing], run: Sequence[_Place]) -> _Place:
    """Return the place of a jump: levels only say about where it is.

    There two neighbours differ by as much as the levels.
    """
    by = max((one.by for one in run), key=abs)

    def unlike(at: int) -> int:
        return abs(found[at].ahead_ns - found[at - 1].ahead_ns - by)

    at = min((one.at for one in run), key=unlike)
    return _Place(at, _jump(found[:at], found[at:]))


def _drift(found: Sequence[Crossing]) -> int:
    """Return how much a clock may have drifted from the first to the last, by the other one."""
    times = [one.time_ns - one.ahead_ns for one in found]
    return (max(times) - min(times)) * MAX_DRIFT_PPB // SECOND


def _jump(before: Sequence[Crossing], after: Sequence[Crossing]) -> int:
    """Return how far a clock was set: the median over the ways that were seen on both sides."""
    levels: list[dict[tuple[str, str], list[int]]] = [{}, {}]
    for side, some in zip(levels, (before[-NEAR:], after[:NEAR]), strict=True):
        for one in some:
            side.setdefault(one.way, []).append(one.ahead_ns)
    jumps = [int(median(after) - median(levels[0][way])) for way, after in levels[1].items()
             if way in levels[0]]  # fmt: skip
    if not jumps:
        jumps = [after[0].ahead_ns - before[-1].ahead_ns]
    by = int(median(jumps))
    whole = round(by / ZONE_NS) * ZONE_NS
    return whole if whole and abs(by - whole) < ZONE_SLACK else by


def _is_set(before: Sequence[Crossing], after: Sequence[Crossing], by: int) -> bool:
    """Tell whether a clock was set between some messages and others."""
    before, after = before[-NEAR:], after[:NEAR]
    if len(before) < BESIDE or len(after) < BESIDE:
        return False
    left, right = both_ways(before), both_ways(after)
    if all((*left, *right)):
        ceilings = [min(one.ahead_ns for one in side.upper) for side in (left, right)]
        floors = [max(one.ahead_ns for one in side.lower) for side in (left, right)]
        apart = max(floors[1] - ceilings[0], floors[0] - ceilings[1])
        return apart > _drift([*before, *after])
    times = [one.time_ns - one.ahead_ns for one in after]
    return by % ZONE_NS == 0 or max(times) - min(times) > LASTING * abs(by)


def _step(found: Sequence[Crossing], rows: Rows, place: _Place) -> Step:
    """Return a step at the row where the time of the input itself jumps by about as much."""
    last, first = found[place.at - 1].row, found[place.at].row
    row = min(
        range(last + 1, first + 1), key=lambda at: abs(rows.time[at] - rows.time[at - 1] - place.by)
    )
    return Step(rows.frame[row], rows.time[row], place.by)
