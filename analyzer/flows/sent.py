"""Posts as they left, messages as they were delivered, and what is known of those in the room."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from analyzer.commands import Command
    from analyzer.flows.chats import Chat
    from analyzer.flows.members import Endpoint
    from analyzer.flows.values import Copy

Key = tuple[str | None, str | None, str]


class Sent(NamedTuple):
    """A post as it left its author."""

    command: Command
    session: int
    chat: Chat
    author: str | None
    row: int
    """On the connection nearest to the author."""
    time: int


class Delivery(NamedTuple):
    """A chat message from the service."""

    endpoint: Endpoint
    row: int
    """On the connection nearest to the receiver."""
    time: int


class Known(NamedTuple):
    """What is known of those who were in the room when a post was written."""

    copies: tuple[Copy, ...]
    others: bool
    """Somebody else was in the room, by a list, a notice or what was written."""
    listed: bool
    """The author had got a list of those in the room."""


NOTHING = Known((), others=False, listed=False)
