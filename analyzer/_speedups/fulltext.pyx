"""What is written straight from the bytes of a message: its headers, its body, a chat text.

The rule: only heads of plain CRLF lines are read here, in which every line end is CRLF, no line is
folded and every header has a name before a colon. There the parser (``dissectors.sip.parse``) has
nothing to decide; everything else is left to it.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from analyzer._speedups.readback cimport Message
from analyzer._speedups.spelling cimport Out, put, put_json, utf8_size

from dissectors.sip.parse import MAX_HEAD as _MAX_HEAD, MAX_HEADERS as _MAX_HEADERS

cdef Py_ssize_t MAX_HEAD = _MAX_HEAD
cdef Py_ssize_t MAX_HEADERS = _MAX_HEADERS

cdef enum:
    TAB = 9
    LF = 10
    CR = 13
    BLANK = 32
    SLASH = 47
    COLON = 58
    LESS = 60
    GREATER = 62


cdef inline bint is_blank(uint8_t byte) noexcept nogil:
    return byte == BLANK or byte == TAB


cdef inline Py_ssize_t line_size(const uint8_t *data, Py_ssize_t left) noexcept nogil:
    """Return the bytes before the CRLF that ends this line; -1 where it ends otherwise."""
    cdef const uint8_t *end = <const uint8_t *>memchr(data, CR, <size_t>left)
    if end == NULL or end - data + 1 >= left or end[1] != LF:
        return -1
    if memchr(data, LF, <size_t>(end - data)) != NULL:
        return -1
    return end - data


cdef bint is_plain_start(const uint8_t *line, Py_ssize_t size) noexcept nogil:
    """Say whether a line is a start line as RFC 3261 7.1 and 7.2 write it."""
    cdef Py_ssize_t k
    if size >= 12 and memcmp(line, b"SIP/2.0 ", 8) == 0:
        for k in range(8, 11):
            if line[k] < 48 or line[k] > 57:
                return False
        return line[11] == BLANK
    # Method SP Request-URI SP SIP-Version: two blanks, and printable ASCII between them.
    if size < 12 or memcmp(line + size - 8, b" SIP/2.0", 8) != 0 or line[0] == BLANK:
        return False
    cdef int blanks = 0
    for k in range(size - 8):
        if line[k] == BLANK:
            blanks += 1
        elif line[k] < 33 or line[k] > 126:
            return False
    # What begins with SIP/ is no method.
    return blanks == 1 and line[size - 9] != BLANK and line[3] != SLASH


cdef int cut_message(const Message *message, Parts *parts) noexcept nogil:
    cdef const uint8_t *data = message.data
    cdef Py_ssize_t at, count = 0, size = line_size(data, message.size)
    if size < 1 or size > MAX_HEAD or not is_plain_start(data, size):
        return 0
    parts.start_end = size
    at = size + 2
    while True:
        size = line_size(data + at, message.size - at)
        if size == 0:
            break
        count += 1
        if size < 0 or count > MAX_HEADERS or is_blank(data[at]):
            return 0
        at += size + 2
    parts.head_end = at
    parts.body = at + 2
    return at - parts.start_end - 2 <= MAX_HEAD


cdef int put_start_line(Out *out, const Message *message, const Parts *parts) except -1:
    put(out, b'"', 1)
    if not put_json(out, message.data, parts.start_end):
        return 0
    put(out, b'"', 1)
    return 1


cdef int put_headers(Out *out, const Message *message, const Parts *parts) except -1:
    cdef const uint8_t *at = message.data + parts.start_end + 2
    cdef const uint8_t *end = message.data + parts.head_end
    cdef const uint8_t *colon
    cdef const uint8_t *line_end
    cdef const uint8_t *name_end
    cdef const char *before = b'[{"name":"'
    cdef Py_ssize_t before_size = 10
    if at == end:
        put(out, b"[]", 2)
        return 1
    while at < end:
        line_end = <const uint8_t *>memchr(at, CR, <size_t>(end - at))
        colon = <const uint8_t *>memchr(at, COLON, <size_t>(line_end - at))
        if colon == NULL:
            return 0
        name_end = colon
        while name_end > at and is_blank((name_end - 1)[0]):
            name_end -= 1
        if name_end == at:
            return 0
        put(out, before, before_size)
        if not put_json(out, at, name_end - at):
            return 0
        put(out, b'","value":"', 11)
        at = line_end + 2
        colon += 1
        while line_end > colon and is_blank((line_end - 1)[0]):
            line_end -= 1
        while colon < line_end and is_blank(colon[0]):
            colon += 1
        if not put_json(out, colon, line_end - colon):
            return 0
        before, before_size = b'"},{"name":"', 12
    put(out, b'"}]', 3)
    return 1


cdef int put_body(Out *out, const Message *message, const Parts *parts) except -1:
    put(out, b'"', 1)
    if not put_json(out, message.data + parts.body, message.size - parts.body):
        return 0
    put(out, b'"', 1)
    return 1


cdef bint is_utf8(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    cdef const uint8_t *at = data
    cdef const uint8_t *end = data + size
    cdef uint64_t eight
    cdef int count
    while at < end:
        if end - at >= 8:
            memcpy(&eight, at, 8)
            if eight & 0x8080808080808080ULL == 0:
                at += 8
                continue
        if at[0] < 128:
            at += 1
            continue
        count = utf8_size(at, end)
        if count == 0:
            return False
        at += count
    return True


cdef const uint8_t *tag_end(const uint8_t *at, const uint8_t *end) noexcept nogil:
    """Return the ``<`` behind the tag that goes on here; NULL where text lies between."""
    cdef const uint8_t *less = <const uint8_t *>memchr(at, LESS, <size_t>(end - at))
    return less if less != NULL and less > at and (less - 1)[0] == GREATER else NULL


cdef inline bint begins(
    const uint8_t *at, const uint8_t *end, const char *text, Py_ssize_t size
) noexcept nogil:
    return end - at >= size and memcmp(at, text, <size_t>size) == 0


cdef int put_chat(
    Out *out, const Message *message, int64_t content_length, bint json
) except -1:
    # The pattern of analyzer.export.chats, by hand: <xccos ...><grpchat ...><chat>TEXT</chat>
    cdef const uint8_t *end = message.data + message.size
    cdef const uint8_t *at
    cdef const uint8_t *behind
    if content_length < 0 or content_length > message.size - 4:
        return 0
    at = end - content_length
    if memcmp(at - 4, b"\r\n\r\n", 4) != 0 or not begins(at, end, b"<xccos", 6):
        return 0
    at = tag_end(at + 6, end)
    if at == NULL or not begins(at, end, b"<grpchat", 8) or end - at < 10:
        return 0
    if at[8] != BLANK and (at[8] < 9 or at[8] > 13):  # as \s of a pattern for bytes
        return 0
    at = tag_end(at + 9, end)
    if at == NULL or not begins(at, end, b"<chat>", 6):
        return 0
    at += 6
    behind = <const uint8_t *>memchr(at, LESS, <size_t>(end - at))
    if behind == NULL or not begins(behind, end, b"</chat>", 7):
        return 0
    if memchr(at, CR, <size_t>(behind - at)) != NULL:  # XML makes it a line feed
        return 0
    return put_unescaped(out, at, behind - at, json)


cdef int put_unescaped(Out *out, const uint8_t *data, Py_ssize_t size, bint json) except -1:
    """Write XML text, inside a JSON string or as UTF-8; return 0 for references by number."""
    cdef const uint8_t *at = data
    cdef const uint8_t *end = data + size
    cdef const uint8_t *found
    if json:
        put(out, b'"', 1)
    while at < end:
        found = <const uint8_t *>memchr(at, 38, <size_t>(end - at))
        if found == NULL:
            found = end
        if json:
            if not put_json(out, at, found - at):
                return 0
        else:
            put(out, at, found - at)
        if found == end:
            break
        if begins(found, end, b"&#", 2):
            return 0
        at = put_reference(out, found, end, json)
        if at == NULL:
            return -1
    if json:
        put(out, b'"', 1)
    return 1


cdef const uint8_t *put_reference(
    Out *out, const uint8_t *at, const uint8_t *end, bint json
) except NULL:
    """Write what a reference of XML 1.0 4.6 stands for; return what follows it."""
    if begins(at, end, b"&lt;", 4):
        put(out, b"<", 1)
        return at + 4
    if begins(at, end, b"&gt;", 4):
        put(out, b">", 1)
        return at + 4
    if begins(at, end, b"&amp;", 5):
        put(out, b"&", 1)
        return at + 5
    if begins(at, end, b"&apos;", 6):
        put(out, b"'", 1)
        return at + 6
    if begins(at, end, b"&quot;", 6):
        put(out, b'\\"', 2) if json else put(out, b'"', 1)
        return at + 6
    put(out, b"&", 1)
    return at + 1
