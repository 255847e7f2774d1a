"""SIP framing: the bytes of one direction of a connection to whole messages (RFC 3261 18.3).

How the bytes were cut into chunks must not matter. Every decision is therefore made from bytes
that later bytes cannot change, or when it is known that no more will come (``close``), or that some
are missing (``gap``).

After a hole, or where something else stands between messages, reading resumes at the next start
line that is followed by a header line. A Content-Length that lies is recognised by a start line
inside the body that is followed by headers, where what stands behind the body is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.model import Chunk, Piece
from dissectors.notes import HOLE, LF_ONLY, RESYNC
from dissectors.sip.ending import DOUBTFUL, MAX_BODY
from dissectors.sip.framed import Framed, later
from dissectors.sip.framing import Framer
from dissectors.sip.overreach import NOTHING
from dissectors.sip.resume import EMPTY_LINE, EMPTY_LINE_LENGTH, MAX_HEAD

if TYPE_CHECKING:
    from dissectors.sip.overreach import Behind
    from dissectors.sip.scan import Head, HeadScanner

_UNUSUAL = DOUBTFUL | LF_ONLY

_new = tuple.__new__  # builds a named tuple in half the time of calling its class


class StreamReader(Framer):
    """One direction of a connection. ``feed`` chunks in order, then ``close``."""

    __slots__ = ("_begun",)

    def __init__(self, scanner: HeadScanner, *, whole: bool) -> None:
        """``whole``: the beginning of the stream is in the capture."""
        super().__init__(scanner, synced=whole)
        # (head, offset of the body, length) of the message whose beginning is in the buffer
        self._begun: tuple[Head, int, int] | None = None

    @property
    def idle(self) -> bool:
        """Nothing is held, noted or searched for: the next byte begins a message."""
        unfinished = self._begun is not None or self._buffer or self._tail or self._resync
        return self._synced and not unfinished and (self.found > 0 or not self._searched)

    @property
    def behind(self) -> Behind:
        """Where the last body lies; set it to go on where another reader stopped."""
        return self._behind

    @behind.setter
    def behind(self, behind: Behind) -> None:
        self._behind = behind

    def feed(self, chunk: Chunk) -> list[Framed]:
        """Return the messages that this chunk completes."""
        if self._begun is not None:
            return self._continue(chunk)
        out: list[Framed] = []
        if self._synced and not self._buffer and not self._tail and not chunk.fragments:
            # The common case at half the price: whole messages, nothing unusual. What this leaves
            # is framed by ``_frame``, which decides everything anew.
            rest = self._whole(chunk, out)
            if rest is None:
                return out
            chunk = rest
        return out + self._feed(chunk) if out else self._feed(chunk)

    def _whole(self, chunk: Chunk, out: list[Framed]) -> Chunk | None:  # noqa: C901, PLR0915
        """Frame whole messages at the beginning of a chunk; return what is left of it."""
        _, data, frame, time_ns, digits, offset, _ = chunk
        position, begin, size, scan = 0, 0, len(data), self._scan.scan
        while position < size:
            blank = data.find(b"\r\n\r\n", position)
            if blank < 0 or data[position] in b"\r\n":
                break
            head = scan(data[position:blank])
            if head is None:
                break
            length, notes = head[11], head[14]
            if length is None or notes & _UNUSUAL or blank - position > MAX_HEAD:
                break
            body = blank + 4
            end = body + length
            if end > size:
                if length <= MAX_BODY:
                    self._begun = (head, body - position, end - position)
                    self._anchors = [(-position, chunk)]
                    self._buffer += data[position:]
                    self.found += len(out)
                    return None
                break
            if length and data.find(b"SIP/2.0", body, end) >= 0:
                break
            piece = _new(Piece, (frame, offset + position, end - position))
            out.append(
                _new(
                    Framed,
                    (
                        head, data[position:end], body - position, notes | self._resync,
                        frame, time_ns, digits, (piece,),
                    ),
                )
            )  # fmt: skip
            self._resync = 0
            position, begin = end, body
        if position:
            self._behind = ([(0, chunk)], begin, position)
        self.found += len(out)
        if position >= size:
            return None
        return later(chunk, position) if position else chunk

    def _continue(self, chunk: Chunk) -> list[Framed]:
        """Take more of a message whose head is known."""
        assert self._begun is not None
        head, body, need = self._begun
        buffer = self._buffer
        self._anchors.append((len(buffer), chunk))
        buffer += chunk.data
        if len(buffer) < need:
            return []
        self._begun = None
        data = bytes(buffer)
        if data.find(b"SIP/2.0", body, need) >= 0:
            return self._frame(data, None)
        out: list[Framed] = []
        self._emit(data, (0, body, need), head, 0, out)
        buffer.clear()
        rest = len(data) - need
        self._anchors = []
        return out + self.feed(later(chunk, len(chunk.data) - rest)) if rest else out

    def _feed(self, chunk: Chunk) -> list[Framed]:
        data = chunk.data
        if not self._synced and not self._token_in(data):
            self._discard(chunk)
            return []
        if self._buffer:
            self._anchors.append((len(self._buffer), chunk))
            self._buffer += data
            if len(self._buffer) < self._need and not (self._head_open and self._blank_line(data)):
                return []
            data = bytes(self._buffer)
        else:
            self._anchors = [(0, chunk)]
        return self._frame(data, None)

    def gap(self, length: int) -> list[Framed]:
        """Return what can still be used before ``length`` missing bytes (0: unknown)."""
        framed = self._cut(HOLE)
        # Where the rest of the message that was cut reaches over the hole, its end is known.
        self._synced = 0 < length <= self._tail
        self._tail = self._tail - length if self._synced else 0
        self._resync |= RESYNC
        self._behind = NOTHING
        return framed

    def close(self) -> list[Framed]:
        """Return what can still be used at the end of the stream."""
        return self._cut(0)

    def _cut(self, why: int) -> list[Framed]:
        """Use what is there: no more bytes follow."""
        self._begun = None
        data = bytes(self._buffer)
        out = self._frame(data, why) if data else []
        self._need = 0
        return out

    def _blank_line(self, data: bytes) -> bool:
        """Whether the head that lacked its end can have got it with these last bytes."""
        window = bytes(self._buffer[-len(data) - EMPTY_LINE_LENGTH :])
        return EMPTY_LINE.search(window) is not None
