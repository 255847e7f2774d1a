# The bytes of messages, read back a window at a time.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef struct Message:
    const uint8_t *data
    Py_ssize_t size


# Where the bytes of a batch of messages lie: the columns of ``analyzer.rows.Rows``.
cdef struct Pieces:
    const uint64_t *first  # by message
    const uint32_t *count
    const uint32_t *frame  # by piece
    const uint64_t *offset
    const uint32_t *length
    Py_ssize_t pieces


cdef class MessageReader:
    cdef object read  # (offset, length) -> bytes
    cdef bytes window
    cdef bytes aside  # a piece that lies before the window
    cdef uint64_t start
    cdef uint64_t end
    cdef Py_ssize_t ahead
    cdef uint8_t *joined  # a message of several pieces
    cdef Py_ssize_t room

    # The bytes of a message; good until the next call.
    cdef Message message(self, const Pieces *pieces, Py_ssize_t row) except *
    cdef Message piece(self, uint64_t offset, Py_ssize_t length) except *
    cdef int move(self, uint64_t offset, Py_ssize_t length) except -1
    cdef int join(self, Py_ssize_t room) except -1
