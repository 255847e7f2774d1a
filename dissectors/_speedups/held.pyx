"""One direction of a connection, and the beginning of a message that is held; of ``framing``.

The rule: where it came from is known of all that is held, and of the end of the last body, so that
the reference can take the direction over at any time.
"""

from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

from dissectors.sip.overreach import LOOK_BACK

cdef Py_ssize_t TAIL = LOOK_BACK

cdef Py_ssize_t grown(Py_ssize_t room, Py_ssize_t needed) noexcept:
    """Return the room to ask for."""
    return needed if needed > 2 * room else 2 * room


cdef class Stream:
    """One direction of a connection."""

    def __cinit__(self):
        self.held = NULL
        self.origins = NULL

    def __dealloc__(self):
        PyMem_Free(self.held)
        PyMem_Free(self.origins)

    cdef int hold(self, const uint8_t *data, Py_ssize_t size, const Origin *origin) except -1:
        """Copy the next bytes of the message that is held."""
        cdef uint8_t *bytes_
        cdef Origin *origins
        cdef Origin *last
        cdef Py_ssize_t room
        if self.size + size > self.room:
            room = grown(self.room, self.size + size)
            bytes_ = <uint8_t *>PyMem_Realloc(self.held, room)
            if bytes_ == NULL:
                raise MemoryError
            self.held, self.room = bytes_, room
        memcpy(self.held + self.size, data, size)
        self.size += size
        if self.count:
            last = &self.origins[self.count - 1]
            if last.frame == origin.frame and last.offset + last.length == origin.offset:
                last.length += size
                return 0
        if self.count == self.origin_room:
            room = grown(self.origin_room, self.count + 2)
            origins = <Origin *>PyMem_Realloc(self.origins, room * sizeof(Origin))
            if origins == NULL:
                raise MemoryError
            self.origins, self.origin_room = origins, room
        self.origins[self.count] = origin[0]
        self.origins[self.count].length = size
        self.count += 1
        return 0

    cdef void release(self) noexcept:
        """Hold nothing more."""
        self.size = self.count = self.need = 0
        self.begins_well = False
        # Not kept for the next time: there are as many of them as open connections.
        PyMem_Free(self.held)
        PyMem_Free(self.origins)
        self.held, self.room = NULL, 0
        self.origins, self.origin_room = NULL, 0

    cdef int remember(self, const Origin *origins, Py_ssize_t count, Py_ssize_t tail) noexcept:
        """Remember where the last ``tail`` bytes lie; 0 when there is no room for so many pieces."""
        cdef Py_ssize_t first = count, left = tail, skip
        cdef int k
        while left > 0 and first > 0:
            first -= 1
            left -= origins[first].length
        if count - first > BEHIND:
            return 0
        skip = -left  # of the first one, what lies before the tail
        self.behinds = <int>(count - first)
        for k in range(self.behinds):
            self.behind[k] = origins[first + k]
        if self.behinds and skip > 0:
            self.behind[0].offset += <uint64_t>skip
            self.behind[0].length -= skip
        return 1

    cdef bint take_back(self):
        """Go on without the reader, if it holds nothing."""
        cdef Origin origins[BEHIND]
        cdef Py_ssize_t count = 0, low, high
        if not self.reader.idle:
            return False
        anchors, first, end = self.reader.behind
        first = max(first, end - TAIL)
        for at, chunk in anchors:
            low, high = max(at, first), min(end, at + len(chunk.data))
            if low >= high:
                continue
            if chunk.fragments or count == BEHIND:
                return False
            origins[count].frame = chunk.frame
            origins[count].time_ns = chunk.time_ns
            origins[count].digits = chunk.digits
            origins[count].offset = chunk.offset + (low - at)
            origins[count].length = high - low
            count += 1
        self.behinds = <int>count
        memcpy(self.behind, origins, count * sizeof(Origin))
        self.found = self.reader.found
        self.junk += self.reader.junk
        self.reader = None
        return True
