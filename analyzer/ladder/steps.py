"""Which step of which flow a message belongs to: the flows are data, and say what shows a step."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from analyzer.flows.posting import POSTING
from analyzer.flows.signin import SIGN_IN
from analyzer.flows.spec import Command, Copies, Match, Post, Request
from analyzer.lazy import once

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.flows.values import FlowRun, FlowStep
    from analyzer.ladder.scene import Place, Scene

DOCUMENTED = {
    flow.name: {step.id: step.match for step in flow.steps} for flow in (SIGN_IN, POSTING)
}
OF = {
    **dict.fromkeys(("ACK", "CANCEL", "PRACK"), "INVITE"),
    **dict.fromkeys(("NOTIFY", "BENOTIFY"), "SUBSCRIBE"),
}
"""The method of the request that a request belongs to."""


class StepOf(NamedTuple):
    """The step of a message."""

    run: int
    """Number among the runs."""
    step: FlowStep


class StepBook:
    """Gives the step of each message."""

    def __init__(self, scene: Scene, runs: Sequence[FlowRun]) -> None:
        self._scene = scene
        self.runs = runs
        self._of: dict[int, StepOf] = {}
        self._rows: dict[int, set[int]] = {}
        self._beside: dict[tuple[int, int], StepOf] = {}
        """Step of what is no message, by session and frame."""
        views = {view.index for view in scene.views}
        for number, run in enumerate(runs):
            if run.session in views and run.flow in DOCUMENTED:
                self._take(number, run)

    def of(self, origin: int) -> StepOf | None:
        """Return the step of a message, by the row seen first; None where it has none."""
        return self._of.get(origin)

    def of_frame(self, session: int, frame: int) -> StepOf | None:
        """Return the step of what is no message."""
        return self._beside.get((session, frame))

    def locates(self, session: int, frame: int) -> None:
        """Note a question to DNS or its answer: the first step of a sign-in begins with them."""
        number = self._sign_ins.get(session)
        if number is not None:
            self._beside.setdefault((session, frame), StepOf(number, self.runs[number].steps[0]))

    @once
    def _sign_ins(self) -> dict[int, int]:
        """The first sign-in of each session, where its first step was seen."""
        return {
            run.session: number
            for number, run in reversed(list(enumerate(self.runs)))
            if run.flow == SIGN_IN.name and run.steps[0].frames
        }

    def rows(self, number: int) -> set[int]:
        """Return the rows seen first of all messages of a run."""
        return self._rows.get(number, set())

    def _take(self, number: int, run: FlowRun) -> None:
        for step in run.steps:
            for frame in step.frames:
                self._beside.setdefault((run.session, frame), StepOf(number, step))
        for row, step in self._within(run) if run.flow == SIGN_IN.name else self._of_evidence(run):
            self._note(row, StepOf(number, step))
        spread = _spread(run)
        for copy in run.copies:
            if copy.row is not None and spread is not None:
                self._note(copy.row, StepOf(number, spread))

    def _note(self, row: int, found: StepOf) -> None:
        """Note the step of a message and of all else of its transaction."""
        if self._scene.origin(row) in self._of:
            return
        for one in self._scene.related([row]):
            origin = self._scene.origin(one)
            if self._of.setdefault(origin, found) is found:
                self._rows.setdefault(found.run, set()).add(origin)

    def _within(self, run: FlowRun) -> Iterator[tuple[int, FlowStep]]:
        """Yield the requests of a sign-in, by what they are and when they were."""
        status = self._scene.rows.status
        for row in self.during(run.session, run.started, ended(run)):
            if status[row] < 0:
                step = self._step_of(run, row)
                if step is not None:
                    yield row, step

    def during(self, session: int, first: int, last: int) -> Sequence[int]:
        """Return the messages of a session from one time to another, in order of time."""
        times, rows = self._sessions.get(session, ([], []))
        return rows[bisect_left(times, first) : bisect_right(times, last)]

    def _of_evidence(self, run: FlowRun) -> Iterator[tuple[int, FlowStep]]:
        """Yield the requests among the messages that the steps of a run name."""
        frames, status = self._scene.rows.frame, self._scene.rows.status
        for step in run.steps:
            for frame in step.frames:
                for row in range(bisect_left(frames, frame), bisect_right(frames, frame)):
                    place = self._scene.places.get(row)
                    mine = place is not None and place.view.index == run.session
                    if mine and status[row] < 0 and self._shows(run, step, row):
                        yield row, step

    @once
    def _sessions(self) -> dict[int, tuple[list[int], list[int]]]:
        """The messages of each session with their times, in order of time."""
        found: dict[int, list[int]] = {}
        for row, place in self._scene.places.items():
            found.setdefault(place.view.index, []).append(row)
        times = self._scene.rows.time
        for rows in found.values():
            rows.sort(key=lambda row: (times[row], row))
        return {index: ([times[row] for row in rows], rows) for index, rows in found.items()}

    def _step_of(self, run: FlowRun, row: int) -> FlowStep | None:
        return next((step for step in run.steps if self._shows(run, step, row)), None)

    def _shows(self, run: FlowRun, step: FlowStep, row: int) -> bool:
        """Say whether a request is one that shows a step."""
        matches = DOCUMENTED[run.flow].get(step.id, ())
        place = self._scene.places[row]
        return bool(step.frames) and any(self._fits(match, row, place) for match in matches)

    def _fits(self, match: Match, row: int, place: Place) -> bool:
        scene = self._scene
        if isinstance(match, Request):
            method = scene.rows.strings.values[scene.rows.method[row]] or ""
            role = None if place.dialog is None else place.dialog.role
            return OF.get(method, method) == match.method and match.role in (None, role)
        origin = scene.origin(row)
        asked = scene.commands.get(origin, ())
        if isinstance(match, Command):
            answered = scene.replies.get(origin, ())
            return any(one.name == match.name for one, _ in asked) or any(
                one.command.name == match.name for one in answered
            )
        if isinstance(match, Post):
            return any(one.post for one, _ in asked)
        return False


def ended(run: FlowRun) -> int:
    """Return the time of the last message of a run."""
    return run.started + round(run.duration_ms * 1e6)


def _spread(run: FlowRun) -> FlowStep | None:
    """Return the step that a copy belongs to: where nobody else is there, that of the post."""
    steps = {type(match): step for step in run.steps for match in DOCUMENTED[run.flow][step.id]}
    spread = steps.get(Copies)
    return steps.get(Post) if spread is None or spread.status == "not-applicable" else spread
