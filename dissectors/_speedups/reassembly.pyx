"""TCP reassembly: the compiled twin of ``dissectors.transport.reassembly``.

The rule: every decision is the reference's, function by function and under the same names; what
differs is what it costs. A packet whose payload is the next of its direction moves two numbers and
leaves a mark of 16 bytes; openings and ends work on C fields; only what waits, or was sent twice,
or fits nowhere becomes a ``Segment``.
"""

from operator import attrgetter

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t

from dissectors._speedups.arrivals cimport (
    DIGITS, FRAGMENTS, OFFSET, PAYLOAD, TIME_NS, Arrival, distance, of_packet, of_segment,
    segment_of, seq_of, time_of,
)
from dissectors._speedups.direction cimport HISTORY_BYTES, Connection, Direction, Machine
from dissectors._speedups.flows cimport (
    FlowTable, ask_flow, ask_slot, direction_in, direction_of, fetch_object, reversed_key,
    xccos_fetch,
)
from dissectors._speedups.packet cimport Packet
from dissectors._speedups.places cimport place_in, place_of_packet, raw

from dissectors.model import Chunk, Opened, StreamEnd
from dissectors.transport import reassembly as _reassembly
from dissectors.transport.reassembly import _looks_like_client

cdef enum:
    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    ACK = 0x10

_new = tuple.__new__
_frame = attrgetter("frame")


