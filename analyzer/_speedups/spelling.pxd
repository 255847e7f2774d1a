# Text being written: a block of bytes that grows, and JSON strings in it.
#
# The rule: whoever writes asks for room first; nothing here looks at bytes behind the input's end.
# JSON is ASCII only, exactly as ``json.encoder.encode_basestring_ascii`` writes it.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from "Python.h":
    int _PyBytes_Resize(PyObject **block, Py_ssize_t size) except -1

cdef extern from *:
    """
    /* Copy up to XCCOS_STEP bytes; return how many stand before the first that JSON escapes (quote,
       backslash, anything but printable ASCII). Reads and writes XCCOS_STEP bytes. */
    #if defined(__SSE2__) && defined(__GNUC__)
    #include <emmintrin.h>
    #define XCCOS_STEP 16
    static inline int xccos_copy_plain(char *to, const unsigned char *data) {
        const __m128i block = _mm_loadu_si128((const __m128i *)data);
        /* As signed numbers, what is not ASCII is below the blank too. */
        const __m128i odd = _mm_or_si128(
            _mm_or_si128(_mm_cmplt_epi8(block, _mm_set1_epi8(0x20)),
                         _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f))),
            _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8(0x22)),
                         _mm_cmpeq_epi8(block, _mm_set1_epi8(0x5c))));
        const unsigned marks = (unsigned)_mm_movemask_epi8(odd);
        _mm_storeu_si128((__m128i *)to, block);
        return marks ? __builtin_ctz(marks) : 16;
    }
    #elif defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    #define XCCOS_STEP 8
    static inline int xccos_copy_plain(char *to, const unsigned char *data) {
        const uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
        uint64_t x, quote, slash, del, marks;
        memcpy(&x, data, 8);
        memcpy(to, &x, 8);
        quote = x ^ (ones * 0x22);
        slash = x ^ (ones * 0x5c);
        del = x ^ (ones * 0x7f);
        marks = ((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)
            | ((del - ones) & ~del) | x;
        marks &= high; /* the lowest mark of each test is exact */
        return marks ? __builtin_ctzll(marks) >> 3 : 8;
    }
    #else
    #define XCCOS_STEP 0
    static inline int xccos_copy_plain(char *to, const unsigned char *data) { return 0; }
    #endif
    """
    int XCCOS_STEP
    int xccos_copy_plain(char *to, const uint8_t *data) noexcept nogil


cdef struct Out:
    PyObject *block  # a bytes object that nobody else has
    char *data
    Py_ssize_t used
    Py_ssize_t room


cdef enum:
    SLICE = 2048  # bytes of input that room is asked for at a time: at most six for one, and slack


cdef inline int open_block(Out *out, Py_ssize_t room) except -1:
    cdef object block = PyBytes_FromStringAndSize(NULL, room)
    out.block = <PyObject *>block
    out.data = PyBytes_AS_STRING(block)
    out.used, out.room = 0, room
    Py_INCREF(block)
    return 0


cdef inline void drop_block(Out *out) noexcept:
    Py_XDECREF(out.block)
    out.block = NULL
    out.used = out.room = 0


cdef inline object close_block(Out *out):
    """Return what was written; there is no block afterwards."""
    _PyBytes_Resize(&out.block, out.used)
    cdef object done = <object>out.block
    drop_block(out)
    return done


cdef inline int ask(Out *out, Py_ssize_t more) except -1:
    """See to room for so many further bytes."""
    cdef Py_ssize_t room
    if out.room - out.used >= more:
        return 0
    room = out.room + out.room // 2
    if room < out.used + more:
        room = out.used + more
    if _PyBytes_Resize(&out.block, room) < 0:
        out.used = out.room = 0
        return -1
    out.data = PyBytes_AS_STRING(<object>out.block)
    out.room = room
    return 0


cdef inline int put(Out *out, const void *data, Py_ssize_t size) except -1:
    """Write bytes as they are."""
    ask(out, size)
    memcpy(out.data + out.used, data, <size_t>size)
    out.used += size
    return 0


cdef inline int put_bytes(Out *out, bytes text) except -1:
    return put(out, PyBytes_AS_STRING(text), len(text))


