"""Inputs that are no pcap or pcapng, turned into pcapng while they are read.

The one rule: whatever comes in, frames go out that both reading paths know, with the numbers that
the input itself gives its records. Nothing downstream asks what an input was, except to name a
place in it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from typing import TYPE_CHECKING, Protocol

from analyzer.sources.spool import Spool
from dissectors.capture.detect import READERS
from dissectors.capture.writer import PcapngStream
from dissectors.model import Frame, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from dissectors.capture.text.values import Annotation

HEAD = 1 << 16
"""Bytes by which an input is told: a server's trace has pages of components before the first
message."""
NETMON = (b"GMBU", b"RTSS")
SNOOP = b"snoop\0\0\0"
MAX_PROBLEMS = 100
"""Kept word by word; the rest is counted."""
_TOGETHER = 1 << 16


class Conversion(ABC):
    """The conversion of one input; what it learns on the way is complete when it is through."""

    kind = ""
    """What the input is, as users say it: ``Network Monitor capture``."""
    unit = "frame"
    """What the numbers of ``places`` count: ``frame`` or ``line``."""

    def __init__(self) -> None:
        self.problems: list[Malformed] = []
        self.unsaid = 0
        """Problems beyond ``MAX_PROBLEMS``."""
        self.notes: list[str] = []
        """Sentences for people."""
        self.hosts: dict[str, str] = {}
        """Names of machines by the addresses that stand for them."""
        self.annotations: list[Annotation] = []
        self.places: array[int] = array("Q")
        """For each frame, in order, its number in the input; empty where that is the same."""
        self.machines: set[str] = set()
        """Machines whose records are in the input, where it names them: each saw its own part."""
        self.machine = ""
        """That of the frame which is written."""

    @abstractmethod
    def pieces(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pcapng; ``raw`` are the bytes of the input, in order."""

    def where(self, frame: int) -> tuple[str, int]:
        """Return the file of a set that a frame came from (else nothing), and the number in it."""
        places = self.places
        return "", places[frame - 1] if 0 < frame <= len(places) else frame

    def problem(self, problem: Malformed) -> None:
        """Remember what could not be read."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.unsaid += 1

    def written(self, stream: PcapngStream, items: Iterable[Frame | Malformed]) -> Iterator[bytes]:
        """Yield the blocks of frames, many at a time; problems are remembered."""
        held: list[bytes] = []
        length = 0
        for item in items:
            if isinstance(item, Malformed):
                self.problem(item)
                continue
            try:
                block = stream.frame(item, (), self.machine)
            except ValueError as error:
                self.problem(Malformed("capture", str(error), item.number))
                continue
            held.append(block)
            length += len(block)
            if length >= _TOGETHER:
                yield b"".join(held)
                held, length = [], 0
        if held:
            yield b"".join(held)


class StreamedConversion(Conversion):
    """A format of frames that a reader with ``feed`` and ``close`` reads."""

    def __init__(self, reader: FrameReader, kind: str) -> None:
        super().__init__()
        self._reader = reader
        self.kind = kind

    def pieces(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pcapng."""
        stream = PcapngStream()
        yield stream.header()
        for data in raw:
            yield from self.written(stream, self._reader.feed(data))
            if self._reader.stopped:
                return
        yield from self.written(stream, self._reader.close())


class NetmonConversion(Conversion):
    """A Network Monitor capture, whose records can only be found when all of it is there."""

    kind = "Network Monitor capture"

    def __init__(self, zone: tzinfo | None) -> None:
        super().__init__()
        self._zone = zone

    def pieces(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pcapng; the input is kept in a temporary file meanwhile."""
        from dissectors.capture.netmon import NetmonReader

        spool = Spool()
        try:
            for data in raw:
                reason = spool.write(data)
                if reason is not None:
                    self.problem(Malformed("capture", reason, offset=spool.length))
                    break
            reader = NetmonReader(spool.read, spool.length, self._zone)
            stream = PcapngStream()
            yield stream.header()
            yield from self.written(stream, self._numbered(reader.frames()))
            if reader.local_times and self._zone is None:
                self.notes.append(
                    "The times of this capture are those of a wall clock whose zone it does not "
                    "say, and are taken as UTC (--tz gives another one)."
                )
        finally:
            spool.close()

    def _numbered(self, items: Iterable[Frame | Malformed]) -> Iterator[Frame | Malformed]:
        """Keep the numbers of the frame table: a record of it may be lost."""
        for item in items:
            if isinstance(item, Frame):
                self.places.append(item.number)
            yield item


class FrameReader(Protocol):
    """What ``StreamedConversion`` needs of a reader."""

    @property
    def stopped(self) -> bool:
        """No more bytes are of use."""
        ...

    def feed(self, data: bytes) -> list[Frame | Malformed]:
        """Return the frames that the next bytes complete."""
        ...

    def close(self) -> list[Frame | Malformed]:
        """Return what the end of the input leaves."""
        ...


def is_capture(head: bytes) -> bool:
    """Tell whether an input begins like a pcap or pcapng file, which needs no conversion."""
    return head[:4] in READERS


def is_input(head: bytes) -> bool:
    """Tell whether what begins like this is a capture or a trace that can be read."""
    return is_capture(head) or conversion_for(head) is not None


def conversion_for(head: bytes, zone: tzinfo | None = None) -> Conversion | None:
    """Return the conversion of an input that begins with ``head``; None where there is none.

    Args:
        head: the first ``HEAD`` bytes, or all there are.
        zone: time zone of a text trace that does not say its own.
    """
    if head.startswith(NETMON):
        return NetmonConversion(zone)
    if head.startswith(SNOOP):
        from dissectors.capture.snoop import SnoopReader

        return StreamedConversion(SnoopReader(), "snoop capture")
    return _text_conversion(head, zone)


def _text_conversion(head: bytes, zone: tzinfo | None) -> Conversion | None:
    from dissectors.capture.text.formats import text_reader_for

    reader = text_reader_for(head)
    if reader is None:
        return None
    from analyzer.sources.text import TextConversion

    return TextConversion(reader, zone)
