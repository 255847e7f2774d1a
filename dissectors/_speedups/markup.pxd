# The tags and the text of XML, as ``documents`` reads them: plain ones, and NULL for all others.
#
# Bounds: a body is given without its trailing white space, and its last byte must be ``>``. Names,
# references, white space and characters of several bytes cannot hold that byte, so that loops over
# them end at it at the latest and need no other check. Marks are of the body by their making.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from dissectors._speedups.marks cimport (
    KEY_CODE, KEY_ENVID, KEY_ID, KEY_SEQID, KEY_XML, KEY_XMLNS, Marks, eight, is_space, lowest,
    next_in_tag, next_mark, not_name, pass_marks,
)

cdef enum:
    # Attributes of one tag, whose names are compared with one another; known elements have 12.
    NAMES = 32
    # Digits of a reference: the greatest character has 7, and nobody writes many zeros before.
    DIGITS = 8
    # Values of a tag, in ``Tag.changed``.
    ID = 1
    SEQID = 2
    ENVID = 4
    CODE = 8

ctypedef const uint8_t *Bytes


# Where a string stands in the body. No string of interest begins with the body: 0 is absent
cdef struct Place:
    uint32_t at
    uint32_t size


cdef inline bint starts_name(uint8_t c) noexcept nogil:
    """Of ASCII names without a prefix (XML 1.0 section 2.3)."""
    return <uint8_t>((c | 0x20) - c"a") < 26 or c == c"_"


cdef inline bint is_name(uint8_t c) noexcept nogil:
    return starts_name(c) or <uint8_t>(c - c"0") < 10 or c == c"-" or c == c"."


cdef inline Bytes name_end(Bytes at, Bytes end, uint64_t *key) noexcept nogil:
    """Return the end of a name; ``key``: its first eight bytes, zero where it has fewer.

    A name of up to eight letters is told by its key alone; most of them end in the first look.
    """
    cdef uint64_t word = 0, stop
    cdef unsigned size
    if end - at >= 8:
        word = eight(at)
        stop = not_name(word)
        if stop:
            key[0] = word & (((stop & (0 - stop)) >> 7) - 1)
            return at + (lowest(stop) >> 3)
        key[0] = word
        at += 8
        while is_name(at[0]):
            at += 1
        return at
    size = 0
    while is_name(at[size]):
        word |= <uint64_t>at[size] << (8 * size)
        size += 1
    key[0] = word
    return at + size


cdef inline Bytes past_wide(Bytes at) noexcept nogil:
    """Return the end of a run of characters of several bytes; NULL where one is not valid.

    RFC 3629 section 4, less U+FFFE and U+FFFF, which are no characters of XML (1.0 section 2.2).
    """
    cdef uint8_t lead, second
    while at[0] >= 0x80:
        lead, second = at[0], at[1]
        if lead < 0xC2 or (second & 0xC0) != 0x80:
            return NULL
        if lead < 0xE0:
            at += 2
            continue
        if (at[2] & 0xC0) != 0x80:
            return NULL
        if lead < 0xF0:
            if (lead == 0xE0 and second < 0xA0) or (lead == 0xED and second >= 0xA0):
                return NULL
            if lead == 0xEF and second == 0xBF and at[2] >= 0xBE:
                return NULL
            at += 3
            continue
        if lead > 0xF4 or (at[3] & 0xC0) != 0x80:
            return NULL
        if (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second >= 0x90):
            return NULL
        at += 4
    return at


cdef inline int digit_of(uint8_t c, bint hexadecimal) noexcept nogil:
    """Return the value of a digit, or -1."""
    if <uint8_t>(c - c"0") < 10:
        return c - c"0"
    if hexadecimal and <uint8_t>((c | 0x20) - c"a") < 6:
        return (c | 0x20) - c"a" + 10
    return -1


cdef inline Bytes past_number(Bytes at, uint32_t *character) noexcept nogil:
    """Return the end of a character reference, given its ``#``; NULL where it is not one."""
    cdef bint hexadecimal = at[1] == c"x"  # "x", never "X"
    cdef uint32_t value = 0, digits = 0
    cdef int digit
    at += 2 if hexadecimal else 1
    while True:
        digit = digit_of(at[0], hexadecimal)
        if digit < 0:
            break
        if digits == DIGITS:
            return NULL
        value = value * (16 if hexadecimal else 10) + <uint32_t>digit
        digits += 1
        at += 1
    if digits == 0 or at[0] != c";" or value > 0x10FFFF:
        return NULL
    if (value < 0x20 and not is_space(<uint8_t>value)) or 0xD800 <= value < 0xE000:
        return NULL
    if value == 0xFFFE or value == 0xFFFF:
        return NULL
    character[0] = value
    return at + 1


