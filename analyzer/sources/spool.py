"""Bytes that pass once, kept to be read again: unpacking, and the temporary file behind it.

The one rule: damaged data yields what could be unpacked before the damage, and one line about it.
Unpacking is done in small steps, so that a short hostile input never becomes a large buffer.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zstandard import ZstdDecompressionObj

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE = b"\x2a\x4d\x18"  # after a byte of 0x50 to 0x5F (RFC 8878 section 3.1.2)

MAX_WINDOW = 1 << 27
"""Window of zstd data: what ``zstd`` itself accepts unless told otherwise (``--long=27``)."""
KEEP_FREE = 512 << 20
"""Bytes of the file system with the temporary files that are left to others."""
CHECK_EVERY = 64 << 20
"""Bytes between two looks at the free space."""

_SLICE = 1 << 14  # of gzip input; each member in it costs a copy of the rest
_PIECE = 1 << 19  # of gzip output at a time
_READ = 1 << 20  # of one system call: the buffer for it is allocated whole, whatever the file has


class Decoder(Protocol):
    """Compressed bytes in, plain bytes out."""

    problem: str | None
    """Why unpacking stopped."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to; nothing more once ``problem`` is set."""
        ...

    def end(self) -> Iterator[bytes]:
        """Yield what is left at the end of the input; set ``problem`` when that comes too early."""
        ...


class GzipDecoder:
    """gzip data of one or more members (RFC 1952), zeros after the last one allowed."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self._member = zlib.decompressobj(31)  # 31: a gzip header and trailer, 32 KiB window
        self._between = False  # a member has ended, no other has begun
        self._position = 0  # in the input

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to; nothing more once ``problem`` is set."""
        for start in range(0, len(data), _SLICE):
            rest = data[start : start + _SLICE]
            stop = self._position + len(rest)
            while rest and self.problem is None:
                self._position = stop - len(rest)
                if self._between:
                    rest = self._next_member(rest)
                    continue
                before = self._member.copy()
                try:
                    plain = self._member.decompress(rest, _PIECE)
                except zlib.error:
                    yield from self._before_damage(before, rest)
                    return
                if plain:
                    yield plain
                self._between = self._member.eof
                rest = self._member.unused_data if self._between else self._member.unconsumed_tail
            self._position = stop

    def end(self) -> Iterator[bytes]:
        """Yield what is left at the end of the input; set ``problem`` when that comes too early."""
        if self.problem is None and not self._between:
            self.problem = "the gzip data is cut short"
            if plain := self._member.flush():
                yield plain

    def _next_member(self, rest: bytes) -> bytes:
        """Begin the member that follows, if any; return its first bytes."""
        rest = rest.lstrip(b"\0")
        if rest:
            if not rest.startswith(GZIP_MAGIC[:1]):
                self.problem = f"what follows the gzip data near byte {self._position} is not gzip"
            self._member = zlib.decompressobj(31)
            self._between = False
        return rest

    def _before_damage(self, member: zlib._Decompress, rest: bytes) -> Iterator[bytes]:
        """Unpack byte by byte: zlib gives nothing of a step in which it meets damage."""
        at = 0
        with suppress(zlib.error):
            for at in range(len(rest)):
                if plain := member.decompress(rest[at : at + 1]):
                    yield plain
        self.problem = f"the gzip data is damaged near byte {self._position + at}"


