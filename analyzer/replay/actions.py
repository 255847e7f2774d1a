"""What passes between whoever plays and whoever carries the bytes.

The rule: a player has no socket and no clock. It is told what happened and when (seconds of a clock
that never goes back), and gives back what is to be done. ``Play`` is one play of one end; wrappers
(faults) and carriers (asyncio, memory) know nothing else of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from analyzer.replay.results import Outcome


class Address(NamedTuple):
    """An IP address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Open(NamedTuple):
    """Connect to the target. ``opened`` or ``ended`` (``refused``) answers it."""

    connection: int
    """A number chosen by the player, unique in its play; a server's carrier chooses its own."""


class Send(NamedTuple):
    """Write bytes: one SIP message, a keep-alive, or, behind a fault, a piece of one."""

    connection: int
    data: bytes
    turn: str | None = None
    """Which turn of the script it is; None: the play's own doing (an ACK, a challenge, a retry)."""


class Close(NamedTuple):
    """End a connection: ``fin`` closes it, ``rst`` breaks it, ``half`` only stops writing."""

    connection: int
    how: Literal["fin", "rst", "half"] = "fin"


class Stall(NamedTuple):
    """Stop reading from a connection for some seconds."""

    connection: int
    seconds: float


Action = Open | Send | Close | Stall

Ended = Literal["fin", "rst", "refused", "timeout", "tls"]
"""How a connection ended: closed or broken by the peer, or never opened."""


class Play(Protocol):
    """One end of a play. Every method takes the time and returns what to do, in order."""

    def start(self, now: float) -> list[Action]:
        """Begin. A server does nothing yet."""
        ...

    def opened(
        self, connection: int, local: Address, remote: Address, *, secure: bool, now: float
    ) -> list[Action]:
        """Take note of a connection: one that was asked for, or that a peer opened."""
        ...

    def receive(self, connection: int, data: bytes, now: float) -> list[Action]:
        """Take bytes as they came, in any pieces."""
        ...

    def ended(self, connection: int, how: Ended, now: float) -> list[Action]:
        """Take note that a peer sends no more (its own writing may still be possible)."""
        ...

    def wake(self, now: float) -> list[Action]:
        """Do what is due."""
        ...

    @property
    def due(self) -> float | None:
        """When ``wake`` is to be called; None: not before something happens."""
        ...

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen: the carrier closes what is open and stops."""
        ...

    def abort(self, now: float, reason: str) -> list[Action]:
        """End early and politely: CANCEL, BYE and un-REGISTER what is open."""
        ...

    def outcome(self) -> Outcome:
        """Return what was found so far."""
        ...


class WireEvent(NamedTuple):
    """Something on the wire, as the carrier saw it, for the capture of a play."""

    time_ns: int
    """Since 1970 UTC."""
    connection: int
    kind: Literal["open", "data", "fin", "rst"]
    outgoing: bool
    """From our side; of ``open``: we connected."""
    data: bytes = b""
    local: Address | None = None
    """Both addresses with ``open``."""
    remote: Address | None = None
    secure: bool = False
    """With ``open``: what follows was inside TLS (``data`` is the plaintext)."""
