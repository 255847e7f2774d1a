"""Capture bytes from a file, a pipe or standard input, plain or compressed, or converted.

The one rule: whatever the input, its bytes pass once in order (``chunks``), and what has passed can
be read again at any offset (``read``). Offsets count plain bytes, after unpacking and conversion.
"""

from __future__ import annotations

import os
import stat
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from analyzer.sources.spool import (
    GZIP_MAGIC,
    ZSTD_MAGIC,
    ZSTD_SKIPPABLE,
    Decoder,
    GzipDecoder,
    Spool,
    ZstdDecoder,
    read_at,
)
from dissectors.capture.detect import READERS
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    from analyzer.sources.conversion import Conversion

CHUNK = 1 << 19
"""Bytes of one read: larger ones are not faster, and smaller ones cost calls."""
MAX_SPOOLED = 64 << 30
"""Bytes that are unpacked, or taken from a pipe: a few times the largest captures that people keep,
and an end to what a small file can be made to unpack to."""

PEEK = 1 << 12
"""The same while only the format is to be told."""

BEGINNING = 8 << 10
"""Bytes that tell who wrote a file."""
STANDARD_INPUT = "-"
ZIP_MAGIC = b"PK\x03\x04"
_MAGIC_LENGTH = 4


class SourceError(Exception):
    """The input cannot be opened; the text is one line for the user."""


class Source:
    """The bytes of one capture; made by ``open_source``, to be closed."""

    def __init__(
        self,
        name: str,
        file: BinaryIO,
        *,
        size: int | None,
        progress: Callable[[int], None] | None = None,
        limit: int = MAX_SPOOLED,
        zone: tzinfo | None = None,
    ) -> None:
        self.name = name
        self.size = size
        """Bytes of the file on disk (compressed ones); None for a pipe."""
        self.problem: Malformed | None = None
        """Why the bytes ended early; set when ``chunks`` is through."""
        self._file = file
        self._progress = progress
        self._limit = limit
        self._consumed = 0
        self._reason: str | None = None  # becomes ``problem``
        self._started = False
        self._at_once = PEEK
        self._head = b""  # read to tell the compression, not yet handed on
        while len(self._head) < _MAGIC_LENGTH and (more := self._take(CHUNK)):
            self._head += more
        self.compression = _compression(self._head)
        """``gzip``, ``zstd`` or None."""
        self.beginning = b"" if self.compression else self._head[:BEGINNING]
        """First bytes of an input that is not compressed."""
        self._pieces = self._raw() if self.compression is None else self._unpacked()
        self.conversion: Conversion | None = None
        """How an input that is no pcap or pcapng becomes one; None where it is left as it is."""
        self._tell_format(zone)
        plain = size is not None and self.compression is None and self.conversion is None
        self._spool = None if plain else Spool()

    @property
    def rereadable(self) -> bool:
        """Any byte can be read at any time, also by other processes: a plain file."""
        return self._spool is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Yield the bytes of the capture in order, in pieces of about ``size``; works once.

        What was read to tell the format comes in pieces of its own.

        Where reading, unpacking or spooling fails, the pieces end and ``problem`` says why.
        """
        if self._started:
            raise RuntimeError("the chunks of a source can be taken once; use read afterwards")
        self._started = True
        self._at_once = size
        if self._spool is None:
            yield from self._pieces
        elif self.conversion is not None:
            converted = self.conversion.pieces(self._pieces)
            yield from self._spooled(_gathered(converted, size), self._spool)
        elif self.compression is None:
            yield from self._spooled(self._pieces, self._spool)
        else:
            yield from self._spooled(_gathered(self._pieces, size), self._spool)
        if self._reason is None:
            self._reason = getattr(self._file, "problem", None)  # of a member of an archive
        if self._reason is not None:
            offset = self._consumed if self._spool is None else self._spool.length
            self.problem = Malformed("capture", self._reason, offset=offset)

    def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes at ``offset`` of what has passed; fewer where there are fewer.

        Works while ``chunks`` runs and after it; a file that shrank since gives what is there.
        """
        if self._spool is not None:
            return self._spool.read(offset, length)
        return read_at(self._file.fileno(), offset, length)

    def fileno(self) -> int:
        """Return a descriptor of the bytes as ``read`` gives them, for another process."""
        return self._file.fileno() if self._spool is None else self._spool.fileno()

    def close(self) -> None:
        """Close the file (standard input stays open) and give the temporary one back."""
        if self._spool is not None:
            self._spool.close()
        if self._file is not getattr(sys.stdin, "buffer", None):
            self._file.close()

    def _tell_format(self, zone: tzinfo | None) -> None:
        """Look at the first bytes, unpacked, until it is clear what they are."""
        seen: list[bytes] = []
        head = b"" if self.compression is not None else self._head
        while head[:_MAGIC_LENGTH] not in READERS:
            from analyzer.sources.conversion import HEAD, conversion_for

            self.conversion = conversion_for(head, zone) if head else None
            if self.conversion is not None or len(head) >= HEAD:
                break
            more = next(self._pieces, b"")
            if not more:
                break
            seen.append(more)
            head = b"".join(seen)
        self._pieces = chain(seen, self._pieces)

    def _raw(self) -> Iterator[bytes]:
        """Yield the bytes as they are on disk."""
        head, self._head = self._head, b""
        at = 0
        while data := head[at : at + self._at_once] or self._next(self._at_once):
            at += len(data)
            self._consumed += len(data)
            if self._progress is not None:
                self._progress(self._consumed)
            yield data

    def _next(self, size: int) -> bytes:
        """Read once; an error is the end of the bytes, and kept as the reason."""
        try:
            return self._take(size)
        except OSError as error:
            self._reason = f"reading failed at byte {self._consumed}: {error.strerror}"
            return b""

    def _spooled(self, pieces: Iterator[bytes], spool: Spool) -> Iterator[bytes]:
        """Pass on what could be kept."""
        for piece in pieces:
            room = self._limit - spool.length
            kept = piece[:room]
            reason = spool.write(kept)
            if reason is not None:
                self._reason = reason
                return
            if kept:
                yield kept
            if len(kept) < len(piece):
                self._reason = (
                    f"the capture has more than {self._limit} bytes; the rest is not read"
                )
                return

    def _unpacked(self) -> Iterator[bytes]:
        decoder: Decoder = GzipDecoder() if self.compression == "gzip" else ZstdDecoder()
        for data in self._raw():
            yield from decoder.decode(data)
            if decoder.problem is not None:
                break
        yield from decoder.end()
        if decoder.problem is not None and self._reason is None:
            self._reason = f"{decoder.problem}; what was unpacked before that is used"

    def _take(self, size: int) -> bytes:
        """Read once: a pipe gives what it has, instead of waiting for all."""
        read1 = getattr(self._file, "read1", None)
        return cast("bytes", read1(size) if read1 is not None else self._file.read(size))


