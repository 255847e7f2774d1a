"""The header values that a row needs, taken from a message head where it lies.

The twin of ``dissectors.sip.scan``. The rule: what is written as nearly everybody writes it is read
here; a value that is written in another way is read by the reference, and so is the whole head when
its lines are unusual (folds, bare CR or LF, headers that contradict one another).

The headers are read in two steps: first the lines are cut and the values found, which keeps
nothing; then the values are read. So of a head that is referred only its start line was kept.
"""

from libc.limits cimport INT_MAX
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from dissectors._speedups.lines cimport (
    cut, find, is_ascii, is_blank, is_utf8, strip, xccos_colon, xccos_ends,
)
from dissectors._speedups.strings cimport Span, Strings

from dissectors import notes as _notes
from dissectors._speedups.strings import CSeqs
from dissectors.sip import parse as _parse
from dissectors.sip import scan as _scan
from dissectors.sip.grammar import COMPACT_NAMES as _COMPACT_NAMES

# Slots of the values that are collected, as in the reference.
cdef enum:
    OTHER, CALL_ID, CSEQ, FROM, TO, TYPE, LENGTH, FORWARDS, VIA
    SLOT = 15
    COMPACT_FORM = 16

# Sets of characters, as bits of ``sets``.
cdef enum:
    IN_TOKEN = 1  # token of RFC 3261 25.1
    IN_REQUEST_URI = 2  # what REQUEST_LINE_RE allows, without what is not ASCII
    IN_REASON = 4  # TEXT, with what is not ASCII
    IN_ADDRESS = 8  # the URI of _PLAIN_ADDRESS
    IN_PARAMETERS = 16  # header parameters that are neither quoted nor spaced
    IN_BRANCH = 32  # the value of _BRANCH

# The common ways to write a number: those of more digits are read by the reference.
cdef enum:
    MAX_DIGITS = 18

cdef uint32_t NOT_UTF8 = _notes.NOT_UTF8, BAD_HEADER = _notes.BAD_HEADER
cdef uint32_t COMPACT = _notes.COMPACT, MISSING_HEADER = _notes.MISSING_HEADER
cdef uint32_t CSEQ_MISMATCH = _notes.CSEQ_MISMATCH, BAD_LENGTH = _notes.BAD_LENGTH
cdef Py_ssize_t MAX_LINES = _parse.MAX_HEADERS  # of a head, as in the reference

cdef uint8_t[256] sets
cdef uint8_t[256] letters  # slot of a name of one letter
cdef uint32_t[4][256] crcs


cdef void fill_sets():
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
        name = chr(byte).lower() if byte < 128 else ""
        if name in _COMPACT_NAMES:
            letters[byte] = COMPACT_FORM | _scan._SLOTS.get(name, OTHER)


cdef void fill_crcs():
    """Fill the tables of CRC-32 (that of zlib), four bytes a step."""
    cdef uint32_t byte, value
    cdef int k
    for byte in range(256):
        value = byte
        for k in range(8):
            value = (value >> 1) ^ (<uint32_t>0xEDB88320 if value & 1 else <uint32_t>0)
        crcs[0][byte] = value
    for k in range(1, 4):
        for byte in range(256):
            value = crcs[k - 1][byte]
            crcs[k][byte] = crcs[0][value & 0xFF] ^ (value >> 8)


fill_sets()
fill_crcs()


