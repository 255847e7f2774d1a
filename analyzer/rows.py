"""Rows: one line of plain columns per SIP message and per XCCOS element, no objects.

A capture of 500 MB has half a million messages. Numbers lie in ``array`` columns, strings are kept
once (``Strings``) and referred to by number, bodies are not kept at all: ``Trace.message(i)`` reads
the bytes back from the file. Memory is bounded by the number of messages, about 150 bytes each.

Id 0 of every ``Strings`` column means absent (``None``).
"""

from __future__ import annotations

from array import array
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Interned(Generic[T]):
    """Values kept once, by number; number 0 is ``None``."""

    __slots__ = ("_ids", "values")

    def __init__(self) -> None:
        self.values: list[T | None] = [None]
        self._ids: dict[T | None, int] = {None: 0}

    def id(self, value: T | None) -> int:
        """Return the number of a value, giving it one when it is new."""
        found = self._ids.get(value)
        if found is None:
            found = self._ids[value] = len(self.values)
            self.values.append(value)
        return found

    def find(self, value: T) -> int | None:
        """Return the number of a value, or None when no row has it."""
        return self._ids.get(value)

    def __len__(self) -> int:
        return len(self.values)


class XccosItem(NamedTuple):
    """One child of an XCCOS envelope, as rows and JSON show it. Numbers are text, as on the wire."""

    element: str
    """Local name: ``cmd``, ``rpl``, ``ntc``, ``grpchat`` or anything else."""
    id: str | None
    seqid: str | None
    envid: str | None
    """Of the envelope."""
    commandid: tuple[str | None, str | None] | None
    """``(seqid, envid)`` of the command that a reply answers."""
    code: str | None
    """``resp@code``."""
    text: str | None
    """Text of ``resp``; of a ``grpchat`` the text of its ``chat`` (not kept in rows, read back)."""


class Stream(NamedTuple):
    """One direction of a TCP connection or UDP flow."""

    src: str
    """``ip:port``, IPv6 in brackets."""
    dst: str
    transport: str
    """``tcp``, ``udp`` or ``tls``."""
    connection: int
    """Both directions of a connection or flow have the same number."""
    from_opener: bool
    """This direction starts at the side that opened the connection (or spoke first)."""
    syn_seen: bool


class Rows:
    """The columns. ``len(rows)`` messages, in order of the frame that completes them."""

    COLUMNS = (
        ("time", "q"),  # of the completing frame, nanoseconds since 1970 UTC
        ("digits", "B"),  # decimal digits of a second that the time carries
        ("frame", "I"),  # the frame that completes the message
        ("stream", "I"),  # number into Trace.streams
        ("status", "q"),  # of a response; -1 for a request
        ("method", "I"),  # string; of a response the method in its CSeq
        ("reason", "I"),  # string
        ("uri", "I"),  # string; Request-URI
        ("call_id", "I"),  # string
        ("cseq", "I"),  # number into ``cseqs``
        ("from_uri", "I"),  # string, without brackets and header parameters
        ("from_tag", "I"),  # string
        ("to_uri", "I"),
        ("to_tag", "I"),
        ("content_type", "I"),  # string, as on the wire with its parameters
        ("content_length", "q"),  # as declared; -1 where absent or not a number
        ("length", "I"),  # bytes of the whole message
        ("notes", "I"),  # bits of dissectors.notes
        ("branch", "q"),  # hash of the topmost Via's branch; 0 where there is none
        ("vias", "H"),  # number of Via values
        ("piece", "Q"),  # first entry in the piece columns; the last one is before row i + 1's
        ("item", "Q"),  # first entry in the XCCOS columns
    )
    ITEM_COLUMNS = (
        ("element", "I"),
        ("id", "I"),
        ("seqid", "I"),
        ("envid", "I"),
        ("command_seqid", "I"),  # of commandid
        ("command_envid", "I"),
        ("has_commandid", "B"),
        ("code", "I"),
        ("text", "I"),
    )

    def __init__(self) -> None:
        self.strings: Interned[str] = Interned()
        self.cseqs: Interned[tuple[int, str]] = Interned()
        self.time, self.digits = array("q"), array("B")
        self.frame, self.stream = array("I"), array("I")
        self.status = array("q")
        self.method, self.reason, self.uri = array("I"), array("I"), array("I")
        self.call_id, self.cseq = array("I"), array("I")
        self.from_uri, self.from_tag = array("I"), array("I")
        self.to_uri, self.to_tag = array("I"), array("I")
        self.content_type, self.content_length = array("I"), array("q")
        self.length, self.notes = array("I"), array("I")
        self.branch, self.vias = array("q"), array("H")
        self.piece, self.item = array("Q"), array("Q")
        self.piece_frame, self.piece_offset, self.piece_length = array("I"), array("Q"), array("I")
        self.item_columns = {name: array(code) for name, code in self.ITEM_COLUMNS}

    def __len__(self) -> int:
        return len(self.time)
