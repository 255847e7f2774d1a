"""The head of an index: what it belongs to and who made it, to be checked before all else.

    magic (16 bytes), length of the head (4, little-endian), HMAC-SHA256 (32), head, payload

The head is JSON. The HMAC is of everything before the payload, and the head has the hash of the
payload: nothing of the file is looked at that the key of this user does not vouch for.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass, fields

MAGIC = b"\x89xccos-index\r\n\x1a\n"
"""Begins like a PNG, for its reasons: it is no text, and transfers as text damage it visibly."""
FORMAT = 1
_CODE = 32
PREFIX = len(MAGIC) + 4 + _CODE
MAX_HEAD = 1 << 16
"""A head has about a thousand bytes."""


@dataclass(frozen=True, slots=True)
class Head:
    """What an index says about itself."""

    version: str
    """Of the reading code, see ``version``."""
    size: int
    """Of the capture as it lies on disk, in bytes."""
    mtime_ns: int
    """For people: a copy has another one, and is the same capture."""
    content: str
    """Hash of the capture, see ``content``."""
    items: bool
    """Bodies were scanned for XCCOS."""
    messages: int
    payload: str
    """Hash of the payload."""
    sections: list[tuple[str, int]]
    """Names and lengths of the parts of the payload, in order."""
    format: int = FORMAT


_FIELDS = {field.name for field in fields(Head)}


def pack(head: Head, key: bytes) -> bytes:
    """Return everything before the payload."""
    data = json.dumps(asdict(head)).encode()
    start = MAGIC + len(data).to_bytes(4, "little")
    return start + _code(key, start + data) + data


def unpack(data: bytes, key: bytes | None) -> Head | str:
    """Read the beginning of an index (``PREFIX + MAX_HEAD`` bytes suffice).

    Returns why it is not believed otherwise. Without a key none is.
    """
    if not data.startswith(MAGIC) or len(data) < PREFIX:
        return "it is not an index, or damaged"
    start, code = data[: PREFIX - _CODE], data[PREFIX - _CODE : PREFIX]
    length = int.from_bytes(start[len(MAGIC) :], "little")
    text = data[PREFIX : PREFIX + length]
    if key is None or not hmac.compare_digest(code, _code(key, start + text)):
        return "it was not made by this user on this machine, or is damaged"
    found = json.loads(text)  # from here on it is our own
    if found["format"] != FORMAT or set(found) != _FIELDS:
        return "it was made by another version of xccos"
    found["sections"] = [(name, size) for name, size in found["sections"]]
    return Head(**found)


def head_length(data: bytes) -> int:
    """Return where the payload begins, of data that ``unpack`` has read."""
    return PREFIX + int.from_bytes(data[len(MAGIC) : len(MAGIC) + 4], "little")


def _code(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
