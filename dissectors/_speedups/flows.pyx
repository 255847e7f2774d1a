"""The directions of open connections, and where forgotten ones ended, by the key of their packets.

The rule: a flow stands in the table while a direction is open or an end is known under its key, and
no longer: whoever closes, or forgets, the last of them frees it.
"""

import os

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

cdef enum:
    FIRST_FLOWS = 64
    FIRST_SLOTS = 256


cdef class FlowTable:
    """Open addressing over numbers of flows; the hash is seeded, because captures are hostile."""

    def __cinit__(self):
        self.slots = <Slot *>calloc(FIRST_SLOTS, sizeof(Slot))
        self.flows = <Flow *>calloc(FIRST_FLOWS, sizeof(Flow))
        if self.slots == NULL or self.flows == NULL:
            raise MemoryError
        self.mask = FIRST_SLOTS - 1
        self.room = FIRST_FLOWS
        self.used = 1
        cdef bytes chance = os.urandom(16)
        memcpy(self.seeds, PyBytes_AS_STRING(chance), 16)

    def __dealloc__(self):
        free(self.slots)
        free(self.flows)

    cdef int64_t end_of(self, const uint8_t *key, uint8_t size) noexcept nogil:
        """Return the sequence number at which the last direction ended; -1: not known."""
        cdef Flow *flow = &self.flows[number_of(self, key, size)]
        return <int64_t>flow.end if flow.has_end else -1

    cdef int open(self, const uint8_t *key, uint8_t size, object direction) except -1:
        """Put a direction in; it must be taken out before it dies. Its earlier end is forgotten."""
        cdef uint32_t number = number_of(self, key, size)
        if not number:
            number = self._add(key, size)
        elif self.flows[number].has_end:
            self._unlink(number)
        self.flows[number].direction = <void *>direction
        return 0

    cdef void close(self, const uint8_t *key, uint8_t size, object direction) noexcept:
        """Take a direction out, unless another one has its place."""
        cdef uint32_t number = number_of(self, key, size)
        if number and self.flows[number].direction == <void *>direction:
            self.flows[number].direction = NULL
            if not self.flows[number].has_end:
                self._release(number)

    cdef int note_end(self, const uint8_t *key, uint8_t size, uint32_t end) except -1:
        """Note where a direction ended; one that is noted already keeps its age."""
        cdef uint32_t number = number_of(self, key, size), newest = self.flows[0].older
        if not number:
            number = self._add(key, size)
        cdef Flow *flow = &self.flows[number]
        flow.end = end
        if not flow.has_end:
            flow.has_end = 1
            flow.older, flow.newer = newest, 0
            self.flows[newest].newer = number
            self.flows[0].older = number
            self.ends += 1
        return 0

    cdef void forget_end(self, const uint8_t *key, uint8_t size) noexcept:
        cdef uint32_t number = number_of(self, key, size)
        if number and self.flows[number].has_end:
            self._unlink(number)
            if self.flows[number].direction == NULL:
                self._release(number)

    cdef void forget_oldest_end(self) noexcept:
        cdef uint32_t number = self.flows[0].newer
        if number:
            self._unlink(number)
            if self.flows[number].direction == NULL:
                self._release(number)

    cdef bytes key_of(self, uint32_t number):
        cdef Flow *flow = &self.flows[number]
        return PyBytes_FromStringAndSize(<const char *>flow.key, flow.key_size)

    cdef dict directions(self):
        """Return the open directions by their key."""
        cdef dict found = {}
        cdef uint32_t number
        cdef size_t at
        for at in range(self.mask + 1):
            number = self.slots[at].flow
            if self.flows[number].direction != NULL:  # that of flow 0 is
                found[self.key_of(number)] = <object>self.flows[number].direction
        return found

    cdef dict noted_ends(self):
        """Return the ends by their key, the oldest first."""
        cdef dict found = {}
        cdef uint32_t number = self.flows[0].newer
        while number:
            found[self.key_of(number)] = self.flows[number].end
            number = self.flows[number].newer
        return found

    cdef void _unlink(self, uint32_t number) noexcept:
        cdef Flow *flow = &self.flows[number]
        self.flows[flow.older].newer = flow.newer
        self.flows[flow.newer].older = flow.older
        flow.has_end = 0
        self.ends -= 1

    cdef void _release(self, uint32_t number) noexcept:
        """Free a flow; the slots behind its own move up, so that searches need no marks."""
        cdef Flow *flow = &self.flows[number]
        cdef size_t hole = hash_of(self, flow.key, flow.key_size) & self.mask, at
        while self.slots[hole].flow != number:
            hole = (hole + 1) & self.mask
        at = (hole + 1) & self.mask
        while self.slots[at].flow:
            if ((at - self.slots[at].hash) & self.mask) >= ((at - hole) & self.mask):
                self.slots[hole] = self.slots[at]
                hole = at
            at = (at + 1) & self.mask
        self.slots[hole].flow = 0
        flow.newer = self.vacant
        self.vacant = number
        self.count -= 1

    cdef uint32_t _add(self, const uint8_t *key, uint8_t size) except 0:
        cdef uint32_t number, hash = hash_of(self, key, size)
        if 2 * (<size_t>self.count + 1) > self.mask:
            self._widen_slots()
        if not self.vacant and self.used == self.room:
            self._widen_flows()
        if self.vacant:
            number = self.vacant
            self.vacant = self.flows[number].newer
        else:
            number = self.used
            self.used += 1
        cdef Flow *flow = &self.flows[number]
        memset(flow, 0, sizeof(Flow))
        memcpy(flow.key, key, size)
        flow.key_size = size
        cdef size_t at = hash & self.mask
        while self.slots[at].flow:
            at = (at + 1) & self.mask
        self.slots[at].hash, self.slots[at].flow = hash, number
        self.count += 1
        return number

    cdef int _widen_flows(self) except -1:
        if self.room >= <uint32_t>1 << 31:
            raise MemoryError
        cdef void *wider = realloc(self.flows, 2 * <size_t>self.room * sizeof(Flow))
        if wider == NULL:
            raise MemoryError
        self.flows = <Flow *>wider
        self.room *= 2
        return 0

    cdef int _widen_slots(self) except -1:
        cdef size_t mask = 2 * self.mask + 1, at, k
        cdef Slot *wider = <Slot *>calloc(mask + 1, sizeof(Slot))
        if wider == NULL:
            raise MemoryError
        for k in range(self.mask + 1):
            if self.slots[k].flow:
                at = self.slots[k].hash & mask
                while wider[at].flow:
                    at = (at + 1) & mask
                wider[at] = self.slots[k]
        free(self.slots)
        self.slots, self.mask = wider, mask
        return 0
