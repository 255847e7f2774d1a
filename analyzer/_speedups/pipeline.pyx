"""The compiled pass: bytes of a capture in, rows out; the twin of ``analyzer.pipeline``.

The rule: per frame and per message nothing but C structures, and whatever a stage does not know
goes to the reference's own code, in order. The stages are those of ``dissectors._speedups``; this
module joins them as ``analyzer.pipeline`` joins those of the reference.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp

from analyzer._speedups.rows cimport Place, Row, RowBuffer
from dissectors._speedups.capture cimport RecordSink
from dissectors._speedups.documents cimport MALFORMED, NOT_XCCOS, DocumentScanner
from dissectors._speedups.framing cimport Framer, Message, Origin, Piece, Stream, blank_line
from dissectors._speedups.heads cimport Head, HeadScanner
from dissectors._speedups.packet cimport Packet, Record
from dissectors._speedups.reassembly cimport Direction, Reassembler
from dissectors._speedups.strings cimport CSeqs, Span, Strings
from dissectors._speedups.transport cimport plain

from dissectors._speedups.capture import fast_reader_for
from dissectors._speedups.framing import begun

from analyzer import pipeline as reference
from analyzer.flow import Flow
from analyzer.reading import Reading, TlsConnection
from dissectors.capture.detect import HEAD_LENGTH
from dissectors.model import (
    Chunk,
    Conflict,
    Datagram,
    Frame,
    Gap,
    Malformed,
    Opened,
    Segment,
    StreamEnd,
    reversed_key,
)
from dissectors.notes import BAD_XCCOS, HOLE, LF_ONLY, TRUNCATED
from dissectors.sip.datagram import read_datagram
from dissectors.sip.ending import DOUBTFUL
from dissectors.sip.resume import MAX_HEAD
from dissectors.transport.decoder import plain as plain_frame
from dissectors.transport.layers import Layers
from dissectors.transport.services import service_of

cdef uint32_t CUT = HOLE | TRUNCATED
cdef uint32_t BROKEN = BAD_XCCOS
cdef uint32_t UNUSUAL = DOUBTFUL | LF_ONLY
cdef Py_ssize_t LONGEST_HEAD = MAX_HEAD
cdef enum:
    # Rows that are buffered before the first of them go into the columns, and so many that stay: a
    # message may be complete later than its last frame says, where an earlier one was captured
    # after it.
    BUFFERED = 8192
    LATE = 1024
    CHARSETS = 64  # content types of which is remembered whether they name a charset


cdef class Link:
    """What is known of a TCP connection or UDP flow; the twin of ``analyzer.flow.Flow``."""

    cdef bytes key
    cdef bint udp
    cdef bint syn
    cdef int64_t connection
    cdef int64_t number
    cdef int64_t first
    cdef int64_t last
    cdef int64_t first_time
    cdef int64_t last_time
    cdef int64_t messages[2]
    cdef int64_t holes
    cdef int open
    cdef bint cut[2]
    cdef object service
    cdef object ends  # list of two, or None while neither direction has ended
    cdef list gaps
    cdef list conflicts
    cdef object flow  # the reference's, where somebody keeps it

    cdef object settled(self):
        """Return it as the reference has it."""
        flow = self.flow
        if flow is None:
            flow = self.flow = Flow(
                self.key, "udp" if self.udp else "tcp", syn=bool(self.syn), frame=self.first,
                time_ns=self.first_time,
            )
        flow.connection = self.connection
        flow.number = self.number
        flow.last = self.last
        flow.times = [self.first_time, self.last_time]
        flow.messages = [self.messages[0], self.messages[1]]
        flow.holes = self.holes
        flow.service = self.service
        flow.open = self.open
        flow.cut = [bool(self.cut[0]), bool(self.cut[1])]
        if self.ends is not None:
            flow.ends = self.ends
        return flow


cdef class Side(Direction):
    """A direction, and the SIP in it."""

    cdef Link link
    cdef int back  # 0 from the opener, 1 to it
    cdef Stream sip  # None while no byte of it was seen


cdef class _Segments(Reassembler):
    """Hands what comes of TCP to the pass."""

    cdef Pass owner

    cdef Direction new_direction(self):
        return Side()

    cdef int on_next(self, Direction direction, const Packet *packet) except -1:
        return self.owner.next_bytes(<Side>direction, packet)

    cdef int on_event(self, Direction direction, object event) except -1:
        return self.owner.event(<Side>direction, event)

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        return self.owner.back(offset, size)


cdef class _Messages(Framer):
    """Hands framed messages to the pass."""

    cdef Pass owner
    cdef Link link  # that of the bytes being framed
    cdef int back
    cdef Side side  # None for a datagram

    cdef void of(self, Side side):
        self.side, self.link, self.back = side, side.link, side.back

    cdef int on_message(self, Stream stream, const Message *message) except -1:
        return self.owner.message(self.link, self.back, message)

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        return self.owner.back(offset, size)


cdef class _Records(RecordSink):
    """Hands frames to the pass."""

    cdef Pass owner

    cdef int record(self, const Record *record) except -1:
        return self.owner.record(record)


cdef class Pass:
    """Feed it the bytes of a capture; ``close`` returns what was read."""

    cdef readonly object reading
    cdef object rows  # where the rows go: those of the reading, or of a batch
    cdef RowBuffer buffer
    cdef Strings strings
    cdef CSeqs cseqs
    cdef HeadScanner heads
    cdef DocumentScanner documents
    cdef _Records records
    cdef _Segments segments
    cdef _Messages messages
    cdef object layers
    cdef object reader
    cdef bytes head
    cdef dict udp
    cdef list links
    cdef list tls
    cdef list late  # problems of frames, until those of the chunk are said
    cdef bint scan
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
    cdef uint32_t charset_ids[CHARSETS]
    cdef uint8_t charset_known[CHARSETS]
    cdef dict charsets
    cdef Py_ssize_t most_early
    cdef Py_ssize_t most_problems
    cdef Py_ssize_t most_tls
    cdef Py_ssize_t hello

    def __init__(self, *, items=True, read_back=None, streaming=False):
        """Begin.

        Args:
            items: scan the bodies for XCCOS; without it the rows have no items.
            read_back: gives bytes that were fed before, by offset and length; without it all that
                is fed is kept.
            streaming: rows are taken away with ``take`` while reading goes on.
        """
        self.reading = Reading()
        self.rows = self.reading.rows
        self.strings = self.rows.strings = Strings()
        self.cseqs = self.rows.cseqs = CSeqs()
        self.buffer = RowBuffer()
        self.heads = HeadScanner(self.strings, self.cseqs)
        self.documents = DocumentScanner(self.strings)
        self.records = _Records()
        self.segments = _Segments()
        self.messages = _Messages(self.heads)
        self.records.owner = self.segments.owner = self.messages.owner = self
        self.layers = Layers()
        self.reader = None
        self.head = b""
        self.udp = {}
        self.links = []
        self.tls = []
        self.late = []
        self.scan = items
        self.streaming = streaming
        self.again = read_back
        self.fed = []
        self.last_link = -1
        self.charsets = {}
        self.most_early = reference.MAX_EARLY
        self.most_problems = reference.MAX_PROBLEMS
        self.most_tls = reference.MAX_TLS
        self.hello = reference.HELLO_LENGTH

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
        return self.low if self.timed else None

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
            self.buffer.move(self.rows, self.buffer.count - LATE)
        return 0

    cdef Py_ssize_t _due(self):
        """Return how many rows (sorted) can no longer be preceded by another."""
        cdef int64_t waiting = self.segments.oldest_waiting()
        cdef Py_ssize_t count = self.buffer.count
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
        cdef Packet packet
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
        if record.size >= record.wire and plain(record, &packet):
            if not packet.udp:
                return self.segments.feed_packet(&packet)
            if may_be_sip(packet.payload, packet.size) and not self._plain_datagram(&packet):
                self.datagram(
                    Datagram(
                        packet.frame, packet.time_ns, packet.digits,
                        PyBytes_FromStringAndSize(<const char *>packet.key, packet.key_size),
                        PyBytes_FromStringAndSize(<const char *>packet.payload, packet.size),
                        packet.offset, 0, (), False,
                    )
                )
            return 0
        return self._odd(record)

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
            if b"SIP/" in item.payload:
                self.datagram(item)
        else:
            self.late.append(item)
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

    # connections

    cdef int next_bytes(self, Side side, const Packet *packet) except -1:
        """Take the payload of a packet that is the next one of its direction."""
        cdef Origin origin
        if side.sip is None and not self._first_bytes(side, packet.payload, packet.size):
            return 0
        origin.frame = packet.frame
        origin.time_ns = packet.time_ns
        origin.digits = packet.digits
        origin.offset = packet.offset
        origin.length = packet.size
        self.messages.of(side)
        self.messages.feed_bytes(side.sip, packet.payload, packet.size, &origin)
        if not side.sip.found and self.messages.is_hopeless(side.sip):
            self.segments.drop(side)
        return 0

    cdef bint _first_bytes(self, Side side, const uint8_t *data, Py_ssize_t size) except -1:
        """Decide whether a direction may carry SIP."""
        cdef Link link = side.link
        service = link.service
        if service is None and link.number < 0 and not begins_like_sip(data, size):
            beginning = PyBytes_FromStringAndSize(<const char *>data, size)
            service = service_of(beginning)
            if service is not None:
                link.service = service
                self.reading.services[service] += 1
                if service == "TLS" and len(self.tls) < self.most_tls:
                    self.tls.append((link, beginning[: self.hello]))
        if service is not None:
            self.segments.drop(side)
            if side.other is not None:
                self.segments.drop(side.other)
            return False
        side.sip = begun(self.heads, not link.cut[side.back])
        return True

    cdef int event(self, Side side, object event) except -1:
        """Take what the reassembler says of a direction."""
        cdef bytes data
        kind = type(event)
        if kind is Chunk:
            data = event.data
            if side.sip is None and not self._first_bytes(
                side, <const uint8_t *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)
            ):
                return 0
            self.messages.of(side)
            self.messages.feed_chunk(side.sip, event)
            if not side.sip.found and self.messages.is_hopeless(side.sip):
                self.segments.drop(side)
        elif kind is Opened:
            self._opened(side, event)
        elif kind is Gap:
            self._gap(side, event)
        elif kind is Conflict:
            self._conflict(side, event)
        elif kind is StreamEnd:
            self._end(side, event)
        return 0

    cdef int _opened(self, Side side, object event) except -1:
        cdef Link link = Link()
        cdef Side other = <Side?>side.other
        link.key, link.syn = event.key, event.syn_seen
        link.connection, link.number, link.open = event.connection, -1, 2
        link.first = link.last = event.frame
        link.first_time = link.last_time = event.time_ns
        link.cut[0] = link.cut[1] = not link.syn
        side.link = other.link = link
        side.back, other.back = 0, 1
        return 0

    cdef int _gap(self, Side side, object gap) except -1:
        cdef Link link = side.link
        if link.service is not None:
            return 0
        link.holes += 1
        if side.sip is None:
            link.cut[side.back] = True
        else:
            self.messages.of(side)
            self.messages.feed_gap(side.sip, gap.length)
        if link.number >= 0:
            self.reading.holes.append((2 * link.number + side.back, gap.frame, gap.length))
        else:
            if link.gaps is None:
                link.gaps = []
            if len(link.gaps) < self.most_early:
                link.gaps.append((side.back, gap.frame, gap.length))
        return 0

    cdef int _conflict(self, Side side, object conflict) except -1:
        cdef Link link = side.link
        if link.number >= 0:
            self.reading.conflicts.append(
                (2 * link.number + side.back, conflict.frame, conflict.length)
            )
            return 0
        if link.conflicts is None:
            link.conflicts = []
        if len(link.conflicts) < self.most_early:
            link.conflicts.append((side.back, conflict.frame, conflict.length))
        return 0

    cdef int _end(self, Side side, object end) except -1:
        cdef Link link = side.link
        if link.ends is None:
            link.ends = ["end", "end"]
        link.ends[side.back] = end.how
        if side.sip is not None:
            self.messages.of(side)
            self.messages.finish(side.sip)
            if side.sip.found:
                self.reading.stream_counters["bytes between messages"] += side.sip.junk
            side.sip = None
        link.last = max(link.last, end.frame)
        link.open -= 1
        return 0

    cdef bint _plain_datagram(self, const Packet *packet) except -1:
        """Take a datagram that is one plain message and nothing else; else the reference must."""
        cdef const uint8_t *data = packet.payload
        cdef const uint8_t *line
        cdef Head head
        cdef Piece piece
        cdef Message message
        cdef Py_ssize_t blank = blank_line(data, packet.size, 0)
        if blank < 1 or blank > LONGEST_HEAD or data[0] == b"\r" or data[0] == b"\n":
            return False
        line = <const uint8_t *>memchr(data, b"\n", packet.size)
        if <const uint8_t *>memchr(data, b"\r", packet.size) != line - 1:
            return False
        if not self.heads.scan_head(data, blank, &head) or head.notes & UNUSUAL:
            return False
        if head.content_length != packet.size - blank - 4:
            return False
        key = PyBytes_FromStringAndSize(<const char *>packet.key, packet.key_size)
        self._flow(key, packet.frame, packet.time_ns)
        piece.frame = packet.frame
        piece.offset = packet.offset
        piece.length = packet.size
        message.head = &head
        message.data = data
        message.size = packet.size
        message.body = blank + 4
        message.notes = head.notes
        message.frame = packet.frame
        message.time_ns = packet.time_ns
        message.digits = packet.digits
        message.pieces = &piece
        message.count = 1
        self.messages.on_message(None, &message)
        return True

    cdef int datagram(self, object datagram) except -1:
        framed = read_datagram(datagram, self.heads.reference)
        if framed is None:
            return 0
        self._flow(datagram.key, datagram.frame, datagram.time_ns)
        return self.messages.on_framed(None, framed)

    cdef int _flow(self, bytes key, int64_t frame, int64_t time_ns) except -1:
        """Find the flow of a datagram that is a message."""
        cdef Link link
        known = self.udp.get(key)
        if known is None:
            link = Link()
            link.key = key
            link.udp = True
            link.number = link.connection = -1
            link.open = 2
            link.first = link.last = frame
            link.first_time = link.last_time = time_ns
            link.cut[0] = link.cut[1] = True
            known = self.udp[key] = (link, 0)
            self.udp.setdefault(reversed_key(key), (link, 1))
        self.messages.side = None
        self.messages.link, self.messages.back = known
        return 0

    # messages

    cdef int message(self, Link link, int back, const Message *message) except -1:
        """Write the row of a message."""
        cdef const Head *head = message.head
        cdef Row *row
        cdef Place *place
        cdef Py_ssize_t k, items = 0
        cdef uint32_t notes = message.notes
        if link.number < 0:
            self._number(link)
        link.messages[back] += 1
        if message.frame > link.last:
            link.last = message.frame
            link.last_time = message.time_ns
        if message.body < message.size and self.scan:
            items = self.documents.scan_body(
                message.data + message.body, message.size - message.body,
                self._charset(head.content_type),
            )
            if items < 0:
                if items == MALFORMED and not notes & CUT:
                    notes |= BROKEN
                items = 0
        row = self.buffer.more(message.count, items)
        row.time = message.time_ns
        row.digits = message.digits
        row.frame = message.frame
        row.stream = <uint32_t>(2 * link.number + back)
        row.status = head.status
        row.method = head.method
        row.reason = head.reason
        row.uri = head.uri
        row.call_id = head.call_id
        row.cseq = head.cseq
        row.from_uri = head.from_uri
        row.from_tag = head.from_tag
        row.to_uri = head.to_uri
        row.to_tag = head.to_tag
        row.content_type = head.content_type
        row.content_length = head.content_length
        row.length = <uint32_t>message.size
        row.notes = notes
        row.branch = head.branch
        row.vias = head.vias
        row.piece = <uint64_t>self.buffer.place_count
        row.pieces = <uint32_t>message.count
        row.item = <uint64_t>self.buffer.item_count
        row.items = <uint32_t>items
        for k in range(message.count):
            place = &self.buffer.places[self.buffer.place_count + k]
            place.frame = <uint32_t>message.pieces[k].frame
            place.offset = message.pieces[k].offset
            place.length = <uint32_t>message.pieces[k].length
        for k in range(items):
            self.buffer.items[self.buffer.item_count + k] = self.documents.items[k]
        self.buffer.place_count += message.count
        self.buffer.item_count += items
        if self.buffer.count and row.frame < self.buffer.rows[self.buffer.count - 1].frame:
            self.buffer.ordered = False
        self.buffer.count += 1
        return 0

    cdef object _charset(self, uint32_t content_type):
        """Return the Content-Type where it names a charset, else None."""
        cdef uint32_t slot = content_type % CHARSETS
        if self.charset_known[slot] and self.charset_ids[slot] == content_type:
            return None if self.charset_known[slot] == 1 else self.charsets[content_type]
        text = self.strings.value(content_type) or ""
        named = "charset" in text.lower()
        if named:
            self.charsets[content_type] = text
        self.charset_ids[slot], self.charset_known[slot] = content_type, 2 if named else 1
        return text if named else None

    cdef int _number(self, Link link) except -1:
        """Number a connection that carries SIP."""
        link.number = len(self.links)
        self.links.append(link)
        if link.gaps is not None:
            self.reading.holes += [
                (2 * link.number + back, frame, size) for back, frame, size in link.gaps
            ]
        if link.conflicts is not None:
            self.reading.conflicts += [
                (2 * link.number + back, frame, size) for back, frame, size in link.conflicts
            ]
        link.gaps = link.conflicts = None
        if not link.udp:
            self.segments.expect_more(self.messages.side)
        return 0

    def stream_keys(self, int64_t known):
        """Return the keys of the connections that were numbered after the first ``known``."""
        cdef Link link
        return [
            (link.key, "udp" if link.udp else "tcp", bool(link.syn)) for link in self.links[known:]
        ]

    cdef int _settle(self) except -1:
        cdef Link link
        reading = self.reading
        reading.frames = self.frames
        if self.timed:
            reading.first_time, reading.last_time = self.low, max(0, self.high)
        reading.counters["cut frames"] += self.cut_frames
        reading.stream_counters["retransmitted segments"] += self.segments.retransmissions
        reading.ignored = dict(self.layers.ignored)
        reading.secrets = self.secrets
        for link in self.links:
            reading.flows.append(link.settled())
        for link, hello in self.tls:
            reading.tls.append(TlsConnection(link.settled(), hello))
        if not self.streaming:
            self.buffer.sort()
            self.buffer.move(self.rows, self.buffer.count)
        return 0


cdef bint may_be_sip(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Tell whether ``SIP/`` stands somewhere in the bytes."""
    cdef const uint8_t *found
    cdef const uint8_t *end = data + size
    while end - data >= 4:
        found = <const uint8_t *>memchr(data, b"S", end - data - 3)
        if found == NULL:
            return False
        if memcmp(found, b"SIP/", 4) == 0:
            return True
        data = found + 1
    return False


cdef bint begins_like_sip(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Tell whether the bytes are certainly none of the services that ``service_of`` knows."""
    cdef Py_ssize_t at = 0
    if size >= 8 and memcmp(data, b"SIP/2.0 ", 8) == 0:
        return True
    while at < size and at < 16 and b"A" <= data[at] <= b"Z":
        at += 1
    # A method and a SIP URI that goes on: what follows it is no version of HTTP.
    if at < 3 or size - at < 6 or memcmp(data + at, b" sip:", 5) != 0:
        return False
    at += 5
    while at < size and data[at] != b" " and data[at] != b"\r" and data[at] != b"\n":
        at += 1
    return size - at >= 5 and memcmp(data + at, b" SIP/", 5) == 0
