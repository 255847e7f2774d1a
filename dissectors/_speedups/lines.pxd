# Bytes of a head where they lie: its lines, their text. All of it is inlined where it is used.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy

from dissectors._speedups.strings cimport Span


cdef extern from *:
    """
    #include <string.h>
    #if defined(__SSE2__) || defined(_M_X64)
    #include <emmintrin.h>
    #define XCCOS_BLOCK 16
    #endif
    #if defined(_MSC_VER) && !defined(__clang__)
    #include <intrin.h>
    static inline unsigned xccos_lowest(unsigned bits) {
        unsigned long at; _BitScanForward(&at, bits); return at;
    }
    #else
    static inline unsigned xccos_lowest(unsigned bits) { return (unsigned)__builtin_ctz(bits); }
    #endif

    /* Find the ends (the CR) of all lines but the last; -1 where a CR or LF stands alone or there
       are more than ``room``. ``high`` gets whether a byte is not ASCII. One pass for all three. */
    static inline Py_ssize_t xccos_ends(
        const uint8_t *data, size_t size, uint32_t *ends, size_t room, int *high
    ) {
        size_t at = 0, count = 0;
        unsigned after_cr = 0, any = 0;
    #ifdef XCCOS_BLOCK
        const __m128i cr = _mm_set1_epi8('\\r'), lf = _mm_set1_epi8('\\n');
        __m128i all = _mm_setzero_si128();
        for (; size - at >= 32; at += 32) {
            __m128i one = _mm_loadu_si128((const __m128i *)(data + at));
            __m128i two = _mm_loadu_si128((const __m128i *)(data + at + 16));
            unsigned crs = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(one, cr))
                | (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(two, cr)) << 16;
            unsigned lfs = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(one, lf))
                | (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(two, lf)) << 16;
            all = _mm_or_si128(all, _mm_or_si128(one, two));
            if (lfs != ((crs << 1) | after_cr)) return -1;
            after_cr = crs >> 31;
            for (; crs; crs &= crs - 1) {
                if (count == room) return -1;
                ends[count++] = (uint32_t)(at + xccos_lowest(crs));
            }
        }
        any = _mm_movemask_epi8(all) ? 0x80 : 0;
    #endif
        for (; at < size; at++) {
            any |= data[at];
            if ((data[at] == '\\n') != after_cr) return -1;
            after_cr = data[at] == '\\r';
            if (after_cr) {
                if (count == room) return -1;
                ends[count++] = (uint32_t)at;
            }
        }
        *high = (any & 0x80) != 0;
        return after_cr ? -1 : (Py_ssize_t)count;
    }

    /* Find the first colon of a line, from which ``left`` bytes can be read; -1 without one. Names
       are short: a call of memchr costs more than the search. */
    static inline Py_ssize_t xccos_colon(const uint8_t *line, size_t size, size_t left) {
        const uint8_t *found;
    #ifdef XCCOS_BLOCK
        if (left >= 16) {
            __m128i block = _mm_loadu_si128((const __m128i *)line);
            unsigned bits = (unsigned)_mm_movemask_epi8(
                _mm_cmpeq_epi8(block, _mm_set1_epi8(':')));
            if (bits) {
                unsigned at = xccos_lowest(bits);
                return at < size ? (Py_ssize_t)at : -1;
            }
            if (size <= 16) return -1;
        }
    #endif
        found = (const uint8_t *)memchr(line, ':', size);
        return found ? found - line : -1;
    }
    """
    Py_ssize_t xccos_ends(
        const uint8_t *data, size_t size, uint32_t *ends, size_t room, int *high
    ) noexcept nogil
    Py_ssize_t xccos_colon(const uint8_t *line, size_t size, size_t left) noexcept nogil


cdef inline bint is_blank(uint8_t byte) noexcept nogil:
    return byte == 32 or byte == 9


cdef inline Span cut(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    cdef Span span
    span.data, span.size = data, size
    return span


cdef inline Span strip(Span span) noexcept nogil:
    while span.size > 0 and is_blank(span.data[0]):
        span.data += 1
        span.size -= 1
    while span.size > 0 and is_blank(span.data[span.size - 1]):
        span.size -= 1
    return span


cdef inline Py_ssize_t find(Span span, Py_ssize_t at, uint8_t byte) noexcept nogil:
    """Return where a byte is; the size where there is none."""
    cdef const uint8_t *found = NULL
    if at < span.size:
        found = <const uint8_t *>memchr(span.data + at, byte, <size_t>(span.size - at))
    return span.size if found == NULL else found - span.data


cdef inline bint is_ascii(Span span) noexcept nogil:
    cdef Py_ssize_t k
    cdef uint8_t any = 0
    for k in range(span.size):
        any |= span.data[k]
    return any < 128


cdef inline bint is_utf8(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Tell whether ``bytes.decode`` takes it: table 3-7 of the Unicode standard."""
    cdef Py_ssize_t at = 0, more
    cdef uint8_t lead, low, high
    cdef uint64_t some
    while at < size:
        if size - at >= 8:
            memcpy(&some, data + at, 8)
            if not some & <uint64_t>0x8080808080808080:  # eight of ASCII
                at += 8
                continue
        lead = data[at]
        at += 1
        if lead < 0x80:
            continue
        if lead < 0xC2 or lead > 0xF4:
            return False
        more = 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3
        if more > size - at:
            return False
        # Only the second byte has narrower bounds: no overlong form, surrogate, or > U+10FFFF.
        low = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
        high = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
        while more > 0:
            if data[at] < low or data[at] > high:
                return False
            low, high = 0x80, 0xBF
            at += 1
            more -= 1
    return True
