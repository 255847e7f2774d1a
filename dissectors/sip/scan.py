"""The header values that a row needs, taken quickly from a message head.

A capture repeats itself: most values of a head stood in a message before. ``HeadScanner`` therefore
remembers what it learnt of a name or value and spends one dictionary look-up on it, which is four
times as fast as reading every line again. What it says must equal what the full parser
(``dissectors.sip.parse``) says of the same bytes; a test holds the two together.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Protocol, TypeAlias
from zlib import crc32

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
from dissectors.sip.start import read_start


class Keep(Protocol):
    """Where the strings of heads are kept: a value in, a number or the value itself out.

    A row holds numbers. When the scanner remembers them beside what it learnt, a value that was
    seen before costs one look-up in all.
    """

    def id(self, value: Any, /) -> Any:  # noqa: ANN401
        """Return what stands for a value (None included)."""

    def value(self, number: Any, /) -> Any:  # noqa: ANN401
        """Return the value again."""


class Plain:
    """Values stand for themselves."""

    def id(self, value: Any, /) -> Any:  # noqa: ANN401
        """Return the value."""
        return value

    value = id


class Head(NamedTuple):
    """What a row keeps of a message head; strings as ``Keep.id`` gives them."""

    method: Any
    """Of a response the method in its CSeq."""
    status: int
    """-1 for a request."""
    reason: Any
    uri: Any
    call_id: Any
    cseq: Any
    """(number, method)"""
    from_uri: Any
    """Without brackets and header parameters."""
    from_tag: Any
    to_uri: Any
    to_tag: Any
    content_type: Any
    content_length: int | None
    """As declared; None where absent or not a number."""
    branch: int
    """CRC-32 of the topmost Via's branch; 0 where there is none. Branches are compared, never
    shown, and a string for every transaction would be most of what a trace keeps."""
    vias: int
    """Via values, also those that cannot be read."""
    notes: int


_Start: TypeAlias = tuple[Any, int, Any, Any, int]  # method, status (-1), reason, uri, notes
Value: TypeAlias = tuple[Any, str]
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
# From and To as most write them; other spellings are read by the parser, which takes several times
# as long. A new dialog brings two.
_PLAIN_ADDRESS = re.compile(
    r'(?:"[^"\\]*+"[ \t]*+)?<([^<>\s"]++)>(?:;tag=([^\s;="]++))?(?:;epid=[^\s;="]*+)?'
)
_BLANKS = (b" ", b"\t")
_new = tuple.__new__  # builds a named tuple in half the time of calling its class


class HeadScanner:
    """Scan heads one after another; what is remembered of lines changes no answer."""

    __slots__ = ("_absent", "_cseqs", "_names", "_starts", "_strings", "_values")

    def __init__(self, strings: Keep | None = None, cseqs: Keep | None = None) -> None:
        self._strings = strings or Plain()
        self._cseqs = cseqs or Plain()
        nothing = self._strings.id(None)
        self._absent: list[Any] = [
            None, (nothing, ""), ((self._cseqs.id(None), nothing), ""),
            ((nothing, nothing), ""), ((nothing, nothing), ""), (nothing, ""), (None, ""), None,
            None,
        ]  # fmt: skip
        self._names: dict[bytes, int] = {}
        self._values: tuple[dict[bytes, Value], ...] = tuple({} for _ in range(_VIA + 1))
        self._starts: dict[bytes, _Start | None] = {}

    def text(self, kept: Any) -> str:  # noqa: ANN401
        """Return a string of a ``Head``; empty where it is absent."""
        return self._strings.value(kept) or ""

    def is_start(self, line: bytes) -> bool:
        """Tell whether a line (without its end) is a start line."""
        return self._start(line) is not None

    def _start(self, line: bytes) -> _Start | None:
        try:
            return self._starts[line]
        except KeyError:
            pass
        start, found = read_start(line), None
        if start is not None:
            keep = self._strings.id
            status = -1 if start.status is None else start.status
            method = None if start.method is None else keep(start.method)
            found = (method, status, keep(start.reason), keep(start.uri), start.notes)
        if len(self._starts) >= MAX_REMEMBERED:
            self._starts.clear()
        self._starts[line] = found
        return found

    def scan(self, head: bytes) -> Head | None:  # noqa: C901, PLR0912, PLR0915  (once a message)
        """Return the values of a head, given without its blank line; None without a start line."""
        lines = head.splitlines()
        count = len(lines)
        if sum(map(len, lines)) + 2 * (count - 1) != len(head) or count > MAX_HEADERS:
            # Not every line ended by CR and LF.
            return self._parsed(head)
        start = self._starts.get(lines[0])
        if start is None:
            start = self._start(lines[0])
            if start is None:
                return None
        notes = 0 if head.isascii() else _utf8_note(head)
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
                if slot == _BAD and line[:1] in _BLANKS:
                    return self._parsed(head)  # the line before goes on here
                notes |= BAD_HEADER if slot == _BAD else COMPACT
                slot &= _SLOT
                if not slot:
                    continue
            if slot == _VIA:
                vias += 1
                if vias == 1:
                    values[_VIA] = text
                if b"," in text:
                    vias += _further_vias(_text(text))
                continue
            found = remembered[slot].get(text)
            if found is None:
                found = self._value(slot, text)
            first = values[slot]
            if first is None:
                values[slot] = found
            elif first is not found and first[1] != found[1]:
                notes |= REPEATED
                if slot == _LENGTH and first[0] != found[0]:
                    notes |= BAD_LENGTH
        return self._head(start, values, vias, notes)

    def _name(self, name: bytes) -> int:
        """Learn which slot a header name has."""
        text = _text(name).strip(" \t").lower()
        slot = _SLOTS.get(text, _OTHER) | (_COMPACT if text in COMPACT_NAMES else 0)
        if not text or name[:1] in _BLANKS:
            slot = _BAD
        if len(self._names) >= MAX_REMEMBERED:
            self._names.clear()
        self._names[name] = slot
        return slot

    def _value(self, slot: int, raw: bytes) -> Value:
        """Learn what a header value says."""
        text = _text(raw).strip(" \t")
        keep = self._strings.id
        value: Any = None
        if slot in {_CALL_ID, _TYPE, _FORWARDS}:
            value = keep(text)
        elif slot == _LENGTH:
            value = number(text)
        elif slot == _CSEQ:
            cseq = parse_cseq(text)
            pair = (cseq.number, cseq.method) if cseq else None
            value = (self._cseqs.id(pair), keep(cseq.method if cseq else None))
        elif (plain := _PLAIN_ADDRESS.fullmatch(text)) is not None:
            value = (keep(plain[1]), keep(plain[2]))
        else:
            address = parse_name_addr(text)
            value = (keep(address and address.uri), keep(address and address.tag))
        remembered = self._values[slot]
        if len(remembered) >= MAX_REMEMBERED:
            remembered.clear()
        found = remembered[raw] = (value, text)
        return found

    def _head(self, start: _Start, values: list[Any], vias: int, notes: int) -> Head:
        method, status, reason, uri, start_notes = start
        _, call_id, cseq, sender, recipient, content_type, length, _, via = values
        notes |= start_notes
        if not (call_id and cseq and sender and recipient and via is not None):
            notes |= MISSING_HEADER
            absent = self._absent
            call_id, cseq = call_id or absent[_CALL_ID], cseq or absent[_CSEQ]
            sender, recipient = sender or absent[_FROM], recipient or absent[_TO]
        cseq, cseq_method = cseq[0]
        if method is None:
            method = cseq_method
        elif cseq_method and cseq_method != method:
            notes |= CSEQ_MISMATCH
        declared = None
        if length is not None:
            declared = length[0]
            if declared is None:
                notes |= BAD_LENGTH
        return _new(
            Head,
            (
                method, status, reason, uri, call_id[0], cseq, *sender[0], *recipient[0],
                (content_type or self._absent[_TYPE])[0], declared,
                _branch(via) if via else 0, vias, notes,
            ),
        )  # fmt: skip

    def _parsed(self, head: bytes) -> Head | None:
        """Take the values of an unusual head (folding, bare CR or LF) from the full parser."""
        message = parse_message(head + b"\r\n\r\n", stream=False)
        if isinstance(message, Malformed):
            return None
        margins = message.margins
        if message.body or margins.after or margins.line_end == b"\r":
            return None  # an empty line stands inside, or may: these are not the bytes of one head
        keep, headers = self._strings.id, message.headers
        absent = self._absent

        def learnt(slot: int, name: str) -> Any:  # noqa: ANN401
            text = headers.first(name)
            return (absent[slot] if text is None else self._value(slot, text.encode()))[0]

        # The body is not here: what is said of its length must come from the headers alone.
        lengths = {number(value) for value in headers.all("content-length")}
        notes = message.notes & ~BAD_LENGTH
        if None in lengths or len(lengths) > 1:
            notes |= BAD_LENGTH
        cseq, cseq_method = learnt(_CSEQ, "cseq")
        from_uri, from_tag = learnt(_FROM, "from")
        to_uri, to_tag = learnt(_TO, "to")
        vias = message.vias
        return Head(
            keep(message.method) if message.kind == "request" else cseq_method,
            -1 if message.status is None else message.status,
            keep(message.reason),
            keep(message.uri),
            keep(message.call_id),
            cseq,
            from_uri,
            from_tag,
            to_uri,
            to_tag,
            keep(message.content_type),
            message.content_length,
            crc32((vias[0].branch or "").encode()) if vias else 0,
            sum(1 + _further_vias(value) for value in headers.all("via")),
            notes,
        )


def _branch(via: bytes) -> int:
    """Return the hash of the branch of the first of some Via values."""
    match = _BRANCH.search(via)
    if match is not None and via.find(b'"', 0, match.start()) < 0:  # not inside a quoted string
        return crc32(match[1])
    vias = parse_vias(_text(via)) if b"ranch" in via.lower() else ()
    return crc32((vias[0].branch or "").encode()) if vias else 0


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


def _further_vias(text: str) -> int:
    """Return how many Via values follow the first one in a line (RFC 3261 7.3.1)."""
    return max(0, len(split_list(text)) - 1)
