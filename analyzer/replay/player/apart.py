"""Rooms with domains of their own: a server may keep rooms in another domain than its users.

The rule: where a room is named, domain and id go together. What the recording had in common (the
domain of the users is that of the rooms) is no fact about the peer of a play.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.replay.script import Slot

if TYPE_CHECKING:
    from analyzer.replay.script import Expectation, Script, Turn

OWN = ".domain"
"""``room1.domain``: the domain of ``room1``."""
_SLOT = r"\$\{([\w.-]+)\}"
_PATTERNS = (
    re.compile(rf"(ma-chan://){_SLOT}(/){_SLOT}"),
    re.compile(rf"(\bdomain=[\"']){_SLOT}([\"'][^<>]*?\bvalue=[\"']){_SLOT}"),
)
_BEHIND = re.compile(rf"(\bvalue=[\"']){_SLOT}([\"'][^<>]*?\bdomain=[\"']){_SLOT}")


def rooms_apart(script: Script) -> Script:
    """Return a script in which every room has a slot for its domain."""
    rooms = {slot.name: slot for slot in script.slots if slot.kind == "room"}
    domains = {slot.name: slot for slot in script.slots if slot.kind == "domain"}
    if not rooms or not domains:
        return script
    apart = _Apart(rooms, domains)
    turns = tuple(apart.turn(turn) for turn in script.turns)
    return replace(script, turns=turns, slots=(*script.slots, *apart.slots.values()))


class _Apart:
    def __init__(self, rooms: dict[str, Slot], domains: dict[str, Slot]) -> None:
        self._rooms = rooms
        self._domains = domains
        self.slots: dict[str, Slot] = {}

    def turn(self, turn: Turn) -> Turn:
        body = self._text(turn.message.body)
        expect = tuple(self._expectation(one) for one in turn.expect)
        if body == turn.message.body and expect == turn.expect:
            return turn
        return replace(turn, message=replace(turn.message, body=body), expect=expect)

    def _expectation(self, one: Expectation) -> Expectation:
        equals = self._text(one.equals)
        return one if equals == one.equals else replace(one, equals=equals)

    def _text(self, text: str) -> str:
        if "${" not in text:
            return text
        for pattern in _PATTERNS:
            text = pattern.sub(lambda found: self._named(found, found[2], found[4]), text)
        return _BEHIND.sub(lambda found: self._behind(found), text)

    def _named(self, found: re.Match[str], domain: str, room: str) -> str:
        own = self._own(domain, room)
        return found[0] if own is None else f"{found[1]}${{{own}}}{found[3]}${{{room}}}"

    def _behind(self, found: re.Match[str]) -> str:
        own = self._own(found[4], found[2])
        return found[0] if own is None else f"{found[1]}${{{found[2]}}}{found[3]}${{{own}}}"

    def _own(self, domain: str, room: str) -> str | None:
        """Return the slot for the domain of a room; None where it is something else."""
        known, of = self._domains.get(domain), self._rooms.get(room)
        if known is None or of is None or domain.endswith(OWN):
            return None
        name = room + OWN
        if name not in self.slots and name not in self._domains:
            self.slots[name] = Slot(
                name, "domain", known.value, of.said_by, of.turn, f"domain of {room}", known.part_of
            )
        return name