cdef inline int put_number(Out *out, int64_t number) except -1:
    """Write a whole number in decimal."""
    cdef char digits[24]
    cdef int at = 24
    cdef uint64_t left = <uint64_t>number
    if number < 0:
        left = 0 - left
    while True:
        at -= 1
        digits[at] = <char>(48 + left % 10)
        left //= 10
        if left == 0:
            break
    if number < 0:
        at -= 1
        digits[at] = 45
    return put(out, digits + at, 24 - at)


cdef inline int utf8_size(const uint8_t *at, const uint8_t *end) noexcept nogil:
    """Return the bytes of the character that begins here, 2 to 4; 0 where there is none.

    Strict, as Python is: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629 4).
    """
    cdef uint8_t first = at[0]
    if first < 0xC2 or first > 0xF4 or end - at < 2 or at[1] & 0xC0 != 0x80:
        return 0
    if first < 0xE0:
        return 2
    if end - at < 3 or at[2] & 0xC0 != 0x80:
        return 0
    if first < 0xF0:
        if (first == 0xE0 and at[1] < 0xA0) or (first == 0xED and at[1] > 0x9F):
            return 0
        return 3
    if end - at < 4 or at[3] & 0xC0 != 0x80:
        return 0
    if (first == 0xF0 and at[1] < 0x90) or (first == 0xF4 and at[1] > 0x8F):
        return 0
    return 4


cdef inline char *put_unit(char *to, uint32_t unit) noexcept nogil:
    """Write one UTF-16 code unit as ``\\uXXXX``."""
    cdef const char *hex_digits = b"0123456789abcdef"
    to[0] = 92
    to[1] = 117
    to[2] = hex_digits[(unit >> 12) & 15]
    to[3] = hex_digits[(unit >> 8) & 15]
    to[4] = hex_digits[(unit >> 4) & 15]
    to[5] = hex_digits[unit & 15]
    return to + 6


cdef inline char *put_escaped(char *to, uint32_t character) noexcept nogil:
    """Write a character that JSON does not take as it is."""
    cdef char letter
    if character == 34 or character == 92:
        letter = <char>character
    elif character == 10:
        letter = 110
    elif character == 13:
        letter = 114
    elif character == 9:
        letter = 116
    elif character == 8:
        letter = 98
    elif character == 12:
        letter = 102
    elif character >= 0x10000:
        to = put_unit(to, 0xD800 + ((character - 0x10000) >> 10))
        return put_unit(to, 0xDC00 + ((character - 0x10000) & 0x3FF))
    else:
        return put_unit(to, character)
    to[0] = 92
    to[1] = letter
    return to + 2


cdef inline uint32_t utf8_value(const uint8_t *at, int size) noexcept nogil:
    """Return the character that ``utf8_size`` measured."""
    if size == 2:
        return (<uint32_t>(at[0] & 0x1F) << 6) | (at[1] & 0x3F)
    if size == 3:
        return (
            (<uint32_t>(at[0] & 0x0F) << 12) | (<uint32_t>(at[1] & 0x3F) << 6) | (at[2] & 0x3F)
        )
    return (
        (<uint32_t>(at[0] & 0x07) << 18) | (<uint32_t>(at[1] & 0x3F) << 12)
        | (<uint32_t>(at[2] & 0x3F) << 6) | (at[3] & 0x3F)
    )


cdef inline int put_json(Out *out, const uint8_t *data, Py_ssize_t size) except -1:
    """Write UTF-8 as the inside of a JSON string; return 0 (a part is written) where it is none."""
    cdef const uint8_t *at = data
    cdef const uint8_t *end = data + size
    cdef const uint8_t *limit
    cdef char *to
    cdef int count
    while at < end:
        limit = at + SLICE if end - at > SLICE else end
        ask(out, 6 * (limit - at) + 32)
        to = out.data + out.used
        while at < limit:
            if XCCOS_STEP and end - at >= XCCOS_STEP:
                count = xccos_copy_plain(to, at)
                to += count
                at += count
                if count == XCCOS_STEP or at >= limit:
                    continue
            if 32 <= at[0] < 127 and at[0] != 34 and at[0] != 92:
                to[0] = <char>at[0]
                to += 1
                at += 1
            elif at[0] < 128:
                to = put_escaped(to, at[0])
                at += 1
            else:
                count = utf8_size(at, end)
                if count == 0:
                    return 0
                to = put_escaped(to, utf8_value(at, count))
                at += count
        out.used = to - out.data
    return 1
