# The twin of ``dissectors.sip.stream``.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dissectors._speedups.heads cimport Head, HeadScanner
from dissectors._speedups.held cimport Origin, Stream


# ``dissectors.model.Piece``
cdef struct Piece:
    int64_t frame
    uint64_t offset
    int64_t length


# ``dissectors.sip.framed.Framed``; pointers are good until ``on_message`` returns
cdef struct Message:
    const Head *head
    const uint8_t *data
    Py_ssize_t size
    Py_ssize_t body
    uint32_t notes
    int64_t frame
    int64_t time_ns
    int digits
    const Piece *pieces
    Py_ssize_t count


# Where CR LF CR LF begins at or after ``at``; below 0 where it is not there or in doubt.
cdef Py_ssize_t blank_line(const uint8_t *data, Py_ssize_t size, Py_ssize_t at) noexcept nogil


cdef class Framer:
    cdef HeadScanner scanner
    cdef Piece *pieces
    cdef Py_ssize_t piece_room

    # The next bytes of a direction; calls on_message for each message that they complete.
    cdef int feed_bytes(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, const Origin *origin
    ) except -1
    # The same for bytes of which the reference says where they come from.
    cdef int feed_chunk(self, Stream stream, object chunk) except -1
    cdef int feed_gap(self, Stream stream, int64_t length) except -1
    cdef int finish(self, Stream stream) except -1
    # No message in so many bytes that the stream must be something else.
    cdef bint is_hopeless(self, Stream stream)
    # A message that the reference framed.
    cdef int on_framed(self, Stream stream, object framed) except -1

    # To be overridden.
    cdef int on_message(self, Stream stream, const Message *message) except -1
    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size)

    cdef Py_ssize_t _whole(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, Py_ssize_t at,
        const Origin *origin
    ) except -2
    cdef Py_ssize_t _go_on(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, Py_ssize_t at,
        const Origin *origin
    ) except -2
    cdef Py_ssize_t _complete_head(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, Py_ssize_t at,
        const Origin *origin
    ) except -2
    cdef bint _begins_well(self, Stream stream, Py_ssize_t searched) except -1
    cdef object _behind(self, Stream stream)
    cdef int _emit_held(self, Stream stream) except -1
    cdef int _hand_over(self, Stream stream) except -1
    cdef int _by_reference(
        self, Stream stream, const uint8_t *data, Py_ssize_t size, Py_ssize_t at,
        const Origin *origin
    ) except -1
