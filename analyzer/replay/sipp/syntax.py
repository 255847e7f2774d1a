r"""The syntax of SIPp scenarios (SIPp 3.6): text, keywords, elements.

The rule: only this module knows what means something to SIPp. Its XML reader knows no character
references inside CDATA, strips blanks at the ends of lines, takes ``[`` for a keyword and ``\xNN``
for a byte; and it would run what an injected ``<exec>`` says, so that nothing from a script may end
a CDATA section, an attribute or a comment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.template import SLOT

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FILE = 65_535
"""Bytes of a scenario: SIPp reads it into a buffer of 64 KiB and refuses what is longer."""
MAX_NAME = 200
"""Characters of a comment or a name: names of elements and keywords have 256 in SIPp."""

# What XML 1.0 (2.2) does not allow, what SIPp's reader changes, and what means something to SIPp.
_SPECIAL = re.compile(r"\r\n|[\\\[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_POSIX = frozenset("[.?+*{|$()")
_EDGE = re.compile(r"^[ \t]+|[ \t]+$", re.MULTILINE)
_TAIL = re.compile(r"\n+\Z")
_UNSAYABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_COMMENT = re.compile(r"[^A-Za-z0-9 :/.,;@()#'_+-]+|-(?=-)")


def literal(text: str, *, lines: bool = False) -> str:
    """Return a text so that SIPp sends it as it is.

    Args:
        text: as on the wire; a NUL, which SIPp cannot send, is left out.
        lines: whether CR LF is a line end of the message (in a body) or must not be one.
    """
    return _SPECIAL.sub(
        lambda match: "\n" if lines and match[0] == "\r\n" else _hex(match[0]), text
    )


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02X}" for byte in text.encode("utf-8", "replace") if byte)


def filled(text: str, expression: Callable[[str], str], *, lines: bool = False) -> str:
    """Return a template as SIPp text, its slots as ``expression`` gives them (SIPp text too)."""
    pieces, at = [], 0
    for match in SLOT.finditer(text):
        pieces.append(literal(text[at : match.start()], lines=lines))
        pieces.append(literal(match[0][1:]) if match[1] else expression(match[2]))
        at = match.end()
    pieces.append(literal(text[at:], lines=lines))
    return "".join(pieces)


def as_bytes(data: bytes) -> str:
    """Return bytes as SIPp text; NUL, which it cannot send, is left out."""
    return "".join(f"\\x{byte:02X}" for byte in data if byte)


def cdata(message: str) -> str:
    """Return a message (SIPp text) so that SIPp's reader leaves it whole, in a CDATA section."""
    message = _EDGE.sub(
        lambda match: match[0].replace(" ", r"\x20").replace("\t", r"\x09"), message
    )
    head, blank, body = message.partition("\n\n")
    if blank and body:
        body = _TAIL.sub(lambda match: r"\x0D\x0A" * len(match[0]), body)
        message = head + blank + body
    # SIPp takes a line end before the end of the section for one of the body.
    return "<![CDATA[\n" + message.replace("]]>", r"]]\x3E") + "]]>"


def posix(text: str) -> str:
    """Return a text as a regular expression, without backslashes."""
    return "".join(f"[{one}]" if one in _POSIX else one for one in text)


def attribute(text: str) -> str:
    """Return a text as the value of an attribute in double quotes."""
    return _UNSAYABLE.sub("", text).translate(_ENTITIES)


def comment(text: str) -> str:
    """Return a text for a comment: without what could end it."""
    return _COMMENT.sub(" ", text[:MAX_NAME]).strip(" -")
