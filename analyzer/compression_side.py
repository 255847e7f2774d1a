"""One direction of a connection with compression: plain, then packets, then what stays unread.

The one rule: packets are read from the first on. Where bytes are missing behind the agreement, the
rest of the direction is unread, unless it is known that nothing was compressed.
"""

from __future__ import annotations

from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING

from analyzer.rows import Interned
from dissectors.model import Chunk, Malformed
from dissectors.sip.compression import Decompressor
from dissectors.sip.compression_layout import BEGINNING, LONGEST_BEGINNING
from dissectors.sip.framed import later
from dissectors.sip.scan import HeadScanner
from dissectors.sip.stream import StreamReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from dissectors.model import Piece
    from dissectors.sip.compression import Packet
    from dissectors.sip.framed import Framed

    Keep = Callable[[bytes], int | str]

_frame = attrgetter("frame")
_MISSING = "bytes are missing before them, and what follows refers to those"


class Side:
    """``feed`` its chunks in order; messages come out."""

    def __init__(
        self, scanner: HeadScanner, keep: Keep, scheme: str, last: Piece | None, *, whole: bool
    ) -> None:
        """Begin.

        Args:
            scanner: of the rows that the messages go to.
            keep: keeps plain bytes; gives their offset, or why that was not possible.
            scheme: of the compression.
            last: the last bytes that are not compressed; None where they were not captured.
            whole: the beginning of the direction is in the capture.
        """
        self.why: str | None = None
        """Why something of it stayed unread."""
        self.given = 0
        """Plain bytes."""
        self.frames = (0, 0)
        """First and last frame with bytes that stayed unread."""
        self._scheme, self._keep, self._last = scheme, keep, last
        self._scanner = scanner
        self._reader = StreamReader(scanner, whole=whole)
        # What the ordinary pass did, so that it can be taken back.
        self._ordinary = StreamReader(HeadScanner(Interned(), Interned()), whole=whole)
        self.peer: Side | None = None
        """The other direction: either both are compressed, or none is."""
        self.packed: bool | None = None
        """What follows the agreement is compressed; None as long as that is not known."""
        self._agreed = last is None  # and not decided yet whether what follows is packed
        self._lost = False  # bytes are missing right behind the agreement
        self._first: list[Chunk] = []
        self._packed: Decompressor | None = None
        self._chunks: deque[tuple[int, Chunk]] = deque()  # with the bytes up to its end
        self._fed = 0
        self._junk = 0
        self._closed = False

    @property
    def unread(self) -> int:
        """Compressed bytes that were not read."""
        return self._fed - self._packed.read if self._packed is not None else 0

    @property
    def junk(self) -> int:
        """Bytes between messages."""
        return self._junk + (self._reader.junk if self._reader.found else 0)

    @property
    def ordinary_junk(self) -> int:
        """The same, as the ordinary pass counted it."""
        return self._ordinary.junk if self._ordinary.found else 0

    def feed(self, chunk: Chunk) -> list[Framed]:
        """Take the next bytes."""
        self._ordinary.feed(chunk)
        if self._packed is not None:
            return self._unpack(chunk)
        if self._agreed:
            return self._decide(chunk)
        at = None if self._last is None else _end_in(chunk, self._last)
        if at is None:
            return self._reader.feed(chunk)
        self._agreed = True
        if at == len(chunk.data):
            return self._reader.feed(chunk)
        framed = self._reader.feed(chunk._replace(data=chunk.data[:at]))
        return framed + self._decide(later(chunk, at))

    @property
    def _begun(self) -> bytes:
        """What is known of what follows the agreement, but for empty lines."""
        return b"".join(one.data for one in self._first).lstrip(b"\r\n")

    def _decide(self, chunk: Chunk | None) -> list[Framed]:
        """Tell packets from plain messages: what logs hold, and some exports, is unpacked."""
        if chunk is not None:
            self._first.append(chunk)
        data = self._begun
        if chunk is not None and len(data) < LONGEST_BEGINNING:
            return []
        framed: list[Framed] = []
        self.packed = bool(data) and self._looks_packed(data)
        if self.packed:
            framed = self._reader.close()
            self._junk = self.junk
            self._packed = Decompressor(self._scheme)
            self._reader = StreamReader(self._scanner, whole=True)
            self.why = _MISSING if self._lost else None
        take = self._reader.feed if self._packed is None else self._unpack
        self._agreed = self._packed is not None
        for one in self._first:
            framed += take(one)
        self._first.clear()
        return framed

    def _looks_packed(self, data: bytes) -> bool:
        """Tell what the first bytes are: those behind a hole may be the rest of a plain message."""
        if self._lost and self.peer is not None and self.peer.packed is not None:
            return self.peer.packed
        return BEGINNING.match(data) is None

    def _cut_at_agreement(self) -> bool:
        """Tell whether bytes are missing where it is not known yet what follows."""
        if self._agreed and self._packed is None:
            return not self._begun
        # What seemed to be plain was the beginning of an answer to NEGOTIATE.
        return self.packed is False and self.peer is not None and self.peer.packed is True

    def gap(self, length: int) -> list[Framed]:
        """Take note that bytes are missing; ``length`` is 0 where it is not known how many."""
        self._ordinary.gap(length)
        if self._cut_at_agreement():
            # Before anything was seen, what is missing may be the agreement.
            self._lost = self._last is not None or self.packed is False
            self._agreed, self.packed = True, None
            return self._reader.gap(length)
        framed = self._decide(None) if self._agreed and self._packed is None else []
        if self._packed is None:
            return framed + self._reader.gap(length)
        before = self.why
        framed += self._take(self._packed.close())
        self.why = before or _MISSING
        return framed + self._reader.gap(0)

    def close(self) -> list[Framed]:
        """Return what can still be used; the direction ends here."""
        if self._closed:
            return []
        self._closed = True
        self._ordinary.close()
        framed = self._decide(None) if self._agreed and self._packed is None else []
        if self._packed is not None:
            framed += self._take(self._packed.close())
        if not self.unread:
            self.why = None
            return framed + self._reader.close()
        self.why = self.why or "the last packet is not complete"
        for _, chunk in self._chunks:
            self._mark(chunk)
        return framed + self._reader.gap(0) + self._reader.close()

    def _unpack(self, chunk: Chunk) -> list[Framed]:
        assert self._packed is not None
        self._fed += len(chunk.data)
        if self.why is not None:
            self._mark(chunk)
            return []
        self._chunks.append((self._fed, chunk._replace(data=b"", fragments=())))
        return self._take(self._packed.feed(chunk.data))

    def _take(self, found: list[Packet | Malformed]) -> list[Framed]:
        """Hand the packets on, each as bytes of the frame that completed it."""
        framed: list[Framed] = []
        for packet in found:
            if isinstance(packet, Malformed):
                self.why = packet.reason
                framed += self._reader.gap(0)
                break
            completing = self._completing(packet.end)
            offset = self._keep(packet.data)
            if isinstance(offset, str):
                self.why = offset
                break
            self.given += len(packet.data)
            framed += self._reader.feed(completing._replace(data=packet.data, offset=offset))
        return framed

    def _completing(self, end: int) -> Chunk:
        """Return the chunk captured last of those with bytes of a packet."""
        chunks = self._chunks
        last = chunks[0][1]
        while chunks[0][0] < end:
            last = max(last, chunks.popleft()[1], key=_frame)
        last = max(last, chunks[0][1], key=_frame)
        if chunks[0][0] == end:
            chunks.popleft()
        return last

    def _mark(self, chunk: Chunk) -> None:
        first, last = self.frames
        self.frames = (min(first or chunk.frame, chunk.frame), max(last, chunk.frame))


def _end_in(chunk: Chunk, last: Piece) -> int | None:
    """Return where in a chunk some bytes of the capture end; None when they do not."""
    end = last.offset + last.length
    pieces = [(piece.offset, piece.length) for piece in chunk.fragments]
    at = 0
    for offset, length in pieces or [(chunk.offset, len(chunk.data))]:
        if offset < end <= offset + length:
            return at + end - offset
        at += length
    return None
