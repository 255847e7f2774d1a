"""What comes of TCP and UDP, to messages: the joints of ``analyzer.pipeline`` between its stages.

The rule: the next bytes of a stream go straight to the framer; every other event is one of the
reference's values, and taken as the reference takes it.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr

from analyzer._speedups.beginnings cimport begins_like_sip
from analyzer._speedups.links cimport Link, Side
from analyzer._speedups.row_writer cimport RowWriter
from dissectors._speedups.flows cimport fetch_object, xccos_fetch
from dissectors._speedups.framing cimport Framer, Message, Origin, Piece, Stream, blank_line
from dissectors._speedups.heads cimport Head, HeadScanner
from dissectors._speedups.packet cimport Packet
from dissectors._speedups.reassembly cimport Direction, Reassembler

from analyzer import pipeline as reference
from analyzer.apart import Apart
from analyzer.others import FIRST_BYTES, Others
from dissectors._speedups.framing import begun
from dissectors.model import Chunk, Conflict, Gap, Opened, StreamEnd, reversed_key
from dissectors.notes import LF_ONLY
from dissectors.sip.ending import DOUBTFUL
from dissectors.sip.resume import MAX_HEAD
from dissectors.transport.services import service_of

cdef uint32_t UNUSUAL = DOUBTFUL | LF_ONLY
cdef Py_ssize_t LONGEST_HEAD = MAX_HEAD


cdef class Segments(Reassembler):
    """Hands what comes of TCP to its owner."""

    cdef Direction new_direction(self):
        return Side()

    cdef void fetch_parts(self, Direction direction) noexcept:
        cdef Side side = <Side>direction
        xccos_fetch(side.history)
        fetch_object(<void *>side.link)
        fetch_object(<void *>side.sip)
        fetch_object(<char *><void *>side.sip + 192)

    cdef int on_next(self, Direction direction, const Packet *packet) except -1:
        return self.owner._next_bytes(<Side>direction, packet)

    cdef int on_event(self, Direction direction, object event) except -1:
        return self.owner._event(<Side>direction, event)

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        return self.owner.back(offset, size)


cdef class Messages(Framer):
    """Hands framed messages to its owner."""

    cdef void of(self, Side side):
        self.side = side
        self.link = side.link
        self.side_back = side.back

    cdef int on_message(self, Stream stream, const Message *message) except -1:
        return self.owner.write(self.link, self.side_back, message)

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        return self.owner.back(offset, size)


cdef class Connections(RowWriter):
    """TCP connections and UDP flows, and the messages in them."""

    def __init__(self, *, items=True, streaming=False):
        """Begin; without ``items`` bodies are not looked at."""
        RowWriter.__init__(self, items=items)
        self.heads = HeadScanner(self.strings, self.cseqs)
        self.segments = Segments()
        self.messages = Messages(self.heads)
        self.segments.owner = self.messages.owner = self
        self.apart = Apart(self.heads.reference)
        self.flows = {}
        self.tls = []
        self.most_early = reference.MAX_EARLY
        # Whoever only lists messages asks for no other connections.
        self.others = Others(self.reading.others, 0 if streaming else None)
        self.most_tls = reference.MAX_TLS
        self.most_first = FIRST_BYTES
        self.hello = reference.HELLO_LENGTH

    cdef bytes back(self, uint64_t offset, Py_ssize_t size):
        raise NotImplementedError

    cdef int on_numbered(self, Link link) except -1:
        return 0 if link.connection < 0 else self.segments.expect_more(self.messages.side)

    # TCP

    cdef int _next_bytes(self, Side side, const Packet *packet) except -1:
        """Take the payload of a packet that is the next one of its direction."""
        cdef Origin origin
        cdef Heard heard
        if side.sip is None:
            heard.data, heard.size = packet.payload, packet.size
            heard.frame, heard.time_ns = packet.frame, packet.time_ns
            if not self._first_bytes(side, &heard):
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

    cdef bint _first_bytes(self, Side side, const Heard *heard) except -1:
        """Decide whether a direction may carry SIP."""
        cdef Link link = side.link
        service = link.service
        if service is None and link.number < 0 and not begins_like_sip(heard.data, heard.size):
            beginning = PyBytes_FromStringAndSize(<const char *>heard.data, heard.size)
            service = service_of(beginning)
            if service is not None:
                link.service = service
                self.reading.services[service] += 1
                if service == "TLS" and len(self.tls) < self.most_tls:
                    self.tls.append((link, beginning[: self.hello]))
                self.others.remember(link, link.key, service)
        if service is not None:
            self._other_service(side, heard)
            return False
        side.sip = begun(self.heads, not link.cut[side.back])
        return True

    cdef int _other_service(self, Side side, const Heard *heard) except -1:
        """Look at no more of something else than SIP than is wanted of it."""
        cdef Side other = <Side?>side.other
        cdef Py_ssize_t size = min(heard.size, self.most_first)
        data = PyBytes_FromStringAndSize(<const char *>heard.data, size)
        mine, others = self.others.take(
            side.link, side.back, data, heard.frame, heard.time_ns, alone=other.sip is not None
        )
        if not mine:
            self.segments.drop(side)
        if not others:
            self.segments.drop(other)
        return 0

    cdef int _event(self, Side side, object event) except -1:
        """Take what the reassembler says of a direction."""
        cdef bytes data
        cdef Heard heard
        kind = type(event)
        if kind is Chunk:
            data = event.data
            if side.sip is None:
                heard.data = <const uint8_t *>PyBytes_AS_STRING(data)
                heard.size = PyBytes_GET_SIZE(data)
                heard.frame, heard.time_ns = event.frame, event.time_ns
                if not self._first_bytes(side, &heard):
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
        link.key, link.syn, link.transport = event.key, event.syn_seen, "tcp"
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
        if not link.open:
            self.others.forget(link)
        return 0

    # messages apart from a stream

    cdef int plain_datagram(self, const Packet *packet) except -1:
        """Take a datagram that is one plain message and nothing else; else the reference must."""
        cdef const uint8_t *data = packet.payload
        cdef const uint8_t *line
        cdef Head head
        cdef Piece piece
        cdef Message message
        cdef Py_ssize_t blank = blank_line(data, packet.size, 0)
        if blank < 1 or blank > LONGEST_HEAD or data[0] == b"\r" or data[0] == b"\n":
            return 0
        line = <const uint8_t *>memchr(data, b"\n", packet.size)
        if <const uint8_t *>memchr(data, b"\r", packet.size) != line - 1:
            return 0
        if not self.heads.scan_head(data, blank, &head) or head.notes & UNUSUAL:
            return 0
        if head.content_length != packet.size - blank - 4:
            return 0
        key = PyBytes_FromStringAndSize(<const char *>packet.key, packet.key_size)
        self._flow("udp", key, packet.frame, packet.time_ns)
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
        return 1

    cdef int datagram(self, object datagram) except -1:
        return self.joined(self.apart.read(datagram))

    cdef int joined(self, list found) except -1:
        for transport, key, messages in found:
            first = messages[0]
            self._flow(transport, key, first.frame, first.time_ns)
            for framed in messages:
                self.messages.on_framed(None, framed)
        return 0

    cdef int _flow(self, str transport, bytes key, int64_t frame, int64_t time_ns) except -1:
        """Find the flow of a message that came apart from its stream."""
        cdef Link link
        known = self.flows.get((transport, key))
        if known is None:
            link = Link()
            link.key, link.transport = key, transport
            link.number = link.connection = -1
            link.open = 2
            link.first = link.last = frame
            link.first_time = link.last_time = time_ns
            link.cut[0] = link.cut[1] = True
            known = self.flows[transport, key] = (link, 0)
            self.flows.setdefault((transport, reversed_key(key)), (link, 1))
        self.messages.side = None
        self.messages.link, self.messages.side_back = known
        return 0
