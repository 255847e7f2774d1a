"""The bytes of one direction of a TCP connection: segments in any order, chunks in stream order.

Positions are counted in unbounded integers from the first byte known, so that sequence numbers may
wrap as often as they like. Bytes seen first win; other bytes for the same place are a ``Conflict``.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TypeAlias

from dissectors.model import Chunk, Conflict, Gap, Opened, Piece, Segment, StreamEnd

StreamEvent: TypeAlias = Chunk | Conflict | Gap | Opened | StreamEnd

MASK = 0xFFFFFFFF

# How many bytes may wait behind a hole. A receiver's window bounds what a sender can have in
# flight; windows of SIP peers are below 1 MiB. A stream that has shown no SIP waits for less.
MAX_PENDING = 1 << 20
MAX_PENDING_OTHER = 64 << 10
# The same for all connections together.
MAX_PENDING_TOTAL = 64 << 20
# A segment so far from what is expected belongs to another connection on the same ports: no window
# of SIP peers reaches so far.
FAR = 16 << 20
# What a waiting segment costs beside its bytes; bounds the number of tiny ones.
SEGMENT_COST = 64
# A direction whose SYN was not captured is held until so many segments came without a hole among
# them, because the first one captured need not be the first one sent.
HOLD_SEGMENTS = 16
# Segments kept of one direction that fit nowhere.
MAX_STRAYS = 32
# Bytes already handed on that are kept to compare retransmissions with.
HISTORY_BYTES = 8 << 10
HISTORY_SEGMENTS = 8

_position = itemgetter(0)


class Budget:
    """What all directions together keep waiting, and what they saw twice."""

    __slots__ = ("pending", "retransmissions")

    def __init__(self) -> None:
        self.pending = 0
        self.retransmissions = 0


class Direction:
    """One direction; ``next`` is None while its beginning is unknown."""

    __slots__ = (
        "_budget", "closed", "dropped", "fin", "fin_frame", "fin_seq", "first", "history", "isn",
        "limit", "next", "pending", "pending_bytes", "position", "strays", "stream",
    )  # fmt: skip

    def __init__(self, stream: int, budget: Budget) -> None:
        self._budget = budget
        self.stream = stream
        self.next: int | None = None
        """Sequence number of the next byte to hand on."""
        self.first = 0
        """Sequence number of the first byte."""
        self.position = 0
        """Stream position of the next byte to hand on."""
        self.isn: int | None = None
        self.pending: list[tuple[int, bytes, Segment]] = []
        """(position, payload, segment) of what waits behind a hole, or for the beginning; ascending
        and without overlap."""
        self.pending_bytes = 0
        self.history: list[tuple[int, bytes]] = []
        self.fin_seq: int | None = None
        """Sequence number of the end, once a FIN said it."""
        self.fin_frame = 0
        self.fin: int | None = None
        """Its position, once the beginning is known too."""
        self.closed = False
        self.dropped = False
        self.limit = MAX_PENDING_OTHER
        self.strays: list[Segment] = []

    @property
    def first_known(self) -> int | None:
        """The lowest sequence number seen, or of a FIN where nothing else was."""
        if self.next is not None:
            return self.first
        return self.pending[0][2].seq if self.pending else self.fin_seq

    def take(self, segment: Segment, out: list[StreamEvent]) -> None:
        """Take a segment whose place in this direction is plausible."""
        if self.next is None:
            self._hold(segment, out)
            return
        delta = signed(segment.seq - self.next)
        if delta > 0 or self.pending:
            # Also what fills a hole waits for a moment: it may overlap what waits behind it.
            self._insert(self.position + delta, segment, out)
            self._drain(out)
            while self.pending and self._over_limit():
                self._skip_hole(out)
                self._drain(out)
        else:
            self._hand_on(self.position + delta, segment, out)

    def begin(self, seq: int, out: list[StreamEvent]) -> None:
        """Begin at the sequence number ``seq``; what was held is taken."""
        held = self.pending
        self.forget_pending()
        self.next = self.first = seq
        self.position = 0
        for _, _, segment in held:
            if -FAR < signed(segment.seq - seq) < FAR:
                self.take(segment, out)
            else:
                self.keep_stray(segment)
        if self.fin_seq is not None:
            self.end_at(self.fin_seq, self.fin_frame)

    def begin_held(self, out: list[StreamEvent]) -> None:
        """Begin with the lowest of the segments that were held."""
        if self.next is None and self.pending:
            self.begin(self.pending[0][2].seq, out)

    def end_at(self, seq: int, frame: int) -> None:
        """Note that a FIN in ``frame`` has the sequence number ``seq``, unless that cannot be."""
        if self.dropped:
            self.fin = self.position
        elif self.next is not None and self.fin is None:
            delta = signed(seq - self.next)
            if not 0 <= delta < FAR:
                self.fin_seq = None
                return
            self.fin = self.position + delta
        self.fin_seq, self.fin_frame = seq, frame

    def flush(self, out: list[StreamEvent]) -> None:
        """Hand on everything that waits, holes and all."""
        if self.dropped:
            self.forget_pending()
        self.begin_held(out)
        while self.pending:
            self._skip_hole(out)
            self._drain(out)
        if self.next is None and self.fin_seq is not None:
            self.begin(self.fin_seq, out)
        if self.fin is not None and not self.closed:
            self._advance(self.fin - self.position, self.fin_frame, out)

    def keep_stray(self, segment: Segment) -> None:
        """Keep a segment that fits nowhere, as far as there is room."""
        if len(self.strays) < MAX_STRAYS and self._budget.pending <= MAX_PENDING_TOTAL:
            self.strays.append(segment)
            self._budget.pending += len(segment.payload) + SEGMENT_COST

    def take_strays(self) -> list[Segment]:
        """Return the segments that fitted nowhere, and forget them."""
        strays, self.strays = self.strays, []
        for stray in strays:
            self._budget.pending -= len(stray.payload) + SEGMENT_COST
        return strays

    def waiting_frames(self) -> list[int]:
        """Return the frames of the segments that are kept back."""
        return [one.frame for _, _, one in self.pending] + [one.frame for one in self.strays]

    def drop(self) -> None:
        """Take nothing more."""
        self.dropped = True
        self.forget_pending()
        self.history.clear()

    def forget_pending(self) -> None:
        """Forget what waits."""
        self._budget.pending -= self.pending_bytes
        self.pending_bytes = 0
        self.pending = []

    def _over_limit(self) -> bool:
        return self.pending_bytes > self.limit or self._budget.pending > MAX_PENDING_TOTAL

    def _hold(self, segment: Segment, out: list[StreamEvent]) -> None:
        """Keep what came before the beginning of the direction is known."""
        position = 0
        if self.pending:
            lowest, _, first = self.pending[0]
            position = lowest + signed(segment.seq - first.seq)
        self._insert(position, segment, out)
        enough = len(self.pending) % HOLD_SEGMENTS == 0 and self._is_contiguous()
        if enough or self._over_limit():
            self.begin_held(out)

    def _is_contiguous(self) -> bool:
        ends = (at + len(data) + segment.missing for at, data, segment in self.pending)
        starts = (at for at, _, _ in self.pending[1:])
        return all(end >= start for end, start in zip(ends, starts, strict=False))

    def _insert(self, position: int, segment: Segment, out: list[StreamEvent]) -> None:
        """Put a segment among the waiting ones; where they overlap, those that wait stay."""
        pending = self.pending
        end = position + len(segment.payload)
        index = bisect_right(pending, position, key=_position)
        free = index == len(pending) or end <= pending[index][0]
        if free and (not index or pending[index - 1][0] + len(pending[index - 1][1]) <= position):
            self._wait(index, position, segment)
            return
        gaps, differing = self._uncovered(max(index - 1, 0), position, segment.payload)
        if differing:
            out.append(Conflict(self.stream, segment.frame, differing))
        if segment.missing and (not gaps or gaps[-1][1] < end):
            gaps.append((end, end))  # what is missing behind the payload is kept in mind too
        if not gaps:
            self._budget.retransmissions += 1
        for low, high in gaps:
            part = _part(segment, low - position, high - position)
            self._wait(bisect_right(pending, low, key=_position), low, part)

    def _uncovered(
        self, index: int, position: int, payload: bytes
    ) -> tuple[list[tuple[int, int]], int]:
        """Return the ranges that nothing waiting covers, and how many bytes are contradicted."""
        gaps, differing = [], 0
        at, end = position, position + len(payload)
        while at < end and index < len(self.pending):
            waiting, data, _ = self.pending[index]
            index += 1
            low, high = max(at, waiting), min(end, waiting + len(data))
            if (
                low < high
                and payload[low - position : high - position]
                != (data[low - waiting : high - waiting])
            ):
                differing += high - low
            if at < min(waiting, end):
                gaps.append((at, min(waiting, end)))
            at = max(at, waiting + len(data))
        if at < end:
            gaps.append((at, end))
        return gaps, differing

    def _wait(self, index: int, position: int, segment: Segment) -> None:
        self.pending.insert(index, (position, segment.payload, segment))
        self.pending_bytes += len(segment.payload) + SEGMENT_COST
        self._budget.pending += len(segment.payload) + SEGMENT_COST

    def _skip_hole(self, out: list[StreamEvent]) -> None:
        position, _, segment = self.pending[0]
        self._advance(position - self.position, segment.frame, out)

    def _advance(self, length: int, frame: int, out: list[StreamEvent]) -> None:
        """Give up on ``length`` bytes."""
        if length > 0 and self.next is not None:
            out.append(Gap(self.stream, length, frame))
            self.position += length
            self.next = self.next + length & MASK

    def _hand_on(self, position: int, segment: Segment, out: list[StreamEvent]) -> None:
        """Hand on what is new of a segment that begins at or before the expected position."""
        payload = segment.payload
        known = self.position - position
        if known > 0:
            self._compare(position, segment, out)
        new = payload[known:] if known else payload
        if new and self.next is not None:
            kept = new[-HISTORY_BYTES:]
            self.position += len(new)
            self.next = self.next + len(new) & MASK
            self.history.append((self.position - len(kept), kept))
            del self.history[:-HISTORY_SEGMENTS]
            pieces = _later_pieces(segment.fragments, known)
            out.append(
                Chunk(
                    self.stream, new, segment.frame, segment.time_ns, segment.digits,
                    segment.offset + known, pieces,
                )
            )  # fmt: skip
        elif not segment.missing:
            self._budget.retransmissions += 1
        end = position + len(payload) + segment.missing
        if segment.missing and end > self.position:
            # A frame cut by the snap length: a retransmission would be cut as well.
            if self.pending:
                end = min(end, max(self.position, self.pending[0][0]))
            self._advance(end - self.position, segment.frame, out)

    def _compare(self, position: int, segment: Segment, out: list[StreamEvent]) -> None:
        """Compare a retransmission with what was handed on, as far as that is still kept."""
        payload = segment.payload
        if len(payload) == 1 and position == self.position - 1:
            return  # a keep-alive probe repeats one byte, often with garbage (RFC 1122 4.2.3.6)
        differing = 0
        for start, data in self.history:
            low, high = max(start, position), min(start + len(data), position + len(payload))
            mine = payload[low - position : high - position]
            if low < high and mine != data[low - start : high - start]:
                differing += high - low
        if differing:
            out.append(Conflict(self.stream, segment.frame, differing))

    def _drain(self, out: list[StreamEvent]) -> None:
        """Hand on waiting segments that have become due."""
        pending = self.pending
        while pending and pending[0][0] <= self.position:
            position, payload, segment = pending.pop(0)
            self.pending_bytes -= len(payload) + SEGMENT_COST
            self._budget.pending -= len(payload) + SEGMENT_COST
            self._hand_on(position, segment, out)


def signed(difference: int) -> int:
    """Return a difference of sequence numbers as the nearest signed number (RFC 9293 3.4)."""
    difference &= MASK
    return difference - (1 << 32) if difference >= 1 << 31 else difference


def _part(segment: Segment, start: int, end: int) -> Segment:
    """Return a segment with a part of its payload; what is missing stands behind the last part."""
    size = len(segment.payload)
    return segment._replace(
        seq=segment.seq + start & MASK,
        payload=segment.payload[start:end],
        offset=segment.offset + start,
        missing=segment.missing if end == size else 0,
        fragments=_later_pieces(segment.fragments, start),
    )


def _later_pieces(pieces: tuple[Piece, ...], skip: int) -> tuple[Piece, ...]:
    """Return the pieces without their first ``skip`` bytes."""
    if not skip or not pieces:
        return pieces
    rest = []
    for frame, offset, length in pieces:
        cut = min(skip, length)
        skip -= cut
        if cut < length:
            rest.append(Piece(frame, offset + cut, length - cut))
    return tuple(rest)
