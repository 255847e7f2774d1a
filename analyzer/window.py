"""Some of the messages of a capture, and the way back from a row to its bytes.

A trace is the window that shows all of them; while a capture is being read, one after another of a
few thousand is looked through, and no more is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from analyzer.rows import Stream
from dissectors.model import Malformed, address_text
from dissectors.sip.parse import parse_message
from dissectors.xccos.reader import read_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analyzer.rows import Rows
    from dissectors.sip.messages import SipMessage
    from dissectors.xccos.messages import XccosDocument

AT_ONCE = 1 << 15
"""Bytes of the file that the pieces of a message are read in at once: a read costs as much as the
copying of so many."""


class Window:
    """Messages in the order of the frames that complete them."""

    def __init__(
        self,
        rows: Rows,
        streams: Sequence[Stream],
        read: Callable[[int, int], bytes],
        *,
        first: int = 0,
        began: int | None = None,
    ) -> None:
        """Show ``rows``, of which the first one has the index ``first`` in the capture.

        Args:
            rows: the messages.
            streams: directions by the numbers that the rows have.
            read: gives bytes of the capture by offset and length; fewer at its end.
            first: index of the first row.
            began: when the capture began, as far as it is known; nanoseconds since 1970 UTC.
        """
        self.rows = rows
        self.streams = streams
        self.read = read
        self.first = first
        self.began = began

    def __len__(self) -> int:
        return len(self.rows)

    def raw(self, row: int) -> bytes:
        """Return the bytes of a message, read back from the capture."""
        read, rows = self.read, self.rows
        first, count = rows.piece[row], rows.pieces[row]
        columns = rows.piece_columns
        offsets, lengths = columns["offset"], columns["length"]
        if count == 1:
            return read(offsets[first], lengths[first])
        places = [(offsets[k], offsets[k] + lengths[k]) for k in range(first, first + count)]
        start = min(places, default=(0, 0))[0]
        length = max((end for _, end in places), default=0) - start
        if length > AT_ONCE:
            return b"".join([read(offset, end - offset) for offset, end in places])
        data = read(start, length)
        return b"".join([data[offset - start : end - start] for offset, end in places])

    def message(self, row: int) -> SipMessage | Malformed:
        """Return a message, parsed. Its notes are the parser's; ``rows.notes`` has all of them."""
        stream = self.streams[self.rows.stream[row]]
        return parse_message(self.raw(row), stream=stream.transport != "udp")

    def document(self, row: int) -> XccosDocument | Malformed | None:
        """Return the XCCOS document of a message; None when its body is something else."""
        message = self.message(row)
        if isinstance(message, Malformed) or not message.body:
            return None
        return read_document(message.body, message.content_type)

    def frames(self, row: int) -> tuple[int, ...]:
        """Return the frames that brought bytes of a message, ascending."""
        return self.rows.frames(row)


def streams_of(connections: Iterable[tuple[str, str, str, bool]], first: int = 0) -> list[Stream]:
    """Return both directions of connections, numbered ``2 * connection`` and ``+ 1``.

    Of each connection opener, responder, transport and whether its SYN was seen are given;
    ``first`` is the number of the first one.
    """
    found: list[Stream] = []
    for number, (opener, responder, transport, syn) in enumerate(connections, first):
        found += [
            Stream(opener, responder, transport, number, from_opener=True, syn_seen=syn),
            Stream(responder, opener, transport, number, from_opener=False, syn_seen=syn),
        ]
    return found


class Streams(Sequence[Stream]):
    """Directions of connections by number, each made when it is first asked for.

    While a capture is read its connections become more and more, and most of them are looked at
    only to write two addresses.
    """

    __slots__ = ("_made", "keys")

    def __init__(self) -> None:
        self.keys: list[tuple[bytes, str, bool]] = []
        """Key, transport and whether the SYN was seen, of each connection."""
        self._made: dict[int, Stream] = {}

    def __len__(self) -> int:
        return 2 * len(self.keys)

    @overload
    def __getitem__(self, number: int) -> Stream: ...

    @overload
    def __getitem__(self, number: slice) -> list[Stream]: ...

    def __getitem__(self, number: int | slice) -> Stream | list[Stream]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        made = self._made.get(number)
        if made is None:
            key, transport, syn = self.keys[number >> 1]
            both = streams_of([(*address_text(key), transport, syn)], number >> 1)
            self._made[number & ~1], self._made[number | 1] = both
            made = both[number & 1]
        return made

    def add(self, keys: Iterable[tuple[bytes, str, bool]]) -> None:
        """Add the connections that were numbered next: key, transport, whether a SYN was seen."""
        self.keys += keys
