# The twin of ``dissectors.transport.reassembly``.

from libc.stdint cimport int64_t, uint8_t, uint32_t

from dissectors._speedups.arrivals cimport Arrival
from dissectors._speedups.direction cimport Connection, Direction, Machine
from dissectors._speedups.flows cimport FlowTable
from dissectors._speedups.packet cimport Packet


# What was found of a packet that is still to be fed.
cdef struct Ahead:
    uint32_t hash
    uint32_t flow


cdef class Reassembler(Machine):
    cdef readonly dict _connections  # by number
    cdef readonly dict _closed  # by ``closed_as``
    cdef FlowTable _flows
    cdef Py_ssize_t _keep_closed  # constants of the reference, as ``limits``
    cdef Py_ssize_t _keep_ends
    cdef Py_ssize_t _most  # connections
    cdef int64_t _count
    cdef int64_t _oldest  # no connection has a lower number
    cdef int64_t _closed_count
    cdef int64_t _closed_oldest  # none that is closed has a lower one
    cdef list _ended  # connections of which the last events are still to be handed on

    # Have memory fetched for a packet that will be fed soon; stages 0 to 3, a while apart.
    cdef void look_ahead(self, const Packet *packet, Ahead *ahead, int stage) noexcept
    # The last stage: what a direction points to. May be overridden.
    cdef void fetch_parts(self, Direction direction) noexcept

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

    # To be overridden, as ``read_back`` is.
    # A direction of a connection that is being opened (the subclass may return one of its own).
    cdef Direction new_direction(self)
    # The common case: the payload of a packet is the next in its direction, as a whole.
    cdef int on_next(self, Direction direction, const Packet *packet) except -1
    # Everything else: Opened, Chunk, Gap, Conflict, StreamEnd of ``dissectors.model``. Of Opened,
    # ``direction`` is that of the opener. The event may hold bytes of any earlier packet. A
    # direction has its ``other`` until the last event of their connection was handed on.
    cdef int on_event(self, Direction direction, object event) except -1

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
