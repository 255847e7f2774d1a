"""TCP reassembly: the compiled twin of ``dissectors.transport.reassembly`` and ``direction``.

The rule: every decision is the reference's, function by function and under the same names; what
differs is what it costs. A packet whose payload is the next of its direction moves two numbers and
leaves a mark of 16 bytes; openings and ends work on C fields; only what waits, or was sent twice,
or fits nowhere becomes a ``Segment``. Bytes that were handed on are not kept: where a retransmission
must be compared with them they are read again from the capture (``read_back``).
"""

from bisect import bisect_right, insort
from operator import attrgetter
import os

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_INCREF, Py_XDECREF, PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memcpy, memset

from dissectors._speedups.packet cimport Packet

from dissectors.model import Chunk, Conflict, Gap, Opened, Segment, StreamEnd
from dissectors.transport import direction as of_direction
from dissectors.transport import reassembly as of_reassembly
from dissectors.transport.direction import _later_pieces, _part
from dissectors.transport.reassembly import _looks_like_client

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
    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    ACK = 0x10

# Fields of dissectors.model.Segment.
cdef enum:
    FRAME = 0
    TIME_NS = 1
    DIGITS = 2
    KEY = 3
    SEQ = 4
    FLAGS = 6
    PAYLOAD = 7
    OFFSET = 8
    MISSING = 9
    FRAGMENTS = 10

cdef enum:
    HISTORY_SEGMENTS = 8  # a power of two
    HISTORY_BYTES = 8 << 10
    SEGMENT_COST = 64
    FIRST_FLOWS = 64
    FIRST_SLOTS = 256

cdef uint64_t MAX_OFFSET = 1 << 49  # what a place has room for; no file is so long

if (HISTORY_SEGMENTS, HISTORY_BYTES, SEGMENT_COST) != (
    of_direction.HISTORY_SEGMENTS, of_direction.HISTORY_BYTES, of_direction.SEGMENT_COST
):
    raise ImportError("the twin was compiled for other limits than those of the reference")

_new = tuple.__new__
_frame = attrgetter("frame")


# sequence numbers


cdef inline int64_t distance(uint32_t seq, uint32_t base) noexcept nogil:
    """Return ``seq - base`` as the nearest signed number (RFC 9293 3.4)."""
    return <int32_t>(seq - base)


# keys


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


cdef bytes reversed_key(const uint8_t *key, uint8_t size):
    """Return the key of the opposite direction."""
    cdef uint8_t turned[36]
    cdef uint8_t half = (size - 4) >> 1
    memcpy(turned, key + half, half)
    memcpy(turned + half, key, half)
    memcpy(turned + size - 4, key + size - 2, 2)
    memcpy(turned + size - 2, key + size - 4, 2)
    return PyBytes_FromStringAndSize(<const char *>turned, size)


cdef inline const uint8_t *raw(bytes data) noexcept:
    return <const uint8_t *>PyBytes_AS_STRING(data)


@cython.final
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
        memcpy(self.seeds, raw(chance), 16)

    def __dealloc__(self):
        free(self.slots)
        free(self.flows)

    cdef inline uint32_t hash_of(self, const uint8_t *key, uint8_t size) noexcept nogil:
        """Hash as wyhash does: 16 bytes a multiplication, and one for the rest."""
        cdef uint64_t state = self.seeds[1]
        if size == 36:
            state = xccos_mix(eight(key) ^ self.seeds[0], eight(key + 8) ^ state)
            state = xccos_mix(eight(key + 16) ^ self.seeds[0], eight(key + 24) ^ state)
            state = xccos_mix(four(key + 32) ^ self.seeds[0], self.seeds[1] ^ state)
        else:
            state = xccos_mix(eight(key) ^ self.seeds[0], four(key + 8) ^ state)
        return <uint32_t>(xccos_mix(state ^ self.seeds[0], self.seeds[1] ^ size) >> 32)

    cdef inline uint32_t number_of(self, const uint8_t *key, uint8_t size) noexcept nogil:
        """Return the number of a flow; 0 where there is none."""
        cdef uint32_t hash = self.hash_of(key, size)
        cdef size_t at = hash & self.mask
        cdef Slot slot = self.slots[at]
        cdef Flow *flow
        while slot.flow:
            if slot.hash == hash:
                flow = &self.flows[slot.flow]
                if flow.key_size == size and same_key(flow.key, key, size):
                    return slot.flow
            at = (at + 1) & self.mask
            slot = self.slots[at]
        return 0

    cdef inline void *direction_of(self, const uint8_t *key, uint8_t size) noexcept nogil:
        return self.flows[self.number_of(key, size)].direction  # that of flow 0 is NULL

    cdef int64_t end_of(self, const uint8_t *key, uint8_t size) noexcept nogil:
        """Return the sequence number at which the last direction ended; -1: not known."""
        cdef Flow *flow = &self.flows[self.number_of(key, size)]
        return <int64_t>flow.end if flow.has_end else -1

    cdef int open(self, const uint8_t *key, uint8_t size, Direction direction) except -1:
        """Put a direction in; it must be taken out before it dies. Its earlier end is forgotten."""
        cdef uint32_t number = self.number_of(key, size)
        if not number:
            number = self._add(key, size)
        elif self.flows[number].has_end:
            self._unlink(number)
        self.flows[number].direction = <void *>direction
        return 0

    cdef void close(self, const uint8_t *key, uint8_t size, Direction direction) noexcept:
        """Take a direction out, unless another one has its place."""
        cdef uint32_t number = self.number_of(key, size)
        if number and self.flows[number].direction == <void *>direction:
            self.flows[number].direction = NULL
            if not self.flows[number].has_end:
                self._release(number)

    cdef int note_end(self, const uint8_t *key, uint8_t size, uint32_t end) except -1:
        """Note where a direction ended; one that is noted already keeps its age."""
        cdef uint32_t number = self.number_of(key, size), newest = self.flows[0].older
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
        cdef uint32_t number = self.number_of(key, size)
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
                found[self.key_of(number)] = <Direction>self.flows[number].direction
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
        cdef size_t hole = self.hash_of(flow.key, flow.key_size) & self.mask, at
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
        cdef uint32_t number, hash = self.hash_of(key, size)
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


