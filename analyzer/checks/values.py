"""What became of checks: of each subject, and of the check as a whole.

The rule that matters: what the capture cannot tell is neither passed nor failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from analyzer.checks.spec import Check

Held = Literal["passed", "failed", "skipped"]
Status = Literal["passed", "failed", "skipped", "not-applicable"]
"""``skipped``: the capture cannot tell. ``not-applicable``: it has nothing of what is judged, and
the check does not ask for any."""
STATUSES: tuple[Status, ...] = ("passed", "failed", "skipped", "not-applicable")


class Judged(NamedTuple):
    """One subject."""

    held: Held
    text: str
    """A sentence with the facts; of one that is skipped it says why."""
    frames: tuple[int, ...] = ()
    user: str | None = None
    session: int | None = None
    """Index."""
    ms: float | None = None
    """What it took, where that is known."""


class Counts(NamedTuple):
    """Subjects of a check, in the order of ``Held``."""

    held: int
    failed: int
    unknown: int
    """The capture cannot tell whether they hold."""


@dataclass(frozen=True, slots=True)
class Result:
    """One check on one capture."""

    check: Check
    status: Status
    summary: str
    """One sentence."""
    counts: Counts
    slowest_ms: float | None
    """What the slowest subject took; None where nothing was timed."""
    evidence: tuple[Judged, ...]
    """The subjects that failed, then those that cannot be told."""
