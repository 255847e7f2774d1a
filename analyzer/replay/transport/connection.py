"""One TCP connection of a carrier, with or without TLS inside it.

The rule: whoever owns it hears at most ``opened``, then data, then one ``ended``, in this order,
and nothing of what comes after it closed the connection itself; ``gone`` comes last and always,
once the socket is closed. Each write is one ``send`` to the system while that takes it, which
asyncio sets TCP_NODELAY for.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, Protocol

from analyzer.replay.actions import Address
from analyzer.replay.transport.tls import reason_of
from analyzer.replay.transport.unread import unread

if TYPE_CHECKING:
    from analyzer.replay.actions import Ended
    from analyzer.replay.transport.tls import TlsSession
    from analyzer.replay.wire import WireLog

MAX_UNSENT = 4 << 20
"""Bytes that wait because the peer does not read, before a further write breaks the connection:
more than a long history, and 500 peers that do not read fit into memory."""
HANDSHAKE_SECONDS = 10.0
"""As for TCP itself."""
LINGER_SECONDS = 2.0
"""How long a connection that we closed waits for the peer's FIN. Closing the socket at once would
answer what still comes with RST, which may cost the peer our last message (RFC 1122 4.2.2.13)."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST."""


class Owner(Protocol):
    """Whom a connection tells; it must not write or close from within."""

    @property
    def wire(self) -> WireLog | None:
        """Where everything is noted."""
        ...

    def on_opened(self, link: Link) -> None:
        """Hear that it can be used."""
        ...

    def on_data(self, link: Link, data: bytes) -> None:
        """Hear what came."""
        ...

    def on_ended(self, link: Link, how: Ended, reason: str) -> None:
        """Hear that the peer sends no more, or that TLS failed; ``reason`` is for a note."""
        ...

    def on_gone(self, link: Link) -> None:
        """Hear that the socket is closed."""
        ...


