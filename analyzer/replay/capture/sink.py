"""Frames to a file, one after another; nothing is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.capture.options import CaptureError, Format
from dissectors.capture.writer import PcapngStream, PcapStream
from dissectors.model import Frame

if TYPE_CHECKING:
    from typing import BinaryIO


ETHERNET = 1
"""LINKTYPE_ETHERNET."""
NANOSECOND_DIGITS = 9
LAST_NS: dict[Format, int] = {"pcap": 2**32 * 10**9, "pcapng": 2**63}
"""The first times that a file cannot say: the seconds of pcap have 32 bits, the nanoseconds of
pcapng 64, of which readers take one for a sign."""
END: dict[Format, str] = {"pcap": "2106", "pcapng": "2262"}
"""The years of these."""
PROGRAM = "xccos-analyzer"


class Sink:
    """A capture file that is being written."""

    def __init__(self, out: BinaryIO, form: Format, about: str = "") -> None:
        """Write the head of the file; ``about`` becomes the comment of a pcapng file."""
        self._out = out
        self._form = form
        self._pcap: PcapStream | None = None
        self._pcapng: PcapngStream | None = None
        if form == "pcap":
            self._pcap = PcapStream(ETHERNET, nanoseconds=True)
            out.write(self._pcap.header())
        else:
            self._pcapng = PcapngStream()
            out.write(self._pcapng.header(PROGRAM, about))
        self.frames = 0
        self.first_ns: int | None = None
        self.last_ns: int | None = None

    def put(self, time_ns: int, data: bytes, comment: str = "") -> None:
        """Write an Ethernet frame; raise ``CaptureError`` for a time that the file cannot say."""
        if not 0 <= time_ns < LAST_NS[self._form]:
            end = END[self._form]
            raise CaptureError(f"the times of a {self._form} file lie between 1970 and {end}")
        self.frames += 1
        frame = Frame(self.frames, time_ns, NANOSECOND_DIGITS, ETHERNET, data, 0, len(data))
        if self._pcap is not None:
            self._out.write(self._pcap.frame(frame))
        elif self._pcapng is not None:
            self._out.write(self._pcapng.frame(frame, (comment,) if comment else ()))
        self.first_ns = time_ns if self.first_ns is None else self.first_ns
        self.last_ns = time_ns
