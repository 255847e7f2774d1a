"""The bytes of some connections once more, from the capture itself: in order, as TCP gave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.model import Chunk, Frame, Gap, Malformed, Opened, Segment, StreamEnd, reversed_key
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.reassembly import Reassembler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.compression_agreed import Agreement
    from dissectors.transport.direction import StreamEvent

    Read = Callable[[int, int], bytes]

_CHUNK = 1 << 16


class Taker(Protocol):
    """What becomes of the bytes."""

    def open(self, one: Agreement) -> int:
        """Begin a connection, of which all bytes follow; return its number."""

    def feed(self, number: int, side: int, chunk: Chunk) -> None:
        """Take bytes of a connection."""

    def gap(self, number: int, side: int, length: int) -> None:
        """Take note that bytes are missing."""

    def end(self, number: int, side: int) -> None:
        """Take note that a direction ends."""


def read_again(agreed: list[Agreement], read: Read, run: Taker) -> None:
    """Hand the bytes of some connections on; those that are no TCP in the capture stay out."""
    known = {(one.flow.key, one.flow.first): one for one in agreed}
    numbers: dict[int, int] = {}
    reassembler = Reassembler()
    for event in _events(read, {one.flow.key for one in agreed}, reassembler):
        if isinstance(event, Opened):
            one = known.pop((event.key, event.frame), None)
            if one is not None:
                numbers[event.connection] = run.open(one)
                reassembler.expect_more(event.connection)
        elif isinstance(event, (Chunk, Gap, StreamEnd)) and event.stream >> 1 in numbers:
            _hand_on(run, numbers[event.stream >> 1], event)


def _hand_on(run: Taker, number: int, event: Chunk | Gap | StreamEnd) -> None:
    side = event.stream & 1
    if isinstance(event, Chunk):
        run.feed(number, side, event)
    elif isinstance(event, Gap):
        run.gap(number, side, event.length)
    else:
        run.end(number, side)


class _Keys:
    """The connections to look at, for the decoder of frames."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = set(keys)
        self.known: dict[bytes, bool] = {}

    def has(self, key: bytes) -> bool:
        """Tell whether a connection is one of them."""
        return key in self._keys or reversed_key(key) in self._keys


def _events(read: Read, keys: set[bytes], reassembler: Reassembler) -> Iterator[StreamEvent]:
    """Read the capture once more, for some connections."""
    reader = reader_for(read(0, HEAD_LENGTH))
    if isinstance(reader, Malformed):
        return
    decoder = FrameDecoder(_Keys(keys), bare=False)
    offset = 0
    while not reader.stopped and (data := read(offset, _CHUNK)):
        offset += len(data)
        frames = [one for one in reader.feed(data) if isinstance(one, Frame)]
        packets = decoder.feed(frames) if frames else []
        yield from reassembler.events([one for one in packets if isinstance(one, Segment)])
    last = [one for one in reader.close() if isinstance(one, Frame)]
    packets = [*decoder.feed(last), *decoder.close()]
    yield from reassembler.events([one for one in packets if isinstance(one, Segment)])
    yield from reassembler.close()
