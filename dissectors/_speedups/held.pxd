# One direction of a connection, as far as its bytes are held; of ``framing``.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from dissectors._speedups.heads cimport Head

cdef enum:
    BEHIND = 4


# Where a run of held bytes came from: the fields of ``dissectors.model.Chunk``.
cdef struct Origin:
    int64_t frame
    int64_t time_ns
    int digits
    uint64_t offset
    Py_ssize_t length


# One direction of a connection.
cdef class Stream:
    cdef readonly int64_t found  # messages so far
    cdef int64_t junk  # bytes between them, as far as no reader counts them
    cdef object reader  # the reference's, while it has the direction
    cdef uint8_t *held  # the beginning of a message
    cdef Py_ssize_t size
    cdef Py_ssize_t room
    cdef Origin *origins
    cdef Py_ssize_t count
    cdef Py_ssize_t origin_room
    cdef Head head  # of the message that is held, once its end is known
    cdef Py_ssize_t body
    cdef Py_ssize_t need  # its length; 0 while its head is not complete
    cdef bint begins_well  # the first line that is held is a start line
    cdef Origin behind[BEHIND]  # the last bytes of the last body
    cdef int behinds

    cdef int hold(self, const uint8_t *data, Py_ssize_t size, const Origin *origin) except -1
    cdef void release(self) noexcept
    cdef int remember(self, const Origin *origins, Py_ssize_t count, Py_ssize_t tail) noexcept
    cdef bint take_back(self)
