"""The hash of what a capture holds: time stamps can be set, and sizes stay the same.

It is the SHA-256 of the SHA-256 of every block, so that threads can share the work; hashlib lets
them run beside one another. Where the processor knows SHA-256, 500 MB take less than 0.2 s on two
of them. A checksum would be no faster by much, and could be met on purpose by a changed capture.
"""

from __future__ import annotations

import hashlib
import os
from threading import Thread

BLOCK = 4 << 20
_READ = 1 << 20
"""Bytes of one read: few enough to stay in a cache until they are hashed, and many enough that the
threads seldom wait for one another between two of them."""
MAX_THREADS = 4
"""More of them wait for memory."""


class ContentHash:
    """The hash of an open file, made by threads from the first moment on."""

    def __init__(self, descriptor: int, size: int, offset: int = 0) -> None:
        """Hash ``size`` bytes from ``offset`` on; the file stays open until ``digest``."""
        self._descriptor = descriptor
        self._end = offset + size
        self._starts = iter(range(offset, self._end, BLOCK))  # its next() is atomic
        self._offset = offset
        self._digests = [b""] * -(-size // BLOCK)
        self._failed = False
        count = min(len(self._digests), os.cpu_count() or 1, MAX_THREADS)
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def digest(self) -> bytes | None:
        """Return the hash, 32 bytes; None where the file is shorter, or cannot be read."""
        for thread in self._threads:
            thread.join()
        if self._failed:
            return None
        return hashlib.sha256(b"".join(self._digests)).digest()

    def _work(self) -> None:
        view = memoryview(bytearray(_READ))
        for start in self._starts:
            state = hashlib.sha256()
            at, end = start, min(start + BLOCK, self._end)
            while at < end and not self._failed:
                try:
                    got = os.preadv(self._descriptor, [view[: end - at]], at)
                except OSError:
                    got = 0
                if not got:
                    self._failed = True
                state.update(view[:got])
                at += got
            self._digests[(start - self._offset) // BLOCK] = state.digest()


def hash_of(descriptor: int, size: int) -> bytes | None:
    """Return the hash of the first ``size`` bytes of an open file."""
    return ContentHash(descriptor, size).digest()
