"""Messages in the bytes that are held of a stream, however odd they are.

Decisions are made only from bytes that later bytes cannot change, or when none will come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.notes import BAD_LENGTH, CSEQ_MISMATCH, LF_ONLY, MISSING_HEADER, RESYNC, TRUNCATED
from dissectors.sip.ending import (
    DOUBTFUL,
    MORE,
    body_end,
    embeds_messages,
    start_inside,
    true_end,
)
from dissectors.sip.framed import Framed, anchors_from, later
from dissectors.sip.held import Held
from dissectors.sip.overreach import NOTHING, last_bytes, reaches_back
from dissectors.sip.resume import (
    EMPTY_LINE_LENGTH,
    MAX_HEAD,
    MAX_START_LINE,
    bare_line_end,
    find_start,
    head_end,
    kept_from,
)

if TYPE_CHECKING:
    from dissectors.sip.scan import Head, HeadScanner


class Framer(Held):
    """Frames what is held; ``StreamReader`` feeds it."""

    __slots__ = ("_back", "_head_ends", "_head_open", "_scan", "_tail")

    def __init__(self, scanner: HeadScanner, *, synced: bool) -> None:
        super().__init__(synced=synced)
        self._scan = scanner
        self._head_open = False  # look again when a blank line has come
        self._head_ends: tuple[int, int] | None = None  # the next one in the bytes looked at
        self._back = 0  # bytes before those looked at with which the next message begins
        self._tail = 0  # bytes of a message cut by a hole, still to come

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
            if self._back:
                data, position = self._step_back(data, position)
                size = len(data)
            elif end == position:
                break  # more bytes are needed
            else:
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
                self._behind = NOTHING
            return position
        start = find_start(data, position)
        self._synced = start >= 0
        if not self._synced:
            start = kept_from(data, position)
            self._wait(len(data) - start, 0)
        self._note_junk(start - position)
        return start

    def _skip_tail(self, data: bytes, why: int | None) -> int:
        """Pass over the rest of a message that was cut by a hole; ``MORE`` when that must wait."""
        end, size = self._tail, len(data)
        if end <= size:
            position = true_end(data, 0, end, self._scan, ended=why is not None)
        elif why is None:
            position = MORE
        else:
            position = find_start(data, 0)
            if position < 0:
                position = size
        if position == MORE:
            self._wait(size, end)
            return MORE
        self._tail = end - size if position == size else 0
        self._synced = True
        self._note_junk(position)
        return position

    def _message(self, data: bytes, start: int, out: list[Framed], why: int | None) -> int:
        """Frame one message at ``start``.

        Return its end, or ``start`` when bytes are missing. Where no message stands there, return
        the place to look on from, as a negative number.
        """
        blank, body = self._head_end(data, start)
        if blank < 0:
            return self._unfinished_head(data, start, out, why)
        if blank - start > MAX_HEAD:
            return self._lost(start, blank - MAX_HEAD)
        head = self._scan.scan(data[start:blank])
        if head is None or head.notes & DOUBTFUL:
            onward = self._doubtful(data, (start, blank), head, out)
            if onward is not None or head is None:
                return onward or 0
        end, notes = body_end(data, body, head, self._scan, ended=why is not None)
        if not body <= end <= len(data):
            self._wait(len(data) - start, end - start)
            return start if why is None else self._truncated(data, start, why, out)
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

    def _doubtful(
        self, data: bytes, span: tuple[int, int], head: Head | None, out: list[Framed]
    ) -> int | None:
        """Decide what to do where a head is none, or may be two; None when it is one after all."""
        start, blank = span
        self._back = self._looks_back(data, start, blank, head)
        if self._back:
            return start
        if head is None:
            return self._lost(start, start + 1)
        inner = start_inside(data, start, blank, head.notes)
        if not inner:
            return None
        broken = self._scan.scan(data[start:inner].rstrip(b"\r\n"))
        if broken is None or data[inner - 1] != 10:
            return self._lost(start, inner)
        self._emit(data, (start, inner, inner), broken, TRUNCATED, out)
        return inner

    def _looks_back(self, data: bytes, start: int, blank: int, head: Head | None) -> int:
        """Return how many bytes before ``start`` the message began, if it did."""
        line = data[start : data.find(b"\n", start, start + MAX_START_LINE) + 1]
        tail = last_bytes(self._behind)
        count = reaches_back(tail, line) if line else 0
        if not count or (start and data[max(0, start - count) : start] != tail[-count:]):
            return 0
        if head is not None:
            better = self._scan.scan(tail[-count:] + data[start:blank])
            if better is None or better.notes & (CSEQ_MISMATCH | MISSING_HEADER):
                return 0
        return count

    def _step_back(self, data: bytes, position: int) -> tuple[bytes, int]:
        """Go back into the last body; return the bytes to look at, and where to begin."""
        count, self._back, self._head_ends = self._back, 0, None
        held = [(max(at, 0), later(chunk, -at) if at < 0 else chunk) for at, chunk in self._anchors]
        anchors, _, end = self._behind
        tail = last_bytes(self._behind)[-count:]
        self._behind = NOTHING
        self._resync |= RESYNC
        if position:
            return data, position - count
        before = anchors_from(anchors, end - count)
        self._anchors = [
            (at, chunk._replace(data=chunk.data[: count - at])) for at, chunk in before
        ]
        self._anchors += [(at + count, chunk) for at, chunk in held]
        return tail + data, 0

    def _unfinished_head(self, data: bytes, start: int, out: list[Framed], why: int | None) -> int:
        """Decide whether a head without its end is worth waiting for."""
        line_end = data.find(b"\n", start, start + MAX_HEAD)
        if line_end >= 0:
            line = data[start:line_end].rstrip(b"\r")
            if not self._scan.is_start(line):
                self._back = self._looks_back(data, start, line_end, None)
                return start if self._back else self._lost(start, start + 1)
        longest = MAX_HEAD + EMPTY_LINE_LENGTH
        if len(data) - start > longest:
            return self._lost(start, len(data) - longest)
        self._head_open = True
        self._wait(max(len(data) - start, longest), 0)
        return start if why is None else self._truncated(data, start, why, out)

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
        behind = find_start(data, body)
        if behind >= 0 and not embeds_messages(head, self._scan):
            # Its length lied: others stand behind it.
            self._emit(data, (start, body, behind), head, BAD_LENGTH, out)
            return behind
        if why and not cut_head and head.content_length is not None:
            self._tail = body + head.content_length - size
        self._emit(data, (start, body, size), head, why | TRUNCATED, out)
        return size
