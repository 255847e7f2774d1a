# Messages as JSON lines and CSV.

from libc.stdint cimport int64_t, uint32_t

from analyzer._speedups.fulltext cimport Parts
from analyzer._speedups.items cimport ItemWriter


# One field of a line.
cdef struct Step:
    int kind
    const char *before  # what stands before its value
    Py_ssize_t before_size
    int at  # of a string: its column; of a field of the stream: its place there


cdef class LineWriter(ItemWriter):
    cdef tuple befores  # keeps what the steps point to
    cdef Step *steps
    cdef int count
    cdef const char *end
    cdef Py_ssize_t end_size
    cdef Py_ssize_t at  # the next row of the batch
    cdef int64_t first_index
    cdef dict notes
    cdef int64_t second
    cdef char second_text[20]  # 2026-11-22T07:20:06
    # Of the message that was cut last
    cdef Py_ssize_t cut_row
    cdef bint plain
    cdef Parts parts
    cdef dict record

    cdef int fill(self, object wanted) except -1
    cdef int line(self, Py_ssize_t row, int64_t index) except -1
    cdef int value(self, const Step *step, Py_ssize_t row, int64_t index) except -1
    cdef int slow_value(self, const Step *step, Py_ssize_t row) except -1
    cdef int put_time(self, Py_ssize_t row) except -1
    cdef int put_frames(self, Py_ssize_t row) except -1
    cdef int put_kind(self, bint request) except -1
    cdef int put_notes(self, uint32_t bits) except -1
    cdef int put_sha1(self, Py_ssize_t row) except -1
    cdef int put_full(self, int kind, Py_ssize_t row) except -1
    cdef int put_plain_part(self, int kind, Py_ssize_t row) except -1
    cdef int cut(self, Py_ssize_t row) except -1
