"""Carries one play over the network: what happens is told to it, and what it wants is done.

The rule: connections and timers only put down what happened; one task tells it to the play, in
order, does what the play wants, and ends when the play ends. Whatever the play is, no task, timer
or socket is left when ``close`` returns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from analyzer.replay.actions import Close, Open, Send

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.actions import Action, Ended, Play
    from analyzer.replay.results import Outcome
    from analyzer.replay.transport.connection import Link
    from analyzer.replay.transport.run import Run

POLITE_SECONDS = 3.0
"""After an abort, for BYE and its answer: as long as a person waits after Ctrl-C."""
CLOSE_SECONDS = 5.0
"""At the end, for connections whose peers are slow to close; then they are broken."""
MAX_NOTES = 50
"""Of a carrier: a peer that fails in the same way all day fills no memory."""


class Dials(Protocol):
    """Who opens the connections that a play asks for."""

    def link(self, carrier: Carrier, number: int) -> Link:
        """Return a connection that is not open yet."""
        ...

    async def connect(self, carrier: Carrier, link: Link) -> None:
        """Open it, or tell the carrier how that ended."""
        ...


class Carrier:
    """One play; ``dialler`` opens connections for it, None where it only listens."""

    def __init__(self, play: Play, run: Run, dialler: Dials | None = None) -> None:
        self.wire = run.wire
        self.links: dict[int, Link] = {}
        self.loop = asyncio.get_running_loop()
        self._play = play
        self._run = run
        self._dialler = dialler
        self._attempts: dict[int, asyncio.Task[None]] = {}
        self._origin = self.loop.time()
        self._events: deque[Callable[[float], list[Action]]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._polite_until: float | None = None
        """Set once the play is aborted."""
        self._notes: list[str] = []
        self._left_out = 0
        if self.wire is not None:
            self.wire.begin(self._origin)

    async def play(self) -> None:
        """Play to the end, to the limit, or until somebody asks to stop."""
        self._run.stop.add(self._poke)
        try:
            self._apply(self._play.start(self._now()))
            while not self._over():
                await self._event()
                self._turn()
        finally:
            self._run.stop.remove(self._poke)
            if self._timer is not None:
                self._timer.cancel()

    async def close(self) -> None:
        """Close what is open and wait until it is gone."""
        attempts = dict(self._attempts)
        for number, attempt in attempts.items():
            link = self.links.get(number)
            if link is not None and not link.connected:  # otherwise it is as good as done
                attempt.cancel()
        await asyncio.gather(*attempts.values(), return_exceptions=True)
        for link in tuple(self.links.values()):
            link.close("fin")
        deadline = self.loop.call_later(CLOSE_SECONDS, self._abandon)
        self._run.stop.add(self._hurry)
        self._hurry()
        try:
            while self.links:
                self._waiter = self.loop.create_future()
                await self._waiter
        finally:
            self._abandon()
            deadline.cancel()
            self._run.stop.remove(self._hurry)

    def outcome(self) -> Outcome:
        """Return what the play found, and what the carrier has to say."""
        outcome = self._play.outcome()
        more = (f"{self._left_out} more notes of the carrier",) if self._left_out else ()
        return replace(outcome, notes=(*outcome.notes, *self._notes, *more))

    def note(self, text: str) -> None:
        """Keep a sentence for the outcome."""
        if len(self._notes) < MAX_NOTES:
            self._notes.append(text)
        else:
            self._left_out += 1

    # What happens

    def on_opened(self, link: Link) -> None:
        """Tell the play of a connection."""
        where = (link.number, link.local, link.remote)
        self._post(link, lambda now: self._play.opened(*where, secure=link.secure, now=now))

    def on_data(self, link: Link, data: bytes) -> None:
        """Tell the play what came."""
        self._run.traffic.heard += data.count(b"\nCSeq:")
        self._run.traffic.bytes_heard += len(data)
        self._post(link, lambda now: self._play.receive(link.number, data, now))

    def on_ended(self, link: Link, how: Ended, reason: str) -> None:
        """Tell the play that a peer sends no more; a connection it never heard of is noted only."""
        self.ended(link, how, reason, tell=link.opened or self._dialler is not None)

    def on_gone(self, link: Link) -> None:
        """Forget a connection."""
        if self.links.get(link.number) is link:
            del self.links[link.number]
        self._poke()

    def ended(self, link: Link, how: Ended, reason: str, *, tell: bool = True) -> None:
        """Count the end of a connection, keep its reason, and tell the play."""
        self._run.traffic.ended[how] += 1
        if reason:
            self.note(reason)
        if tell:
            self._post(link, lambda now: self._play.ended(link.number, how, now))

    def _post(self, link: Link, event: Callable[[float], list[Action]]) -> None:
        self._events.append(lambda now: [] if link.deaf else event(now))
        self._poke()

    def _poke(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Time

    def _now(self) -> float:
        return self.loop.time() - self._origin

    async def _event(self) -> None:
        """Wait until something happened, is due, or is wanted."""
        self._waiter = self.loop.create_future()
        if self._events or self._reason():
            self._poke()
        self._arm()
        await self._waiter

    def _arm(self) -> None:
        """Be woken at the next deadline. It is absolute: being late once shifts nothing."""
        limit = self._run.limit if self._polite_until is None else self._polite_until
        moments = [moment for moment in (self._play.due, limit) if moment is not None]
        when = self._origin + min(moments) if moments else None
        if self._timer is not None:
            if self._timer.when() == when:
                return
            self._timer.cancel()
        self._timer = None if when is None else self.loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._poke()

    # What the play says

    def _turn(self) -> None:
        """Tell the play what happened and what is due."""
        reason = self._reason()
        if reason:
            self._abort(reason)
        while self._events and not self._play.finished:
            self._apply(self._events.popleft()(self._now()))
        now, due = self._now(), self._play.due
        if due is not None and due <= now and not self._play.finished:
            self._apply(self._play.wake(now))

    def _reason(self) -> str:
        """Return why it is to end early; empty: it is not, or was told before."""
        if self._polite_until is not None:
            return ""
        limit = self._run.limit
        if limit is not None and self._now() >= limit:
            return f"not finished after {limit:g} s"
        return self._run.stop.reason

    def _abort(self, reason: str) -> None:
        now = self._now()
        self._polite_until = now + POLITE_SECONDS
        self._apply(self._play.abort(now, reason))

    def _over(self) -> bool:
        if self._play.finished:
            return True
        dead = self._is_dead()
        if self._polite_until is not None:
            return dead or self._run.stop.urgent or self._now() >= self._polite_until
        if dead and self._dialler is not None:  # a server waits for who may come
            self._abort("nothing more can happen")
            return True
        return False

    def _is_dead(self) -> bool:
        """Return whether there is nobody to hear from, and no plans."""
        if self._events or self._attempts or self._play.due is not None:
            return False
        return all(link.heard_end for link in self.links.values())

    def _apply(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Open):
                self._open(action.connection)
                continue
            link = self.links.get(action.connection)
            if link is None:
                continue
            if isinstance(action, Send):
                self._run.traffic.sent += 1
                self._run.traffic.bytes_sent += len(action.data)
                link.write(action.data)
            elif isinstance(action, Close):
                self._close(link, action)
            else:
                link.stall(action.seconds)

    def _open(self, number: int) -> None:
        if self._dialler is None:
            self._events.append(lambda now: self._play.ended(number, "refused", now))
        elif number not in self.links:
            link = self.links[number] = self._dialler.link(self, number)
            attempt = self.loop.create_task(self._dialler.connect(self, link))
            self._attempts[number] = attempt
            attempt.add_done_callback(lambda done: self._attempted(link, done))

    def _attempted(self, link: Link, attempt: asyncio.Task[None]) -> None:
        if self._attempts.get(link.number) is attempt:
            del self._attempts[link.number]
        if not attempt.cancelled() and (error := attempt.exception()) is not None:
            self._events.append(_raiser(error))
        if not link.connected:
            self.on_gone(link)
        self._poke()

    def _close(self, link: Link, action: Close) -> None:
        link.close(action.how)
        attempt = self._attempts.get(link.number)
        if attempt is not None and link.deaf and not link.connected:
            attempt.cancel()

    # The end

    def _hurry(self) -> None:
        if self._run.stop.urgent:
            self._abandon()

    def _abandon(self) -> None:
        for link in tuple(self.links.values()):
            link.abandon()


def _raiser(error: BaseException) -> Callable[[float], list[Action]]:
    """Return what raises an error where the play is told, and not in a task that nobody asks."""

    def tell(now: float) -> list[Action]:
        del now
        raise error

    return tell
