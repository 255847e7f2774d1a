# The flows of a capture by the key of their packets; of ``reassembly``.
#
# The rule: a table borrows the directions that are in it. Whoever puts one in takes it out again.
# What is asked for every packet is inlined where it is used.

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

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
    #if defined(__GNUC__) || defined(__clang__)
    #define xccos_fetch(place) __builtin_prefetch(place)
    #else
    #define xccos_fetch(place) ((void)(place))
    #endif
    """
    void xccos_fetch(const void *place) noexcept nogil
    uint64_t xccos_mix(uint64_t a, uint64_t b) noexcept nogil


# What is known under one key: the direction that is open, or where the last one ended. Both where
# a connection ended after its ports had been used again. 64 bytes, a line of the cache.
cdef struct Flow:
    void *direction  # NULL where none is open; the connection that is open owns it
    uint32_t end  # sequence number at which the last one ended, where ``has_end``
    uint32_t older  # the ends in the order of being noted: numbers of flows, 0 is the list itself
    uint32_t newer
    uint8_t has_end
    uint8_t key_size
    uint8_t key[36]


# A slot of the hash table; free where ``flow`` is 0.
cdef struct Slot:
    uint32_t hash
    uint32_t flow


# The directions of open connections and the ends of forgotten ones, by the key of their packets.
cdef class FlowTable:
    cdef Slot *slots
    cdef Flow *flows  # flow 0 is none
    cdef size_t mask  # slots less one; their number is a power of two
    cdef uint32_t room  # flows allocated
    cdef uint32_t used  # flows that were ever used, and flow 0
    cdef uint32_t vacant  # the first of those that are free again
    cdef uint32_t count  # flows in use
    cdef uint32_t ends  # of them those with an end
    cdef uint64_t seeds[2]

    cdef int64_t end_of(self, const uint8_t *key, uint8_t size) noexcept nogil
    cdef int open(self, const uint8_t *key, uint8_t size, object direction) except -1
    cdef void close(self, const uint8_t *key, uint8_t size, object direction) noexcept
    cdef int note_end(self, const uint8_t *key, uint8_t size, uint32_t end) except -1
    cdef void forget_end(self, const uint8_t *key, uint8_t size) noexcept
    cdef void forget_oldest_end(self) noexcept
    cdef dict directions(self)
    cdef dict noted_ends(self)
    cdef bytes key_of(self, uint32_t number)
    cdef void _unlink(self, uint32_t number) noexcept
    cdef void _release(self, uint32_t number) noexcept
    cdef uint32_t _add(self, const uint8_t *key, uint8_t size) except 0
    cdef int _widen_flows(self) except -1
    cdef int _widen_slots(self) except -1


# keys: 12 bytes, or 36 with addresses of IPv6


cdef inline uint64_t eight(const uint8_t *data) noexcept nogil:
    cdef uint64_t value
    memcpy(&value, data, 8)
    return value


cdef inline uint64_t four(const uint8_t *data) noexcept nogil:
    cdef uint32_t value
    memcpy(&value, data, 4)
    return value


cdef inline bint same_key(const uint8_t *a, const uint8_t *b, uint8_t size) noexcept nogil:
    if size == 12:
        return eight(a) == eight(b) and four(a + 8) == four(b + 8)
    return memcmp(a, b, size) == 0


cdef inline bytes reversed_key(const uint8_t *key, uint8_t size):
    """Return the key of the opposite direction."""
    cdef uint8_t turned[36]
    cdef uint8_t half = (size - 4) >> 1
    memcpy(turned, key + half, half)
    memcpy(turned + half, key, half)
    memcpy(turned + size - 4, key + size - 2, 2)
    memcpy(turned + size - 2, key + size - 4, 2)
    return PyBytes_FromStringAndSize(<const char *>turned, size)


# flows


cdef inline uint32_t hash_of(FlowTable table, const uint8_t *key, uint8_t size) noexcept nogil:
    """Hash as wyhash does: 16 bytes a multiplication, and one for the rest."""
    cdef uint64_t state = table.seeds[1]
    if size == 36:
        state = xccos_mix(eight(key) ^ table.seeds[0], eight(key + 8) ^ state)
        state = xccos_mix(eight(key + 16) ^ table.seeds[0], eight(key + 24) ^ state)
        state = xccos_mix(four(key + 32) ^ table.seeds[0], table.seeds[1] ^ state)
    else:
        state = xccos_mix(eight(key) ^ table.seeds[0], four(key + 8) ^ state)
    return <uint32_t>(xccos_mix(state ^ table.seeds[0], table.seeds[1] ^ size) >> 32)


cdef inline uint32_t number_of(FlowTable table, const uint8_t *key, uint8_t size) noexcept nogil:
    """Return the number of a flow; 0 where there is none."""
    cdef uint32_t hash = hash_of(table, key, size)
    cdef size_t at = hash & table.mask
    cdef Slot slot = table.slots[at]
    cdef Flow *flow
    while slot.flow:
        if slot.hash == hash:
            flow = &table.flows[slot.flow]
            if flow.key_size == size and same_key(flow.key, key, size):
                return slot.flow
        at = (at + 1) & table.mask
        slot = table.slots[at]
    return 0


cdef inline void *direction_of(FlowTable table, const uint8_t *key, uint8_t size) noexcept nogil:
    """Return the open direction; NULL where there is none."""
    return table.flows[number_of(table, key, size)].direction  # that of flow 0 is NULL


# Hints. Each packet waits for memory several times, one place leading to the next; what is asked
# for while the packets before it are worked on is there in time. They read, and change nothing.


cdef inline uint32_t ask_slot(FlowTable table, const uint8_t *key, uint8_t size) noexcept nogil:
    """Have the slot of a key fetched; return its hash."""
    cdef uint32_t hash = hash_of(table, key, size)
    xccos_fetch(&table.slots[hash & table.mask])
    return hash


cdef inline uint32_t ask_flow(FlowTable table, uint32_t hash) noexcept nogil:
    """Have the flow fetched that probably has a hash; return its number."""
    cdef Slot slot = table.slots[hash & table.mask]
    if slot.hash != hash:
        return 0
    xccos_fetch(&table.flows[slot.flow])
    return slot.flow


cdef inline void *direction_in(FlowTable table, uint32_t number) noexcept nogil:
    """Return the open direction of a flow, if there is one."""
    return table.flows[number].direction


cdef inline void fetch_object(const void *found) noexcept nogil:
    """Have the fields of an object fetched, up to three lines of the cache."""
    xccos_fetch(found)
    xccos_fetch(<const char *>found + 64)
    xccos_fetch(<const char *>found + 128)
