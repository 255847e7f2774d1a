"""Rooms and posts as one session saw them: joined, refused, left, written into, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.model import Post, Room

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.contents import Element
    from analyzer.model import CommandPair, Reply
    from analyzer.room_reader import RoomReader

JOINING = ("join", "bjoin")
SUCCESS = "2"
"""First digit of ``resp@code`` of a success."""


@dataclass(slots=True)
class RoomDraft:
    """A room while what happened in it is collected."""

    uri: str
    name: str | None = None
    joined: int | None = None
    refused: int | None = None
    left: int | None = None
    posts: int = 0
    received: int = 0

    def room(self) -> Room:
        """Return it as a value."""
        refused = None if self.joined is not None else self.refused
        return Room(self.uri, self.name, self.joined, refused, self.left, self.posts, self.received)


class RoomBook:
    """Keeps the rooms of one session."""

    def __init__(self, reader: RoomReader) -> None:
        self._reader = reader
        self._rooms: dict[str, RoomDraft] = {}
        self.posts: list[Post] = []

    def rooms(self) -> tuple[Room, ...]:
        """Return the rooms in the order in which they are first spoken of."""
        return tuple(draft.room() for draft in self._rooms.values())

    def note_pairs(self, pairs: Iterable[CommandPair]) -> None:
        """Take in commands and posts."""
        for pair in pairs:
            if pair.kind == "grpchat":
                self._post(pair)
            elif pair.command in JOINING:
                self._join(pair)
            elif pair.command == "part":
                self._part(pair)
            elif pair.command == "bccontext":
                for uri in pair.rooms:
                    self._room(uri)

    def note_deliveries(self, elements: Sequence[Element], first_items: Sequence[int]) -> None:
        """Take in chat messages from the service; ``first_items`` is the rows' item column."""
        for element in elements:
            facts = self._reader.facts(element.row, element.item - first_items[element.row])
            for uri in facts.rooms[:1]:
                self._room(uri).received += 1

    def _room(self, uri: str) -> RoomDraft:
        draft = self._rooms.get(uri)
        if draft is None:
            draft = self._rooms[uri] = RoomDraft(uri)
        return draft

    def _post(self, pair: CommandPair) -> None:
        if pair.row is None:
            return
        room = pair.rooms[0] if pair.rooms else None
        self.posts.append(Post(pair.index, pair.row, pair.user, room))
        if room is not None:
            self._room(room).posts += 1

    def _join(self, pair: CommandPair) -> None:
        for uri in pair.rooms:
            draft = self._room(uri)
            if pair.outcome == "rejected" and draft.refused is None:
                draft.refused = pair.row
        for reply in pair.replies:
            self._join_reply(pair, reply)

    def _join_reply(self, pair: CommandPair, reply: Reply) -> None:
        facts = self._reader.facts(reply.row, reply.item)
        good = reply.code is None or reply.code.startswith(SUCCESS)
        for uri in facts.failed if good else (*pair.rooms, *facts.failed):
            draft = self._room(uri)
            if draft.refused is None:
                draft.refused = reply.row
        if not good:
            return
        for uri in facts.rooms:
            draft = self._room(uri)
            if draft.joined is None:
                draft.joined = reply.row
            draft.name = draft.name or facts.names.get(uri)
            draft.left = None

    def _part(self, pair: CommandPair) -> None:
        reply = pair.replies[0] if pair.replies else None
        for uri in pair.rooms:
            draft = self._room(uri)
            if reply is not None:
                draft.left = reply.row
