# The twin of ``dissectors.transport.reassembly`` and ``direction``.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dissectors._speedups.packet cimport Packet


# What is known under one key: the direction that is open, or where the last one ended. Both where
# a connection ended after its ports had been used again. 64 bytes, a line of the cache.
cdef struct Flow:
    void *direction  # NULL where none is open; the connection that is open owns it
    uint32_t end  # sequence number at which the last one ended, where ``has_end``
    uint32_t older  # the ends in the order of being noted: numbers of flows, 0 is the list itself
    uint32_t newer
    uint8_t has_end
    uint8_t key_size
    uint8_t key[36]


# A slot of the hash table; free where ``flow`` is 0.
cdef struct Slot:
    uint32_t hash
    uint32_t flow


# The directions of open connections and the ends of forgotten ones, by the key of their packets.
cdef class FlowTable:
    cdef Slot *slots
    cdef Flow *flows  # flow 0 is none
    cdef size_t mask  # slots less one; their number is a power of two
    cdef uint32_t room  # flows allocated
    cdef uint32_t used  # flows that were ever used, and flow 0
    cdef uint32_t vacant  # the first of those that are free again
    cdef uint32_t count  # flows in use
    cdef uint32_t ends  # of them those with an end
    cdef uint64_t seeds[2]

    cdef uint32_t hash_of(self, const uint8_t *key, uint8_t size) noexcept nogil
    cdef uint32_t number_of(self, const uint8_t *key, uint8_t size) noexcept nogil
    cdef void *direction_of(self, const uint8_t *key, uint8_t size) noexcept nogil
    cdef int64_t end_of(self, const uint8_t *key, uint8_t size) noexcept nogil
    cdef int open(self, const uint8_t *key, uint8_t size, Direction direction) except -1
    cdef void close(self, const uint8_t *key, uint8_t size, Direction direction) noexcept
    cdef int note_end(self, const uint8_t *key, uint8_t size, uint32_t end) except -1
    cdef void forget_end(self, const uint8_t *key, uint8_t size) noexcept
    cdef void forget_oldest_end(self) noexcept
    cdef dict directions(self)
    cdef dict noted_ends(self)
    cdef bytes key_of(self, uint32_t number)
    cdef void _unlink(self, uint32_t number) noexcept
    cdef void _release(self, uint32_t number) noexcept
    cdef uint32_t _add(self, const uint8_t *key, uint8_t size) except 0
    cdef int _widen_flows(self) except -1
    cdef int _widen_slots(self) except -1


# Bytes that were handed on: in the capture file, or kept (see ``in_file`` and ``as_kept``).
cdef struct Handed:
    int64_t position
    uint64_t place


# The constants of the reference, as they were when the reassembler was made.
cdef struct Limits:
    int64_t pending
    int64_t pending_other
    int64_t pending_total
    int64_t far
    Py_ssize_t hold_segments
    Py_ssize_t strays
    Py_ssize_t keep_closed
    Py_ssize_t keep_ends
    Py_ssize_t connections


# What the decisions about a packet or a segment need to know of it.
cdef struct Arrival:
    const Packet *packet  # NULL where it is a segment
    void *segment  # borrowed; NULL where it is a packet
    const uint8_t *key
    uint8_t key_size
    int flags
    uint32_t seq
    int64_t frame
    Py_ssize_t size
    int64_t missing


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
    cdef int take(self, Reassembler machine, object segment, list out) except -1
    cdef int begin(self, Reassembler machine, uint32_t seq, list out) except -1
    cdef int begin_held(self, Reassembler machine, list out) except -1
    cdef void end_at(self, Reassembler machine, uint32_t seq, int64_t frame) noexcept
    cdef int flush(self, Reassembler machine, list out) except -1
    cdef int keep_stray(self, Reassembler machine, object segment) except -1
    cdef list take_strays(self, Reassembler machine)
    cdef list waiting_frames(self)
    cdef void forget_pending(self, Reassembler machine) noexcept
    cdef void forget_history(self) noexcept
    cdef int compare(
        self, Reassembler machine, int64_t position, const uint8_t *payload, Py_ssize_t size,
        int64_t frame, list out
    ) except -1
    cdef int remember(self, int64_t position, uint64_t place) except -1
    cdef bint _over_limit(self, Reassembler machine) noexcept
    cdef int _hold(self, Reassembler machine, object segment, list out) except -1
    cdef bint _is_contiguous(self) except -1
    cdef int _insert(self, Reassembler machine, int64_t at, object segment, list out) except -1
    cdef list _uncovered(self, Py_ssize_t index, int64_t at, bytes payload, int64_t *differing)
    cdef int _wait(self, Reassembler machine, Py_ssize_t index, int64_t at, object segment) except -1
    cdef int _skip_hole(self, list out) except -1
    cdef int _advance(self, int64_t length, int64_t frame, list out) except -1
    cdef int _hand_on(self, Reassembler machine, int64_t at, object segment, list out) except -1
    cdef int _hand_on_new(self, object segment, bytes payload, Py_ssize_t known, list out) except -1
    cdef int _drain(self, Reassembler machine, list out) except -1


