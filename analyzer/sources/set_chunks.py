"""The files of one set as one capture: streams and dialogs go on from file to file.

The one rule: what comes out is one pcap or pcapng file, whole to its last record, whatever the
files are like and wherever one of them breaks off; and every frame of it can be found again in the
file that it came from.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import chain
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from analyzer.sources.files import CHUNK, Source, SourceError, open_source
from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.capture.pcap import FILE_HEADER, FILE_HEADER_LENGTH, VARIANTS, PcapReader
from dissectors.capture.writer import PcapngStream
from dissectors.model import Frame, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dissectors.capture.pcapng import PcapngReader

_LOOK = 1 << 14  # bytes read at a time to find the first frame
_SNAPLEN = slice(16, 20)  # in the header of a pcap file


class Place(NamedTuple):
    """Where a frame of the set came from."""

    file: int
    """Position of the file in the set, from 0."""
    frame: int
    """Number of the frame in that file, from 1."""


class _Header(NamedTuple):
    """The header of a pcap file."""

    raw: bytes
    common: bytes
    """All that must be the same where one file goes on with another: not the snap length."""
    snaplen: int
    order: str


class SetChunks:
    """The bytes of a set of files; made for one pass."""

    def __init__(
        self, paths: Sequence[str], opening: Callable[[str], Source] = open_source
    ) -> None:
        """Join files in this order; ``opening`` opens one of them."""
        self.paths = tuple(paths)
        self.problems: list[Malformed] = []
        """What could not be read, and of which file; complete when ``chunks`` is through."""
        self.before = array("Q")
        """For each file that was begun: how many frames of others come before its own."""
        self._opening = opening
        self._frames = 0

    def place(self, frame: int) -> Place:
        """Return where a frame came from, by its number in the joined capture, from 1."""
        file = bisect_right(self.before, frame - 1) - 1
        return Place(file, frame - self.before[file])

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Yield the joined capture, in pieces of about ``size`` bytes.

        Files of pcap that agree go on behind the header of the first one; files of pcapng are put
        one behind the other, as the format allows; of anything mixed, pcap becomes pcapng.

        Raises ``SourceError`` when none of the files can be opened.
        """
        headers = self._headers()
        first = next((one for one in headers if one is not None), None)
        same = first is not None and all(one and one.common == first.common for one in headers)
        if first is not None and same:
            longest = max(one.snaplen for one in headers if one is not None)
            header = bytearray(first.raw)
            header[_SNAPLEN] = Struct(first.order + "I").pack(longest)
            yield bytes(header)
        for position, path in enumerate(self.paths):
            self.before.append(self._frames)
            try:
                source = self._opening(path)
            except SourceError:
                continue  # told already
            with source:
                yield from self._of_file(source, position, size, same=same)
                if source.problem is not None:
                    self._tell(position, source.problem)

    def _headers(self) -> list[_Header | None]:
        """Look at the beginning of each file: its header where it is pcap, None for others."""
        found: list[_Header | None] = []
        opened = False
        for path in self.paths:
            try:
                with self._opening(path) as source:
                    head = _head(source.chunks(HEAD_LENGTH))
            except SourceError as error:
                self.problems.append(Malformed("capture", str(error)))
                continue
            opened = True
            if not isinstance(reader_for(head), Malformed):
                found.append(_header(head))
        if not opened:
            raise SourceError(self.problems[0].reason if self.problems else "there are no files")
        return found

    def _of_file(self, source: Source, position: int, size: int, *, same: bool) -> Iterator[bytes]:
        """Yield what one file adds."""
        pieces = source.chunks(size)
        head = _head(pieces)
        reader = reader_for(head)
        if isinstance(reader, Malformed):
            self._tell(position, reader)
        elif same or not isinstance(reader, PcapReader):
            yield from self._as_it_is(chain([head], pieces), reader, position)
        else:
            yield from self._converted(chain([head], pieces), reader, position)

    def _as_it_is(
        self, pieces: Iterator[bytes], reader: PcapReader | PcapngReader, position: int
    ) -> Iterator[bytes]:
        """Yield the bytes up to the end of the last whole record."""
        held = bytearray()  # what may be part of a record that breaks off
        at = 0  # where it begins in the file
        skip = FILE_HEADER_LENGTH if isinstance(reader, PcapReader) else 0
        items: list[Frame | Malformed] = []
        for data in pieces:
            items = reader.feed(data)
            held += data
            last = self._count(items)
            whole = 0 if last is None else last.offset + len(last.data) - at
            if whole > 0:
                yield bytes(held[max(skip - at, 0) : whole])
                del held[:whole]
                at += whole
            if reader.stopped:
                break
        broken = reader.stopped
        items = items[-1:] if broken else reader.close()
        if items and isinstance(items[0], Malformed) and items[0].offset is not None:
            self._tell(position, items[0])
            del held[max(items[0].offset - at, 0) :]
        if rest := bytes(held[max(skip - at, 0) :]):
            yield rest

    def _converted(
        self, pieces: Iterator[bytes], reader: PcapReader | PcapngReader, position: int
    ) -> Iterator[bytes]:
        """Yield a section of pcapng with the frames of a file."""
        stream = PcapngStream()
        yield stream.header()
        for data in pieces:
            items = reader.feed(data)
            yield self._blocks(stream, items, position)
            if reader.stopped:
                return
        yield self._blocks(stream, reader.close(), position)

    def _blocks(
        self, stream: PcapngStream, items: Sequence[Frame | Malformed], position: int
    ) -> bytes:
        self._count(items)
        for item in items:
            if isinstance(item, Malformed):
                self._tell(position, item)
        # Times of pcap are such that pcapng can hold them.
        return b"".join(stream.frame(item) for item in items if isinstance(item, Frame))

    def _count(self, items: Sequence[Frame | Malformed]) -> Frame | None:
        """Count frames; return the last one."""
        last = None
        for item in items:
            if isinstance(item, Frame):
                self._frames += 1
                last = item
        return last

    def _tell(self, position: int, problem: Malformed) -> None:
        reason = f"{self.paths[position]}: {problem.reason}"
        self.problems.append(Malformed("capture", reason, problem.frame, problem.offset))


def first_time(path: str, opening: Callable[[str], Source] = open_source) -> int | None:
    """Return the time of the first frame of a capture; None where there is none.

    Nanoseconds since 1970, for ``sets.in_time_order``. Reads no further than it needs to.
    """
    try:
        with opening(path) as source:
            pieces = source.chunks(_LOOK)
            head = _head(pieces)
            reader = reader_for(head)
            for data in chain([head], pieces):
                if isinstance(reader, Malformed) or reader.stopped:
                    break
                for item in reader.feed(data):
                    if isinstance(item, Frame):
                        return item.time_ns
    except SourceError:
        pass
    return None


def _header(head: bytes) -> _Header | None:
    """Return the header of a pcap file; None where it is none, or not whole."""
    variant = VARIANTS.get(head[:4])
    if variant is None or len(head) < FILE_HEADER_LENGTH:
        return None
    raw = head[:FILE_HEADER_LENGTH]
    snaplen = Struct(variant.order + FILE_HEADER).unpack(raw)[5]
    # Time zone and accuracy, which nobody sets, may differ as well.
    return _Header(raw, raw[:8] + raw[20:], snaplen, variant.order)


def _head(pieces: Iterator[bytes]) -> bytes:
    """Take pieces until it can be told what they are of; return them as one."""
    head = b""
    while len(head) < HEAD_LENGTH and (piece := next(pieces, b"")):
        head += piece
    return head
