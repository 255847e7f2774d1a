"""What chat messages say: room, author and text, read back from the capture.

Rows keep none of it. One pattern reads the plain envelopes that make up nearly all traffic; what
has several items, entities, comments or CDATA is parsed in full.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.roles import plain_uri
from dissectors.model import Malformed
from dissectors.xccos.reader import read_document
from dissectors.xccos.rooms import post_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.trace import Trace
    from dissectors.xccos.messages import Element, Item

FILE_LINK = "ma-filelink:"
"""Scheme of the link to an uploaded file."""
# Every part is possessive: linear.
_CHAT = re.compile(
    rb"<grpchat((?:\s++[\w.-]++=\"[^\"<&\t\r\n]*+\")*)\s*+>\s*+<chat>([^<]*+)</chat>"
    rb"\s*+</grpchat>"
)
_ATTRIBUTE = re.compile(rb"\s([\w.-]++)=\"([^\"]*+)\"")


_REFERENCE = re.compile(r"&(?:(lt|gt|quot|apos|amp)|#([0-9]{1,6})|#x([0-9A-Fa-f]{1,5}));")
_ENTITIES = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}


class Chat(NamedTuple):
    """A chat message as it compares: the service writes a client's XML anew."""

    room: str | None
    author: str | None
    """Without parameters, in lower case."""
    text: str
    """Runs of blanks and line breaks as one blank."""
    link: bool = False
    """It has a link to an uploaded file, in its text or elsewhere."""


NO_CHAT = Chat(None, None, "")


class ChatReader:
    """Reads the chat messages of one trace; keeps those of the message read last."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._items = trace.rows.items
        self._last: tuple[int, list[Chat]] = (-1, [])

    def chat(self, row: int, position: int) -> Chat:
        """Return the chat message at a position (from 0) of an envelope."""
        if self._last[0] != row:
            self._last = (row, self._read(row))
        found = self._last[1]
        return found[position] if position < len(found) else NO_CHAT

    def _read(self, row: int) -> list[Chat]:
        if self._items[row] == 1:
            plain = _plain(self._trace.raw(row))
            if plain is not None:
                return [plain]
        found = []
        for item in items_of(self._trace, row):
            post = post_of(item)
            if post is None:
                found.append(NO_CHAT)
                continue
            chat = _chat(post.room, post.author, post.text or "")
            found.append(chat._replace(link=chat.link or _has_link(post.element)))
        return found


def items_of(trace: Trace, row: int) -> Sequence[Item]:
    """Return the XCCOS items of a message; its header fields, which take longer, are not parsed."""
    raw, rows = trace.raw(row), trace.rows
    at = raw.find(b"\r\n\r\n")
    if at < 0:
        document = trace.document(row)
    else:
        document = read_document(raw[at + 4 :], rows.strings.values[rows.content_type[row]])
    return () if document is None or isinstance(document, Malformed) else document.items


def _plain(raw: bytes) -> Chat | None:
    """Return the chat message of a plain envelope; None where it must be parsed."""
    at = raw.find(b"\r\n\r\n")
    if at < 0 or (b"!" in raw and raw.find(b"<!", at) >= 0):
        return None
    found = _CHAT.search(raw, at)
    if found is None:
        return None
    attributes = dict(_ATTRIBUTE.findall(found[1]))
    try:
        room, author = attributes[b"chanUri"].decode(), attributes[b"author"].decode()
        text = found[2].decode()
    except (KeyError, ValueError):
        return None
    if "&" in text:
        text, count = _REFERENCE.subn(_character, text)
        if count != found[2].count(b"&"):
            return None
    return _chat(room, author, text)


def _character(reference: re.Match[str]) -> str:
    """Return what an entity or a character reference stands for (XML 1.0 section 4.1)."""
    named, decimal, hexadecimal = reference.groups()
    if named is not None:
        return _ENTITIES[named]
    return chr(int(decimal) if decimal is not None else int(hexadecimal, 16))


def _chat(room: str | None, author: str | None, text: str) -> Chat:
    known_author = plain_uri(author) if author else None
    return Chat(room or None, known_author or None, " ".join(text.split()), FILE_LINK in text)


def _has_link(element: Element) -> bool:
    """Look for a link in what is not text: servers keep links as elements of their own."""
    return any(
        FILE_LINK in value for node in element.iter() for _, value in node.attributes
    ) or any(FILE_LINK in node.text for node in element.iter())
