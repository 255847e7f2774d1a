"""A play with faults: the same protocol, and between it and the carrier the rules.

The rule: what no rule hits passes unchanged and at once. What is said and what is heard on a
connection are two lanes, and a lane keeps its order except where a fault changes it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.actions import Close, Open, Send, Stall
from analyzer.replay.faults.framing import Framing
from analyzer.replay.faults.matching import Answered, Requests, counter, named
from analyzer.replay.faults.notes import Notes
from analyzer.replay.faults.pending import EndOfPeer, Entry, Lane, Passing, Pending, Release, Shut
from analyzer.replay.faults.plan import Plan, cut_up, plan_for
from analyzer.replay.faults.rules import Cut, Merge
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.replay.actions import Action, Address, Ended, Play
    from analyzer.replay.faults.matching import Seen
    from analyzer.replay.faults.pending import Later
    from analyzer.replay.faults.rules import How, Rule, Split
    from analyzer.replay.results import Outcome


class Held(NamedTuple):
    """A message that waits for the next one."""

    plan: Plan
    turn: str | None
    release: Entry


class Faulty:
    """A ``Play`` that wraps another one."""

    def __init__(self, play: Play, rules: Sequence[Rule], seed: int) -> None:
        self._play = play
        self._counters = [counter(rule, seed, number) for number, rule in enumerate(rules)]
        self._notes = Notes()
        self._requests = Requests()
        self._pending = Pending()
        self._held: dict[Lane, Held] = {}
        self._busy: dict[Lane, float] = {}
        self._framing: dict[int, Framing] = {}
        self._opened: set[int] = set()  # by the wrapped end
        self._shut = Shut()
        self._answered = Answered()
        self._began: float | None = None
        self._aborted = False

    def start(self, now: float) -> list[Action]:
        """Begin."""
        self._began = now
        return self._say(self._play.start(now), now)

    def opened(
        self, connection: int, local: Address, remote: Address, *, secure: bool, now: float
    ) -> list[Action]:
        """Take note of a connection."""
        out = self._catch_up(now)
        self._shut.reopen(connection)
        actions = self._play.opened(connection, local, remote, secure=secure, now=now)
        return out + self._say(actions, now)

    def receive(self, connection: int, data: bytes, now: float) -> list[Action]:
        """Take bytes as they came, in any pieces."""
        out = self._catch_up(now)
        if connection in self._shut.gone:
            return out
        if not self._counters or self._aborted:
            data = self._unread(connection) + data
            return out + self._say(self._play.receive(connection, data, now), now)
        lane = Lane(connection, "heard")
        for unit in self._framing.setdefault(connection, Framing()).feed(data):
            out += self._pass(lane, Passing(unit.data), now, whole=unit.whole)
        return out

    def ended(self, connection: int, how: Ended, now: float) -> list[Action]:
        """Take note that a peer sends no more."""
        out = self._catch_up(now)
        if connection in self._shut.gone:
            return out
        lane = Lane(connection, "heard")
        out += self._release(lane, now)
        rest = self._unread(connection)
        if rest:
            out += self._pass(lane, Passing(rest), now, whole=False)
        if how == "rst":
            self._forget(Lane(connection, "said"))
        return out + self._behind(lane, EndOfPeer(how), now)

    def wake(self, now: float) -> list[Action]:
        """Do what is due."""
        out = self._catch_up(now)
        return out + self._say(self._play.wake(now), now)

    @property
    def due(self) -> float | None:
        """When ``wake`` is to be called."""
        times = [time for time in (self._pending.due, self._play.due) if time is not None]
        return min(times, default=None)

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen: nothing that is late is still to come, either."""
        return self._play.finished and not self._pending

    def abort(self, now: float, reason: str) -> list[Action]:
        """End early: no more faults, and what was held back is not sent any more."""
        lost = self._pending.drop_all() + len(self._held)
        self._held.clear()
        self._aborted = True
        if lost:
            self._notes.add(f"{amount(lost, 'message')} held back by faults: given up at the end")
        return self._say(self._play.abort(now, reason), now)

    def outcome(self) -> Outcome:
        """Return what was found so far, and what each rule did."""
        outcome = self._play.outcome()
        notes = self._notes.sentences(self._counters)
        return replace(outcome, notes=(*outcome.notes, *notes))

    # What the play says.

    def _say(self, actions: list[Action], now: float) -> list[Action]:
        """Return what becomes of what the play wants done."""
        if not self._counters:
            return actions
        out: list[Action] = []
        for action in actions:
            match action:
                case Send(connection, data, turn):
                    out += self._pass(Lane(connection, "said"), Passing(data, turn), now)
                case Close(connection):
                    out += self._close(action, now)
                case Open(connection):
                    self._opened.add(connection)
                    out.append(action)
                case Stall(connection):
                    out += [] if connection in self._shut.gone else [action]
        return out

    def _close(self, action: Close, now: float) -> list[Action]:
        """End a connection behind the last bytes that are still to be written to it."""
        if action.connection in self._shut.gone:
            return []
        lane = Lane(action.connection, "said")
        out = self._release(lane, now)
        if action.how != "half":
            self._forget(Lane(action.connection, "heard"))
        return out + self._behind(lane, action, now)

    # What passes a lane.

    def _pass(
        self, lane: Lane, passing: Passing, now: float, *, whole: bool = True
    ) -> list[Action]:
        """Let a message pass the rules; what is no whole message passes none."""
        if self._shut.has(lane):
            return []
        seen = None
        if whole and not self._aborted:
            opened = lane.connection in self._opened
            seen = self._requests.see(passing.data, *lane, opened=opened)
        if seen is None:
            return self._write(lane, Plan(passing.data), passing.turn, now)
        if self._answered.is_ack(seen):
            return []
        plan = plan_for(seen, self._counters)
        for rule, did in plan.told:
            seconds = now - (now if self._began is None else self._began)
            self._notes.hit(rule, did, named(seen), seconds)
        return self._carry(lane, seen, plan, passing.turn, now)

    def _carry(
        self, lane: Lane, seen: Seen, plan: Plan, turn: str | None, now: float
    ) -> list[Action]:
        """Do with a message what the rules say."""
        out: list[Action] = []
        cut = plan.cut
        if plan.answer is not None:
            self._answered.add(seen)
            back = Lane(lane.connection, "said" if lane.direction == "heard" else "heard")
            out += self._write(back, Plan(plan.answer), None, now)
        if not plan.lost and (cut is None or cut.where != "before"):
            if cut is not None and cut.where == "inside":
                plan.data = plan.data[: len(plan.data) // 2]
            out += self._in_order(lane, plan, turn, now)
        if plan.stall:
            out.append(Stall(lane.connection, plan.stall))
        if cut is not None:
            out += self._behind(lane, cut, now)
        return out

    def _in_order(self, lane: Lane, plan: Plan, turn: str | None, now: float) -> list[Action]:
        """Write a message, together with the one before where that waits for it."""
        held = self._held.pop(lane, None)
        if held is None:
            if plan.hold is None or plan.cut is not None:
                return self._write(lane, plan, turn, now)
            release = self._pending.put(Entry(now + plan.hold.within, lane, Release()))
            self._held[lane] = Held(plan, turn, release)
            return []
        self._pending.drop(held.release)
        if isinstance(held.plan.hold, Merge):
            plan.data = held.plan.data + plan.data
            return self._write(lane, plan, held.turn or turn, now)
        out = self._write(lane, plan, turn, now)
        return out + self._write(lane, held.plan, held.turn, now)

    def _write(self, lane: Lane, plan: Plan, turn: str | None, now: float) -> list[Action]:
        """Write a message when, how often and in which pieces its plan says."""
        at = now + plan.delay
        out = self._at(at, lane, Passing(plan.data, turn, plan.split), now)
        for by in plan.copies:
            if not self._pending.has_room(len(plan.data)):
                self._notes.add("copies were left out: too much waited to be sent")
                break
            out += self._at(at + by, lane, Passing(plan.data), now)
        return out

    def _at(self, at: float, lane: Lane, what: Passing, now: float) -> list[Action]:
        """Do something at a time."""
        if at > now and not self._pending.has_room(len(what.data)):
            self._notes.add("messages were not held back: too much waited to be sent")
            at = now
        if at > now:
            self._pending.put(Entry(at, lane, what))
            return []
        return self._do(lane, what, now)

    def _behind(self, lane: Lane, what: Later, now: float) -> list[Action]:
        """Do something when all that the lane still has was done."""
        last = self._pending.last(lane)
        if last is None:
            return self._do(lane, what, now)
        self._pending.put(Entry(last, lane, what))
        return []

    def _release(self, lane: Lane, now: float) -> list[Action]:
        """Write a message that need not wait for the next one any longer."""
        held = self._held.pop(lane, None)
        if held is None:
            return []
        self._pending.drop(held.release)
        self._notes.add(f"no message followed the one held back at connection {lane.connection}")
        return self._write(lane, held.plan, held.turn, now)

    def _catch_up(self, now: float) -> list[Action]:
        """Do what is due before anything else happens."""
        if self._began is None:
            self._began = now
        out: list[Action] = []
        while (entry := self._pending.take(now)) is not None:
            out += self._do(entry.lane, entry.what, now)
        return out

    def _do(self, lane: Lane, what: Later, now: float) -> list[Action]:
        """Do something now."""
        match what:
            case Passing() if self._shut.has(lane):
                return []
            case Passing() if what.joined or lane not in self._busy:
                return self._emit(lane, what, now)
            case Passing():
                self._pending.put(Entry(self._busy[lane], lane, what))
                return []
            case Release():
                return self._release(lane, now)
            case _:
                return self._end(lane, what, now)

    def _end(self, lane: Lane, what: EndOfPeer | Close | Cut, now: float) -> list[Action]:
        """End a lane, unless other faults have put something off until later."""
        connection = lane.connection
        match what:
            case _ if connection in self._shut.gone:
                return []
            case _ if self._pending.last(lane) is not None:
                return self._behind(lane, what, now)
            case EndOfPeer(how):
                return self._say(self._play.ended(connection, how, now), now)
            case Close():
                return [what]
            case Cut(how):
                return self._cut(connection, how, now)

    def _emit(self, lane: Lane, what: Passing, now: float) -> list[Action]:
        """Hand bytes on: now, or the first piece of them now."""
        if what.split is not None:
            return self._begin(lane, what, what.split, now)
        if what.joined == "last":
            self._busy.pop(lane, None)
        if lane.direction == "said":
            return [Send(lane.connection, what.data, what.turn)]
        return self._say(self._play.receive(lane.connection, what.data, now), now)

    def _begin(self, lane: Lane, what: Passing, split: Split, now: float) -> list[Action]:
        """Hand on the first piece of a message; the others follow it, and nothing else before."""
        *pieces, final = cut_up(what.data, split)
        whole = Passing(final, what.turn, joined="last")
        parts = [*(Passing(piece, joined="inside") for piece in pieces), whole]
        if not split.gap:
            return [action for part in parts for action in self._emit(lane, part, now)]
        for number, part in enumerate(parts[1:], 1):
            self._busy[lane] = now + number * split.gap
            self._pending.put(Entry(self._busy[lane], lane, part))
        return self._emit(lane, parts[0], now)

    def _cut(self, connection: int, how: How, now: float) -> list[Action]:
        """End a connection; unless by half, the play is told that its peer has gone."""
        self._forget(Lane(connection, "said"))
        if how == "half":
            self._shut.mute.add(connection)
            return [Close(connection, how)]
        self._forget(Lane(connection, "heard"))
        self._framing.pop(connection, None)
        self._shut.gone.add(connection)
        return [Close(connection, how), *self._say(self._play.ended(connection, how, now), now)]

    def _forget(self, lane: Lane) -> None:
        """Drop what a lane still has."""
        held = self._held.pop(lane, None)
        self._busy.pop(lane, None)
        if self._pending.drop_lane(lane) or held is not None:
            self._notes.add(f"messages held back at connection {lane.connection} ended with it")

    def _unread(self, connection: int) -> bytes:
        """Return the bytes of a message that has not come to its end."""
        framing = self._framing.pop(connection, None)
        return b"" if framing is None else b"".join(unit.data for unit in framing.rest())
