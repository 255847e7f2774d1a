"""SIP messages to bytes.

The rule: a message that was read is written as it came, byte for byte; a message that is built is
written as RFC 3261 7 demands (CRLF, one space after the colon, the true Content-Length).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dissectors.sip.grammar import TOKEN_RE, field_name
from dissectors.sip.messages import Header

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sip.messages import SipMessage

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def write_message(message: SipMessage) -> bytes:
    """Return the bytes of a message from its parts: of one that was read, the bytes it came in.

    The headers are written from their raw lines, so a message whose ``headers`` or ``body`` were
    replaced is written with the new ones (Content-Length is left as it is).
    """
    margins = message.margins
    lines = [header.raw for header in message.headers]
    head = [margins.before, message.start_line, margins.line_end, *lines, margins.blank]
    return b"".join([*head, message.body, margins.after])


def make_header(name: str, value: str) -> Header:
    """Return a header line in canonical form.

    Raises:
        ValueError: The name is not a token, or the value has a line break or control character.
    """
    if not TOKEN_RE.fullmatch(name):
        raise ValueError(f"not a header name: {name!r}")
    _refuse_controls(value)
    value = value.strip(" \t")
    return Header(name, value, f"{name}: {value}\r\n".encode())


def build_message(start_line: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """Return a message with CRLF line ends and the true Content-Length.

    Content-Length stands where the caller puts it (its value is replaced), else last.

    Raises:
        ValueError: A name is not a token, or the start line or a value has a control character.
    """
    _refuse_controls(start_line)
    length = make_header("Content-Length", str(len(body)))
    lines: list[bytes] = []
    length_at = None
    for name, value in headers:
        if field_name(name) != "content-length":
            lines.append(make_header(name, value).raw)
        elif length_at is None:
            length_at = len(lines)
    lines.insert(len(lines) if length_at is None else length_at, length.raw)
    return b"".join([start_line.encode(), b"\r\n", *lines, b"\r\n", body])


def _refuse_controls(text: str) -> None:
    """Refuse what would end the line: a value must not be able to add a header."""
    if _CONTROL.search(text):
        raise ValueError(f"a control character in {text[:80]!r}")
