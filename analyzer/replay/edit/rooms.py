"""Rooms of a script: what they are called, and how one gets a domain of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.replay.fill import is_xml
from analyzer.replay.script import Slot
from analyzer.replay.template import SLOT, fill
from dissectors.model import Malformed
from dissectors.xccos.xml import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.replay.script import Expectation, Script, Turn

ROOM_URI = re.compile(r"ma-chan://([^/\s]+)/([^/\s]+)")
_SLOT = r"\$\{%s\}"
_ANY_DOMAIN = r"(?:\$\{[\w.-]+\}|[\w.-]+)"
_NAMED = re.compile(r"ma-chan://[^/\s]+/\$\{([\w.-]+)\}")


def room_names(script: Script) -> dict[str, str]:
    """Return what rooms are called, by the names of their slots."""
    values = {slot.name: slot.value for slot in script.slots}
    rooms = {slot.name: "" for slot in script.slots if slot.kind == "room"}
    for turn in script.turns:
        for uri, name in _named(turn.message.body):
            found = _NAMED.fullmatch(uri)
            if found is not None and rooms.get(found[1]) == "":
                rooms[found[1]] = fill(name, lambda slot: values.get(slot, ""))
    return rooms


def _named(body: str) -> Iterator[tuple[str, str]]:
    """Yield URI and name of the rooms that a body describes."""
    if "ma-chan://" not in body or " name=" not in body or not is_xml(body):
        return
    parsed = parse(body.encode())
    if isinstance(parsed, Malformed):
        return
    for node in parsed.root.iter():
        uri, name = node.get("uri"), node.get("name")
        if uri and name:
            yield uri, name


def with_own_domain(script: Script, room: str, domain: str) -> Script:
    """Return a script in which a room is in this domain, whatever the other domains are."""
    values = {slot.name: slot.value for slot in script.slots}
    places = _Places(room)
    now = {
        fill(one, lambda name: values.get(name, ""))
        for turn in script.turns
        for one in places.domains(turn.message.body)
    }
    if now <= {domain}:
        return script
    own = places.own
    slots = [slot for slot in script.slots if slot.name != own]
    at = next(at for at, slot in enumerate(slots) if slot.name == room) + 1
    slots.insert(at, Slot(own, "domain", domain, where=f"domain of {room}"))
    turns = tuple(_turn(turn, places) for turn in script.turns)
    left = _domains(script.turns, script) - _domains(turns, script)
    return replace(
        script, slots=tuple(slot for slot in slots if slot.name not in left), turns=turns
    )


def _domains(turns: Iterable[Turn], script: Script) -> set[str]:
    """Return the slots of domains that are in messages."""
    known = {slot.name for slot in script.slots if slot.kind == "domain"}
    return {name for turn in turns for name in turn.message.slots()} & known


class _Places:
    """Where the domain of a room stands: in its URI, and beside its id in ``chanid`` and others."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.own = f"{room[:70]}.domain"
        slot = _SLOT % re.escape(room)
        self._uri = re.compile(rf"(ma-chan://)({_ANY_DOMAIN})(/{slot})")
        self._before = re.compile(
            rf"(\bdomain=[\"'])({_ANY_DOMAIN})([\"'][^<>]*?\bvalue=[\"']{slot})"
        )
        self._behind = re.compile(
            rf"(\bvalue=[\"']{slot}[\"'][^<>]*?\bdomain=[\"'])({_ANY_DOMAIN})([\"'])"
        )

    def domains(self, text: str) -> Iterator[str]:
        """Yield what stands there now."""
        if self.room in text:
            for pattern in (self._uri, self._before, self._behind):
                yield from (match[2] for match in pattern.finditer(text))

    def changed(self, text: str) -> str:
        """Return a text with the room's own domain there."""
        if self.room not in text:
            return text
        for pattern in (self._uri, self._before, self._behind):
            text = pattern.sub(lambda match: f"{match[1]}${{{self.own}}}{match[3]}", text)
        return text


def _turn(turn: Turn, places: _Places) -> Turn:
    message = replace(turn.message, body=places.changed(turn.message.body))
    rooms = {one.path for one in turn.expect if one.equals == f"${{{places.room}}}"}
    expect = tuple(_expectation(one, places, rooms) for one in turn.expect)
    return replace(turn, message=message, expect=expect)


def _expectation(one: Expectation, places: _Places, rooms: set[str]) -> Expectation:
    """Change a URI that is expected, and the domain beside the id of the room."""
    element, at, name = one.path.rpartition("@")
    if at and name == "domain" and f"{element}@value" in rooms and SLOT.search(one.equals):
        return replace(one, equals=f"${{{places.own}}}")
    return replace(one, equals=places.changed(one.equals))