class Link(asyncio.Protocol):
    """One connection; ``tls`` None for plain TCP."""

    def __init__(
        self, owner: Owner, number: int, tls: TlsSession | None, *, outgoing: bool
    ) -> None:
        self.number = number
        self.local = self.remote = Address("", 0)
        self.opened = False
        """``opened`` was told."""
        self.heard_end = False
        """``ended`` was told, or is of no interest any more."""
        self.deaf = False
        """The play closed it: even what is on its way to it is not told any more."""
        self._loop = asyncio.get_running_loop()
        self._owner = owner
        self._connected = False
        self._tls = tls
        self._outgoing = outgoing
        self._transport: asyncio.Transport | None = None
        self._silent = False
        """We write no more."""
        self._closed = False
        """It is over for us: nothing more is told but ``gone``."""
        self._peer_silent = False
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._wire = 0

    @property
    def secure(self) -> bool:
        """Return whether TLS is inside."""
        return self._tls is not None

    @property
    def connected(self) -> bool:
        """Return whether there is, or was, a socket."""
        return self._connected

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: with TLS the handshake comes first."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connected = True
        self.local = _address(transport.get_extra_info("sockname"))
        self.remote = _address(transport.get_extra_info("peername"))
        if self._closed:
            transport.abort()
        elif self._tls is None:
            self._open()
        else:
            self._timer = self._loop.call_later(HANDSHAKE_SECONDS, self._too_slow)
            self._feed(b"")

    def data_received(self, data: bytes) -> None:
        """Take what came, and of TLS what is in it."""
        if self._tls is None:
            self._take(data)
        else:
            self._feed(data)

    def eof_received(self) -> bool:
        """Take note of the peer's FIN; the connection stays until we have closed too."""
        if self._tls is not None and not self._tls.ready:
            self._fail("the peer closed during the handshake")
        else:
            self._hear_end()
        return not self._silent

    def connection_lost(self, error: Exception | None) -> None:
        """Take note of the end of the socket, by the peer's RST where there is an error."""
        for timer in (self._timer, self._stalled):
            if timer is not None:
                timer.cancel()
        if error is not None and self._transport is not None and not self._closed:
            for data in unread(self._transport):
                self.data_received(data)
        if error is not None and self.opened:
            self._note_end("rst", outgoing=False)
        if error is not None and not self.heard_end:
            if self.opened:
                self._end("rst", "")
            else:
                self._fail("the peer broke the connection during the handshake")
        self._closed = self._silent = True
        self._transport = None
        self._owner.on_gone(self)

    # What the play wants

    def write(self, data: bytes) -> None:
        """Write, unless it was closed; a peer that reads nothing loses the connection."""
        transport = self._transport
        if self._silent or transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > MAX_UNSENT:
            self._note_end("rst", outgoing=True)
            self._end("rst", f"{self.remote} reads too slowly: connection broken")
            self._drop()
            return
        if self._owner.wire is not None:
            self._owner.wire.data(self._loop.time(), self._wire, data, outgoing=True)
        if self._tls is None:
            transport.write(data)
        else:
            self._tls.encrypt(data)
            self._flush()

    def close(self, how: Literal["fin", "rst", "half"]) -> None:
        """End it; after ``half`` it is still read."""
        if self._closed:
            return
        if how == "half":
            self._stop_writing()
            return
        self._closed = self.heard_end = self.deaf = True
        if self._transport is None:
            return
        self.resume()
        if how == "rst" or not self.opened:
            self._note_end("rst", outgoing=True)
            self._drop()
            return
        self._stop_writing()
        self._linger()

    def stall(self, seconds: float) -> None:
        """Do not read for some seconds; of two stalls the later end counts."""
        transport = self._transport
        if transport is None or self._closed or transport.is_closing():
            return
        until = self._loop.time() + seconds
        if self._stalled is not None:
            until = max(until, self._stalled.when())
            self._stalled.cancel()
        else:
            transport.pause_reading()
        self._stalled = self._loop.call_at(until, self.resume)

    def resume(self) -> None:
        """Read again."""
        if self._stalled is None:
            return
        self._stalled.cancel()
        self._stalled = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abandon(self) -> None:
        """Close the socket now, whatever is unsent or unread."""
        self._closed = self.heard_end = self.deaf = True
        if self._transport is not None:
            self._transport.abort()

    # TLS

    def _feed(self, data: bytes) -> None:
        assert self._tls is not None
        try:
            plain = self._tls.feed(data)
        except ssl.SSLError as error:
            if self._closed:
                self.abandon()
            else:
                self._flush()  # the alert says to the peer what was wrong
                self._fail(reason_of(error))
            return
        self._flush()
        if self._tls.ready and not self.opened:
            self._open()
        if plain:
            self._take(plain)
        if self._tls.ended:
            self._hear_end()

    def _flush(self) -> None:
        assert self._tls is not None
        data = self._tls.take()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _too_slow(self) -> None:
        self._fail(f"no TLS handshake within {HANDSHAKE_SECONDS:g} s")

    def _fail(self, reason: str) -> None:
        """End it because of TLS: before or after it was opened."""
        how: Ended = "rst" if self.opened else "tls"
        self._note_end("rst", outgoing=True)
        self._end(how, f"TLS with {self.remote}: {reason}")
        self._closed = self._silent = True
        if self._transport is not None:
            self._transport.close()

    # What the owner hears

    def _open(self) -> None:
        self.opened = True
        if self._timer is not None:
            self._timer.cancel()
        if self._owner.wire is not None:
            ends, secure = (self.local, self.remote), self._tls is not None
            self._wire = self._owner.wire.opened(
                self._loop.time(), *ends, outgoing=self._outgoing, secure=secure
            )
        self._owner.on_opened(self)

    def _take(self, data: bytes) -> None:
        if self._owner.wire is not None:
            self._owner.wire.data(self._loop.time(), self._wire, data, outgoing=False)
        if not self._closed and not self.heard_end:
            self._owner.on_data(self, data)

    def _hear_end(self) -> None:
        if self._peer_silent:
            return
        self._peer_silent = True
        self._note_end("fin", outgoing=False)
        self._end("fin", "")

    def _end(self, how: Ended, reason: str) -> None:
        if not self.heard_end:
            self.heard_end = True
            self._owner.on_ended(self, how, reason)

    def _note_end(self, how: Literal["fin", "rst"], *, outgoing: bool) -> None:
        if self._owner.wire is not None and self._wire:
            self._owner.wire.ended(self._loop.time(), self._wire, how, outgoing=outgoing)

    # The end of our own

    def _stop_writing(self) -> None:
        transport = self._transport
        if self._silent or transport is None or transport.is_closing():
            return
        self._silent = True
        self._note_end("fin", outgoing=True)
        if self._tls is not None:
            self._tls.shut()
            self._flush()
        try:
            transport.write_eof()
        except OSError:  # the peer has broken it, and we have not read that far
            self._note_end("rst", outgoing=False)
            self._end("rst", "")
            transport.abort()
        if self._peer_silent:
            transport.close()

    def _linger(self, unsent: int | None = None) -> None:
        """Wait for the peer's FIN, and for longer while it still reads."""
        transport = self._transport
        if transport is None:
            return
        left = transport.get_write_buffer_size()
        if unsent is not None and left >= unsent:
            self.abandon()
            return
        self._timer = self._loop.call_later(LINGER_SECONDS, self._linger, left)

    def _drop(self) -> None:
        """Break it: RST instead of FIN."""
        self._closed = self._silent = True
        transport = self._transport
        if transport is not None:
            raw: socket.socket = transport.get_extra_info("socket")
            with suppress(OSError):  # the peer was faster
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()


def _address(known: tuple[str, int] | None) -> Address:
    """Return an address of a socket; none when the peer broke it while it was accepted."""
    return Address("", 0) if known is None else Address(known[0], known[1])
