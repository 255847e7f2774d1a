"""A slice as a file: pcapng with comments and, where they were asked for, keys; or plain pcap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer import __version__
from analyzer.export.printable import printable
from dissectors.capture.writer import PcapngStream, PcapStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.export.comments import Comments
    from analyzer.export.slices import Slice

PROGRAM = f"xccos-analyzer {__version__}"
ANEW = "xccos: written anew from frame {}: it carries the chosen messages alone"
"""Stands on every packet that is not as it was captured."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What pcapng has room for beside frames."""

    about: str = ""
    """A sentence about the file, for its section header."""
    comments: Comments | None = None
    """None: no comments of ours."""
    secrets: bytes = b""
    """Text of a key log."""


class SliceFile:
    """Writes one planned slice; afterwards it knows what was written."""

    def __init__(self, cut: Slice) -> None:
        self._slice = cut
        self.frames = 0

    def pcapng(self, extras: Extras) -> Iterator[bytes]:
        """Yield the blocks of a pcapng file. Raises ValueError for a time that does not fit."""
        stream, comments = PcapngStream(), extras.comments
        yield stream.header(PROGRAM, printable(extras.about))
        if extras.secrets:
            yield stream.secrets(extras.secrets)
        for one in self._slice.frames():
            told: list[str | bytes] = list(one.comments)
            if comments is not None:
                told += comments.of(one.origin) if one.last else []
                told += [ANEW.format(one.origin)] if one.anew else []
            self.frames += 1
            yield stream.frame(one.frame, told)

    def pcap(self) -> Iterator[bytes]:
        """Yield the records of a pcap file.

        Raises ValueError for frames of several link types, and for times outside of 1970 to 2106.
        """
        stream: PcapStream | None = None
        for one in self._slice.frames():
            if stream is None:
                stream = PcapStream(one.frame.link, nanoseconds=self._slice.digits > 6)
                yield stream.header()
            self.frames += 1
            yield stream.frame(one.frame)
