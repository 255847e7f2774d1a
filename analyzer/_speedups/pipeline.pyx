"""The compiled pass: bytes of a capture in, rows out; the twin of ``analyzer.pipeline``.

The rule: per frame and per message nothing but C structures, and whatever a stage does not know
goes to the reference's own code, in order. The stages are those of ``dissectors._speedups``; this
module, ``connections`` and ``row_writer`` join them as ``analyzer.pipeline`` joins the reference's.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint64_t

from analyzer._speedups.beginnings cimport may_be_sip
from analyzer._speedups.connections cimport Connections
from analyzer._speedups.links cimport Link
from dissectors._speedups.capture cimport RecordSink
from dissectors._speedups.packet cimport Packet, Record
from dissectors._speedups.reassembly cimport Ahead
from dissectors._speedups.transport cimport plain

from analyzer import pipeline as reference
from analyzer.apart import note_times
from analyzer.reading import TlsConnection
from dissectors import dns
from dissectors._speedups.capture import fast_reader_for
from dissectors.capture.detect import HEAD_LENGTH
from dissectors.model import Datagram, Frame, Malformed, Segment
from dissectors.transport.decoder import plain as plain_frame
from dissectors.transport.layers import Layers

cdef enum:
    # Rows that are buffered before the first of them go into the columns, and so many that stay: a
    # message may be complete later than its last frame says, where an earlier one was captured
    # after it.
    BUFFERED = 8192
    LATE = 1024
    # Packets that are looked at before the first of them is taken, so that memory is fetched
    # meanwhile; and how many are between two looks at one of them.
    AHEAD = 8
    NEXT = 2
    CONTROL = 0x07  # FIN, SYN, RST
    DNS_PORT = 53


cdef inline bint is_dns(const Packet *packet) noexcept nogil:
    """Tell whether a datagram has the port of DNS on either side."""
    cdef const uint8_t *ports = packet.key + packet.key_size - 4
    return (ports[0] == 0 and ports[1] == DNS_PORT) or (ports[2] == 0 and ports[3] == DNS_PORT)


cdef object datagram_of(const Packet *packet):
    return Datagram(
        packet.frame, packet.time_ns, packet.digits,
        PyBytes_FromStringAndSize(<const char *>packet.key, packet.key_size),
        PyBytes_FromStringAndSize(<const char *>packet.payload, packet.size),
        packet.offset, 0, (), False, "udp", True,
    )


cdef class _Records(RecordSink):
    """Hands frames to the pass."""

    cdef Pass owner

    cdef int record(self, const Record *record) except -1:
        return self.owner.record(record)

    cdef int done(self) except -1:
        return self.owner.catch_up()


cdef class Pass(Connections):
    """Feed it the bytes of a capture; ``close`` returns what was read."""

    cdef _Records records
    cdef object layers
    cdef object reader
    cdef bytes head
    cdef list late  # problems of frames, until those of the chunk are said
    cdef bint streaming
    cdef object again
    cdef list fed
    cdef bytes chunk
    cdef uint64_t chunk_at
    cdef uint64_t fed_bytes
    cdef int64_t frames
    cdef int64_t cut_frames
    cdef int64_t low
    cdef int64_t high
    cdef bint timed
    cdef int last_link
    cdef Py_ssize_t most_problems
    cdef Packet[AHEAD] packets  # a ring: those that were looked at and not yet taken
    cdef Ahead[AHEAD] aheads
    cdef uint64_t looked
    cdef uint64_t taken

    def __init__(self, *, items=True, read_back=None, streaming=False):
        """Begin.

        Args:
            items: scan the bodies for XCCOS; without it the rows have no items.
            read_back: gives bytes that were fed before, by offset and length; without it all that
                is fed is kept.
            streaming: rows are taken away with ``take`` while reading goes on.
        """
        Connections.__init__(self, items=items, streaming=streaming)
        self.records = _Records()
        self.records.owner = self
        self.layers = Layers()
        self.reader = None
        self.head = b""
        self.late = []
        self.streaming = streaming
        self.again = read_back
        self.fed = []
        self.last_link = -1
        self.most_problems = reference.MAX_PROBLEMS

    # input

    @property
    def stopped(self):
        """No more bytes are of use: the file is no capture, or too damaged to go on."""
        reader = self.reader
        return reader is not None and (isinstance(reader, Malformed) or reader.stopped)

    def feed(self, bytes data not None):
        """Take the next bytes of the (decompressed) capture file."""
        if self.reader is None:
            self.head += data
            if len(self.head) < HEAD_LENGTH:
                return
            data, self.head = self.head, b""
            self._start(data)
        if not isinstance(self.reader, Malformed):
            self._take(data)

    def close(self):
        """Return what was read: the capture ends here. ``Reading.settle`` is still to be called."""
        if self.reader is None:
            data, self.head = self.head, b""
            self._start(data)
            if not isinstance(self.reader, Malformed):
                self._take(data)
        if not isinstance(self.reader, Malformed):
            for problem in self.reader.close():
                self.problem(problem)
        for item in self.layers.close():
            self.item(item)
        self._say_late()
        self.segments.finish()
        self.joined(self.apart.close(self.reading))
        self._settle()
        return self.reading

    @property
    def secrets(self):
        """TLS key logs that the capture carries, as far as it was read."""
        return list(getattr(self.reader, "secrets", ()))

    @property
    def waiting(self):
        """Rows that wait to be taken."""
        return self.buffer.count

    @property
    def began(self):
        """The lowest time so far."""
        told = self.layers.times
        if not self.timed:
            return None if told is None else told[0]
        return self.low if told is None else min(self.low, told[0])

    def take(self, rows, *, bint everything=False):
        """Move the rows that no other can precede any more into ``rows``; tell if there are any."""
        cdef Py_ssize_t count
        self.buffer.sort()
        count = self.buffer.count if everything else self._due()
        self.buffer.move(rows, count)
        return count > 0

    def _start(self, bytes data):
        self.reader = fast_reader_for(data[:HEAD_LENGTH], self.records)
        if isinstance(self.reader, Malformed):
            self.problem(self.reader)

    cdef int _take(self, bytes data) except -1:
        if self.again is None:
            self.fed.append((self.fed_bytes, data))
        self.chunk, self.chunk_at = data, self.fed_bytes
        self.fed_bytes += <uint64_t>len(data)
        for problem in self.reader.feed(data):
            self.problem(problem)
        self._say_late()
        if not self.streaming and self.buffer.count >= BUFFERED:
            self.buffer.sort()
            self.buffer.move(self.reading.rows, self.buffer.count - LATE)
        return 0

    cdef Py_ssize_t _due(self):
        """Return how many rows (sorted) can no longer be preceded by another."""
        cdef int64_t waiting = self.segments.oldest_waiting()
        cdef Py_ssize_t count = self.buffer.count
        for stage in (self.layers, self.apart):
            held = stage.oldest_waiting()
            if held is not None and (waiting < 0 or held < waiting):
                waiting = held
        while count and waiting >= 0 and self.buffer.rows[count - 1].frame >= waiting:
            count -= 1
        return count

    cdef bytes back(self, uint64_t offset, Py_ssize_t size):
        """Return bytes that were fed before."""
        cdef uint64_t begin = self.chunk_at
        if offset >= begin and offset + <uint64_t>size <= begin + <uint64_t>len(self.chunk):
            return self.chunk[offset - begin : offset - begin + <uint64_t>size]
        if self.again is not None:
            return self.again(offset, size)
        return b"".join([
            data[max(0, offset - at) : max(0, offset + size - at)]
            for at, data in self.fed
            if at < offset + size and offset < at + len(data)
        ])

    # frames

    cdef int record(self, const Record *record) except -1:
        cdef Packet *packet = &self.packets[self.looked % AHEAD]
        self.frames += 1
        if record.time_ns:
            if not self.timed:
                self.low = self.high = record.time_ns
                self.timed = True
            elif record.time_ns < self.low:
                self.low = record.time_ns
            elif record.time_ns > self.high:
                self.high = record.time_ns
        if record.link != self.last_link:
            if self.last_link < 0:
                self.reading.digits = record.digits
            self.reading.links.add(record.link)
            self.last_link = record.link
        if record.size >= record.wire and plain(record, packet):
            if not packet.udp:
                if packet.size or packet.flags & CONTROL:
                    return self._ahead()
                return 0  # an acknowledgement changes nothing
            if not may_be_sip(packet.payload, packet.size):
                if is_dns(packet):
                    self.name_query(datagram_of(packet))
                return 0
            self.catch_up()
            if not self.plain_datagram(packet):
                self.datagram(datagram_of(packet))
            return 0
        self.catch_up()
        return self._odd(record)

    cdef int _ahead(self) except -1:
        """Look at the packet that was put into the ring; take the one that waits longest."""
        cdef uint64_t newest = self.looked
        self.looked += 1
        self._look(newest, 0)
        if newest >= self.taken + NEXT:
            self._look(newest - NEXT, 1)
        if newest >= self.taken + 2 * NEXT:
            self._look(newest - 2 * NEXT, 2)
        if newest >= self.taken + 3 * NEXT:
            self._look(newest - 3 * NEXT, 3)
        if self.looked - self.taken < AHEAD:
            return 0
        self.taken += 1
        return self.segments.feed_packet(&self.packets[(self.taken - 1) % AHEAD])

    cdef void _look(self, uint64_t number, int stage) noexcept:
        self.segments.look_ahead(
            &self.packets[number % AHEAD], &self.aheads[number % AHEAD], stage
        )

    cdef int catch_up(self) except -1:
        """Take all packets that wait: what they point to is about to go away."""
        while self.taken < self.looked:
            self.taken += 1
            self.segments.feed_packet(&self.packets[(self.taken - 1) % AHEAD])
        return 0

    cdef int _odd(self, const Record *record) except -1:
        """Let the reference decode a frame."""
        frame = Frame(
            record.number, record.time_ns, record.digits, record.link,
            PyBytes_FromStringAndSize(<const char *>record.data, record.size), record.offset,
            record.wire,
        )
        item = None
        if record.size < record.wire:
            self.cut_frames += 1
        else:
            item = plain_frame(frame)
        if item is not None:
            return self.item(item)
        for item in self.layers.decode(frame):
            self.item(item)
        return 0

    cdef int item(self, object item) except -1:
        """Take what the reference found in a frame."""
        if isinstance(item, Segment):
            self.segments.feed_segment(item)
        elif isinstance(item, Datagram):
            if not item.whole or b"SIP/" in item.payload:
                self.datagram(item)
            elif dns.is_dns(item.key):
                self.name_query(item)
        else:
            self.late.append(item)
        return 0

    cdef int name_query(self, object datagram) except -1:
        """Take a datagram of DNS."""
        if dns.may_concern(datagram.payload):
            self.reading.note_query(datagram)
        return 0

    cdef int _say_late(self) except -1:
        for problem in self.late:
            self.problem(problem)
        self.late.clear()
        return 0

    cdef int problem(self, object problem) except -1:
        self.reading.counters[f"malformed {problem.layer}"] += 1
        if problem.layer == "capture":
            self.reading.damaged = True
        if len(self.reading.problems) < self.most_problems:
            self.reading.problems.append(problem)
        return 0

    def stream_keys(self, int64_t known):
        """Return the keys of the connections that were numbered after the first ``known``."""
        cdef Link link
        return [
            (link.key, link.transport, bool(link.syn)) for link in self.links[known:]
        ]

    cdef int _settle(self) except -1:
        cdef Link link
        reading = self.reading
        reading.frames = self.frames
        if self.timed:
            reading.first_time, reading.last_time = self.low, max(0, self.high)
        note_times(reading, self.layers.times)
        reading.counters["cut frames"] += self.cut_frames
        reading.stream_counters["retransmitted segments"] += self.segments.retransmissions
        reading.ignored = dict(self.layers.ignored)
        reading.secrets = self.secrets
        negotiated = reading.rows.strings.find("NEGOTIATE") is not None  # [MS-SIPCOMP]
        if self.streaming and not self.tls and not negotiated and not reading.may_give_more:
            # Nobody asks for the connections of a stream: what puts them into order is enough.
            reading.flows.extend(self.links)
        else:
            for link in self.links:
                reading.flows.append(link.settled())
        for link, hello in self.tls:
            reading.tls.append(TlsConnection(link.settled(), hello))
        if not self.streaming:
            self.buffer.sort()
            self.buffer.move(self.reading.rows, self.buffer.count)
        return 0
