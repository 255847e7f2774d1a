"""Live framing: the bytes of one direction of a connection to whole messages (RFC 3261 18.3).

The rule: Content-Length alone says where a message ends, and how the bytes were cut into pieces
changes nothing of what comes out. A capture is read by ``dissectors.sip.stream``, which guesses
where a length lies; a live end must not guess, because it answers.
"""

from __future__ import annotations

from typing import NamedTuple

from dissectors.model import Malformed
from dissectors.notes import BAD_LENGTH
from dissectors.sip.grammar import number
from dissectors.sip.messages import SipMessage
from dissectors.sip.parse import parse_message
from dissectors.sip.resume import EMPTY_LINE, EMPTY_LINE_LENGTH
from dissectors.sip.scan import HeadScanner
from dissectors.sip.start import read_start

MAX_HEAD = 64 << 10
"""Bytes of start line and headers: three times those of clients with large Kerberos tickets."""
MAX_BODY = 1 << 20
"""Bytes of a body: sixteen times the largest batched reply that is known."""
MAX_LINE = 8 << 10
"""Bytes of a line that can still be a start line."""
MAX_SKIPPED = 4 << 20
"""Bytes that are thrown away in search of the next start line, or as a body that is too large.
Whoever sends more without a message between is no SIP peer."""

MAX_SCANNED = 4 << 10
"""Bytes of a head that is scanned: the scanner remembers lines, which a peer could make long."""
MAX_SCANS = 256
"""Heads after which the scanner forgets: a connection costs a megabyte at most."""

_SHOWN = 256  # bytes of what is no message: enough to recognise it
_BLANK = b"\r\n"
_TLS_HANDSHAKE = b"\x16\x03"  # RFC 8446 5.1: a record of a handshake, and the major version


class Ping(NamedTuple):
    """A keep-alive of the peer: a double CRLF between messages (RFC 5626 3.5.1)."""


PING = Ping()
Arrival = bytes | Ping | Malformed
"""A whole message, a keep-alive, or what is none: ``raw`` of a message whose length is wrong is its
head, so that it can be answered."""


class Limits(NamedTuple):
    """How much a peer may send before it counts as none."""

    head: int = MAX_HEAD
    body: int = MAX_BODY
    skipped: int = MAX_SKIPPED


DEFAULT_LIMITS = Limits()


