# Strings by number as they are written in JSON or CSV, each spelt once.

from libc.stdint cimport uint8_t, uint32_t

from analyzer._speedups.spelling cimport Out
from dissectors._speedups.strings cimport Span, Strings


cdef class Spelt:
    cdef object source  # Strings, or Interned of analyzer.rows
    cdef Strings table  # the same, where it is compiled
    cdef list values  # of an Interned
    cdef bint csv
    cdef Span *spans  # by number; data is NULL for what is not spelt yet
    cdef size_t room
    cdef char **blocks
    cdef size_t block_count
    cdef char *free
    cdef size_t left
    cdef Out scratch

    cdef const Span *spell(self, uint32_t number) except NULL
    cdef int write(self, uint32_t number) except -1
    cdef int write_utf8(self, const uint8_t *data, Py_ssize_t size) except -1
    cdef const Span *keep(self, uint32_t number, const char *data, Py_ssize_t size) except NULL
    cdef char *take(self, size_t size) except NULL
    cdef int widen(self, uint32_t number) except -1


cdef int put_cell(Out *out, const uint8_t *data, Py_ssize_t size) except -1


cdef class SpeltPairs(Spelt):
    pass


cdef inline const Span *spelt(Spelt texts, uint32_t number) except NULL:
    """Return how a string is written; raise IndexError where there is none of that number."""
    if number < texts.room and texts.spans[number].data != NULL:
        return &texts.spans[number]
    return texts.spell(number)