cdef uint32_t crc32(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    cdef uint32_t value = ~(<uint32_t>0)
    while size >= 4:
        value ^= (
            <uint32_t>data[0] | <uint32_t>data[1] << 8
            | <uint32_t>data[2] << 16 | <uint32_t>data[3] << 24
        )
        value = (
            crcs[3][value & 0xFF] ^ crcs[2][value >> 8 & 0xFF]
            ^ crcs[1][value >> 16 & 0xFF] ^ crcs[0][value >> 24]
        )
        data += 4
        size -= 4
    while size > 0:
        value = crcs[0][(value ^ data[0]) & 0xFF] ^ (value >> 8)
        data += 1
        size -= 1
    return ~value


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


cdef inline int slot_of(Span name) noexcept nogil:
    """Return the slot of a header name, in any case; with COMPACT_FORM where it is such."""
    cdef const uint8_t *data = name.data
    if name.size == 1:
        return letters[data[0]]
    elif name.size == 2:
        if data[0] | 0x20 == 116 and data[1] | 0x20 == 111:
            return TO
    elif name.size == 3:
        if data[0] | 0x20 == 118 and data[1] | 0x20 == 105 and data[2] | 0x20 == 97:
            return VIA
    elif name.size == 4:
        if spells(data, b"from"):
            return FROM
        if spells(data, b"cseq"):
            return CSEQ
    elif name.size == 7:
        if spells(data, b"call") and spells(data + 3, b"l-id"):
            return CALL_ID
    elif name.size == 12:
        if spells(data, b"cont"):
            if spells(data + 4, b"ent-") and spells(data + 8, b"type"):
                return TYPE
        elif spells(data, b"max-"):
            if spells(data + 4, b"forw") and spells(data + 8, b"ards"):
                return FORWARDS
    elif name.size == 14:
        if (
            spells(data, b"cont") and spells(data + 4, b"ent-")
            and spells(data + 8, b"leng") and spells(data + 10, b"ngth")
        ):
            return LENGTH
    return OTHER


cdef inline int64_t clamped(object number) except? -1:
    return INT64_MAX if number > INT64_MAX else number


cdef class HeadScanner:
    """Scan heads one after another; what is remembered of lines changes no answer."""

    def __cinit__(self, Strings strings=None, Strings cseqs=None):
        self.ends = <uint32_t *>malloc(<size_t>MAX_LINES * sizeof(uint32_t))
        if self.ends == NULL:
            raise MemoryError
        self.strings = Strings() if strings is None else strings
        self.cseqs = CSeqs() if cseqs is None else cseqs
        self.reference = _scan.HeadScanner(self.strings, self.cseqs)
        self.remembered = self.reference._values

    def __dealloc__(self):
        free(self.ends)

    def scan(self, bytes head not None):
        """Return the values of a head, given without its blank line; None without a start line."""
        cdef Head found
        if not self.scan_head(head, len(head), &found):
            return None
        return _scan.Head(
            found.method, found.status, found.reason, found.uri, found.call_id, found.cseq,
            found.from_uri, found.from_tag, found.to_uri, found.to_tag, found.content_type,
            None if found.content_length < 0 else found.content_length,
            found.branch, found.vias, found.notes,
        )

    def text(self, uint32_t kept):
        """Return a string of a ``Head``; empty where it is absent."""
        return self.strings.value(kept) or ""

    def is_start(self, bytes line not None):
        """Tell whether a line (without its end) is a start line."""
        return self.is_start_line(line, len(line))

    cdef bint is_start_line(self, const uint8_t *line, Py_ssize_t size) except -1:
        cdef Head head
        return self.read_start(cut(line, size), not is_utf8(line, size), &head)

    cdef int scan_head(self, const uint8_t *data, Py_ssize_t size, Head *head) except -1:
        cdef int high = 0
        cdef Py_ssize_t lines
        cdef Values found
        lines = -1
        if size <= INT_MAX:
            # The last line has no end here: one less than there are lines.
            lines = xccos_ends(data, <size_t>size, self.ends, <size_t>MAX_LINES - 1, &high)
        if lines < 0 or size == 0 or (lines and self.ends[lines - 1] + 2 == size):
            return self.refer(data, size, head)
        self.ends[lines] = <uint32_t>size
        found.latin = high and not is_utf8(data, size)
        if not self.read_start(cut(data, self.ends[0]), found.latin, head):
            return 0
        memset(&found.first, 0, sizeof(found.first))
        found.vias = 0
        found.notes = NOT_UTF8 if found.latin else 0
        if not self.collect(data, lines, high, &found):
            return self.refer(data, size, head)
        self.read_values(&found, head)
        return 1

    cdef int refer(self, const uint8_t *data, Py_ssize_t size, Head *head) except -1:
        """Have the whole head scanned by the reference."""
        found = self.reference.scan(data[:size])
        if found is None:
            return 0
        (
            head.method, status, head.reason, head.uri, head.call_id, head.cseq, head.from_uri,
            head.from_tag, head.to_uri, head.to_tag, head.content_type, length, head.branch,
            head.vias, head.notes,
        ) = found
        head.status = clamped(status)
        head.content_length = -1 if length is None else clamped(length)
        return 1

    cdef object learnt(self, int slot, Span value):
        """Return what the reference reads in a value."""
        raw = value.data[:value.size]
        found = (<dict>self.remembered[slot]).get(raw)
        if found is None:
            found = self.reference._value(slot, raw)
        return found[0]

    cdef int read_start(self, Span line, bint latin, Head *head) except -1:
        """Read a start line: 1, or 0 when it is none."""
        cdef int read = 0
        if line.size >= 12 and memcmp(line.data, b"SIP/2.0 ", 8) == 0:
            read = self.read_status_line(line, latin, head)
        elif line.size >= 11 and memcmp(
            line.data + line.size - 8, b" SIP/2.0", 8
        ) == 0:
            read = self.read_request_line(line, head)
        if read:
            return 1
        start = self.reference._start(line.data[:line.size])
        if start is None:
            return 0
        method, status, head.reason, head.uri, head.notes = start
        head.method = method or 0
        head.status = clamped(status)
        return 1

    cdef int read_status_line(self, Span line, bint latin, Head *head) except -1:
        """Read SIP/2.0 SP 3DIGIT SP Reason-Phrase (RFC 3261 7.2); 0 when it is not that."""
        cdef int k, status = 0
        cdef Span reason = cut(line.data + 12, line.size - 12)
        for k in range(8, 11):
            if not 48 <= line.data[k] <= 57:
                return 0
            status = 10 * status + (line.data[k] - 48)
        if line.data[11] != 32 or run(reason, 0, IN_REASON) != reason.size:
            return 0
        if latin and not is_ascii(reason):
            return 0
        reason = strip(reason)
        head.method = head.uri = head.notes = 0
        head.status = status
        head.reason = self.strings.id_of(reason.data, reason.size)
        return 1

    cdef int read_request_line(self, Span line, Head *head) except -1:
        """Read Method SP Request-URI SP SIP/2.0 (RFC 3261 7.1); 0 when it is not that."""
        cdef Py_ssize_t method = run(line, 0, IN_TOKEN), end = line.size - 8
        if method == 0 or method + 1 >= end or line.data[method] != 32:
            return 0
        if run(line, method + 1, IN_REQUEST_URI) != end:
            return 0
        head.status = -1
        head.reason = head.notes = 0
        head.method = self.strings.id_of(line.data, method)
        head.uri = self.strings.id_of(line.data + method + 1, end - method - 1)
        return 1

    cdef int collect(
        self, const uint8_t *data, Py_ssize_t lines, bint high, Values *found
    ) except -1:
        """Find the values of a head; 0 when the reference must look at its lines."""
        cdef Py_ssize_t k, colon, size
        cdef const uint8_t *line
        cdef const uint8_t *end = data + self.ends[lines]
        cdef Span name, value
        cdef int slot
        for k in range(lines):
            line = data + self.ends[k] + 2
            size = data + self.ends[k + 1] - line
            if size and is_blank(line[0]):
                return 0  # the line before goes on here
            colon = xccos_colon(line, <size_t>size, <size_t>(end - line))
            if colon <= 0:
                found.notes |= BAD_HEADER
                continue
            name = cut(line, colon)
            if is_blank(line[colon - 1]):
                name = strip(name)
            if high and not is_ascii(name):
                return 0  # the lower case of some letters is ASCII
            slot = slot_of(name)
            if slot == OTHER:
                continue
            if slot & COMPACT_FORM:
                found.notes |= COMPACT
                slot &= SLOT
                if slot == OTHER:
                    continue
            value = cut(line + colon + 1, size - colon - 1)
            if slot == VIA:
                self.add_via(value, found)
                continue
            value = strip(value)
            if found.first[slot].data == NULL:
                found.first[slot] = value
            elif (
                found.first[slot].size != value.size
                or memcmp(found.first[slot].data, value.data, <size_t>value.size) != 0
            ):
                return 0
        return 1

    cdef int add_via(self, Span text, Values *found) except -1:
        """Count the values of a Via line (RFC 3261 7.3.1), one at least."""
        cdef Py_ssize_t at = find(text, 0, 44), end, parts = 0
        found.vias += 1
        if found.first[VIA].data == NULL:
            found.first[VIA] = text
        if at == text.size:
            return 0
        if find(text, 0, 34) < text.size or find(text, 0, 60) < text.size:
            # A comma may stand in quotes or brackets.
            found.vias += _scan._further_vias(_scan._text(text.data[:text.size]))
            return 0
        at = 0
        while at < text.size:
            end = find(text, at, 44)
            parts += strip(cut(text.data + at, end - at)).size > 0
            at = end + 1
        found.vias += parts - 1 if parts > 1 else 0
        return 0

    cdef uint32_t keep(self, Span value, bint latin, int slot) except? 0:
        """Return the number of the text of a value; 0 where it is absent."""
        if value.data == NULL:
            return 0
        if latin and not is_ascii(value):
            return self.learnt(slot, value)
        return self.strings.id_of(value.data, value.size)

    cdef int read_values(self, Values *found, Head *head) except -1:
        cdef uint32_t notes = found.notes
        cdef Span *first = found.first
        head.call_id = self.keep(first[CALL_ID], found.latin, CALL_ID)
        head.content_type = self.keep(first[TYPE], found.latin, TYPE)
        self.read_address(found, FROM, &head.from_uri, &head.from_tag)
        self.read_address(found, TO, &head.to_uri, &head.to_tag)
        if (
            first[CALL_ID].data == NULL or first[CSEQ].data == NULL or first[FROM].data == NULL
            or first[TO].data == NULL or first[VIA].data == NULL
        ):
            notes |= MISSING_HEADER
        head.notes |= notes
        self.read_cseq(found, head)
        self.read_length(found, head)
        head.branch = self.branch_of(first[VIA])
        head.vias = <uint32_t>found.vias
        return 0

    cdef int read_cseq(self, Values *found, Head *head) except -1:
        """Read CSeq, and what it says of the method (RFC 3261 8.1.1.5)."""
        cdef Span value = found.first[CSEQ]
        cdef Py_ssize_t digits = 0, k
        cdef uint32_t method = 0
        head.cseq = 0
        if value.data == NULL:
            return 0
        while digits < value.size and 48 <= value.data[digits] <= 57:
            digits += 1
        k = run(value, digits + 1, IN_TOKEN)
        if (
            0 < digits <= MAX_DIGITS and digits + 1 < k == value.size and value.data[digits] == 32
            and (value.data[0] != 48 or digits == 1)
        ):
            # As the table writes it: a number without leading zeros, one space, the method.
            head.cseq = self.cseqs.id_of(value.data, value.size)
            method = self.strings.id_of(value.data + digits + 1, value.size - digits - 1)
        else:
            head.cseq, method = self.learnt(CSEQ, value)
        if head.status >= 0:
            head.method = method
        elif method and method != head.method:
            head.notes |= CSEQ_MISMATCH
        return 0

    cdef int read_address(
        self, Values *found, int slot, uint32_t *uri, uint32_t *tag
    ) except -1:
        """Read From or To: [ DQUOTE display DQUOTE ] < URI > *( ; parameter )."""
        cdef Span value = found.first[slot]
        cdef Py_ssize_t at = 0, end, start
        uri[0] = tag[0] = 0
        if value.data == NULL:
            return 0
        if value.size and value.data[0] == 34:
            at = find(value, 1, 34) + 1
            if find(value, 1, 92) < at:
                at = value.size  # an escape in the display name
            while at < value.size and is_blank(value.data[at]):
                at += 1
        start = at + 1
        end = run(value, start, IN_ADDRESS)
        if (
            end >= value.size or end == start or value.data[at] != 60 or value.data[end] != 62
            or (end + 1 < value.size and value.data[end + 1] != 59)
            or run(value, end + 1, IN_PARAMETERS) != value.size
        ):
            numbers = self.learnt(slot, value)
            uri[0], tag[0] = numbers
            return 0
        uri[0] = self.strings.id_of(value.data + start, end - start)
        at = end + 2
        while at < value.size:
            end = find(value, at, 59)
            # The first parameter of that name (RFC 3261 19.3); without "=" it has no value.
            if end - at >= 3 and is_tag(value.data + at, end - at):
                if end - at > 3:
                    tag[0] = self.strings.id_of(value.data + at + 4, end - at - 4)
                return 0
            at = end + 1
        return 0

    cdef int read_length(self, Values *found, Head *head) except -1:
        cdef Span value = found.first[LENGTH]
        cdef Py_ssize_t k
        head.content_length = -1
        if value.data == NULL:
            return 0
        cdef int64_t length = 0
        for k in range(value.size):
            if k == MAX_DIGITS or not 48 <= value.data[k] <= 57:
                break
            length = 10 * length + (value.data[k] - 48)
        else:
            if value.size:
                head.content_length = length
                return 0
        number = self.learnt(LENGTH, value)
        if number is None:
            head.notes |= BAD_LENGTH
        else:
            head.content_length = clamped(number)
        return 0

    cdef uint32_t branch_of(self, Span via) except? 0:
        """Return the hash of the branch of the first of some Via values; 0 without one."""
        cdef Py_ssize_t at = find(via, 0, 59), end
        while at + 8 <= via.size:
            if memcmp(via.data + at, b";branch=", 8) == 0:
                end = run(via, at + 8, IN_BRANCH)
                if end > at + 8 and (
                    end == via.size or via.data[end] == 59 or via.data[end] == 44
                ):
                    if find(via, 0, 34) < at:
                        break  # perhaps in a quoted string
                    return crc32(via.data + at + 8, end - at - 8)
            at = find(via, at + 1, 59)
        for at in range(via.size - 4):
            if via.data[at] | 0x20 == 114 and spells(via.data + at + 1, b"anch"):
                return _scan._branch(via.data[:via.size])
        return 0


cdef inline bint is_tag(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Tell whether a parameter is named tag."""
    return (
        data[0] | 0x20 == 116 and data[1] | 0x20 == 97 and data[2] | 0x20 == 103
        and (size == 3 or data[3] == 61)
    )
