"""What a rules file asks for, as values (docs/check.md).

A check says something about every subject of one kind: runs of a flow, commands, posts, refused
requests, findings, or the capture itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from analyzer.diagnostics.table import DEFAULTS
from analyzer.flows.values import DONE

if TYPE_CHECKING:
    from analyzer.diagnostics.rule import Confidence, Severity
    from analyzer.diagnostics.thresholds import Thresholds
    from analyzer.flows.spec import Flow
    from analyzer.query import Range

Want = Literal[
    "not damaged",
    "no holes",
    "both directions",
    "whole frames",
    "from the start",
    "decrypted",
    "readable XCCOS",
]


@dataclass(frozen=True, slots=True)
class FlowSubject:
    """Every run of a flow, or some steps of each."""

    flow: str
    outcomes: tuple[str, ...] = ("complete",)
    steps: tuple[str, ...] = ()
    """Ids; empty: the run as a whole."""
    statuses: tuple[str, ...] = tuple(sorted(DONE))
    """Of a step that holds."""


@dataclass(frozen=True, slots=True)
class CommandSubject:
    """Every command of some names."""

    names: tuple[str, ...]
    """Lower case; ``*``: all commands; ``grpchat``: posts."""
    outcomes: tuple[str, ...] = ("answered", "accepted")
    codes: tuple[Range, ...] = ()
    """Of the replies; empty: any."""
    answer: Literal["reply", "sip"] = "reply"
    """Which of the two answers is judged and timed."""
    allow_retry: bool = True
    """An attempt that was refused and repeated with success holds."""


@dataclass(frozen=True, slots=True)
class PostSubject:
    """Every post and its copies."""

    echo: bool = False
    """The author has to get a copy too."""


@dataclass(frozen=True, slots=True)
class RetrySubject:
    """Every request of a client that was refused with one of these statuses."""

    statuses: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class FindingSubject:
    """What ``xccos findings`` finds."""

    rules: tuple[str, ...] = ()
    """Ids that are meant."""
    severity: Severity | None = None
    """This or a higher one is meant too."""
    allowed: bool = False
    """What is meant may be found, and nothing else; else it must not be found."""
    ignore: tuple[str, ...] = ()
    """Ids that are not looked at."""
    confidence: Confidence = "possible"
    """Less sure findings are not looked at."""


@dataclass(frozen=True, slots=True)
class CaptureSubject:
    """What the capture is worth."""

    wants: tuple[Want, ...]


Subject = (
    FlowSubject | CommandSubject | PostSubject | RetrySubject | FindingSubject | CaptureSubject
)


@dataclass(frozen=True, slots=True)
class Check:
    """One assertion."""

    name: str
    subject: Subject
    users: tuple[str, ...] = ()
    """Whose subjects are judged; empty: everybody's."""
    within_ms: float | None = None
    percentile: float | None = None
    """So many percent of the subjects have to hold; None: all of them."""
    at_least: int = 0
    """Subjects that the capture must have."""
    at_most: int | None = None
    strict: bool = False
    """What the capture cannot tell counts as failed."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A rules file."""

    name: str
    checks: tuple[Check, ...]
    flows: tuple[Flow, ...] = ()
    """Flows of one's own."""
    thresholds: Thresholds = DEFAULTS
