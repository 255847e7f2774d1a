"""Whether what a script names is there: parties, connections, dialogs, slots, turns.

The rule: a name that nothing has is an error, wherever it stands; a thing that nothing names is a
warning at most.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from analyzer.replay.problem import error, warning
from analyzer.replay.slot_values import host_and_port, is_ip, misfit
from analyzer.replay.template import LENGTH, slots_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from analyzer.replay.problem import Problem
    from analyzer.replay.script import Connection, Script, Slot, Turn

CONNECTED = frozenset({"address", "host", "port"})
"""Kinds of slots whose values are those of connections."""
NAME = re.compile(r"[A-Za-z][\w.-]{0,80}")
"""Of a slot: what ``analyzer.replay.template.SLOT`` finds between the braces."""


class Names:
    """The ids of a script."""

    def __init__(self, script: Script) -> None:
        self.parties = {party.id: party for party in script.parties}
        self.connections = {one.id: one for one in script.connections}
        self.dialogs = {dialog.id: dialog for dialog in script.dialogs}
        self.slots = {slot.name: slot for slot in script.slots}
        self.turns = {turn.id: turn for turn in script.turns}


def check_names(script: Script, names: Names) -> Iterator[Problem]:
    """Yield what is named and absent, and what is there twice."""
    yield from _twice(script)
    yield from _parties(script, names)
    for connection in script.connections:
        yield from _connection(connection, names)
    for dialog in script.dialogs:
        place = f"dialog {dialog.id}"
        yield from _known(place, "party", (dialog.client,), names.parties)
        yield from _known(place, "slot", (dialog.call_id,), names.slots)
    for turn in script.turns:
        yield from _turn(turn, names)
    for slot in script.slots:
        yield from _slot(slot, names)
    yield from _use(script, names)


def turn_slots(turn: Turn) -> set[str]:
    """Return the slots of a turn's message and of its expectations."""
    found = set(turn.message.slots())
    for one in turn.expect:
        found.update(slots_of(one.equals))
    return found


def _twice(script: Script) -> Iterator[Problem]:
    groups: dict[str, Iterable[str]] = {
        "party": (party.id for party in script.parties),
        "connection": (one.id for one in script.connections),
        "dialog": (dialog.id for dialog in script.dialogs),
        "slot": (slot.name for slot in script.slots),
        "turn": (turn.id for turn in script.turns),
    }
    for kind, ids in groups.items():
        for name, count in Counter(ids).items():
            if count > 1:
                yield error(f"{kind} {name}", f"is there {count} times")


def _known(
    place: str, kind: str, wanted: Iterable[str | None], known: Iterable[str]
) -> Iterator[Problem]:
    for name in wanted:
        if name is not None and name not in known:
            yield error(place, f"names the {kind} {name}, which is not there")


def _parties(script: Script, names: Names) -> Iterator[Problem]:
    if not script.clients:
        yield error("parties", "there is no client, so that nobody can be played")
    if not any(party.kind == "server" for party in script.parties):
        yield error("parties", "there is no server, so that nobody answers the clients")
    for party in script.parties:
        place = f"party {party.id}"
        yield from _known(place, "slot", (party.user,), names.slots)
        slot = names.slots.get(party.user or "")
        if slot is not None and slot.kind != "user":
            yield error(
                place, f"has the slot {slot.name} for its user, which is of kind {slot.kind}"
            )


def _connection(one: Connection, names: Names) -> Iterator[Problem]:
    place = f"connection {one.id}"
    yield from _known(place, "party", (one.opener, one.responder, one.closed_by), names.parties)
    ends = {one.opener, one.responder}
    if len(ends) == 1:
        yield error(place, "has the same party at both ends")
    if one.closed_by is not None and one.closed_by not in ends:
        yield error(place, f"is closed by {one.closed_by}, which is at neither end")
    clients = [end for end in ends if end in names.parties and names.parties[end].kind == "client"]
    if one.live and not clients:
        yield error(place, "is live, and no client is at either end")
    for address in (one.opener_address, one.responder_address):
        parts = host_and_port(address)
        if parts is None or not is_ip(parts[0]):
            yield error(place, f"has the address {address[:60]!r}, which is no ip:port")


