# The twin of ``dissectors.sip.scan``.

from libc.stdint cimport uint8_t, uint32_t

from dissectors._speedups.strings cimport Span
from dissectors._speedups.values cimport Head, ValueReader, Values


cdef class HeadScanner(ValueReader):
    cdef uint32_t *ends  # of the lines of a head

    # Scan a head (without its blank line): 1 when it is one, 0 when there is no start line.
    cdef int scan_head(self, const uint8_t *data, Py_ssize_t size, Head *head) except -1

    # Tell whether a line (without its end) is a start line.
    cdef bint is_start_line(self, const uint8_t *line, Py_ssize_t size) except -1

    cdef int refer(self, const uint8_t *data, Py_ssize_t size, Head *head) except -1
    cdef int read_start(self, Span line, bint latin, Head *head) except -1
    cdef int read_status_line(self, Span line, bint latin, Head *head) except -1
    cdef int read_request_line(self, Span line, Head *head) except -1
    cdef int collect(
        self, const uint8_t *data, Py_ssize_t lines, bint high, Values *found
    ) except -1
    cdef int add_via(self, Span text, Values *found) except -1
