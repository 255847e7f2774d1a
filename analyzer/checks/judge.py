"""From the subjects of a check to its result.

The rule that matters: a check holds when all of its subjects do (or as many percent as it says).
One that fails decides; one that cannot be told leaves the check open, unless it does not matter.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, assert_never, get_args

from analyzer.checks.commands import judge_commands
from analyzer.checks.findings import judge_findings
from analyzer.checks.flows import judge_flows
from analyzer.checks.posts import judge_posts
from analyzer.checks.quality import blind_spot, judge_capture, loss
from analyzer.checks.retries import judge_retries
from analyzer.checks.spec import (
    CaptureSubject,
    CommandSubject,
    FindingSubject,
    FlowSubject,
    PostSubject,
    RetrySubject,
)
from analyzer.checks.values import Counts, Held, Judged, Result, Status
from analyzer.collector import paused
from analyzer.diagnostics.rule import Case
from analyzer.diagnostics.table import RULES, diagnose
from analyzer.flows.runs import flows_of
from analyzer.lazy import once
from analyzer.query import user_test
from analyzer.times import latency_text
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.checks.spec import Check, Rules
    from analyzer.diagnostics.refusals import Refusal
    from analyzer.diagnostics.rule import Finding
    from analyzer.flows.values import FlowRun
    from analyzer.model import Analysis, CommandPair
    from analyzer.trace import Trace

HIDDEN = (CommandSubject, PostSubject, RetrySubject)
"""Subjects that are one message: a hole may hold another one that does not hold. Of a flow it
hides steps, and these are known to be missing."""
MAX_EVIDENCE = 1000
"""Subjects that a result names: of an overload all are alike."""


class Court:
    """One capture, as those who judge it see it: what several checks need is worked out once."""

    def __init__(self, trace: Trace, rules: Rules) -> None:
        self.trace = trace
        self._rules = rules

    @once
    def analysis(self) -> Analysis:
        """Transactions, dialogs, command pairs, sessions."""
        return self.trace.analysis()

    @once
    def flows(self) -> tuple[FlowRun, ...]:
        """The runs of all flows, those of one's own too."""
        return flows_of(self.trace, more=self._rules.flows)

    @once
    def findings(self) -> list[Finding]:
        """What the rules of ``xccos findings`` find."""
        return diagnose(self.trace, self._rules.thresholds)

    @once
    def case(self) -> Case:
        """The capture as rules see it."""
        return Case(self.trace, self._rules.thresholds, None, tuple(RULES.values()))

    @once
    def refusals(self) -> list[Refusal]:
        """Refused requests in order."""
        found = [one for several in self.case.refusals.values() for one in several]
        return sorted(found, key=lambda one: one.final)

    @once
    def _repeated(self) -> set[int]:
        """Transactions that were refused and repeated with success."""
        return {one.transaction for one in self.refusals if one.accepted >= 0}

    def repeated(self, pair: CommandPair) -> bool:
        """Say whether SIP refused a command and accepted it when it was repeated."""
        return pair.outcome == "rejected" and pair.transaction in self._repeated

    @once
    def _pairs(self) -> dict[int, list[CommandPair]]:
        found: dict[int, list[CommandPair]] = {}
        for pair in self.analysis.pairs:
            if pair.row is not None:
                found.setdefault(pair.row, []).append(pair)
        return found

    def pairs_of(self, row: int) -> Sequence[CommandPair]:
        """Return the commands and posts that a message carried."""
        return self._pairs.get(row, ())

    def wanted(self, check: Check) -> Callable[[str | None], bool]:
        """Return the test whether a check is about a user."""
        if not check.users:
            return lambda _: True
        return user_test(check.users)

    @once
    def blind_spot(self) -> str | None:
        """Why something that is absent may have happened all the same."""
        return blind_spot(self.trace)