# Where bytes that were handed on are: an odd number says where in the capture file (offset, 14 bits
# of length, 1), an even one is the address of a bytes object that is kept.


cdef inline uint64_t in_file(uint64_t offset, Py_ssize_t size) noexcept nogil:
    return offset << 15 | <uint64_t>size << 1 | 1


cdef inline uint64_t as_kept(bytes data) noexcept:
    Py_INCREF(data)
    return <uint64_t><uintptr_t><PyObject *>data


cdef inline void forget_place(uint64_t place) noexcept:
    if not place & 1:
        Py_XDECREF(<PyObject *><uintptr_t>place)


cdef inline Py_ssize_t size_of(uint64_t place) noexcept:
    if place & 1:
        return <Py_ssize_t>(place >> 1 & 0x3FFF)
    return PyBytes_GET_SIZE(<object><PyObject *><uintptr_t>place)


# segments and packets


cdef inline uint32_t seq_of(object segment) except? 0:
    return (<tuple>segment)[SEQ]


cdef inline bytes payload_of(object segment):
    return <bytes>(<tuple>segment)[PAYLOAD]


cdef inline int64_t frame_of(object segment) except? -1:
    return (<tuple>segment)[FRAME]


cdef inline int64_t missing_of(object segment) except? -1:
    return (<tuple>segment)[MISSING]


cdef Arrival of_packet(const Packet *packet) noexcept nogil:
    cdef Arrival it
    it.packet = packet
    it.segment = NULL
    it.key = &packet.key[0]
    it.key_size = packet.key_size
    it.flags, it.seq, it.frame = packet.flags, packet.seq, packet.frame
    it.size, it.missing = packet.size, 0
    return it


cdef int of_segment(object segment, Arrival *it) except -1:
    """Look at a segment, which must live as long as what was seen of it."""
    if type(segment) is not Segment:
        raise TypeError("a Segment is needed")
    cdef tuple fields = <tuple>segment
    cdef object key = fields[KEY], payload = fields[PAYLOAD]
    if type(key) is not bytes or type(payload) is not bytes:
        raise TypeError("a key and a payload of bytes are needed")
    if len(key) != 12 and len(key) != 36:
        raise ValueError("a key has 12 or 36 bytes")
    it.packet, it.segment = NULL, <void *>segment
    it.key, it.key_size = raw(key), <uint8_t>len(key)
    it.flags, it.seq, it.frame = fields[FLAGS], fields[SEQ], fields[FRAME]
    it.size, it.missing = len(payload), <uint32_t>fields[MISSING]
    return 0


cdef object segment_of(Arrival *it):
    """Return what arrived as a segment."""
    cdef const Packet *packet = it.packet
    if packet == NULL:
        segment = <object>it.segment
        return segment if it.seq == seq_of(segment) else segment._replace(seq=it.seq)
    return _new(
        Segment,
        (
            packet.frame, packet.time_ns, packet.digits,
            PyBytes_FromStringAndSize(<const char *>packet.key, packet.key_size),
            it.seq, packet.ack, packet.flags,
            PyBytes_FromStringAndSize(<const char *>packet.payload, packet.size),
            packet.offset, 0, (),
        ),
    )


cdef inline object time_of(Arrival *it):
    return it.packet.time_ns if it.packet != NULL else (<tuple><object>it.segment)[TIME_NS]


