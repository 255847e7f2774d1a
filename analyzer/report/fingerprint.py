"""Which file a report is of: its size and digest."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

HASHED_AT_ONCE = 1 << 20
"""Bytes of one read."""


def fingerprint(file: str) -> tuple[int | None, str | None]:
    """Return size and SHA-256 of a regular file; None for what cannot be read a second time."""
    path = Path(file)
    if file == "-" or not path.is_file():
        return None, None
    digest, size = sha256(), 0
    with path.open("rb") as stream:
        while data := stream.read(HASHED_AT_ONCE):
            digest.update(data)
            size += len(data)
    return size, digest.hexdigest()
