"""What must have been said or heard before a turn: kept as loose as the case allows.

The rule: the recording proves that one thing came after another, not that it had to. Order is added
where the protocol has it, where a link of the causal graph shows it, and before signing off, which
would else overtake what is still to come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.derive.links import Links
from analyzer.replay.derive.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.recording import Recording
    from analyzer.replay.derive.said import Said

FINAL, SUCCESS, FAILURE = 200, 200, 300


class Before(NamedTuple):
    """What comes before a turn."""

    cause: str | None = None
    after: tuple[str, ...] = ()


class Log:
    """What was said and heard so far, without what is implied by something later."""

    def __init__(self) -> None:
        self._turns: dict[str, None] = {}

    def add(self, turn: str, implied: Iterable[str]) -> None:
        """Add a turn, and leave out what must have been before it."""
        for one in implied:
            self._turns.pop(one, None)
        self._turns[turn] = None

    def all(self) -> tuple[str, ...]:
        """Return what is left."""
        return tuple(self._turns)


class _Dialog:
    """What a dialog has had so far."""

    def __init__(self) -> None:
        self.requests: dict[str, Said] = {}
        """The latest request of each party."""
        self.finals: dict[int, Said] = {}
        """The final answers, by the row of the request."""
        self.invites: dict[int, Said] = {}
        """The final answers to INVITE, by CSeq."""
        self.ack: Said | None = None
        self.begun: Said | None = None
        """The 2xx that began it."""
        self.reply: Said | None = None
        """The latest message of the server with replies."""
        self.chat: Said | None = None
        """The latest message of the server with somebody else's post."""
        self.log = Log()


class _Client:
    """What a client has said and heard so far."""

    def __init__(self) -> None:
        self.registered: Said | None = None
        self.connection: str | None = None
        self.log = Log()


