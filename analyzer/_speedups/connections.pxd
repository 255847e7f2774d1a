# What comes of TCP and UDP, to messages.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from analyzer._speedups.links cimport Link, Side
from analyzer._speedups.row_writer cimport RowWriter
from dissectors._speedups.framing cimport Framer
from dissectors._speedups.heads cimport HeadScanner
from dissectors._speedups.packet cimport Packet
from dissectors._speedups.reassembly cimport Reassembler


# Bytes of a direction, and what brought them.
cdef struct Heard:
    const uint8_t *data
    Py_ssize_t size
    int64_t frame
    int64_t time_ns


cdef class Connections(RowWriter):
    cdef HeadScanner heads
    cdef Segments segments
    cdef Messages messages
    cdef object apart  # analyzer.apart.Apart
    cdef dict flows  # (Link, side) of messages apart from a stream, by transport and key
    cdef list tls  # of a Link and its first bytes
    cdef object others  # analyzer.others.Others, by Link
    cdef Py_ssize_t most_early
    cdef Py_ssize_t most_tls
    cdef Py_ssize_t most_first
    cdef Py_ssize_t hello

    cdef int datagram(self, object datagram) except -1
    cdef int joined(self, list found) except -1
    cdef int plain_datagram(self, const Packet *packet) except -1

    # To be overridden: bytes of the capture that were fed before.
    cdef bytes back(self, uint64_t offset, Py_ssize_t size)

    cdef int _next_bytes(self, Side side, const Packet *packet) except -1
    cdef bint _first_bytes(self, Side side, const Heard *heard) except -1
    cdef int _other_service(self, Side side, const Heard *heard) except -1
    cdef int _event(self, Side side, object event) except -1
    cdef int _opened(self, Side side, object event) except -1
    cdef int _gap(self, Side side, object gap) except -1
    cdef int _conflict(self, Side side, object conflict) except -1
    cdef int _end(self, Side side, object end) except -1
    cdef int _flow(self, str transport, bytes key, int64_t frame, int64_t time_ns) except -1


# Hands what comes of TCP to its owner.
cdef class Segments(Reassembler):
    cdef Connections owner


# Hands framed messages to its owner.
cdef class Messages(Framer):
    cdef Connections owner
    cdef Link link  # that of the bytes being framed
    cdef int side_back
    cdef Side side  # None for a datagram

    cdef void of(self, Side side)
