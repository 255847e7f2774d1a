"""What is known of a clock, in words.

The one rule: no offset without its error, and no error without what it rests on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.inputs.bounds import ASSUMED_TRANSIT
from analyzer.inputs.steps import ZONE_NS
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.inputs.values import Clock

ABOUT = 60 * SECOND
"""A clock that is so near to another time zone was not set wrong by as much."""


def describe(clock: Clock, names: Sequence[str]) -> str:
    """Return what is known of a clock, as one sentence; ``names`` are those of all inputs."""
    if clock.method == "reference":
        return "clock that the others are compared with"
    if clock.method == "none":
        return "clock unknown: nothing ties it to the other inputs, and its times are not corrected"
    return "".join([_offset_text(clock, names), f" ({_basis(clock, names)})", *_changes(clock)])


def _offset_text(clock: Clock, names: Sequence[str]) -> str:
    reference = names[clock.reference]
    if abs(clock.offset_ns) <= clock.error_ns:
        return f"clock agrees with {reference}"
    side = "ahead of" if clock.offset_ns > 0 else "behind"
    return f"clock {_span(abs(clock.offset_ns))} {side} {reference}"


def _basis(clock: Clock, names: Sequence[str]) -> str:
    """Return the error, and what it rests on."""
    error = f"± {_span(clock.error_ns)}"
    by_way = "" if clock.against == clock.reference else f" by way of {names[clock.against]}"
    messages = f"{clock.matches} {'message' if clock.matches == 1 else 'messages'}"
    if clock.method == "both ways":
        return f"{error}, {messages} seen in both{by_way}"
    if clock.method == "order":
        return f"{error}, from the order of requests, answers and copies{by_way}"
    return (
        f"{error}, {messages}{by_way} in one direction only: a transit of at most "
        f"{ASSUMED_TRANSIT // 1_000_000} ms is presumed"
    )


def _changes(clock: Clock) -> list[str]:
    found = []
    if clock.drift_ppb:
        found.append(f", drifts {clock.drift_ppb / 1000:.3g} ppm")
    for step in clock.steps:
        way = "forward" if step.by_ns > 0 else "back"
        found.append(f", was set {way} by {_span(abs(step.by_ns))} at frame {step.frame}")
    return found


def _span(ns: int) -> str:
    """Return a duration as precise as clocks are compared: ``0.4 ms``, ``1.204 s``.

    What is about a time zone is told apart from it: ``2 h and 35 ms``, ``1 h less 12 ms``.
    """
    zones = (ns + ZONE_NS // 2) // ZONE_NS
    rest = ns - zones * ZONE_NS
    if zones and abs(rest) < ABOUT:
        hours, minutes = divmod(zones * ZONE_NS // SECOND // 60, 60)
        whole = " ".join([f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))
        if abs(rest) < SECOND // 2000:
            return whole
        return f"{whole} {'and' if rest > 0 else 'less'} {_span(abs(rest))}"
    if ns < SECOND // 100:
        return f"{ns / 1e6:.1f} ms"
    return f"{ns / 1e6:.0f} ms" if ns < SECOND else f"{ns / SECOND:.3f} s"
