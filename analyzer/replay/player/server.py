"""The server's end of a play.

The rule: whoever comes is given a part of the script: his own if he is one of its people, else the
first that is free; with more clients than the script has it begins again in another conversation.
"""

from __future__ import annotations

import heapq
from random import Random  # noqa: TID251  (seeded by the options)
from typing import TYPE_CHECKING, cast

from analyzer.extras import MissingExtra
from analyzer.replay.actions import Close
from analyzer.replay.auth.admission import Challenge, Dialect, Refused
from analyzer.replay.player.answers import Answers
from analyzer.replay.player.base import Base, Link
from analyzer.replay.player.calls import Call, aor_of, person_of, with_tag
from analyzer.replay.player.casting import Casting
from analyzer.replay.player.listener import Listener
from analyzer.replay.player.outgoing import simple_response
from analyzer.replay.player.plan import Plan
from analyzer.replay.player.speaker import Speaker
from analyzer.replay.player.talk import Talk
from analyzer.replay.results import Outcome
from analyzer.replay.script import SERVER

if TYPE_CHECKING:
    from analyzer.replay.actions import Action, Address, Ended
    from analyzer.replay.auth.server import ServerAuth
    from analyzer.replay.heard import Heard
    from analyzer.replay.options import PlayOptions
    from analyzer.replay.player.casting import Part
    from analyzer.replay.player.outgoing import Draft, Headers
    from analyzer.replay.results import Latency, Verdict
    from analyzer.replay.script import Script
    from dissectors.model import Malformed
    from dissectors.sip.messages import SipMessage

MAX_CONVERSATIONS = 10_000
"""Whoever comes after so many is refused with 503."""
MAX_NOTES = 1000
UNASKED = ("ACK", "CANCEL")
"""They are never challenged (RFC 3261 section 22.1)."""


class Conversation:
    """One conversation and those who speak and listen in it."""

    def __init__(self, play: ServerPlay, plan: Plan, options: PlayOptions, rng: Random) -> None:
        timers = play.timers
        self.talk = Talk(plan, options, play, rng, play.epoch)
        self.speaker = Speaker(self.talk)
        self.listener = Listener(self.talk, self.speaker)
        self.answers = Answers(self.talk, self.speaker, lambda *_: None, timers.at, timers.behind)
        self.talk.progress.start(play.now)


