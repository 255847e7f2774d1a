"""Strings by number as they are written in JSON or CSV, each spelt once over all batches.

The rule: a spelt string is never moved; it lies in blocks that are only added to. What is not plain
is spelt by the reference: ``json.encoder`` and ``analyzer.export.cells``.
"""

from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

from analyzer._speedups.spelling cimport Out, ask, drop_block, open_block, put, put_bytes, put_json
from dissectors._speedups.strings cimport Span, Strings

from json.encoder import encode_basestring_ascii

from analyzer.export.cells import text_cell
from analyzer.export.records import to_json

cdef enum:
    BLOCK = 64 * 1024
    FIRST = 256


cdef int put_cell(Out *out, const uint8_t *data, Py_ssize_t size) except -1:
    """Write printable ASCII as a CSV cell (RFC 4180 2.6); return 0 (nothing is written) for more.

    As ``analyzer.export.cells.text_cell``: what a spreadsheet takes for a formula (CWE-1236), and
    our own mark, get an apostrophe in front.
    """
    cdef Py_ssize_t k, quotes = 0
    cdef bint quoted = False
    cdef char *to
    for k in range(size):
        if data[k] < 32 or data[k] > 126:
            return 0
        if data[k] == 34:
            quotes += 1
        elif data[k] == 44:
            quoted = True
    quoted = quoted or quotes > 0
    ask(out, size + quotes + 3)
    to = out.data + out.used
    if quoted:
        to[0] = 34
        to += 1
    if size and data[0] in (61, 43, 45, 64, 39):  # = + - @ '
        to[0] = 39
        to += 1
    for k in range(size):
        to[0] = <char>data[k]
        to += 1
        if data[k] == 34:
            to[0] = 34
            to += 1
    if quoted:
        to[0] = 34
        to += 1
    out.used = to - out.data
    return 1


cdef class Spelt:
    """The strings of a table, as JSON or CSV writes them."""

    def __cinit__(self, source, bint csv):
        self.source, self.csv = source, csv
        if isinstance(source, Strings):
            self.table = source
        else:
            self.values = source.values
        open_block(&self.scratch, 256)

    def __dealloc__(self):
        cdef size_t k
        for k in range(self.block_count):
            free(self.blocks[k])
        free(self.blocks)
        free(self.spans)
        drop_block(&self.scratch)

    cdef const Span *spell(self, uint32_t number) except NULL:
        self.scratch.used = 0
        self.write(number)
        return self.keep(number, self.scratch.data, self.scratch.used)

    cdef int write(self, uint32_t number) except -1:
        """Write a string into the scratch block."""
        cdef Span span
        cdef Py_ssize_t size
        cdef const char *data
        if self.table is not None:
            if number >= self.table.count:
                raise IndexError(number)
            span = self.table.span(number)
            if number and self.write_utf8(span.data, span.size):
                return 0
            value = self.table.value(number)
        else:
            if number >= <size_t>len(self.values):
                raise IndexError(number)
            value = self.values[number]
            if value is not None and (<str>value).isascii():
                data = PyUnicode_AsUTF8AndSize(value, &size)
                if self.write_utf8(<const uint8_t *>data, size):
                    return 0
        self.scratch.used = 0
        if self.csv:
            return put_bytes(&self.scratch, text_cell(value).encode())
        return put_bytes(
            &self.scratch, b"null" if value is None else encode_basestring_ascii(value).encode()
        )

    cdef int write_utf8(self, const uint8_t *data, Py_ssize_t size) except -1:
        """Write what is plain enough; return 0 for what is not."""
        if self.csv:
            return put_cell(&self.scratch, data, size)
        put(&self.scratch, b'"', 1)
        if not put_json(&self.scratch, data, size):
            return 0
        put(&self.scratch, b'"', 1)
        return 1

    cdef const Span *keep(self, uint32_t number, const char *data, Py_ssize_t size) except NULL:
        cdef char *found
        if number >= self.room:
            self.widen(number)
        if size > BLOCK // 4:
            found = self.take(size)
        else:
            if self.free == NULL or <size_t>size > self.left:
                self.free = self.take(BLOCK)
                self.left = BLOCK
            found = self.free
            self.free += size
            self.left -= size
        memcpy(found, data, size)
        self.spans[number].data = <const uint8_t *>found
        self.spans[number].size = size
        return &self.spans[number]

    cdef char *take(self, size_t size) except NULL:
        """Return a block of its own."""
        found = <char *>malloc(size)
        if found == NULL:
            raise MemoryError
        blocks = <char **>realloc(self.blocks, (self.block_count + 1) * sizeof(char *))
        if blocks == NULL:
            free(found)
            raise MemoryError
        self.blocks = blocks
        self.blocks[self.block_count] = found
        self.block_count += 1
        return found

    cdef int widen(self, uint32_t number) except -1:
        cdef size_t room = self.room + self.room // 2 + FIRST
        if room <= number:
            room = <size_t>number + 1
        spans = <Span *>realloc(self.spans, room * sizeof(Span))
        if spans == NULL:
            raise MemoryError
        memset(&spans[self.room], 0, (room - self.room) * sizeof(Span))
        self.spans, self.room = spans, room
        return 0


cdef class SpeltPairs(Spelt):
    """The same for the pairs of CSeq numbers and methods."""

    cdef int write(self, uint32_t number) except -1:
        pair = self.source.value(number)
        if self.csv:
            text = "" if pair is None else text_cell(f"{pair[0]} {pair[1]}")
        else:
            text = "null" if pair is None else to_json({"number": pair[0], "method": pair[1]})
        return put_bytes(&self.scratch, text.encode())
