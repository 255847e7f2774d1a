"""The header values that a row needs, taken quickly from a message head.

A capture repeats itself: most values of a head stood in a message before. ``HeadScanner`` therefore
remembers what it learnt of a name or value and spends one dictionary look-up on it, which is four
times as fast as reading every line again. What it says must equal what the full parser
(``dissectors.sip.parse``) says of the same bytes; a test holds the two together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from dissectors.model import Malformed
from dissectors.notes import (
    BAD_HEADER,
    BAD_LENGTH,
    COMPACT,
    CSEQ_MISMATCH,
    MISSING_HEADER,
    NOT_UTF8,
    REPEATED,
)
from dissectors.sip.fields import parse_cseq, parse_name_addr, parse_vias, split_list
from dissectors.sip.grammar import COMPACT_NAMES, number
from dissectors.sip.parse import MAX_HEADERS, parse_message
from dissectors.sip.start import Start, read_start

if TYPE_CHECKING:
    from collections.abc import Callable


class Head(NamedTuple):
    """What a row keeps of a message head. Absent values are None."""

    method: str | None
    """Of a response the method in its CSeq."""
    status: int
    """-1 for a request."""
    reason: str | None
    uri: str | None
    call_id: str | None
    cseq: tuple[int, str] | None
    sender: tuple[str | None, str | None] | None
    """From: URI without brackets and header parameters, tag."""
    recipient: tuple[str | None, str | None] | None
    """To."""
    content_type: str | None
    content_length: int | None
    """As declared; None where absent or not a number."""
    branch: str | None
    """Of the topmost Via."""
    vias: int
    notes: int


Value: TypeAlias = tuple[object, str]
"""what it says, its text"""

# Slots of the values that are collected; other headers are passed over.
_OTHER, _CALL_ID, _CSEQ, _FROM, _TO, _TYPE, _LENGTH, _FORWARDS, _VIA = range(9)
# Added to a slot: the name was in its compact form; the line has no name.
_COMPACT, _BAD, _SLOT = 16, 32, 15

_SLOTS = {
    "call-id": _CALL_ID, "i": _CALL_ID,
    "cseq": _CSEQ,
    "from": _FROM, "f": _FROM,
    "to": _TO, "t": _TO,
    "content-type": _TYPE, "c": _TYPE,
    "content-length": _LENGTH, "l": _LENGTH,
    "max-forwards": _FORWARDS,
    "via": _VIA, "v": _VIA,
}  # fmt: skip

# Values and names remembered; then all are forgotten. Bounds what a hostile capture can make us
# keep.
MAX_REMEMBERED = 16_384

# The branch as everybody writes it; other spellings are read by the parser.
_BRANCH = re.compile(rb";branch=([!#-+\--:<-~]+)(?=;|,|$)")
_new = tuple.__new__  # builds a named tuple in half the time of calling its class


class HeadScanner:
    """Scan heads one after another; what is remembered of lines changes no answer."""

    __slots__ = ("_names", "_starts", "_values")

    def __init__(self) -> None:
        self._names: dict[bytes, int] = {}
        self._values: tuple[dict[bytes, Value], ...] = tuple({} for _ in range(_VIA + 1))
        self._starts: dict[bytes, Start | None] = {}

    def start(self, line: bytes) -> Start | None:
        """Return what a start line says (without its line end), or None when it is none."""
        try:
            return self._starts[line]
        except KeyError:
            pass
        if len(self._starts) >= MAX_REMEMBERED:
            self._starts.clear()
        found = self._starts[line] = read_start(line)
        return found

    def scan(self, head: bytes) -> Head | None:  # noqa: C901, PLR0912, PLR0915  (once a message)
        """Return the values of a head, given without its blank line; None without a start line."""
        lines = head.split(b"\r\n")
        ends = len(lines) - 1
        if (
            head.count(b"\n") != ends
            or head.count(b"\r") != ends
            or b"\n " in head
            or b"\n\t" in head
            or ends > MAX_HEADERS
        ):
            return _parsed(head)
        notes = 0
        start = self._starts.get(lines[0])
        if start is None:
            start = self.start(lines[0])
            if start is None:
                return None
        if not head.isascii():
            notes |= _utf8_note(head)
        values: list[Any] = [None] * 9
        vias = 0
        names, remembered = self._names, self._values
        del lines[0]
        for line in lines:
            name, colon, text = line.partition(b":")
            slot = names.get(name) if colon else _BAD
            if slot is None:
                slot = self._name(name)
            if not slot:
                continue
            if slot > _SLOT:
                notes |= BAD_HEADER if slot & _BAD else COMPACT
                slot &= _SLOT
                if not slot:
                    continue
            if slot == _VIA:
                vias += 1
                if vias == 1:
                    values[_VIA] = text
                if b"," in text:
                    vias += _further_vias(text)
                continue
            found = remembered[slot].get(text)
            if found is None:
                found = self._value(slot, text)
            first = values[slot]
            if first is None:
                values[slot] = found
            elif first is not found and first[1] != found[1]:
                notes |= REPEATED | BAD_LENGTH if slot == _LENGTH else REPEATED
        return _head(start, values, vias, notes)

    def _name(self, name: bytes) -> int:
        """Learn which slot a header name has."""
        text = _text(name).strip(" \t").lower()
        slot = (
            _SLOTS.get(text, _OTHER) | (_COMPACT if text in COMPACT_NAMES else 0) if text else _BAD
        )
        if len(self._names) >= MAX_REMEMBERED:
            self._names.clear()
        self._names[name] = slot
        return slot

    def _value(self, slot: int, raw: bytes) -> Value:
        """Learn what a header value says."""
        text = _text(raw).strip(" \t")
        found = (_READERS[slot](text), text)
        remembered = self._values[slot]
        if len(remembered) >= MAX_REMEMBERED:
            remembered.clear()
        remembered[raw] = found
        return found


def _head(start: Start, values: list[Any], vias: int, notes: int) -> Head:
    _, method, uri, _, status, reason, start_notes = start
    _, call_id, cseq, sender, recipient, content_type, length, _, via = values
    notes |= start_notes
    if not (call_id and cseq and sender and recipient and via is not None):
        notes |= MISSING_HEADER
    cseq = cseq and cseq[0]
    if cseq:
        if method is None:
            method = cseq[1]
        elif cseq[1] != method:
            notes |= CSEQ_MISMATCH
    if length is not None:
        length = length[0]
        if length is None:
            notes |= BAD_LENGTH
    return _new(
        Head,
        (
            method, -1 if status is None else status, reason, uri, call_id and call_id[0], cseq,
            sender and sender[0], recipient and recipient[0], content_type and content_type[0],
            length, _branch(via) if via else None, vias, notes,
        ),
    )  # fmt: skip


def _branch(via: bytes) -> str | None:
    """Return the branch of the first of some Via values."""
    match = _BRANCH.search(via)
    if match is not None:
        return match[1].decode()
    vias = parse_vias(_text(via)) if b"ranch" in via.lower() else ()
    return vias[0].branch if vias else None


def _parsed(head: bytes) -> Head | None:
    """Take the values of an unusual head (folding, bare CR or LF) from the full parser."""
    message = parse_message(head + b"\r\n\r\n", stream=False)
    if isinstance(message, Malformed):
        return None
    vias = message.vias
    # The body is not here: what is said of its length must come from the headers alone.
    lengths = {number(value) for value in message.headers.all("content-length")}
    notes = message.notes & ~BAD_LENGTH
    if None in lengths or len(lengths) > 1:
        notes |= BAD_LENGTH
    return Head(
        message.method if message.kind == "request" else message.cseq_method,
        -1 if message.status is None else message.status,
        message.reason,
        message.uri,
        message.call_id,
        _read_cseq(message.headers.first("cseq") or ""),
        _read_address(message.headers.first("from") or ""),
        _read_address(message.headers.first("to") or ""),
        message.content_type,
        message.content_length,
        vias[0].branch if vias else None,
        len(vias),
        notes,
    )


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _utf8_note(head: bytes) -> int:
    try:
        head.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return 0


def _further_vias(raw: bytes) -> int:
    """Return how many Via values follow the first one in a line (RFC 3261 7.3.1)."""
    return max(0, len(split_list(_text(raw))) - 1)


def _read_text(text: str) -> str:
    return text


def _read_cseq(text: str) -> tuple[int, str] | None:
    cseq = parse_cseq(text)
    return (cseq.number, cseq.method) if cseq else None


def _read_address(text: str) -> tuple[str | None, str | None] | None:
    address = parse_name_addr(text)
    return (address.uri, address.tag) if address else None


_READERS: dict[int, Callable[[str], object]] = {
    _CALL_ID: _read_text,
    _CSEQ: _read_cseq,
    _FROM: _read_address,
    _TO: _read_address,
    _TYPE: _read_text,
    _LENGTH: number,
    _FORWARDS: _read_text,
}
