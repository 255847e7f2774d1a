# Which bytes of a body may mean something to XML, found 64 at a time; for ``markup``.

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #if defined(__SSE2__)
    #include <emmintrin.h> /* of every x86-64 */
    #endif

    /* Names of up to eight letters as numbers, the first letter lowest. */
    #define XCCOS_NAME(a, b, c, d, e, f, g, h) \\
        ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 | \\
         (uint64_t)(e) << 32 | (uint64_t)(f) << 40 | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)
    #define XCCOS_KEY_ID XCCOS_NAME('i', 'd', 0, 0, 0, 0, 0, 0)
    #define XCCOS_KEY_CODE XCCOS_NAME('c', 'o', 'd', 'e', 0, 0, 0, 0)
    #define XCCOS_KEY_RESP XCCOS_NAME('r', 'e', 's', 'p', 0, 0, 0, 0)
    #define XCCOS_KEY_SEQID XCCOS_NAME('s', 'e', 'q', 'i', 'd', 0, 0, 0)
    #define XCCOS_KEY_ENVID XCCOS_NAME('e', 'n', 'v', 'i', 'd', 0, 0, 0)
    #define XCCOS_KEY_XCCOS XCCOS_NAME('x', 'c', 'c', 'o', 's', 0, 0, 0)
    #define XCCOS_KEY_XML XCCOS_NAME('x', 'm', 'l', 0, 0, 0, 0, 0)
    #define XCCOS_KEY_XMLNS XCCOS_NAME('x', 'm', 'l', 'n', 's', 0, 0, 0)
    #define XCCOS_KEY_GRPCHAT XCCOS_NAME('g', 'r', 'p', 'c', 'h', 'a', 't', 0)
    #define XCCOS_KEY_COMMANDI XCCOS_NAME('c', 'o', 'm', 'm', 'a', 'n', 'd', 'i')

    static const uint8_t xccos_nothing[1] = {0};

    #define XCCOS_ALL(byte) (UINT64_C(0x0101010101010101) * (uint64_t)(byte))

    static inline uint64_t xccos_eight(const uint8_t *at) {
        return XCCOS_NAME(at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7]);
    }

    /* The number of the lowest bit that is set; there is one. */
    static inline unsigned xccos_lowest(uint64_t bits) {
    #if defined(__GNUC__) || defined(__clang__)
        return (unsigned)__builtin_ctzll(bits);
    #else
        unsigned found = 0;
        while (!(bits & 1)) { bits >>= 1; found++; }
        return found;
    #endif
    }

    /* The highest bit of each of eight bytes that no name may contain. Sums do not carry from byte
       to byte below the first byte that is not ASCII, and that one is marked. */
    static inline uint64_t xccos_not_name(uint64_t w) {
        uint64_t lower = w | XCCOS_ALL(0x20);
        uint64_t letter = (lower + XCCOS_ALL(0x80 - 'a')) & ~(lower + XCCOS_ALL(0x80 - '{'));
        uint64_t digit = (w + XCCOS_ALL(0x80 - '-')) & ~(w + XCCOS_ALL(0x80 - ':'))
            & ((w ^ XCCOS_ALL('/')) + XCCOS_ALL(0x7F));
        uint64_t line = ~((w ^ XCCOS_ALL('_')) + XCCOS_ALL(0x7F));
        return (~(letter | digit | line) | w) & XCCOS_ALL(0x80);
    }

    /* A bit for each of 64 bytes that may mean something: < > & " ' controls, and no ASCII. */
    #if defined(__SSE2__)
    static inline uint64_t xccos_marks_16(const uint8_t *at) {
        __m128i v = _mm_loadu_si128((const __m128i *)at);
        __m128i marks = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)); /* signed: above 0x7F too */
        __m128i angle = _mm_or_si128(v, _mm_set1_epi8('<' ^ '>'));
        __m128i single = _mm_or_si128(v, _mm_set1_epi8('&' ^ 0x27));
        marks = _mm_or_si128(marks, _mm_cmpeq_epi8(angle, _mm_set1_epi8('>')));
        marks = _mm_or_si128(marks, _mm_cmpeq_epi8(single, _mm_set1_epi8(0x27)));
        marks = _mm_or_si128(marks, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        return (uint64_t)(uint32_t)_mm_movemask_epi8(marks);
    }
    static inline uint64_t xccos_marks(const uint8_t *at) {
        return xccos_marks_16(at) | xccos_marks_16(at + 16) << 16
            | xccos_marks_16(at + 32) << 32 | xccos_marks_16(at + 48) << 48;
    }
    #else
    static inline uint64_t xccos_marks(const uint8_t *at) {
        uint64_t found = 0, w, low, plain;
        for (unsigned k = 0; k < 8; k++) {
            w = xccos_eight(at + 8 * k);
            low = w & XCCOS_ALL(0x7F); /* so that sums do not carry from byte to byte */
            plain = (low + XCCOS_ALL(0x60)) & ((low ^ XCCOS_ALL('"')) + XCCOS_ALL(0x7F))
                & (((low | XCCOS_ALL('<' ^ '>')) ^ XCCOS_ALL('>')) + XCCOS_ALL(0x7F))
                & (((low | XCCOS_ALL('&' ^ 0x27)) ^ XCCOS_ALL(0x27)) + XCCOS_ALL(0x7F));
            w = ((~plain | w) & XCCOS_ALL(0x80)) >> 7;
            found |= ((w * UINT64_C(0x0102040810204080)) >> 56) << (8 * k);
        }
        return found;
    }
    #endif
    """
    const uint64_t KEY_ID "XCCOS_KEY_ID"
    const uint64_t KEY_CODE "XCCOS_KEY_CODE"
    const uint64_t KEY_RESP "XCCOS_KEY_RESP"
    const uint64_t KEY_SEQID "XCCOS_KEY_SEQID"
    const uint64_t KEY_ENVID "XCCOS_KEY_ENVID"
    const uint64_t KEY_XCCOS "XCCOS_KEY_XCCOS"
    const uint64_t KEY_XML "XCCOS_KEY_XML"
    const uint64_t KEY_XMLNS "XCCOS_KEY_XMLNS"
    const uint64_t KEY_GRPCHAT "XCCOS_KEY_GRPCHAT"
    const uint64_t KEY_COMMANDI "XCCOS_KEY_COMMANDI"
    const uint8_t *NOTHING "xccos_nothing"
    uint64_t eight "xccos_eight"(const uint8_t *at) noexcept nogil
    unsigned lowest "xccos_lowest"(uint64_t bits) noexcept nogil
    uint64_t not_name "xccos_not_name"(uint64_t word) noexcept nogil
    uint64_t marks_of "xccos_marks"(const uint8_t *at) noexcept nogil


cdef inline bint is_space(uint8_t c) noexcept nogil:
    return c == c" " or c == c"\n" or c == c"\r" or c == c"\t"


# The marks of a body that were not passed yet: positions do not depend on what stands between them,
# so that the processor goes on to the next while it still looks at the bytes before the last
cdef struct Marks:
    const uint8_t *body
    Py_ssize_t size
    Py_ssize_t at  # of a block of 64 bytes
    uint64_t bits  # its marks


cdef inline uint64_t marks_of_last(
    const uint8_t *body, Py_ssize_t at, Py_ssize_t size
) noexcept nogil:
    """Return the marks of a block that the body does not fill."""
    cdef uint8_t[64] block
    if size >= 64:
        return marks_of(body + size - 64) >> (64 - (size - at))
    memset(block, c" ", 64)
    memcpy(block, body + at, <size_t>(size - at))
    return marks_of(block)


cdef inline uint64_t marks_at(const uint8_t *body, Py_ssize_t at, Py_ssize_t size) noexcept nogil:
    if size - at >= 64:
        return marks_of(body + at)
    return marks_of_last(body, at, size) if at < size else 0


cdef inline void begin_marks(Marks *marks, const uint8_t *body, Py_ssize_t size) noexcept nogil:
    marks.body, marks.size, marks.at = body, size, 0
    marks.bits = marks_at(body, 0, size)


cdef inline const uint8_t *next_mark(Marks *marks) noexcept nogil:
    """Return the next mark; behind the last one a NUL, which has no place in a document."""
    cdef unsigned bit
    while marks.bits == 0:
        marks.at += 64
        if marks.at >= marks.size:
            return NOTHING
        marks.bits = marks_at(marks.body, marks.at, marks.size)
    bit = lowest(marks.bits)
    marks.bits &= marks.bits - 1
    return marks.body + marks.at + bit


cdef inline const uint8_t *next_in_tag(Marks *marks) noexcept nogil:
    """Return the next mark but white space."""
    cdef const uint8_t *at = next_mark(marks)
    while is_space(at[0]):
        at = next_mark(marks)
    return at


cdef inline void pass_marks(Marks *marks, const uint8_t *to) noexcept nogil:
    """Pass over the marks before a place that is not before the last mark."""
    cdef Py_ssize_t ahead = to - marks.body - marks.at
    if ahead >= 64:
        marks.at += ahead & ~63
        marks.bits = marks_at(marks.body, marks.at, marks.size)
    marks.bits &= ~<uint64_t>0 << (ahead & 63)
