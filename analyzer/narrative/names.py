"""What people and rooms are called in sentences: short where that is unambiguous."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.flows.values import FlowStep
    from analyzer.model import Room, Session

SHOWN = 4
"""Rooms or people that a sentence names; of more it says how many."""
ROOM_SCHEME = "ma-chan://"


class Names:
    """Names of the people and rooms of one capture."""

    def __init__(self, users: Iterable[str | None]) -> None:
        addresses = {_address(user) for user in users if user}
        self._taken: dict[str, int] = {}
        for address in addresses:
            local = address.partition("@")[0]
            self._taken[local] = self._taken.get(local, 0) + 1

    def person(self, uri: str | None) -> str:
        """Return ``user1``, or ``user1@contoso.com`` where there are two of that name."""
        if not uri:
            return "a client"
        address = _address(uri)
        local = address.partition("@")[0]
        return local if local and self._taken.get(local, 0) < 2 else address

    def people(self, uris: Sequence[str | None]) -> str:
        """Return several people, the first ones by name."""
        return listed([self.person(uri) for uri in uris], "others")


def names_of(sessions: Iterable[Session]) -> Names:
    """Return the names of the people who have a session."""
    return Names(session.user for session in sessions)


def room_names(rooms: Iterable[Room]) -> dict[str, str]:
    """Return the names of rooms by URI, of those that have one."""
    return {room.uri: room.name for room in rooms if room.name}


def room_text(names: Mapping[str, str], uri: str | None) -> str:
    """Return a room as a sentence names it: ``*Sales*``, without a name the end of its URI."""
    return f"*{names.get(uri) or short_room(uri)}*" if uri else "a room"


def short_room(uri: str) -> str:
    """Return the part of a room's URI that tells rooms apart: what follows the domain."""
    is_room = uri[: len(ROOM_SCHEME)].casefold() == ROOM_SCHEME
    return uri.rpartition("/")[2] if is_room else uri


def listed(names: Sequence[str], rest: str) -> str:
    """Return ``a, b and c``; of more than a few ``a, b, c, d and 9 others``."""
    shown = list(names)
    if len(shown) > SHOWN + 1:
        shown[SHOWN:] = [f"{len(names) - SHOWN} {rest}"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def steps_text(steps: Sequence[FlowStep]) -> str:
    """Return ``step 5``, ``steps 5 to 10`` or ``steps 2, 3 and 7 to 10``."""
    spans: list[list[str]] = []
    for step in steps:
        if spans and _follows(spans[-1][-1], step.id):
            spans[-1].append(step.id)
        else:
            spans.append([step.id])
    parts: list[str] = []
    for span in spans:
        parts += [f"{span[0]} to {span[-1]}"] if len(span) > 2 else span
    text = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
    return f"step{'' if len(steps) == 1 else 's'} {text}"


def _follows(before: str, after: str) -> bool:
    numbers = before.isdecimal() and after.isdecimal()
    return numbers and int(after) == int(before) + 1


def _address(uri: str) -> str:
    return plain_uri(uri).partition(":")[2] or uri
