# What arrives at ``reassembly``: a packet or a segment, and how their sequence numbers compare.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from dissectors._speedups.packet cimport Packet

# Fields of dissectors.model.Segment.
cdef enum:
    FRAME = 0
    TIME_NS = 1
    DIGITS = 2
    KEY = 3
    SEQ = 4
    FLAGS = 6
    PAYLOAD = 7
    OFFSET = 8
    MISSING = 9
    FRAGMENTS = 10


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


# Look at a segment, which must live as long as what was seen of it.
cdef int of_segment(object segment, Arrival *it) except -1

# What arrived, as a segment.
cdef object segment_of(Arrival *it)


cdef inline int64_t distance(uint32_t seq, uint32_t base) noexcept nogil:
    """Return ``seq - base`` as the nearest signed number (RFC 9293 3.4)."""
    return <int32_t>(seq - base)


cdef inline uint32_t seq_of(object segment) except? 0:
    return (<tuple>segment)[SEQ]


cdef inline bytes payload_of(object segment):
    return <bytes>(<tuple>segment)[PAYLOAD]


cdef inline int64_t frame_of(object segment) except? -1:
    return (<tuple>segment)[FRAME]


cdef inline int64_t missing_of(object segment) except? -1:
    return (<tuple>segment)[MISSING]


cdef inline Arrival of_packet(const Packet *packet) noexcept nogil:
    cdef Arrival it
    it.packet = packet
    it.segment = NULL
    it.key = &packet.key[0]
    it.key_size = packet.key_size
    it.flags = packet.flags
    it.seq = packet.seq
    it.frame = packet.frame
    it.size = packet.size
    it.missing = 0
    return it


cdef inline object time_of(Arrival *it):
    return it.packet.time_ns if it.packet != NULL else (<tuple><object>it.segment)[TIME_NS]
