"""The subjects that a check can have, and how each is read from its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from analyzer.checks.durations import milliseconds
from analyzer.checks.spec import (
    CaptureSubject,
    CommandSubject,
    FindingSubject,
    FlowSubject,
    PostSubject,
    RetrySubject,
    Want,
)
from analyzer.checks.tables import Table, suggestion
from analyzer.diagnostics.rule import SEVERITIES, Confidence
from analyzer.diagnostics.select import ids_of
from analyzer.flows.posting import POSTING
from analyzer.flows.signin import SIGN_IN
from analyzer.flows.values import FlowOutcome, StepStatus
from analyzer.model import Outcome
from analyzer.query import parse_status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.checks.spec import Subject
    from analyzer.diagnostics.rule import Severity
    from analyzer.flows.spec import Flow
    from analyzer.query import Range

Flows = Mapping[str, tuple[str, ...]]
"""Names of flows with the ids of their steps."""
_COUNTED = ("users", "required", "at_least", "at_most")
_TIMED = (*_COUNTED, "within", "percentile")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of subject."""

    leads: tuple[str, ...]
    """Keys that say that a check is of this kind."""
    keys: tuple[str, ...]
    """All that such a check may have, besides ``name`` and ``strict``."""
    read: Callable[[Table, Flows], Subject]
    duration: Callable[[str], float] = milliseconds


def own_flow_names(flows: Iterable[Flow]) -> Flows:
    """Return the flows that a check can name, with the ids of their steps."""
    known = (SIGN_IN, POSTING, *flows)
    return {flow.name: tuple(step.id for step in flow.steps) for flow in known}


def _flow(table: Table, flows: Flows) -> FlowSubject:
    name = table.word("flow", list(flows), "")
    default = FlowSubject(name)
    steps = table.words("step", flows[name], numbers=True)
    if not steps and "status" in table:
        raise table.fault("status", "is of a step: it needs step")
    if steps and "outcome" in table:
        raise table.fault("outcome", "is of the whole flow: leave it out, or step")
    return FlowSubject(
        name,
        outcomes=table.words("outcome", get_args(FlowOutcome)) or default.outcomes,
        steps=steps,
        statuses=table.words("status", get_args(StepStatus)) or default.statuses,
    )


def _command(table: Table, _: Flows) -> CommandSubject:
    names = tuple(name.lower().removeprefix("cmd:") for name in table.texts("command"))
    default = CommandSubject(names)
    return CommandSubject(
        names,
        outcomes=table.words("outcome", get_args(Outcome)) or default.outcomes,
        codes=_statuses(table, "code"),
        answer=table.word("answer", ("reply", "sip"), default.answer),
        allow_retry=table.take("allow_retry", bool, default.allow_retry),
    )


def _statuses(table: Table, key: str) -> tuple[Range, ...]:
    try:
        return tuple(map(parse_status, table.texts(key, numbers=True)))
    except ValueError as error:
        raise table.fault(key, str(error)) from None


def _posts(table: Table, _: Flows) -> PostSubject:
    table.word("posts", ("delivered",), "delivered")
    return PostSubject(echo=table.take("echo", bool, False))  # noqa: FBT003  (a value)


def _retries(table: Table, _: Flows) -> RetrySubject:
    return RetrySubject(_statuses(table, "retried"))


def _findings(table: Table, _: Flows) -> FindingSubject:
    allowed = "only" in table
    key = "only" if allowed else "no"
    rules: list[str] = []
    severities: list[Severity] = []
    for text in table.texts(key):
        meant = [one for one in SEVERITIES if one == text.lower()]
        severities += meant
        rules += [] if meant else _ids(table, key, text)
    # Of several the one that means most: "no" means it and higher ones, "only" it and lower ones.
    widest = min if allowed else max
    return FindingSubject(
        tuple(rules),
        widest(severities, key=SEVERITIES.index) if severities else None,
        allowed,
        tuple(one for text in table.texts("ignore") for one in _ids(table, "ignore", text)),
        table.word("confidence", get_args(Confidence), "possible"),
    )


def _ids(table: Table, key: str, text: str) -> list[str]:
    try:
        return ids_of(text)
    except ValueError as error:
        if not text.upper().startswith("GC"):  # rather a severity that was mistyped
            hint = suggestion(text, SEVERITIES)
            raise table.fault(key, f"{text!r} is neither a rule nor a severity{hint}") from None
        raise table.fault(key, str(error)) from None


def _capture(table: Table, _: Flows) -> CaptureSubject:
    return CaptureSubject(table.words("capture", get_args(Want)))


SUBJECTS: dict[type[Subject], Kind] = {
    FlowSubject: Kind(("flow",), ("flow", "outcome", "step", "status", *_TIMED), _flow),
    CommandSubject: Kind(
        ("command",), ("command", "outcome", "code", "answer", "allow_retry", *_TIMED), _command
    ),
    PostSubject: Kind(("posts",), ("posts", "echo", *_TIMED), _posts),
    RetrySubject: Kind(("retried",), ("retried", *_TIMED), _retries),
    FindingSubject: Kind(
        ("no", "only"), ("no", "only", "ignore", "confidence", "users", "at_most"), _findings
    ),
    CaptureSubject: Kind(("capture",), ("capture",), _capture),
}
"""All kinds, each with its reader."""
