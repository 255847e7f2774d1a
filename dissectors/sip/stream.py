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
from dissectors.notes import BAD_LENGTH, HOLE, LF_ONLY, RESYNC, TRUNCATED
from dissectors.sip.ending import (
    DOUBTFUL,
    MAX_BODY,
    MORE,
    body_end,
    embeds_messages,
    start_inside,
    true_end,
)
from dissectors.sip.framed import Framed, later
from dissectors.sip.held import Held
from dissectors.sip.resume import (
    EMPTY_LINE,
    EMPTY_LINE_LENGTH,
    MAX_HEAD,
    START,
    bare_line_end,
    head_end,
    kept_from,
)

if TYPE_CHECKING:
    from dissectors.sip.scan import Head, HeadScanner

_UNUSUAL = DOUBTFUL | LF_ONLY

_new = tuple.__new__  # builds a named tuple in half the time of calling its class


class StreamReader(Held):
    """One direction of a connection. ``feed`` chunks in order, then ``close``."""

    __slots__ = ("_begun", "_head_ends", "_head_open", "_scan", "_tail")

    def __init__(self, scanner: HeadScanner, *, whole: bool) -> None:
        """``whole``: the beginning of the stream is in the capture."""
        super().__init__(synced=whole)
        self._scan = scanner
        # (head, offset of the body, length) of the message whose beginning is in the buffer
        self._begun: tuple[Head, int, int] | None = None
        self._head_open = False  # look again when a blank line has come
        self._head_ends: tuple[int, int] | None = None  # the next one in the bytes looked at
        self._tail = 0  # bytes of a message cut by a hole, still to come

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

    def _whole(self, chunk: Chunk, out: list[Framed]) -> Chunk | None:  # noqa: C901
        """Frame whole messages at the beginning of a chunk; return what is left of it."""
        _, data, frame, time_ns, digits, offset, _ = chunk
        position, size, scan = 0, len(data), self._scan.scan
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
            position = end
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
        return framed

    def close(self) -> list[Framed]:
        """Return what can still be used at the end of the stream."""
        return self._cut(0)

    # framing

    def _frame(self, data: bytes, why: int | None) -> list[Framed]:
        """Frame what can be framed.

        ``why`` no more bytes follow: ``HOLE``, 0 at the end of the stream, None when they do.
        """
        out: list[Framed] = []
        size = len(data)
        self._need = 0
        self._head_open = False
        self._head_ends = None
        position = self._skip_tail(data, why) if self._tail else 0
        while 0 <= position < size:
            position = self._begin(data, position)
            if not self._synced or position == size:
                break
            end = self._message(data, position, out, why)
            if end == position:
                if why is None:
                    break  # more bytes are needed
                end = self._truncated(data, position, why, out)
            position = abs(end)
        if why is not None:
            self._note_junk(size - position)
            position = size
        self._keep(data, max(position, 0))
        return out

    def _begin(self, data: bytes, position: int) -> int:
        """Return where the next message begins, as far as that is known (``_synced``)."""
        if self._synced:
            while position < len(data) and data[position] in b"\r\n":
                position += 1
            return position
        match = START.search(data, position)
        self._synced = match is not None
        start = kept_from(data, position) if match is None else match.start()
        self._note_junk(start - position)
        if match is None:
            self._wait(len(data) - start, 0)
        return start

    def _skip_tail(self, data: bytes, why: int | None) -> int:
        """Pass over the rest of a message that was cut by a hole; ``MORE`` when that must wait."""
        end, size = self._tail, len(data)
        if end <= size:
            position = true_end(data, 0, end, self._scan, ended=why is not None)
        elif why is None:
            position = MORE
        else:
            match = START.search(data)
            position = size if match is None else match.start()
        if position == MORE:
            self._wait(size, end)
            return MORE
        self._tail = end - size if position == size else 0
        self._synced = True
        self._note_junk(position)
        return position

    def _blank_line(self, data: bytes) -> bool:
        """Whether the head that lacked its end can have got it with these last bytes."""
        window = bytes(self._buffer[-len(data) - EMPTY_LINE_LENGTH :])
        return EMPTY_LINE.search(window) is not None

    def _message(self, data: bytes, start: int, out: list[Framed], why: int | None) -> int:
        """Frame one message at ``start``.

        Return its end, or ``start`` when bytes are missing. Where no message stands there, return
        the place to look on from, as a negative number.
        """
        blank, body = self._head_end(data, start)
        if blank < 0:
            return self._unfinished_head(data, start)
        if blank - start > MAX_HEAD:
            return self._lost(start, blank - MAX_HEAD)
        head = self._scan.scan(data[start:blank])
        if head is None:
            return self._lost(start, start + 1)
        inner = start_inside(data, start, blank, head.notes) if head.notes & DOUBTFUL else 0
        if inner:
            return self._up_to(data, start, inner, out)
        end, notes = body_end(data, body, head, self._scan, ended=why is not None)
        if not body <= end <= len(data):
            self._wait(len(data) - start, end - start)
            return start
        if bare_line_end(data[blank:body]):
            notes |= LF_ONLY
        if why and head.content_length is None and end == len(data):
            notes |= why | TRUNCATED
        self._emit(data, (start, body, end), head, notes, out)
        return end

    def _head_end(self, data: bytes, start: int) -> tuple[int, int]:
        """Look for the end of a head once, however many start lines stand before it."""
        ends = self._head_ends
        if ends is None or 0 <= ends[0] < start:
            ends = self._head_ends = head_end(data, start)
        return ends

    def _up_to(self, data: bytes, start: int, inner: int, out: list[Framed]) -> int:
        """Take what stands before the start line at ``inner``: a head that broke off, or junk."""
        if data[inner - 1] != 10:
            return self._lost(start, inner)
        head = self._scan.scan(data[start:inner].rstrip(b"\r\n"))
        if head is None:
            return self._lost(start, inner)
        self._emit(data, (start, inner, inner), head, TRUNCATED, out)
        return inner

    def _unfinished_head(self, data: bytes, start: int) -> int:
        """Decide whether a head without its end is worth waiting for."""
        line_end = data.find(b"\n", start, start + MAX_HEAD)
        if line_end >= 0:
            line = data[start:line_end].rstrip(b"\r")
            if not self._scan.is_start(line):
                return self._lost(start, start + 1)
        longest = MAX_HEAD + EMPTY_LINE_LENGTH
        if len(data) - start > longest:
            return self._lost(start, len(data) - longest)
        self._head_open = True
        self._wait(max(len(data) - start, longest), 0)
        return start

    def _cut(self, why: int) -> list[Framed]:
        """Use what is there: no more bytes follow."""
        self._begun = None
        data = bytes(self._buffer)
        out = self._frame(data, why) if data else []
        self._need = 0
        return out

    def _truncated(self, data: bytes, start: int, why: int, out: list[Framed]) -> int:
        """Emit the message that is cut short at the end of ``data``; return where to go on."""
        size = len(data)
        blank, body = self._head_end(data, start)
        cut_head = blank < 0
        if cut_head:  # the last line may be cut
            blank, body = data.rfind(b"\n", start), size
        head = self._scan.scan(data[start:blank].rstrip(b"\r")) if blank > start else None
        if head is None:
            return self._lost(start, size)
        match = START.search(data, body)
        if match is not None and not embeds_messages(head, self._scan):
            # Its length lied: others stand behind it.
            self._emit(data, (start, body, match.start()), head, BAD_LENGTH, out)
            return match.start()
        if why and not cut_head and head.content_length is not None:
            self._tail = body + head.content_length - size
        self._emit(data, (start, body, size), head, why | TRUNCATED, out)
        return size
