"""What the two sides of a TLS connection say before they encrypt: what tells who could read it.

The one rule: this reads what anybody may see, and believes none of it further than a sentence for
an engineer goes. Everything is bounded, and what is not as the specifications say ends the reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.tls_suites import TLS13

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23  # RFC 8446 section 5.1
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_DONE, CLIENT_KEY = 1, 2, 11, 14, 16
_SNI, _TICKET, _EARLY_DATA, _PRE_SHARED, _VERSIONS = 0, 35, 42, 41, 43
# A chain of certificates has some kilobytes; 64 KiB is what other implementations take.
MAX_FLIGHT = 1 << 16
MAX_NAME = 255
# RFC 8446 section 4.1.3: the random of a ServerHello that is a HelloRetryRequest.
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class _Bytes:
    """Reads from the front; IndexError where there is not enough."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        end = self._at + count
        if end > len(self._data):
            raise IndexError
        data, self._at = self._data[self._at : end], end
        return data

    def number(self, count: int) -> int:
        """Return a number of so many bytes."""
        return int.from_bytes(self.take(count), "big")

    def vector(self, count: int) -> bytes:
        """Return what stands behind its length, which has so many bytes."""
        return self.take(self.number(count))

    def __bool__(self) -> bool:
        return self._at < len(self._data)


