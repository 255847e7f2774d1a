"""A straight line between upper and lower bounds: offset and drift of a clock.

The one rule: the error is what the bounds leave open. Every line that keeps to all bounds could be
the true one; the error is the distance to the furthest of them, at either end of the time that the
bounds span. Drift is only told where a line without it is refuted.

Offsets are in nanoseconds and times in seconds here, so that slopes are in ppb.
"""

from __future__ import annotations

from itertools import combinations
from math import sqrt
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.inputs.bounds import Bound, Bounds

MAX_DRIFT_PPB = 500_000
"""The most that NTP corrects by slewing (MAXFREQ in RFC 5905 appendix A). What changes faster was
set, or is no message seen twice."""
TOO_MUCH = 0.98
WINDOWS = 24
"""Parts of the time spanned: of each, the tightest bound of either kind is kept."""
FIRM = 3.5
"""Standard deviations by which Kendall's test must refute a drift of zero: 1 in 2000."""
TRIMMED_FROM = 8
"""Bounds of a kind from which on a few that contradict the many are left out."""
FAR = 8
"""Distances from median to quartile at which a bound contradicts the others: delays pile up at
their minimum, and below it there is nothing but mistakes."""
LEAST_FAR = 1_000_000
ROUNDS = 60
"""Of a search that leaves two thirds of its range each time: to less than a ppb."""

Point = tuple[float, float]


class Line(NamedTuple):
    """How far a clock is ahead."""

    since_ns: int
    until_ns: int
    """The first and last time of a bound: the error is that in between."""
    at_ns: int
    offset_ns: int
    drift_ppb: int
    error_ns: int
    drift_error_ppb: int


def fit(bounds: Bounds, noise_ns: int) -> Line:
    """Return the line between bounds, of which there must be one of either kind.

    Args:
        bounds: limits of how far the clock is ahead.
        noise_ns: how far a single time may be wrong.
    """
    every = [*bounds.upper, *bounds.lower]
    first, last = min(every)[0], max(every)[0]
    at, middle = (first + last) // 2, int(median(one.ahead_ns for one in every))
    # What is a lower bound is an upper one upside down.
    upper = [_point(one, at, middle, 1) for one in bounds.upper]
    lower = [_point(one, at, middle, -1) for one in bounds.lower]
    slope = _middle_slope(_tightest(upper, 0.0), _tightest(lower, 0.0))[0]
    upper, lower = _trimmed(upper, slope), _trimmed(lower, -slope)
    space = _Space(_tightest(upper, slope), _tightest(lower, -slope))
    drift = space.drift(noise_ns)
    offset = (space.ceiling(drift) + space.floor(drift)) / 2
    # Half of a contradiction would do for a straight line; but then the clock went none.
    space.widen(max(0.0, -space.gap(drift)) + noise_ns)
    ends = (first - at) / SECOND, (last - at) / SECOND
    error = max(space.deviation(offset, drift, end) for end in ends)
    low, high = space.slopes(drift)
    return Line(
        first,
        last,
        at,
        middle + round(offset),
        round(drift),
        round(error),
        round(max(high - drift, drift - low)),
    )


def _point(one: Bound, at: int, middle: int, sign: int) -> Point:
    return (one.time_ns - at) / SECOND, float(sign * (one.ahead_ns - middle))


def _tightest(points: Sequence[Point], slope: float) -> list[Point]:
    """Return the lowest point of each of ``WINDOWS`` parts of the time, seen along a slope."""
    first = min(points)[0]
    width = (max(points)[0] - first) / WINDOWS or 1.0
    best: dict[int, Point] = {}
    for point in points:
        part = int((point[0] - first) / width)
        known = best.get(part)
        if known is None or point[1] - slope * point[0] < known[1] - slope * known[0]:
            best[part] = point
    return sorted(best.values())


