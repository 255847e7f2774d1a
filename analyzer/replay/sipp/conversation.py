"""One dialog of a script as SIPp can play it: one request of the client after the other.

The rule: the client's requests keep their order, and each waits for its answer; what the server
says is tied to the client's request that it follows. A SIPp scenario is a list, so requests that
the recording had under way at the same time are played one after the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.replay.script import SERVER

if TYPE_CHECKING:
    from analyzer.replay.script import Dialog, Script, Turn

CREATING = frozenset({"INVITE", "SUBSCRIBE"})
"""Methods whose 2xx makes a dialog (RFC 3261 section 12.1, RFC 6665 section 4.4.1)."""
UNANSWERED = frozenset({"ACK", "BENOTIFY"})
_REQUEST = re.compile(r"[A-Za-z0-9_-]{1,32} \S+ SIP/2\.0")
_PREFERRED = ("channel", "lookup")
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answers."""

    request: Turn
    provisional: tuple[Turn, ...] = ()
    final: Turn | None = None

    @property
    def method(self) -> str:
        """Return the method."""
        return self.request.message.method


@dataclass(slots=True)
class Step:
    """A request of the client and what the server says of its own accord afterwards."""

    exchange: Exchange
    spoken: list[Exchange] = field(default_factory=list)
    """Requests that the server sends after answering it: those that it brings about, and others
    that the recording has before the client's next request."""
    awaited: list[Exchange] = field(default_factory=list)
    """Those that the client hears before its next request."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one scenario plays."""

    dialog: Dialog
    client: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def creation(self) -> int | None:
        """Return the number of the step that makes the dialog; None where it was made before."""
        for number, step in enumerate(self.steps):
            final = step.exchange.final
            made = final is not None and (final.message.status or 0) in _SUCCESS
            if step.exchange.method in CREATING and made and self.is_inside(step.exchange):
                return number
        return None

    def is_inside(self, exchange: Exchange) -> bool:
        """Return whether an exchange belongs to the dialog, not to the registration before it."""
        return exchange.request.dialog == self.dialog.id

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the methods of the server's requests."""
        heard = (one.method for step in self.steps for one in step.spoken)
        return tuple(dict.fromkeys(heard))

    def cut(self, steps: int) -> Conversation:
        """Return its first steps, and the BYE that ends it."""
        ending = [one for one in self.steps[steps:] if one.exchange.method == "BYE"][:1]
        left_out = len(self.steps) - steps - len(ending)
        note = (
            f"{left_out} requests of the client at the end are left out: SIPp reads 64 KiB at most"
        )
        return Conversation(
            self.dialog,
            self.client,
            (*self.steps[:steps], *(Step(one.exchange) for one in ending)),
            (*self.notes, note),
        )


def conversation_of(script: Script, dialog: str | None, *, register: bool) -> Conversation:
    """Return what of a script is played.

    Args:
        script: a script of any size.
        dialog: its id in the script; None: the first channel, lookup or other dialog.
        register: whether the client's REGISTER comes first, where the script has one before.

    Raises:
        ValueError: no such dialog, or none that a client begins.
    """
    chosen = _chosen(script, dialog)
    client = chosen.client
    turns = [one for one in script.turns if one.live and one.dialog == chosen.id]
    turns = [one for one in turns if {one.speaker, one.listener} == {client, SERVER}]
    exchanges = _exchanges(turns)
    if not exchanges:
        raise ValueError(f"the dialog {chosen.id} has no request to be played")
    if exchanges[0].request.speaker == SERVER:
        raise ValueError(f"the dialog {chosen.id} begins with a request of the server")
    _check(exchanges)
    notes = []
    if any(one.method == "CANCEL" for one in exchanges):
        notes.append("CANCEL is left out: the request it is for gets its final answer at once")
    steps = _steps([one for one in exchanges if one.method != "CANCEL"])
    if any(len(_statuses(step)) > 1 for step in steps):
        notes.append(
            "where the client's answers differ between requests of one moment, it says 200"
        )
    before = _registration(script, client, turns[0]) if register else []
    return Conversation(chosen, client, (*before, *steps), tuple(notes))


def _check(exchanges: list[Exchange]) -> None:
    for one in exchanges:
        for turn in (*one.provisional, *((one.final,) if one.final else ())):
            if not 100 <= (turn.message.status or 0) < 700:
                raise ValueError(f"turn {turn.id} is no response: {turn.message.start[:60]!r}")
        if not _REQUEST.fullmatch(one.request.message.start):
            start = one.request.message.start
            raise ValueError(f"turn {one.request.id} is no request: {start[:60]!r}")


def _chosen(script: Script, dialog: str | None) -> Dialog:
    spoken = {turn.dialog for turn in script.turns if turn.live}
    known = [one for one in script.dialogs if one.id in spoken]
    if dialog is not None:
        for one in known:
            if one.id == dialog:
                return one
        names = ", ".join(one.id for one in known[:20]) or "none"
        raise ValueError(f"the script has no dialog {dialog!r} (it has {names})")
    for role in _PREFERRED:
        for one in known:
            if one.role == role:
                return one
    inviting = {
        turn.dialog for turn in script.turns if turn.live and turn.message.method == "INVITE"
    }
    for one in (*(one for one in known if one.id in inviting), *known):
        return one
    raise ValueError("the script has no dialog to be played")


def _exchanges(turns: list[Turn]) -> list[Exchange]:
    answers: dict[str, list[Turn]] = {}
    for turn in turns:
        if turn.answers:
            answers.setdefault(turn.answers, []).append(turn)
    found = []
    for turn in turns:
        if not turn.is_request or turn.copy_of:
            continue
        mine = answers.get(turn.id, [])
        final = next((one for one in mine if (one.message.status or 0) >= _SUCCESS.start), None)
        early = tuple(one for one in mine if (one.message.status or 0) < _SUCCESS.start)
        found.append(Exchange(turn, early, final))
    return found


def _steps(exchanges: list[Exchange]) -> list[Step]:
    steps: list[Step] = []
    number: dict[str, int] = {}
    for one in exchanges:
        if one.request.speaker != SERVER:
            number[one.request.id] = len(steps)
            steps.append(Step(one))
            continue
        steps[-1].awaited.append(one)
        cause = number.get(one.request.cause or "", len(steps) - 1)
        # What an INVITE brings about can only be said when its ACK made the dialog (RFC 3261 13.3).
        early = steps[cause].exchange.method in CREATING
        steps[-1 if early else cause].spoken.append(one)
    return steps


def _statuses(step: Step) -> set[int | None]:
    return {one.final.message.status for one in step.awaited if one.final is not None}


def _registration(script: Script, client: str, first: Turn) -> list[Step]:
    """Return the REGISTER before a dialog that was accepted."""
    earlier = script.turns[: script.turns.index(first)]
    turns = [one for one in earlier if one.live and client in (one.speaker, one.listener)]
    for one in _exchanges([turn for turn in turns if turn.message.method == "REGISTER"]):
        final = one.final
        if final is not None and (final.message.status or 0) in _SUCCESS:
            return [Step(one)]
    return []
