"""Messages as JSON lines and CSV, a batch at a time; the twin of ``analyzer.export.messages``.

The rule: what is written is exactly what the reference writes, encoded. A string is spelt once over
all batches; a value that needs a decision (a chat text in an unusual shape, headers that are not
plain lines, several XCCOS items in one cell) is asked of the reference.

A batch is a ``Rows`` whose columns are complete; they cannot grow while it is written.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from analyzer._speedups.batches cimport Batch, StreamTexts
from analyzer._speedups.fulltext cimport (
    cut_message, is_utf8, put_body, put_headers, put_start_line
)
from analyzer._speedups.items cimport ItemWriter
from analyzer._speedups.readback cimport MessageReader, Pieces
from analyzer._speedups.spelling cimport (
    close_block, drop_block, open_block, put, put_bytes, put_number
)
from analyzer._speedups.spelt cimport spelt
from dissectors._speedups.strings cimport Span

import hashlib

from analyzer._speedups.batches import STRINGS
from analyzer.export.cells import text_cell
from analyzer.export.messages import csv_names, json_names
from analyzer.export.records import to_json
from analyzer.views.messages import FULL_FIELDS, full_record
from analyzer.window import Streams
from dissectors.notes import note_names
from dissectors.sip.parse import parse_message

cdef enum:
    BLOCK = 256 * 1024  # a block is handed over when it has so many bytes
    SLACK = 32 * 1024
    MANY = 32  # frames of one message that are sorted on the stack

    INDEX = 0
    FRAME
    FRAMES
    TIME
    STREAM
    KIND
    STRING
    STATUS
    CSEQ
    CONTENT_LENGTH
    LENGTH
    SHA1
    XCCOS
    NOTES
    START_LINE
    HEADERS
    BODY
    BODY_BASE64

KINDS = {
    "index": INDEX, "frame": FRAME, "frames": FRAMES, "time": TIME, "kind": KIND,
    "status": STATUS, "cseq": CSEQ, "content_length": CONTENT_LENGTH, "length": LENGTH,
    "sha1": SHA1, "xccos": XCCOS, "notes": NOTES, "start_line": START_LINE, "headers": HEADERS,
    "body": BODY, "body_base64": BODY_BASE64,
}
OF_STREAM = ("src", "dst", "transport")


cdef class LineWriter(ItemWriter):
    """Writes messages of one capture as lines."""

    def __cinit__(self, fields, *, form="jsonl", file=None, streams, read):
        self.json = form == "jsonl"
        names = json_names(fields, file) if self.json else csv_names(fields, file)
        self.befores = tuple([name.encode() for name in names])
        self.steps = <Step *>calloc(len(fields) + 1, sizeof(Step))
        if self.steps == NULL:
            raise MemoryError
        cdef Step *step
        for name, before in zip(fields, self.befores):
            step = &self.steps[self.count]
            self.count += 1
            step.before, step.before_size = PyBytes_AS_STRING(before), len(before)
            if name in STRINGS:
                step.kind, step.at = STRING, STRINGS.index(name)
            elif name in OF_STREAM:
                step.kind, step.at = STREAM, OF_STREAM.index(name)
            else:
                step.kind = KINDS[name]
        self.end, self.end_size = (b"}\n", 2) if self.json else (b"\r\n", 2)
        self.streams, self.reader = streams, MessageReader(read)
        self.keys = streams.keys if isinstance(streams, Streams) else None
        self.notes = {}
        self.second = -(1 << 62)

    def __dealloc__(self):
        free(self.steps)

    def write(self, rows, int64_t first_index=0, chosen=None):
        """Return the lines of a batch in blocks of about 256 KiB, each of whole lines.

        ``first_index`` is the index of the batch's first row; ``chosen`` are the numbers in the
        batch of the rows that are wanted (None: all). Raises IndexError for a row that is none.
        """
        return list(self.blocks(rows, first_index, chosen))

    def blocks(self, rows, int64_t first_index=0, chosen=None):
        """Yield what ``write`` returns, block by block; one batch at a time."""
        cdef bint more = True
        self.take(rows)
        self.cut_row = -1
        self.at, self.first_index = 0, first_index
        wanted = None if chosen is None else iter(chosen)
        try:
            while more:
                drop_block(&self.out)
                open_block(&self.out, BLOCK + SLACK)
                more = self.fill(wanted)
                if self.out.used:
                    yield close_block(&self.out)
        finally:
            drop_block(&self.out)
            self.columns = []
            self.batch.rows = 0

    cdef int fill(self, object wanted) except -1:
        """Write lines until the block is full (return 1), or there are no more of them."""
        cdef Py_ssize_t row
        if wanted is None:
            while self.at < self.batch.rows:
                self.at += 1
                self.line(self.at - 1, self.first_index + self.at - 1)
                if self.out.used >= BLOCK:
                    return 1
            return 0
        for row in wanted:
            if row < 0 or row >= self.batch.rows:
                raise IndexError(row)
            self.line(row, self.first_index + row)
            if self.out.used >= BLOCK:
                return 1
        return 0

    cdef int line(self, Py_ssize_t row, int64_t index) except -1:
        cdef int k
        cdef const Step *step
        for k in range(self.count):
            step = &self.steps[k]
            put(&self.out, step.before, step.before_size)
            self.value(step, row, index)
        return put(&self.out, self.end, self.end_size)

    cdef int value(self, const Step *step, Py_ssize_t row, int64_t index) except -1:
        cdef const Batch *batch = &self.batch
        cdef const Span *text
        cdef const StreamTexts *stream
        cdef int64_t number
        if step.kind == STRING:
            return self.put_string(batch.strings[step.at][row])
        if step.kind == STREAM:
            stream = self.stream_texts(batch.stream[row])
            return put(&self.out, stream.text[step.at], stream.size[step.at])
        if step.kind == STATUS or step.kind == CONTENT_LENGTH:
            number = batch.status[row] if step.kind == STATUS else batch.content_length[row]
            if number >= 0:
                return put_number(&self.out, number)
            return put(&self.out, b"null", 4) if self.json else 0
        if step.kind == INDEX:
            return put_number(&self.out, index)
        if step.kind == FRAME:
            return put_number(&self.out, batch.frame[row])
        if step.kind == LENGTH:
            return put_number(&self.out, batch.length[row])
        if step.kind == CSEQ:
            text = spelt(self.cseqs, batch.cseq[row])
            return put(&self.out, text.data, text.size)
        return self.slow_value(step, row)

    cdef int slow_value(self, const Step *step, Py_ssize_t row) except -1:
        if step.kind == TIME:
            return self.put_time(row)
        if step.kind == FRAMES:
            return self.put_frames(row)
        if step.kind == KIND:
            return self.put_kind(self.batch.status[row] < 0)
        if step.kind == NOTES:
            return self.put_notes(self.batch.notes[row])
        if step.kind == SHA1:
            return self.put_sha1(row)
        if step.kind == XCCOS:
            return self.put_json_items(row) if self.json else self.put_csv_items(row)
        return self.put_full(step.kind, row)

    cdef int put_kind(self, bint request) except -1:
        if self.json:
            return put(&self.out, b'"request"' if request else b'"response"', 9 if request else 10)
        return put(&self.out, b"request" if request else b"response", 7 if request else 8)

    cdef int put_time(self, Py_ssize_t row) except -1:
        cdef int64_t time = self.batch.time[row]
        cdef int digits = min(<int>self.batch.digits[row], 9), k
        cdef int64_t second, fraction
        cdef char[40] text
        cdef int at = 0
        if time == 0:
            return put(&self.out, b"null", 4) if self.json else 0
        second, fraction = time // 1000000000, time % 1000000000
        if fraction < 0:  # C rounds towards zero
            second, fraction = second - 1, fraction + 1000000000
        if second != self.second:
            self.second = second
            write_second(self.second_text, second)
        if self.json:
            text[at] = 34
            at += 1
        memcpy(text + at, self.second_text, 19)
        at += 19
        if digits:
            text[at] = 46
            for k in range(9, 0, -1):
                text[at + k] = <char>(48 + fraction % 10)
                fraction //= 10
            at += digits + 1
        text[at] = 90
        at += 1
        if self.json:
            text[at] = 34
            at += 1
        return put(&self.out, text, at)

    cdef int put_frames(self, Py_ssize_t row) except -1:
        cdef const Pieces *pieces = &self.batch.pieces
        cdef uint64_t first = pieces.first[row], k
        cdef uint32_t count = pieces.count[row], last, frame
        cdef uint32_t[MANY] sorted_frames
        cdef uint32_t j, used = 0
        if first > <uint64_t>pieces.pieces or count > <uint64_t>pieces.pieces - first:
            raise IndexError(first)
        if count > MANY:
            frames = sorted(set([pieces.frame[k] for k in range(first, first + count)]))
            text = to_json(frames) if self.json else " ".join(map(str, frames))
            return put_bytes(&self.out, text.encode())
        for k in range(first, first + count):
            frame, j = pieces.frame[k], used
            while j and sorted_frames[j - 1] > frame:
                sorted_frames[j] = sorted_frames[j - 1]
                j -= 1
            sorted_frames[j] = frame
            used += 1
        if self.json:
            put(&self.out, b"[", 1)
        last = 0
        for j in range(used):
            if j and sorted_frames[j] == last:
                continue
            if j:
                put(&self.out, b"," if self.json else b" ", 1)
            last = sorted_frames[j]
            put_number(&self.out, last)
        return put(&self.out, b"]", 1) if self.json else 0

    cdef int put_notes(self, uint32_t bits) except -1:
        if not bits:
            return put(&self.out, b"[]", 2) if self.json else 0
        text = self.notes.get(bits)
        if text is None:
            names = note_names(bits)
            text = (to_json(names) if self.json else text_cell(" ".join(names))).encode()
            self.notes[bits] = text
        return put_bytes(&self.out, text)

    # What needs the bytes of the message.

    cdef int put_sha1(self, Py_ssize_t row) except -1:
        digest = hashlib.sha1(self.raw(row), usedforsecurity=False).hexdigest().encode()
        if not self.json:
            return put_bytes(&self.out, digest)
        put(&self.out, b'"', 1)
        put_bytes(&self.out, digest)
        return put(&self.out, b'"', 1)

    cdef int cut(self, Py_ssize_t row) except -1:
        """Cut the message into its parts, where it is plain."""
        cdef const Batch *batch = &self.batch
        self.read_back(row)
        if row == self.cut_row:
            return 0
        self.cut_row, self.record = row, None
        self.plain = cut_message(&self.message, &self.parts)
        # A datagram may go on behind its message, and Content-Length says where that ends.
        if self.plain and self.stream_texts(batch.stream[row]).datagrams and (
            batch.notes[row] or batch.content_length[row] != self.message.size - self.parts.body
        ):
            self.plain = False
        return 0

    cdef int put_full(self, int kind, Py_ssize_t row) except -1:
        cdef Py_ssize_t before = self.out.used
        self.cut(row)
        if self.plain and self.put_plain_part(kind, row):
            return 0
        self.out.used = before
        if self.record is None:
            stream = not self.stream_texts(self.batch.stream[row]).datagrams
            self.record = full_record(parse_message(self.raw(row), stream=stream))
        return put_bytes(&self.out, to_json(self.record[FULL_FIELDS[kind - START_LINE]]).encode())

    cdef int put_plain_part(self, int kind, Py_ssize_t row) except -1:
        """Write a part of a plain message; return 0 where the parser has to decide."""
        cdef Py_ssize_t size = self.message.size - self.parts.body
        if kind == START_LINE:
            return put_start_line(&self.out, &self.message, &self.parts)
        if kind == HEADERS:
            return put_headers(&self.out, &self.message, &self.parts)
        if kind == BODY and size:
            return put_body(&self.out, &self.message, &self.parts)
        if kind == BODY_BASE64 and not is_utf8(self.message.data + self.parts.body, size):
            return 0
        put(&self.out, b"null", 4)
        return 1


cdef void write_second(char *text, int64_t second) noexcept nogil:
    """Write ``2026-11-22T07:20:06``: the civil date of a day, by eras of 400 years from a March."""
    cdef int64_t day = second // 86400, of_day = second % 86400
    cdef int64_t era, year, month
    if of_day < 0:
        day, of_day = day - 1, of_day + 86400
    day += 719468  # days from 0000-03-01; positive for all that 64 bits of nanoseconds reach
    era = day // 146097
    day = day % 146097
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += 400 * era + (1 if month > 9 else 0)
    month += 3 if month < 10 else -9
    write_digits(text, year, 4, 45)
    write_digits(text + 5, month, 2, 45)
    write_digits(text + 8, day + 1, 2, 84)
    write_digits(text + 11, of_day // 3600, 2, 58)
    write_digits(text + 14, of_day // 60 % 60, 2, 58)
    write_digits(text + 17, of_day % 60, 2, 90)


cdef inline void write_digits(char *text, int64_t number, int digits, char after) noexcept nogil:
    cdef int k
    for k in range(digits - 1, -1, -1):
        text[k] = <char>(48 + number % 10)
        number //= 10
    text[digits] = after