class ZstdDecoder:
    """zstd data of one or more frames (RFC 8878).

    Given to the library block by block: it gives nothing of a step in which it meets damage, and
    has no bound for what a step yields, but a block is 128 KiB at most.
    """

    def __init__(self) -> None:
        self.problem: str | None = None
        import zstandard  # 6 ms, and few captures need it

        self._library = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        self._failures = (zstandard.ZstdError, MemoryError)
        self._frame: ZstdDecompressionObj | None = None
        self._input = bytearray()
        self._position = 0  # of the first byte of ``_input``
        self._step = 0  # length of the header, block or checksum that comes next; 0: not yet known
        self._skip = 0  # bytes of a skippable frame that are still to come
        self._checksum = 0  # length of the checksum at the end of the frame
        self._last = False  # the last block of the frame was seen

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to; nothing more once ``problem`` is set."""
        self._input += data
        while self.problem is None:
            self._step = self._step or min(self._skip, len(self._input)) or self._next_step()
            if not 0 < self._step <= len(self._input):
                return
            step = bytes(self._input[: self._step])
            del self._input[: self._step]
            self._step = 0
            if self._skip:
                self._skip -= len(step)
            elif self._frame is not None:
                yield from self._unpack(self._frame, step)
            else:  # the head of a skippable frame
                self._skip = int.from_bytes(step[4:], "little")
            self._position += len(step)

    def end(self) -> Iterator[bytes]:
        """Set ``problem`` when the input ends too early; nothing is ever left."""
        if self.problem is None and (self._input or self._skip or self._frame is not None):
            self.problem = "the zstd data is cut short"
        yield from ()

    def _unpack(self, frame: ZstdDecompressionObj, step: bytes) -> Iterator[bytes]:
        try:
            plain = frame.decompress(step)
        except self._failures:
            self.problem = f"the zstd data is damaged, or not supported, near byte {self._position}"
            return
        if frame.eof:
            self._frame = None
        if plain:
            yield plain

    def _next_step(self) -> int:
        head = self._input
        if self._frame is not None:
            return self._block_length(head)
        if len(head) < 5:
            return 0
        if head[1:4] == ZSTD_SKIPPABLE and 0x50 <= head[0] <= 0x5F:
            return 8
        if not head.startswith(ZSTD_MAGIC):
            self.problem = f"what stands near byte {self._position} is not zstd data"
            return 0
        self._frame = self._library.decompressobj()
        self._last = False
        # RFC 8878 section 3.1.1.1: the descriptor says which fields the header has.
        descriptor = head[4]
        single, content = descriptor >> 5 & 1, descriptor >> 6
        self._checksum = descriptor & 4
        window, dictionary = 1 - single, (0, 1, 2, 4)[descriptor & 3]
        return 5 + window + dictionary + (single, 2, 4, 8)[content]

    def _block_length(self, head: bytearray) -> int:
        if self._last:
            return self._checksum
        if len(head) < 3:
            return 0
        # RFC 8878 section 3.1.1.2: a run of one byte (type 1) holds that byte alone.
        header = int.from_bytes(head[:3], "little")
        self._last = bool(header & 1)
        return 3 + (1 if header >> 1 & 3 == 1 else header >> 3)


class Spool:
    """A temporary file without a name: bytes are appended, and read back at any offset."""

    def __init__(self) -> None:
        import tempfile  # with shutil 4 ms, which a plain file does without

        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (closed by close)
        self._check_at = 0
        self.length = 0

    def write(self, data: bytes) -> str | None:
        """Append ``data``; return why that was not possible."""
        try:
            if self.length >= self._check_at:
                self._check_at = self.length + CHECK_EVERY
                if not _is_room():
                    return "there is not enough room for temporary files"
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            return f"the temporary file cannot be written: {error.strerror}"
        self.length += len(data)
        return None

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes at ``offset``: what there is of them."""
        return read_at(self._file.fileno(), offset, length)

    def fileno(self) -> int:
        """Return the descriptor, for another process that reads."""
        return self._file.fileno()

    def close(self) -> None:
        """Give the room back."""
        self._file.close()


def _is_room() -> bool:
    import shutil
    import tempfile

    return shutil.disk_usage(tempfile.gettempdir()).free >= KEEP_FREE + CHECK_EVERY


def read_at(descriptor: int, offset: int, length: int) -> bytes:
    """Return up to ``length`` bytes at ``offset`` of an open file; fewer where it ends or fails."""
    parts: list[bytes] = []
    while length > 0:
        try:
            part = os.pread(descriptor, min(length, _READ), offset)
        except OSError:  # the disk or the network share is gone: like a file that shrank
            break
        if not part:
            break
        if len(part) == length and not parts:  # nearly always
            return part
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