cdef class Reassembler(Machine):
    """Feed it packets and segments in capture order; it calls ``on_next`` and ``on_event``."""

    def __cinit__(self):
        self._flows = FlowTable()
        self._connections, self._closed, self._ended = {}, {}, []
        self._keep_closed = _reassembly.KEEP_CLOSED
        self._keep_ends = _reassembly.KEEP_TOMBSTONES
        self._most = _reassembly.MAX_CONNECTIONS

    cdef void look_ahead(self, const Packet *packet, Ahead *ahead, int stage) noexcept:
        cdef void *direction
        if stage == 0:
            ahead.hash = ask_slot(self._flows, packet.key, packet.key_size)
        elif stage == 1:
            ahead.flow = ask_flow(self._flows, ahead.hash)
        else:
            direction = direction_in(self._flows, ahead.flow)
            if direction == NULL:
                return
            if stage == 2:
                fetch_object(direction)
            else:
                self.fetch_parts(<Direction>direction)

    cdef void fetch_parts(self, Direction direction) noexcept:
        xccos_fetch(direction.history)

    cdef int feed_packet(self, const Packet *packet) except -1:
        cdef void *found = direction_of(self._flows, packet.key, packet.key_size)
        cdef Direction direction
        cdef Arrival it
        cdef int64_t position
        if found == NULL:
            if packet.flags & SYN or (packet.size and not packet.flags & RST):
                it = of_packet(packet)
                self._unusual(None, &it)
            return 0
        direction = <Direction>found
        if not packet.flags & (SYN | FIN | RST):
            if direction.dropped or not packet.size:
                return 0
            if (
                packet.seq == direction.next_seq and direction.begun
                and not direction.pending_bytes and direction.fin < 0
            ):
                position = direction.position
                direction.next_seq = packet.seq + <uint32_t>packet.size
                direction.position = position + packet.size
                if packet.size <= HISTORY_BYTES:
                    direction.remember(position, place_of_packet(packet))
                return self.on_next(direction, packet)
        it = of_packet(packet)
        return self._unusual(direction, &it)

    cdef int feed_segment(self, object segment) except -1:
        cdef Arrival it
        of_segment(segment, &it)
        cdef Direction direction = self._direction(it.key, it.key_size)
        if direction is None:
            if it.flags & SYN or ((it.size or it.missing) and not it.flags & RST):
                self._unusual(None, &it)
            return 0
        if not it.flags & (SYN | FIN | RST):
            if direction.dropped or not (it.size or it.missing):
                return 0
            if (
                it.seq == direction.next_seq and direction.begun
                and not direction.pending_bytes and not it.missing and direction.fin < 0
            ):
                return self._next_segment(direction, segment, &it)
        return self._unusual(direction, &it)

    cdef int64_t oldest_waiting(self) except -2:
        """Return the lowest frame of a segment that is kept back; -1 where none is."""
        cdef Connection connection
        cdef list frames = []
        if self.pending:
            for connection in self._connections.values():
                frames += connection.a.waiting_frames()
                frames += connection.b.waiting_frames()
        return min(frames, default=-1)

    cdef int finish(self) except -1:
        cdef list out = []
        cdef Connection connection
        while self._connections:  # segments that fitted nowhere open connections of their own
            for connection in list(self._connections.values()):
                if connection.number in self._connections:  # not ended by what came before
                    self._end(connection, "end", 0, out)
        return self._deliver(out)

    cdef int expect_more(self, Direction direction) except -1:
        direction.limit = self.limits.pending
        if direction.other is not None:
            direction.other.limit = self.limits.pending
        return 0

    cdef int drop(self, Direction direction) except -1:
        direction.dropped = 1
        direction.forget_pending(self)
        direction.forget_history()
        return 0

    cdef Direction new_direction(self):
        return Direction()

    cdef int on_next(self, Direction direction, const Packet *packet) except -1:
        return 0

    cdef int on_event(self, Direction direction, object event) except -1:
        return 0

    # events

    cdef int _next_segment(self, Direction direction, object segment, Arrival *it) except -1:
        """Hand on a segment that is the next in its direction, as a whole."""
        cdef tuple fields = <tuple>segment
        cdef bytes payload = <bytes>fields[PAYLOAD]
        cdef object pieces = fields[FRAGMENTS], offset = fields[OFFSET]
        cdef int64_t position = direction.position
        direction.next_seq += <uint32_t>it.size
        direction.position += it.size
        if it.size <= HISTORY_BYTES:
            direction.remember(position, place_in(pieces, offset, payload, it.size))
        cdef object chunk = _new(
            Chunk,
            (
                direction.stream, payload, it.frame, fields[TIME_NS], fields[DIGITS], offset,
                pieces,
            ),
        )
        return self.on_event(direction, chunk)

    cdef int _unusual(self, Direction direction, Arrival *it) except -1:
        """Take what needs a decision; what comes of it is handed on when all is decided."""
        cdef list out = []
        if direction is None:
            self._unknown(it, out)
        elif it.flags & (SYN | FIN | RST):
            self._control(direction, it, out)
        else:
            self._data(direction, it, out)
        return self._deliver(out)

    cdef int _deliver(self, list out) except -1:
        cdef Py_ssize_t k
        cdef Connection connection
        for k in range(0, len(out), 2):
            self.on_event(<Direction>out[k], out[k + 1])
        if self._ended:
            for connection in self._ended:  # its parts hold one another
                connection.a.other = connection.b.other = None
                connection.a.connection = connection.b.connection = None
            self._ended.clear()
        return 0

    # connections

    cdef Direction _direction(self, const uint8_t *key, uint8_t size):
        cdef void *found = direction_of(self._flows, key, size)
        return <Direction>found if found != NULL else None

    cdef int _unknown(self, Arrival *it, list out) except -1:
        """Take the first packet of a connection."""
        cdef bytes opener = PyBytes_FromStringAndSize(<const char *>it.key, it.key_size)
        cdef int64_t end
        cdef bint turned
        if it.flags & SYN:
            turned = it.flags & ACK != 0
        else:
            end = self._flows.end_of(it.key, it.key_size)
            if end >= 0 and 0 < <int64_t>(<uint32_t>end - it.seq) <= self.limits.far:
                self.retransmissions += 1
                return 0
            turned = not _looks_like_client(opener)
        if turned:
            opener = reversed_key(it.key, it.key_size)
        self._open(opener, it, out)
        if it.flags & (SYN | FIN | RST):
            self._control(self._direction(it.key, it.key_size), it, out)
        else:
            self._data(self._direction(it.key, it.key_size), it, out)
        return 0

    cdef int _open(self, bytes opener, Arrival *it, list out) except -1:
        if len(self._connections) >= self._most:
            self._end(self._oldest_connection(), "end", it.frame, out)
        cdef Connection connection = Connection.__new__(Connection)
        cdef Direction a = self.new_direction(), b = self.new_direction()
        cdef uint8_t size = it.key_size
        connection.number, connection.key = self._count, opener
        connection.a, connection.b = a, b
        a.stream, b.stream = 2 * self._count, 2 * self._count + 1
        a.other, b.other = b, a
        a.connection = b.connection = connection
        a.limit = b.limit = self.limits.pending_other
        self._connections[self._count] = connection
        self._count += 1
        self._flows.open(raw(opener), size, a)
        self._flows.open(raw(reversed_key(raw(opener), size)), size, b)
        out.append(a)
        out.append(
            _new(
                Opened,
                (connection.number, opener, it.flags & SYN != 0, it.frame, time_of(it)),
            )
        )
        return 0

    cdef Direction _reopen(self, Direction direction, Arrival *it, list out):
        """The same ports are used again: end the old connection, begin a new one."""
        cdef Connection old = direction.connection
        cdef bytes opener = old.key
        self._end(old, "reused", it.frame, out)
        if it.flags & SYN:
            opener = PyBytes_FromStringAndSize(<const char *>it.key, it.key_size)
            if it.flags & ACK:
                opener = reversed_key(it.key, it.key_size)
        self._open(opener, it, out)
        return self._direction(it.key, it.key_size)

    cdef int _end(self, Connection connection, str how, int64_t frame, list out) except -1:
        cdef bytes key = connection.key, back = reversed_key(raw(key), <uint8_t>len(key))
        cdef uint8_t size = <uint8_t>len(key)
        cdef Direction direction
        cdef list strays = []
        self._flows.close(raw(key), size, connection.a)
        self._flows.close(raw(back), size, connection.b)
        del self._connections[connection.number]
        self._forget_closed(connection)
        self._ended.append(connection)
        for direction in (connection.a, connection.b):
            direction.flush(self, out)
            self._maybe_fin(direction, frame, out)
            if not direction.closed:
                out.append(direction)
                out.append(
                    _new(StreamEnd, (direction.stream, "rst" if connection.reset else how, frame))
                )
            if direction.begun:
                self._flows.note_end(raw(key), size, direction.next_seq)
            if direction.strays is not None:
                strays += direction.take_strays(self)
            key = back
        while self._flows.ends > self._keep_ends:
            self._flows.forget_oldest_end()
        if strays:
            self._take_strays(strays, out)
        return 0

    cdef int _take_strays(self, list strays, list out) except -1:
        """Take segments that fitted nowhere as a connection whose SYN was not captured."""
        cdef Arrival it
        cdef Direction direction
        for segment in sorted(strays, key=_frame):
            of_segment(segment, &it)
            direction = self._direction(it.key, it.key_size)
            if direction is None:
                self._flows.forget_end(it.key, it.key_size)
                self._unknown(&it, out)
            elif not direction.dropped:
                self._data(direction, &it, out)
        return 0

    cdef Connection _oldest_connection(self):
        while self._oldest not in self._connections:  # each number is passed once
            self._oldest += 1
        return self._connections[self._oldest]

    cdef Connection _oldest_closed(self):
        while self._closed_oldest not in self._closed:
            self._closed_oldest += 1
        return self._closed[self._closed_oldest]

    # SYN, FIN, RST

    cdef int _control(self, Direction direction, Arrival *it, list out) except -1:
        if it.flags & SYN:
            direction = self._syn(direction, it, out)
            it.seq += 1  # SYN counts as one
        if it.flags & RST:  # its text is for people (RFC 9293 3.5.3), not part of the stream
            direction.connection.reset = True
            return self._close_later(direction, it.frame, out)
        if (it.size or it.missing) and not direction.dropped:
            direction = self._data(direction, it, out)
        if it.flags & FIN:
            self._fin(direction, it, out)
        return 0

    cdef Direction _syn(self, Direction direction, Arrival *it, list out):
        cdef uint32_t isn = it.seq
        cdef int64_t first, lead
        cdef bint again
        if direction.has_isn:
            again = direction.isn != isn
        else:
            # A SYN captured after the data that followed it is no new connection.
            first = direction.first_known()
            lead = 0 if first < 0 else distance(<uint32_t>first, isn + 1)
            again = direction.closed or not 0 <= lead <= self.limits.pending_other
        if again:
            direction = self._reopen(direction, it, out)
        if direction.connection.reset:  # what was refused is tried again
            direction.connection.reset = False
            self._forget_closed(direction.connection)
        direction.isn, direction.has_isn = isn, 1
        if not direction.begun:
            direction.begin(self, isn + 1, out)
            self._maybe_fin(direction, it.frame, out)
        return direction

    cdef int _fin(self, Direction direction, Arrival *it, list out) except -1:
        cdef Connection connection = direction.connection
        direction.end_at(self, it.seq + <uint32_t>it.size + <uint32_t>it.missing, it.frame)
        self._maybe_fin(direction, it.frame, out)
        if connection.a.has_fin_seq and connection.b.has_fin_seq:
            self._close_later(direction, it.frame, out)
        return 0

    cdef int _maybe_fin(self, Direction direction, int64_t frame, list out) except -1:
        # Bytes beyond it say that a FIN was none of this connection.
        if direction.fin < 0 or direction.position != direction.fin:
            return 0
        if not direction.closed and not direction.pending_bytes:
            direction.closed = 1
            direction.forget_history()
            out.append(direction)
            out.append(_new(StreamEnd, (direction.stream, "fin", frame)))
        return 0

    cdef int _close_later(self, Direction direction, int64_t frame, list out) except -1:
        """Keep a closed connection a while: its last segments may be captured out of order."""
        cdef Connection connection = direction.connection
        if not connection.closed_as:
            self._closed_count += 1
            connection.closed_as = self._closed_count
            self._closed[connection.closed_as] = connection
        if len(self._closed) > self._keep_closed:
            self._end(self._oldest_closed(), "end", frame, out)
        return 0

    cdef int _forget_closed(self, Connection connection) except -1:
        if connection.closed_as:
            del self._closed[connection.closed_as]
            connection.closed_as = 0
        return 0

    # data

    cdef Direction _data(self, Direction direction, Arrival *it, list out):
        """Take what is not simply the next; return the direction that took it."""
        cdef int64_t delta, far = self.limits.far
        if direction.begun:
            delta = distance(it.seq, direction.next_seq)
            if not -far < delta < far or (direction.closed and delta >= 0):
                return self._far(direction, it, out)
            if direction.closed:
                self.retransmissions += 1
                return direction
            if it.packet != NULL and delta + it.size <= 0 and not direction.pending_bytes:
                # Nothing of it is new; a segment is not needed to say so.
                direction.compare(
                    self, direction.position + delta, it.packet.payload, it.size, it.frame, out
                )
                self.retransmissions += 1
                self._maybe_fin(direction, it.frame, out)
                return direction
        direction.take(self, segment_of(it), out)
        self._maybe_fin(direction, it.frame, out)
        return direction

    cdef Direction _far(self, Direction direction, Arrival *it, list out):
        """Take a segment that does not fit: the ports used again without a SYN, or forged bytes.

        One that stands alone is kept until the end of the connection; with a second one near it,
        or once the connection was closed, it begins a new connection.
        """
        cdef Connection connection = direction.connection
        cdef bint near = connection.closed_as != 0
        cdef int64_t between
        cdef Arrival of_stray
        if direction.strays is not None:
            for stray in direction.strays:
                between = distance(it.seq, seq_of(stray))
                if not between:  # the same again
                    self.retransmissions += 1
                    return direction
                near = near or -self.limits.pending < between < self.limits.pending
        if not near:
            direction.keep_stray(self, segment_of(it))
            return direction
        strays = connection.a.take_strays(self) + connection.b.take_strays(self)
        self._reopen(direction, it, out)
        for stray in sorted(strays, key=_frame):
            of_segment(stray, &of_stray)
            self._data(self._direction(of_stray.key, of_stray.key_size), &of_stray, out)
        return self._data(self._direction(it.key, it.key_size), it, out)
