"""Rooms and posts as one session saw them: joined, refused, left, written into, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.model import Post, Room

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.commands import Answer, Command
    from analyzer.contents import Elements
    from analyzer.outcomes import OutcomeJudge
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

    def __init__(self, reader: RoomReader, outcomes: OutcomeJudge, elements: Elements) -> None:
        self._reader = reader
        self._outcomes = outcomes
        self._elements = elements
        self._rooms: dict[str, RoomDraft] = {}
        self.posts: list[Post] = []

    def rooms(self) -> tuple[Room, ...]:
        """Return the rooms in the order in which they are first spoken of."""
        return tuple(draft.room() for draft in self._rooms.values())

    def note_commands(self, commands: Iterable[Command]) -> None:
        """Take in commands and posts."""
        for command in commands:
            if command.post:
                self._post(command)
            elif command.name in JOINING:
                self._join(command)
            elif command.name == "part":
                self._part(command)
            elif command.name == "bccontext":
                for uri in self._outcomes.rooms(command):
                    self._room(uri)

    def note_deliveries(self, elements: Sequence[int]) -> None:
        """Take in chat messages from the service."""
        row_of, position = self._elements.row, self._elements.position
        for element in elements:
            facts = self._reader.facts(row_of[element], position(element))
            for uri in facts.rooms[:1]:
                self._room(uri).received += 1

    def _room(self, uri: str) -> RoomDraft:
        draft = self._rooms.get(uri)
        if draft is None:
            draft = self._rooms[uri] = RoomDraft(uri)
        return draft

    def _post(self, post: Command) -> None:
        if post.element < 0:
            return
        rooms = self._outcomes.rooms(post)
        room = rooms[0] if rooms else None
        self.posts.append(Post(post.index, post.row, self._outcomes.user(post), room))
        if room is not None:
            self._room(room).posts += 1

    def _join(self, command: Command) -> None:
        rooms = self._outcomes.rooms(command)
        for uri in rooms:
            draft = self._room(uri)
            if command.outcome == "rejected" and draft.refused is None:
                draft.refused = command.row
        for reply in command.answers:
            self._join_reply(rooms, reply)

    def _join_reply(self, rooms: tuple[str, ...], reply: Answer) -> None:
        facts = self._reader.facts(reply.row, self._elements.position(reply.element))
        good = is_good(self._outcomes.code(reply))
        for uri in facts.failed if good else (*rooms, *facts.failed):
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

    def _part(self, command: Command) -> None:
        for uri in self._outcomes.rooms(command):
            draft = self._room(uri)
            if command.answers:
                draft.left = command.answers[0].row


def is_good(code: str | None) -> bool:
    """Say whether the code of a reply, where it has one, is that of a success."""
    return code is None or code.startswith(SUCCESS)
