"""Rows: one line of plain columns per SIP message and per XCCOS element, no objects.

A capture of 500 MB has half a million messages. Numbers lie in ``array`` columns, strings are kept
once (``Strings``) and referred to by number, bodies are not kept at all: ``Trace.message(i)`` reads
the bytes back from the file. Memory is bounded by the number of messages, about 150 bytes each.

Id 0 of every ``Strings`` column means absent (``None``).
"""

from __future__ import annotations

from array import array
from itertools import islice
from operator import gt
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from analyzer.columns import Columns
from dissectors.model import Piece

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class _Numbers(dict[T | None, int]):
    """Number of a value, given when it is first asked for."""

    __slots__ = ("_values",)

    def __init__(self, values: list[T | None]) -> None:
        super().__init__({None: 0})
        self._values = values

    def __missing__(self, value: T) -> int:
        number = self[value] = len(self._values)
        self._values.append(value)
        return number


class Interned(Generic[T]):
    """Values kept once, by number; number 0 is ``None``."""

    __slots__ = ("_numbers", "id", "values")

    def __init__(self) -> None:
        self.values: list[T | None] = [None]
        self._numbers = _Numbers(self.values)
        self.id: Callable[[T | None], int] = self._numbers.__getitem__
        """Return the number of a value, giving it one when it is new. A bound method of the
        dictionary itself: ten are called for every message."""

    def __reduce__(self) -> tuple[Callable[[list[T | None]], Interned[T]], tuple[list[T | None]]]:
        """Pickle the values; numbers are their places."""
        return _interned, (self.values,)

    def value(self, number: int) -> T | None:
        """Return the value that has a number."""
        return self.values[number]

    def find(self, value: T) -> int | None:
        """Return the number of a value, or None when no row has it."""
        return self._numbers.get(value)

    def __len__(self) -> int:
        return len(self.values)


def _interned(values: list[T | None]) -> Interned[T]:
    interned: Interned[T] = Interned()
    for value in values[1:]:
        interned.id(value)
    return interned


class XccosItem(NamedTuple):
    """One child of an XCCOS envelope, as rows and JSON show it. Numbers are text as on the wire."""

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


class Connection(NamedTuple):
    """A TCP connection or UDP flow that carried SIP."""

    number: int
    opener: str
    """``ip:port`` of the side that opened it; a guess where ``syn_seen`` is False."""
    responder: str
    transport: str
    syn_seen: bool
    first_frame: int
    last_frame: int
    first_time: int
    last_time: int
    ends: tuple[str, str]
    """How each direction ended: ``fin``, ``rst``, ``reused`` or ``end`` (of the capture)."""
    holes: int
    """Gaps in either direction."""
    messages: tuple[int, int]
    """Messages from the opener, and to it."""


class Rows:
    """The columns. ``len(rows)`` messages, in order of the frame that completes them."""

    MESSAGE = (
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
        ("branch", "I"),  # CRC-32 of the topmost Via's branch; 0 where there is none
        ("vias", "I"),  # number of Via values
        ("piece", "Q"),  # first entry in the piece columns
        ("pieces", "I"),  # number of entries
        ("item", "Q"),  # first entry in the XCCOS columns
        ("items", "I"),  # number of entries
    )
    PIECE = (("frame", "I"), ("offset", "Q"), ("length", "I"))
    ITEM = (
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
        self.message_table = Columns(self.MESSAGE, order="frame")
        self.piece_table = Columns(self.PIECE)
        self.item_table = Columns(self.ITEM)
        self._bind()

    def _bind(self) -> None:
        column = self.message_table.columns
        self.time, self.digits = column["time"], column["digits"]
        self.frame, self.stream = column["frame"], column["stream"]
        self.status, self.method = column["status"], column["method"]
        self.reason, self.uri = column["reason"], column["uri"]
        self.call_id, self.cseq = column["call_id"], column["cseq"]
        self.from_uri, self.from_tag = column["from_uri"], column["from_tag"]
        self.to_uri, self.to_tag = column["to_uri"], column["to_tag"]
        self.content_type = column["content_type"]
        self.content_length = column["content_length"]
        self.length, self.notes = column["length"], column["notes"]
        self.branch, self.vias = column["branch"], column["vias"]
        self.piece, self.pieces = column["piece"], column["pieces"]
        self.item, self.items = column["item"], column["items"]
        self.item_columns = self.item_table.columns
        self.piece_columns = self.piece_table.columns

    def __len__(self) -> int:
        return len(self.time)

    @property
    def tables(self) -> tuple[Columns, Columns, Columns]:
        """Messages, pieces, items."""
        return self.message_table, self.piece_table, self.item_table

    def flush(self) -> None:
        """Move what is pending into the columns."""
        for table in self.tables:
            table.flush()

    def finish(self) -> None:
        """Put the messages into the order of their completing frames."""
        self.flush()
        frame = self.message_table.columns["frame"]
        if any(map(gt, frame, islice(frame, 1, None))):
            self.message_table.permute(sorted(range(len(frame)), key=frame.__getitem__))
        self._bind()

    def move(self, into: Rows, count: int) -> None:
        """Move the first ``count`` messages to the end of other rows of the same strings."""
        for table, start, number, theirs in (
            (self.piece_table, "piece", "pieces", into.piece_table),
            (self.item_table, "item", "items", into.item_table),
        ):
            columns = self.message_table.columns
            spans = list(zip(columns[start], columns[number], strict=True))
            theirs_before = len(next(iter(theirs.columns.values())))
            places = theirs.extend_by(table, spans[:count])
            kept = Columns(tuple((name, one.typecode) for name, one in table.columns.items()))
            places_kept = kept.extend_by(table, spans[count:])
            table.columns = kept.columns
            moved = [theirs_before + place for place in places]
            columns[start] = array("Q", [*moved, *places_kept])
        for name, column in self.message_table.columns.items():
            into.message_table.columns[name].extend(column[:count])
            del column[:count]
        self._bind()
        into._bind()

    def item_end(self, row: int) -> int:
        """Return the end (exclusive) of a message's entries in the XCCOS columns."""
        return self.item[row] + self.items[row]

    def piece_list(self, row: int) -> list[Piece]:
        """Return where the bytes of a message lie in the capture, in message order."""
        first = self.piece[row]
        last = first + self.pieces[row]
        frame, offset, length = self.piece_columns.values()
        return list(map(Piece, frame[first:last], offset[first:last], length[first:last]))

    def frames(self, row: int) -> tuple[int, ...]:
        """Return the frames that brought bytes of a message, ascending."""
        first = self.piece[row]
        if self.pieces[row] == 1:
            return (self.piece_columns["frame"][first],)
        return tuple(sorted(set(self.piece_columns["frame"][first : first + self.pieces[row]])))

    def xccos(self, row: int) -> list[XccosItem]:
        """Return the XCCOS items of a message; ``text`` of a chat message is not kept in rows."""
        first, end = self.item[row], self.item_end(row)
        if first == end:
            return []
        value, columns = self.strings.values, self.item_columns
        items = []
        for k in range(first, end):
            command = None
            if columns["has_commandid"][k]:
                command = (value[columns["command_seqid"][k]], value[columns["command_envid"][k]])
            items.append(
                XccosItem(
                    value[columns["element"][k]] or "",
                    value[columns["id"][k]],
                    value[columns["seqid"][k]],
                    value[columns["envid"][k]],
                    command,
                    value[columns["code"][k]],
                    value[columns["text"][k]],
                )
            )
        return items
