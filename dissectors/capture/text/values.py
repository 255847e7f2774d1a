"""What a text trace is read into: lines, then messages and remarks.

The one rule: a reader of a format takes lines and gives values; it knows neither the file nor how
its text was encoded, and never fails on what a line holds. Times are taken as they stand: whose
clock and which zone they were written in is decided by whoever knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.model import Malformed


class Line(NamedTuple):
    """One line of a trace, without its line end."""

    number: int
    """Counted from 1."""
    text: str
    """Bytes that the encoding does not know are lone surrogates (``surrogateescape``)."""
    offset: int
    """Of its first byte in the (decompressed) file."""


class TextMessage(NamedTuple):
    """A message, or bytes of a connection, that a trace shows."""

    time_ns: int
    """As written, read as if it were UTC; nanoseconds since 1970."""
    digits: int
    """Decimal digits of a second that the time carries."""
    utc: bool
    """The format writes UTC; otherwise the zone is not known."""
    line: int
    """Number of the line that the record begins with."""
    outgoing: bool
    """The machine that wrote the trace sent it."""
    local: str
    """``host:port`` of that machine; empty where the trace does not say."""
    peer: str
    """``host:port`` of the other side, a name or an address (IPv6 in brackets); port 0 where it is
    not said."""
    transport: str
    """``tls``, ``tcp`` or ``udp``; empty where the trace does not say."""
    data: bytes
    """With CRLF and an empty line between head and body, as on the wire."""
    whole: bool = True
    """``data`` is one message; otherwise it is what was read from or written to a connection: part
    of a message, or several."""
    missing: int = 0
    """Bytes of the body that the trace does not have, as far as it is known."""
    masked: bool = False
    """They are missing because the trace hides what people say."""
    connection: str = ""
    """What the trace calls the connection, where it does."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something that the machine wrote about a message or about itself: a diagnostic record."""

    time_ns: int
    """As ``TextMessage.time_ns``."""
    line: int
    severity: str
    """``error``, ``warning`` or ``information``."""
    text: str
    """In the words of the trace."""
    code: str = ""
    """``0xC3E93C5E SIPPROXY_E_ROUTING``"""
    call_id: str = ""
    """Of the message that it is about; empty where it is about none."""
    cseq: str = ""
    """``1 OPTIONS``"""
    start_line: str = ""
    peer: str = ""
    data: tuple[tuple[str, str], ...] = ()
    """Further named values, in their order."""


Record = TextMessage | Annotation


class TextReader(Protocol):
    """Reads one format. Made anew for each trace, fed with its lines in order."""

    name: str
    """As users read it: ``SIPStack trace (OCSLogger)``."""
    experimental: bool
    """The layout is known from hearsay alone."""

    def feed(self, lines: Sequence[Line]) -> list[Record | Malformed]:
        """Take the next lines; return what they complete.

        Of a ``Malformed``, ``frame`` is the number of the line and ``layer`` is ``capture``.
        """
        ...

    def close(self) -> list[Record | Malformed]:
        """Return what the end of the trace completes; what it cuts off is marked or Malformed."""
        ...
