"""All rooms that a capture speaks of, a line of facts for each.

Posts and copies are those of ``xccos flows``: a post that was repeated is one, and a copy is lost
where the member was in the room and its connection would have shown it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.flows.posting import POSTING
from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.flows.values import Copy, FlowRun
    from analyzer.model import Session

COPIES_STEP = POSTING.steps[-1].id
NOT_REACHED = "not reached"
"""How the detail of a step begins that the one before it did not let happen."""


@dataclass(slots=True)
class ChatRoom:
    """A room, as all sessions of a capture saw it."""

    uri: str
    name: str | None = None
    sessions: list[int] = field(default_factory=list)
    """Indexes of the sessions that spoke of it."""
    members: dict[str, None] = field(default_factory=dict)
    """Users who were in it and have a session in the capture, by plain URI."""
    refused: list[tuple[int, int]] = field(default_factory=list)
    """Sessions that were not let in, each with the row that says so."""
    received: int = 0
    """Chat messages that the service delivered."""
    posts: list[FlowRun] = field(default_factory=list)
    """In the order in which they were sent."""
    copies: int = 0
    """Copies of them that came, those to their authors too."""
    lost: int = 0


def chat_rooms(sessions: Iterable[Session], runs: Iterable[FlowRun]) -> dict[str, ChatRoom]:
    """Return all rooms by URI: those with lost copies or refusals first, then by posts.

    Args:
        sessions: of the capture.
        runs: of all flows (``analyzer.flows.runs.flows_of``).
    """
    found: dict[str, ChatRoom] = {}
    for session in sessions:
        for seen in session.rooms:
            room = _room(found, seen.uri)
            room.name = room.name or seen.name
            room.sessions.append(session.index)
            room.received += seen.received
            if seen.refused is not None:
                room.refused.append((session.index, seen.refused))
            if session.user and (seen.joined is not None or seen.posts or seen.received):
                room.members.setdefault(plain_uri(session.user))
    for run in runs:
        if run.flow == POSTING.name and run.row is not None and run.room is not None:
            room = _room(found, run.room)
            room.posts.append(run)
            room.copies += sum(one.row is not None for one in run.copies)
            room.lost += len(lost_of(run))
    for room in found.values():
        room.posts.sort(key=lambda run: run.row or 0)  # flows come session by session
    ranked = sorted(found.values(), key=_rank)
    return {room.uri: room for room in ranked}


def _room(found: dict[str, ChatRoom], uri: str) -> ChatRoom:
    room = found.get(uri)
    if room is None:
        room = found[uri] = ChatRoom(uri)
    return room


def _rank(room: ChatRoom) -> tuple[int, int, int, int, str]:
    spoken = len(room.posts) + room.received
    return -room.lost, -len(room.refused), -spoken, -len(room.members), room.uri


def is_spread(run: FlowRun) -> bool:
    """Say whether a post got so far that copies of it were due."""
    step = next((one for one in run.steps if one.id == COPIES_STEP), None)
    return step is None or not step.detail.startswith(NOT_REACHED)


def lost_of(run: FlowRun) -> Sequence[Copy]:
    """Return the copies of a post that never came though the capture would show them."""
    if not is_spread(run):
        return ()
    return [one for one in run.copies if one.row is None and one.captured]
