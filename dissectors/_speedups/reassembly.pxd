# The twin of ``dissectors.transport.reassembly`` and ``direction``.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dissectors._speedups.packet cimport Packet


# One direction. The fields up to ``history`` are those of the reference's ``Direction``.
cdef class Direction:
    cdef readonly int64_t stream  # 2 * connection, + 1 back
    cdef Direction other  # the opposite direction (set at opening, cleared at the end)
    # ... private fields


cdef class Reassembler:
    # Take one TCP packet; calls the methods below before it returns.
    cdef int feed_packet(self, const Packet *packet) except -1

    # Take a segment that the reference decoded (fragments, cut by the snap length, tunnels ...).
    cdef int feed_segment(self, object segment) except -1

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
    # ``direction`` is that of the opener. The event may hold bytes of any earlier packet.
    cdef int on_event(self, Direction direction, object event) except -1
    # Bytes of the capture file that were fed before (to compare retransmissions with).
    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size)
