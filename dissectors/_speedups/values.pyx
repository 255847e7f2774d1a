"""The values of a head: addresses, CSeq, Content-Length, the branch of the first Via; of ``heads``.

The rule: a value that is written as nearly everybody writes it is read here, any other one by the
reference (``dissectors.sip.scan``).
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcmp

from dissectors._speedups.characters cimport (
    IN_ADDRESS, IN_BRANCH, IN_PARAMETERS, IN_TOKEN, fill_sets, run, spells,
)
from dissectors._speedups.lines cimport find, is_ascii, is_blank
from dissectors._speedups.strings cimport Span, Strings

from dissectors import notes as _notes
from dissectors._speedups.strings import CSeqs
from dissectors.sip import scan as _scan

# The common ways to write a number: those of more digits are read by the reference.
cdef enum:
    MAX_DIGITS = 18

cdef uint32_t MISSING_HEADER = _notes.MISSING_HEADER
cdef uint32_t CSEQ_MISMATCH = _notes.CSEQ_MISMATCH, BAD_LENGTH = _notes.BAD_LENGTH

cdef uint32_t[4][256] crcs


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


cdef class ValueReader:
    """Reads the values of heads and keeps them in tables."""

    def __cinit__(self, Strings strings=None, Strings cseqs=None):
        self.strings = Strings() if strings is None else strings
        self.cseqs = CSeqs() if cseqs is None else cseqs
        self.reference = _scan.HeadScanner(self.strings, self.cseqs)
        self.remembered = self.reference._values

    cdef object learnt(self, int slot, Span value):
        """Return what the reference reads in a value."""
        raw = value.data[:value.size]
        found = (<dict>self.remembered[slot]).get(raw)
        if found is None:
            found = self.reference._value(slot, raw)
        return found[0]

    cdef void want(
        self, const uint8_t *data, Py_ssize_t size, uint32_t *number, bint pair=False
    ) noexcept:
        cdef Wanted *one = &self.wanted[self.wanting]
        self.wanting += 1
        one.data, one.size = data, size
        one.number, one.pair = number, pair
        if pair:
            one.hash = self.cseqs.ask_slot(data, size)
        else:
            one.hash = self.strings.ask_slot(data, size)

    cdef int keep_wanted(self) except -1:
        cdef Wanted *one
        cdef int k, count = self.wanting
        self.wanting = 0
        for k in range(count):
            one = &self.wanted[k]
            if one.pair:
                self.cseqs.ask_entry(one.hash)
            else:
                self.strings.ask_entry(one.hash)
        for k in range(count):
            one = &self.wanted[k]
            if one.pair:
                self.cseqs.ask_bytes(one.hash)
            else:
                self.strings.ask_bytes(one.hash)
        for k in range(count):
            one = &self.wanted[k]
            if one.pair:
                one.number[0] = self.cseqs.id_with(one.data, one.size, one.hash)
            else:
                one.number[0] = self.strings.id_with(one.data, one.size, one.hash)
        return 0

    cdef int keep(self, Span value, bint latin, int slot, uint32_t *number) except -1:
        """Have the number of the text of a value; 0 where it is absent."""
        number[0] = 0
        if value.data != NULL:
            if latin and not is_ascii(value):
                number[0] = self.learnt(slot, value)
            else:
                self.want(value.data, value.size, number)
        return 0

    cdef int read_values(self, Values *found, Head *head) except -1:
        cdef uint32_t notes = found.notes, method = 0
        cdef Span *first = found.first
        self.keep(first[CALL_ID], found.latin, CALL_ID, &head.call_id)
        self.keep(first[TYPE], found.latin, TYPE, &head.content_type)
        self.read_address(found, FROM, &head.from_uri, &head.from_tag)
        self.read_address(found, TO, &head.to_uri, &head.to_tag)
        if (
            first[CALL_ID].data == NULL or first[CSEQ].data == NULL or first[FROM].data == NULL
            or first[TO].data == NULL or first[VIA].data == NULL
        ):
            notes |= MISSING_HEADER
        head.notes |= notes
        self.read_cseq(found, head, &method)
        self.read_length(found, head)
        head.branch = self.branch_of(first[VIA])
        head.vias = <uint32_t>found.vias
        self.keep_wanted()
        if head.status >= 0:
            head.method = method
        elif method and method != head.method:
            head.notes |= CSEQ_MISMATCH
        return 0

    cdef int read_cseq(self, Values *found, Head *head, uint32_t *method) except -1:
        """Read CSeq; its method says something of the message (RFC 3261 8.1.1.5)."""
        cdef Span value = found.first[CSEQ]
        cdef Py_ssize_t digits = 0, k
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
            self.want(value.data, value.size, &head.cseq, True)
            self.want(value.data + digits + 1, value.size - digits - 1, method)
        else:
            head.cseq, method[0] = self.learnt(CSEQ, value)
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
        self.want(value.data + start, end - start, uri)
        at = end + 2
        while at < value.size:
            end = find(value, at, 59)
            # The first parameter of that name (RFC 3261 19.3); without "=" it has no value.
            if end - at >= 3 and is_tag(value.data + at, end - at):
                if end - at > 3:
                    self.want(value.data + at + 4, end - at - 4, tag)
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