cdef class Direction:
    """One direction of a connection. Events go into a list: its direction, the event, and so on."""

    def __cinit__(self):
        self.fin = -1

    def __dealloc__(self):
        self.forget_history()

    cdef int64_t first_known(self) except -2:
        """Return the lowest sequence number seen, or of a FIN; -1 where there was nothing."""
        if self.begun:
            return self.first
        if self.pending_bytes:
            return seq_of((<tuple>self.pending[0])[2])
        return <int64_t>self.fin_seq if self.has_fin_seq else -1

    cdef int take(self, Reassembler machine, object segment, list out) except -1:
        """Take a segment whose place in this direction is plausible."""
        if not self.begun:
            return self._hold(machine, segment, out)
        cdef int64_t delta = distance(seq_of(segment), self.next_seq)
        if delta <= 0 and not self.pending_bytes:
            return self._hand_on(machine, self.position + delta, segment, out)
        # Also what fills a hole waits for a moment: it may overlap what waits behind it.
        self._insert(machine, self.position + delta, segment, out)
        self._drain(machine, out)
        while self.pending_bytes and self._over_limit(machine):
            self._skip_hole(out)
            self._drain(machine, out)
        return 0

    cdef int begin(self, Reassembler machine, uint32_t seq, list out) except -1:
        """Begin at the sequence number ``seq``; what was held is taken."""
        cdef list held = self.pending
        cdef int64_t far = machine._limits.far
        self.forget_pending(machine)
        self.begun = 1
        self.next_seq = self.first = seq
        self.position = 0
        if held is not None:
            for one in held:
                segment = (<tuple>one)[2]
                if -far < distance(seq_of(segment), seq) < far:
                    self.take(machine, segment, out)
                else:
                    self.keep_stray(machine, segment)
        if self.has_fin_seq:
            self.end_at(machine, self.fin_seq, self.fin_frame)
        return 0

    cdef int begin_held(self, Reassembler machine, list out) except -1:
        """Begin with the lowest of the segments that were held."""
        if not self.begun and self.pending_bytes:
            self.begin(machine, seq_of((<tuple>self.pending[0])[2]), out)
        return 0

    cdef void end_at(self, Reassembler machine, uint32_t seq, int64_t frame) noexcept:
        """Note that a FIN in ``frame`` has the sequence number ``seq``, unless that cannot be."""
        cdef int64_t delta
        if self.dropped:
            self.fin = self.position
        elif self.begun and self.fin < 0:
            delta = distance(seq, self.next_seq)
            if not 0 <= delta < machine._limits.far:
                self.has_fin_seq = 0
                return
            self.fin = self.position + delta
        self.has_fin_seq = 1
        self.fin_seq, self.fin_frame = seq, frame

    cdef int flush(self, Reassembler machine, list out) except -1:
        """Hand on everything that waits, holes and all."""
        if self.dropped:
            self.forget_pending(machine)
        self.begin_held(machine, out)
        while self.pending_bytes:
            self._skip_hole(out)
            self._drain(machine, out)
        if not self.begun and self.has_fin_seq:
            self.begin(machine, self.fin_seq, out)
        if self.fin >= 0 and not self.closed:
            self._advance(self.fin - self.position, self.fin_frame, out)
        return 0

    cdef int keep_stray(self, Reassembler machine, object segment) except -1:
        """Keep a segment that fits nowhere, as far as there is room."""
        if self.strays is None:
            self.strays = []
        if (
            len(self.strays) < machine._limits.strays
            and machine.pending <= machine._limits.pending_total
        ):
            self.strays.append(segment)
            machine.pending += len(payload_of(segment)) + SEGMENT_COST
        return 0

    cdef list take_strays(self, Reassembler machine):
        """Return the segments that fitted nowhere, and forget them."""
        cdef list strays = self.strays
        if strays is None:
            return []
        self.strays = None
        for stray in strays:
            machine.pending -= len(payload_of(stray)) + SEGMENT_COST
        return strays

    cdef list waiting_frames(self):
        """Return the frames of the segments that are kept back."""
        cdef list frames = [frame_of((<tuple>one)[2]) for one in self.pending or ()]
        return frames + [frame_of(stray) for stray in self.strays or ()]

    cdef void forget_pending(self, Reassembler machine) noexcept:
        machine.pending -= self.pending_bytes
        self.pending_bytes = 0
        self.pending = None

    cdef void forget_history(self) noexcept:
        cdef uint8_t k
        if self.history != NULL:
            for k in range(self.handed_count):
                forget_place(self.history[k].place)
            PyMem_Free(self.history)
            self.history = NULL
        self.handed_count = self.handed_oldest = 0

    cdef int remember(self, int64_t position, uint64_t place) except -1:
        """Remember bytes that were handed on, in place of the oldest where there is no room."""
        cdef uint8_t at = self.handed_count
        if at < HISTORY_SEGMENTS:
            if self.history == NULL:
                self.history = <Handed *>PyMem_Malloc(HISTORY_SEGMENTS * sizeof(Handed))
                if self.history == NULL:
                    forget_place(place)
                    raise MemoryError
            self.handed_count += 1
        else:
            at = self.handed_oldest
            self.handed_oldest = (at + 1) & (HISTORY_SEGMENTS - 1)
            forget_place(self.history[at].place)
        self.history[at].position, self.history[at].place = position, place
        return 0

    cdef int compare(
        self, Reassembler machine, int64_t position, const uint8_t *payload, Py_ssize_t size,
        int64_t frame, list out
    ) except -1:
        """Compare a retransmission with what was handed on, as far as that is still known."""
        cdef int64_t low, high, start, differing = 0
        cdef uint8_t k
        if size == 1 and position == self.position - 1:
            return 0  # a keep-alive probe repeats one byte, often with garbage (RFC 1122 4.2.3.6)
        for k in range(self.handed_count):
            start = self.history[k].position
            low = max(start, position)
            high = min(start + size_of(self.history[k].place), position + size)
            if low < high and not machine._is_repeated(
                self.history[k].place, low - start, payload + (low - position), high - low
            ):
                differing += high - low
        if differing:
            out.append(self)
            out.append(_new(Conflict, (self.stream, frame, differing)))
        return 0

    cdef bint _over_limit(self, Reassembler machine) noexcept:
        return (
            self.pending_bytes > self.limit or machine.pending > machine._limits.pending_total
        )

    cdef int _hold(self, Reassembler machine, object segment, list out) except -1:
        """Keep what came before the beginning of the direction is known."""
        cdef int64_t at = 0
        cdef tuple lowest
        if self.pending_bytes:
            lowest = <tuple>self.pending[0]
            at = <int64_t>lowest[0] + distance(seq_of(segment), seq_of(lowest[2]))
        self._insert(machine, at, segment, out)
        if (
            len(self.pending) % machine._limits.hold_segments == 0 and self._is_contiguous()
        ) or self._over_limit(machine):
            self.begin_held(machine, out)
        return 0

    cdef bint _is_contiguous(self) except -1:
        cdef list pending = self.pending
        cdef tuple one
        cdef Py_ssize_t k
        for k in range(len(pending) - 1):
            one = <tuple>pending[k]
            if (
                <int64_t>one[0] + len(<bytes>one[1]) + missing_of(one[2])
                < <int64_t>(<tuple>pending[k + 1])[0]
            ):
                return False
        return True

    cdef int _insert(self, Reassembler machine, int64_t at, object segment, list out) except -1:
        """Put a segment among the waiting ones; where they overlap, those that wait stay."""
        if self.pending is None:
            self.pending = []
        cdef list pending = self.pending, gaps
        cdef bytes payload = payload_of(segment)
        cdef int64_t end = at + len(payload), differing = 0, low, high
        cdef Py_ssize_t index = place_of(pending, at), count = len(pending)
        cdef tuple before
        if index == count or end <= <int64_t>(<tuple>pending[index])[0]:
            before = <tuple>pending[index - 1] if index else None
            if before is None or <int64_t>before[0] + len(<bytes>before[1]) <= at:
                return self._wait(machine, index, at, segment)
        gaps = self._uncovered(max(index - 1, 0), at, payload, &differing)
        if differing:
            out.append(self)
            out.append(_new(Conflict, (self.stream, frame_of(segment), differing)))
        if missing_of(segment) and (not gaps or <int64_t>(<tuple>gaps[len(gaps) - 1])[1] < end):
            gaps.append((end, end))  # what is missing behind the payload is kept in mind too
        if not gaps:
            machine.retransmissions += 1
        for gap in gaps:
            low = (<tuple>gap)[0]
            high = (<tuple>gap)[1]
            part = _part(segment, low - at, high - at)
            self._wait(machine, place_of(pending, low), low, part)
        return 0

    cdef list _uncovered(self, Py_ssize_t index, int64_t at, bytes payload, int64_t *differing):
        """Return the ranges that nothing waiting covers; count the bytes that are contradicted."""
        cdef list gaps = [], pending = self.pending
        cdef int64_t position = at, end = at + len(payload), waiting, low, high, reach
        cdef tuple one
        cdef bytes data
        while at < end and index < len(pending):
            one = <tuple>pending[index]
            waiting, data = <int64_t>one[0], <bytes>one[1]
            index += 1
            reach = waiting + len(data)
            low, high = max(at, waiting), min(end, reach)
            if low < high and memcmp(
                raw(payload) + (low - position), raw(data) + (low - waiting), high - low
            ):
                differing[0] += high - low
            if at < min(waiting, end):
                gaps.append((at, min(waiting, end)))
            at = max(at, reach)
        if at < end:
            gaps.append((at, end))
        return gaps

    cdef int _wait(
        self, Reassembler machine, Py_ssize_t index, int64_t at, object segment
    ) except -1:
        cdef bytes payload = payload_of(segment)
        self.pending.insert(index, (at, payload, segment))
        self.pending_bytes += len(payload) + SEGMENT_COST
        machine.pending += len(payload) + SEGMENT_COST
        return 0

    cdef int _skip_hole(self, list out) except -1:
        cdef tuple lowest = <tuple>self.pending[0]
        return self._advance(<int64_t>lowest[0] - self.position, frame_of(lowest[2]), out)

    cdef int _advance(self, int64_t length, int64_t frame, list out) except -1:
        """Give up on ``length`` bytes."""
        if length > 0 and self.begun:
            out.append(self)
            out.append(_new(Gap, (self.stream, length, frame)))
            self.position += length
            self.next_seq += <uint32_t>length
        return 0

    cdef int _hand_on(self, Reassembler machine, int64_t at, object segment, list out) except -1:
        """Hand on what is new of a segment that begins at or before the expected position."""
        cdef bytes payload = payload_of(segment)
        cdef int64_t known = self.position - at, missing = missing_of(segment), end
        if known > 0:
            self.compare(machine, at, raw(payload), len(payload), frame_of(segment), out)
        if known < len(payload):
            self._hand_on_new(segment, payload, known, out)
        elif not missing:
            machine.retransmissions += 1
        end = at + len(payload) + missing
        if missing and end > self.position:
            # A frame cut by the snap length: a retransmission would be cut as well.
            if self.pending_bytes:
                end = min(end, max(self.position, <int64_t>(<tuple>self.pending[0])[0]))
            self._advance(end - self.position, frame_of(segment), out)
        return 0

    cdef int _hand_on_new(self, object segment, bytes payload, Py_ssize_t known, list out) except -1:
        cdef tuple fields = <tuple>segment
        cdef object offset = fields[OFFSET], pieces = fields[FRAGMENTS]
        cdef bytes new = payload[known:] if known else payload
        cdef Py_ssize_t size = len(new), kept = min(size, HISTORY_BYTES)
        if known:
            offset, pieces = offset + known, _later_pieces(pieces, known)
        self.position += size
        self.next_seq += <uint32_t>size
        self.remember(self.position - kept, place_in(fields[FRAGMENTS], offset, new, kept))
        out.append(self)
        out.append(
            _new(
                Chunk,
                (
                    self.stream, new, fields[FRAME], fields[TIME_NS], fields[DIGITS], offset,
                    pieces,
                ),
            )
        )
        return 0

    cdef int _drain(self, Reassembler machine, list out) except -1:
        """Hand on waiting segments that have become due."""
        cdef tuple lowest
        cdef int64_t cost
        while self.pending_bytes:
            lowest = <tuple>self.pending[0]
            if <int64_t>lowest[0] > self.position:
                break
            del self.pending[0]
            cost = len(<bytes>lowest[1]) + SEGMENT_COST
            self.pending_bytes -= cost
            machine.pending -= cost
            self._hand_on(machine, <int64_t>lowest[0], lowest[2], out)
        return 0


