"""Who of those who come plays which client of the script.

The rule: people are told apart by address of record and connection, calls by Call-ID within these:
Call-IDs are not unique across clients, and a proxy brings many people on one connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.replay.script import Script

MAX_CALLS = 1_000_000
"""Call-IDs that are remembered; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Part:
    """A client of the script in one of the conversations."""

    conversation: int
    client: str
    scripted: str
    """The connection of the script that the live one stands for."""


@dataclass
class _Played:
    """Someone who plays a part."""

    part: Part
    person: str
    connection: int
    others: list[str] = field(default_factory=list)
    """Connections of the script that he has still to open."""
    here: bool = True


class Casting:
    """Gives out parts."""

    def __init__(self, script: Script) -> None:
        self._people: dict[str, str] = {}
        self._connections: dict[str, list[str]] = {}
        for party in script.clients:
            slot = script.slot(party.user) if party.user else None
            self._people[party.id] = slot.value.lower() if slot else ""
            self._connections[party.id] = [
                one.id for one in script.connections if one.live and one.opener == party.id
            ]
        self._played: dict[tuple[int, str], _Played] = {}
        """By connection and person."""
        self._calls: dict[tuple[int, str], str] = {}
        """Person of a call, by connection and Call-ID, to whom our requests in it go."""
        self._free: list[list[str]] = []
        """Clients that nobody plays, of each conversation."""
        self.count = 0
        """People who came, each as often as he came."""

    def known(self, connection: int, person: str) -> Part | None:
        """Return the part of someone who has one."""
        found = self._played.get((connection, person))
        return None if found is None else found.part

    def person(self, connection: int, call_id: str) -> str | None:
        """Return whose call it is."""
        return self._calls.get((connection, call_id))

    def forget(self, connection: int, person: str) -> None:
        """Let someone begin anew."""
        self._played.pop((connection, person), None)

    def heard(self, connection: int, person: str, call_id: str) -> None:
        """Remember whose call it is."""
        self._calls[connection, call_id] = person
        if len(self._calls) > MAX_CALLS:
            del self._calls[next(iter(self._calls))]

    def cast(self, connection: int, person: str, *, registers: bool) -> Part:
        """Return the part that someone gets who speaks on a connection for the first time."""
        played = self._came_back(person, registers=registers)
        if played is not None:
            scripted = played.others.pop(0) if played.others else played.part.scripted
            played.part = Part(played.part.conversation, played.part.client, scripted)
            played.connection, played.here = connection, True
            self._played[connection, person] = played
            return played.part
        conversation, client = self._vacancy(person)
        first, *others = self._connections[client] or [""]
        part = Part(conversation, client, first)
        self._played[connection, person] = _Played(part, person, connection, others)
        self.count += 1
        return part

    def _came_back(self, person: str, *, registers: bool) -> _Played | None:
        """Return whom somebody played before, where he goes on with that."""
        for played in reversed(list(self._played.values())):
            if played.person == person and (played.others or not (registers or played.here)):
                return played
        return None

    def _vacancy(self, person: str) -> tuple[int, str]:
        """Return a part that is free: the person's own, else the first, else in a new one."""
        for conversation, free in enumerate(self._free):
            own = next((one for one in free if self._people[one] == person), None)
            if own is not None:
                free.remove(own)
                return conversation, own
        known = person in self._people.values()
        for conversation, free in enumerate(self._free):
            if free and not known:
                return conversation, free.pop(0)
        clients = list(self._people)
        chosen = next((one for one in clients if self._people[one] == person), clients[0])
        clients.remove(chosen)
        self._free.append(clients)
        return len(self._free) - 1, chosen

    def left(self, connection: int) -> None:
        """Take note that a connection has ended."""
        for (number, _), played in self._played.items():
            if number == connection and played.connection == connection:
                played.here = False

    @property
    def all_gone(self) -> bool:
        """Return whether every part was played and everybody has left."""
        played = list(self._played.values())
        return (
            bool(played)
            and not any(self._free)
            and not any(one.here or one.others for one in played)
        )
