# Where bytes that were handed on are: in the capture file, or kept.
#
# The rule: a place is owned by who has it, and forgotten once. An odd number says where in the file
# (offset, 14 bits of length, 1), an even one is the address of a bytes object.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_INCREF, Py_XDECREF, PyObject
from libc.stdint cimport int64_t, uint8_t, uint64_t, uintptr_t

from dissectors._speedups.packet cimport Packet

cdef enum:
    OFFSET_BITS = 49  # what a place has room for; no file is so long


# Bytes that were handed on.
cdef struct Handed:
    int64_t position
    uint64_t place


cdef inline const uint8_t *raw(bytes data) noexcept:
    return <const uint8_t *>PyBytes_AS_STRING(data)


cdef inline uint64_t in_file(uint64_t offset, Py_ssize_t size) noexcept nogil:
    return offset << 15 | <uint64_t>size << 1 | 1


cdef inline uint64_t as_kept(bytes data) noexcept:
    Py_INCREF(data)
    return <uint64_t><uintptr_t><PyObject *>data


cdef inline void forget_place(uint64_t place) noexcept:
    if not place & 1:
        Py_XDECREF(<PyObject *><uintptr_t>place)


cdef inline Py_ssize_t size_of(uint64_t place) noexcept:
    if place & 1:
        return <Py_ssize_t>(place >> 1 & 0x3FFF)
    return PyBytes_GET_SIZE(<object><PyObject *><uintptr_t>place)


cdef inline bytes kept_at(uint64_t place):
    return <bytes><object><PyObject *><uintptr_t>place


cdef inline uint64_t place_of_packet(const Packet *packet) except? 0:
    if not packet.offset >> OFFSET_BITS:
        return in_file(packet.offset, packet.size)
    return as_kept(PyBytes_FromStringAndSize(<const char *>packet.payload, packet.size))


cdef inline uint64_t place_in(object pieces, object offset, bytes data, Py_ssize_t size) except? 0:
    """Return the place of the last ``size`` of bytes that begin at an offset in the file."""
    begin = offset + (len(data) - size)
    if not pieces and 0 <= begin < <uint64_t>1 << OFFSET_BITS:
        return in_file(begin, size)
    return as_kept(data[len(data) - size :])
