# The twin of ``dissectors.transport.direction``.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dissectors._speedups.places cimport Handed

cdef enum:
    HISTORY_SEGMENTS = 8  # a power of two
    HISTORY_BYTES = 8 << 10
    SEGMENT_COST = 64


# The constants of the reference, as they were when the reassembler was made.
cdef struct Limits:
    int64_t pending
    int64_t pending_other
    int64_t pending_total
    int64_t far
    Py_ssize_t hold_segments
    Py_ssize_t strays


# What all directions have in common: how much waits, what came twice, what was handed on.
cdef class Machine:
    cdef readonly int64_t retransmissions  # segments that brought nothing new
    cdef readonly int64_t pending  # what all directions together keep waiting
    cdef Limits limits

    # To be overridden.
    # Bytes of the capture file that were fed before (to compare retransmissions with).
    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size)

    cdef bint is_repeated(
        self, uint64_t place, int64_t skip, const uint8_t *payload, Py_ssize_t size
    ) except -1


# One direction. The fields up to ``history`` are those of the reference's ``Direction``.
cdef class Direction:
    cdef readonly int64_t stream  # 2 * connection, + 1 back
    cdef Direction other  # the opposite direction (set at opening, cleared at the end)
    cdef Connection connection  # likewise
    cdef int64_t position
    cdef int64_t fin  # -1: not known
    cdef int64_t fin_frame
    cdef int64_t pending_bytes  # more than 0 exactly where something waits
    cdef int64_t limit
    cdef uint32_t next_seq  # where ``begun``
    cdef uint32_t first  # likewise
    cdef uint32_t isn  # where ``has_isn``
    cdef uint32_t fin_seq  # where ``has_fin_seq``
    cdef uint8_t begun
    cdef uint8_t has_isn
    cdef uint8_t has_fin_seq
    cdef uint8_t closed
    cdef uint8_t dropped
    cdef uint8_t handed_count  # of history
    cdef uint8_t handed_oldest
    cdef list pending  # None where nothing ever waited
    cdef list strays  # None where there are none
    cdef Handed *history  # NULL where there is none

    cdef int64_t first_known(self) except -2
    cdef int take(self, Machine machine, object segment, list out) except -1
    cdef int begin(self, Machine machine, uint32_t seq, list out) except -1
    cdef int begin_held(self, Machine machine, list out) except -1
    cdef void end_at(self, Machine machine, uint32_t seq, int64_t frame) noexcept
    cdef int flush(self, Machine machine, list out) except -1
    cdef int keep_stray(self, Machine machine, object segment) except -1
    cdef list take_strays(self, Machine machine)
    cdef list waiting_frames(self)
    cdef void forget_pending(self, Machine machine) noexcept
    cdef void forget_history(self) noexcept
    cdef int compare(
        self, Machine machine, int64_t position, const uint8_t *payload, Py_ssize_t size,
        int64_t frame, list out
    ) except -1
    cdef int remember(self, int64_t position, uint64_t place) except -1
    cdef bint _over_limit(self, Machine machine) noexcept
    cdef int _hold(self, Machine machine, object segment, list out) except -1
    cdef bint _is_contiguous(self) except -1
    cdef int _insert(self, Machine machine, int64_t at, object segment, list out) except -1
    cdef list _uncovered(self, Py_ssize_t index, int64_t at, bytes payload, int64_t *differing)
    cdef int _wait(self, Machine machine, Py_ssize_t index, int64_t at, object segment) except -1
    cdef int _skip_hole(self, list out) except -1
    cdef int _advance(self, int64_t length, int64_t frame, list out) except -1
    cdef int _hand_on(self, Machine machine, int64_t at, object segment, list out) except -1
    cdef int _hand_on_new(self, object segment, bytes payload, Py_ssize_t known, list out) except -1
    cdef int _drain(self, Machine machine, list out) except -1


cdef class Connection:
    cdef readonly int64_t number
    cdef readonly bytes key
    cdef Direction a
    cdef Direction b
    cdef bint reset
    cdef int64_t closed_as  # its number among those that were closed; 0: not closed
