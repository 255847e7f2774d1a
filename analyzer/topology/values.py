"""Nodes and edges of a topology.

A machine is known by its address without the port: the ports of clients and of proxied legs are
chosen anew for each connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["client", "front end", "server", "lookup", "channel", "room"]
"""``front end``: what clients are connected to. ``server``: what is seen only behind one."""
KINDS: tuple[Kind, ...] = ("client", "front end", "server", "lookup", "channel", "room")
LAYERS: dict[Kind, int] = {
    "client": 0,
    "front end": 1,
    "server": 2,
    "lookup": 3,
    "channel": 3,
    "room": 4,
}
Way = Literal["connection", "proxied leg", "not captured", "dialogs", "room"]
"""``connection``: of a client. ``proxied leg``: between servers. ``not captured``: the client is
somewhere behind a server. ``dialogs``: with a service, over the connections. ``room``: what was
said in it and about it."""


@dataclass(slots=True)
class Node:
    """One party."""

    id: str
    kind: Kind
    name: str
    address: str = ""
    """Host of a machine, URI of a service or room; of a client its host."""
    user: str = ""
    """URI of a client's user."""
    sessions: dict[int, None] = field(default_factory=dict)
    """Indexes of the sessions that it takes part in."""
    members: tuple[str, ...] = ()
    """Ids of the nodes that a group stands for."""


@dataclass(slots=True)
class Volume:
    """What went between two nodes, in both directions."""

    way: Way
    messages: int = 0
    size: int = 0
    """Bytes of SIP messages."""
    errors: int = 0
    """Error answers of SIP (no challenges), commands without an answer or refused by it."""
    error_row: int | None = None
    """Row of the first of them."""

    def add(self, size: int, *, messages: int = 1) -> None:
        """Count a message."""
        self.messages += messages
        self.size += size

    def fail(self, row: int, count: int = 1) -> None:
        """Count errors."""
        self.errors += count
        if self.error_row is None or row < self.error_row:
            self.error_row = row

    def join(self, other: Volume) -> None:
        """Take in what another one counted."""
        self.messages += other.messages
        self.size += other.size
        if other.errors and other.error_row is not None:
            self.fail(other.error_row, other.errors)


def host_of(address: str) -> str:
    """Return an address without its port: ``10.0.0.1``, ``[2001:db8::1]``, a name."""
    host, _, port = address.rpartition(":")
    return host if host and port.isdecimal() else address
