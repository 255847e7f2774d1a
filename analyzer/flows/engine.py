"""The engine: from a flow and a stretch of a session to what became of every step.

A step that was not seen is ``missing`` only where the capture would have it. Which steps are done,
which of them in a wrong order, and how the whole ended follow from the flow alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.flows.evidence import look
from analyzer.flows.seen import Seen
from analyzer.flows.spec import Request
from analyzer.flows.stretch import SIGN_IN_NS
from analyzer.flows.values import BAD, DONE, FlowRun, FlowStep

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from analyzer.flows.spec import Flow, Step
    from analyzer.flows.stretch import Stretch
    from analyzer.flows.values import FlowOutcome, StepStatus
    from analyzer.flows.variants import VariantName
    from analyzer.sessions.view import SessionView

    Without = Callable[[Step, Stretch, VariantName], str | None]
    Tell = Callable[["Judged"], str]

LATE = "the session was going on before the capture began"
ABSENT = "not there, though the capture has no gap"
ENDS = "the capture ends before it"


class Judged(NamedTuple):
    """A step with what became of it."""

    step: Step
    status: StepStatus
    seen: Seen
    """Without rows where nothing was seen; its detail says why."""


class Judgement:
    """What became of a flow in one stretch."""

    def __init__(self, flow: Flow, stretch: Stretch, steps: Sequence[Judged]) -> None:
        self.flow = flow
        self.stretch = stretch
        self.steps = steps

    def outcome(self) -> FlowOutcome:
        """Say how it ended: see ``FlowOutcome``."""
        bad = [one for one in self.steps if one.status in BAD]
        if not bad:
            unseen = any(one.status == "not-captured" for one in self.steps)
            return "not-captured" if unseen else "complete"
        seen = [one for one in bad if one.seen.rows]
        return "failed" if any(self._stopped(one) for one in seen) else "incomplete"

    def _stopped(self, bad: Judged) -> bool:
        """Say whether nothing went on after a step that failed or was not answered."""
        at, row = self.steps.index(bad), bad.seen.rows[0]
        after = [one for one in self.steps if one.status in DONE]
        if any(one.seen.begin > row or self.steps.index(one) > at for one in after):
            return False
        last = bad.seen.rows[-1]
        own = {getattr(match, "name", "") for match in bad.step.match}
        if any(
            one.first()[0] > last
            and one.name not in own
            and one.outcome in {"answered", "accepted"}
            for one in self.stretch.commands()
        ):
            return False
        left = any(one.status == "missing" for one in self.steps[at + 1 :])
        return left or not (bad.seen.partial or self._is_last(bad))

    def _is_last(self, bad: Judged) -> bool:
        """Say whether a step is the last one, comes in any order with others, and none needs it."""
        steps = self.flow.steps
        needed = any(need.step == bad.step.id for one in steps for need in one.needs)
        beside = any(one.phase == bad.step.phase for one in steps[:-1])
        return bad.step is steps[-1] and beside and not needed

    def run(self, view: SessionView, variant: str, tell: Tell | None = None) -> FlowRun:
        """Return it as a value; ``tell`` gives the sentence of a step that was seen."""
        times, rows = view.trace.rows.time, [row for one in self.steps for row in one.seen.rows]
        started = min((times[row] for row in rows), default=view.started)
        ended = max((times[row] for row in rows), default=started)
        return FlowRun(
            flow=self.flow.name,
            session=view.index,
            user=view.user,
            variant=variant,
            outcome=self.outcome(),
            started=started,
            duration_ms=(ended - started) / 1e6,
            steps=tuple(_value(view, one, tell) for one in self.steps),
        )


def _value(view: SessionView, judged: Judged, tell: Tell | None) -> FlowStep:
    step, status, seen = judged
    detail = tell(judged) if tell is not None and seen.rows else seen.detail
    return FlowStep(
        id=step.id,
        title=step.title,
        status=status,
        frames=tuple(sorted({view.frame(row) for row in seen.rows})),
        time=view.time(seen.begin) if seen.begin >= 0 else None,
        latency_ms=seen.latency_ms,
        detail=detail,
    )


def judge(
    flow: Flow,
    stretch: Stretch,
    variant: VariantName,
    without: Without,
    *,
    skipped: Container[str] = (),
) -> Judgement:
    """Judge every step of a flow.

    Args:
        flow: what should happen.
        stretch: where.
        variant: of the client.
        without: says why a client has no need of a step that was not seen.
        skipped: ids of steps that are not looked for.
    """
    found = [None if step.id in skipped else look(step, stretch) for step in flow.steps]
    unseen = _Unseen(flow, stretch, found)
    wrong = _out_of_order(flow, stretch, found)
    steps: list[Judged] = []
    for at, (step, seen) in enumerate(zip(flow.steps, found, strict=True)):
        if seen is None:
            reason = without(step, stretch, variant)
            steps.append(unseen.because(step, reason) if reason else unseen.judge(at, steps))
        else:
            steps.append(_judged(step, seen, wrong=at in wrong))
    return Judgement(flow, stretch, steps)


def _judged(step: Step, seen: Seen, *, wrong: bool) -> Judged:
    """Return a step that was seen; one that was repeated is not called slow as well."""
    if seen.status != "ok":
        return Judged(step, seen.status, seen)
    if seen.wait_ms >= step.slow_ms:
        taken = seen.wait_ms if seen.latency_ms is None else seen.latency_ms
        detail = f"slow, {taken / 1000:.1f} s: {seen.detail}"
        return Judged(step, "slow", seen._replace(detail=detail))
    return Judged(step, "out-of-order" if wrong else "ok", seen)


class _Unseen:
    """Judges the steps of which nothing was seen."""

    def __init__(self, flow: Flow, stretch: Stretch, found: Sequence[Seen | None]) -> None:
        self._flow = flow
        self._stretch = stretch
        self._found = found
        time, behind = stretch.view.time, _behind(flow, stretch)
        begun = [
            (time(one.begin), step.phase)
            for step, one in zip(flow.steps, found, strict=True)
            if one is not None and one.begin >= 0 and one.status != "not-captured"
            # What is seen of a phase that was over before the capture is a repetition.
            if step.phase > behind
        ]
        # The first in time: some clients publish again and again (SERVICE).
        self._first_phase = min(begun)[1] if begun else flow.steps[-1].phase
        self._last_phase = max((phase for _, phase in begun), default=-1)

    @staticmethod
    def because(step: Step, reason: str, status: StepStatus = "not-applicable") -> Judged:
        """Return a step of which nothing was seen, with the reason."""
        return Judged(step, status, Seen(status, (), None, reason))

    def judge(self, at: int, before: Sequence[Judged]) -> Judged:
        """Return the step at a place; ``before`` are those judged so far."""
        step = self._flow.steps[at]
        status, reason = self._reason(step, before)
        return self.because(step, reason, status)

    def _reason(self, step: Step, before: Sequence[Judged]) -> tuple[StepStatus, str]:
        stretch = self._stretch
        if step.phase <= self._first_phase and stretch.late:
            return "not-captured", LATE
        rest = step.phase >= self._last_phase
        stopped = next((one.step.id for one in before if one.status in BAD and one.seen.rows), None)
        if rest and stopped is not None:
            return "missing", f"not reached after step {stopped}"
        hole = stretch.hole(*self._span(step.phase))
        if hole is not None:
            return "not-captured", hole
        if rest and stretch.view.cut_short:
            return "not-captured", ENDS
        if step.optional:
            return "not-applicable", "nothing asked for it"
        return "missing", ABSENT

    def _span(self, phase: int) -> tuple[int, int]:
        """Return the times between which a step of a phase would be: the steps around it."""
        time, view = self._stretch.view.time, self._stretch.view
        seen = [
            (step.phase, one)
            for step, one in zip(self._flow.steps, self._found, strict=True)
            if one is not None and one.begin >= 0
        ]
        starts = [time(one.begin) for other, one in seen if other < phase]
        ends = [time(one.begin) for other, one in seen if other > phase]
        if not ends:
            last = max((time(one.rows[-1]) for _, one in seen if one.rows), default=view.ended)
            ends = [last + SIGN_IN_NS]
        return max(starts, default=0), min(ends)


def _behind(flow: Flow, stretch: Stretch) -> int:
    """Return the phase that was over when the capture began: that of a dialog which was open."""
    return max(
        (
            step.phase
            for step in flow.steps
            for match in step.match[:1]
            if isinstance(match, Request) and match.role is not None and match.method == "INVITE"
            if any(not dialog.began_in_capture for dialog in stretch.of_role(match.role))
        ),
        default=-1,
    )


def _out_of_order(flow: Flow, stretch: Stretch, found: Sequence[Seen | None]) -> set[int]:
    """Return the places of the steps that were done out of order: as few as explain it.

    Where something may be lost, what is seen of a step need not be its beginning.
    """
    view = stretch.view
    times = view.trace.rows.time
    if stretch.late or view.doubts or stretch.gaps is not None:
        return set()
    begun = {
        at: times[one.begin]
        for at, one in enumerate(found)
        if one is not None and one.begin >= 0 and one.status in DONE
    }
    wrong = {(a, b) for a in begun for b in begun if _inverted(flow, begun, a, b)}
    for other, at in _firm_needs(flow, begun):
        done = found[other]
        if done is not None and done.first_done >= 0 and begun[at] < times[done.first_done]:
            wrong.add((other, at))
    found_wrong: set[int] = set()
    while wrong:
        places = [at for pair in wrong for at in pair]
        # Of two that changed places, the one that builds on the other is told.
        worst = max(set(places), key=lambda at: (places.count(at), at))
        found_wrong.add(worst)
        wrong = {pair for pair in wrong if worst not in pair}
    return found_wrong


def _inverted(flow: Flow, begun: dict[int, int], a: int, b: int) -> bool:
    """Say whether a step began after one of a later phase."""
    return flow.steps[a].phase < flow.steps[b].phase and begun[b] < begun[a]


def _firm_needs(flow: Flow, begun: Container[int]) -> list[tuple[int, int]]:
    """Return the steps that were done, each after one that it cannot begin before."""
    place = {step.id: at for at, step in enumerate(flow.steps)}
    return [
        (place[need.step], at)
        for at, step in enumerate(flow.steps)
        if at in begun
        for need in step.needs
        if need.firm and place.get(need.step, -1) in begun
    ]
