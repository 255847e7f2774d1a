"""An index on disk: written whole or not at all, and believed only when everything fits.

The one rule: whatever lies in the place of an index, the worst it can do is not to be used. Its
head is checked first (``head``), then the capture and the payload by their hashes, and only what
the key of this user vouches for is decoded.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.collector import paused
from analyzer.library.content import ContentHash
from analyzer.library.head import MAX_HEAD, PREFIX, Head, head_length, pack, unpack
from analyzer.library.key import key_path, made_key, user_key
from analyzer.library.places import MIN_SIZE, places
from analyzer.library.version import reading_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analyzer.reading import Reading
    from analyzer.sources.files import Source

MISSING = "pyarrow is not installed (pip install 'xccos-analyzer[index]')"
TOO_SMALL = f"less than {MIN_SIZE >> 20} MiB are read as fast without one"
NO_FILE = "only a file can have an index"
OTHER = "the capture has changed since, or is another one"
DAMAGED = "it is damaged"
_AT_ONCE = 1 << 30
"""Bytes of one read: Linux gives no more than 2 GiB."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """An index that is not used, or cannot be made."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unwritten(Unfit):
    """An index that could be made, and not be written."""


def saved_reading(path: str | Path, source: Source, *, items: bool) -> Reading | None:
    """Return what the index of a capture holds; None where none fits.

    Args:
        path: of the capture.
        source: the capture, of which nothing was read yet; a compressed one is unpacked.
        items: the rows must have XCCOS items.
    """
    for place in places(path):
        found = load(place, path, source)
        if not isinstance(found, Unfit) and (found[0].items or not items):
            if not source.rereadable:
                for _ in source.chunks():  # read from later, by offsets of what is unpacked
                    pass
            return found[1]
    return None


def load(place: Path, path: str | Path, source: Source) -> tuple[Head, Reading] | Unfit:
    """Return an index, or why it is not used. Nothing that lies there raises an error.

    Args:
        place: where the index lies.
        path: of the capture.
        source: the capture, opened.
    """
    try:
        with _opened(place) as descriptor, content_of(path, source) as capture:
            return _load(descriptor, capture)
    except FileNotFoundError:
        return Unfit("there is none")
    except OSError as error:
        return Unfit(f"it cannot be read: {error.strerror}")


def _load(descriptor: int, capture: int) -> tuple[Head, Reading] | Unfit:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return Unfit("it is not a file")
    start = os.pread(descriptor, PREFIX + MAX_HEAD, 0)
    head = unpack(start, user_key())
    if isinstance(head, str):
        return Unfit(head)
    at, length = head_length(start), sum(size for _, size in head.sections)
    if head.version != reading_version():
        return Unfit("it was made by another version of xccos")
    if head.size != os.fstat(capture).st_size:
        return Unfit(OTHER)
    if status.st_size != at + length:
        return Unfit(DAMAGED)
    content = ContentHash(capture, head.size)  # its threads work while the payload is read
    try:
        reading = _payload(descriptor, at, head)
    finally:
        digest = content.digest() or b""
    if digest.hex() != head.content:
        return Unfit(OTHER)
    return reading if isinstance(reading, Unfit) else (head, reading)


def _payload(descriptor: int, at: int, head: Head) -> Reading | Unfit:
    """Return what the payload holds. It is read once: the file may change between two readings."""
    try:
        from analyzer.library.sections import reading_of
    except ImportError:
        return Unfit(MISSING)
    payload = _read(descriptor, at, sum(size for _, size in head.sections))
    if payload_hash(payload) != head.payload:
        return Unfit(DAMAGED)
    parts, start = {}, 0
    for name, size in head.sections:
        parts[name] = memoryview(payload)[start : start + size]
        start += size
    try:
        with paused():
            return reading_of(parts)
    # The bytes are those that were written, so what is wrong is the library that reads them:
    # there is always the capture itself to be read.
    except Exception as error:  # noqa: BLE001
        return Unfit(f"pyarrow cannot read it: {error}")


def _read(descriptor: int, at: int, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    while view and (got := os.preadv(descriptor, [view[:_AT_ONCE]], at)):
        view, at = view[got:], at + got
    return data


def payload_hash(*parts: bytes | bytearray) -> str:
    """Return the hash of a payload, given in parts."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return state.hexdigest()


@contextmanager
def _opened(path: str | Path) -> Iterator[int]:
    # A pipe in its place must not be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def content_of(path: str | Path, source: Source) -> Iterator[int]:
    """Give a descriptor of the capture as it lies on disk."""
    if source.rereadable:
        yield source.fileno()
    else:
        with _opened(path) as descriptor:
            yield descriptor


def save(place: Path, head: Head, sections: dict[str, bytes]) -> str | None:
    """Write an index; return why that was not possible.

    Nobody but its user may read it, whoever may read the capture: it holds names of people, and
    nobody else can use it.
    """
    key = made_key()
    if key is None:
        return f"{key_path() or 'the key of this user'} cannot be made, or is not this user's alone"
    part = place.with_name(f".{place.name}.{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(pack(head, key))
                for data in sections.values():
                    file.write(data)
            part.replace(place)  # without fsync: what a power cut leaves is not believed
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        return f"{place} cannot be written: {error.strerror}"
    return None