cdef class Connection:
    cdef readonly int64_t number
    cdef readonly bytes key
    cdef Direction a
    cdef Direction b
    cdef bint reset
    cdef int64_t closed_as  # its number among those that were closed; 0: not closed


cdef class Reassembler:
    cdef readonly int64_t retransmissions  # segments that brought nothing new
    cdef readonly int64_t pending  # what all directions together keep waiting
    cdef readonly dict _connections  # by number
    cdef readonly dict _closed  # by ``closed_as``
    cdef FlowTable _flows
    cdef Limits _limits
    cdef int64_t _count
    cdef int64_t _oldest  # no connection has a lower number
    cdef int64_t _closed_count
    cdef int64_t _closed_oldest  # none that is closed has a lower one
    cdef list _ended  # connections of which the last events are still to be handed on

    # Take one TCP packet; calls the methods below before it returns.
    cdef int feed_packet(self, const Packet *packet) except -1

    # Take a segment that the reference decoded (fragments, cut by the snap length, tunnels ...).
    cdef int feed_segment(self, object segment) except -1

    # The lowest frame of a segment that is kept back; -1 where none is.
    cdef int64_t oldest_waiting(self) except -2

    # The end of the capture.
    cdef int finish(self) except -1

    cdef int expect_more(self, Direction direction) except -1  # its connection carries SIP
    cdef int drop(self, Direction direction) except -1

    # To be overridden.
    # A direction of a connection that is being opened (the subclass may return one of its own).
    cdef Direction new_direction(self)
    # The common case: the payload of a packet is the next in its direction, as a whole.
    cdef int on_next(self, Direction direction, const Packet *packet) except -1
    # Everything else: Opened, Chunk, Gap, Conflict, StreamEnd of ``dissectors.model``. Of Opened,
    # ``direction`` is that of the opener. The event may hold bytes of any earlier packet. A
    # direction has its ``other`` until the last event of their connection was handed on.
    cdef int on_event(self, Direction direction, object event) except -1
    # Bytes of the capture file that were fed before (to compare retransmissions with).
    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size)

    # The steps of the reference, under its names.
    cdef int _unusual(self, Direction direction, Arrival *it) except -1
    cdef int _deliver(self, list out) except -1
    cdef int _unknown(self, Arrival *it, list out) except -1
    cdef int _open(self, bytes opener, Arrival *it, list out) except -1
    cdef Direction _reopen(self, Direction direction, Arrival *it, list out)
    cdef int _end(self, Connection connection, str how, int64_t frame, list out) except -1
    cdef int _take_strays(self, list strays, list out) except -1
    cdef int _control(self, Direction direction, Arrival *it, list out) except -1
    cdef Direction _syn(self, Direction direction, Arrival *it, list out)
    cdef int _fin(self, Direction direction, Arrival *it, list out) except -1
    cdef int _maybe_fin(self, Direction direction, int64_t frame, list out) except -1
    cdef int _close_later(self, Direction direction, int64_t frame, list out) except -1
    cdef Direction _data(self, Direction direction, Arrival *it, list out)
    cdef Direction _far(self, Direction direction, Arrival *it, list out)
    cdef Direction _direction(self, const uint8_t *key, uint8_t size)
    cdef Connection _oldest_connection(self)
    cdef Connection _oldest_closed(self)
    cdef int _forget_closed(self, Connection connection) except -1
    cdef int _next_segment(self, Direction direction, object segment, Arrival *it) except -1
    cdef bint _is_repeated(
        self, uint64_t place, int64_t skip, const uint8_t *payload, Py_ssize_t size
    ) except -1
