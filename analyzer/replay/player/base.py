"""What both ends have: connections, and the way from bytes to messages and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analyzer.replay.actions import Close, Send
from analyzer.replay.heard import hear
from analyzer.replay.inbound import Inbound, Ping
from analyzer.replay.player.outgoing import CREDENTIALS, Draft, Wire
from analyzer.replay.player.timers import Timers
from dissectors.model import Malformed
from dissectors.sip.grammar import field_name
from dissectors.sip.parse import parse_message

if TYPE_CHECKING:
    from analyzer.replay.actions import Action, Address
    from analyzer.replay.heard import Heard
    from analyzer.replay.player.calls import Call
    from analyzer.replay.player.outgoing import Headers
    from analyzer.replay.player.progress import Ready
    from dissectors.sip.messages import SipMessage

MAX_ROUNDS = 100_000
"""Messages of one delivery: beyond it a peer does nothing but keep us busy."""


@dataclass
class Link:
    """A live connection."""

    number: int
    wire: Wire | None = None
    """None before it is open and after it has ended."""
    inbound: Inbound = field(default_factory=Inbound)
    scripted: str = ""
    """The connection of the script that it stands for, where there is one."""
    opening: bool = False
    waiting: list[Ready] = field(default_factory=list)
    """Turns to be said when it is open."""
    auth: Any = None
    """Who proves or demands who is there, on this connection."""


class Base:
    """The common half of a play."""

    def __init__(self, epoch: float) -> None:
        self.now = 0.0
        self._epoch = epoch
        self._actions: list[Action] = []
        self._links: dict[int, Link] = {}
        self.timers = Timers()

    def wire(self, connection: int) -> Wire | None:
        """Return where messages go out on a connection; None when it is closed."""
        link = self._links.get(connection)
        return link.wire if link else None

    def send(self, call: Call, draft: Draft, turn: str | None) -> bytes:
        """Send a message on the connection of a call, signed where that is demanded."""
        raw = draft.bytes()
        if not any(field_name(name) in CREDENTIALS for name, _ in draft.headers):
            more = self._signature(call, raw)
            raw = draft.bytes(more) if more else raw
        self._actions.append(Send(call.connection, raw, turn))
        return raw

    def repeat(self, call: Call, raw: bytes) -> None:
        """Send bytes once more."""
        self._actions.append(Send(call.connection, raw))

    def _signature(self, call: Call, raw: bytes) -> Headers:
        """Return the headers that sign a message."""
        link = self._links.get(call.connection)
        if link is None or link.auth is None:
            return []
        message = parse_message(raw)
        return [] if isinstance(message, Malformed) else self._sign(link, call, message)

    def _sign(self, link: Link, call: Call, message: SipMessage) -> Headers:
        raise NotImplementedError

    def _taken(self) -> list[Action]:
        """Return what is to be done, and forget it."""
        actions, self._actions = self._actions, []
        return actions

    def _open(self, number: int, local: Address, *, secure: bool) -> Link:
        link = self._links.setdefault(number, Link(number))
        link.wire, link.opening = Wire(local, secure), False
        return link

    def _end(self, link: Link, how: str = "fin") -> None:
        """Close a connection from our side."""
        if link.wire is not None:
            link.wire = None
            self._actions.append(Close(link.number, "rst" if how == "rst" else "fin"))

    def receive(self, connection: int, data: bytes, now: float) -> list[Action]:
        """Take bytes as they came, in any pieces."""
        self.now = now
        link = self._links.get(connection)
        if link is not None:
            for arrived in link.inbound.feed(data):
                if isinstance(arrived, Ping):
                    continue
                found = arrived if isinstance(arrived, Malformed) else hear(arrived)
                if isinstance(found, Malformed):
                    self._garbage(link, found)
                else:
                    self._heard(link, found)
            if link.inbound.stopped:
                self._end(link)
        self._advance()
        return self._taken()

    def wake(self, now: float) -> list[Action]:
        """Do what is due."""
        self.now = now
        self.timers.run(now)
        self._advance()
        return self._taken()

    def _heard(self, link: Link, heard: Heard) -> None:
        raise NotImplementedError

    def _garbage(self, link: Link, found: Malformed) -> None:
        raise NotImplementedError

    def _advance(self) -> None:
        raise NotImplementedError
