"""The value types of a SIP message that somebody looks at.

The rule: never lose the bytes. A header keeps its line as it came, a message keeps what stood
between its parts, so that writing a message that was read gives back the same bytes. Meaning is
read from the values when it is asked for; nothing here fails on strange values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, overload

from dissectors.sip.fields import (
    CSeq,
    NameAddr,
    Via,
    parse_cseq,
    parse_name_addr,
    parse_name_addrs,
    parse_seconds,
    parse_vias,
)
from dissectors.sip.grammar import field_name, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Header(NamedTuple):
    """One header line, or several lines where its value is folded."""

    name: str
    """As written, without the blanks before the colon; empty for a line without a colon."""
    value: str
    """Unfolded: one space for each fold, no blanks around."""
    raw: bytes
    """The line or lines exactly as they came, with their line ends."""


class Headers:
    """The headers in order: an immutable sequence of ``Header``.

    Names are found in any case, in their long or compact form: ``"Call-ID" in headers``.
    """

    # Not a subclass of Sequence: a Sequence[Header] contains Headers only, and type checkers would
    # refuse the question for a name.

    __slots__ = ("_index", "_items")

    def __init__(self, headers: Iterable[Header] = ()) -> None:
        self._items = tuple(headers)
        index: dict[str, list[str]] = {}
        for header in self._items:
            index.setdefault(field_name(header.name), []).append(header.value)
        self._index = index

    def first(self, name: str) -> str | None:
        """Return the value of the first header of that name."""
        values = self._index.get(field_name(name))
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of all headers of that name, in order; lists are not split."""
        return tuple(self._index.get(field_name(name), ()))

    def names(self) -> tuple[str, ...]:
        """Return the names that occur: once each, lower case, long form."""
        return tuple(self._index)

    def __contains__(self, name: object) -> bool:
        """Say whether a header of that name occurs (or that very ``Header``)."""
        if isinstance(name, str):
            return field_name(name) in self._index
        return name in self._items

    @overload
    def __getitem__(self, at: int) -> Header: ...
    @overload
    def __getitem__(self, at: slice) -> Headers: ...
    def __getitem__(self, at: int | slice) -> Header | Headers:
        return Headers(self._items[at]) if isinstance(at, slice) else self._items[at]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Header]:
        return iter(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return f"Headers({[(header.name, header.value) for header in self._items]!r})"


class Margins(NamedTuple):
    """The bytes of a message that are neither start line, header nor body."""

    before: bytes = b""
    """Line ends before the start line (RFC 3261 7.5)."""
    line_end: bytes = b"\r\n"
    """What ends the start line."""
    blank: bytes = b"\r\n"
    """The empty line after the headers, and before it header lines beyond the limits of reading."""
    after: bytes = b""
    """Bytes of the datagram after the body (RFC 3261 18.3)."""


CANONICAL_MARGINS = Margins()


@dataclass(frozen=True, slots=True)
class SipMessage:
    """One SIP request or response."""

    start_line: bytes
    """Without its line end."""
    kind: str
    """``request`` or ``response``."""
    method: str | None
    """Of a request, its own; see ``cseq_method`` for both kinds."""
    uri: str | None
    """The Request-URI; None for a response."""
    version: str
    """As written: ``SIP/2.0``."""
    status: int | None
    """Of a response."""
    reason: str | None
    """Of a response; empty when there is none."""
    headers: Headers
    body: bytes
    raw: bytes
    """All bytes that were given to the parser."""
    notes: int = 0
    """Bits of ``dissectors.notes``."""
    problems: tuple[str, ...] = ()
    """What is unusual, in sentences for people."""
    margins: Margins = CANONICAL_MARGINS

    @property
    def call_id(self) -> str | None:
        """The value of Call-ID."""
        return self.headers.first("call-id")

    @property
    def cseq(self) -> CSeq | None:
        """Number and method of CSeq; None when it is absent or cannot be read."""
        return parse_cseq(self.headers.first("cseq") or "")

    @property
    def cseq_method(self) -> str | None:
        """The method in CSeq: the one that a response answers."""
        cseq = self.cseq
        return cseq.method if cseq else None

    @property
    def from_(self) -> NameAddr | None:
        """The value of From."""
        return parse_name_addr(self.headers.first("from") or "")

    @property
    def to(self) -> NameAddr | None:
        """The value of To."""
        return parse_name_addr(self.headers.first("to") or "")

    @property
    def vias(self) -> tuple[Via, ...]:
        """All values of Via, the most recent hop first."""
        return tuple(via for value in self.headers.all("via") for via in parse_vias(value))

    @property
    def contacts(self) -> tuple[NameAddr, ...]:
        """All values of Contact."""
        values = self.headers.all("contact")
        return tuple(addr for value in values for addr in parse_name_addrs(value))

    @property
    def content_type(self) -> str | None:
        """The value of Content-Type with its parameters."""
        return self.headers.first("content-type")

    @property
    def media_type(self) -> str | None:
        """``type/subtype`` in lower case; None without a Content-Type."""
        value = self.headers.first("content-type")
        if value is None:
            return None
        return "".join(value.partition(";")[0].split()).lower()

    @property
    def content_length(self) -> int | None:
        """The length that the message declares; None when it is absent or not a number."""
        return number(self.headers.first("content-length") or "")

    @property
    def expires(self) -> int | None:
        """Seconds of the Expires header."""
        return parse_seconds(self.headers.first("expires") or "")

    @property
    def event(self) -> str | None:
        """The event package, without parameters."""
        value = self.headers.first("event")
        return None if value is None else value.partition(";")[0].strip()

    @property
    def user_agent(self) -> str | None:
        """The value of User-Agent, else of Server."""
        return self.headers.first("user-agent") or self.headers.first("server")

    @property
    def max_forwards(self) -> int | None:
        """The value of Max-Forwards."""
        return number(self.headers.first("max-forwards") or "")
