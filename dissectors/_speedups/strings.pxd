# Strings kept once, by number; number 0 is None. The twin of ``analyzer.rows.Interned``.

from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef struct Span:
    const uint8_t *data
    Py_ssize_t size


cdef class Strings:
    # ... private fields

    # The number of a string given as UTF-8; gives it one when it is new. 0 with an exception: memory.
    cdef uint32_t id_of(self, const uint8_t *data, Py_ssize_t size) except 0

    # The bytes of a string; data is NULL for number 0. Good until the next id_of.
    cdef Span span(self, uint32_t number) noexcept nogil
