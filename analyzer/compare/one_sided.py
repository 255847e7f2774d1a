"""An exchange that only one side has: whether that means anything, and why it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.compare.side import NOT_REACHED
from analyzer.flows.signin import SIGN_IN
from analyzer.flows.values import DONE

if TYPE_CHECKING:
    from analyzer.compare.side import Side
    from analyzer.compare.values import Exchange, Weight
    from analyzer.flows.values import FlowStep

ABSENT = "has none"
REPEATING = frozenset({"refresh", "sign-off", "end"})
"""Uses of requests that depend on how long a session lasted."""
TOLD = frozenset({"NOTIFY", "BENOTIFY"})
"""Requests about what happened to others."""


class Verdict(NamedTuple):
    """What it means that a side does not have an exchange."""

    weight: Weight
    words: str
    """Of the side that does not have it."""
    unseen: bool = False
    """Its capture cannot tell: no divergence; ``words`` say why."""
    follows: bool = False
    """It follows from what went wrong before."""


def judge(
    one: Exchange,
    own: Side,
    other: Side,
    around: tuple[Exchange | None, Exchange | None],
    *,
    over: bool,
) -> Verdict:
    """Judge an exchange of one side.

    Args:
        one: the exchange.
        own: the side that has it.
        other: the side that does not.
        around: what the other side has before and after it.
        over: the other side saw the end of the dialog that it is in.
    """
    step = _step_there(one, own, other)
    if step is not None:
        known = _by_step(step, own, other)
        if known is not None:
            return known
    stopped = other.stopped
    if stopped is not None and around[1] is None:
        return Verdict("trivial", stopped.detail, follows=True)
    reason = other.unseen(*around, over=over)
    if reason is not None:
        return Verdict("trivial", reason, unseen=True)
    return Verdict(_weight(one), ABSENT)


def _step_there(one: Exchange, own: Side, other: Side) -> FlowStep | None:
    """Return what became on the other side of the step that an exchange is of."""
    if one.step is None or one.step.flow != SIGN_IN.name:
        return None
    return other.step(own.sign_in_at(one.began), one.step.id)


def _by_step(step: FlowStep, own: Side, other: Side) -> Verdict | None:
    if step.status == "not-captured":
        return Verdict("trivial", step.detail, unseen=True)
    if step.status == "not-applicable":
        same = own.variant.name == other.variant.name
        return Verdict("minor" if same else "trivial", f"{ABSENT} ({step.detail})")
    if step.status in DONE or step.frames:
        return None
    if step.detail.startswith(NOT_REACHED):
        return Verdict("minor", step.detail, follows=True)
    return Verdict("major", f"{ABSENT} ({step.detail})")


def _weight(one: Exchange) -> Weight:
    if one.token[-1] in REPEATING or one.family in TOLD:
        return "trivial"
    if one.outcome.known and not one.outcome.well:
        return "major"
    return "minor" if one.up else "trivial"
