"""The twin of ``dissectors.capture``: the loop over ordinary records, compiled.

The one rule: the readers are those of the reference, and what they decide once a file or once a
piece of it (file header, sections, interfaces, damage, a record that straddles two pieces) stays
theirs. Only the loop over whole and ordinary records is replaced: it builds no ``Frame`` but fills
a ``Record`` that points into the piece, and hands it to a ``RecordSink``. So ``feed`` and ``close``
return what is to be said about the file alone.

Lengths are compared with what is left of the piece before they are added to anything: they come
from the file.
"""

from __future__ import annotations

from functools import partial

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dissectors._speedups.packet cimport Record

from dissectors.capture import blocks, detect, pcap, pcapng
from dissectors.model import Frame

cdef extern from *:
    """
    /* ticks * multiplier / divisor + shift, at most LAST_TIME. The product of 64 bits of ticks and
       10^9 needs 94 bits. 0: to be computed elsewhere (a divisor beyond 64 bits, which stands here
       as 0, or a compiler without numbers of 128 bits). The sum never lies below the range of
       time: the quotient is not negative. */
    static inline int scale_ticks(
        uint64_t ticks, uint64_t multiplier, uint64_t divisor, int64_t shift, int64_t *time)
    {
    #ifdef __SIZEOF_INT128__
        unsigned __int128 scaled;
        __int128 sum;
        if (divisor == 0)
            return 0;
        scaled = (unsigned __int128)ticks * multiplier;
        if (divisor != 1)
            scaled /= divisor;
        sum = (__int128)scaled + shift;
        *time = sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
        return 1;
    #else
        (void)ticks; (void)multiplier; (void)divisor; (void)shift; (void)time;
        return 0;
    #endif
    }
    """
    bint scale_ticks(
        uint64_t ticks, uint64_t multiplier, uint64_t divisor, int64_t shift, int64_t *time
    ) noexcept nogil

cdef object new_tuple = tuple.__new__  # builds a named tuple in half the time of calling its class

cdef enum:
    PACKET_HEADER = 28  # of an enhanced packet: type, length, interface, time, two lengths
    PACKET_BLOCK = 32  # with the second block length

cdef uint32_t NANOSECONDS = pcap.NANOSECONDS
cdef uint32_t ENHANCED_PACKET = blocks.ENHANCED_PACKET
cdef uint32_t MAX_BLOCK = pcapng.MAX_BLOCK


cdef class RecordSink:
    """Takes the records of a capture file in their order; a subclass says what becomes of them."""

    cdef int record(self, const Record *record) except -1:
        raise NotImplementedError

    cdef int done(self) except -1:
        return 0


cdef class FrameSink(RecordSink):
    """Appends each record to ``items``, as the reference's frame."""

    cdef public list items

    def __init__(self):
        self.items = []

    cdef int record(self, const Record *record) except -1:
        self.items.append(frame_of(record))
        return 0


cdef object frame_of(const Record *record):
    data = PyBytes_FromStringAndSize(<const char *>record.data, record.size)
    return new_tuple(
        Frame,
        (
            record.number,
            record.time_ns,
            record.digits,
            record.link,
            data,
            record.offset,
            record.wire,
        ),
    )


cdef int fill_record(object frame, Record *record) except -1:
    cdef bytes data
    record.number, record.time_ns, record.digits, record.link, data, record.offset, record.wire = (
        frame
    )
    if data is None:
        raise TypeError("a frame without data")
    record.data = <const uint8_t *>PyBytes_AS_STRING(data)
    record.size = PyBytes_GET_SIZE(data)
    return 0


# A walk over the records of one piece of a file. ``record`` holds what all records share, and the
# number of the last one.
cdef struct Walk:
    const uint8_t *data
    Py_ssize_t size
    Py_ssize_t at  # the first byte that is not used yet
    uint64_t base  # offset of ``data`` in the file
    bint big_endian
    Record record


