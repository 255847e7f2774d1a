"""A trace as lines: cutting bytes into them, what copies put before them, and their order.

The one rule: lines do not depend on how the bytes came in pieces. So the encoding is decided by a
fixed number of first bytes, and everything else line by line.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NamedTuple

from dissectors.capture.text.copies import Copy
from dissectors.capture.text.encoding import HEAD, LineCodec, codec_of, line_end
from dissectors.capture.text.values import Line
from dissectors.model import Malformed

if TYPE_CHECKING:
    from dissectors.capture.text.values import Record

MAX_LINE = 8 * 1024 * 1024
"""Characters of a line that are kept. A picture in base64 is one line of a megabyte or two; larger
ones are damage (a binary file, a disc block of zeros)."""
MAX_REMARKS = 20
"""Overlong lines that are named: who has more does not have a trace."""
MAX_MARGIN = 64
"""Characters before the first field of a line that may be a copy's margin."""
MAX_HELD = 256
"""Records that are held back. A buffer of a trace session (64 KiB) holds a few dozen."""
MAX_HELD_BYTES = 32 * 1024 * 1024
MAX_BACK_NS = 5_000_000_000
"""How far back a record may be moved. Buffers are written every second or so; what is further back
was written by another clock, or in another session that was appended."""
MAX_STEP = 0x10000
"""How far back a sequence number may be; further back it has begun anew."""

# Bytes that stand at either end of a line without being text: padding, marks of files joined.
_PADDING = "\0\ufeff"


class TextDecoder:
    """Turns the bytes of a trace into its lines, whatever it is encoded in.

    ``malformed`` has what had to be left out (overlong lines), ``frame`` being the line's number.
    """

    def __init__(self) -> None:
        self.malformed: list[Malformed] = []
        self._head: bytes | None = b""
        self._cutter: _ByteLines | _WideLines | None = None
        self._copy: Copy | None = None

    def feed(self, data: bytes) -> list[Line]:
        """Take the next bytes of the trace; return the lines that they end."""
        if self._cutter is None:
            self._head = (self._head or b"") + data
            if len(self._head) < HEAD:
                return []
            data = self._decide()
        assert self._cutter is not None
        return self._as_written(self._cutter.feed(data))

    def close(self) -> list[Line]:
        """Return the line that the end of the trace ends."""
        lines: list[Line] = []
        if self._cutter is None:
            data = self._decide()
            assert self._cutter is not None
            lines = self._cutter.feed(data)
        lines = self._as_written(lines + self._cutter.close())
        return lines + (self._copy.close() if self._copy else [])

    @property
    def wrapped(self) -> bool:
        """Whether its lines were broken by whatever copied it."""
        return self._copy is not None and self._copy.wrapped

    def _as_written(self, lines: list[Line]) -> list[Line]:
        return self._copy.lines(lines) if self._copy else lines

    def _decide(self) -> bytes:
        head, self._head = self._head or b"", None
        codec, mark = codec_of(head)
        if codec.startswith("utf-16"):
            text = head[mark:HEAD].decode(codec, "replace")
            end = line_end(text)
            self._cutter = _WideLines(codec, mark, end, self.malformed)
        else:
            text = head[mark:HEAD].decode("latin-1")
            end = line_end(text)
            self._cutter = _ByteLines(LineCodec(marked=mark > 0), mark, end, self.malformed)
        self._copy = Copy(text.replace("\r", "\n") if end == "\r" else text)
        return head[mark:]


