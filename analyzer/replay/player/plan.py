"""What can be known of a script before anything happens: who waits for what.

The rule: a plan is made once and shared by all conversations of one end; it is never written to.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analyzer.replay.names import canonical
from analyzer.replay.player.apart import rooms_apart
from analyzer.replay.script import SERVER
from analyzer.replay.template import slots_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.replay.script import Script, Slot, Turn
    from analyzer.replay.template import Template

FAILURE = 300
BROUGHT = frozenset({"uri", "room", "token", "opaque"})
"""Kinds of values without which one cannot go on as recorded."""
ITEM = re.compile(r"<(?:\w+:)?(?:cmd|rpl|ntc|grpchat)\b[^>]*?\bid=\"([^\"]{1,80})\"")
ROOT = re.compile(r"\s*(?:<\?[^>]{0,200}\?>)?\s*<(?:\w+:)?(\w+)")


class Plan:
    """The turns of one end."""

    def __init__(self, script: Script, ours: Iterable[str]) -> None:
        """Prepare the turns that ``ours`` say, and those that they hear."""
        script = self.script = rooms_apart(script)
        self.ours = frozenset(ours)
        between = self.ours | ({SERVER} if SERVER not in self.ours else _clients(script))
        self.turns = tuple(
            turn
            for turn in script.turns
            if turn.live and turn.speaker in between and turn.listener in between
        )
        self.number = {turn.id: number for number, turn in enumerate(self.turns)}
        self.at_ms = {turn.id: turn.at_ms for turn in script.turns}
        self.began = _instant(script.started)
        self.slots = {slot.name: slot for slot in script.slots}
        self.dialogs = {dialog.id: dialog for dialog in script.dialogs}
        self.connections = {one.id: one for one in script.connections}
        self.hard = {turn.id: self._hard(turn) for turn in self.turns}
        if SERVER not in self.ours:
            self._keep_order()
        self.dependents: dict[str, list[str]] = {}
        for turn in self.turns:
            for one in self.hard[turn.id]:
                self.dependents.setdefault(one, []).append(turn.id)
        self._gather()
        self.initial = self._initial()
        self.begins = self._begins()
        self.sign_ins = self._sign_ins()
        self.answered = frozenset(
            turn.answers for turn in self.turns if turn.answers and (turn.message.status or 0) > 199
        )
        """Requests that have a final response."""
        self.lost_answers = self._lost_answers()
        self.brings = self._brings()
        self.names = {turn.id: names_of(turn.message) for turn in self.turns}
        self.last_of = self._last_turns()
        self.first_of = self._first_turns()

    def turn(self, number: str) -> Turn:
        """Return a turn by its id."""
        return self.turns[self.number[number]]

    def is_ours(self, turn: Turn) -> bool:
        """Return whether we say it."""
        return turn.speaker in self.ours

    def client_of(self, turn: Turn) -> str:
        """Return the client in whose conversation a turn is."""
        return turn.listener if turn.speaker == SERVER else turn.speaker

    def _hard(self, turn: Turn) -> tuple[str, ...]:
        """Return what a turn really waits for.

        A server answers whoever comes: it waits for what brings a turn about, and of what the
        recording merely had before only where nothing is known to bring it about.
        """
        known = [*turn.after, *filter(None, (turn.cause, turn.answers))]
        if SERVER in self.ours and self.is_ours(turn):
            brought = turn.answers or turn.cause
            known = [brought] if brought else [*turn.after, *self._sources(turn)]
            if turn.message.method == "INVITE" and (turn.message.status or 0) >= FAILURE:
                known += self._cancels(turn)
        return tuple(dict.fromkeys(one for one in known if one in self.number and one != turn.id))

    def _keep_order(self) -> None:
        """Let a client say its requests of one dialog in the order in which it said them."""
        latest: dict[str, str] = {}
        for turn in self.turns:
            if turn.is_request and self.is_ours(turn):
                before = latest.get(turn.dialog)
                known = [*self.hard[turn.id], *self._sources(turn)]
                known += [before] if before is not None else []
                self.hard[turn.id] = tuple(dict.fromkeys(known))
                latest[turn.dialog] = turn.id

    def _cancels(self, turn: Turn) -> Iterator[str]:
        """Yield the CANCELs that came before a refusal: it answers them too (RFC 3261 9.2)."""
        for one in self.turns[: self.number[turn.id]]:
            if one.dialog == turn.dialog and one.message.method == "CANCEL" and one.is_request:
                yield one.id

    def _sources(self, turn: Turn) -> Iterator[str]:
        """Yield the peer's turns that bring what a body of ours says again."""
        for name in slots_of(turn.message.body):
            slot = self.slots.get(name)
            if slot is None or slot.said_by in self.ours or slot.turn not in self.number:
                continue
            if self.number[slot.turn] < self.number[turn.id]:
                yield slot.turn

    def _gather(self) -> None:
        self.responses: dict[str, list[Turn]] = {}
        self.caused: dict[str, list[Turn]] = {}
        self.turns_by_cause: dict[str, list[Turn]] = {}
        self.requests: dict[tuple[str, str], list[Turn]] = {}
        """Those of the peer, by dialog and method."""
        self.acks: dict[str, list[Turn]] = {}
        """Our ACKs of each dialog."""
        for turn in self.turns:
            if turn.cause:
                self.turns_by_cause.setdefault(turn.cause, []).append(turn)
            if turn.answers:
                self.responses.setdefault(turn.answers, []).append(turn)
            if self.is_ours(turn):
                if turn.message.method == "ACK":
                    self.acks.setdefault(turn.dialog, []).append(turn)
                cause = turn.answers or turn.cause
                if cause:
                    self.caused.setdefault(cause, []).append(turn)
            elif turn.is_request:
                method = turn.message.method.upper()
                self.requests.setdefault((turn.dialog, method), []).append(turn)

    def _lost_answers(self) -> frozenset[str]:
        """Return INVITEs whose 2xx the recording lacks, though their dialogs go on."""
        open_ = {
            turn.dialog: turn.id
            for turn in self.turns
            if turn.message.method == "INVITE" and turn.is_request and turn.id not in self.answered
        }
        used = {
            turn.dialog
            for turn in self.turns
            if turn.is_request and turn.message.method in ("INFO", "BYE", "UPDATE", "MESSAGE")
        }
        return frozenset(number for dialog, number in open_.items() if dialog in used)

    def _initial(self) -> dict[str, list[Turn]]:
        """Return of each client the peer's requests that may begin a dialog."""
        found: dict[str, list[Turn]] = {}
        begun: set[str] = set()
        for turn in self.turns:
            if turn.dialog not in begun and turn.is_request and not self.is_ours(turn):
                found.setdefault(self.client_of(turn), []).append(turn)
                begun.add(turn.dialog)
        return found

    def _sign_ins(self) -> dict[str, list[Turn]]:
        """Return of each client the REGISTERs that are no sign-off."""
        found: dict[str, list[Turn]] = {}
        for turn in self.turns:
            message = turn.message
            if (
                turn.is_request
                and message.method == "REGISTER"
                and message.header("Expires") != "0"
            ):
                found.setdefault(turn.speaker, []).append(turn)
        return found

    def _brings(self) -> dict[str, list[Slot]]:
        """Return values that a turn of the peer must bring, because we say them afterwards."""
        used = {
            name
            for turn in self.turns
            if self.is_ours(turn)
            for name in slots_of(turn.message.body) + slots_of(turn.message.header("To") or "")
        }
        found: dict[str, list[Slot]] = {}
        for slot in self.slots.values():
            if slot.name in used and slot.turn in self.number and slot.kind in BROUGHT:
                turn = self.turn(slot.turn)
                if not self.is_ours(turn) and slot.name in slots_of(turn.message.body):
                    found.setdefault(turn.id, []).append(slot)
        return found

    def _begins(self) -> dict[str, Turn]:
        """Return the first turn of each dialog."""
        found: dict[str, Turn] = {}
        for turn in self.turns:
            found.setdefault(turn.dialog, turn)
        return found

    def _first_turns(self) -> dict[str, Turn]:
        """Return the first turn of each connection."""
        found: dict[str, Turn] = {}
        for turn in self.turns:
            found.setdefault(turn.connection, turn)
        return found

    def _last_turns(self) -> dict[str, int]:
        """Return the number of the last turn on each connection."""
        found: dict[str, int] = {}
        for number, turn in enumerate(self.turns):
            found[turn.connection] = number
        return found


