"""What arrives at ``reassembly``: mostly a packet, which becomes a ``Segment`` only where it must.

The rule: what was seen of a packet or a segment points into it, and is good no longer than it is.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t

from dissectors._speedups.packet cimport Packet

from dissectors.model import Segment

_new = tuple.__new__


cdef int of_segment(object segment, Arrival *it) except -1:
    """Look at a segment, which must live as long as what was seen of it."""
    if type(segment) is not Segment:
        raise TypeError("a Segment is needed")
    cdef tuple fields = <tuple>segment
    cdef object key = fields[KEY], payload = fields[PAYLOAD]
    if type(key) is not bytes or type(payload) is not bytes:
        raise TypeError("a key and a payload of bytes are needed")
    if len(key) != 12 and len(key) != 36:
        raise ValueError("a key has 12 or 36 bytes")
    it.packet, it.segment = NULL, <void *>segment
    it.key, it.key_size = <const uint8_t *>PyBytes_AS_STRING(key), <uint8_t>len(key)
    it.flags, it.seq, it.frame = fields[FLAGS], fields[SEQ], fields[FRAME]
    it.size, it.missing = len(payload), <uint32_t>fields[MISSING]
    return 0


cdef object segment_of(Arrival *it):
    """Return what arrived as a segment."""
    cdef const Packet *packet = it.packet
    if packet == NULL:
        segment = <object>it.segment
        return segment if it.seq == seq_of(segment) else segment._replace(seq=it.seq)
    return _new(
        Segment,
        (
            packet.frame, packet.time_ns, packet.digits,
            PyBytes_FromStringAndSize(<const char *>packet.key, packet.key_size),
            it.seq, packet.ack, packet.flags,
            PyBytes_FromStringAndSize(<const char *>packet.payload, packet.size),
            packet.offset, 0, (),
        ),
    )
