"""The items of XCCOS bodies, read where they lie; the twin of ``dissectors.xccos.scan``.

The rule: a body is taken here only when every byte of it is known to be well-formed to expat and
nothing in it needs a decision: a root ``xccos``, tags without prefixes and in ASCII, declarations
of namespaces that are not reserved, text in valid UTF-8, the predefined and numeric references, all
limits kept. At the first other thing the whole body goes to the reference, which alone says that a
body is malformed. No string gets a number before the whole body was accepted, so that the tables
hold what the reference would have put into them, in its order.

Bounds are kept as ``markup`` says: the last byte of a body is ``>``, and most loops end at it.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memset

from dissectors.xccos.reader import MAX_ITEMS as READER_ITEMS
from dissectors.xccos.scan import _is_utf8
from dissectors.xccos.scan import scan_items as reference_items
from dissectors.xccos.xml import MAX_BODY as XML_BODY
from dissectors.xccos.xml import MAX_DEPTH as XML_DEPTH
from dissectors.xccos.xml import MAX_ELEMENTS as XML_ELEMENTS

from dissectors._speedups.marks cimport (
    KEY_COMMANDI, KEY_GRPCHAT, KEY_RESP, KEY_XCCOS, Marks, begin_marks, is_space, next_mark,
)
from dissectors._speedups.markup cimport (
    CODE, ENVID, ID, SEQID, Bytes, Place, Tag, end_tag_end, is_name, past_reference, start_tag_end,
    text_end, write_character,
)
from dissectors._speedups.strings cimport Strings

cdef enum:
    REFERENCE = -4  # of ``walk``: ask the reference
    LEVELS = 64  # of the stack of open elements
    CONTENT_TYPES = 1024  # whose verdicts are kept; their number in a capture is small, or hostile

cdef Py_ssize_t MAX_BODY = XML_BODY
cdef Py_ssize_t MAX_ELEMENTS = XML_ELEMENTS
cdef Py_ssize_t MAX_ITEMS = READER_ITEMS
cdef Py_ssize_t MAX_DEPTH = min(LEVELS, XML_DEPTH)


cdef inline bint note_item(Found *item, const Tag *tag, Bytes body) noexcept nogil:
    """Note a child of the root; False where the reference must say what it is."""
    memset(item, 0, sizeof(Found))
    # A chat in other letters counts as one for its text, but not where rows leave texts out.
    if tag.key | <uint64_t>0x0020202020202020 == KEY_GRPCHAT and tag.size == 7:
        if tag.key != KEY_GRPCHAT:
            return False
        item.is_chat = True
    item.element.at, item.element.size = <uint32_t>(tag.name - body), tag.size
    item.id, item.seqid = tag.id, tag.seqid
    return not tag.changed & (ID | SEQID)


cdef inline bint note_child(Found *item, const Tag *tag, bint *is_resp) noexcept nogil:
    """Note a child of an item; False where the reference must say what it is."""
    if tag.key == KEY_RESP and not item.has_resp:
        item.has_resp = is_resp[0] = True
        item.code = tag.code
        return not tag.changed & CODE
    if tag.key == KEY_COMMANDI and tag.size == 9 and tag.name[8] == c"d" and not item.has_commandid:
        item.has_commandid = True
        item.command_seqid, item.command_envid = tag.seqid, tag.envid
        return not tag.changed & (SEQID | ENVID)
    return True


cdef inline bint note_tag(
    const Tag *tag, Bytes body, Py_ssize_t depth, Found *item, Place *envid, bint *is_resp
) noexcept nogil:
    """Note a tag that rows may be made of; False where the reference must say what it is."""
    if depth == 1:
        return note_item(item, tag, body)
    if depth == 2:
        return note_child(item, tag, is_resp)
    envid[0] = tag.envid
    return tag.key == KEY_XCCOS and tag.size == 5 and not tag.changed & ENVID


cdef inline void note_text(
    Found *item, Bytes body, Bytes text, Bytes end, bint changed
) noexcept nogil:
    """Note the text of a ``resp``."""
    item.text.at, item.text.size = <uint32_t>(text - body), <uint32_t>(end - text)
    item.escaped = changed


cdef bint is_foreign(Bytes at, Bytes end) noexcept nogil:
    """Tell whether a body is certainly no XCCOS, as ``dissectors.xccos.sniff`` decides.

    Only white space, instructions, a root and the marks of 16-bit encodings are looked at.
    """
    if at == end:
        return True
    if at[0] == 0 or at[0] >= 0xEF:  # 16 bits, or a byte-order mark
        return False
    if end - at >= 2 and at[1] == 0:
        return False
    while True:
        while at < end and is_space(at[0]):
            at += 1
        if end - at < 3 or at[0] != c"<" or at[1] != c"?":
            break
        at += 2
        while end - at >= 2 and not (at[0] == c"?" and at[1] == c">"):
            at += 1
        if end - at < 2:
            return False
        at += 2
    if at == end or at[0] != c"<":
        return True
    return is_foreign_root(at + 1, end)


cdef bint is_foreign_root(Bytes at, Bytes end) noexcept nogil:
    """Tell whether a root element certainly has another local name than ``xccos``."""
    cdef Bytes name = at
    cdef int prefixes = 0
    while True:
        while at < end and is_name(at[0]):
            at += 1
        if at == end or at == name:
            return False
        if at[0] != c":" or prefixes == 1:
            break
        prefixes = 1
        at += 1
        name = at
    if not (is_space(at[0]) or at[0] == c">" or at[0] == c"/" or at[0] == c":"):
        return False
    return at - name != 5 or not is_xccos_in_any_case(name)


cdef bint is_xccos_in_any_case(Bytes name) noexcept nogil:
    cdef uint64_t key = 0
    cdef unsigned k
    for k in range(5):
        key |= <uint64_t>(name[k] | 0x20) << (8 * k)
    return key == KEY_XCCOS


cdef Py_ssize_t unescape(Bytes text, Bytes end, uint8_t *buffer) noexcept nogil:
    """Write a text that was accepted as XML gives it, and return its size.

    Line ends, which are LF (XML 1.0 section 2.11), are replaced before references: CR can be one.
    """
    cdef uint8_t *out = buffer
    cdef uint32_t character = 0
    while text < end:
        if text[0] == c"&":
            text = past_reference(text, end + 8, &character)  # the end of the root follows
            out = write_character(out, character)
            continue
        out[0] = text[0]
        if text[0] == c"\r":
            out[0] = c"\n"
            if text + 1 < end and text[1] == c"\n":
                text += 1
        out += 1
        text += 1
    return out - buffer


cdef inline int number(Strings strings, Bytes body, Place place, uint32_t *found) except -1:
    """Give a string that stands in a body its number."""
    found[0] = strings.id_of(body + place.at, place.size) if place.at else 0
    return 0


cdef class DocumentScanner:
    """Scans bodies, one after the other, into one table of strings."""

    def __cinit__(self, Strings strings not None):
        self.strings = strings
        self.verdicts = {}
        self.widen(16)

    def __dealloc__(self):
        free(self.items)
        free(self.found)

    def scan_items(self, bytes body not None, content_type=None):
        """Return what the reference returns, less the text of chats."""
        cdef Bytes data = <Bytes><const char *>body
        cdef Py_ssize_t count = self.scan_body(data, len(body), content_type)
        if count == NOT_XCCOS:
            return None
        if count == MALFORMED:
            return [], True
        return [self.row(k) for k in range(count)], False

    cdef tuple row(self, Py_ssize_t k):
        """Return an item as the reference writes it."""
        cdef Item item = self.items[k]
        value = self.strings.value
        command = None
        if item.has_commandid:
            command = (value(item.command_seqid), value(item.command_envid))
        return (
            value(item.element), value(item.id), value(item.seqid), value(item.envid), command,
            value(item.code), value(item.text),
        )

    cdef Py_ssize_t scan_body(
        self, const uint8_t *body, Py_ssize_t size, object content_type
    ) except -3:
        cdef Bytes end = body + size
        cdef Py_ssize_t count = REFERENCE
        cdef Place envid
        if size < 8 or memcmp(body, b"<xccos", 6) != 0:  # the shortest document is <xccos/>
            if is_foreign(body, end):
                return NOT_XCCOS
        elif size <= MAX_BODY and (content_type is None or self.names_utf8(content_type)):
            while is_space((end - 1)[0]):  # ends in the root at the latest
                end -= 1
            if (end - 1)[0] == c">":
                count = self.walk(body, end, &envid)
        if count == REFERENCE:
            return self.refer(body, size, content_type)
        self.number_strings(body, count, envid)
        return count

    cdef Py_ssize_t walk(self, const uint8_t *body, const uint8_t *end, Place *envid) except -3:
        """Return the number of items in a body that begins a root and ends with ``>``."""
        cdef Place[LEVELS] names  # of the open elements
        cdef Py_ssize_t depth = 0, elements = 0, count = 0
        cdef Bytes at, text
        cdef Found *item = self.found  # the last one, or where there is none yet the first
        cdef Marks marks
        cdef Tag tag
        cdef bint is_resp = False, changed
        begin_marks(&marks, body, end - body)
        at = next_mark(&marks)
        while True:  # at a `<`, which cannot be the last byte
            if at[1] == c"/":
                depth -= 1  # the first tag is none of these, and after the last the loop ends
                at = end_tag_end(at, &marks, body + names[depth].at, names[depth].size)
                if at == NULL:
                    return REFERENCE
                if depth == 0:
                    break
            else:
                elements += 1
                if depth == MAX_DEPTH or elements > MAX_ELEMENTS:
                    return REFERENCE
                at = start_tag_end(at, &marks, depth < 3, &tag)
                if at == NULL:
                    return REFERENCE
                if depth < 3:
                    if depth == 1:
                        count += 1
                        if count > self.room:
                            self.widen(2 * count)
                        item = &self.found[count - 1]
                    if count > MAX_ITEMS:
                        return REFERENCE
                    if not note_tag(&tag, body, depth, item, envid, &is_resp):
                        return REFERENCE
                if not tag.empty:
                    names[depth].at, names[depth].size = <uint32_t>(tag.name - body), tag.size
                    depth += 1
                elif depth == 0:
                    break
                elif is_resp:
                    item.text.at = <uint32_t>(at - body)  # there, of no size
                    is_resp = False
            text = at + 1
            changed = False
            at = text_end(&marks, &changed)
            if at == NULL:
                return REFERENCE
            if is_resp:
                if at[1] != c"/":  # elements in the text
                    return REFERENCE
                note_text(item, body, text, at, changed)
                is_resp = False
        return count if at + 1 == end else REFERENCE

    cdef int number_strings(self, const uint8_t *body, Py_ssize_t count, Place envid) except -1:
        """Give the strings of the items found their numbers, in the order of the reference."""
        cdef Py_ssize_t k
        cdef Found *found
        cdef Item *item
        cdef Strings strings = self.strings
        for k in range(count):
            found, item = &self.found[k], &self.items[k]
            number(strings, body, found.element, &item.element)
            number(strings, body, found.id, &item.id)
            number(strings, body, found.seqid, &item.seqid)
            if k == 0:
                number(strings, body, envid, &item.envid)
            else:
                item.envid = self.items[0].envid
            number(strings, body, found.command_seqid, &item.command_seqid)
            number(strings, body, found.command_envid, &item.command_envid)
            item.has_commandid = found.has_commandid
            number(strings, body, found.code, &item.code)
            if found.is_chat:
                item.text = 0
            elif found.escaped:
                item.text = self.number_escaped(body + found.text.at, found.text.size)
            else:
                number(strings, body, found.text, &item.text)
        return 0

    cdef uint32_t number_escaped(self, const uint8_t *text, uint32_t size) except 0:
        """Return the number of a text with its references and line ends replaced."""
        cdef uint8_t *buffer = <uint8_t *>malloc(size)  # no reference is shorter than its character
        if buffer == NULL:
            raise MemoryError
        try:
            return self.strings.id_of(buffer, unescape(text, text + size, buffer))
        finally:
            free(buffer)

    cdef Py_ssize_t refer(
        self, const uint8_t *body, Py_ssize_t size, object content_type
    ) except -3:
        """Ask the reference."""
        cdef Py_ssize_t k, count
        self.fallbacks += 1
        answer = reference_items(body[:size], content_type)
        if answer is None:
            return NOT_XCCOS
        rows, malformed = answer
        if malformed:
            return MALFORMED
        count = len(rows)
        if count > self.room:
            self.widen(count)
        for k in range(count):
            self.store(k, rows[k])
        return count

    cdef int store(self, Py_ssize_t k, tuple row) except -1:
        """Keep a row of the reference."""
        cdef Item *item = &self.items[k]
        element, identifier, seqid, envid, command, code, text = row
        give = self.strings.id
        item.element = give(element)
        item.id = give(identifier)
        item.seqid = give(seqid)
        item.envid = give(envid)
        item.has_commandid = command is not None
        item.command_seqid = item.command_envid = 0
        if command is not None:
            item.command_seqid = give(command[0])
            item.command_envid = give(command[1])
        item.code = give(code)
        item.text = 0 if element == "grpchat" else give(text)
        return 0

    cdef bint names_utf8(self, object content_type) except -1:
        """Tell what the reference says of a charset; the same few come again and again."""
        if content_type is self.last_type:
            return self.last_verdict
        verdict = self.verdicts.get(content_type)
        if verdict is None:
            if len(self.verdicts) >= CONTENT_TYPES:
                self.verdicts.clear()
            verdict = self.verdicts[content_type] = _is_utf8(content_type)
        self.last_type, self.last_verdict = content_type, verdict
        return self.last_verdict

    cdef int widen(self, Py_ssize_t least) except -1:
        """Make room for so many items."""
        items = <Item *>realloc(self.items, <size_t>least * sizeof(Item))
        if items == NULL:
            raise MemoryError
        self.items = items
        found = <Found *>realloc(self.found, <size_t>least * sizeof(Found))
        if found == NULL:
            raise MemoryError
        self.found = found
        self.room = least
        return 0


def scan_items(bytes body not None, content_type=None):
    """Return what the reference returns, less the text of chats."""
    return DocumentScanner(Strings()).scan_items(body, content_type)
