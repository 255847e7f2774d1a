"""The start line: what says that these bytes are SIP at all.

Read as tolerantly as can be without guessing; the rules of RFC 3261 7.1 and 7.2 are only noted.
"""

from __future__ import annotations

from typing import NamedTuple

from dissectors.notes import BAD_START, BAD_VERSION, NOT_UTF8
from dissectors.sip.grammar import (
    ANY_METHOD_RE,
    ANY_STATUS_LINE_RE,
    ANY_VERSION_RE,
    MAX_DIGITS,
    REQUEST_LINE_RE,
    STATUS_LINE_RE,
    number,
)


class Start(NamedTuple):
    """A request line or status line."""

    kind: str
    """``request`` or ``response``."""
    method: str | None
    uri: str | None
    version: str
    status: int | None
    reason: str | None
    notes: int
    """Bits of ``dissectors.notes``."""


def read_start(line: bytes) -> Start | None:
    """Read a start line, given without its end; None when it is none."""
    text, notes = _decode(line)
    status = ANY_STATUS_LINE_RE.fullmatch(line)
    if status is not None:
        start = _status_line(*status.groups())
        exact = STATUS_LINE_RE
    else:
        request = _request_line(line)
        if request is None:
            return None
        start, exact = request, REQUEST_LINE_RE
    if not exact.fullmatch(text):
        notes |= BAD_START
    if start.version.upper() != "SIP/2.0":
        notes |= BAD_VERSION
    return start._replace(notes=notes)


def _decode(data: bytes) -> tuple[str, int]:
    try:
        return data.decode("utf-8"), 0
    except UnicodeDecodeError:
        return data.decode("latin-1"), NOT_UTF8


def _status_line(version: bytes, code: bytes, reason: bytes | None) -> Start:
    text = _decode(reason or b"")[0].strip(" \t")
    return Start("response", None, None, version.decode(), _status(code), text, 0)


def _status(digits: bytes) -> int:
    """Return the Status-Code, however large; beyond ``MAX_DIGITS`` the largest that is read."""
    value = number(digits.lstrip(b"0").decode() or "0")
    return 10**MAX_DIGITS - 1 if value is None else value


def _request_line(line: bytes) -> Start | None:
    """Read a request line from both ends: blanks in the middle belong to the Request-URI."""
    words = line.strip(b" \t").rsplit(None, 1)
    if len(words) != 2 or not ANY_VERSION_RE.fullmatch(words[1]):
        return None
    method, *uri = words[0].split(None, 1)
    if not ANY_METHOD_RE.fullmatch(method):
        return None
    text = _decode(b"".join(uri))[0].rstrip(" \t")
    return Start("request", method.decode(), text, words[1].decode(), None, None, 0)
