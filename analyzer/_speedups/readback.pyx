"""The bytes of messages, read back a window at a time; the twin of ``analyzer.export.readback``.

The rule: a message of one piece is never copied, it is looked at where it lies in the window.
"""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

cdef enum:
    LEAST = 64 * 1024  # bytes of a read where rows lie far apart
    MOST = 256 * 1024  # where they lie behind one another: it should stay in the cache


cdef class MessageReader:
    """Reads messages that are asked for mostly in order."""

    def __cinit__(self, read):
        self.read = read
        self.window = self.aside = b""
        self.ahead = LEAST

    def __dealloc__(self):
        free(self.joined)

    cdef Message message(self, const Pieces *pieces, Py_ssize_t row) except *:
        cdef uint64_t first = pieces.first[row]
        cdef uint32_t count = pieces.count[row]
        cdef uint64_t k
        cdef Message part, whole
        if first > <uint64_t>pieces.pieces or count > <uint64_t>pieces.pieces - first:
            raise IndexError(first)
        if count == 1:
            return self.piece(pieces.offset[first], pieces.length[first])
        whole.size = 0
        for k in range(first, first + count):
            part = self.piece(pieces.offset[k], pieces.length[k])
            self.join(whole.size + part.size)
            memcpy(self.joined + whole.size, part.data, <size_t>part.size)
            whole.size += part.size
        self.join(1)
        whole.data = self.joined
        return whole

    cdef Message piece(self, uint64_t offset, Py_ssize_t length) except *:
        cdef Message found
        cdef bytes data
        if offset < self.start and self.start - offset <= MOST:
            # Pieces of messages are interleaved. Nothing before the wanted bytes is ever read: they
            # may be the first ones of another file.
            data = self.aside = self.read(offset, length)
            found.data = <const uint8_t *>PyBytes_AS_STRING(data)
            found.size = min(length, len(data))
            return found
        if offset < self.start or offset > self.end or <uint64_t>length > self.end - offset:
            self.move(offset, length)
        found.data = <const uint8_t *>PyBytes_AS_STRING(self.window) + (offset - self.start)
        # Less than asked for where the file is shorter than it was.
        found.size = min(length, <Py_ssize_t>(self.end - offset))
        return found

    cdef int move(self, uint64_t offset, Py_ssize_t length) except -1:
        """Read the window that begins at an offset."""
        cdef bytes window
        if self.start <= offset and offset - self.start <= 2 * MOST:
            self.ahead = min(2 * self.ahead, <Py_ssize_t>MOST)
        else:
            self.ahead = LEAST
        window = self.read(offset, max(self.ahead, length))
        self.window, self.start, self.end = window, offset, offset + <uint64_t>len(window)
        return 0

    cdef int join(self, Py_ssize_t room) except -1:
        if room <= self.room:
            return 0
        room += room // 2
        joined = <uint8_t *>realloc(self.joined, <size_t>room)
        if joined == NULL:
            raise MemoryError
        self.joined, self.room = joined, room
        return 0
