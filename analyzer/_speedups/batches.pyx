"""The rows of a batch for whoever writes them: where its columns lie, and what they refer to.

The rule: the columns cannot move while a batch is written. A string is spelt once over all batches,
the texts of a stream once while they are at hand, and a message is read back once for its row.
"""

from cpython.array cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from analyzer._speedups.spelling cimport drop_block, open_block, put, put_json, put_number
from analyzer._speedups.spelt cimport Spelt, SpeltPairs, put_cell, spelt
from dissectors._speedups.strings cimport Span

cdef enum:
    PLACES = 8192  # streams whose texts are at hand: 1.5 MB

STRINGS = (
    "method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri", "to_tag",
    "content_type",
)


cdef class BatchWriter:
    """Has a batch, and the block that is written to."""

    def __cinit__(self):
        self.known = <StreamTexts *>calloc(PLACES, sizeof(StreamTexts))
        if self.known == NULL:
            raise MemoryError
        for k in range(PLACES):
            self.known[k].stream = -1
        open_block(&self.scratch, 256)

    def __dealloc__(self):
        free(self.known)
        drop_block(&self.out)
        drop_block(&self.scratch)

    cdef int take(self, object rows) except -1:
        """Look where the columns of a batch lie."""
        cdef Batch *batch = &self.batch
        cdef Py_ssize_t count = len(rows.time), k
        if rows.strings is not self.strings:
            self.strings, self.texts = rows.strings, Spelt(rows.strings, not self.json)
        if rows.cseqs is not self.pairs:
            self.pairs, self.cseqs = rows.cseqs, SpeltPairs(rows.cseqs, not self.json)
        self.rows, self.columns = rows, []
        batch.rows = count
        batch.time = <const int64_t *>self.column(rows.time, c"q", count)
        batch.digits = <const uint8_t *>self.column(rows.digits, c"B", count)
        batch.frame = <const uint32_t *>self.column(rows.frame, c"I", count)
        batch.stream = <const uint32_t *>self.column(rows.stream, c"I", count)
        batch.status = <const int64_t *>self.column(rows.status, c"q", count)
        batch.cseq = <const uint32_t *>self.column(rows.cseq, c"I", count)
        batch.content_length = <const int64_t *>self.column(rows.content_length, c"q", count)
        batch.length = <const uint32_t *>self.column(rows.length, c"I", count)
        batch.notes = <const uint32_t *>self.column(rows.notes, c"I", count)
        for k in range(9):
            column = getattr(rows, STRINGS[k])
            batch.strings[k] = <const uint32_t *>self.column(column, c"I", count)
        batch.content_type = batch.strings[8]
        batch.item = <const uint64_t *>self.column(rows.item, c"Q", count)
        batch.items = <const uint32_t *>self.column(rows.items, c"I", count)
        self.read_row = -1
        return self.take_items(rows)

    cdef int take_items(self, object rows) except -1:
        """The same for the XCCOS items and the pieces."""
        cdef Batch *batch = &self.batch
        cdef Py_ssize_t count = len(rows.item_columns["element"])
        cdef dict items = rows.item_columns, pieces = rows.piece_columns
        batch.all_items = count
        batch.element = <const uint32_t *>self.column(items["element"], c"I", count)
        batch.id = <const uint32_t *>self.column(items["id"], c"I", count)
        batch.seqid = <const uint32_t *>self.column(items["seqid"], c"I", count)
        batch.envid = <const uint32_t *>self.column(items["envid"], c"I", count)
        batch.command_seqid = <const uint32_t *>self.column(items["command_seqid"], c"I", count)
        batch.command_envid = <const uint32_t *>self.column(items["command_envid"], c"I", count)
        batch.has_command = <const uint8_t *>self.column(items["has_commandid"], c"B", count)
        batch.code = <const uint32_t *>self.column(items["code"], c"I", count)
        batch.text = <const uint32_t *>self.column(items["text"], c"I", count)
        count = len(pieces["offset"])
        batch.pieces.pieces = count
        batch.pieces.frame = <const uint32_t *>self.column(pieces["frame"], c"I", count)
        batch.pieces.offset = <const uint64_t *>self.column(pieces["offset"], c"Q", count)
        batch.pieces.length = <const uint32_t *>self.column(pieces["length"], c"I", count)
        count = batch.rows
        batch.pieces.first = <const uint64_t *>self.column(rows.piece, c"Q", count)
        batch.pieces.count = <const uint32_t *>self.column(rows.pieces, c"I", count)
        return 0

    cdef const void *column(self, array column, char code, Py_ssize_t least) except? NULL:
        """Return where a column lies; raise ValueError where it is not as it must be."""
        if column.ob_descr.typecode != code or len(column) < least:
            raise ValueError("a column of rows has another type, or is too short")
        self.columns.append(memoryview(column))  # it cannot be moved meanwhile
        return column.data.as_voidptr

    cdef int put_string(self, uint32_t number) except -1:
        cdef const Span *text = spelt(self.texts, number)
        return put(&self.out, text.data, text.size)

    cdef const StreamTexts *stream_texts(self, uint32_t stream) except NULL:
        cdef StreamTexts *known = &self.known[stream % PLACES]
        if known.stream != stream:
            self.spell_stream(known, stream)
        return known

    cdef int spell_stream(self, StreamTexts *known, uint32_t stream) except -1:
        cdef object number
        cdef int k
        known.stream = -1
        if self.keys is not None:
            number = stream >> 1
            key, transport, _ = self.keys[number]  # an object as the index: it is checked
            if len(<bytes?>key) == 12:
                known.datagrams = transport == "udp"
                self.spell_addresses(known, key, stream & 1)
                self.spell_text(known, 2, transport)
                known.stream = stream
                return 0
        number = stream
        found = self.streams[number]
        known.datagrams = found[2] == "udp"
        for k in range(3):
            self.spell_text(known, k, found[k])
        known.stream = stream
        return 0

    cdef int spell_text(self, StreamTexts *known, int k, str text) except -1:
        cdef bytes spelt = text.encode()
        self.scratch.used = 0
        if not self.json:
            put_cell(&self.scratch, <const uint8_t *>PyBytes_AS_STRING(spelt), len(spelt))
        else:
            put(&self.scratch, b'"', 1)
            put_json(&self.scratch, <const uint8_t *>PyBytes_AS_STRING(spelt), len(spelt))
            put(&self.scratch, b'"', 1)
        return self.keep_text(known, k)

    cdef int spell_addresses(self, StreamTexts *known, const uint8_t *key, bint back) except -1:
        """Spell source and destination of a direction between addresses of IPv4."""
        cdef int k, part
        cdef const uint8_t *address
        cdef const uint8_t *port
        for k in range(2):
            address, port = key + 4 * (k ^ back), key + 8 + 2 * (k ^ back)
            self.scratch.used = 0
            if self.json:
                put(&self.scratch, b'"', 1)
            for part in range(4):
                put_number(&self.scratch, address[part])
                put(&self.scratch, b"." if part < 3 else b":", 1)
            put_number(&self.scratch, port[0] << 8 | port[1])
            if self.json:
                put(&self.scratch, b'"', 1)
            self.keep_text(known, k)
        return 0

    cdef int keep_text(self, StreamTexts *known, int k) except -1:
        if self.scratch.used > ADDRESS:
            raise ValueError("the address of a stream is too long")
        memcpy(known.text[k], self.scratch.data, <size_t>self.scratch.used)
        known.size[k] = <uint8_t>self.scratch.used
        return 0

    cdef int read_back(self, Py_ssize_t row) except -1:
        if row != self.read_row:
            self.read_row = -1
            self.message = self.reader.message(&self.batch.pieces, row)
            self.read_row = row
        return 0

    cdef bytes raw(self, Py_ssize_t row):
        self.read_back(row)
        return PyBytes_FromStringAndSize(<const char *>self.message.data, self.message.size)
