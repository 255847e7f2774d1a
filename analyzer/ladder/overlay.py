"""What lies over the events of a ladder: steps of flows, replies with their commands, copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.ladder.labels import heat_of
from analyzer.ladder.values import Arrow, Bracket, Group
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.ladder.scene import Scene
    from analyzer.ladder.steps import StepBook, StepOf
    from analyzer.ladder.values import Event


class Overlay:
    """Lays what the analysis knows over events."""

    def __init__(self, scene: Scene, book: StepBook) -> None:
        self._scene = scene
        self._book = book

    def request_of(self, row: int) -> int | None:
        """Return the row of the request that a response answers."""
        transaction = self._scene.transaction(row)
        return None if transaction is None else transaction.request

    def step_of(self, event: Event) -> StepOf | None:
        """Return the step of an arrow."""
        if not isinstance(event, Arrow):
            return None
        if not event.rows:
            return self._book.of_frame(event.session, event.frame)
        return self._book.of(self._scene.origin(event.rows[0]))

    def steps(self, events: Sequence[Event]) -> dict[int, object]:
        """Return what tells the steps of arrows apart, by number of event."""
        found = ((at, self.step_of(event)) for at, event in enumerate(events))
        return {at: (one.run, one.step.id) for at, one in found if one is not None}

    def groups(self, events: Sequence[Event]) -> tuple[Group, ...]:
        """Return the runs of events that belong to one step."""
        spans: list[tuple[StepOf, int, int]] = []
        open_ = False
        for at, event in enumerate(events):
            if not isinstance(event, Arrow):
                continue  # a note between two arrows of a step is in it
            step = self.step_of(event)
            if step is None:
                open_ = False
            elif open_ and spans and _same(spans[-1][0], step):
                spans[-1] = (step, spans[-1][1], at)
            else:
                spans.append((step, at, at))
                open_ = True
        seen: set[tuple[int, str]] = set()
        groups = []
        for found, first, last in spans:
            key = (found.run, found.step.id)
            groups.append(self._group(found, first, last, continued=key in seen))
            seen.add(key)
        return tuple(groups)

    def _group(self, found: StepOf, first: int, last: int, *, continued: bool) -> Group:
        step = found.step
        flow = self._book.runs[found.run].flow
        return Group(
            *(first, last, flow, step.id, step.title, step.status, step.detail), continued=continued
        )

    def brackets(self, events: Sequence[Event]) -> tuple[Bracket, ...]:
        """Return which events are answers to which, over what lies between."""
        place = {
            self._scene.origin(row): at
            for at, event in enumerate(events)
            if isinstance(event, Arrow)
            for row in event.rows
            if self._is_nearest(row)
        }
        found: dict[tuple[int, int], Bracket] = {}
        for bracket in (*self._replies(events, place), *self._copies(events, place)):
            found.setdefault((bracket.first, bracket.last), bracket)
        return tuple(sorted(found.values(), key=lambda one: (one.last, one.first)))

    def _is_nearest(self, row: int) -> bool:
        """Say whether a sighting is the one that stands for its message."""
        return row == self._scene.nearest(self._scene.origin(row))

    def _replies(self, events: Sequence[Event], place: dict[int, int]) -> Iterator[Bracket]:
        scene, times = self._scene, self._scene.rows.time
        for at, event in enumerate(events):
            for row in event.rows if isinstance(event, Arrow) else ():
                if not self._is_nearest(row):
                    continue
                for one in scene.replies.get(scene.origin(row), ()):
                    asked = scene.origin(one.command.row)
                    first = place.get(asked)
                    if one.command.element < 0 or first is None or first >= at:
                        continue
                    latency = (times[row] - times[scene.nearest(asked)]) / 1e6
                    label = f"{one.command.name} {latency_text(latency)}"
                    yield Bracket("reply", first, at, label, latency, heat_of(latency))

    def _copies(self, events: Sequence[Event], place: dict[int, int]) -> Iterator[Bracket]:
        for run in self._book.runs:
            first = None if run.row is None else place.get(self._scene.origin(run.row))
            for copy in run.copies if first is not None else ():
                last = None if copy.row is None else place.get(self._scene.origin(copy.row))
                if first is not None and last is not None and first < last < len(events):
                    what = "echo" if copy.echo else "copy"
                    label = f"{what} {latency_text(copy.latency_ms)}"
                    heat = heat_of(copy.latency_ms)
                    yield Bracket("copy", first, last, label, copy.latency_ms, heat)


def _same(one: StepOf, other: StepOf) -> bool:
    return one.run == other.run and one.step.id == other.step.id