class Inbound:
    """The receiving direction of one connection: ``feed`` bytes in order, then ``close``."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._looked = 0  # bytes of a head that were searched for its end
        self._need = 0  # length of the message that has begun; 0: not known yet
        self._line_ends = 0  # LFs since the last message or keep-alive
        self._skip = 0  # bytes of a body that is too large
        self._lost = False  # looking for the next start line
        self._midline = False  # the buffer begins inside a line that is too long for one
        self._thrown = 0  # bytes thrown away since the last message
        self._stopped = False
        self._scanner, self._scans = HeadScanner(), 0

    @property
    def stopped(self) -> bool:
        """Whether nothing will be read any more: too much was sent that is no message."""
        return self._stopped

    @property
    def pending(self) -> int:
        """Bytes of a message that has begun."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Arrival]:
        """Return what these bytes complete, in order."""
        out: list[Arrival] = []
        if self._stopped:
            return out
        self._buffer += data
        while self._buffer and self._step(out):
            pass
        return out

    def close(self) -> Malformed | None:
        """Return the message that the end of the stream cuts, if one does."""
        if self._stopped or self._lost or not self._buffer:
            return None
        raw, length = bytes(self._buffer[: self._limits.head]), len(self._buffer)
        self._stopped = True
        self._buffer.clear()
        return Malformed("sip", f"the connection ended {length} bytes into a message", raw=raw)

    def _step(self, out: list[Arrival]) -> bool:
        """Take one thing from the buffer; False where more bytes are needed."""
        if self._stopped:
            self._buffer.clear()
            return False
        if self._skip:
            return self._skip_body()
        if self._lost:
            return self._search()
        if self._need:
            return self._take(out)
        if self._buffer[0] in _BLANK:
            return self._between(out)
        return self._head(out) if self._looked else self._begins(out)

    def _between(self, out: list[Arrival]) -> bool:
        """Skip line ends before a start line (RFC 3261 7.5); two in a row are a keep-alive."""
        length = len(self._buffer) - len(self._buffer.lstrip(_BLANK))
        for byte in self._buffer[:length]:
            self._line_ends += byte == _BLANK[1]
            if self._line_ends == 2:
                out.append(PING)
                self._line_ends = 0
        del self._buffer[:length]
        return True

    def _begins(self, out: list[Arrival]) -> bool:
        """Look at the first line; False where it is not whole yet."""
        buffer = self._buffer
        end = buffer.find(b"\n", 0, MAX_LINE + 1)
        if buffer.startswith(_TLS_HANDSHAKE):  # it waits for an answer and sends no line end
            reason = "the peer speaks TLS, not SIP"
            out.append(Malformed("sip", reason, raw=_TLS_HANDSHAKE))
            self._stopped = True
        elif end < 0 and len(buffer) <= MAX_LINE:
            return False
        elif end < 0 or read_start(bytes(buffer[:end]).rstrip(b"\r")) is None:
            self._lose("what begins here is no SIP message", out)
        else:
            self._looked = end
        return True

    def _lose(self, reason: str, out: list[Arrival]) -> None:
        """Report what is no message, and look for the next start line."""
        end = self._buffer.find(b"\n", 0, _SHOWN)
        raw = bytes(self._buffer[: _SHOWN if end < 0 else end])
        out.append(Malformed("sip", reason, raw=raw.rstrip(b"\r")))
        self._lost = True

    def _head(self, out: list[Arrival]) -> bool:
        """Find the end of a head whose start line is there; False where it has not come."""
        buffer, limit = self._buffer, self._limits.head
        match = EMPTY_LINE.search(buffer, self._looked)
        if match is None:
            # What may be the beginning of the empty line is looked at again.
            self._looked = max(self._looked, len(buffer) - EMPTY_LINE_LENGTH)
            if len(buffer) <= limit + EMPTY_LINE_LENGTH:
                return False
        if match is None or match.start() > limit:
            reason = f"the head of a message is longer than {limit} bytes"
            out.append(Malformed("sip", reason, raw=bytes(buffer[:limit])))
            self._resume(buffer.index(b"\n") + 1)
            return True
        self._measure(match.start(), match.end(), out)
        return True

    def _measure(self, end: int, head: int, out: list[Arrival]) -> None:
        """Learn how long the message is whose headers end at ``end``, its head at ``head``."""
        raw = bytes(self._buffer[:head])
        length, reason = self._scanned(raw[:end].rstrip(b"\r")) or _body_length(raw)
        if reason is None and length <= self._limits.body:
            self._need = head + length
            return
        if reason is None:
            reason = f"a body of more than {self._limits.body} bytes"
            self._skip = length
        out.append(Malformed("sip", reason, raw=raw))
        self._resume(head)
        self._lost = not self._skip  # the end of a body that is too large is known

    def _scanned(self, head: bytes) -> tuple[int, None] | None:
        """Read the length as most write it, in a tenth of the time; None: look closely."""
        if len(head) > MAX_SCANNED:
            return None
        if self._scans >= MAX_SCANS:
            self._scanner, self._scans = HeadScanner(), 0
        self._scans += 1
        found = self._scanner.scan(head)
        if found is None or found.content_length is None or found.notes & BAD_LENGTH:
            return None
        return found.content_length, None

    def _resume(self, at: int) -> None:
        """Begin anew behind a head that cannot be used."""
        del self._buffer[:at]
        self._looked = self._line_ends = 0
        self._lost = True

    def _take(self, out: list[Arrival]) -> bool:
        if len(self._buffer) < self._need:
            return False
        out.append(bytes(self._buffer[: self._need]))
        del self._buffer[: self._need]
        self._need = self._looked = self._line_ends = self._thrown = 0
        return True

    def _skip_body(self) -> bool:
        length = min(self._skip, len(self._buffer))
        self._skip -= length
        self._throw(length)
        return True

    def _search(self) -> bool:
        """Throw lines away up to the next one that is a start line."""
        buffer = self._buffer
        end = buffer.find(b"\n", 0, MAX_LINE + 1)
        if end < 0:
            if len(buffer) <= MAX_LINE:
                return False
            self._throw(len(buffer) if b"\n" not in buffer else buffer.index(b"\n"))
            self._midline = True
            return True
        if not self._midline and read_start(bytes(buffer[:end]).rstrip(b"\r")) is not None:
            self._lost, self._looked = False, end
            return True
        self._midline = False
        self._throw(end + 1)
        return True

    def _throw(self, length: int) -> None:
        del self._buffer[:length]
        self._thrown += length
        self._stopped = self._thrown > self._limits.skipped


def _body_length(head: bytes) -> tuple[int, str | None]:
    """Return what a head says of its body's length, and what is wrong with it."""
    message = parse_message(head, stream=False)
    assert isinstance(message, SipMessage)  # its start line was read
    values = set(message.headers.all("content-length"))
    lengths = {number(value) for value in values}
    if len(lengths) > 1:
        return 0, "Content-Length contradicts itself"
    length = next(iter(lengths), None)
    if length is not None:
        return length, None
    if values:
        return 0, "Content-Length is not a number"
    if message.content_type is not None:
        return 0, "a Content-Type without Content-Length, which streams need (RFC 3261 18.3)"
    return 0, None
