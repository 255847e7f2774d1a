"""The clocks of several inputs, relative to one of them.

The one rule: a correction comes with its error, and what nothing ties to the others is not
corrected. Path asymmetry cannot be seen from outside: of a round trip only the half is known, as in
NTP (RFC 5905 section 8).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain, combinations
from typing import TYPE_CHECKING

from analyzer.inputs.bounds import (
    ASSUMED_TRANSIT,
    Bounds,
    both_ways,
    bounds_of_order,
    commands,
    completed,
    crossings,
    exchanges,
    order_of_commands,
    order_of_exchanges,
    presumed,
)
from analyzer.inputs.identity import identities
from analyzer.inputs.lines import fit
from analyzer.inputs.steps import find_steps
from analyzer.inputs.values import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.inputs.bounds import Commands, Crossing, Exchanges, Times
    from analyzer.inputs.lines import Line
    from analyzer.inputs.values import ConnectionLink, Match, Method
    from analyzer.window import Window

    Pairs = dict[tuple[int, int], list[tuple[int, int]]]

NOISE_NS = 50_000
"""What a time stamp made by a program is worth: the kernel takes so long to see a frame."""
COARSE_DIGITS = 3
"""Text traces have milliseconds; they are the reference only where there is nothing else."""


def reference_of(traces: Sequence[Window]) -> int:
    """Return the input whose clock is taken for right.

    It is the first one with times finer than milliseconds; without one, the one with most messages.
    """
    fine = [k for k, trace in enumerate(traces) if _digits(trace) > COARSE_DIGITS]
    if fine:
        return fine[0]
    return max(range(len(traces)), key=lambda k: (len(traces[k]), -k), default=0)


def estimate(
    traces: Sequence[Window], matches: Sequence[Match], links: Sequence[ConnectionLink]
) -> list[Clock]:
    """Return the clock of each input, relative to that of ``reference_of``.

    Messages without a time (0, as in a pcapng simple packet) take no part. Each input is compared
    with one that is known already, the one that leaves the smallest error:
    the reference itself or, where these two have nothing in common, one in between. Of the matches
    only those on connections that are linked count: others may be mistaken.
    """
    return _Estimator(traces, _pairs(traces, matches, links)).run()


def _pairs(
    traces: Sequence[Window], matches: Sequence[Match], links: Sequence[ConnectionLink]
) -> Pairs:
    """Return the rows that each two inputs have in common, in either order of the two."""
    linked = {(link.first, link.second) for link in links}
    streams = [trace.rows.stream for trace in traces]
    found: Pairs = {}
    for one in matches:
        timed = [each for each in one.sightings if traces[each.input].rows.time[each.row]]
        for (a, ours), (b, theirs) in combinations(timed, 2):
            if ((a, streams[a][ours] >> 1), (b, streams[b][theirs] >> 1)) in linked:
                found.setdefault((a, b), []).append((ours, theirs))
                found.setdefault((b, a), []).append((theirs, ours))
    return found


def _digits(trace: Window) -> int:
    return max(trace.rows.digits, default=0)


class _Estimator:
    """Ties one input after the other to those whose clocks are known."""

    def __init__(self, traces: Sequence[Window], pairs: Pairs) -> None:
        self._traces = traces
        self._pairs = pairs
        self._units = [10 ** max(0, 9 - _digits(trace)) for trace in traces]
        self._order: dict[int, tuple[Exchanges, Commands]] = {}
        self._groups = partial(identities, traces)
        self._known: dict[int, Clock] = {}

    def run(self) -> list[Clock]:
        """Return the clocks."""
        traces, known = self._traces, self._known
        if not traces:
            return []
        reference = reference_of(traces)
        known[reference] = Clock(reference, reference, "reference", against=reference)
        tried: dict[int, Clock] = {}
        newest = reference
        while len(known) < len(traces):
            for number in range(len(traces)):
                if number not in known:
                    clock = self._compare(known[newest], number)
                    best = tried.get(number)
                    if clock and (best is None or clock.error_ns < best.error_ns):
                        tried[number] = clock
            if not tried:
                break
            newest = min(tried, key=lambda number: (tried[number].error_ns, number))
            known[newest] = tried.pop(newest)
        return [
            known.get(number) or Clock(number, reference, "none", against=number)
            for number in range(len(traces))
        ]

    def _compare(self, other: Clock, number: int) -> Clock | None:
        """Return the clock of an input, by comparing it with one that is known."""
        trace, against = self._traces[number], other.input
        rows, others = trace.rows, self._traces[against].rows

        def known(row: int) -> int:
            return other.corrected(others.time[row], others.frame[row])

        pairs = self._pairs.get((against, number), [])
        found = crossings(pairs, self._traces[against], (known, rows.time.__getitem__))
        ruler = Clock(number, number, "reference", steps=find_steps(found, rows))

        def own(row: int) -> int:
            return ruler.unset(rows.time[row], rows.frame[row])

        if ruler.steps:
            found = crossings(pairs, self._traces[against], (known, own))
        bounds, method, count = self._bounds(found, (known, own), (against, number))
        if not bounds.upper:
            return None
        line = fit(bounds, NOISE_NS + (self._units[against] + self._units[number]) // 2)
        if method == "one way" and line.error_ns < ASSUMED_TRANSIT:
            method = "order"
        return Clock(
            number,
            other.reference,
            method,
            line.offset_ns,
            line.drift_ppb,
            line.at_ns,
            line.error_ns + _error_of(other, line) + self._units[number] // 2,
            line.drift_error_ppb + other.drift_error_ppb,
            line.since_ns,
            line.until_ns,
            count,
            against,
            ruler.steps,
        )

    def _bounds(
        self, found: list[Crossing], times: Times, inputs: tuple[int, int]
    ) -> tuple[Bounds, Method, int]:
        """Return what is known of the offset, what it rests on, and how many messages."""
        bounds = both_ways(found)
        if bounds.upper:
            return bounds, "both ways", len(found)
        bounds = bounds_of_order(self._ordered(*inputs), times)
        if found:
            more = presumed(found)
            return (
                Bounds(more.upper + bounds.upper, more.lower + bounds.lower),
                "one way",
                len(found),
            )
        method: Method = "order" if all(bounds) else "one way"
        return completed(bounds), method, len(bounds.upper) + len(bounds.lower)

    def _ordered(self, a: int, b: int) -> list[tuple[int, int, bool]]:
        """Return rows of two inputs, and whether the first was earlier, as far as it is known."""
        if not self._order:
            for number, groups in enumerate(self._groups()):
                trace = self._traces[number]
                self._order[number] = exchanges(groups, trace), commands(trace)
        ours, theirs = self._order[a], self._order[b]
        matched = set(self._pairs.get((a, b), ()))
        found = chain(
            order_of_exchanges(ours[0], theirs[0], matched),
            order_of_commands(ours[1], theirs[1], matched),
        )
        times = self._traces[a].rows.time, self._traces[b].rows.time
        return [one for one in found if times[0][one[0]] and times[1][one[1]]]


def _error_of(other: Clock, line: Line) -> int:
    """Return the error of the clock that another one was compared with, at the time of that."""
    steady = replace(other, steps=())
    times = (line.since_ns, line.until_ns)
    return max(steady.error_at(time - line.offset_ns + other.offset_ns) for time in times)
