"""What lies over the events of a ladder: steps of flows, replies with their commands, copies."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from analyzer.ladder.labels import heat_of
from analyzer.ladder.values import Arrow, Bracket, Group
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.ladder.scene import Scene
    from analyzer.ladder.steps import StepBook, StepOf
    from analyzer.ladder.values import Event


SHOWN_NAMES = 2
"""Commands that the label of a bracket names."""


class Overlay:
    """Lays what the analysis knows over events."""

    def __init__(self, scene: Scene, book: StepBook, person: Callable[[str | None], str]) -> None:
        """``person`` says what a user is called."""
        self._scene = scene
        self._book = book
        self._person = person

    def request_of(self, row: int) -> int | None:
        """Return the row of the request that a response answers."""
        transaction = self._scene.transaction(row)
        return None if transaction is None else transaction.request

    def step_of(self, event: Event) -> StepOf | None:
        """Return the step of an arrow."""
        if not isinstance(event, Arrow):
            return None
        if not event.rows:
            index = event.session
            return None if index is None else self._book.of_frame(index, event.frame)
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
        flows = self._flows({found.run for found, _, _ in spans})
        groups = []
        for found, first, last in spans:
            key, what = (found.run, found.step.id), found.step
            words = (flows[found.run], what.id, what.title, what.status, what.detail)
            groups.append(Group(first, last, *words, continued=key in seen))
            seen.add(key)
        return tuple(groups)

    def _flows(self, numbers: set[int]) -> dict[int, str]:
        """Return the name of each run's flow, with its user where others have such runs too."""
        runs = self._book.runs
        users: dict[str, set[str | None]] = {}
        for number in numbers:
            users.setdefault(runs[number].flow, set()).add(runs[number].user)
        return {
            number: f"{run.flow} of {self._person(run.user)}"
            if len(users[run.flow]) > 1
            else run.flow
            for number, run in ((number, runs[number]) for number in numbers)
        }

    def brackets(self, events: Sequence[Event]) -> tuple[Bracket, ...]:
        """Return which events are answers to which, over what lies between."""
        place = {
            self._scene.origin(row): at
            for at, event in enumerate(events)
            if isinstance(event, Arrow)
            for row in event.rows
            if self._is_nearest(row)
        }
        found: dict[tuple[str, int, int], dict[int, Bracket]] = {}
        for which, one in (*self._replies(events, place), *self._copies(place)):
            between = found.setdefault((one.kind, one.first, one.last), {})
            between[which] = max(between.get(which, one), one, key=_wait)
        brackets = (_as_one(list(between.values())) for between in found.values())
        return tuple(sorted(brackets, key=lambda one: (one.last, one.first, one.kind)))

    def _is_nearest(self, row: int) -> bool:
        """Say whether a sighting is the one that stands for its message."""
        return row == self._scene.nearest(self._scene.origin(row))

    def _replies(
        self, events: Sequence[Event], place: dict[int, int]
    ) -> Iterator[tuple[int, Bracket]]:
        """Yield brackets from commands to replies, each with the number of the command."""
        scene, times = self._scene, self._scene.rows.time
        for at, event in enumerate(events):
            for row in event.rows if isinstance(event, Arrow) else ():
                if not self._is_nearest(row):
                    continue
                for one in scene.replies.get(scene.origin(row), ()):
                    asked = scene.origin(one.command.row)
                    first = place.get(asked)
                    if one.asked and first is not None and first < at:
                        latency = (times[row] - times[scene.nearest(asked)]) / 1e6
                        name = one.command.name
                        yield one.command.index, _bracket("reply", first, at, name, latency)

    def _copies(self, place: dict[int, int]) -> Iterator[tuple[int, Bracket]]:
        """Yield brackets from posts to copies, each with the row of the copy."""
        for run in self._book.runs:
            first = None if run.row is None else place.get(self._scene.origin(run.row))
            for copy in run.copies if first is not None else ():
                last = None if copy.row is None else place.get(self._scene.origin(copy.row))
                if copy.row is not None and first is not None and last is not None and first < last:
                    what = "echo" if copy.echo else "copy"
                    yield copy.row, _bracket("copy", first, last, what, copy.latency_ms)


def _bracket(
    kind: Literal["reply", "copy"], first: int, last: int, name: str, latency_ms: float | None
) -> Bracket:
    """Return a bracket that has a name for a label yet."""
    return Bracket(kind, first, last, name, latency_ms, heat_of(latency_ms))


def _wait(bracket: Bracket) -> float:
    return -1.0 if bracket.latency_ms is None else bracket.latency_ms


def _as_one(brackets: Sequence[Bracket]) -> Bracket:
    """Return brackets between the same two events as one: with how many, and the longest wait."""
    names = Counter(one.label for one in brackets)
    parts = [f"{name} ×{count}" if count > 1 else name for name, count in names.items()]
    if len(parts) > SHOWN_NAMES:
        parts[SHOWN_NAMES:] = [f"and {len(parts) - SHOWN_NAMES} more"]
    slowest = max(brackets, key=_wait)
    label = f"{', '.join(parts)} {latency_text(slowest.latency_ms)}".rstrip()
    return replace(slowest, label=label)


def _same(one: StepOf, other: StepOf) -> bool:
    return one.run == other.run and one.step.id == other.step.id