cdef Py_ssize_t place_of(list pending, int64_t at) except -1:
    """Return where to insert what begins at ``at``: behind what begins there already."""
    cdef Py_ssize_t low = 0, high = len(pending), middle
    while low < high:
        middle = (low + high) >> 1
        if at < <int64_t>(<tuple>pending[middle])[0]:
            high = middle
        else:
            low = middle + 1
    return low


cdef inline uint64_t place_of_packet(const Packet *packet) except? 0:
    if packet.offset < MAX_OFFSET:
        return in_file(packet.offset, packet.size)
    return as_kept(PyBytes_FromStringAndSize(<const char *>packet.payload, packet.size))


cdef uint64_t place_in(object pieces, object offset, bytes data, Py_ssize_t size) except? 0:
    """Return the place of the last ``size`` of bytes that begin at an offset in the file."""
    begin = offset + (len(data) - size)
    if not pieces and 0 <= begin < MAX_OFFSET:
        return in_file(begin, size)
    return as_kept(data[len(data) - size :])


cdef class Connection:
    """Two directions: ``a`` from the side that opened it, ``b`` back."""


cdef class Reassembler:
    """Feed it packets and segments in capture order; it calls ``on_next`` and ``on_event``."""

    def __cinit__(self):
        self._flows = FlowTable()
        self._connections, self._closed, self._ended = {}, {}, []
        self._limits.pending = of_direction.MAX_PENDING
        self._limits.pending_other = of_direction.MAX_PENDING_OTHER
        self._limits.pending_total = of_direction.MAX_PENDING_TOTAL
        self._limits.far = of_direction.FAR
        self._limits.hold_segments = of_direction.HOLD_SEGMENTS
        self._limits.strays = of_direction.MAX_STRAYS
        self._limits.keep_closed = of_reassembly.KEEP_CLOSED
        self._limits.keep_ends = of_reassembly.KEEP_TOMBSTONES
        self._limits.connections = of_reassembly.MAX_CONNECTIONS

    cdef int feed_packet(self, const Packet *packet) except -1:
        cdef void *found = self._flows.direction_of(packet.key, packet.key_size)
        cdef Direction direction
        cdef Arrival it
        cdef int64_t position
        if found == NULL:
            if packet.flags & SYN or (packet.size and not packet.flags & RST):
                it = of_packet(packet)
                self._unusual(None, &it)
            return 0
        direction = <Direction>found
        if not packet.flags & (SYN | FIN | RST):
            if direction.dropped or not packet.size:
                return 0
            if (
                packet.seq == direction.next_seq and direction.begun
                and not direction.pending_bytes and direction.fin < 0
            ):
                position = direction.position
                direction.next_seq = packet.seq + <uint32_t>packet.size
                direction.position = position + packet.size
                if packet.size <= HISTORY_BYTES:
                    direction.remember(position, place_of_packet(packet))
                return self.on_next(direction, packet)
        it = of_packet(packet)
        return self._unusual(direction, &it)

    cdef int feed_segment(self, object segment) except -1:
        cdef Arrival it
        of_segment(segment, &it)
        cdef Direction direction = self._direction(it.key, it.key_size)
        if direction is None:
            if it.flags & SYN or ((it.size or it.missing) and not it.flags & RST):
                self._unusual(None, &it)
            return 0
        if not it.flags & (SYN | FIN | RST):
            if direction.dropped or not (it.size or it.missing):
                return 0
            if (
                it.seq == direction.next_seq and direction.begun
                and not direction.pending_bytes and not it.missing and direction.fin < 0
            ):
                return self._next_segment(direction, segment, &it)
        return self._unusual(direction, &it)

    cdef int64_t oldest_waiting(self) except -2:
        """Return the lowest frame of a segment that is kept back; -1 where none is."""
        cdef Connection connection
        cdef list frames = []
        if self.pending:
            for connection in self._connections.values():
                frames += connection.a.waiting_frames()
                frames += connection.b.waiting_frames()
        return min(frames, default=-1)

    cdef int finish(self) except -1:
        cdef list out = []
        cdef Connection connection
        while self._connections:  # segments that fitted nowhere open connections of their own
            for connection in list(self._connections.values()):
                if connection.number in self._connections:  # not ended by what came before
                    self._end(connection, "end", 0, out)
        return self._deliver(out)

    cdef int expect_more(self, Direction direction) except -1:
        direction.limit = self._limits.pending
        if direction.other is not None:
            direction.other.limit = self._limits.pending
        return 0

    cdef int drop(self, Direction direction) except -1:
        direction.dropped = 1
        direction.forget_pending(self)
        direction.forget_history()
        return 0

    cdef Direction new_direction(self):
        return Direction()

    cdef int on_next(self, Direction direction, const Packet *packet) except -1:
        return 0

    cdef int on_event(self, Direction direction, object event) except -1:
        return 0

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        raise NotImplementedError

    # events
    cdef int _next_segment(self, Direction direction, object segment, Arrival *it) except -1:
        """Hand on a segment that is the next in its direction, as a whole."""
        cdef tuple fields = <tuple>segment
        cdef bytes payload = <bytes>fields[PAYLOAD]
        cdef object pieces = fields[FRAGMENTS], offset = fields[OFFSET]
        cdef int64_t position = direction.position
        direction.next_seq += <uint32_t>it.size
        direction.position += it.size
        if it.size <= HISTORY_BYTES:
            direction.remember(position, place_in(pieces, offset, payload, it.size))
        cdef object chunk = _new(
            Chunk,
            (
                direction.stream, payload, it.frame, fields[TIME_NS], fields[DIGITS], offset,
                pieces,
            ),
        )
        return self.on_event(direction, chunk)

    cdef int _unusual(self, Direction direction, Arrival *it) except -1:
        """Take what needs a decision; what comes of it is handed on when all is decided."""
        cdef list out = []
        if direction is None:
            self._unknown(it, out)
        elif it.flags & (SYN | FIN | RST):
            self._control(direction, it, out)
        else:
            self._data(direction, it, out)
        return self._deliver(out)

    cdef int _deliver(self, list out) except -1:
        cdef Py_ssize_t k
        cdef Connection connection
        for k in range(0, len(out), 2):
            self.on_event(<Direction>out[k], out[k + 1])
        if self._ended:
            for connection in self._ended:  # its parts hold one another
                connection.a.other = connection.b.other = None
                connection.a.connection = connection.b.connection = None
            self._ended.clear()
        return 0

    # connections

    cdef Direction _direction(self, const uint8_t *key, uint8_t size):
        cdef void *found = self._flows.direction_of(key, size)
        return <Direction>found if found != NULL else None

    cdef int _unknown(self, Arrival *it, list out) except -1:
        """Take the first packet of a connection."""
        cdef bytes opener = PyBytes_FromStringAndSize(<const char *>it.key, it.key_size)
        cdef int64_t end
        cdef bint turned
        if it.flags & SYN:
            turned = it.flags & ACK != 0
        else:
            end = self._flows.end_of(it.key, it.key_size)
            if end >= 0 and 0 < <int64_t>(<uint32_t>end - it.seq) <= self._limits.far:
                self.retransmissions += 1
                return 0
            turned = not _looks_like_client(opener)
        if turned:
            opener = reversed_key(it.key, it.key_size)
        self._open(opener, it, out)
        if it.flags & (SYN | FIN | RST):
            self._control(self._direction(it.key, it.key_size), it, out)
        else:
            self._data(self._direction(it.key, it.key_size), it, out)
        return 0

    cdef int _open(self, bytes opener, Arrival *it, list out) except -1:
        if len(self._connections) >= self._limits.connections:
            self._end(self._oldest_connection(), "end", it.frame, out)
        cdef Connection connection = Connection.__new__(Connection)
        cdef Direction a = self.new_direction(), b = self.new_direction()
        cdef uint8_t size = it.key_size
        connection.number, connection.key = self._count, opener
        connection.a, connection.b = a, b
        a.stream, b.stream = 2 * self._count, 2 * self._count + 1
        a.other, b.other = b, a
        a.connection = b.connection = connection
        a.limit = b.limit = self._limits.pending_other
        self._connections[self._count] = connection
        self._count += 1
        self._flows.open(raw(opener), size, a)
        self._flows.open(raw(reversed_key(raw(opener), size)), size, b)
        out.append(a)
        out.append(
            _new(
                Opened,
                (connection.number, opener, it.flags & SYN != 0, it.frame, time_of(it)),
            )
        )
        return 0

    cdef Direction _reopen(self, Direction direction, Arrival *it, list out):
        """The same ports are used again: end the old connection, begin a new one."""
        cdef Connection old = direction.connection
        cdef bytes opener = old.key
        self._end(old, "reused", it.frame, out)
        if it.flags & SYN:
            opener = PyBytes_FromStringAndSize(<const char *>it.key, it.key_size)
            if it.flags & ACK:
                opener = reversed_key(it.key, it.key_size)
        self._open(opener, it, out)
        return self._direction(it.key, it.key_size)

    cdef int _end(self, Connection connection, str how, int64_t frame, list out) except -1:
        cdef bytes key = connection.key, back = reversed_key(raw(key), <uint8_t>len(key))
        cdef uint8_t size = <uint8_t>len(key)
        cdef Direction direction
        cdef list strays = []
        self._flows.close(raw(key), size, connection.a)
        self._flows.close(raw(back), size, connection.b)
        del self._connections[connection.number]
        self._forget_closed(connection)
        self._ended.append(connection)
        for direction in (connection.a, connection.b):
            direction.flush(self, out)
            self._maybe_fin(direction, frame, out)
            if not direction.closed:
                out.append(direction)
                out.append(
                    _new(StreamEnd, (direction.stream, "rst" if connection.reset else how, frame))
                )
            if direction.begun:
                self._flows.note_end(raw(key), size, direction.next_seq)
            if direction.strays is not None:
                strays += direction.take_strays(self)
            key = back
        while self._flows.ends > self._limits.keep_ends:
            self._flows.forget_oldest_end()
        if strays:
            self._take_strays(strays, out)
        return 0

    cdef int _take_strays(self, list strays, list out) except -1:
        """Take segments that fitted nowhere as a connection whose SYN was not captured."""
        cdef Arrival it
        cdef Direction direction
        for segment in sorted(strays, key=_frame):
            of_segment(segment, &it)
            direction = self._direction(it.key, it.key_size)
            if direction is None:
                self._flows.forget_end(it.key, it.key_size)
                self._unknown(&it, out)
            elif not direction.dropped:
                self._data(direction, &it, out)
        return 0

    cdef Connection _oldest_connection(self):
        while self._oldest not in self._connections:  # each number is passed once
            self._oldest += 1
        return self._connections[self._oldest]

    cdef Connection _oldest_closed(self):
        while self._closed_oldest not in self._closed:
            self._closed_oldest += 1
        return self._closed[self._closed_oldest]

    # SYN, FIN, RST

    cdef int _control(self, Direction direction, Arrival *it, list out) except -1:
        if it.flags & SYN:
            direction = self._syn(direction, it, out)
            it.seq += 1  # SYN counts as one
        if it.flags & RST:  # its text is for people (RFC 9293 3.5.3), not part of the stream
            direction.connection.reset = True
            return self._close_later(direction, it.frame, out)
        if (it.size or it.missing) and not direction.dropped:
            direction = self._data(direction, it, out)
        if it.flags & FIN:
            self._fin(direction, it, out)
        return 0

    cdef Direction _syn(self, Direction direction, Arrival *it, list out):
        cdef uint32_t isn = it.seq
        cdef int64_t first, lead
        cdef bint again
        if direction.has_isn:
            again = direction.isn != isn
        else:
            # A SYN captured after the data that followed it is no new connection.
            first = direction.first_known()
            lead = 0 if first < 0 else distance(<uint32_t>first, isn + 1)
            again = direction.closed or not 0 <= lead <= self._limits.pending_other
        if again:
            direction = self._reopen(direction, it, out)
        if direction.connection.reset:  # what was refused is tried again
            direction.connection.reset = False
            self._forget_closed(direction.connection)
        direction.isn, direction.has_isn = isn, 1
        if not direction.begun:
            direction.begin(self, isn + 1, out)
            self._maybe_fin(direction, it.frame, out)
        return direction

    cdef int _fin(self, Direction direction, Arrival *it, list out) except -1:
        cdef Connection connection = direction.connection
        direction.end_at(self, it.seq + <uint32_t>it.size + <uint32_t>it.missing, it.frame)
        self._maybe_fin(direction, it.frame, out)
        if connection.a.has_fin_seq and connection.b.has_fin_seq:
            self._close_later(direction, it.frame, out)
        return 0

    cdef int _maybe_fin(self, Direction direction, int64_t frame, list out) except -1:
        # Bytes beyond it say that a FIN was none of this connection.
        if direction.fin < 0 or direction.position != direction.fin:
            return 0
        if not direction.closed and not direction.pending_bytes:
            direction.closed = 1
            direction.forget_history()
            out.append(direction)
            out.append(_new(StreamEnd, (direction.stream, "fin", frame)))
        return 0

    cdef int _close_later(self, Direction direction, int64_t frame, list out) except -1:
        """Keep a closed connection a while: its last segments may be captured out of order."""
        cdef Connection connection = direction.connection
        if not connection.closed_as:
            self._closed_count += 1
            connection.closed_as = self._closed_count
            self._closed[connection.closed_as] = connection
        if len(self._closed) > self._limits.keep_closed:
            self._end(self._oldest_closed(), "end", frame, out)
        return 0

    cdef int _forget_closed(self, Connection connection) except -1:
        if connection.closed_as:
            del self._closed[connection.closed_as]
            connection.closed_as = 0
        return 0

    # data

    cdef Direction _data(self, Direction direction, Arrival *it, list out):
        """Take what is not simply the next; return the direction that took it."""
        cdef int64_t delta, far = self._limits.far
        if direction.begun:
            delta = distance(it.seq, direction.next_seq)
            if not -far < delta < far or (direction.closed and delta >= 0):
                return self._far(direction, it, out)
            if direction.closed:
                self.retransmissions += 1
                return direction
            if it.packet != NULL and delta + it.size <= 0 and not direction.pending_bytes:
                # Nothing of it is new; a segment is not needed to say so.
                direction.compare(
                    self, direction.position + delta, it.packet.payload, it.size, it.frame, out
                )
                self.retransmissions += 1
                self._maybe_fin(direction, it.frame, out)
                return direction
        direction.take(self, segment_of(it), out)
        self._maybe_fin(direction, it.frame, out)
        return direction

    cdef Direction _far(self, Direction direction, Arrival *it, list out):
        """Take a segment that does not fit: the ports used again without a SYN, or forged bytes.

        One that stands alone is kept until the end of the connection; with a second one near it,
        or once the connection was closed, it begins a new connection.
        """
        cdef Connection connection = direction.connection
        cdef bint near = connection.closed_as != 0
        cdef int64_t between
        cdef Arrival of_stray
        if direction.strays is not None:
            for stray in direction.strays:
                between = distance(it.seq, seq_of(stray))
                if not between:  # the same again
                    self.retransmissions += 1
                    return direction
                near = near or -self._limits.pending < between < self._limits.pending
        if not near:
            direction.keep_stray(self, segment_of(it))
            return direction
        strays = connection.a.take_strays(self) + connection.b.take_strays(self)
        self._reopen(direction, it, out)
        for stray in sorted(strays, key=_frame):
            of_segment(stray, &of_stray)
            self._data(self._direction(of_stray.key, of_stray.key_size), &of_stray, out)
        return self._data(self._direction(it.key, it.key_size), it, out)

    cdef bint _is_repeated(
        self, uint64_t place, int64_t skip, const uint8_t *payload, Py_ssize_t size
    ) except -1:
        """Tell whether bytes are those at a place where others were handed on."""
        cdef bytes data
        if place & 1:
            data = self.read_back((place >> 15) + <uint64_t>skip, size)
            if data is None or len(data) != size:
                return True  # the source has them no more
            return memcmp(raw(data), payload, size) == 0
        data = <bytes><object><PyObject *><uintptr_t>place
        return memcmp(raw(data) + skip, payload, size) == 0


