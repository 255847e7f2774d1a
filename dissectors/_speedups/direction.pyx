"""One direction of a connection: the twin of ``dissectors.transport.direction``.

The rule: every decision is that of ``dissectors.transport.direction``, function by function and
under the same names. Bytes that were handed on are not kept: where a retransmission must be
compared with them they are read again from the capture (``read_back``).
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from dissectors._speedups.arrivals cimport (
    DIGITS, FRAGMENTS, FRAME, OFFSET, TIME_NS, distance, frame_of, missing_of, payload_of, seq_of,
)
from dissectors._speedups.places cimport forget_place, kept_at, place_in, raw, size_of

from dissectors.model import Chunk, Conflict, Gap
from dissectors.transport import direction as _direction
from dissectors.transport.direction import _later_pieces, _part

if (HISTORY_SEGMENTS, HISTORY_BYTES, SEGMENT_COST) != (
    _direction.HISTORY_SEGMENTS, _direction.HISTORY_BYTES, _direction.SEGMENT_COST
):
    raise ImportError("the twin was compiled for other limits than those of the reference")

_new = tuple.__new__


cdef class Machine:
    """What the directions of a reassembler have in common, which is itself one."""

    def __cinit__(self):
        self.limits.pending = _direction.MAX_PENDING
        self.limits.pending_other = _direction.MAX_PENDING_OTHER
        self.limits.pending_total = _direction.MAX_PENDING_TOTAL
        self.limits.far = _direction.FAR
        self.limits.hold_segments = _direction.HOLD_SEGMENTS
        self.limits.strays = _direction.MAX_STRAYS

    cdef bytes read_back(self, uint64_t offset, Py_ssize_t size):
        raise NotImplementedError

    cdef bint is_repeated(
        self, uint64_t place, int64_t skip, const uint8_t *payload, Py_ssize_t size
    ) except -1:
        """Tell whether bytes are those at a place where others were handed on."""
        cdef bytes data
        if place & 1:
            data = self.read_back((place >> 15) + <uint64_t>skip, size)
            if data is None or len(data) != size:
                return True  # the source has them no more
            return memcmp(raw(data), payload, size) == 0
        data = kept_at(place)
        return memcmp(raw(data) + skip, payload, size) == 0


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

    cdef int take(self, Machine machine, object segment, list out) except -1:
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

    cdef int begin(self, Machine machine, uint32_t seq, list out) except -1:
        """Begin at the sequence number ``seq``; what was held is taken."""
        cdef list held = self.pending
        cdef int64_t far = machine.limits.far
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

    cdef int begin_held(self, Machine machine, list out) except -1:
        """Begin with the lowest of the segments that were held."""
        if not self.begun and self.pending_bytes:
            self.begin(machine, seq_of((<tuple>self.pending[0])[2]), out)
        return 0

    cdef void end_at(self, Machine machine, uint32_t seq, int64_t frame) noexcept:
        """Note that a FIN in ``frame`` has the sequence number ``seq``, unless that cannot be."""
        cdef int64_t delta
        if self.dropped:
            self.fin = self.position
        elif self.begun and self.fin < 0:
            delta = distance(seq, self.next_seq)
            if not 0 <= delta < machine.limits.far:
                self.has_fin_seq = 0
                return
            self.fin = self.position + delta
        self.has_fin_seq = 1
        self.fin_seq, self.fin_frame = seq, frame

    cdef int flush(self, Machine machine, list out) except -1:
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

    cdef int keep_stray(self, Machine machine, object segment) except -1:
        """Keep a segment that fits nowhere, as far as there is room."""
        if self.strays is None:
            self.strays = []
        if (
            len(self.strays) < machine.limits.strays
            and machine.pending <= machine.limits.pending_total
        ):
            self.strays.append(segment)
            machine.pending += len(payload_of(segment)) + SEGMENT_COST
        return 0

    cdef list take_strays(self, Machine machine):
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

    cdef void forget_pending(self, Machine machine) noexcept:
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
        self, Machine machine, int64_t position, const uint8_t *payload, Py_ssize_t size,
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
            if low < high and not machine.is_repeated(
                self.history[k].place, low - start, payload + (low - position), high - low
            ):
                differing += high - low
        if differing:
            out.append(self)
            out.append(_new(Conflict, (self.stream, frame, differing)))
        return 0

    cdef bint _over_limit(self, Machine machine) noexcept:
        return (
            self.pending_bytes > self.limit or machine.pending > machine.limits.pending_total
        )

    cdef int _hold(self, Machine machine, object segment, list out) except -1:
        """Keep what came before the beginning of the direction is known."""
        cdef int64_t at = 0
        cdef tuple lowest
        if self.pending_bytes:
            lowest = <tuple>self.pending[0]
            at = <int64_t>lowest[0] + distance(seq_of(segment), seq_of(lowest[2]))
        self._insert(machine, at, segment, out)
        if (
            len(self.pending) % machine.limits.hold_segments == 0 and self._is_contiguous()
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

    cdef int _insert(self, Machine machine, int64_t at, object segment, list out) except -1:
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
        self, Machine machine, Py_ssize_t index, int64_t at, object segment
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

    cdef int _hand_on(self, Machine machine, int64_t at, object segment, list out) except -1:
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

    cdef int _drain(self, Machine machine, list out) except -1:
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


cdef class Connection:
    """Two directions: ``a`` from the side that opened it, ``b`` back."""
