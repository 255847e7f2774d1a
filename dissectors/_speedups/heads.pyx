"""The header values that a row needs, taken from a message head where it lies.

The twin of ``dissectors.sip.scan``. The rule: what is written as nearly everybody writes it is read
here; a value that is written in another way is read by the reference, and so is the whole head when
its lines are unusual (folds, bare CR or LF, headers that contradict one another).

The headers are read in two steps: first the lines are cut and the values found, which keeps
nothing; then the values are read. So of a head that is referred only its start line was kept.
"""

from libc.limits cimport INT_MAX
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memset

from dissectors._speedups.characters cimport (
    IN_REASON, IN_REQUEST_URI, IN_TOKEN, fill_sets, run, spells,
)
from dissectors._speedups.lines cimport (
    cut, find, is_ascii, is_blank, is_utf8, strip, xccos_colon, xccos_ends,
)
from dissectors._speedups.strings cimport Span
from dissectors._speedups.values cimport (
    CALL_ID, COMPACT_FORM, CSEQ, FORWARDS, FROM, LENGTH, OTHER, SLOT, TO, TYPE, VIA, Head,
    ValueReader, Values, clamped,
)

from dissectors import notes as _notes
from dissectors.sip import parse as _parse
from dissectors.sip import scan as _scan
from dissectors.sip.grammar import COMPACT_NAMES as _COMPACT_NAMES

cdef uint32_t NOT_UTF8 = _notes.NOT_UTF8, BAD_HEADER = _notes.BAD_HEADER
cdef uint32_t COMPACT = _notes.COMPACT
cdef Py_ssize_t MAX_LINES = _parse.MAX_HEADERS  # of a head, as in the reference

cdef uint8_t[256] letters  # slot of a name of one letter


cdef void fill_letters():
    cdef int byte
    for byte in range(128):
        name = chr(byte).lower()
        if name in _COMPACT_NAMES:
            letters[byte] = COMPACT_FORM | _scan._SLOTS.get(name, OTHER)


fill_sets()
fill_letters()


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


cdef class HeadScanner(ValueReader):
    """Scan heads one after another; what is remembered of lines changes no answer."""

    def __cinit__(self):
        self.ends = <uint32_t *>malloc(<size_t>MAX_LINES * sizeof(uint32_t))
        if self.ends == NULL:
            raise MemoryError

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
        cdef int found = self.read_start(cut(line, size), not is_utf8(line, size), &head)
        self.keep_wanted()
        return found

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
            self.keep_wanted()
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

    cdef int read_start(self, Span line, bint latin, Head *head) except -1:
        """Read a start line: 1, or 0 when it is none. Its strings are wanted, not yet kept."""
        cdef int read = 0
        self.wanting = 0  # after an exception some may be left
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
        self.want(reason.data, reason.size, &head.reason)
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
        self.want(line.data, method, &head.method)
        self.want(line.data + method + 1, end - method - 1, &head.uri)
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
