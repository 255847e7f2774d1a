# Which characters may stand where in a head. All of it is inlined where it is used.

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from dissectors._speedups.strings cimport Span

cdef extern from *:
    """
    static uint8_t xccos_sets[256]; /* by byte: the sets that it is in */
    """
    uint8_t[256] sets "xccos_sets"

# Sets of characters, as bits of ``sets``.
cdef enum:
    IN_TOKEN = 1  # token of RFC 3261 25.1
    IN_REQUEST_URI = 2  # what REQUEST_LINE_RE allows, without what is not ASCII
    IN_REASON = 4  # TEXT, with what is not ASCII
    IN_ADDRESS = 8  # the URI of _PLAIN_ADDRESS
    IN_PARAMETERS = 16  # header parameters that are neither quoted nor spaced
    IN_BRANCH = 32  # the value of _BRANCH


cdef inline void fill_sets():
    """Fill ``sets``; each module that looks into it does so when it is imported."""
    cdef int byte
    token = b"-.!%*_+`'~"
    for byte in range(256):
        shown = 0x21 <= byte <= 0x7E
        sets[byte] = (
            IN_TOKEN * (bytes((byte,)).isalnum() or byte in token)
            | IN_REQUEST_URI * (shown and byte not in b"<>")
            | IN_REASON * (byte >= 0x20 and byte != 0x7F or byte == 9)
            | IN_ADDRESS * (shown and byte not in b'<>"')
            | IN_PARAMETERS * (shown and byte != 34)
            | IN_BRANCH * (shown and byte not in b'",;')
        )


cdef inline Py_ssize_t run(Span span, Py_ssize_t at, uint8_t in_set) noexcept nogil:
    """Return where a run of characters of a set ends."""
    while at < span.size and sets[span.data[at]] & in_set:
        at += 1
    return at


cdef inline bint spells(const uint8_t *data, const char *letters) noexcept nogil:
    """Tell whether four bytes are four letters, given in lower case, in any case.

    The case is folded by setting a bit, which also makes "-" of CR: a line holds none.
    """
    cdef uint32_t read, wanted
    memcpy(&read, data, 4)
    memcpy(&wanted, letters, 4)
    return read | 0x20202020 == wanted