@dataclass(slots=True)
class Handshake:
    """What was seen of it; None or False where nothing was."""

    client: int | None = None
    """The side that sent the ClientHello."""
    random: bytes | None = None
    """Of the client: by it a key log names the connection."""
    name: str | None = None
    """The server that the client asked for (RFC 6066 section 3)."""
    may_resume: bool = False
    """The client offered a session that it had before."""
    early: bool = False
    """The client may write before it hears anything (RFC 8446 section 2.3)."""
    answered: bool = False
    version: int = 0
    suite: int | None = None
    certificate: bytes | None = None
    """The server's own, DER."""
    done: bool = False
    """The server said ServerHelloDone: a handshake in full (RFC 5246 section 7.3)."""
    client_key: bool = False
    changed: list[bool] = field(default_factory=lambda: [False, False])
    """Of each side, whether it changed to its keys."""
    session: bytes = b""
    """The session that the server named; by it it is resumed."""
    ticket: bool = False
    """The client offered a ticket (RFC 5077)."""
    awaiting: bool = False
    """The client has spoken, and does not go on before it hears the server."""
    asked_again: bool = False
    """The server wants another ClientHello, and does not go on before it."""
    _deaf: list[bool] = field(default_factory=lambda: [False, False])
    """Of each side, whether nothing more of it is looked at."""
    _held: list[bytes] = field(default_factory=lambda: [b"", b""])
    _offered: bytes = b""

    @property
    def is_tls13(self) -> bool:
        """Tell whether TLS 1.3 was agreed on."""
        return self.version >= TLS13

    @property
    def resumed(self) -> bool:
        """Tell whether an earlier session was taken up again, as far as can be seen."""
        if not self.answered or self.done or self.is_tls13:
            return False
        server = 1 - (self.client or 0)
        same = bool(self._offered) and self._offered == self.session
        return same or (self.changed[server] and self.certificate is None)

    def take(self, side: int, kind: int, body: bytes) -> None:
        """Take the next record of a side, without its head."""
        if kind == CHANGE_CIPHER_SPEC:
            self.changed[side] = True
            if side != self.client:
                self.awaiting = False
        elif kind == HANDSHAKE and not self.changed[side] and not self._deaf[side]:
            self._held[side] += body
            try:
                for message, content in self._messages(side):
                    self._message(side, message, _Bytes(content))
            except (IndexError, UnicodeDecodeError):
                self._deaf[side] = True
            if self._deaf[side]:
                self._held[side] = b""

    def within(self, side: int) -> bool:
        """Tell whether a side is in the midst of a message."""
        return bool(self._held[side])

    def take_old_hello(self, side: int, record: bytes) -> None:
        """Take a ClientHello in the form of SSL 2 (RFC 5246 appendix E.2)."""
        reader = _Bytes(record[5:])
        try:
            suites, session, challenge = (reader.number(2) for _ in range(3))
            reader.take(suites)
            self._offered = reader.take(session)
            self.random = reader.take(challenge)[-32:].rjust(32, b"\0")
        except IndexError:
            self._deaf[side] = True
            return
        self.client, self.may_resume, self.awaiting = side, bool(self._offered), True

    def peek(self, side: int, data: bytes) -> None:
        """Take the first bytes of a side, as far as there are any: records that may be cut."""
        if is_old_hello(data):
            self.take_old_hello(side, data)
            return
        while len(data) > 5 and data[0] in (CHANGE_CIPHER_SPEC, HANDSHAKE):
            length = int.from_bytes(data[3:5], "big")
            self.take(side, data[0], data[5 : 5 + length])
            data = data[5 + length :]
        if self._held[side]:  # the first message is cut: what is there of it may do
            kind, body = self._held[side][0], self._held[side][4:]
            try:
                self._message(side, kind, _Bytes(body))
            except (IndexError, UnicodeDecodeError):
                return

    def _messages(self, side: int) -> Iterator[tuple[int, bytes]]:
        while len(held := self._held[side]) >= 4:
            length = int.from_bytes(held[1:4], "big")
            if len(held) < 4 + length:
                self._deaf[side] = length > MAX_FLIGHT
                return
            self._held[side] = held[4 + length :]
            yield held[0], held[4 : 4 + length]

    def _message(self, side: int, kind: int, body: _Bytes) -> None:
        if kind == CLIENT_HELLO:
            self._client_hello(side, body)
        elif kind == SERVER_HELLO:
            self._server_hello(side, body)
        elif kind == CERTIFICATE and side != self.client and self.certificate is None:
            self.certificate = _Bytes(body.vector(3)).vector(3)
        elif kind == SERVER_DONE:
            self.done, self.awaiting = True, False
        elif kind == CLIENT_KEY:
            self.client_key = True

    def _client_hello(self, side: int, body: _Bytes) -> None:
        body.take(2)
        random = body.take(32)
        if self.random is None:
            self.random, self.client = random, side
        self.awaiting, self.asked_again = True, False
        self._offered = body.vector(1)
        self.may_resume = self.may_resume or bool(self._offered)
        body.vector(2)
        body.vector(1)
        for kind, content in _extensions(body):
            if kind == _SNI:
                self.name = _host(content)
            elif kind == _TICKET:
                self.ticket = bool(content)
                self.may_resume = self.may_resume or self.ticket
            elif kind == _EARLY_DATA:
                self.early = True

    def _server_hello(self, side: int, body: _Bytes) -> None:
        if self.client == side:
            return
        version = body.number(2)
        retry = body.take(32) == _RETRY
        self.session = body.vector(1)
        suite = body.number(2)
        body.take(1)
        for kind, content in _extensions(body):
            if kind == _VERSIONS and len(content) == 2:
                version = int.from_bytes(content, "big")
        self.suite = suite
        self.asked_again = retry
        if not retry:  # what is agreed on comes with the next one
            self.version, self.answered = version, True
        if retry or self.is_tls13:
            self.awaiting = False


def is_old_hello(data: bytes) -> bool:
    """Tell whether bytes begin with a ClientHello in the form of SSL 2, as old Windows sends it."""
    return len(data) > 5 and bool(data[0] & 0x80) and data[2] == CLIENT_HELLO


def _extensions(body: _Bytes) -> Iterator[tuple[int, bytes]]:
    """Yield extensions (RFC 8446 section 4.2), as far as there are any."""
    if not body:
        return
    length = body.number(2)
    rest = body
    while rest and length >= 4:
        kind = rest.number(2)
        content = rest.vector(2)
        length -= 4 + len(content)
        yield kind, content


def _host(content: bytes) -> str | None:
    names = _Bytes(_Bytes(content).vector(2))
    while names:
        kind, name = names.number(1), names.vector(2)
        if kind == 0 and len(name) <= MAX_NAME:
            text = name.decode("ascii")
            return text if text.isprintable() else None
    return None