class ServerPlay(Base):
    """Plays the server of a script; a ``Play``."""

    def __init__(self, script: Script, options: PlayOptions, *, epoch: float = 0.0) -> None:
        """Prepare a play; ``epoch``: seconds since 1970 UTC at which the play's clock is 0."""
        super().__init__(epoch)
        self.epoch = epoch
        self._script = script
        self._options = options
        self._rng = Random(options.seed) if options.seed is not None else Random()  # noqa: S311
        self._plan = Plan(script, [SERVER])
        self._casting = Casting(script)
        self._conversations: list[Conversation] = []
        self._notes: dict[str, None] = {}
        self._addresses: dict[int, tuple[Address, Address]] = {}
        self._proofs: dict[tuple[int, str, int], Headers] = {}
        """What the final responses to admitted requests say about their credentials."""
        self._touched: set[int] = set()
        self._deadlines: list[tuple[float, int]] = []
        self._aborted = False
        if options.authenticate is not None:
            self._guard()  # what is not installed is told before anybody comes

    # What the carrier tells

    def start(self, now: float) -> list[Action]:
        """Begin: wait for whoever comes."""
        self.now = now
        return []

    def opened(
        self,
        connection: int,
        local: Address,
        remote: Address,
        *,
        secure: bool,
        now: float,
    ) -> list[Action]:
        """Take note of a connection that a peer opened."""
        self.now = now
        link = self._open(connection, local, secure=secure)
        self._addresses[connection] = (remote, local)
        if self._options.authenticate is not None:
            link.auth = self._guard()
        return self._taken()

    def _guard(self) -> ServerAuth:
        """Return who asks for credentials on a connection."""
        options = self._options
        users = {user.user: user.password or "" for user in options.users}
        users |= {user.login: user.password or "" for user in options.users if user.login}
        assert options.authenticate is not None
        try:
            from analyzer.replay.auth.server import TARGETNAME, ServerAuth
        except ImportError as error:
            raise MissingExtra("pyspnego", "replay") from error
        return ServerAuth(
            users,
            scheme=options.authenticate,
            realm=options.realm,
            targetname=options.target_name or TARGETNAME,
            rng=self._rng,
            dialect=Dialect(clock=lambda: self.epoch + self.now),
        )

    def ended(self, connection: int, how: Ended, now: float) -> list[Action]:  # noqa: ARG002
        """Take note that a client sends no more."""
        self.now = now
        link = self._links.pop(connection, None)
        if link is not None and link.auth is not None:
            cast("ServerAuth", link.auth).forget(connection)
        self._proofs = {key: one for key, one in self._proofs.items() if key[0] != connection}
        self._addresses.pop(connection, None)
        if link is not None and link.wire is not None:
            self._actions.append(Close(connection))
        self._casting.left(connection)
        self._advance()
        return self._taken()

    # What was heard

    def _heard(self, link: Link, heard: Heard) -> None:
        first = heard.message.headers.first
        person = aor_of(first("from" if heard.is_request else "to") or "")
        call_id = heard.message.call_id or ""
        if not heard.is_request:
            person = self._casting.person(link.number, call_id) or aor_of(first("from") or "")
        part = self._casting.known(link.number, person)
        if heard.is_request and (
            self._repeated(part, heard) or not self._admitted(link, heard, person)
        ):
            return
        if part is not None and heard.is_request and self._begins_again(part, heard):
            self._casting.forget(link.number, person)
            part = None
        if part is None and heard.method == "OPTIONS":
            self._reply(link, heard, "200 OK", [])  # a probe plays no part
            return
        if part is None:
            part = self._cast(link, heard, person)
        if part is None:
            return
        self._casting.heard(link.number, person, call_id)
        conversation = self._conversations[part.conversation]
        self._touched.add(part.conversation)
        if heard.is_request:
            conversation.listener.request(heard, part.client, link.number)
        else:
            self._check(link, heard)
            conversation.answers.response(heard, part.client)

    def _repeated(self, part: Part | None, heard: Heard) -> bool:
        """Answer a repetition before its signature is looked at, which was used."""
        if part is None:
            return False
        return self._conversations[part.conversation].listener.repeated(heard, part.client)

    def _begins_again(self, part: Part, heard: Heard) -> bool:
        """Say whether someone signs in once more who has signed off: a proxy keeps connections."""
        talk = self._conversations[part.conversation].talk
        key = (part.client, heard.message.call_id or "")
        if heard.method != "REGISTER" or key in talk.by_call_id:
            return False
        states = talk.progress.states
        if any(turn.id not in states for turn in self._plan.sign_ins.get(part.client, ())):
            return False  # the script has another sign-in of this person
        calls = talk.by_call_id.values()
        sessions = [call for call in calls if call.client == part.client and call.is_session]
        return bool(sessions) and all(call.ended for call in sessions)

    def _check(self, link: Link, heard: Heard) -> None:
        if link.auth is not None:
            problem = cast("ServerAuth", link.auth).verify(link.number, heard.message)
            if problem:
                self._note(f"signature of a client: {problem}")

    def _admitted(self, link: Link, heard: Heard, person: str) -> bool:
        """Ask who is there; say whether to go on with a request."""
        if link.auth is None or heard.method in UNASKED:
            return True
        auth = cast("ServerAuth", link.auth)
        found = auth.admit(link.number, heard.message)
        if isinstance(found, Challenge):
            if found.problem:
                self._note(f"{person}: {found.problem}")
            text = (
                "401 Unauthorized" if found.status == 401 else "407 Proxy Authentication Required"
            )
            self._reply(link, heard, text, [*found.headers])
            return False
        if isinstance(found, Refused):
            self._note(f"{person} was refused: {found.problem}")
            self._reply(link, heard, f"{found.status} {found.reason}", [*found.headers])
            return False
        if found.headers and heard.message.cseq is not None:
            key = (link.number, heard.message.call_id or "", heard.message.cseq.number)
            self._proofs[key] = [*found.headers]
        return True

    def _reply(self, link: Link, heard: Heard, status: str, more: Headers) -> None:
        """Answer outside of any conversation."""
        call = Call("", "", heard.message.call_id or "", link.number)
        tag = f"{self._rng.getrandbits(40):010X}"
        call.local = with_tag(heard.message.headers.first("to") or "", tag)
        self.send(call, simple_response(heard.message, call, status, more), None)

    def _cast(self, link: Link, heard: Heard, person: str) -> Part | None:
        """Give a part to whoever speaks for the first time."""
        if not heard.is_request:
            self._note("an answer to a request that nobody made was passed over")
            return None
        part = self._casting.cast(link.number, person, registers=heard.method == "REGISTER")
        if part.conversation >= MAX_CONVERSATIONS:
            self._note(f"more than {MAX_CONVERSATIONS} conversations: the rest were refused")
            self._reply(link, heard, "503 Service Unavailable", [])
            return None
        while len(self._conversations) <= part.conversation:
            rng = Random(self._rng.getrandbits(64))  # noqa: S311  (identifiers, no secrets)
            self._conversations.append(Conversation(self, self._plan, self._options, rng))
        talk = self._conversations[part.conversation].talk
        spoken = person_of(heard.message.headers.first("from") or "") or person
        talk.ledger.users[part.client] = spoken
        party = next(one for one in self._script.clients if one.id == part.client)
        if party.user and party.user not in self._options.values:
            talk.values.set(party.user, spoken)
        talk.values.addresses[part.client] = self._addresses[link.number]
        talk.connections[part.scripted] = link.number
        link.scripted = part.scripted
        return part

    def _garbage(self, link: Link, found: Malformed) -> None:
        self._note(f"not SIP on connection {link.number}: {found.reason}")

    def send(self, call: Call, draft: Draft, turn: str | None) -> bytes:
        """Send a message; whoever answers it is known by its Call-ID."""
        if call.client:
            self._casting.heard(call.connection, call.identity, call.call_id)
        return super().send(call, draft, turn)

    def _sign(self, link: Link, call: Call, message: SipMessage) -> Headers:
        headers = cast("ServerAuth", link.auth).sign(link.number, message)
        if (message.status or 0) >= 200 and message.cseq is not None:
            headers += self._proofs.pop((link.number, call.call_id, message.cseq.number), [])
        return headers

    def _note(self, sentence: str) -> None:
        if len(self._notes) < MAX_NOTES:
            self._notes[sentence] = None

    # Going on

    def _advance(self) -> None:
        """Say what is due, in the conversations in which something may be."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= self.now:
            self._touched.add(heapq.heappop(deadlines)[1])
        touched, self._touched = self._touched, set()
        for number in sorted(touched):
            conversation = self._conversations[number]
            progress = conversation.talk.progress
            while (ready := progress.take(self.now)) is not None:
                conversation.speaker.say(ready)
            due = progress.due(patient=True)
            if due is not None:
                heapq.heappush(deadlines, (due, number))

    @property
    def due(self) -> float | None:
        """When ``wake`` is to be called."""
        found = [self.timers.due, self._deadlines[0][0] if self._deadlines else None]
        return min((one for one in found if one is not None), default=None)

    @property
    def finished(self) -> bool:
        """Whether every client of the script has come and gone, where that ends the play."""
        if self._aborted:
            return True
        return self._options.once and bool(self._conversations) and self._casting.all_gone

    def abort(self, now: float, reason: str) -> list[Action]:
        """End: a server just stops."""
        self.now = now
        self._aborted = True
        self._note(reason)
        return self._taken()

    def outcome(self) -> Outcome:
        """Return what was found so far; what never came is missing."""
        verdicts: list[Verdict] = []
        latencies: list[Latency] = []
        notes = dict(self._notes)
        for conversation in self._conversations:
            talk = conversation.talk
            self._missing(conversation)
            found = talk.ledger.outcome(complete=True, played=0, more=talk.kept())
            verdicts += found.verdicts
            notes |= dict.fromkeys(found.notes)
            latencies += found.latencies
        played = self._casting.count
        return Outcome(tuple(verdicts), tuple(notes), tuple(latencies), bool(played), played)

    def _missing(self, conversation: Conversation) -> None:
        """Hold against clients what they never said; what waits for that goes without saying."""
        talk = conversation.talk
        absent: set[str] = set()
        for turn in talk.progress.open_turns():
            client = self._plan.client_of(turn)
            if turn.optional or self._plan.is_ours(turn) or client in absent:
                continue
            if client in talk.ledger.users:
                talk.ledger.verdict(turn, "missing", self.now, detail="it never came")
            else:
                absent.add(client)
                why = f"{client} never came, nor any of its turns"
                talk.ledger.verdict(turn, "missing", self.now, detail=why)