class Order:
    """Works out what comes before each turn, turn by turn."""

    def __init__(
        self, recording: Recording, messages: Sequence[Said], roles: dict[str, str], book: Book
    ) -> None:
        self._links = Links(recording, messages)
        self._sources = Sources(book, messages)
        self._of = {one.row: one for one in messages}
        self._roles = roles
        self._dialogs: dict[str, _Dialog] = {}
        self._clients: dict[str, _Client] = {}

    def of(self, one: Said) -> Before:
        """Return what comes before a message; to be asked in the order of the recording."""
        if not one.live:
            asked = self._of.get(one.asked) if one.asked is not None else None
            return Before(None if asked is None else asked.turn)
        dialog = self._dialogs.setdefault(one.dialog, _Dialog())
        client = self._clients.setdefault(one.client, _Client())
        cause, after = self._before(one, dialog, client)
        if one.is_request and one.by != one.client and cause is None:
            after += self._sources.of(one, after)
        found = Before(cause, tuple(dict.fromkeys(after)))
        self._sources.note(one, found.after)
        self._note(one, dialog, client, found)
        return found

    def _before(self, one: Said, dialog: _Dialog, client: _Client) -> tuple[str | None, list[str]]:
        if not one.is_request:
            asked = self._of.get(one.asked) if one.asked is not None else None
            cause = None if asked is None or not asked.live else asked.turn
            return cause, [cause] if cause else []
        if one.method == "ACK":
            answer = dialog.invites.get(_number(one)) or dialog.begun
            return (answer.turn, [answer.turn]) if answer is not None else (None, [])
        causes = [self._of[row].turn for row in self._links.causes.get(one.row, ())]
        after = [*causes]
        if one.by == one.client:
            after += self._of_client(one, dialog, client)
        else:
            after += self._of_server(one, dialog)
        return (causes[-1] if causes else None), after

    def _of_client(self, one: Said, dialog: _Dialog, client: _Client) -> Iterable[str]:
        yield from _previous(one, dialog)
        if dialog.reply is not None:
            yield dialog.reply.turn
        if "grpchat" in one.items and dialog.chat is not None:
            yield dialog.chat.turn
        for row in self._links.needs.get(one.row, ()):
            yield self._of[row].turn
        first = one.by not in dialog.requests  # later ones of a dialog come after it anyway
        if first and client.registered is not None and one.method != "REGISTER":
            yield client.registered.turn
        moved = client.connection not in (None, one.voice.connection)
        if moved or (self._signs_off(one) and self._roles.get(one.dialog) != "lookup"):
            yield from client.log.all()
        elif one.method == "BYE" or "cmd:part" in one.items:
            yield from dialog.log.all()

    def _signs_off(self, one: Said) -> bool:
        """Say whether a request ends what the client came for."""
        if one.method == "BYE":
            return True
        within = one.message.to is not None and one.message.to.tag is not None
        ends = one.message.expires == 0 or "expires=0" in (
            one.message.headers.first("contact") or ""
        )
        return ends and (one.method == "REGISTER" or (one.method == "SUBSCRIBE" and within))

    def _of_server(self, one: Said, dialog: _Dialog) -> Iterable[str]:
        for row in self._links.causes.get(one.row, ()):
            answer = self._dialogs[self._of[row].dialog].finals.get(row)
            if answer is not None and answer.dialog == one.dialog:
                yield answer.turn
        known = dialog.requests.get(one.by) or dialog.ack or dialog.begun
        if known is not None:
            yield known.turn
        if one.method == "BYE":
            yield from dialog.log.all()

    def _note(self, one: Said, dialog: _Dialog, client: _Client, before: Before) -> None:
        status = one.message.status
        if status is None:
            self._note_request(one, dialog, client)
        elif status >= FINAL:
            self._note_final(one, dialog, client)
        else:
            return
        # What we said waited for all of ``after``; what we heard implies what it answers.
        said = one.by == one.client
        implied = before.after if said else filter(None, (before.cause,)) if status else ()
        implied = tuple(implied)
        client.log.add(one.turn, implied)
        dialog.log.add(one.turn, implied)

    def _note_request(self, one: Said, dialog: _Dialog, client: _Client) -> None:
        dialog.requests[one.by] = one
        if one.method == "ACK":
            dialog.ack = dialog.ack or one
        if one.by == one.client:
            client.connection = one.voice.connection
            return
        if any(name.startswith("rpl:") for name in one.items):
            dialog.reply = one
        elif "grpchat" in one.items and self._is_of_others(one):
            dialog.chat = one

    def _is_of_others(self, one: Said) -> bool:
        """Say whether posts are of somebody else than the client that hears them."""
        causes = [self._of[row] for row in self._links.causes.get(one.row, ())]
        return not causes or any(cause.client != one.client for cause in causes)

    def _note_final(self, one: Said, dialog: _Dialog, client: _Client) -> None:
        if one.asked is not None:
            dialog.finals[one.asked] = one
        status = one.message.status or 0
        if one.method == "INVITE":
            dialog.invites[_number(one)] = one
        if not SUCCESS <= status < FAILURE:
            return
        if one.method in ("INVITE", "SUBSCRIBE", "REFER"):
            dialog.begun = dialog.begun or one
        if one.method == "REGISTER" and one.by != one.client and one.message.expires != 0:
            client.registered = one


def _previous(one: Said, dialog: _Dialog) -> Iterable[str]:
    """Yield what the same side had to wait for in the dialog: an answer it had, the ACK it sent."""
    previous = dialog.requests.get(one.by)
    final = None if previous is None else dialog.finals.get(previous.row)
    confirmed = dialog.ack or dialog.begun
    if final is not None and previous is not None and previous.method != "INVITE":
        yield final.turn
    elif one.method == "CANCEL" and previous is not None:
        yield previous.turn
    elif confirmed is not None and one.message.to is not None and one.message.to.tag is not None:
        yield confirmed.turn
    elif final is not None:
        yield final.turn


def _number(one: Said) -> int:
    cseq = one.message.cseq
    return -1 if cseq is None else cseq.number