cdef class _Collecting(Reassembler):
    """Takes segments; where a packet can say the same, as a packet. Keeps all payloads."""

    cdef list _collected
    cdef dict _payloads  # by offset
    cdef list _offsets  # of them, ascending

    def __cinit__(self):
        self._collected, self._payloads, self._offsets = [], {}, []

    cdef int on_next(self, Direction direction, const Packet *packet) except -1:
        cdef bytes payload = PyBytes_FromStringAndSize(<const char *>packet.payload, packet.size)
        cdef tuple chunk = (
            direction.stream, payload, packet.frame, packet.time_ns, packet.digits, packet.offset,
            (),
        )
        self._collected.append(_new(Chunk, chunk))
        return 0

    cdef int on_event(self, Direction direction, object event) except -1:
        self._collected.append(event)
        return 0

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        cdef uint64_t begin = self._offsets[bisect_right(self._offsets, offset) - 1]
        cdef Py_ssize_t skip = offset - begin
        return (<bytes>self._payloads[begin])[skip : skip + size]

    def _take(self, segment):
        """Return the events that a segment causes."""
        cdef Packet packet
        cdef Arrival it
        of_segment(segment, &it)
        cdef tuple fields = <tuple>segment
        if not fields[FRAGMENTS]:
            if fields[OFFSET] not in self._payloads:
                insort(self._offsets, fields[OFFSET])
            self._payloads[fields[OFFSET]] = fields[PAYLOAD]
        if fields[FRAGMENTS] or it.missing:
            self.feed_segment(segment)
        else:
            memset(&packet, 0, sizeof(packet))
            packet.frame, packet.time_ns, packet.digits = it.frame, fields[TIME_NS], fields[DIGITS]
            packet.flags, packet.seq, packet.ack = <uint8_t>it.flags, it.seq, fields[SEQ + 1]
            packet.key_size, packet.offset = it.key_size, fields[OFFSET]
            memcpy(packet.key, it.key, it.key_size)
            packet.payload, packet.size = raw(<bytes>fields[PAYLOAD]), it.size
            self.feed_packet(&packet)
        return self._given()

    def _finish(self):
        self.finish()
        return self._given()

    def _settle(self, int64_t stream, bint drop):
        """Drop a direction, or let its connection wait longer; nothing once it has ended."""
        cdef Connection connection = self._connections.get(stream >> 1)
        cdef Direction direction
        if connection is not None:
            direction = connection.b if stream & 1 else connection.a
            if drop:
                self.drop(direction)
            else:
                self.expect_more(direction)

    def _given(self):
        given = self._collected
        self._collected = []
        return given

    def _table(self):
        """Return the open directions, and the ends that are remembered, both by their key."""
        return self._flows.directions(), self._flows.noted_ends()

    def _oldest_frame(self):
        cdef int64_t oldest = self.oldest_waiting()
        return None if oldest < 0 else oldest


class EventReassembler(_Collecting):
    """The twin with the methods of the reference; for segments of which the payloads are at hand."""

    def feed(self, segments):
        """Return the events that these segments cause, in order."""
        return list(self.events(segments))

    def events(self, segments):
        """Yield the events that these segments cause, in order."""
        for segment in segments:
            yield from self._take(segment)

    def oldest_waiting(self):
        """Return the lowest frame of a segment that is kept back; None where none is."""
        return self._oldest_frame()

    def close(self):
        """Return what is left at the end of the capture."""
        return self._finish()

    def expect_more(self, connection):
        """Let a connection wait longer at a hole: it is known to carry SIP."""
        self._settle(2 * connection, False)

    def drop(self, stream):
        """Hand on nothing more of this direction: it is known to carry something else."""
        self._settle(stream, True)

    # What the reference calls so; for tests.

    @property
    def _budget(self):
        return self

    @property
    def _flows(self):
        return self._table()[0]

    @property
    def _tombstones(self):
        return self._table()[1]
