"""The bytes of one member of a ZIP archive.

The one rule: what was unpacked before damage is used. The stream of the standard library gives
nothing of the step in which it meets damage, which is all of a small member; so members are
unpacked here, and the library reads the list of them alone.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from analyzer.sources.files import MAX_SPOOLED
from analyzer.sources.spool import read_at

if TYPE_CHECKING:
    from zipfile import ZipInfo

    from _typeshed import WriteableBuffer

MAGIC = b"PK\x03\x04"
METHODS = 0, 8
"""Stored and deflate (APPNOTE.TXT 4.4.5), which is nearly all that there is."""
LOCAL_HEADER = 30
"""Bytes before the name."""

MAX_RATIO = 500
"""How many times its size a member may unpack to: logs that repeat themselves reach 100, deflate
can do 1,032."""
SMALL = 64 << 20
"""Bytes that a member may unpack to whatever its size."""
MAX_TOTAL = MAX_SPOOLED
"""Bytes that all members may unpack to, together."""

_LENGTHS = struct.Struct("<26xHH")  # of name and extra field, which stand behind the header
_STEP = 1 << 14  # bytes that are unpacked at a time


class Budget:
    """Bytes that the members of an archive may still unpack to."""

    def __init__(self) -> None:
        self.left = MAX_TOTAL


class MemberStream(io.RawIOBase):
    """The bytes of one member; damage and bounds end them, and ``problem`` says so."""

    def __init__(self, descriptor: int, info: ZipInfo, budget: Budget) -> None:
        """Find the member in the open archive; raises ``ValueError`` where it is not."""
        super().__init__()
        self.problem: str | None = None
        """Why the bytes ended early, or differ from what was packed; known at their end."""
        header = read_at(descriptor, info.header_offset, LOCAL_HEADER)
        if not header.startswith(MAGIC) or len(header) < LOCAL_HEADER:
            raise ValueError("its header is not where it should be")
        self._descriptor = os.dup(descriptor)  # it may outlive the archive
        self._at = info.header_offset + LOCAL_HEADER + sum(_LENGTHS.unpack(header))
        self._packed = info.compress_size  # bytes still to be read
        self._bound = max(SMALL, info.compress_size * MAX_RATIO)
        self._budget = budget
        self._checksum, self._expected = 0, info.CRC
        self._decoder = zlib.decompressobj(-zlib.MAX_WBITS) if info.compress_type else None
        self._ended = False

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what there is; 0 at the end, whatever the reason of it."""
        view = memoryview(buffer).cast("B")
        data = b"" if self._ended else self._next(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the member; the archive stays open."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def _next(self, size: int) -> bytes:
        room = min(self._bound, self._budget.left)
        data = self._plain(min(size, max(room, 1)))  # 1: to tell whether there is more
        if data and not room:
            bound = f"{MAX_RATIO} times its size" if self._budget.left else "all members may"
            self._end(f"it unpacks to more than {bound}; the rest is not read")
            return b""
        self._bound -= len(data)
        self._budget.left -= len(data)
        self._checksum = zlib.crc32(data, self._checksum)
        if not data and self._checksum != self._expected:
            self._end("its checksum is wrong: something in it was damaged")
        return data

    def _plain(self, size: int) -> bytes:
        """Return up to ``size`` unpacked bytes; nothing only at the end."""
        if self._decoder is None:
            return self._raw(size)
        data = b""
        while not data and not self._ended and not self._decoder.eof:
            packed = self._decoder.unconsumed_tail or self._raw(_STEP)
            data = self._unpacked(self._decoder, packed, size)
        return data

    def _unpacked(self, decoder: zlib._Decompress, packed: bytes, size: int) -> bytes:
        if not packed:
            self._end("its compressed data is cut short; what was unpacked before that is used")
            return b""
        before = decoder.copy()
        try:
            return decoder.decompress(packed, size)
        except zlib.error:
            self._end("its compressed data is damaged; what was unpacked before that is used")
        # Byte by byte: zlib gives nothing of a step in which it meets damage.
        data = b""
        with suppress(zlib.error):
            for at in range(len(packed)):
                data += before.decompress(packed[at : at + 1], size - len(data) or 1)
                if len(data) >= size:
                    break
        return data[:size]

    def _raw(self, size: int) -> bytes:
        """Return the next bytes of the member as they are in the archive."""
        wanted = min(size, self._packed)
        data = read_at(self._descriptor, self._at, wanted)
        if len(data) < wanted and self._decoder is None:
            self._end("the archive ends inside it; what was read before that is used")
        self._at += len(data)
        self._packed -= wanted
        return data

    def _end(self, problem: str) -> None:
        self._ended = True
        self.problem = self.problem or problem
