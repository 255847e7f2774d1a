"""The clients' end of a play.

The rule: every client of the script is played on connections of his own, in one conversation, since
what one says another hears. At the end it leaves nothing behind on the server: BYE and un-REGISTER
what the script left open.
"""

from __future__ import annotations

from random import Random  # noqa: TID251  (seeded by the options)
from typing import TYPE_CHECKING, cast

from analyzer.extras import MissingExtra
from analyzer.replay.actions import Close, Open, Send
from analyzer.replay.options import User
from analyzer.replay.player.answers import Answers
from analyzer.replay.player.base import Base, Link
from analyzer.replay.player.calls import aor_of
from analyzer.replay.player.farewell import Farewell
from analyzer.replay.player.listener import Listener
from analyzer.replay.player.losses import Losses
from analyzer.replay.player.plan import Plan, client_plan
from analyzer.replay.player.speaker import Speaker
from analyzer.replay.player.talk import Talk
from dissectors.model import Malformed
from dissectors.sip.parse import parse_message

if TYPE_CHECKING:
    from analyzer.replay.actions import Action, Address, Ended
    from analyzer.replay.auth.client import ClientAuth
    from analyzer.replay.heard import Heard
    from analyzer.replay.options import PlayOptions
    from analyzer.replay.player.calls import Call
    from analyzer.replay.player.outgoing import Headers
    from analyzer.replay.player.progress import Ready
    from analyzer.replay.results import Outcome
    from analyzer.replay.script import Script
    from dissectors.sip.messages import SipMessage

FAREWELL = 2.0
"""Seconds that the answers to BYE and un-REGISTER may take; the play is over anyway."""
KEEP_ALIVE = b"\r\n\r\n"
"""RFC 5626 section 3.5.1."""


