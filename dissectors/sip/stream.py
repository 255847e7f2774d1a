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
from dissectors.notes import BAD_LENGTH, HOLE, LF_ONLY, NO_LENGTH, RESYNC, TRUNCATED
from dissectors.sip.framed import Framed, gather, later
from dissectors.sip.resume import EMBEDS_MESSAGES, MAX_HEAD, MAX_START_LINE, START, head_end

if TYPE_CHECKING:
    from dissectors.sip.scan import Head, HeadScanner

# XCCOS replies of large rooms reach some 100 KiB.
MAX_BODY = 16 << 20
# A direction without any start line in so many bytes carries something else.
MAX_SEARCH = 1 << 20

_new = tuple.__new__  # builds a named tuple in half the time of calling its class


class StreamReader:
    """One direction of a connection. ``feed`` chunks in order, then ``close``."""

    __slots__ = (
        "_anchors",
        "_begun",
        "_buffer",
        "_head_open",
        "_need",
        "_resync",
        "_scan",
        "_searched",
        "_skip",
        "_synced",
        "found",
        "junk",
    )

    def __init__(self, scanner: HeadScanner, *, whole: bool) -> None:
        """``whole``: the beginning of the stream is in the capture."""
        self._scan = scanner
        self._buffer = bytearray()
        # (head, offset of the body, length) of the message whose beginning is in the buffer
        self._begun: tuple[Head, int, int] | None = None
        self._anchors: list[tuple[int, Chunk]] = []  # offset in the buffer where a chunk begins
        self._synced = whole
        self._resync = 0  # notes for the next message
        self._need = 0  # look again when so many bytes are there
        self._head_open = False  # look again when a blank line has come
        self._skip = 0  # bytes of a message cut by a hole, still to come
        self._searched = 0
        self.found = 0
        """Messages so far."""
        self.junk = 0
        """Bytes that belong to no message (keep-alives not counted)."""

    @property
    def hopeless(self) -> bool:
        """No message in so many bytes that the stream must be something else."""
        return not self.found and self._searched > MAX_SEARCH

    def feed(self, chunk: Chunk) -> list[Framed]:
        """Return the messages that this chunk completes."""
        if self._begun is not None:
            return self._continue(chunk)
        out: list[Framed] = []
        if self._synced and not self._buffer and not self._skip and not chunk.fragments:
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
            if length is None or notes & LF_ONLY:
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
            return self._frame(data, ended=False)
        out: list[Framed] = []
        self._emit(data, (0, body, need), head, 0, out)
        buffer.clear()
        rest = len(data) - need
        self._anchors = []
        return out + self.feed(later(chunk, len(chunk.data) - rest)) if rest else out

    def _feed(self, chunk: Chunk) -> list[Framed]:
        data = chunk.data
        if self._skip:
            skip = min(self._skip, len(data))
            self._skip -= skip
            self.junk += skip
            if skip == len(data):
                return []
            chunk = later(chunk, skip)
            data = chunk.data
        if not self._synced and not self._token_in(data):
            self._discard(chunk)
            return []
        if self._buffer:
            self._anchors.append((len(self._buffer), chunk))
            self._buffer += data
            if len(self._buffer) < self._need or (self._head_open and not self._blank_line(data)):
                return []
            data = bytes(self._buffer)
        else:
            self._anchors = [(0, chunk)]
        return self._frame(data, ended=False)

    def gap(self, length: int) -> list[Framed]:
        """Return what can still be used before ``length`` missing bytes (0: unknown)."""
        framed = self._cut(HOLE)
        # Where the rest of the message that was cut reaches over the hole, its end is known.
        self._synced = bool(self._skip) and 0 < length <= self._skip
        self._skip = self._skip - length if self._synced else 0
        self._resync |= RESYNC
        return framed

    def close(self) -> list[Framed]:
        """Return what can still be used at the end of the stream."""
        framed = self._cut(0)
        self._skip = 0
        return framed

    # framing

    def _frame(self, data: bytes, *, ended: bool) -> list[Framed]:
        out: list[Framed] = []
        position, size = 0, len(data)
        self._need = 0
        self._head_open = False
        while position < size:
            if not self._synced:
                position = self._search(data, position)
                if not self._synced:
                    break
            while position < size and data[position] in b"\r\n":
                position += 1
            if position >= size:
                break
            end = self._message(data, position, out, ended=ended)
            if end == position:
                break  # more bytes are needed
            position = end if end > 0 else position + 1
        self._keep(data, position)
        return out

    def _token_in(self, data: bytes) -> bool:
        """Whether these bytes, with those kept, can hold a start line."""
        return b"SIP/" in data or (bool(self._buffer) and b"SIP/" in self._buffer + data[:3])

    def _blank_line(self, data: bytes) -> bool:
        """Whether the head that lacked its end can have got it with these last bytes."""
        window = bytes(self._buffer[-len(data) - 3 :])
        return b"\n\r\n" in window or b"\n\n" in window or len(self._buffer) > MAX_HEAD

    def _message(self, data: bytes, start: int, out: list[Framed], *, ended: bool) -> int:
        """Frame one message at ``start``.

        Return its end, ``start`` when bytes are missing, or -1 when no message stands there.
        """
        blank, body = head_end(data, start)
        if blank < 0:
            return self._unfinished_head(data, start)
        head = self._scan.scan(data[start:blank]) if blank - start <= MAX_HEAD else None
        if head is None:
            return self._lost()
        end, notes = self._end(data, body, head, ended=ended)
        if not body <= end <= len(data):
            self._need = max(end - start, len(data) - start + 1)
            return start
        self._emit(data, (start, body, end), head, notes, out)
        return end

    def _unfinished_head(self, data: bytes, start: int) -> int:
        """Decide whether a head without its end is worth waiting for."""
        line_end = data.find(b"\n", start, start + MAX_START_LINE)
        if line_end < 0:
            return start if len(data) - start <= MAX_START_LINE else self._lost()
        if not self._scan.is_start(data[start:line_end].rstrip(b"\r")):
            return self._lost()
        if len(data) - start > MAX_HEAD:
            return self._lost()
        self._head_open = True
        return start

    def _end(self, data: bytes, body: int, head: Head, *, ended: bool) -> tuple[int, int]:
        """Return where the body ends, and notes; an end outside of ``data``: more is needed."""
        length = head.content_length
        if length is None or length > MAX_BODY:
            notes = NO_LENGTH if length is None else BAD_LENGTH
            return self._undeclared_end(data, body, ended=ended), notes
        end = body + length
        if not length or end > len(data) or data.find(b"SIP/2.0", body, end) < 0:
            return end, 0
        true_end = self._true_end(data, body, end, head, ended=ended)
        return true_end, 0 if true_end == end else BAD_LENGTH

    def _undeclared_end(self, data: bytes, body: int, *, ended: bool) -> int:
        """A body without a usable length ends where the next message begins."""
        match = START.search(data, body)
        if match is None:
            if not ended and len(data) - body <= MAX_BODY:
                return -1
            end = len(data)
        else:
            end = match.start()
        while end > body and data[end - 1] in b"\r\n":
            end -= 1  # keep-alives between messages; a body's own last line end is not told apart
        return end

    def _true_end(self, data: bytes, body: int, end: int, head: Head, *, ended: bool) -> int:
        """Return the end of a body that holds a start line; -1 when more bytes must be seen.

        What stands behind an honest body is a start line, or nothing. Bodies of the types that hold
        messages are believed.
        """
        match = START.search(data, body, end)
        if match is None or EMBEDS_MESSAGES.match(self._scan.text(head.content_type)):
            return end
        behind = data[end : end + MAX_START_LINE]
        if not behind.strip(b"\r\n"):
            return end if ended or behind else -1
        line, newline, _ = behind.lstrip(b"\r\n").partition(b"\n")
        if not newline and not ended and len(behind) < MAX_START_LINE:
            return -1
        if self._scan.is_start(line.rstrip(b"\r")):
            return end
        return match.start()

    def _emit(
        self, data: bytes, span: tuple[int, int, int], head: Head, notes: int, out: list[Framed]
    ) -> None:
        start, body, end = span
        pieces, last = gather(self._anchors, start, end)
        self.found += 1
        out.append(
            Framed(
                head, data[start:end], body - start, head.notes | notes | self._resync,
                last.frame, last.time_ns, last.digits, pieces,
            )
        )  # fmt: skip
        self._resync = 0

    def _lost(self) -> int:
        """What stands here is no message."""
        self._synced = False
        self._note_junk(1)
        self._resync |= RESYNC
        return -1

    def _search(self, data: bytes, position: int) -> int:
        """Return the place of the next start line, or what must be kept to find it later."""
        match = START.search(data, position)
        if match is None:
            # A start line may have begun in the last line, or in the one before it where the header
            # line that must follow is not whole yet.
            last = data.rfind(b"\n", position)
            before = data.rfind(b"\n", position, max(last, position))
            keep = max(position, before + 1, len(data) - 2 * MAX_START_LINE)
            self._note_junk(keep - position)
            return keep
        start = match.start()
        self._note_junk(start - position)
        self._synced = True
        if start > position:
            self._resync |= RESYNC
        return start

    def _note_junk(self, count: int) -> None:
        self.junk += count
        self._searched += count

    def _discard(self, chunk: Chunk) -> None:
        """Keep of bytes without any token of SIP what may be the beginning of a start line."""
        data = chunk.data
        self._resync |= RESYNC
        line = data.rfind(b"\n") + 1
        if line or not self._buffer:
            self._note_junk(len(self._buffer) + max(line, len(data) - MAX_START_LINE))
            self._anchors = [(0, chunk)]
            self._keep(data, max(line, len(data) - MAX_START_LINE))
        else:
            self._anchors.append((len(self._buffer), chunk))
            self._buffer += data
            excess = max(0, len(self._buffer) - MAX_START_LINE)
            self._note_junk(excess)
            self._keep(bytes(self._buffer), excess)

    def _keep(self, data: bytes, position: int) -> None:
        """Keep ``data`` from ``position`` on."""
        if position >= len(data):
            self._buffer.clear()
            self._anchors = []
            return
        anchors = self._anchors
        if position:
            while len(anchors) > 1 and anchors[1][0] <= position:
                del anchors[0]
            self._anchors = [(at - position, chunk) for at, chunk in anchors]
        self._buffer = bytearray(memoryview(data)[position:])

    def _cut(self, why: int) -> list[Framed]:
        """Use what is there: no more bytes follow."""
        out: list[Framed] = []
        self._begun = None
        data = bytes(self._buffer)
        while data:
            out += self._frame(data, ended=True)
            rest = bytes(self._buffer)
            if rest:  # a message that lacks its end; where its length lied, others stand behind it
                self._keep(rest, self._truncated(rest, why, out))
            data = bytes(self._buffer)
        self._anchors = []
        self._need = 0
        return out

    def _truncated(self, data: bytes, why: int, out: list[Framed]) -> int:
        """Emit the message that is cut short in ``data``; return where the next one begins."""
        size = len(data)
        blank, body = head_end(data, 0)
        if blank < 0:  # the last line may be cut
            blank, body = data.rfind(b"\n"), size
        head = None
        if self._synced and blank >= 0:
            head = self._scan.scan(data[:blank].rstrip(b"\r"))
        if head is None:
            self._note_junk(size)
            return size
        match = START.search(data, body)
        if match is not None and not EMBEDS_MESSAGES.match(self._scan.text(head.content_type)):
            self._emit(data, (0, body, match.start()), head, BAD_LENGTH, out)
            return match.start()
        if why and body < size and head.content_length is not None:
            self._skip = max(0, body + head.content_length - size)
        self._emit(data, (0, body, size), head, why | TRUNCATED, out)
        return size
