"""What became of a flow: its steps with frames and a sentence each, and who got which copy.

The words of a status are defined once, here, and mean the same in every list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

StepStatus = Literal[
    "ok",
    "slow",
    "failed",
    "retried",
    "out-of-order",
    "missing",
    "not-applicable",
    "not-captured",
]
"""``ok``: done. ``slow``: done, but it took longer than its limit. ``retried``: done at a later
attempt. ``out-of-order``: done before a step that it builds on. ``failed``: an error answered it.
``missing``: it should have happened and did not, or was never answered. ``not-applicable``: this
variant of the client or service does without it. ``not-captured``: the capture cannot tell."""
FlowOutcome = Literal["complete", "incomplete", "failed", "not-captured"]
"""``failed``: an error stopped it. ``incomplete``: it went on with a part lost. ``not-captured``:
no fault, but steps unseen. Slow, retried and reordered steps leave it ``complete``."""
DONE: frozenset[StepStatus] = frozenset({"ok", "slow", "retried", "out-of-order"})
BAD: frozenset[StepStatus] = frozenset({"failed", "missing"})


class FlowStep(NamedTuple):
    """One step of a flow as it was seen."""

    id: str
    """The document's number."""
    title: str
    status: StepStatus
    frames: tuple[int, ...]
    """Evidence, ascending."""
    time: int | None
    """When it began, nanoseconds since 1970 UTC; None where nothing of it was seen."""
    latency_ms: float | None
    """From its request to what completed it."""
    detail: str
    """One sentence."""


class Copy(NamedTuple):
    """The copy of a post that one member of the room got, or did not get."""

    user: str | None
    session: int
    """Index of the member's session."""
    echo: bool
    """It is the author's own copy."""
    row: int | None
    """Row of the INFO that brought it; None where it never came."""
    latency_ms: float | None
    """From the frame that completes the post to the one that completes the copy, each on the
    connection nearest to its client."""
    captured: bool
    """The capture would show it: False where the member's connection has a hole there."""
    status: int | None
    """The client's answer to the INFO that brought it."""


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One run of a flow: a sign-in, a post, or what a flow of one's own describes."""

    flow: str
    """``sign-in``, ``posting`` or the name of another flow."""
    session: int
    """Index of the session it belongs to."""
    user: str | None
    """SIP URI."""
    variant: str
    """Known variant of the client: see ``analyzer.flows.variants``."""
    outcome: FlowOutcome
    started: int
    """Nanoseconds since 1970 UTC."""
    duration_ms: float
    """From its first to its last message."""
    steps: tuple[FlowStep, ...]
    room: str | None = None
    """URI of the room that a post was written into."""
    row: int | None = None
    """Row of the post."""
    copies: tuple[Copy, ...] = ()
    """Of a post, one for each member of the room whose connection was captured."""
