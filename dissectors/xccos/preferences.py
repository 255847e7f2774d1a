"""Preference documents: what ``pref@content`` holds.

The rule that matters: that it is base64 is known, the compression inside is not. Each container
that a .NET client may have used is tried, and the answer says which one fitted.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass

from dissectors.model import Malformed

MAX_PREFERENCE = 8 * 1024 * 1024
"""Bytes after decompression. Preferences list rooms and settings: some KiB."""
RAW = 512
"""Bytes of refused content that its ``Malformed`` keeps."""

_SPACE = re.compile(r"[ \t\r\n]+")
_LENGTH = 4
"""Bytes of a little-endian length that some .NET programs write before compressed data."""
_GZIP, _ZLIB, _DEFLATE = 31, 15, -15  # ``wbits`` of zlib
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Preference:
    """A decoded preference document."""

    how: str
    """``plain``, ``gzip``, ``zlib`` or ``deflate``, with ``length+`` before it where four bytes of
    length stood first."""
    text: str | None
    """The document, when it is text (most are XML)."""
    data: bytes
    """After decompression."""

    @property
    def form(self) -> str:
        """``xml``, ``text`` or ``binary``."""
        if self.text is None:
            return "binary"
        return "xml" if self.text.lstrip("\ufeff \t\r\n").startswith("<") else "text"


class _TooLong(Exception):  # noqa: N818  (not an error of the data: a limit of ours)
    """More than ``MAX_PREFERENCE`` bytes came out."""


def decode_preference(content: str) -> Preference | Malformed:
    """Decode the value of ``pref@content``: base64, then gzip, zlib, raw deflate or nothing."""
    raw = content[:RAW].encode("utf-8", "replace")
    if len(content) > 2 * MAX_PREFERENCE:
        return Malformed("xccos", f"preference longer than {MAX_PREFERENCE} bytes", raw=raw)
    letters = _SPACE.sub("", content).rstrip("=")
    try:
        data = base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError):
        return Malformed("xccos", "preference is not base64", raw=raw)
    try:
        how, inflated = _opened(data)
    except _TooLong:
        reason = f"preference grows beyond {MAX_PREFERENCE} bytes"
        return Malformed("xccos", reason, raw=raw)
    return Preference(how, _as_text(inflated), inflated)


def _opened(data: bytes) -> tuple[str, bytes]:
    """Return the container and what was in it; text goes before containers without a mark."""
    for prefix, inner in (("", data), ("length+", data[_LENGTH:])):
        marked = _marked(inner)
        if marked is not None:
            return prefix + marked[0], marked[1]
    if _as_text(data) is not None:
        return "plain", data
    for prefix, inner in (("", data), ("length+", data[_LENGTH:])):
        inflated = _inflated(inner, _DEFLATE)
        if inflated:
            return prefix + "deflate", inflated
    return "plain", data


def _marked(data: bytes) -> tuple[str, bytes] | None:
    """Return what a container with a mark of its own holds: gzip (RFC 1952), zlib (RFC 1950)."""
    if data[:2] == b"\x1f\x8b":
        how, wbits = "gzip", _GZIP
    elif data[:1] == b"\x78" and len(data) > 1 and (data[0] << 8 | data[1]) % 31 == 0:
        how, wbits = "zlib", _ZLIB
    else:
        return None
    inflated = _inflated(data, wbits)
    return None if inflated is None else (how, inflated)


def _inflated(data: bytes, wbits: int) -> bytes | None:
    """Inflate one whole stream; None when it is not one; raise _TooLong."""
    stream = zlib.decompressobj(wbits)
    try:
        inflated = stream.decompress(data, MAX_PREFERENCE + 1)
    except zlib.error:
        return None
    if len(inflated) > MAX_PREFERENCE:
        raise _TooLong
    return inflated if stream.eof and not stream.unused_data else None


def _as_text(data: bytes) -> str | None:
    """Return data as text: by its byte-order mark, as UTF-16 that begins with ``<``, or UTF-8."""
    if data[:2] == b"\xff\xfe" or data[:2] == b"<\0":
        codec = "utf-16-le"
    elif data[:2] == b"\xfe\xff" or data[:2] == b"\0<":
        codec = "utf-16-be"
    else:
        codec = "utf-8"
    try:
        text = data.decode(codec).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None
    return None if _CONTROLS.search(text) else text