class _Cutter:
    """What both kinds of text have in common: numbers, offsets, the bound on a line."""

    def __init__(self, offset: int, malformed: list[Malformed]) -> None:
        self._number = 1
        self._offset = offset
        self._length = 0
        self._malformed = malformed

    def _line(self, text: str, size: int, unit: int) -> Line:
        """Make a line of ``size`` bytes without its end, and go on behind it."""
        offset, number = self._offset, self._number
        if size > MAX_LINE * unit:
            self._overlong(size // unit)
            text = text[:MAX_LINE]
        if text and (text[0] in _PADDING or text[-1] in _PADDING):
            kept = text.lstrip(_PADDING)
            # A mark of three bytes in UTF-8 is one character; padding has no other.
            lost = text[: len(text) - len(kept)]
            offset += unit * len(lost) + (2 * lost.count("\ufeff") if unit == 1 else 0)
            text = kept.rstrip(_PADDING)
        self._number = number + 1
        self._offset += size + unit
        return Line(number, text.rstrip("\r") if text[-1:] == "\r" else text, offset)

    def _overlong(self, length: int) -> None:
        if len(self._malformed) < MAX_REMARKS:
            reason = f"the line has {length} characters; {MAX_LINE} of them are read"
            self._malformed.append(
                Malformed("capture", reason, frame=self._number, offset=self._offset)
            )


class _ByteLines(_Cutter):
    """Lines of text of 8 bits."""

    def __init__(self, codec: LineCodec, offset: int, end: str, malformed: list[Malformed]) -> None:
        super().__init__(offset, malformed)
        self._codec = codec
        self._end = end.encode()
        self._held: list[bytes] = []

    def feed(self, data: bytes) -> list[Line]:
        first, *others = data.split(self._end)
        self._hold(first)
        lines = []
        for other in others:
            lines.append(self._take())
            self._hold(other)
        return lines

    def close(self) -> list[Line]:
        return [self._take()] if self._length else []

    def _hold(self, piece: bytes) -> None:
        if self._length <= MAX_LINE:
            self._held.append(piece)
        self._length += len(piece)

    def _take(self) -> Line:
        raw = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        size, self._length = self._length, 0
        self._held.clear()
        if b"\0" in raw:
            raw = _narrowed(raw)
        return self._line(self._codec.decode(raw[: MAX_LINE + 1]), size, 1)


def _narrowed(raw: bytes) -> bytes:
    """Return a line of 16-bit text among 8-bit ones in UTF-8: what ``>>`` of PowerShell appends.

    The first line has the mark before it; of the LF between the lines, the other half is left.
    """
    kept = raw.strip(b"\0").removeprefix(b"\xff\xfe")
    if kept.count(0) * 3 < len(kept) or not kept:
        return raw
    return (kept + b"\0")[: len(kept) + len(kept) % 2].decode("utf-16-le", "replace").encode()


class _WideLines(_Cutter):
    """Lines of UTF-16."""

    def __init__(self, codec: str, offset: int, end: str, malformed: list[Malformed]) -> None:
        super().__init__(offset, malformed)
        self._decode = codecs.getincrementaldecoder(codec)("replace").decode
        self._end = end
        self._held: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Line]:
        return self._cut(self._decode(data))

    def close(self) -> list[Line]:
        lines = self._cut(self._decode(b"", final=True))
        return [*lines, self._take()] if self._length else lines

    def _cut(self, text: str) -> list[Line]:
        first, *others = text.split(self._end)
        self._hold(first)
        lines = []
        for other in others:
            lines.append(self._take())
            self._hold(other)
        return lines

    def _hold(self, piece: str) -> None:
        if self._length <= MAX_LINE:
            self._held.append(piece)
        self._length += len(piece)
        self._size += 2 * len(piece)
        if not piece.isascii():
            self._size += 2 * sum(character > "\uffff" for character in piece)

    def _take(self) -> Line:
        text = self._held[0] if len(self._held) == 1 else "".join(self._held)
        size, self._length, self._size = self._size, 0, 0
        self._held.clear()
        return self._line(text, size, 2)


class Margin(NamedTuple):
    """What a copy has before its lines: numbers, quotation marks, dashes, blanks."""

    before: int
    """Characters before the first field of the line that it was told by."""
    pattern: re.Pattern[str] | None
    """What to take off the lines that follow; None where nothing is."""
    server: str
    """The name in brackets before the line, where Snooper or a merging tool put one."""

    def strip(self, text: str) -> str:
        """Return a following line without the margin."""
        if self.pattern is None:
            return text
        found = self.pattern.match(text)
        return text[found.end() :] if found else text


