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
        views = {view.index for view in scene.views}
        for number, run in enumerate(runs):
            if run.session in views and run.flow in DOCUMENTED:
                self._take(number, run)

    def of(self, origin: int) -> StepOf | None:
        """Return the step of a message, by the row seen first; None where it has none."""
        return self._of.get(origin)

    def of_frame(self, session: int | None, frame: int) -> StepOf | None:
        """Return the step of what is no message, by a frame that the step names."""
        for number, run in enumerate(self.runs):
            if run.session == session:
                for step in run.steps:
                    if frame in step.frames:
                        return StepOf(number, step)
        return None

    def rows(self, number: int) -> set[int]:
        """Return the rows seen first of all messages of a run."""
        return {row for row, found in self._of.items() if found.run == number}

    def _take(self, number: int, run: FlowRun) -> None:
        for row, step in self._within(run) if run.flow == SIGN_IN.name else self._of_evidence(run):
            self._note(row, StepOf(number, step))
        for copy in run.copies:
            step = _spread(run)
            if copy.row is not None and step is not None:
                self._note(copy.row, StepOf(number, step))

    def _note(self, row: int, found: StepOf) -> None:
        """Note the step of a message and of all else of its transaction."""
        for one in self._scene.related([row]):
            self._of.setdefault(self._scene.origin(one), found)

    def _within(self, run: FlowRun) -> Iterator[tuple[int, FlowStep]]:
        """Yield the requests of a sign-in, by what they are and when they were."""
        scene, times = self._scene, self._scene.rows.time
        end = run.started + round(run.duration_ms * 1e6)
        for row in self._sessions.get(run.session, ()):
            if scene.rows.status[row] < 0 and run.started <= times[row] <= end:
                step = self._step_of(run, row)
                if step is not None:
                    yield row, step

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
    def _sessions(self) -> dict[int, list[int]]:
        """The messages of each session, in order."""
        found: dict[int, list[int]] = {}
        for row, place in self._scene.places.items():
            found.setdefault(place.view.index, []).append(row)
        for rows in found.values():
            rows.sort()
        return found

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


def _spread(run: FlowRun) -> FlowStep | None:
    """Return the step that a copy belongs to: where nobody else is there, that of the post."""
    steps = {type(match): step for step in run.steps for match in DOCUMENTED[run.flow][step.id]}
    spread = steps.get(Copies)
    return steps.get(Post) if spread is None or spread.status == "not-applicable" else spread
