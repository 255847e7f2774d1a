"""Faults in what a message says: damaged bytes, a wrong commandid, a body that is too large.

The rule: all of a message that a fault does not name stays byte for byte as it was; only
Content-Length follows the body.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dissectors.model import Malformed
from dissectors.sip.grammar import field_name
from dissectors.sip.messages import Headers
from dissectors.sip.writer import make_header, write_message
from dissectors.xccos.messages import document_of
from dissectors.xccos.writer import Shape, write_document
from dissectors.xccos.xml import parse

if TYPE_CHECKING:
    from random import Random  # noqa: TID251  (only its type)

    from analyzer.replay.faults.rules import Corrupt
    from analyzer.replay.heard import Heard
    from dissectors.sip.messages import SipMessage
    from dissectors.xccos.messages import Element

_COMMENT = b"<!--%b-->"
_COMMENT_LENGTH = len(_COMMENT % b"")
_SERVER_MARK = b"xmlns:xsi"
_SPAN = 10**9


def corrupted(raw: bytes, fault: Corrupt, chance: Random) -> bytes:
    """Return a message with bytes of one of its parts flipped."""
    line = raw.find(b"\n") + 1 or len(raw)
    blank = raw.find(b"\r\n\r\n", line - 2)
    head = len(raw) if blank < 0 else blank + 4
    places = {"any": (0, len(raw)), "start": (0, line), "header": (line, head)}
    first, end = places.get(fault.part, (head, len(raw)))
    damaged = bytearray(raw)
    for at in chance.sample(range(first, end), min(fault.count, end - first)):
        damaged[at] ^= chance.randrange(1, 256)  # never 0: the byte does change
    return bytes(damaged)


def with_wrong_commandid(heard: Heard, envid: str | None, chance: Random) -> bytes:
    """Return a message whose replies name a command that nobody sent."""
    document = heard.document
    assert document is not None  # only messages with a commandid are hit
    wrong = envid if envid is not None else str(chance.randrange(_SPAN, 2 * _SPAN))
    root = document.root
    items = tuple(
        replace(item, children=tuple(_renamed(child, wrong) for child in item.children))
        for item in root.children
    )
    shape: Shape = "server" if _SERVER_MARK in heard.message.body[:512] else "client"
    body = write_document(document_of(replace(root, children=items)), shape)
    return with_body(heard.message, body)


def _renamed(child: Element, envid: str) -> Element:
    if child.name != "commandid":
        return child
    kept = tuple(pair for pair in child.attributes if pair[0] != "envid")
    return replace(child, attributes=(*kept, ("envid", envid)))


def oversized(message: SipMessage, size: int) -> bytes:
    """Return a message whose body has ``size`` bytes; XML stays well-formed."""
    return with_body(message, _padded(message.body, size))


def _padded(body: bytes, size: int) -> bytes:
    """Pad with a comment inside the root, or blanks behind it; what is no XML with its last byte.

    XML 1.0 2.1 and 2.5: a comment may stand anywhere in the content of an element.
    """
    room, at = size - len(body) - _COMMENT_LENGTH, body.rfind(b"</")
    if room >= 0 and at >= 0:
        padded = body[:at] + _COMMENT % (b"x" * room) + body[at:]
        if not isinstance(parse(body), Malformed):
            return padded
    return body + (b" " if body[-1:] == b">" else body[-1:]) * (size - len(body))


def with_body(message: SipMessage, body: bytes) -> bytes:
    """Return a message with another body and its length."""
    length = make_header("Content-Length", str(len(body)))
    headers = [
        length if field_name(header.name) == "content-length" else header
        for header in message.headers
    ]
    return write_message(replace(message, headers=Headers(headers), body=body))