NO_MARGIN = Margin(0, None, "")

_MARGIN = re.compile(
    r"(?P<quotes>(?:[ \t]*[>|])*)(?P<indent>[ \t]*)"
    r"(?:(?P<number>\d{1,9}[.):]?)(?P<gap>[ \t\xa0]*))?"
    r"(?P<bullet>[-*\u2022\u2013](?P<space>[ \t\xa0]+))?"
    r"(?:\[(?P<server>[^\]]{1,255})\](?P<after>[ \t]*))?\Z"
)


def margin_of(text: str, field: str) -> Margin | None:
    """Return the margin before ``field`` in a line, or None where that does not begin the line.

    ``field`` is what the line begins with in the trace itself: ``TL_``.
    """
    place = text.find(field, 0, MAX_MARGIN * 4)
    found = _MARGIN.match(text[:place]) if place >= 0 else None
    if found is None:
        return None
    return Margin(place, _margin_pattern(found), found["server"] or "")


def _margin_pattern(found: re.Match[str]) -> re.Pattern[str] | None:
    pattern = r"(?:[ \t]*[>|])*" if found["quotes"] else ""
    # A header that goes on in the next line begins with blanks of its own, so that no more are
    # taken off than stood before the first line.
    if found["number"]:
        sign = re.escape(found["number"][-1:]) if not found["number"].isdigit() else ""
        pattern += rf"[ \t]*\d{{1,9}}{sign}"
    elif found["indent"]:
        pattern += rf"[ \t]{{0,{len(found['indent'])}}}"
    if found["gap"]:
        pattern += rf"[ \t\xa0]{{0,{len(found['gap'])}}}"
    if found["bullet"]:
        pattern += rf"(?:[-*\u2022\u2013][ \t\xa0]{{1,{len(found['space'])}}})?"
    if found["server"]:
        pattern += rf"(?:\[{re.escape(found['server'])}\][ \t]{{0,{len(found['after'])}}})?"
    return re.compile(pattern) if pattern else None


class _Held(NamedTuple):
    time_ns: int
    sequence: int
    source: str
    what: Record
    size: int


class TimeOrder:
    """Puts records in order within a bounded window.

    Traces of several processors or servers are merged imperfectly. A record moves only a little,
    and only where its time, or within a millisecond its sequence number, says so. Where the clock
    or the sequence begins anew, the order of the file stands.
    """

    def __init__(self) -> None:
        self._held: list[_Held] = []
        self._size = 0
        self._ready: list[Record | Malformed] = []

    def add(self, record: Record, sequence: int, source: str, size: int) -> None:
        """Take a record of ``size`` bytes; ``sequence`` counts those of ``source``, or is -1."""
        new = _Held(record.time_ns, sequence, source, record, size)
        held = self._held
        place = len(held)
        while place and _belongs_before(new, held[place - 1]):
            place -= 1
        held.insert(place, new)
        self._size += size
        while len(held) > MAX_HELD or self._size > MAX_HELD_BYTES:
            first = held.pop(0)
            self._size -= first.size
            self._ready.append(first.what)

    def tell(self, malformed: Malformed) -> None:
        """Take what could not be read; it has no place among the records."""
        self._ready.append(malformed)

    def ready(self) -> list[Record | Malformed]:
        """Return what no later record can come before."""
        ready, self._ready = self._ready, []
        return ready

    def close(self) -> list[Record | Malformed]:
        """Return everything that is left."""
        self._ready.extend(held.what for held in self._held)
        self._held.clear()
        return self.ready()


def _belongs_before(new: _Held, old: _Held) -> bool:
    """Tell whether a record is to stand before one that the file has before it."""
    back = old.time_ns - new.time_ns
    if back < 0 or back > MAX_BACK_NS:
        return False
    if new.source != old.source or min(new.sequence, old.sequence) < 0:
        return back > 0
    step = old.sequence - new.sequence
    if step and abs(step) < MAX_STEP:
        # One count: where it agrees with the file, the clock was set back, or is read late.
        return step > 0
    return back > 0
