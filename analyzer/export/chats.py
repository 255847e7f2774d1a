"""Chat texts read back for many messages: rows do not keep them.

What everybody writes is found by a pattern; anything else goes to the scanner, and what the scanner
gives up to the whole document. A test holds all three equal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.views.messages import xccos_items
from dissectors.xccos.encoding import charset_of
from dissectors.xccos.scan import scan_items

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.trace import Trace

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


def chat_reader(trace: Trace, raw: Callable[[int], bytes]) -> Callable[[int], Sequence[str | None]]:
    """Return what gives the texts of all items of a message that holds chat messages."""
    rows = trace.rows
    values, utf8 = rows.strings.values, dict[int, bool]()

    def texts(row: int) -> Sequence[str | None]:
        if rows.notes[row]:
            return [item.text for item in xccos_items(trace, row)]
        number = rows.content_type[row]
        if number not in utf8:
            utf8[number] = charset_of(values[number]) in (None, "utf-8")
        found = raw(row)
        text = None
        if rows.items[row] == 1 and utf8[number]:
            text = _plain_chat(found, rows.content_length[row])
        if text is not None:
            return (text,)
        scanned = scan_items(found.partition(b"\r\n\r\n")[2], values[number])
        if scanned is not None and not scanned[1]:
            return [item[6] for item in scanned[0]]
        return [item.text for item in xccos_items(trace, row)]

    return texts
