"""What became of the sessions of a case, as the pages say it: how far, what failed first, how many.

The rule: the first thing that failed is the first in time that the capture shows; what is only
missing has the time of what was seen before it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.collector import paused
from analyzer.flows.runs import flows_of
from analyzer.flows.values import BAD, DONE
from analyzer.narrative.names import names_of, steps_text
from analyzer.narrative.posts import COPIES_STEP, POST_STEP
from analyzer.narrative.verdict import summary_of, taken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.flows.values import FlowRun, FlowStep
    from analyzer.narrative.names import Names
    from analyzer.views.told import Verdict

Record = dict[str, Any]
WORST_FIRST: tuple[Verdict, ...] = ("failed", "doubtful", "not-captured", "ok")


class Failure(NamedTuple):
    """The first thing that went wrong in a session."""

    kind: str
    """What tells failures of one sort: ``GC204``, ``sign-in:10``, ``problem``, ``doubt``."""
    title: str
    text: str
    """A sentence with its frames."""
    row: int | None
    """The first message that it rests on."""
    finding: int | None
    """Number of the finding that tells it, from 0."""
    step: str | None
    """Where it is among the runs of its session: ``1.6`` is step 6 of the first."""


class Progress(NamedTuple):
    """How far a sign-in got."""

    outcome: str
    """A ``FlowOutcome``; ``not-captured`` where no sign-in is in the capture."""
    text: str
    ms: float | None
    """From its first message to its last step; None where nothing of it was done."""


class Kind(NamedTuple):
    """Sessions in which the same thing failed first."""

    kind: str
    title: str
    sessions: int
    example: int
    """Index of the first of them."""


class _Candidate(NamedTuple):
    time: int
    order: int
    failure: Failure


class Told:
    """What became of each session; worked out when it is asked for, and kept by the case."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def runs(self, index: int) -> Sequence[FlowRun]:
        """Return the runs of a session, in the order in which they began."""
        return self._case.once("runs by session", self._by_session).get(index, ())

    def _by_session(self) -> dict[int, list[FlowRun]]:
        # All at once: what a session alone takes is most of what all take together.
        found: dict[int, list[FlowRun]] = {}
        with paused():
            for run in flows_of(self._case.trace):
                found.setdefault(run.session, []).append(run)
        return found

    @property
    def names(self) -> Names:
        """Return how people are called in this case."""
        return self._case.once("names", lambda: names_of(self._case.views))

    def summary(self, index: int) -> str:
        """Return what happened in a session, in one sentence."""
        case = self._case
        return case.once(
            ("summary", index),
            lambda: summary_of(case.views[index], self.runs(index), self.names),
        )

    def progress(self, index: int) -> Progress:
        """Return how far the first sign-in of a session got."""
        sign_in = next((run for run in self.runs(index) if run.flow == "sign-in"), None)
        if sign_in is None:
            return Progress("not-captured", "no sign-in is in the capture", None)
        return progress_of(sign_in)

    def failure(self, index: int) -> Failure | None:
        """Return the first thing that went wrong; None where nothing did."""
        return self._case.once(("failure", index), lambda: self._failure(index))

    def _failure(self, index: int) -> Failure | None:
        verdict = self._case.verdict(index)
        if verdict in ("ok", "not-captured"):
            return None
        wanted = ("error",) if verdict == "failed" else ("warning",)
        found = [*self._by_step(index)]
        told = {one.failure.finding for one in found}
        found += (one for one in self._by_finding(index, wanted) if one.failure.finding not in told)
        if not found and verdict == "failed":
            found = [*self._by_finding(index, ("warning",))]
        if found:
            return min(found, key=lambda one: (one.time, one.order)).failure
        return next(self._by_words(index), None)

    def _by_step(self, index: int) -> Iterator[_Candidate]:
        """Yield the bad steps; where a finding tells the same, in its words."""
        for number, run in enumerate(self.runs(index), 1):
            seen = run.started
            for step in run.steps:
                seen = step.time or seen
                if step.status not in BAD:
                    continue
                place = f"{number}.{step.id}"
                teller = self._teller(index, self._evidence(run, step))
                if teller is None:
                    yield _Candidate(seen, number, self._of_step(run, step, place))
                else:
                    time = self._case.diagnosed[teller].time or seen
                    yield _Candidate(min(time, seen), number, self._of_finding(teller, place))

    def _evidence(self, run: FlowRun, step: FlowStep) -> set[int]:
        """Return the frames of a step; of a post and its copies that of the post, too."""
        frames = {*step.frames}
        if run.row is not None and step.id in (POST_STEP, COPIES_STEP):
            frames.add(self._case.trace.rows.frame[run.row])
        return frames

    def _teller(self, index: int, frames: set[int]) -> int | None:
        """Return the finding that tells of a step: they have a message in common."""
        diagnosed = self._case.diagnosed
        return next(
            (
                number
                for number in self._case.findings_of(index)
                if diagnosed[number].severity != "note"
                and frames.intersection(diagnosed[number].frames)
            ),
            None,
        )

    def _of_step(self, run: FlowRun, step: FlowStep, place: str) -> Failure:
        title = f"step {step.id} of the {run.flow}, {step.title}: {step.status}"
        text = f"step {step.id} of the {run.flow} ({step.title}): {step.detail}"
        return Failure(
            f"{run.flow}:{step.id}", title, text, self.row(step.frames), None, place
        )  # fmt: skip

    def _of_finding(self, number: int, place: str | None) -> Failure:
        one = self._case.diagnosed[number]
        title = f"{one.rule} {one.title}"
        return Failure(one.rule, title, one.detail, self.row(one.frames), number, place)

    def _by_finding(self, index: int, severities: Sequence[str]) -> Iterator[_Candidate]:
        for number in self._case.findings_of(index):
            one = self._case.diagnosed[number]
            if one.severity in severities:
                started = self._case.views[index].started
                yield _Candidate(one.time or started, 0, self._of_finding(number, None))

    def _by_words(self, index: int) -> Iterator[Failure]:
        session = self._case.sessions[index]
        for kind, title, texts in (
            ("problem", "a problem that no rule tells", session["problems"]),
            ("doubt", "something uncertain", session["doubts"]),
        ):
            for text in texts:
                yield Failure(kind, title, text, None, None, None)

    def row(self, frames: Sequence[int]) -> int | None:
        """Return the first message that one of these frames brought."""
        rows = (self._case.row_of_frame(frame) for frame in frames)
        return next((row for row in rows if row is not None), None)

    def ranked(self) -> Sequence[int]:
        """Return the indexes of all sessions, the worst first."""
        return self._case.once("ranked", self._ranked)

    def _ranked(self) -> list[int]:
        verdicts, case = self._case.verdicts(), self._case
        found = range(len(verdicts))
        return sorted(
            found, key=lambda at: (WORST_FIRST.index(verdicts[at]), -len(case.findings_of(at)), at)
        )

    def worst(self) -> int | None:
        """Return the session to look at first."""
        return next(iter(self.ranked()), None)

    def by_verdict(self) -> dict[Verdict, int]:
        """Return how many sessions have each verdict, the worst first."""
        counts = Counter(self._case.verdicts())
        return {verdict: counts[verdict] for verdict in WORST_FIRST if counts[verdict]}

    def kinds(self) -> Sequence[Kind]:
        """Return what failed first, the most frequent first."""
        return self._case.once("kinds", self._kinds)

    def _kinds(self) -> list[Kind]:
        found: dict[str, list[tuple[int, str]]] = {}
        with paused():
            for index in range(len(self._case.views)):
                failure = self.failure(index)
                if failure is not None:
                    found.setdefault(failure.kind, []).append((index, failure.title))
        kinds = [
            Kind(kind, those[0][1], len(those), those[0][0]) for kind, those in found.items()
        ]  # fmt: skip
        return sorted(kinds, key=lambda one: -one.sessions)


def told_of(case: Case) -> Told:
    """Return what became of the sessions of a case."""
    return case.once("told", lambda: Told(case))


def progress_of(run: FlowRun) -> Progress:
    """Return how far a sign-in got: ``4 of 10 steps done; step 5 (...) is missing``."""
    asked = [step for step in run.steps if step.status != "not-applicable"]
    done = [step for step in asked if step.status in DONE]
    first = next((step for step in asked if step.status in BAD), None)
    unseen = [step for step in asked if step.status == "not-captured"]
    parts = [f"{len(done)} of {len(asked)} steps done"]
    if first is not None:
        word = "failed" if first.status == "failed" else "is missing"
        parts.append(f"step {first.id} ({first.title}) {word}")
    if unseen:
        parts.append(f"{steps_text(unseen)} not captured")
    return Progress(run.outcome, "; ".join(parts), taken(run) if done else None)
