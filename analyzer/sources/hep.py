"""HEP from the network: agents send what they see to a port of ours, over UDP or TCP.

The one rule: nothing that a stranger sends costs more than its own bytes. A packet is 64 KiB at
most, connections are few, and what waits to be read waits in the system's buffers, which drop it.
HEP has no authentication that deserves the name: whoever reaches the port is believed.
"""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from ipaddress import ip_address
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from analyzer.sources.files import SourceError
from dissectors.transport import hep

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = 9060
"""The one that HOMER's agents send to by default."""
MAX_CONNECTIONS = 64
"""Of agents, over TCP; one agent has one."""
MAX_PACKET = 65_535
"""Bytes: the length of a packet has two bytes."""
AT_ONCE = 512
"""Packets that are taken between two looks at whether to go on."""
_BUFFER = 4 << 20  # of the system, for packets that wait: half a second of a busy front end
_BACKLOG = 16

_CHUNK = Struct("!HHH").pack
_U8, _U16, _U32 = Struct("!B").pack, Struct("!H").pack, Struct("!I").pack
_SECOND = 10**9
_FAMILIES = {4: 2, 16: 10}
_PROTOCOLS = {"udp": 17, "tcp": 6, "tls": 6}


class Received(NamedTuple):
    """Bytes that came."""

    data: bytes
    """One packet, or what came in the place of one."""
    peer: str
    """Who sent it: ``address:port``."""


def packet(
    data: bytes, key: bytes, transport: str, time_ns: int, *, agent: int = 1, compress: bool = False
) -> bytes:
    """Return a packet of version 3 with a SIP payload.

    Args:
        data: what the agent saw.
        key: addresses and ports as in ``dissectors.model.Segment``.
        transport: ``udp``, ``tcp`` or ``tls``; HEP has no number for TLS.
        time_ns: when it was seen; the microseconds of it are sent.
        agent: number of the agent.
        compress: send it with zlib.

    Raises:
        ValueError: It does not fit into a packet.
    """
    size = (len(key) - 4) // 2
    seconds, fraction = divmod(time_ns, _SECOND)
    source = hep.IPV4_SOURCE if size == 4 else hep.IPV6_SOURCE
    kind = hep.PAYLOAD
    if compress:
        import zlib

        data, kind = zlib.compress(data), hep.COMPRESSED
    chunks = [
        (hep.FAMILY, _U8(_FAMILIES[size])),
        (hep.IP_PROTOCOL, _U8(_PROTOCOLS[transport])),
        (source, key[:size]),
        (source + 1, key[size : 2 * size]),
        (hep.SOURCE_PORT, key[-4:-2]),
        (hep.TARGET_PORT, key[-2:]),
        (hep.SECONDS, _U32(seconds)),
        (hep.MICROSECONDS, _U32(fraction // 1000)),
        (hep.PROTOCOL, _U8(hep.SIP)),
        (hep.AGENT, _U32(agent)),
        (kind, data),
    ]
    total = hep.HEAD + sum(6 + len(value) for _, value in chunks)
    if total > MAX_PACKET:
        raise ValueError(f"a packet of {total} bytes: HEP has room for {MAX_PACKET}")
    body = b"".join(_CHUNK(0, kind, 6 + len(value)) + value for kind, value in chunks)
    return hep.MAGIC + _U16(total) + body


class Listener:
    """Sockets that take HEP; ``close`` them, or use it as a context manager."""

    def __init__(self, host: str, port: int, *, tcp: bool = False) -> None:
        """Bind ``host`` and ``port`` (0: any) for UDP, and for TCP too where that is wanted.

        Raises:
            SourceError: That is not possible.
        """
        self._selector = selectors.DefaultSelector()
        self._connections: dict[socket.socket, _Connection] = {}
        self._refused = 0
        try:
            self._udp = _bound(host, port, socket.SOCK_DGRAM)
            self._add(self._udp)
            self.port: int = self._udp.getsockname()[1]
            self._tcp = _bound(host, self.port, socket.SOCK_STREAM) if tcp else None
            if self._tcp is not None:
                self._tcp.listen(_BACKLOG)
                self._add(self._tcp)
        except (OSError, OverflowError) as error:
            self.close()
            reason = getattr(error, "strerror", None) or str(error)
            raise SourceError(f"cannot listen on {host}:{port}: {reason}") from None

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def refused(self) -> int:
        """Connections that were closed at once: there were too many."""
        return self._refused

    def receive(self, seconds: float) -> list[Received]:
        """Return what came, some ``AT_ONCE`` packets at most; none when time is up."""
        found: list[Received] = []
        for key, _ in self._selector.select(seconds):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            if sock is self._udp:
                found += self._datagrams()
            elif sock is self._tcp:
                self._accept(sock)
            else:
                found += self._stream(sock)
        return found

    def close(self) -> None:
        """Close all sockets."""
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _add(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self._selector.register(sock, selectors.EVENT_READ)

    def _datagrams(self) -> Iterator[Received]:
        for _ in range(AT_ONCE):
            try:
                data, peer = self._udp.recvfrom(MAX_PACKET)
            except BlockingIOError:
                return
            except OSError:  # Windows: an answer of ours, that we never sent, was not wanted
                continue
            yield Received(data, _text(peer))

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            sock, peer = listening.accept()
            if len(self._connections) >= MAX_CONNECTIONS:
                self._refused += 1
                sock.close()
                return
            self._connections[sock] = _Connection(_text(peer))
            self._add(sock)

    def _stream(self, sock: socket.socket) -> list[Received]:
        connection = self._connections[sock]
        try:
            data = sock.recv(MAX_PACKET)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        found = connection.feed(data) if data else connection.end()
        if not data or connection.broken:
            del self._connections[sock]
            self._selector.unregister(sock)
            sock.close()
        return found


class _Connection:
    """One agent's; packets stand one behind the other, each with its length."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._buffer = b""
        self.broken = False
        """What came is no HEP: nothing more of it can be told apart."""

    def feed(self, data: bytes) -> list[Received]:
        """Return the packets that these bytes complete."""
        found = []
        self._buffer += data
        while len(self._buffer) >= hep.HEAD and not self.broken:
            length = hep.length_of(self._buffer)
            if not self._buffer.startswith(hep.MAGIC) or length < hep.HEAD:
                self.broken, length = True, len(self._buffer)
            if len(self._buffer) < length:
                break
            found.append(Received(self._buffer[:length], self._peer))
            self._buffer = self._buffer[length:]
        return found

    def end(self) -> list[Received]:
        """Return what is left: the beginning of a packet."""
        return [Received(self._buffer, self._peer)] if self._buffer else []


def _bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.bind((host, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _text(peer: tuple[str, int]) -> str:
    return f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address; of a name that is not asked."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
