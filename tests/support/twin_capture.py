"""The compiled twin behind the reference's interfaces, so that the same tests run over both.

A twin's reader hands its records to a sink and returns only what is to be said of the file. Here
they come out as frames, in one list and in their order, as the reference gives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors._speedups.capture import (
    FastPcapngReader,
    FastPcapReader,
    FrameSink,
    fast_reader_for,
)
from dissectors._speedups.transport import FrameDecoder, plain_item
from tests.dissectors.transport.packets import frame

if TYPE_CHECKING:
    from dissectors.model import Frame, Malformed
    from dissectors.transport.layers import Item

plain = plain_item


class PcapReader(FastPcapReader):
    """``dissectors.capture.pcap.PcapReader`` over the compiled walk."""

    def __init__(self) -> None:
        self._frames = FrameSink()
        super().__init__(self._frames)

    def _scan(self, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        self._frames.items = out  # so that both come in their order
        return super()._scan(data, at, out)


class PcapngReader(FastPcapngReader):
    """``dissectors.capture.pcapng.PcapngReader`` over the compiled walk."""

    def __init__(self) -> None:
        self._frames = FrameSink()
        super().__init__(self._frames)

    def _scan(self, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        self._frames.items = out
        return super()._scan(data, at, out)


def reader_for(head: bytes) -> PcapReader | PcapngReader | Malformed:
    """``dissectors.capture.detect.reader_for``: readers of this module, for the same files."""
    found = fast_reader_for(head, FrameSink())
    if isinstance(found, FastPcapReader):
        return PcapReader()
    return PcapngReader() if isinstance(found, FastPcapngReader) else found


def decode(data: bytes, link: int = 1, *, wire: int | None = None) -> list[Item]:
    """Decode one frame, where ``tests.dissectors.transport.packets`` takes the readable path."""
    return FrameDecoder().feed([frame(data, link, wire=wire)])


def ignored(data: bytes, link: int = 1) -> list[str]:
    """Return what a frame is said to carry, when that is neither TCP nor UDP."""
    decoder = FrameDecoder()
    assert decoder.feed([frame(data, link)]) == []
    return list(decoder.ignored)