def judge(trace: Trace, rules: Rules, *, strict: bool = False) -> list[Result]:
    """Return the results of all checks on an open capture, in their order.

    ``strict``: what the capture cannot tell counts as failed, whatever the checks say.
    """
    with paused():
        court = Court(trace, rules)
        return [_result(court, check, strict=strict or check.strict) for check in rules.checks]


def _judged(court: Court, check: Check) -> Iterator[Judged]:
    subject = check.subject
    match subject:
        case FlowSubject():
            return judge_flows(court, check, subject)
        case CommandSubject():
            return judge_commands(court, check, subject)
        case PostSubject():
            return judge_posts(court, check, subject)
        case RetrySubject():
            return judge_retries(court, check, subject)
        case FindingSubject():
            return judge_findings(court, check, subject)
        case CaptureSubject():
            return judge_capture(court, check, subject)
        case _:
            assert_never(subject)


def _result(court: Court, check: Check, *, strict: bool) -> Result:
    found = [_timed(check, one) for one in _judged(court, check)]
    counts = Counts(*(sum(one.held == word for one in found) for word in get_args(Held)))
    if isinstance(check.subject, FindingSubject):
        status, summary = _of_findings(court, check, len(found))
    else:
        status, summary = _of_subjects(court, check, counts)
    if status == "skipped" and strict:
        status, summary = "failed", f"{summary} (strict: what cannot be told fails)"
    evidence = [one for word in ("failed", "skipped") for one in found if one.held == word]
    slowest = None
    if check.within_ms is not None:
        slowest = max((one.ms for one in found if one.ms is not None), default=None)
    if slowest is not None:
        summary += f", the slowest took {latency_text(slowest)}"
    return Result(check, status, summary, counts, slowest, tuple(evidence[:MAX_EVIDENCE]))


def _timed(check: Check, one: Judged) -> Judged:
    """Hold the time that a subject took against the limit."""
    limit = check.within_ms
    if limit is None or one.held != "passed":
        return one
    if one.ms is None:
        text = f"{one.text}; how long it took is not in the capture"
        return one._replace(held="skipped", text=text)
    if one.ms <= limit:
        return one
    text = f"{one.text}; took {latency_text(one.ms)}, more than {latency_text(limit)}"
    return one._replace(held="failed", text=text)


def _of_findings(court: Court, check: Check, count: int) -> tuple[Status, str]:
    allowed = check.at_most or 0
    if count > allowed:
        more = f", {allowed} allowed" if allowed else ""
        return "failed", f"{amount(count, 'finding')} that must not be there{more}"
    if court.blind_spot is not None:
        return "skipped", f"none was found, but {court.blind_spot}"
    return "passed", f"{amount(count, 'finding')}, {allowed} allowed" if allowed else "none found"


def _of_subjects(court: Court, check: Check, counts: Counts) -> tuple[Status, str]:
    count = sum(counts)
    if count < check.at_least:
        text = f"{count} found, at least {check.at_least} wanted"
        if court.blind_spot is not None:
            return "skipped", f"{text}, but {court.blind_spot}"
        return "failed", text
    if check.at_most is not None and count > check.at_most:
        return "failed", f"{count} found, at most {check.at_most} wanted"
    if not count:
        return "not-applicable", "the capture has none"
    status, told = _of_counts(check, counts)
    if status == "passed" and isinstance(check.subject, HIDDEN):
        lost = loss(court.trace)
        if lost is not None:
            return "skipped", f"{told}, but {lost}"
    return status, told


def _of_counts(check: Check, counts: Counts) -> tuple[Status, str]:
    """Judge by how many subjects held; what cannot be told may not matter to a percentile."""
    held, unknown, count = counts.held, counts.unknown, sum(counts)
    needed = count if check.percentile is None else ceil(check.percentile * count / 100)
    told = f"{held} of {count} held"
    if check.percentile is not None:
        told += f" ({held / count:.0%}, {check.percentile:g} % wanted)"
    told += f", {unknown} cannot be told" if unknown else ""
    if held >= needed:
        return "passed", told
    return ("failed" if held + unknown < needed else "skipped"), told