class ClientPlay(Base):
    """Plays the clients of a script; a ``Play``."""

    def __init__(
        self,
        script: Script,
        options: PlayOptions,
        *,
        epoch: float = 0.0,
        plan: Plan | None = None,
    ) -> None:
        """Prepare a play.

        Args:
            script: the case.
            options: how it is played.
            epoch: seconds since 1970 UTC at which the clock of the play is 0.
            plan: the plan of the script's clients, where many plays share it.
        """
        super().__init__(epoch)
        self._script = script
        self._options = options
        self._rng = Random(options.seed) if options.seed is not None else Random()  # noqa: S311
        self._plan = plan or client_plan(script)
        self._begin()
        self._farewell: float | None = None
        self._complete = True
        self._done = False

    def _begin(self) -> None:
        self._talk = Talk(self._plan, self._options, self, self._rng, self._epoch)
        self._speaker = Speaker(self._talk)
        self._listener = Listener(self._talk, self._speaker)
        self._answers = Answers(
            self._talk, self._speaker, self._credentials, self.timers.at, self.timers.behind
        )
        self._losses = Losses(self._talk, self._speaker)
        self._leaving = Farewell(self._talk, self._speaker)
        self._users = self._who()

    def _who(self) -> dict[str, User]:
        """Return who plays each client; the script's own users where none are given."""
        found = {}
        for number, party in enumerate(self._script.clients):
            given = self._options.users
            user = given[number] if number < len(given) else User("")
            slot = self._script.slot(party.user) if party.user else None
            if party.user and user.user:
                self._talk.values.set(party.user, user.user)
            for name, value in user.slots.items():
                self._talk.values.set(name, value)
            known = user.user or (slot.value if slot else "")
            found[party.id] = user._replace(user=known)
            self._talk.ledger.users[party.id] = known
        return found

    # What the carrier tells

    def start(self, now: float) -> list[Action]:
        """Begin."""
        self.now = now
        self._begin()
        self._talk.progress.start(now)
        for scripted, turn in self._plan.first_of.items():
            if not self._plan.is_ours(turn):
                self._connect(scripted)  # the server speaks first
        self._advance()
        return self._taken()

    def opened(
        self,
        connection: int,
        local: Address,
        remote: Address,
        *,
        secure: bool,
        now: float,
    ) -> list[Action]:
        """Take note of a connection that was asked for."""
        self.now = now
        link = self._open(connection, local, secure=secure)
        client = self._plan.connections[link.scripted].opener if link.scripted else ""
        self._talk.values.addresses[client] = (local, remote)
        if self._options.keep_alive:
            self._keep_alive(link)
        waiting, link.waiting = link.waiting, []
        for ready in waiting:
            self._speaker.say(ready)
        self._advance()
        return self._taken()

    def _identity(self, client: str) -> ClientAuth | None:
        """Return who proves that a client is who he says, from the first challenge on."""
        user = self._users[client]
        try:
            from analyzer.replay.auth.client import ClientAuth
        except ImportError:
            missing = MissingExtra("pyspnego", "replay")
            self._talk.ledger.note(f"a challenge was not answered: {missing}")
            return None
        return ClientAuth(
            user.user,
            user.login,
            user.password,
            rng=self._rng,
            schemes=tuple(self._options.schemes),
            clock=lambda: self._epoch + self.now,
        )

    def _keep_alive(self, link: Link) -> None:
        every = self._options.keep_alive or 0.0

        def ping() -> None:
            if link.wire is not None and not self._done:
                self._actions.append(Send(link.number, KEEP_ALIVE))
                self.timers.at(self.now + every, ping, background=True)

        self.timers.at(self.now + every, ping, background=True)

    def ended(self, connection: int, how: Ended, now: float) -> list[Action]:
        """Take note that the server sends no more."""
        self.now = now
        link = self._links.get(connection)
        if link is None:
            return []
        was_open, link.wire = link.wire is not None, None
        if was_open:
            self._actions.append(Close(connection))
        self._lost(link, _ENDINGS.get(how, "its connection ended"))
        self._advance()
        return self._taken()

    def _lost(self, link: Link, why: str) -> None:
        """Give up what only this connection could carry."""
        waiting, link.waiting = link.waiting, []
        for ready in waiting:
            self._speaker.give_up(self._plan.turns[ready.number], why)
        for turn in self._talk.progress.open_turns():
            if turn.connection == link.scripted and self._farewell is None:
                self._losses.give_up(turn, why)
        self._talk.ledger.note(f"{link.scripted or 'a connection'}: {why}")

    # What was heard

    def _heard(self, link: Link, heard: Heard) -> None:
        client = self._client_of(link, heard)
        if link.auth is not None:
            problem = link.auth.verify(heard.message)
            if problem:
                self._talk.ledger.note(f"signature of the server: {problem}")
        if heard.is_request:
            self._listener.request(heard, client, link.number)
        else:
            self._answers.response(heard, client)

    def _client_of(self, link: Link, heard: Heard) -> str:
        """Return whose conversation a message is in: a proxy's connection carries many."""
        call_id = heard.message.call_id or ""
        for party in self._script.clients:
            if (party.id, call_id) in self._talk.by_call_id:
                return party.id
        to = aor_of(heard.message.headers.first("to") or "")
        for client, user in self._users.items():
            if user.user.lower() == to:
                return client
        return self._plan.connections[link.scripted].opener if link.scripted else ""

    def _garbage(self, link: Link, found: Malformed) -> None:
        self._talk.ledger.note(f"not SIP on {link.scripted}: {found.reason}")

    def _credentials(self, call: Call, raw: bytes, heard: Heard) -> Headers | None:
        link = self._links.get(call.connection)
        request = parse_message(raw)
        if link is None or isinstance(request, Malformed):
            return None
        if link.auth is None:
            link.auth = self._identity(call.client)
        if link.auth is None:
            return None
        auth = cast("ClientAuth", link.auth)
        headers = auth.answer(request, heard.message)
        if headers is None and auth.problem:
            self._talk.ledger.note(auth.problem)
        return headers

    def _sign(self, link: Link, call: Call, message: SipMessage) -> Headers:  # noqa: ARG002
        return cast("ClientAuth", link.auth).sign(message)

    # Going on

    def _advance(self) -> None:
        """Say what can be said, and settle what is overdue."""
        talk = self._talk
        while True:
            ready = talk.progress.take(self.now)
            if ready is not None:
                self._say(ready)
                continue
            late = talk.progress.overdue(self.now)
            if late is None:
                break
            self._losses.overdue(late)
        self._close_finished()
        self._maybe_leave()

    def _say(self, ready: Ready) -> None:
        turn = self._plan.turns[ready.number]
        number = self._talk.connections.get(turn.connection)
        if number is None:
            link = self._connect(turn.connection)
            link.waiting.append(ready)
        elif self._links[number].opening:
            self._links[number].waiting.append(ready)
        else:
            self._speaker.say(ready)

    def _connect(self, scripted: str) -> Link:
        number = len(self._links) + 1
        link = self._links[number] = Link(number, scripted=scripted, opening=True)
        self._talk.connections[scripted] = number
        self._actions.append(Open(number))
        return link

    def _close_finished(self) -> None:
        """Close connections as the clients of the script did, while others go on."""
        if self._farewell is not None or not self._talk.progress.unsettled:
            return
        for link in list(self._links.values()):
            known = self._plan.connections.get(link.scripted)
            if link.wire is None or known is None or known.closed_by != known.opener:
                continue
            last = self._plan.turns[self._plan.last_of[link.scripted]]
            if last.id in self._talk.progress.states and self._is_done(link.scripted):
                self._end(link, known.closed_how)

    def _is_done(self, scripted: str) -> bool:
        states = self._talk.progress.states
        turns = (turn for turn in self._plan.turns if turn.connection == scripted)
        return all(turn.optional or turn.id in states for turn in turns)

    def _maybe_leave(self) -> None:
        """End when everything is settled: politely, and not waiting for long."""
        if self._done:
            return
        talk = self._talk
        if self._farewell is None:
            if talk.progress.unsettled or self.timers.held:
                return
            self._leave()
        if not self._leaving.waiting or self.now >= (self._farewell or 0.0):
            for link in self._links.values():
                self._end(link)
            self._done = True

    def _leave(self) -> None:
        self._farewell = self.now + FAREWELL
        self._leaving.leave()

    @property
    def due(self) -> float | None:
        """When ``wake`` is to be called."""
        if self._done:
            return None
        found = (self._talk.progress.due(patient=False), self.timers.due, self._farewell)
        return min((one for one in found if one is not None), default=None)

    @property
    def finished(self) -> bool:
        """Whether everything is settled and said."""
        return self._done

    def abort(self, now: float, reason: str) -> list[Action]:
        """End early and politely."""
        self.now = now
        if self._farewell is None and not self._done:
            self._complete = False
            self._talk.ledger.note(reason)
            for turn in self._talk.progress.open_turns():
                self._losses.give_up(turn, "the play was ended before")
            self._leave()
            self._maybe_leave()
        return self._taken()

    def outcome(self) -> Outcome:
        """Return what was found so far."""
        talk, complete = self._talk, self._complete and self._done
        return talk.ledger.outcome(complete=complete, played=len(self._users), more=talk.kept())


_ENDINGS = {
    "fin": "the server closed the connection",
    "rst": "the server broke the connection",
    "refused": "the connection was refused",
    "timeout": "the connection could not be opened in time",
    "tls": "there was no agreement about TLS",
}
