"""From the bytes of a body to UTF-8: byte-order marks, declarations and charset parameters.

The rule that matters: the bytes decide between 8 and 16 bits, labels only choose among the 8-bit
encodings. A .NET ``StringWriter`` declares utf-16 whatever the bytes become later, so that label
alone proves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dissectors.model import Malformed

RAW = 512
"""Bytes of a refused body that its ``Malformed`` keeps: enough to recognise the message."""
SNIFFED = 8192
"""Bytes of a 16-bit body that are decoded to look for its root element."""

_WIDE = re.compile(
    rb"(?P<le>\xff\xfe(?!\0\0)|(?:[ \t\r\n]\0)*<\0(?!\0))|(?P<be>\xfe\xff|(?:\0[ \t\r\n])*\0<)"
)
_DECLARED = re.compile(
    rb"[ \t\r\n]*+<\?xml[ \t\r\n][^>]{0,200}?\bencoding[ \t\r\n]*+=[ \t\r\n]*+[\"']([^\"'>]*+)[\"']"
)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\"';\s]+)", re.IGNORECASE)

# US-ASCII is read as UTF-8, of which it is a part: it is also the default of text/plain, and
# senders that never thought about it label UTF-8 so.
_CODECS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8"}
_CODECS |= {name: name for name in ("gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr")}
_CODECS |= {name: name for name in ("gb2312", "koi8-r", "koi8-u", "windows-874")}
_CODECS |= {f"iso-8859-{n}": f"iso8859-{n}" for n in range(1, 17) if n != 12}
_CODECS |= {f"windows-{n}": f"cp{n}" for n in range(1250, 1259)}
_CODECS["windows-874"] = "cp874"
_SIXTEEN_BIT = {"utf-16", "utf-16le", "utf-16be", "unicode", "ucs-2", "iso-10646-ucs-2"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body as UTF-8, without byte-order mark and surrounding whitespace."""

    data: bytes
    encoding: str
    """Python's name of the encoding that was read."""
    notes: tuple[str, ...]


def charset_of(content_type: str | None) -> str | None:
    """Return the charset parameter of a Content-Type in lower case, or None."""
    if content_type is None or ";" not in content_type:
        return None
    found = _CHARSET.search(content_type)
    return found[1].lower() if found else None


def wide_encoding(body: bytes) -> str | None:
    """Return ``utf-16-le`` or ``utf-16-be`` for a body of 16-bit units, else None."""
    found = _WIDE.match(body)
    if found is None:
        return None
    return "utf-16-le" if found["le"] is not None else "utf-16-be"


def narrowed(body: bytes) -> bytes:
    """Return the body, or the beginning of a 16-bit one, in bytes that ASCII markup shows in."""
    wide = wide_encoding(body)
    if wide is None:
        return body
    return body[:SNIFFED].decode(wide, "replace").removeprefix("\ufeff").encode("utf-8", "replace")


def to_utf8(body: bytes, content_type: str | None) -> Decoded | Malformed:
    """Return a body as UTF-8; the order is that of RFC 7303 section 3: mark, charset, declaration.

    Whitespace before the document is taken off, because an XML declaration must stand first.
    """
    notes: list[str] = []
    codec = wide_encoding(body) or _labelled(body, charset_of(content_type), notes)
    if codec is None:
        return Malformed("xccos", "the declared encoding is not known", raw=body[:RAW])
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        reason = f"not valid {error.encoding} at byte {error.start}"
        return Malformed("xccos", reason, raw=body[:RAW])
    if text.startswith("\ufeff"):
        notes.append("byte-order-mark")
    elif codec.startswith("utf-16"):
        notes.append("no-byte-order-mark")
    text = text.removeprefix("\ufeff")
    trimmed = text.strip(" \t\r\n")
    if trimmed[:1] != text[:1]:
        notes.append("leading-whitespace")
    return Decoded(trimmed.encode(), codec, tuple(notes))


def _labelled(body: bytes, charset: str | None, notes: list[str]) -> str | None:
    """Return the codec that the labels of an 8-bit body name; None when only XML names it wrong."""
    if body.startswith(b"\xef\xbb\xbf"):
        return "utf-8"
    if charset is not None:
        if charset in _CODECS:
            return _CODECS[charset]
        notes.append("charset-ignored")
    found = _DECLARED.match(body)
    if found is None:
        return "utf-8"
    declared = found[1].decode("latin-1").lower()
    if declared in _SIXTEEN_BIT:
        notes.append("declared-utf-16")
        return "utf-8"
    return _CODECS.get(declared)
