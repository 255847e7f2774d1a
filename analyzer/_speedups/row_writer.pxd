# The twin of ``analyzer.row_writer``.

from libc.stdint cimport uint8_t, uint32_t

from analyzer._speedups.links cimport Link
from analyzer._speedups.rows cimport RowBuffer
from dissectors._speedups.documents cimport DocumentScanner
from dissectors._speedups.framing cimport Message
from dissectors._speedups.strings cimport CSeqs, Strings

cdef enum:
    CHARSETS = 64  # content types of which is remembered whether they name a charset


cdef class RowWriter:
    cdef readonly object reading
    cdef RowBuffer buffer
    cdef Strings strings
    cdef CSeqs cseqs
    cdef DocumentScanner documents
    cdef bint scan
    cdef list links  # by number
    cdef uint32_t charset_ids[CHARSETS]
    cdef uint8_t charset_known[CHARSETS]
    cdef dict charsets

    cdef int write(self, Link link, int back, const Message *message) except -1
    cdef object charset(self, uint32_t content_type)
    cdef int number(self, Link link) except -1

    # To be overridden: a connection has shown its first message.
    cdef int on_numbered(self, Link link) except -1