def _turn(turn: Turn, names: Names) -> Iterator[Problem]:
    place = f"turn {turn.id}"
    yield from _known(place, "party", (turn.speaker, turn.listener), names.parties)
    yield from _known(place, "connection", (turn.connection,), names.connections)
    yield from _known(place, "dialog", (turn.dialog,), names.dialogs)
    before = dict.fromkeys((turn.answers, turn.cause, turn.copy_of, *turn.after))
    yield from _known(place, "turn", before, names.turns)
    connection = names.connections.get(turn.connection)
    if connection and {turn.speaker, turn.listener} != {connection.opener, connection.responder}:
        yield error(
            place,
            f"is said by {turn.speaker} to {turn.listener} on {connection.id}, which is between "
            f"{connection.opener} and {connection.responder}",
        )
    yield from _known(place, "slot", sorted(turn_slots(turn) - {LENGTH}), names.slots)


def _slot(slot: Slot, names: Names) -> Iterator[Problem]:
    place = f"slot {slot.name}"
    if not NAME.fullmatch(slot.name):
        yield error(place, "cannot be referred to: a name is letters, digits, '_', '.' and '-'")
    elif slot.name == LENGTH:
        yield error(place, "is reserved for the length of the body")
    yield from _known(place, "party", (slot.said_by,), names.parties)
    yield from _known(place, "turn", (slot.turn,), names.turns)
    yield from _known(place, "slot", (slot.part_of,), names.slots)
    reason = misfit(slot.kind, slot.value)
    if reason:
        yield warning(place, f"is of kind {slot.kind}, and its value {slot.value[:60]!r} {reason}")


def _use(script: Script, names: Names) -> Iterator[Problem]:
    """Yield slots that nobody says: whoever waits for them gets the recorded value for ever."""
    said = {turn.id: frozenset(turn.message.slots()) for turn in script.turns}
    sayers, asked = _sayers(script, said)
    used = {party.user for party in script.parties} | {one.call_id for one in script.dialogs}
    used.update(slot.part_of for slot in script.slots)
    echoes: list[Slot] = []
    for slot in names.slots.values():
        place = f"slot {slot.name}"
        by = sayers.get(slot.name)
        if by is None and slot.name not in used:
            yield warning(place, "is in no message")
        elif slot.turn is not None and slot.name not in said.get(slot.turn, (slot.name,)):
            yield warning(place, f"is said first in turn {slot.turn}, which does not have it")
        elif not by or not _never_said(slot, by):
            continue
        elif slot.turn is None and slot.name not in asked:
            echoes.append(slot)
        else:
            yield warning(place, f"is said first by {slot.said_by}, who never says it")
    yield from _echoed(echoes)


def _sayers(
    script: Script, said: Mapping[str, frozenset[str]]
) -> tuple[dict[str, set[str]], set[str]]:
    """Return who says each slot in a play, and the slots that are in requests."""
    sayers: dict[str, set[str]] = {}
    asked: set[str] = set()
    for turn in script.turns:
        if turn.is_request:
            asked |= said[turn.id]
        # Only a regenerated capture has the others, and that is filled as recorded.
        for name in said[turn.id]:
            sayers.setdefault(name, set()).update((turn.speaker,) if turn.live else ())
    return sayers, asked


def _echoed(slots: Sequence[Slot]) -> Iterator[Problem]:
    """Yield one warning for all slots that only answers have: of requests that were not seen."""
    if slots:
        count = len(slots) - 1
        verb = "is" if count == 1 else "are"
        more = f"; so {verb} {count} more that only answers have" if count else ""
        yield warning(
            f"slot {slots[0].name}", f"is said first by {slots[0].said_by}, who never says it{more}"
        )


def _never_said(slot: Slot, by: set[str]) -> bool:
    """Tell whether who decides a value never says it; where one is connected is seen, not said."""
    return slot.said_by is not None and slot.said_by not in by and slot.kind not in CONNECTED
