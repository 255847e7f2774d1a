"""One record per SIP message: the contract of ``xccos messages`` (docs/json.md).

``analyzer.export.messages`` writes the same keys faster, from columns; a test holds the two equal.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING, Any

from analyzer.times import time_text
from dissectors.model import Malformed
from dissectors.notes import note_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.rows import XccosItem
    from analyzer.window import Window
    from dissectors.sip.messages import SipMessage

Record = dict[str, Any]


def moment(window: Window, row: int) -> str | None:
    """Return when a message was complete; None where the capture gives its record no time."""
    time = window.rows.time[row]
    return time_text(time, window.rows.digits[row]) if time else None


def xccos_items(window: Window, row: int) -> list[XccosItem]:
    """Return the XCCOS items of a message, with the chat texts, which rows do not keep."""
    items = window.rows.xccos(row)
    if not any(item.element == "grpchat" for item in items):
        return items
    document = window.document(row)
    if document is None or isinstance(document, Malformed):
        return items
    return with_chat_texts(items, [item.text for item in document.items])


def with_chat_texts(items: list[XccosItem], texts: Sequence[str | None]) -> list[XccosItem]:
    """Return the items with the texts of chat messages, given the texts of all items."""
    return [
        item._replace(text=texts[k]) if item.element == "grpchat" and k < len(texts) else item
        for k, item in enumerate(items)
    ]


def xccos_record(item: XccosItem) -> Record:
    """Return one XCCOS item as JSON has it."""
    command = item.commandid
    return {
        "element": item.element,
        "id": item.id,
        "seqid": item.seqid,
        "envid": item.envid,
        "commandid": None if command is None else {"seqid": command[0], "envid": command[1]},
        "code": item.code,
        "text": item.text,
    }


def _string(column: str) -> Callable[[Window, int], str | None]:
    return lambda window, row: window.rows.strings.values[getattr(window.rows, column)[row]]


def _uri(window: Window, row: int) -> str | None:
    return window.rows.strings.values[window.rows.uri[row]] if window.rows.status[row] < 0 else None


def _status(window: Window, row: int) -> int | None:
    status = window.rows.status[row]
    return status if status >= 0 else None


def _cseq(window: Window, row: int) -> Record | None:
    found = window.rows.cseqs.values[window.rows.cseq[row]]
    return None if found is None else {"number": found[0], "method": found[1]}


def _content_length(window: Window, row: int) -> int | None:
    declared = window.rows.content_length[row]
    return declared if declared >= 0 else None


def _sha1(data: bytes) -> str:
    import hashlib  # 4 ms; most commands show no digest

    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


FIELDS: dict[str, Callable[[Window, int], Any]] = {
    "index": lambda window, row: window.first + row,
    "frame": lambda window, row: window.rows.frame[row],
    "frames": lambda window, row: list(window.frames(row)),
    "time": moment,
    "src": lambda window, row: window.streams[window.rows.stream[row]].src,
    "dst": lambda window, row: window.streams[window.rows.stream[row]].dst,
    "transport": lambda window, row: window.streams[window.rows.stream[row]].transport,
    "kind": lambda window, row: "request" if window.rows.status[row] < 0 else "response",
    "method": _string("method"),
    "status": _status,
    "reason": _string("reason"),
    "uri": _uri,
    "call_id": _string("call_id"),
    "cseq": _cseq,
    "from_uri": _string("from_uri"),
    "from_tag": _string("from_tag"),
    "to_uri": _string("to_uri"),
    "to_tag": _string("to_tag"),
    "content_type": _string("content_type"),
    "content_length": _content_length,
    "length": lambda window, row: window.rows.length[row],
    "sha1": lambda window, row: _sha1(window.raw(row)),
    "xccos": lambda window, row: [xccos_record(item) for item in xccos_items(window, row)],
    "notes": lambda window, row: note_names(window.rows.notes[row]),
}


FULL_FIELDS = ("start_line", "headers", "body", "body_base64")
"""What ``--full`` adds: the message itself, as parsing it gives it. JSON only, it is too deep for a
cell."""


def _text(data: bytes) -> str:
    """Decode as the parser decodes header text."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _body(data: bytes) -> tuple[str | None, str | None]:
    """Return a body as text or, where it is no UTF-8, in base64."""
    if not data:
        return None, None
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        return None, b2a_base64(data, newline=False).decode()


def full_record(message: SipMessage | Malformed) -> Record:
    """Return ``FULL_FIELDS`` of a message; nothing of what is none."""
    if isinstance(message, Malformed):
        return {"start_line": None, "headers": [], "body": None, "body_base64": None}
    text, coded = _body(message.body)
    return {
        "start_line": _text(message.start_line),
        "headers": [{"name": one.name, "value": one.value} for one in message.headers],
        "body": text,
        "body_base64": coded,
    }


def message_record(window: Window, row: int, fields: Sequence[str] = tuple(FIELDS)) -> Record:
    """Return the record of one message, restricted to ``fields`` in their order.

    Fields are those of ``FIELDS`` and ``FULL_FIELDS``.
    """
    full = FULL_FIELDS if not set(FULL_FIELDS).isdisjoint(fields) else ()
    parsed = full_record(window.message(row)) if full else {}
    return {name: parsed[name] if name in full else FIELDS[name](window, row) for name in fields}