cdef void begin(Walk *walk, object reader, bytes data, Py_ssize_t at, str order) except *:
    walk.data = <const uint8_t *>PyBytes_AS_STRING(data)
    walk.size = PyBytes_GET_SIZE(data)
    walk.at = at
    walk.base = reader._base
    walk.big_endian = order == ">"
    walk.record.number = reader._number


cdef inline uint32_t word(const Walk *walk, const uint8_t *at) noexcept nogil:
    return big32(at) if walk.big_endian else little32(at)


# What ``PcapReader`` knows of its file
cdef struct Format:
    Py_ssize_t header  # bytes of a record header
    uint32_t scale  # nanoseconds in one unit of the fraction
    uint32_t limit  # largest captured length that is believed
    bint old_order


cdef enum Ending:
    HEADER_MISSING  # the piece ends with a record or inside a record header
    DATA_MISSING  # the piece ends inside the data of a record
    DAMAGED  # the record cannot be true


cdef bint any_byte(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at
    for at in range(size):
        if data[at]:
            return True
    return False


# Walk over the records of a pcap file; ``record.size`` is the captured length of the one that
# brought the walk to its end.
cdef Ending walk_pcap(RecordSink sink, Walk *walk, const Format *format) except *:
    cdef const uint8_t *head
    cdef Record *record = &walk.record
    cdef Py_ssize_t start
    cdef uint32_t captured, wire
    while format.header <= walk.size - walk.at:
        head = walk.data + walk.at
        captured, wire = word(walk, head + 8), word(walk, head + 12)
        if captured > wire:
            if format.old_order:
                captured, wire = wire, captured
            else:
                wire = captured
        record.size = captured
        if captured > format.limit or (captured == 0 and not any_byte(head, format.header)):
            return DAMAGED
        start = walk.at + format.header
        if captured > walk.size - start:
            return DATA_MISSING
        record.number += 1
        # 32 bits of seconds, and a fraction that may be more than one, stay below 2**63
        record.time_ns = (
            <int64_t>word(walk, head) * NANOSECONDS + <int64_t>word(walk, head + 4) * format.scale
        )
        record.data = walk.data + start
        record.offset = walk.base + <uint64_t>start
        record.wire = wire
        sink.record(record)
        walk.at = start + captured
    return HEADER_MISSING


class FastPcapReader(pcap.PcapReader):
    """Bytes of a pcap file in; records go to a sink, what is to be said of the file comes out."""

    __slots__ = ("_sink",)

    def __init__(self, RecordSink sink not None):
        super().__init__()
        self._sink = sink

    def _records(self, record, bytes data not None, Py_ssize_t at, list out):
        cdef Walk walk
        cdef Format format
        cdef Ending ending
        begin(&walk, self, data, at, record.format[0])
        walk.record.link, walk.record.digits = self._link, self._digits
        format.header, format.scale = record.size, self._scale
        format.limit, format.old_order = self._limit, self._old_order
        ending = walk_pcap(self._sink, &walk, &format)
        (<RecordSink>self._sink).done()
        self._number = walk.record.number
        self._need = format.header
        if ending == DATA_MISSING:
            self._need += walk.record.size
        elif ending == DAMAGED:
            self._damage(walk.record.size, walk.base + <uint64_t>walk.at, out)
        return walk.at


# ``_Clock`` of the reference
cdef struct Clock:
    int link
    int digits
    uint64_t multiplier
    uint64_t divisor  # 0: too large for 64 bits
    int64_t shift


# The interfaces of a section as C structures. The reference's list of them only grows, and is
# replaced by another one with each section.
cdef class Clocks:
    cdef list source
    cdef Clock *clocks
    cdef Py_ssize_t known, room

    def __dealloc__(self):
        PyMem_Free(self.clocks)

    cdef int follow(self, list source) except -1:
        if source is not self.source:
            self.source, self.known = source, 0
        while self.known < len(source):
            self.add(source[self.known])
        return 0

    cdef int add(self, object read) except -1:
        cdef Clock clock
        cdef Clock *grown
        cdef Py_ssize_t room = self.room
        clock.link, clock.digits = read.link, read.digits
        clock.multiplier, clock.shift = read.multiplier, read.shift
        clock.divisor = 0 if read.divisor >> 64 else read.divisor
        if self.known == room:
            room = room * 2 or 4
            grown = <Clock *>PyMem_Realloc(self.clocks, <size_t>room * sizeof(Clock))
            if grown == NULL:
                raise MemoryError
            self.clocks, self.room = grown, room
        self.clocks[self.known] = clock
        self.known += 1
        return 0


# Walk over enhanced packet blocks, up to whatever is not a plain and whole one.
cdef void walk_pcapng(RecordSink sink, Walk *walk, Clocks clocks) except *:
    cdef const uint8_t *head
    cdef const Clock *clock
    cdef Record *record = &walk.record
    cdef Py_ssize_t left
    cdef uint32_t length, interface, captured
    cdef uint64_t ticks
    while PACKET_BLOCK <= walk.size - walk.at:
        left = walk.size - walk.at
        head = walk.data + walk.at
        length, interface = word(walk, head + 4), word(walk, head + 8)
        captured = word(walk, head + 20)
        if (
            word(walk, head) != ENHANCED_PACKET
            or length < PACKET_BLOCK
            or length > MAX_BLOCK
            or <Py_ssize_t>length > left
            or captured > length - PACKET_BLOCK
            or interface >= <uint64_t>clocks.known
            or word(walk, head + length - 4) != length
        ):
            return
        clock = clocks.clocks + interface
        ticks = <uint64_t>word(walk, head + 12) << 32 | word(walk, head + 16)
        if not scale_ticks(
            ticks, clock.multiplier, clock.divisor, clock.shift, &record.time_ns
        ):
            return
        record.number += 1
        record.link, record.digits = clock.link, clock.digits
        record.data = head + PACKET_HEADER
        record.size = captured
        record.offset = walk.base + <uint64_t>(walk.at + PACKET_HEADER)
        record.wire = max(captured, word(walk, head + 24))
        sink.record(record)
        walk.at += length


class FastPcapngReader(pcapng.PcapngReader):
    """Bytes of a pcapng file in; records go to a sink, what is to be said of the file comes out."""

    __slots__ = ("_compiled", "_sink")

    def __init__(self, RecordSink sink not None):
        super().__init__()
        self._compiled = Clocks()
        self._sink = sink

    def _packets(self, layout, bytes data not None, Py_ssize_t at, list out):
        cdef Walk walk
        cdef Clocks clocks = self._compiled
        clocks.follow(self._clocks)
        begin(&walk, self, data, at, layout.order)
        walk_pcapng(self._sink, &walk, clocks)
        (<RecordSink>self._sink).done()
        self._number = walk.record.number
        return walk.at

    def _packet(self, packet, body, where, list out):
        """Let the reference read a block that is not an ordinary one; take its frame to the sink."""
        cdef Record record
        cdef RecordSink sink = self._sink
        cdef Py_ssize_t told = len(out)
        super()._packet(packet, body, where, out)
        if len(out) > told and isinstance(out[told], Frame):
            frame = out.pop()
            fill_record(frame, &record)
            sink.record(&record)
            sink.done()


TWINS = {pcap.PcapReader: FastPcapReader, pcapng.PcapngReader: FastPcapngReader}


def fast_reader_for(bytes head, RecordSink sink not None):
    """Return a new reader for the file that begins with ``head``, whose records go to ``sink``.

    As ``dissectors.capture.detect.reader_for``: a ``Malformed`` where there is no reader for it.
    """
    readers = {magic: partial(TWINS[make], sink) for magic, make in detect.READERS.items()}
    return detect.reader_for(head, readers)
