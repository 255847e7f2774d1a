"""Chat texts read back for many messages: rows do not keep them.

What everybody writes is found by a pattern; anything else goes to the scanner, and what the scanner
gives up to the whole document. A test holds all three equal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dissectors.model import Malformed
from dissectors.sip.parse import parse_message
from dissectors.xccos.encoding import charset_of
from dissectors.xccos.reader import read_document
from dissectors.xccos.scan import scan_items

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.window import Window

# One chat message in the plainest shape, from the beginning of the body, which is known to be
# well-formed: a ``<`` begins a tag, and no comment or section can hide between these.
_PLAIN_CHAT = re.compile(rb"<xccos[^<]*><grpchat\s[^<]*><chat>([^<\r]*)</chat>")
_REFERENCES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


def _plain_chat(raw: bytes, content_length: int) -> str | None:
    """Return the chat text of a message of that shape with one item; None for any other one."""
    body = len(raw) - content_length
    if raw[body - 4 : body] != b"\r\n\r\n":
        return None
    found = _PLAIN_CHAT.match(raw, body)
    if found is None:
        return None
    try:
        text = found[1].decode()
    except UnicodeDecodeError:
        return None
    if "&" in text:
        if "&#" in text:
            return None
        for reference, character in _REFERENCES:  # ampersands last: they make no new references
            text = text.replace(reference, character)
    return text


def is_utf8(content_type: str | None) -> bool:
    """Say whether the texts in bodies of that type may be read as UTF-8."""
    return charset_of(content_type) in (None, "utf-8")


def chat_texts(
    raw: bytes, content_type: str | None, *, noted: bool, stream: bool
) -> Sequence[str | None]:
    """Return the texts of all items of a message that holds chat messages, in whatever shape.

    ``noted``: something about the message is unusual; ``stream``: it was not in a datagram.
    """
    if not noted:
        scanned = scan_items(raw.partition(b"\r\n\r\n")[2], content_type)
        if scanned is not None and not scanned[1]:
            return [item[6] for item in scanned[0]]
    message = parse_message(raw, stream=stream)
    if isinstance(message, Malformed) or not message.body:
        return ()
    document = read_document(message.body, message.content_type)
    if document is None or isinstance(document, Malformed):
        return ()
    return [item.text for item in document.items]


def chat_reader(
    window: Window, raw: Callable[[int], bytes]
) -> Callable[[int], Sequence[str | None]]:
    """Return what gives the texts of all items of a message that holds chat messages."""
    rows, streams = window.rows, window.streams
    values, utf8 = rows.strings.values, dict[int, bool]()

    def texts(row: int) -> Sequence[str | None]:
        found, noted = raw(row), bool(rows.notes[row])
        number = rows.content_type[row]
        if number not in utf8:
            utf8[number] = is_utf8(values[number])
        if not noted and rows.items[row] == 1 and utf8[number]:
            text = _plain_chat(found, rows.content_length[row])
            if text is not None:
                return (text,)
        stream = streams[rows.stream[row]].transport != "udp"
        return chat_texts(found, values[number], noted=noted, stream=stream)

    return texts