cdef inline Bytes past_reference(Bytes at, Bytes end, uint32_t *character) noexcept nogil:
    """Return the end of a reference, given its ``&``; NULL where it is not a plain one."""
    if end - at < 8:  # what follows must hold the end tag of the root
        return NULL
    if at[1] == c"#":
        return past_number(at + 1, character)
    if memcmp(at, b"&amp;", 5) == 0:
        character[0] = c"&"
        return at + 5
    if memcmp(at, b"&lt;", 4) == 0 or memcmp(at, b"&gt;", 4) == 0:
        character[0] = c"<" if at[1] == c"l" else c">"
        return at + 4
    if memcmp(at, b"&quot;", 6) == 0 or memcmp(at, b"&apos;", 6) == 0:
        character[0] = c'"' if at[1] == c"q" else c"'"
        return at + 6
    return NULL


cdef inline Bytes past_other(Bytes at, Bytes end, bint *changed) noexcept nogil:
    """Return the end of what is no delimiter, or NULL; ``changed``: it reads otherwise."""
    cdef uint32_t character
    if at[0] >= 0x80:
        return past_wide(at)
    changed[0] = True
    if at[0] == c"&":
        return past_reference(at, end, &character)
    return at + 1 if is_space(at[0]) else NULL


cdef inline uint8_t *write_character(uint8_t *out, uint32_t character) noexcept nogil:
    """Write a character as UTF-8 and return what follows it."""
    cdef unsigned more = (character >= 0x80) + (character >= 0x800) + (character >= 0x10000)
    cdef uint32_t lead = (0xFF00 >> (more + 1)) & 0xFF if more else 0
    out[0] = <uint8_t>(lead | (character >> (6 * more)))
    out += 1
    while more:
        more -= 1
        out[0] = 0x80 | <uint8_t>((character >> (6 * more)) & 0x3F)
        out += 1
    return out


# A start tag
cdef struct Tag:
    Bytes name
    uint32_t size  # of the name
    uint64_t key  # its first eight bytes
    Place id
    Place seqid
    Place envid
    Place code
    uint8_t changed  # which of these values read otherwise than they stand in the body
    bint empty


# The names of the attributes of one tag
cdef struct Names:
    uint32_t count
    uint64_t seen  # a bit for each name, by a hash: most tags need no comparison
    uint64_t[NAMES] keys
    Bytes[NAMES] starts
    uint32_t[NAMES] sizes


cdef inline bint is_new(Names *names, Bytes start, uint32_t size, uint64_t key) noexcept nogil:
    """Note the name of an attribute; False where the tag has it already, or too many of them."""
    cdef uint64_t bit = <uint64_t>1 << (((key ^ size) * <uint64_t>0x9E3779B97F4A7C15) >> 58)
    cdef uint32_t k, count = names.count
    if count == NAMES:
        return False
    if names.seen & bit:
        for k in range(count):
            if names.keys[k] == key and names.sizes[k] == size:
                if size <= 8 or memcmp(names.starts[k], start, size) == 0:
                    return False
    names.seen |= bit
    names.keys[count] = key
    names.starts[count] = start
    names.sizes[count] = size
    names.count = count + 1
    return True


cdef inline Bytes value_end(Marks *marks, uint8_t quote, bint *changed) noexcept nogil:
    """Return the closing quote of a value; NULL where something odd comes before it."""
    cdef Bytes at
    while True:
        at = next_mark(marks)
        if at[0] == quote:
            return at
        if at[0] == c'"' or at[0] == c"'" or at[0] == c">":
            continue
        at = past_other(at, marks.body + marks.size, changed)
        if at == NULL:
            return NULL
        pass_marks(marks, at)


cdef inline Bytes text_end(Marks *marks, bint *changed) noexcept nogil:
    """Return the ``<`` that ends character data; NULL where something odd comes before it."""
    cdef Bytes at
    while True:
        at = next_mark(marks)
        if at[0] == c"<":
            return at
        if at[0] == c'"' or at[0] == c"'":
            continue
        if at[0] == c">":
            if (at - 1)[0] == c"]":  # "]]>" has no place in text (XML 1.0 section 2.4)
                return NULL
            continue
        at = past_other(at, marks.body + marks.size, changed)
        if at == NULL:
            return NULL
        pass_marks(marks, at)