def open_source(
    path: str | Path,
    *,
    progress: Callable[[int], None] | None = None,
    limit: int = MAX_SPOOLED,
    zone: tzinfo | None = None,
) -> Source:
    """Open a capture file, a pipe, or standard input (``-``); gzip and zstd are unpacked.

    Other formats of captures, and text traces, are converted to pcapng as they are read.

    ``progress`` is called with the number of bytes read so far of the file on disk. ``limit``
    bounds what is unpacked, or taken from a pipe. ``zone`` is that of a text trace which does not
    say its own (UTC by default). Waits for the first bytes of a pipe.

    Raises ``SourceError`` when the input cannot be opened.
    """
    piped = str(path) == STANDARD_INPUT
    name = "standard input" if piped else str(path)
    archived = None if piped else _archived(path)
    if archived is not None:
        from analyzer.sources.named import open_member

        return open_member(*archived, progress=progress, zone=zone)
    try:
        # Closed by the source.
        file = _standard_input() if piped else Path(path).open("rb", 0)  # noqa: SIM115
        try:
            size = None if piped else _size_on_disk(file)
            return Source(name, file, size=size, progress=progress, limit=limit, zone=zone)
        except BaseException:
            if not piped:
                file.close()
            raise
    except OSError as error:
        raise SourceError(_words(name, error)) from None
    except ValueError:  # a zero byte in the path
        raise SourceError(f"{name!r} is not the name of a file") from None


def is_zip(path: str | Path) -> bool:
    """Tell whether a file is a ZIP archive."""
    found = _archived(path)
    return found is not None and found[1] in ("", ".")


def _archived(path: str | Path) -> tuple[Path, str] | None:
    """Return the archive that an input lies in, and its name there; None for a plain file."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return None
        with Path(path).open("rb", 0) as file:
            if file.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
                return None
    except FileNotFoundError:
        if not any(Path(one).is_file() for one in Path(path).parents):
            return None
    except NotADirectoryError:
        pass
    except (OSError, ValueError):
        return None
    from analyzer.sources.named import archive_of

    return archive_of(path)


def file_size(path: str | Path) -> int | None:
    """Return the size of a regular file; None for anything else, and for what is not there."""
    try:
        status = Path(path).stat() if str(path) != STANDARD_INPUT else None
    except (OSError, ValueError):
        return None
    return status.st_size if status is not None and stat.S_ISREG(status.st_mode) else None


def _standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise SourceError("standard input is closed")
    return sys.stdin.buffer


def _size_on_disk(file: BinaryIO) -> int | None:
    """Return the size of a regular file; None for what cannot be read at an offset."""
    status = os.fstat(file.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _compression(head: bytes) -> str | None:
    if head.startswith(GZIP_MAGIC):
        return "gzip"
    skippable = head[1:4] == ZSTD_SKIPPABLE and 0x50 <= head[0] <= 0x5F
    return "zstd" if skippable or head.startswith(ZSTD_MAGIC) else None


def _gathered(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Join small pieces: whoever reads pays per piece, and wants to see a whole file header."""
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= size:
            yield b"".join(held)
            held, length = [], 0
    if held:
        yield b"".join(held)


def _words(name: str, error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return f"there is no file {name}"
        case IsADirectoryError():
            return f"{name} is a directory, not a capture file"
        case PermissionError():
            return f"{name} may not be read: no permission"
        case _:
            return f"{name} cannot be opened: {error.strerror or 'unknown error'}"
