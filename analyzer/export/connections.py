"""A second pass over a capture: which frames carry which of some connections.

The one rule: a connection begins and ends here where it did when the capture was read, because the
same reassembler says so. Of each connection the frames are kept, and of one that is written anew
the heads of its segments; no payload.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import chain
from typing import TYPE_CHECKING

from analyzer.trace import CHUNK
from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.model import Frame, Malformed, Opened, Piece, Segment, reversed_key
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.direction import FAR, MASK, signed
from dissectors.transport.reassembly import Reassembler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

HELLO = 43
"""Bytes of a ClientHello up to the end of its random (RFC 8446 4.1.2, with the record's head)."""
MAX_EARLY = 1000
"""Acknowledgements that are kept of a connection before it brings a byte."""
BEGIN = 1 << 33
"""Place of the first sequence number seen: whatever comes before it is above zero."""


class Walk:
    """The frames of a capture that was read before, a batch at a time."""

    def __init__(self, read: Callable[[int, int], bytes], step: Callable[[int], None]) -> None:
        """``read`` gives bytes by offset and length; ``step`` is told how far the walk got."""
        self._read, self._step = read, step
        self.secrets: list[bytes] = []
        """TLS key logs in the capture, when the walk is through."""

    def __iter__(self) -> Iterator[list[Frame]]:
        read, offset = self._read, 0
        reader = reader_for(read(0, HEAD_LENGTH))
        if isinstance(reader, Malformed):
            return
        while not reader.stopped and (data := read(offset, CHUNK)):
            offset += len(data)
            yield [one for one in reader.feed(data) if type(one) is Frame]
            self._step(offset)
        self.secrets = list(getattr(reader, "secrets", ()))


class Segments:
    """Heads of the segments of one connection, as columns in capture order."""

    def __init__(self) -> None:
        self.frame = array("I")
        self.side = array("B")
        self.flags = array("H")
        self.seq = array("q")  # places: unwrapped sequence numbers
        self.ack = array("q")
        self.length = array("I")
        self.missing = array("I")
        self.head = array("q")  # offset in the file behind the TCP header, -1: not at hand
        self.pieces: dict[int, tuple[Piece, ...]] = {}
        """Where the payload is, of segments that came in IP fragments, by their number."""
        self._last: list[int | None] = [None, None]

    def __len__(self) -> int:
        return len(self.frame)

    def add(self, segment: Segment, side: int) -> None:
        """Take the next segment; one that is far from all others belongs to something else."""
        seq, ack = self._place(side, segment.seq), self._place(side ^ 1, segment.ack)
        if seq is None:
            return
        self._last[side] = seq
        if segment.fragments:
            self.pieces[len(self)] = segment.fragments
        head = -1 if segment.fragments else segment.offset
        self._append(segment.frame, side, segment.flags, head, (seq, ack or 0))
        self.length.append(len(segment.payload))
        self.missing.append(segment.missing)

    def say(
        self, like: Segments, number: int, places: tuple[int, int], pieces: Sequence[Piece]
    ) -> None:
        """Take a segment like one of another connection, with something else as its payload."""
        self._append(
            like.frame[number], like.side[number], like.flags[number], like.head[number], places
        )
        self.pieces[len(self) - 1] = tuple(pieces)
        self.length.append(sum(piece.length for piece in pieces))
        self.missing.append(0)

    def _append(
        self, frame: int, side: int, flags: int, head: int, places: tuple[int, int]
    ) -> None:
        self.frame.append(frame)
        self.side.append(side)
        self.flags.append(flags)
        self.head.append(head)
        self.seq.append(places[0])
        self.ack.append(places[1])

    def where(self, number: int) -> tuple[Piece, ...]:
        """Return where the payload of a segment is."""
        found = self.pieces.get(number)
        if found is not None:
            return found
        return (Piece(self.frame[number], self.head[number], self.length[number]),)

    def _place(self, side: int, number: int) -> int | None:
        last = self._last[side]
        if last is None:
            return BEGIN + number
        delta = signed(number - (last & MASK))
        return last + delta if -FAR < delta < FAR else None


class Connection:
    """One connection of the second pass."""

    def __init__(self, key: bytes, first: int, *, logged: bool) -> None:
        self.key = key
        """From the opener to the other side."""
        self.first = first
        """The frame that opened it."""
        self.frames = array("I")
        self.segments = Segments() if logged else None
        self._hello = b""

    @property
    def random(self) -> bytes | None:
        """The client random, where it begins with a ClientHello."""
        hello = self._hello
        return hello[11:HELLO] if len(hello) == HELLO and hello[0] == 22 and hello[5] == 1 else None

    def add(self, segment: Segment, side: int) -> None:
        """Take a segment."""
        self.frames.extend([piece.frame for piece in segment.fragments])
        self.frames.append(segment.frame)
        if not side and len(self._hello) < HELLO:
            self._hello += segment.payload[: HELLO - len(self._hello)]
        if self.segments is not None:
            self.segments.add(segment, side)


class _Wanted:
    """The keys of some connections, for the decoder."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self.known: dict[bytes, bool] = {}
        for key in keys:
            self.known[key] = self.known[reversed_key(key)] = True

    def has(self, key: bytes) -> bool:
        return self.known.get(key, False)


class Connections:
    """All connections with one of some keys, found in a walk over a capture."""

    def __init__(self, keys: Iterable[bytes], logged: Iterable[bytes]) -> None:
        """Look for connections with these ``keys``, of some of them also for their segments."""
        self._logged = set(map(_either, logged))
        self._decoder = FrameDecoder(_Wanted(chain(keys, self._logged)))
        self._reassembler = Reassembler()
        self._early: dict[bytes, list[Segment]] = {}
        """Bare acknowledgements of connections of which nothing else was seen yet."""
        self._now: dict[bytes, tuple[Connection, int]] = {}
        self._found: dict[bytes, list[Connection]] = {}

    def feed(self, frames: list[Frame]) -> None:
        """Take the next frames."""
        for item in self._decoder.feed(frames):
            if type(item) is Segment:
                self._take(item)

    def _take(self, segment: Segment) -> None:
        for event in self._reassembler.events((segment,)):
            if isinstance(event, Opened):
                self._open(event)
        now = self._now.get(segment.key)
        if now is not None:
            now[0].add(segment, now[1])
            return
        early = self._early.setdefault(_either(segment.key), [])
        if len(early) < MAX_EARLY:
            early.append(segment)

    def _open(self, event: Opened) -> None:
        ends = _either(event.key)
        made = Connection(event.key, event.frame, logged=ends in self._logged)
        self._now[event.key], self._now[reversed_key(event.key)] = (made, 0), (made, 1)
        self._found.setdefault(ends, []).append(made)
        for segment in self._early.pop(ends, ()):
            made.add(segment, int(segment.key != event.key))

    def at(self, key: bytes, frame: int) -> Connection | None:
        """Return the connection between two ends that was open at a frame, or opened next."""
        found = self._found.get(_either(key), [])
        if not found:
            return None
        return found[max(bisect_right(found, frame, key=lambda one: one.first) - 1, 0)]


def _either(key: bytes) -> bytes:
    """Return the same for both directions."""
    return min(key, reversed_key(key))