cdef inline Bytes past_prefix(Bytes at, Bytes end) noexcept nogil:
    """Return the end of the name in ``xmlns:name``, given its colon; NULL where it is odd."""
    cdef uint64_t key
    if not starts_name(at[1]):
        return NULL
    at = name_end(at + 1, end, &key)
    if key & 0xFFFFFF == KEY_XML:  # what begins so is reserved (Namespaces in XML 1.0 section 3)
        return NULL
    return at


cdef inline bint may_be_declared(Bytes uri, Bytes end, bint with_prefix) noexcept nogil:
    """Tell whether a namespace can be declared (section 3 reserves two, 2.2 forbids an empty one).

    Others of the same host go to the reference too, but not those of XML Schema, which are common.
    """
    cdef Py_ssize_t size = end - uri
    if size >= 22 and memcmp(uri, b"http://www.w3.org/XML/", 22) == 0:
        return False
    if size >= 23 and memcmp(uri, b"http://www.w3.org/2000/", 23) == 0:
        return False
    return size > 0 or not with_prefix


cdef inline void note_value(Tag *tag, uint64_t key, Place value, bint changed) noexcept nogil:
    """Keep the value of an attribute that items may be made of."""
    if key == KEY_SEQID:
        tag.seqid = value
        tag.changed |= SEQID if changed else 0
    elif key == KEY_ID:
        tag.id = value
        tag.changed |= ID if changed else 0
    elif key == KEY_ENVID:
        tag.envid = value
        tag.changed |= ENVID if changed else 0
    elif key == KEY_CODE:
        tag.code = value
        tag.changed |= CODE if changed else 0


cdef inline Bytes attribute_end(
    Bytes name, Marks *marks, Names *names, bint wanted, Tag *tag
) noexcept nogil:
    """Return the closing quote of an attribute, given its name; NULL where it is odd."""
    cdef Bytes opening, closing
    cdef Bytes end = marks.body + marks.size
    cdef uint64_t key
    cdef bint changed = False
    cdef Place value
    cdef Bytes at = name_end(name, end, &key)
    cdef bint declares = key == KEY_XMLNS and at - name == 5
    if declares and at[0] == c":":
        at = past_prefix(at, end)
        if at == NULL or end - name < 8:
            return NULL
        key = eight(name)  # one of seven bytes goes on with its `=`, which tells it apart as well
    opening = next_in_tag(marks)
    if at[0] != c"=" or at + 1 != opening or not (opening[0] == c'"' or opening[0] == c"'"):
        return NULL
    if not is_new(names, name, <uint32_t>(at - name), key):
        return NULL
    closing = value_end(marks, opening[0], &changed)
    if closing == NULL:
        return NULL
    if declares:
        if changed or not may_be_declared(opening + 1, closing, name[5] == c":"):
            return NULL
    elif wanted:
        value.at = <uint32_t>(opening + 1 - marks.body)
        value.size = <uint32_t>(closing - opening - 1)
        note_value(tag, key, value, changed)
    return closing


cdef inline Bytes start_tag_end(Bytes at, Marks *marks, bint wanted, Tag *tag) noexcept nogil:
    """Return the ``>`` of a start tag, given its ``<``; NULL where it is odd."""
    cdef Names names
    cdef Bytes closing
    names.count, names.seen = 0, 0
    tag.name = at + 1
    if not starts_name(tag.name[0]):
        return NULL
    at = name_end(tag.name, marks.body + marks.size, &tag.key)
    tag.size = <uint32_t>(at - tag.name)
    if wanted:
        tag.id.at = tag.seqid.at = tag.envid.at = tag.code.at = 0
        tag.id.size = tag.seqid.size = tag.envid.size = tag.code.size = 0
        tag.changed = 0
    while is_space(at[0]):
        at += 1
        while is_space(at[0]):
            at += 1
        if not starts_name(at[0]):
            break
        at = attribute_end(at, marks, &names, wanted, tag)
        if at == NULL:
            return NULL
        at += 1
    closing = next_in_tag(marks)
    tag.empty = at[0] == c"/"
    if tag.empty:
        at += 1
    return closing if at == closing and closing[0] == c">" else NULL


cdef inline Bytes end_tag_end(Bytes at, Marks *marks, Bytes name, uint32_t size) noexcept nogil:
    """Return the ``>`` of an end tag, given its ``<``; NULL where it has not the name."""
    cdef Bytes closing = next_in_tag(marks)
    at += 2
    if marks.body + marks.size - at <= <Py_ssize_t>size or memcmp(at, name, size) != 0:
        return NULL
    at += size
    while is_space(at[0]):
        at += 1
    return closing if at == closing and closing[0] == c">" else NULL