def client_plan(script: Script) -> Plan:
    """Return the plan of the clients' end."""
    return Plan(script, [party.id for party in script.clients])


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _clients(script: Script) -> frozenset[str]:
    return frozenset(party.id for party in script.clients)


def names_of(template: Template) -> tuple[str, ...]:
    """Return what the body of a template is: ids of XCCOS items, else the root element."""
    if "${" not in template.body and not template.body:
        return ()
    found = tuple(canonical(one) for one in ITEM.findall(template.body))
    if found:
        return found
    root = ROOT.match(template.body)
    return (f"<{root[1]}>",) if root else ()


def describe(turn: Turn, plan: Plan) -> str:
    """Return a turn in words: ``INFO cmd:join``, ``200 OK to INFO cmd:join``."""
    status = turn.message.status
    if status is None:
        return _request_words(turn)
    reason = turn.message.start.partition(" ")[2]
    request = plan.turn(turn.answers) if turn.answers in plan.number else None
    return f"{reason} to {_request_words(request) if request else turn.message.method}"


def _request_words(turn: Turn) -> str:
    message = turn.message
    names = [one for one in names_of(message) if not one.startswith("<")]
    event = message.header("Event") if message.method in ("SUBSCRIBE", "NOTIFY", "BENOTIFY") else ""
    more = ", ".join(_counted(names)) or (event or "").partition(";")[0]
    if not more and message.method == "REGISTER" and message.header("Expires") == "0":
        more = "(sign-off)"
    return f"{message.method} {more}".rstrip()


def _counted(names: list[str]) -> list[str]:
    return [
        name if names.count(name) == 1 else f"{name} ×{names.count(name)}"
        for name in dict.fromkeys(names)
    ]
