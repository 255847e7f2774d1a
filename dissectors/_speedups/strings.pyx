"""Strings kept once, by number; the twin of ``analyzer.rows.Interned``.

The rule: bytes that were given a number are never moved or changed. They lie in blocks that are
only added to, so what ``span`` returned stays good as long as the table, and a string costs its
bytes, one or five for their number, a pointer and its share of the hash table: about 24 in all.

Captures are hostile: the hash is seeded at random in every process, so that nobody can prepare
strings that fall into one slot.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy

import os

cdef extern from *:
    """
    /* Products of 128 bits, halves added by XOR; the parts where the compiler has no such type. */
    static inline uint64_t xccos_mix(uint64_t a, uint64_t b) {
    #ifdef __SIZEOF_INT128__
        __uint128_t product = (__uint128_t)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    #else
        uint64_t ah = a >> 32, al = (uint32_t)a, bh = b >> 32, bl = (uint32_t)b;
        uint64_t high = ah * bh, middle = ah * bl, other = al * bh, low = al * bl;
        uint64_t carry = (low >> 32) + (uint32_t)middle + (uint32_t)other;
        high += (middle >> 32) + (other >> 32) + (carry >> 32);
        return high ^ ((carry << 32) | (uint32_t)low);
    #endif
    }
    """
    uint64_t xccos_mix(uint64_t a, uint64_t b) noexcept nogil

cdef enum:
    BLOCK = 256 * 1024  # bytes of a block; longer strings than an eighth of it have their own
    LONG = 255  # first byte where the length is in the four that follow
    FIRST_SLOTS = 256
    FIRST_ENTRIES = 128

cdef uint64_t MAX_COUNT = 0xFFFFFFFF  # numbers are 32 bits wide, as are the columns of rows

cdef uint64_t[3] seeds
seeds[:] = memoryview(os.urandom(24)).cast("Q").tolist()


cdef inline uint64_t eight(const uint8_t *data) noexcept nogil:
    cdef uint64_t value
    memcpy(&value, data, 8)
    return value


cdef inline uint64_t four(const uint8_t *data) noexcept nogil:
    cdef uint32_t value
    memcpy(&value, data, 4)
    return value


cdef uint32_t hash_of(const uint8_t *data, size_t size) noexcept nogil:
    """Hash as wyhash does: 16 bytes a multiplication, the last 16 however many are left."""
    cdef uint64_t a, b, state = seeds[0]
    cdef size_t left = size, half
    cdef const uint8_t *at = data
    while left > 16:
        state = xccos_mix(eight(at) ^ seeds[1], eight(at + 8) ^ state)
        at += 16
        left -= 16
    if size >= 16:
        a, b = eight(data + size - 16), eight(data + size - 8)
    elif size >= 4:
        half = (size >> 3) << 2  # the four reads overlap and cover all of it
        a = (four(data) << 32) | four(data + half)
        b = (four(data + size - 4) << 32) | four(data + size - 4 - half)
    elif size > 0:
        a = (<uint64_t>data[0] << 16) | (<uint64_t>data[size >> 1] << 8) | data[size - 1]
        b = 0
    else:
        a = b = 0
    return <uint32_t>(xccos_mix(seeds[2] ^ size, xccos_mix(a ^ seeds[1], b ^ state)) >> 32)


cdef inline Span stored(const uint8_t *entry) noexcept nogil:
    """Return the bytes behind a length."""
    cdef Span found
    if entry[0] != LONG:
        found.size = entry[0]
        found.data = entry + 1
    else:
        found.size = <Py_ssize_t>four(entry + 1)
        found.data = entry + 5
    return found


cdef inline bint equal(Span one, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    # Of an empty string ``data`` may be NULL.
    return one.size == size and (size == 0 or memcmp(one.data, data, <size_t>size) == 0)


cdef class Strings:
    """Strings kept once, by number; number 0 is ``None``."""

    def __cinit__(self):
        self.slots = <Slot *>calloc(FIRST_SLOTS, sizeof(Slot))
        self.entries = <const uint8_t **>malloc(FIRST_ENTRIES * sizeof(uint8_t *))
        if self.slots == NULL or self.entries == NULL:
            raise MemoryError
        self.mask = FIRST_SLOTS - 1
        self.room = FIRST_ENTRIES
        self.entries[0] = NULL
        self.count = 1
        self.decoded = [None]

    def __dealloc__(self):
        cdef size_t k
        for k in range(self.block_count):
            free(self.blocks[k])
        free(self.blocks)
        free(self.entries)
        free(self.slots)

    def __len__(self):
        return self.count

    def id(self, value):
        """Return the number of a value, giving it one when it is new."""
        if value is None:
            return 0
        cdef bytes spelt = self.spell(value)
        return self.id_of(<const uint8_t *>PyBytes_AS_STRING(spelt), PyBytes_GET_SIZE(spelt))

    def find(self, value):
        """Return the number of a value, or None when no row has it."""
        if value is None:
            return 0
        cdef bytes spelt = self.spell(value)
        return self.number_of(
            <const uint8_t *>PyBytes_AS_STRING(spelt), PyBytes_GET_SIZE(spelt)
        ) or None

    def value(self, uint32_t number):
        """Return the value that has a number."""
        if number < <size_t>len(self.decoded):
            return self.decoded[number]
        if number >= self.count:
            raise IndexError(number)
        return self.read(stored(self.entries[number]))

    @property
    def values(self):
        """All values by number; the same list again, longer where there are new ones."""
        cdef list decoded = self.decoded
        cdef size_t number
        for number in range(len(decoded), self.count):
            decoded.append(self.read(stored(self.entries[number])))
        return decoded

    cdef Span span(self, uint32_t number) noexcept nogil:
        cdef Span nothing
        if number == 0 or number >= self.count:
            nothing.data, nothing.size = NULL, 0
            return nothing
        return stored(self.entries[number])

    cdef uint32_t id_of(self, const uint8_t *data, Py_ssize_t size) except 0:
        return self.id_with(data, size, hash_of(data, <size_t>size))

    cdef uint32_t ask_slot(self, const uint8_t *data, Py_ssize_t size) noexcept nogil:
        cdef uint32_t hash = hash_of(data, <size_t>size)
        xccos_fetch(&self.slots[hash & self.mask])
        return hash

    cdef void ask_entry(self, uint32_t hash) noexcept nogil:
        cdef Slot slot = self.slots[hash & self.mask]
        if slot.hash == hash:
            xccos_fetch(&self.entries[slot.number])

    cdef void ask_bytes(self, uint32_t hash) noexcept nogil:
        cdef Slot slot = self.slots[hash & self.mask]
        if slot.hash == hash:
            xccos_fetch(self.entries[slot.number])

    cdef uint32_t id_with(self, const uint8_t *data, Py_ssize_t size, uint32_t hash) except 0:
        cdef size_t at = hash & self.mask
        cdef Slot slot = self.slots[at]
        cdef Span other
        while slot.number:
            if slot.hash == hash:
                other = stored(self.entries[slot.number])
                if equal(other, data, size):
                    return slot.number
            at = (at + 1) & self.mask
            slot = self.slots[at]
        return self.add(data, <size_t>size, hash)

    cdef uint32_t number_of(self, const uint8_t *data, Py_ssize_t size) noexcept nogil:
        cdef uint32_t hash = hash_of(data, <size_t>size)
        cdef size_t at = hash & self.mask
        cdef Span other
        while self.slots[at].number:
            if self.slots[at].hash == hash:
                other = stored(self.entries[self.slots[at].number])
                if equal(other, data, size):
                    break
            at = (at + 1) & self.mask
        return self.slots[at].number

    cdef uint32_t add(self, const uint8_t *data, size_t size, uint32_t hash) except 0:
        """Give a new string the next number."""
        cdef uint32_t long_size = <uint32_t>size
        cdef size_t before = 1 if size < LONG else 5
        if size > 0xFFFFFFFF or self.count >= MAX_COUNT:
            raise MemoryError
        if 4 * self.count >= 3 * self.mask:
            self.widen_slots()
        if self.count == self.room:
            self.widen_entries()
        cdef uint8_t *entry = self.take(before + size)
        if before == 1:
            entry[0] = <uint8_t>size
        else:
            entry[0] = LONG
            memcpy(entry + 1, &long_size, 4)
        if size:
            memcpy(entry + before, data, size)
        cdef size_t at = hash & self.mask
        while self.slots[at].number:
            at = (at + 1) & self.mask
        cdef uint32_t number = <uint32_t>self.count
        self.entries[number] = entry
        self.slots[at].hash = hash
        self.slots[at].number = number
        self.count += 1
        return number

    cdef uint8_t *take(self, size_t size) except NULL:
        """Return room for some bytes."""
        cdef uint8_t *found
        if size > self.left:
            found = <uint8_t *>malloc(size if size > BLOCK // 8 else BLOCK)
            if found == NULL:
                raise MemoryError
            # One by one: blocks are few, and the allocator knows to grow by more.
            blocks = <uint8_t **>realloc(self.blocks, (self.block_count + 1) * sizeof(uint8_t *))
            if blocks == NULL:
                free(found)
                raise MemoryError
            self.blocks = blocks
            self.blocks[self.block_count] = found
            self.block_count += 1
            if size > BLOCK // 8:
                return found
            self.free, self.left = found, BLOCK
        found = self.free
        self.free += size
        self.left -= size
        return found

    cdef int widen_entries(self) except -1:
        cdef size_t room = self.room + self.room // 2
        entries = <const uint8_t **>realloc(self.entries, room * sizeof(uint8_t *))
        if entries == NULL:
            raise MemoryError
        self.entries, self.room = entries, room
        return 0

    cdef int widen_slots(self) except -1:
        cdef size_t mask = 2 * self.mask + 1, k, at
        slots = <Slot *>calloc(mask + 1, sizeof(Slot))
        if slots == NULL:
            raise MemoryError
        for k in range(self.mask + 1):
            if self.slots[k].number:
                at = self.slots[k].hash & mask
                while slots[at].number:
                    at = (at + 1) & mask
                slots[at] = self.slots[k]
        free(self.slots)
        self.slots, self.mask = slots, mask
        return 0

    cdef bytes spell(self, object value):
        # Lone surrogates cannot come from UTF-8, but a caller may have them.
        return (<str?>value).encode("utf-8", "surrogatepass")

    cdef object read(self, Span span):
        return PyUnicode_DecodeUTF8(<const char *>span.data, span.size, "surrogatepass")


cdef class CSeqs(Strings):
    """The same for pairs of a sequence number and a method: ``Interned[tuple[int, str]]``.

    They are written as RFC 3261 20.16 writes them, the number without leading zeros. It can be any
    integer; a method holds no blank, so the pair that was written is the one that is read.
    """

    def __cinit__(self):
        self.methods = {}

    cdef bytes spell(self, object value):
        number, method = value
        return b"%d %b" % (number, (<str?>method).encode("utf-8", "surrogatepass"))

    cdef object read(self, Span span):
        cdef Py_ssize_t digits = 0, k
        cdef int64_t small = 0
        while digits < span.size and span.data[digits] != 32:
            digits += 1
        method = PyUnicode_DecodeUTF8(
            <const char *>span.data + digits + 1, span.size - digits - 1, "surrogatepass"
        )
        method = self.methods.setdefault(method, method)
        if digits > 18 or span.data[0] == 45:  # more than 64 bits hold, or "-"
            return int(span.data[:digits]), method
        for k in range(digits):
            small = 10 * small + (span.data[k] - 48)
        return small, method
