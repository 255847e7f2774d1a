# Whether bytes may be SIP, told from a look at them.

from libc.stdint cimport uint8_t
from libc.string cimport memchr, memcmp


cdef inline bint may_be_sip(const uint8_t *data, Py_ssize_t size) noexcept nogil:
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


cdef inline bint begins_like_sip(const uint8_t *data, Py_ssize_t size) noexcept nogil:
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