def _trimmed(points: list[Point], slope: float) -> list[Point]:
    """Leave out points that are far below where all others pile up."""
    if len(points) < TRIMMED_FROM:
        return points
    levels = sorted(y - slope * x for x, y in points)
    center, quartile = levels[len(levels) // 2], levels[len(levels) // 4]
    least = center - FAR * (center - quartile) - LEAST_FAR
    return [(x, y) for x, y in points if y - slope * x >= least]


def _middle_slope(upper: Sequence[Point], lower: Sequence[Point]) -> tuple[float, bool]:
    """Return the median slope between points of a kind (Theil, Sen), and whether it is firm.

    Firm by Kendall's test: enough of all slopes have the same sign.
    """
    slopes, variance = [], 0.0
    for points, sign in ((upper, 1), (lower, -1)):
        slopes += [
            sign * (y2 - y1) / (x2 - x1)
            for (x1, y1), (x2, y2) in combinations(points, 2)
            if x2 > x1
        ]
        n = len(points)
        variance += n * (n - 1) * (2 * n + 5) / 18
    if not slopes:
        return 0.0, False
    balance = sum((slope > 0) - (slope < 0) for slope in slopes)
    slope = max(-MAX_DRIFT_PPB, min(MAX_DRIFT_PPB, median(slopes)))
    return slope, abs(balance) > FIRM * sqrt(variance)


class _Space:
    """All lines between two sets of points: above the lower ones and below the upper ones."""

    def __init__(self, upper: list[Point], lower: list[Point]) -> None:
        """Take upper points, and lower ones upside down."""
        self._upper, self._lower = upper, lower

    def ceiling(self, slope: float) -> float:
        """Return how high a line of a slope may be, at time 0."""
        return min(y - slope * x for x, y in self._upper)

    def floor(self, slope: float) -> float:
        """Return how low it may be."""
        return -min(y + slope * x for x, y in self._lower)

    def gap(self, slope: float) -> float:
        """Return how much room a slope has; negative where no line of it keeps to all bounds."""
        return self.ceiling(slope) - self.floor(slope)

    def widen(self, by: float) -> None:
        """Move all bounds away from one another."""
        self._upper = [(x, y + by) for x, y in self._upper]
        self._lower = [(x, y + by) for x, y in self._lower]

    def drift(self, noise: int) -> float:
        """Return the slope that the points show; 0 unless they refute it."""
        slope, firm = _middle_slope(self._upper, self._lower)
        if not firm and self.gap(0.0) >= -2 * noise:
            return 0.0
        found = _highest(self.gap, -MAX_DRIFT_PPB, MAX_DRIFT_PPB)
        if self.gap(found) >= 0:
            low, high = self.slopes(found)
            found = max(low, min(high, slope))
        elif firm:
            found = slope
        # At the limit it is no drift; then the error shows that a straight line does not fit.
        return found if abs(found) < TOO_MUCH * MAX_DRIFT_PPB else 0.0

    def slopes(self, inside: float) -> tuple[float, float]:
        """Return the smallest and largest slope with room, beside one that has it."""
        found = []
        for end in (-MAX_DRIFT_PPB, MAX_DRIFT_PPB):
            good, bad = inside, float(end)
            for _ in range(ROUNDS):
                if self.gap(bad) >= 0:
                    break
                between = (good + bad) / 2
                if self.gap(between) >= 0:
                    good = between
                else:
                    bad = between
            found.append(good if self.gap(bad) < 0 else bad)
        return found[0], found[1]

    def deviation(self, offset: float, slope: float, x: float) -> float:
        """Return how far the furthest line is from a given one, at a time."""
        low, high = self.slopes(slope)

        def above(other: float) -> float:
            return self.ceiling(other) + other * x

        def below(other: float) -> float:
            return -self.floor(other) - other * x

        here = offset + slope * x
        return max(
            above(_highest(above, low, high)) - here, below(_highest(below, low, high)) + here
        )


def _highest(of: Callable[[float], float], low: float, high: float) -> float:
    """Return where a concave function is highest."""
    for _ in range(ROUNDS):
        third = (high - low) / 3
        if of(low + third) < of(high - third):
            low += third
        else:
            high -= third
    return (low + high) / 2
