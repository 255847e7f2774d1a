"""A TCP connection written anew with only some of its messages: what stays, and where it goes.

The one rule: bytes that were not chosen leave no room, bytes that the capture misses keep theirs.
So whoever reads the result finds no gap that the original did not have, and every one that it had.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from dissectors.model import ACK, FIN, PSH, RST, SYN, reversed_key
from dissectors.transport.direction import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.export.connections import Segments

MAX_PAYLOAD = 65_000
"""Bytes of a segment that is written: with its headers it fits the 16 bits of an IP length."""

Part = tuple[int, int]
"""Offset in the file, and length."""
Place = tuple[int, int, int]
"""Where a part goes: place in the old stream, offset in the file, length."""


class Packet(NamedTuple):
    """A TCP packet to be written."""

    frame: int
    """The frame it stands for: time, and headers as far as they stay."""
    key: bytes
    seq: int
    ack: int
    flags: int
    parts: tuple[Part, ...]
    """The payload."""
    missing: int
    """Payload bytes that were on the wire and were not captured."""
    head: int
    """Offset in the file of what follows the TCP header of that frame."""


class Kept:
    """What stays of one direction: old places to new ones.

    A stretch is (begin, end, size): places that stay, and how much room they take: the distance,
    and more for a hole that is made longer.
    """

    def __init__(self, origin: int, stretches: Iterable[tuple[int, int, int]]) -> None:
        """``origin``: the lowest place, which stays where it is."""
        self._origin = origin
        self._begins, self._ends, self._sums = array("q"), array("q"), array("q", [0])
        last = origin
        for begin, end, size in sorted(stretches):
            cut = max(last - begin, 0)  # what overlaps was there before
            if begin + cut < end:
                self._begins.append(begin + cut)
                self._ends.append(end)
                self._sums.append(self._sums[-1] + size - cut)
                last = end

    def new(self, place: int) -> int:
        """Return where a place goes; what lies in a part left out goes to where that was."""
        at = bisect_right(self._ends, place)
        found = self._origin + self._sums[at]
        if at < len(self._begins) and self._begins[at] < place:
            room = self._sums[at + 1] - self._sums[at]
            found += min(place - self._begins[at], room)
        return found


class Pieces:
    """Where the bytes of chosen messages lie, by frame."""

    def __init__(self, pieces: Iterable[tuple[int, int, int]]) -> None:
        """Take (frame, offset, length) of each."""
        found = sorted(pieces)
        self._frame = array("I", [one[0] for one in found])
        self._offset = array("q", [one[1] for one in found])
        self._length = array("q", [one[2] for one in found])

    def of(self, frame: int) -> Iterator[Part]:
        """Yield offset and length of those in a frame, ascending."""
        at = bisect_left(self._frame, frame)
        while at < len(self._frame) and self._frame[at] == frame:
            yield self._offset[at], self._length[at]
            at += 1


class Resequenced:
    """The packets of one connection, made of what is chosen of it."""

    def __init__(
        self,
        key: bytes,
        log: Segments,
        pieces: Pieces,
        longer: Iterable[tuple[int, int]] = (),
    ) -> None:
        """Plan it.

        Args:
            key: from the opener to the other side.
            log: the segments of the connection.
            pieces: of the chosen messages.
            longer: offset of the first byte behind a chosen message that a hole cut, and how many
                bytes its head says were still to come: so long is the hole at least.
        """
        self._key, self._log = key, log
        self._pieces = pieces
        self._cut = dict(longer)
        self._kept = tuple(
            Kept(min(self._seqs(side), default=0), self._stretches(side)) for side in (0, 1)
        )
        self._acked: list[int | None] = [None, None]

    def packets(self) -> Iterator[Packet]:
        """Yield the packets in capture order."""
        for number in range(len(self._log)):
            yield from self._packets(number)

    # what stays

    def _places(self, number: int) -> list[Place]:
        """Return the chosen parts of a segment; worked out twice, which takes less than keeping."""
        log = self._log
        found, place = [], log.seq[number] + bool(log.flags[number] & SYN)
        for frame, offset, length in log.where(number) if log.length[number] else ():
            for at, size in self._pieces.of(frame):
                if offset <= at < offset + length:
                    found.append((place + at - offset, at, size))
            place += length
        found.sort()
        return found

    def _seqs(self, side: int) -> Iterator[int]:
        log = self._log
        return (log.seq[k] for k in range(len(log)) if log.side[k] == side)

    def _stretches(self, side: int) -> Iterator[tuple[int, int, int]]:
        """Yield what stays of a direction: SYN, FIN, chosen bytes, cut ones, holes."""
        log = self._log
        covered: list[tuple[int, int]] = []
        for number in range(len(log)):
            if log.side[number] != side:
                continue
            flags, begin = log.flags[number], log.seq[number]
            if flags & SYN:
                yield begin, begin + 1, 1
                covered.append((begin, begin + 1))
                begin += 1
            end = begin + log.length[number]
            missing = log.missing[number]
            yield from ((at, at + size, size) for at, _, size in self._places(number))
            if missing:
                yield end, end + missing, missing
            if flags & FIN:
                yield end + missing, end + missing + 1, 1
            if end + missing + (flags & FIN) > begin and not flags & RST:
                covered.append((begin, end + missing + (flags & FIN)))
        yield from self._holes(side, covered)

    def _holes(self, side: int, covered: list[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
        """Yield the places that the capture misses."""
        ends = self._ends_cut(side)
        last: int | None = None
        for begin, end in sorted(covered):
            if last is not None and begin > last:
                yield last, begin, max(begin - last, ends.get(last, 0))
            last = end if last is None else max(last, end)

    def _ends_cut(self, side: int) -> dict[int, int]:
        """Return the places where a hole cuts chosen messages, and what they then lack."""
        return {
            at + size: self._cut[offset + size]
            for number in (range(len(self._log)) if self._cut else ())
            if self._log.side[number] == side
            for at, offset, size in self._places(number)
            if offset + size in self._cut
        }

    # what is written

    def _packets(self, number: int) -> Iterator[Packet]:
        log = self._log
        flags, place = log.flags[number], log.seq[number]
        if flags & SYN:
            yield self._packet(number, self._new(number, place), flags & ~(FIN | PSH))
            if not log.length[number]:
                return
            place, flags = place + 1, flags & ~SYN
        runs = self._runs(number, place)
        for k, (begin, parts, missing) in enumerate(runs):
            ends = 0 if k == len(runs) - 1 else FIN | RST | PSH
            yield self._packet(number, begin, flags & ~ends, tuple(parts), missing)
        if not runs and self._is_told(number, flags):
            end = place + log.length[number] + log.missing[number]
            yield self._packet(number, self._new(number, end), flags & ~PSH)

    def _runs(self, number: int, place: int) -> list[tuple[int, list[Part], int]]:
        """Return what of a segment lies together in the new stream.

        Of each its new place, where its bytes are, and how many are missing behind them.
        """
        found: list[tuple[int, list[Part], int]] = []
        behind = size = 0
        for old, offset, length in self._places(number):
            for start in range(0, length, MAX_PAYLOAD):
                take = min(length - start, MAX_PAYLOAD)
                begin = self._new(number, old + start)
                if not found or begin != behind or size + take > MAX_PAYLOAD:
                    found.append((begin, [], 0))
                    size = 0
                found[-1][1].append((offset + start, take))
                behind, size = begin + take, size + take
        missing = min(self._log.missing[number], MAX_PAYLOAD)
        if missing:
            begin = self._new(number, place + self._log.length[number])
            if found and begin == behind and size + missing <= MAX_PAYLOAD:
                found[-1] = (*found[-1][:2], missing)
            else:
                found.append((begin, [], missing))
        return found

    def _is_told(self, number: int, flags: int) -> bool:
        """Tell whether a segment without chosen bytes is of use: it ends, or acknowledges more."""
        if flags & (FIN | RST):
            return True
        known = self._acked[self._log.side[number]]
        bare = not self._log.length[number] and flags & ACK
        return bool(bare) and (known is None or self._ack(number) > known)

    def _ack(self, number: int) -> int:
        return self._kept[self._log.side[number] ^ 1].new(self._log.ack[number])

    def _new(self, number: int, place: int) -> int:
        return self._kept[self._log.side[number]].new(place)

    def _packet(
        self, number: int, seq: int, flags: int, parts: tuple[Part, ...] = (), missing: int = 0
    ) -> Packet:
        log, side, ack = self._log, self._log.side[number], 0
        if flags & ACK:
            ack = self._ack(number)
            self._acked[side] = max(ack, self._acked[side] or 0)
        key = reversed_key(self._key) if side else self._key
        return Packet(
            log.frame[number], key, seq & MASK, ack & MASK, flags, parts, missing, log.head[number]
        )
