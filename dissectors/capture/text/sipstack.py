"""Traces of the SIP stack of a server, as OCSLogger, CLS and Snooper write them as text.

The one rule: a record is everything between ``$$begin_record`` and ``$$end_record``, and blank
lines mean nothing in it: copies have them anywhere. A head ends at ``Message-Body:``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.capture.text.diagnostics import (
    TraceLine,
    line_annotation,
    may_matter,
    record_annotation,
    trace_line,
)
from dissectors.capture.text.encoding import (
    Rebuilt,
    body_of,
    content_length,
    is_field,
    message_bytes,
    rebuilt,
    with_port,
)
from dissectors.capture.text.lines import NO_MARGIN, Margin, TimeOrder, margin_of
from dissectors.capture.text.values import Annotation, TextMessage
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.capture.text.values import Line, Record

BEGIN, END = "$$begin_record", "$$end_record"
PREFIX = "TL_"
MAX_OPEN = 16
"""Records of different threads that are open at once: a server has a few dozen threads, and two or
three are seen to write into one another."""
PATIENCE = 64
"""Lines with a prefix that an interrupted record is kept for."""
MAX_ANNOTATIONS = 200_000
"""A trace of a gigabyte has fewer. More are told once and left out."""
MAX_REMARKS = 1000
"""Malformed records that are told one by one."""

MAX_RECORD = 16 * 1024 * 1024
"""Characters of a record: the largest bodies (history of a room, a picture) have some million."""
MAX_RECORD_LINES = 500_000

_UNDATED = "a record without a line that says when it was; it is left out"
_QUIET = ("TL_INFO", "TL_VERBOSE", "TL_NOISE", "TL_DEBUG")


class OpenRecord:
    """A record whose end has not been seen yet."""

    __slots__ = (
        "_head", "_kept", "_length", "_size", "_wire",
        "ended", "interrupted_by", "line", "number", "server", "texts", "touched",
    )  # fmt: skip

    def __init__(self, line: TraceLine, server: str, touched: int, number: int | None) -> None:
        self.line = line
        self.server = line.server or server
        self.number = number
        """Line that it begins with, where that is not the one with the prefix."""
        self.texts: list[str] = []
        self.touched = touched
        """How many prefixes there had been when it got its last line."""
        self.interrupted_by = ""
        """The thread that wrote into it, if one did."""
        self.ended = False
        self._head = True
        self._kept = 0  # lines that are its own for sure
        self._length = -1  # Content-Length
        self._size = 0
        self._wire = (0, 0)  # bytes of the body with CRLF, and with LF

    def add(self, text: str, touched: int) -> bool:
        """Take a line; return False when the record is too long to be one."""
        self.touched = touched
        if self._head:
            if self.interrupted_by and text.strip() and not is_field(text):
                return True  # it belongs to what the other thread wrote
            self._note(text)
        else:
            size = len(message_bytes(text))
            self._wire = (self._wire[0] + size + 2, self._wire[1] + size + 1)
        self.texts.append(text)
        self._size += len(text)
        return self._size <= MAX_RECORD and len(self.texts) <= MAX_RECORD_LINES

    def _note(self, text: str) -> None:
        if (length := content_length(text)) is not None:
            self._length = length
        elif (body := body_of(text)) is not None:
            self._head = False
            size = len(message_bytes(body))
            self._wire = (size, size)

    def is_whole(self) -> bool:
        """Tell whether it has all of its body, so that only the end is missing."""
        return not self._head and self._length in self._wire

    def interrupt(self, thread: str) -> None:
        """Note that another thread wrote a line into it."""
        if not self.interrupted_by:
            self.interrupted_by = thread
            self._kept = len(self.texts)

    def settle(self) -> None:
        """Give up lines that are somebody else's: those after another thread's, if no end came."""
        if self.interrupted_by and not (self.ended or self.is_whole()):
            del self.texts[self._kept :]


class SipstackReader:
    """Reads the records of a SIP stack, in whatever tool's text they are."""

    name = "SIPStack trace (OCSLogger, CLS, Snooper)"
    experimental = False

    def __init__(self) -> None:
        self._order = TimeOrder()
        self._margin = NO_MARGIN
        self._open: list[OpenRecord] = []  # the last one takes the lines without prefix
        self._last: tuple[str, int, int] | None = None  # the last prefix, not yet looked at
        self._prefixes = 0
        self._begun = False
        self._annotations = 0
        self._remarks = 0
        self._altered = self._undated = False

    def feed(self, lines: Sequence[Line]) -> list[Record | Malformed]:
        """Take the next lines; return the records that they complete, in the order of their times.

        Records are held back a little (``TimeOrder``), because merged traces are out of
        order.
        """
        for line in lines:
            text = line.text
            if text.startswith(PREFIX):
                self._prefixed(text, line.number, NO_MARGIN)
            elif self._open:
                self._inside(text, line.number)
            else:
                self._outside(text, line.number)
        return self._order.ready()

    def close(self) -> list[Record | Malformed]:
        """Return the rest: what was held back, and the records that the end of the trace cuts."""
        while self._open:
            self._finish(self._open.pop(), "the trace ends inside the record")
        return self._order.close()

    def _prefixed(self, text: str, number: int, margin: Margin) -> None:
        """Take a line with a prefix."""
        if not self._open:
            self._margin = margin
            self._last = (text, number, margin.before)
            self._begun = True
            # Nine of ten lines of a full trace end here.
            if text.startswith(_QUIET) and BEGIN not in text and not may_matter(text):
                return
        line = trace_line(text, number, margin.before)
        if line is None:
            if self._open:
                self._open[-1].add(text, self._prefixes)
            elif BEGIN in text and not self._undated:
                self._undated = True
                self._tell(number, f"{_UNDATED}; others like it are not told")
            return
        self._margin = margin
        self._last = (text, number, margin.before)
        self._prefixes += 1
        self._interrupt(line)
        _before, begin, after = line.rest.partition(BEGIN)
        if begin:
            self._begin(line, after)
        elif annotation := line_annotation(line):
            self._annotate(line, annotation)

    def _begin(self, line: TraceLine, after: str, number: int | None = None) -> None:
        record = OpenRecord(line, self._margin.server, self._prefixes, number)
        self._open.append(record)
        if after.strip():
            self._inside(after.strip(), line.number)
        if len(self._open) > MAX_OPEN:
            self._finish(self._open.pop(0), "the record has no end")

    def _interrupt(self, line: TraceLine) -> None:
        """Decide what becomes of the open records when a line with a prefix comes."""
        kept = []
        for record in self._open:
            if record.line.thread == line.thread and record.line.bracket == line.bracket:
                self._finish(record, "the record has no end; the next one begins")
            elif self._prefixes - record.touched > PATIENCE or record.is_whole():
                self._finish(record, "the record has no end")
            else:
                record.interrupt(line.thread)
                kept.append(record)
        self._open = kept

    def _inside(self, text: str, number: int) -> None:
        """Take a line without a plain prefix while a record is open."""
        margin = self._margin
        record = self._open[-1]
        if margin is not NO_MARGIN:
            found = margin_of(text, PREFIX)
            if found is not None and trace_line(text, number, found.before) is not None:
                self._prefixed(text, number, found)
                return
            text = margin.strip(text)
        if END not in text:
            if not record.add(text, self._prefixes):
                self._open.pop()
                self._finish(record, "the record is too long")
            return
        before, _end, after = text.partition(END)
        if after.strip():  # somebody wrote of the mark
            record.add(text, self._prefixes)
            return
        if before.strip():
            record.add(before, self._prefixes)
        record.ended = True
        self._finish(self._open.pop(), "")

    def _outside(self, text: str, number: int) -> None:
        """Take a line without a plain prefix while no record is open."""
        if PREFIX in text[:256] and (margin := margin_of(text, PREFIX)) is not None:
            self._prefixed(text, number, margin)
            return
        bare = self._margin.strip(text).strip()
        if bare.startswith((BEGIN, "LogType:")):
            self._late_begin(bare, number)
        elif bare == END and not self._begun:
            self._begun = True
            self._tell(number, "the trace begins inside a record, which is left out")

    def _late_begin(self, bare: str, number: int) -> None:
        """Begin a record whose mark is not on the line with the prefix, or has no mark at all."""
        line = trace_line(*self._last) if self._last else None
        self._begun = True
        if line is None:
            self._tell(number, _UNDATED)
            return
        marked = bare.startswith(BEGIN)
        after = bare[len(BEGIN) :] if marked else bare
        self._begin(line, after, None if marked else number)

    def _finish(self, record: OpenRecord, trouble: str) -> None:
        """Hand on what a record holds."""
        line = record.line
        record.settle()
        message = rebuilt(record.texts)
        if message is None:
            annotation = record_annotation(line, record.texts, record.number)
            if annotation is not None:
                self._annotate(line, annotation)
            elif line.flag == "TF_PROTOCOL":
                self._tell(line.number, trouble or "the record has no Start-Line")
            return
        self._put(line, text_message(record, message), len(message.data))
        if trouble:
            self._tell(line.number, f"{trouble}; what there is of its message is read")
        elif record.interrupted_by:
            wrote = f"thread {record.interrupted_by} wrote into the record"
            self._tell(line.number, f"{wrote} of thread {line.thread}; its parts were put together")
        if message.altered and not self._altered:
            self._altered = True
            self._tell(line.number, f"{message.altered}; others like it are not told")

    def _annotate(self, line: TraceLine, annotation: Annotation) -> None:
        self._annotations += 1
        if self._annotations <= MAX_ANNOTATIONS:
            self._put(line, annotation, len(annotation.text))
        elif self._annotations == MAX_ANNOTATIONS + 1:
            self._tell(line.number, f"more than {MAX_ANNOTATIONS} remarks; the others are left out")

    def _put(self, line: TraceLine, record: Record, size: int) -> None:
        # Servers count each on their own; the processors of one count together.
        self._order.add(record, line.sequence, line.server, size)

    def _tell(self, number: int, reason: str) -> None:
        self._remarks += 1
        if self._remarks == MAX_REMARKS:
            reason = "more such records follow, and are not told one by one"
        if self._remarks <= MAX_REMARKS:
            self._order.tell(Malformed("capture", reason, frame=number))


def text_message(record: OpenRecord, message: Rebuilt) -> TextMessage:
    """Return the message of a record with what the trace says of it."""
    line = record.line
    outgoing = message.direction.startswith("out")
    # The topmost Via of a request is of who sent it, that of a response of who gets it.
    peer = message.peer or ("" if outgoing is not message.response else message.via)
    return TextMessage(
        time_ns=line.time_ns,
        digits=line.digits,
        utc=bool(line.server),  # CLS: its bracket has the server, and its times are UTC
        line=line.number,
        outgoing=outgoing,
        local=f"{record.server}:0" if record.server else "",
        peer=with_port(peer),
        transport=message.transport,
        data=message.data,
        missing=message.missing,
        masked=message.masked,
    )
