"""What is captured, on disk: one file, or a ring of files of which the oldest is given up.

Files of a ring have the names that dumpcap gives them (``NAME_00003_20261122072006.pcapng``), each
is a capture of its own, and they are read in the order of their names.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from analyzer.live.records import Records
from analyzer.sources.files import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_SIZE = 64_000
"""Bytes of a file of a ring: a head and some packets."""
CANNOT_WRITE = "cannot write"
"""Begins what is said of a place that takes no more."""
MAX_FILES = 100_000
"""dumpcap's names count to five figures."""


class Shape(NamedTuple):
    """How many files a ring has, and how large each becomes."""

    files: int
    size: int


DEFAULT = Shape(4, 64 * 10**6)
"""Of a capture that nobody asked to keep: room for some hours of signalling of a front end."""


class Kept:
    """Where a live capture is written; ``write`` is called by one thread only."""

    def __init__(self, target: str | None, shape: Shape | None, stamp: Callable[[], str]) -> None:
        """Begin.

        Args:
            target: the file, or the name that the files of a ring begin with; None: a ring in a
                directory of its own that only this user may enter, deleted by ``close``.
            shape: of the ring; None with a target: one file that grows.
            stamp: gives the time for the names of files, ``20261122072006``.
        """
        self._own = tempfile.mkdtemp(prefix="xccos-live-") if target is None else None
        self._target = Path(self._own or "", "live.pcapng") if target is None else Path(target)
        self._shape = DEFAULT if target is None and shape is None else shape
        self._stamp = stamp
        self._records = Records()
        self._stream: BinaryIO | None = None
        self._length = 0
        self._number = 0
        self.files: deque[Path] = deque()
        """Those that are there, the oldest first."""
        self.lost = 0
        """Bytes that were given up with the oldest files."""
        self.problem: str | None = None
        """Why nothing more is written."""

    @property
    def where(self) -> str:
        """Return the place for people: a file, or the beginning of the names of several."""
        if self._own is not None:
            return self._own
        return str(self._target if self._shape is None else self._pattern("*"))

    @property
    def limit(self) -> int | None:
        """Return how many bytes there can be; None where there is no limit."""
        return None if self._shape is None else self._shape.files * self._shape.size

    @property
    def temporary(self) -> bool:
        """All of it is deleted at the end."""
        return self._own is not None

    @property
    def whole(self) -> Path | None:
        """Return the file that has everything from the beginning; None where there is none."""
        one = self.files[0] if len(self.files) == 1 and not self.lost else None
        return one if one is not None and one.is_file() else None  # /dev/null keeps nothing

    @property
    def dropped(self) -> int | None:
        """Return how many packets were dropped as the capture itself says; None: it does not."""
        found = self._records.dropped
        return sum(found.values()) if found else None

    def open(self) -> None:
        """Begin the first file. Raises ``SourceError`` where that is not possible."""
        try:
            self._next()
        except OSError as error:
            raise SourceError(f"{CANNOT_WRITE} {self._target}: {error.strerror}") from None

    def write(self, data: bytes) -> None:
        """Write bytes as they come; what cannot be written is said by ``problem``."""
        if self.problem is not None:
            return
        try:
            for piece, between in self._records.feed(data):
                if between and self._full(len(piece)):
                    self._next()
                    self._put(b"" if piece.startswith(b"\n\r\r\n") else self._records.head)
                self._put(piece)
            if self._records.broken and self.limit is not None:
                self.problem = self._endless(self.limit)
        except OSError as error:
            self._failed(error)

    def _endless(self, limit: int) -> str | None:
        """Return why nothing more is kept where no records can be told."""
        if self._records.head:
            return "the capture is damaged: where its records end cannot be told"
        # Compressed data, a text trace: one file from its beginning, within the same bound.
        if self._length < limit:
            return None
        return f"more than {limit // 10**6} MB that are no pcap or pcapng: -w FILE keeps all"

    def _failed(self, error: OSError) -> None:
        """Leave the file with whole records: what is there can be read."""
        self.problem = f"{CANNOT_WRITE} {self.files[-1]}: {error.strerror}"
        if self._stream is not None and not self._stream.closed:
            with suppress(OSError):
                self._stream.truncate(self._length)

    def finish(self, *, cut: bool = False) -> None:
        """Say that no more comes: the files can be read.

        What is left of a record is written when its source was ``cut``, and else dropped: it was
        we who stopped.
        """
        if self._stream is None or self._stream.closed:
            return
        rest = self._records.close()
        try:
            if cut and self.problem is None:
                self._put(rest)
        except OSError as error:
            self._failed(error)
        self._stream.close()

    def close(self) -> None:
        """End the last file; delete what is temporary."""
        self.finish()
        if self._own is not None:
            for path in self.files:
                path.unlink(missing_ok=True)
            Path(self._own).rmdir()
            self._own = None

    def _full(self, more: int) -> bool:
        return (
            self._shape is not None
            and self._length > len(self._records.head)
            and self._length + more > self._shape.size
        )

    def _put(self, data: bytes) -> None:
        if self._stream is not None and data:
            view = memoryview(data)
            while view:
                view = view[self._stream.write(view) :]
            self._length += len(data)

    def _next(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._number += 1
        path = self._target if self._shape is None else self._named()
        self.files.append(path)
        # Captures hold what people said: nobody else may read them.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._stream = os.fdopen(descriptor, "wb", 0)
        self._length = 0
        if self._shape is not None and len(self.files) > self._shape.files:
            oldest = self.files.popleft()
            self.lost += oldest.stat().st_size
            oldest.unlink()

    def _named(self) -> Path:
        return self._pattern(f"{self._number % MAX_FILES:05d}_{self._stamp()}")

    def _pattern(self, middle: str) -> Path:
        suffix = self._target.suffix or ".pcapng"
        return self._target.with_name(f"{self._target.stem}_{middle}{suffix}")
