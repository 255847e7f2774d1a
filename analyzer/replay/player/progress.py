"""Which turns can be said now, which are awaited, and until when.

The rule: a turn is settled once, by being said or heard, or by nothing coming of it; what waited
for it goes on. Deadlines are absolute: a late wake-up shifts nothing.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analyzer.replay.player.plan import Plan
    from analyzer.replay.script import Turn

MAX_GAP = 60.0
"""Seconds that a peer may take longer because the recorded one did; of a session that ended by its
timer it would be half an hour."""
State = Literal["said", "heard", "missing", "unsaid"]


class Ready(NamedTuple):
    """A turn of ours that can be said."""

    when: float
    number: int
    """In the plan."""
    again: int
    """0, or which repetition of the peer's request it answers."""


class Progress:
    """The state of every turn in one conversation."""

    def __init__(self, plan: Plan, when: Callable[[Turn, float], float], patience: float) -> None:
        """Wait ``patience`` seconds for turns of the peer, beyond what the recording took.

        ``when``: gives the time at which a turn is to be said that can be said from a time on.
        """
        self._plan = plan
        self._when = when
        self._patience = patience
        self._left = {turn.id: len(plan.hard[turn.id]) for turn in plan.turns}
        self._ready: list[Ready] = []
        self._awaited: list[tuple[float, int]] = []
        self._states: dict[str, State] = {}
        self._never: set[str] = set()
        self.times: dict[str, float] = {}
        """When each turn was settled."""
        self.unsettled = sum(not turn.optional for turn in plan.turns)
        """Turns that are not settled, those aside that nobody waits for."""

    @property
    def states(self) -> Mapping[str, State]:
        """Return the settled turns."""
        return self._states

    def start(self, now: float) -> None:
        """Let go what waits for nothing."""
        for turn in self._plan.turns:
            if not self._left[turn.id]:
                self._enable(turn, now)

    def settle(self, turn: Turn, state: State, now: float) -> None:
        """Take note of what became of a turn; once only."""
        if turn.id in self._states:
            return
        self._states[turn.id] = state
        if state in ("missing", "unsaid"):
            self._never.add(turn.id)
        self.times[turn.id] = now
        if not turn.optional:
            self.unsettled -= 1
        for number in self._plan.dependents.get(turn.id, ()):
            self._left[number] -= 1
            if not self._left[number] and number not in self._states:
                self._enable(self._plan.turn(number), now)

    def again(self, turn: Turn, now: float, repetition: int) -> None:
        """Let a turn of ours be said once more."""
        number = self._plan.number[turn.id]
        heapq.heappush(self._ready, Ready(self._when(turn, now), number, repetition))

    def _enable(self, turn: Turn, now: float) -> None:
        number = self._plan.number[turn.id]
        if self._plan.is_ours(turn):
            heapq.heappush(self._ready, Ready(self._when(turn, now), number, 0))
        elif (turn.answers or turn.cause) in self._never:
            heapq.heappush(self._awaited, (now, number))
        elif not turn.optional:
            gap = min(max(0.0, turn.at_ms - self._latest(turn)) / 1000, MAX_GAP)
            heapq.heappush(self._awaited, (now + gap + self._patience, number))

    def _latest(self, turn: Turn) -> float:
        """Return when the last of what a turn waits for was recorded, in milliseconds."""
        known = [self._plan.at_ms[one] for one in self._plan.hard[turn.id]]
        return max(known, default=turn.at_ms)

    def take(self, now: float) -> Ready | None:
        """Return the next turn of ours that is due."""
        if self._ready and self._ready[0].when <= now:
            return heapq.heappop(self._ready)
        return None

    def overdue(self, now: float) -> Turn | None:
        """Return the next turn of the peer that should have come."""
        while self._awaited and self._awaited[0][0] <= now:
            turn = self._plan.turns[heapq.heappop(self._awaited)[1]]
            if turn.id not in self._states:
                return turn
        return None

    def postpone(self, turn: Turn, until: float) -> None:
        """Be patient with a turn of the peer at least until then."""
        number = self._plan.number[turn.id]
        later = [(max(when, until) if one == number else when, one) for when, one in self._awaited]
        self._awaited = later
        heapq.heapify(self._awaited)

    def due(self, *, patient: bool) -> float | None:
        """Return when something is due; a patient one waits for the peer without end."""
        found = [self._ready[0].when] if self._ready else []
        if not patient:
            while self._awaited and self._plan.turns[self._awaited[0][1]].id in self._states:
                heapq.heappop(self._awaited)
            found += [self._awaited[0][0]] if self._awaited else []
        return min(found, default=None)

    def open_turns(self) -> list[Turn]:
        """Return what is not settled, in order."""
        return [turn for turn in self._plan.turns if turn.id not in self._states]
