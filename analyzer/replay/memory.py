"""Both ends in memory: a discrete-event simulation with a clock of its own.

The rule: nothing waits and nothing is left to chance. At one moment arrivals come before deadlines,
and the client's deadlines before the server's; the same plays give the same result again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Unpack

from analyzer.replay.actions import Close, Open, Send
from analyzer.replay.memory_wire import MemoryWire, Side, Simulated

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.actions import Action, Play
    from analyzer.replay.results import Outcome

LIMIT_SECONDS = 3600.0
POLITE_SECONDS = 5.0
"""Of virtual time after an abort, for BYE and its answer; then again, for the server to notice."""
MAX_STEPS_AT_ONCE = 1_000_000
"""Without the clock going on: two plays that answer each other for ever end; a script of 100,000
messages, each with its answer, does not."""
MAX_WAKES_AT_ONCE = 10_000
"""In a row at one moment: a play that is due and does nothing about it ends."""
_SIDES: tuple[Side, Side] = ("client", "server")


class MemoryResult(NamedTuple):
    """What both ends found."""

    client: Outcome
    server: Outcome
    seconds: float
    """Of virtual time."""


def play_in_memory(client: Play, server: Play, **wire: Unpack[Simulated]) -> MemoryResult:
    """Play both ends against each other until both are finished or nothing more can happen.

    A client that is not finished then, or at the limit, is aborted. A server that waits for more
    is not: that is its nature.
    """
    return _Simulation(client, server, wire).run()


class _Simulation:
    def __init__(self, client: Play, server: Play, wire: Simulated) -> None:
        self.now = 0.0
        self.plays: dict[Side, Play] = {"client": client, "server": server}
        self._over: set[Side] = set()
        self._deadline = wire.get("limit_seconds", LIMIT_SECONDS)
        self._wire = MemoryWire(self, wire)
        self._aborted = False
        self._steps = self._wakes = 0

    def run(self) -> MemoryResult:
        """Go from event to event."""
        for side in reversed(_SIDES):
            self.tell(side, self.plays[side].start)
        while len(self._over) < len(_SIDES) or self._wire.due is not None:
            reason = self._obstacle()
            if reason is None:
                self._step()
            elif not self._end_early(reason):
                break
        client = self.plays["client"].outcome()
        client = replace(client, notes=(*client.notes, *self._wire.notes))
        return MemoryResult(client, self.plays["server"].outcome(), self.now)

    def tell(self, side: Side, event: Callable[[float], list[Action]]) -> None:
        """Tell a play what happened and do what it wants; nothing when it is through."""
        if side in self._over:
            return
        for action in event(self.now):
            self._do(side, action)
        if self.plays[side].finished:
            self._leave(side)

    def _do(self, side: Side, action: Action) -> None:
        if isinstance(action, Open):
            refused = side == "server" or "server" in self._over
            self._wire.open(side, action.connection, refused=refused)
            return
        end = self._wire.end(side, action.connection)
        if end is None:
            return
        if isinstance(action, Send):
            self._wire.send(end, action.data)
        elif isinstance(action, Close):
            self._wire.close(end, action.how)
        else:
            end.stalled_until = max(end.stalled_until, self.now + action.seconds)

    def _leave(self, side: Side) -> None:
        self._over.add(side)
        self._wire.close_all(side)

    def _obstacle(self) -> str | None:
        """Return why it cannot go on; None when there is a next event, and go to its time."""
        moment = self._next()
        if moment is None:
            return "nothing more can happen"
        if moment > self._deadline:
            self.now = max(self.now, self._deadline)
            return f"not finished after {self._deadline:g} s"
        if moment > self.now:
            self.now, self._steps, self._wakes = moment, 0, 0
        if self._steps >= MAX_STEPS_AT_ONCE or self._wakes >= MAX_WAKES_AT_ONCE:
            self._steps = self._wakes = 0
            return "both ends go on for ever without time going on"
        return None

    def _next(self) -> float | None:
        moments = [] if self._wire.due is None else [self._wire.due]
        for side in _SIDES:
            due = self._due(side)
            if due is not None:
                moments.append(max(due, self.now))
        return min(moments, default=None)

    def _due(self, side: Side) -> float | None:
        return None if side in self._over else self.plays[side].due

    def _step(self) -> None:
        self._steps += 1
        arrival = self._wire.due
        if arrival is not None and arrival <= self.now:
            self._wakes = 0
            self._wire.deliver()
            return
        self._wakes += 1
        for side in _SIDES:
            due = self._due(side)
            if due is not None and due <= self.now:
                self.tell(side, self.plays[side].wake)
                return

    def _end_early(self, reason: str) -> bool:
        """Abort the client, then leave it behind; False when there is nothing more to end."""
        if "client" in self._over:
            return False
        self._deadline = self.now + POLITE_SECONDS
        if self._aborted:
            self._leave("client")
        else:
            self._aborted = True
            self.tell("client", lambda now: self.plays["client"].abort(now, reason))
        return True
