"""The twin of ``dissectors.transport.reassembly`` with the methods of the reference, for tests.

The rule: a segment is fed as a packet where that can say the same, so that both ways in are tried.
It keeps all payloads: what reads a capture subclasses ``Reassembler`` and reads them back.
"""

from bisect import bisect_right, insort

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from dissectors._speedups.arrivals cimport (
    DIGITS, FRAGMENTS, OFFSET, PAYLOAD, SEQ, TIME_NS, Arrival, of_segment
)
from dissectors._speedups.direction cimport Connection, Direction
from dissectors._speedups.packet cimport Packet
from dissectors._speedups.places cimport raw
from dissectors._speedups.reassembly cimport Reassembler

from dissectors.model import Chunk

_new = tuple.__new__


cdef class _Collecting(Reassembler):
    """Takes segments; where a packet can say the same, as a packet. Keeps all payloads."""

    cdef list _collected
    cdef dict _payloads  # by offset
    cdef list _offsets  # of them, ascending

    def __cinit__(self):
        self._collected, self._payloads, self._offsets = [], {}, []

    cdef int on_next(self, Direction direction, const Packet *packet) except -1:
        cdef bytes payload = PyBytes_FromStringAndSize(<const char *>packet.payload, packet.size)
        cdef tuple chunk = (
            direction.stream, payload, packet.frame, packet.time_ns, packet.digits, packet.offset,
            (),
        )
        self._collected.append(_new(Chunk, chunk))
        return 0

    cdef int on_event(self, Direction direction, object event) except -1:
        self._collected.append(event)
        return 0

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        cdef uint64_t begin = self._offsets[bisect_right(self._offsets, offset) - 1]
        cdef Py_ssize_t skip = offset - begin
        return (<bytes>self._payloads[begin])[skip : skip + size]

    def _take(self, segment):
        """Return the events that a segment causes."""
        cdef Packet packet
        cdef Arrival it
        of_segment(segment, &it)
        cdef tuple fields = <tuple>segment
        if not fields[FRAGMENTS]:
            if fields[OFFSET] not in self._payloads:
                insort(self._offsets, fields[OFFSET])
            self._payloads[fields[OFFSET]] = fields[PAYLOAD]
        if fields[FRAGMENTS] or it.missing:
            self.feed_segment(segment)
        else:
            memset(&packet, 0, sizeof(packet))
            packet.frame, packet.time_ns, packet.digits = it.frame, fields[TIME_NS], fields[DIGITS]
            packet.flags, packet.seq, packet.ack = <uint8_t>it.flags, it.seq, fields[SEQ + 1]
            packet.key_size, packet.offset = it.key_size, fields[OFFSET]
            memcpy(packet.key, it.key, it.key_size)
            packet.payload, packet.size = raw(<bytes>fields[PAYLOAD]), it.size
            self.feed_packet(&packet)
        return self._given()

    def _finish(self):
        self.finish()
        return self._given()

    def _settle(self, int64_t stream, bint drop):
        """Drop a direction, or let its connection wait longer; nothing once it has ended."""
        cdef Connection connection = self._connections.get(stream >> 1)
        cdef Direction direction
        if connection is not None:
            direction = connection.b if stream & 1 else connection.a
            if drop:
                self.drop(direction)
            else:
                self.expect_more(direction)

    def _given(self):
        given = self._collected
        self._collected = []
        return given

    def _table(self):
        """Return the open directions, and the ends that are remembered, both by their key."""
        return self._flows.directions(), self._flows.noted_ends()

    def _oldest_frame(self):
        cdef int64_t oldest = self.oldest_waiting()
        return None if oldest < 0 else oldest


class EventReassembler(_Collecting):
    """The twin with the methods of the reference; for segments of which the payloads are at hand."""

    def feed(self, segments):
        """Return the events that these segments cause, in order."""
        return list(self.events(segments))

    def events(self, segments):
        """Yield the events that these segments cause, in order."""
        for segment in segments:
            yield from self._take(segment)

    def oldest_waiting(self):
        """Return the lowest frame of a segment that is kept back; None where none is."""
        return self._oldest_frame()

    def close(self):
        """Return what is left at the end of the capture."""
        return self._finish()

    def expect_more(self, connection):
        """Let a connection wait longer at a hole: it is known to carry SIP."""
        self._settle(2 * connection, False)

    def drop(self, stream):
        """Hand on nothing more of this direction: it is known to carry something else."""
        self._settle(stream, True)

    # What the reference calls so; for tests.

    @property
    def _budget(self):
        return self

    @property
    def _flows(self):
        return self._table()[0]

    @property
    def _tombstones(self):
        return self._table()[1]
