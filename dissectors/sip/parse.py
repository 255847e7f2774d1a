"""One whole SIP message: bytes to ``SipMessage``.

The rule: everything that begins with a start line is a message, whatever follows it. What is wrong
is noted (``notes`` for programs, ``problems`` for people), and no byte is dropped. Time is linear.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dissectors import notes
from dissectors.model import Malformed
from dissectors.sip.fields import parse_cseq
from dissectors.sip.grammar import (
    COMPACT_NAMES,
    number,
)
from dissectors.sip.messages import Header, Headers, Margins, SipMessage
from dissectors.sip.start import Start, read_start

MAX_HEADERS = 2000
"""Headers that are read. The longest real messages have about 100; each costs about 1 kB."""

MAX_HEAD = 256 * 1024
"""Bytes of start line and headers that are read: four times the largest UDP datagram."""

_BLANKS = b" \t\r\n"
_MALFORMED_RAW = 256  # enough of the bytes to recognise what they are

_LINE_RE = re.compile(rb"[^\n]*+\n|[^\n]++")
_EMPTY_LINE_RE = re.compile(rb"\n(\r*+\n)")
# In a message of lone CR: the end of a line, then an empty line. Atomic: CRLF must not count twice.
_EMPTY_LINE_CR_RE = re.compile(rb"(?>\r\n|\r|\n)((?>\r\n|\r|\n))")

MANDATORY = ("Call-ID", "CSeq", "From", "To", "Via")
"""RFC 3261 8.1.1, without Max-Forwards: RFC 2543 did not ask for it (16.3 point 3 lets it pass)."""

SINGLE = (
    "Call-ID",
    "CSeq",
    "From",
    "To",
    "Max-Forwards",
    "Content-Type",
    "Content-Length",
)
"""Headers that may stand once: their grammar is no list (RFC 3261 7.3.1)."""


class _Parts(NamedTuple):
    """The message cut into its parts."""

    before: bytes
    start_line: bytes
    line_end: bytes
    lines: list[bytes]
    """Header lines with their ends; folded lines are still apart."""
    blank: bytes
    rest: bytes
    """Everything after the empty line."""
    unread: int
    """Bytes of header lines that are in ``blank``, because they lie beyond ``MAX_HEAD``."""
    cr_only: bool


class _Findings:
    """Collects the notes and sentences of one message."""

    __slots__ = ("notes", "problems")

    def __init__(self) -> None:
        self.notes = 0
        self.problems: list[str] = []

    def add(self, bit: int, sentence: str = "") -> None:
        self.notes |= bit
        if sentence:
            self.problems.append(sentence)


def parse_message(raw: bytes, *, stream: bool = True) -> SipMessage | Malformed:
    """Read one message from its bytes; ``Malformed`` only when they do not begin with a start line.

    With ``stream`` the bytes are exactly one framed message, and all bytes after the empty line are
    its body. Otherwise they are a datagram, whose body ends where Content-Length says.
    """
    found = _Findings()
    parts = _cut(raw)
    start = read_start(parts.start_line) if len(parts.start_line) <= MAX_HEAD else None
    if start is None:
        return Malformed("sip", "the first line is not a SIP start line", raw=raw[:_MALFORMED_RAW])
    _check_start(start, found)
    headers, blank = _headers(parts, found)
    _check_lines(parts, found)
    _check_headers(headers, start.method, found)
    body = _body(headers, parts.rest, found, stream=stream)
    return SipMessage(
        start_line=parts.start_line,
        kind=start.kind,
        method=start.method,
        uri=start.uri,
        version=start.version,
        status=start.status,
        reason=start.reason,
        headers=headers,
        body=body,
        raw=raw,
        notes=found.notes,
        problems=tuple(found.problems),
        margins=Margins(parts.before, parts.line_end, blank, parts.rest[len(body) :]),
    )


def _cut(raw: bytes) -> _Parts:
    """Cut the bytes at the line ends; joining the parts gives the bytes back."""
    stripped = raw.lstrip(b"\r\n")
    before = raw[: len(raw) - len(stripped)]
    first = stripped.partition(b"\n")[0]
    start_line = first.rstrip(b"\r")
    cr_only = b"\r" in start_line and read_start(start_line.partition(b"\r")[0]) is not None
    if cr_only:
        start_line = start_line.partition(b"\r")[0]
    at = len(start_line)
    empty = (_EMPTY_LINE_CR_RE if cr_only else _EMPTY_LINE_RE).search(stripped, at)
    head_end, rest_at = (empty.start(1), empty.end()) if empty else (len(stripped), len(stripped))
    ends = b"\r" if cr_only else stripped[at : len(first)] + b"\n"
    line_end = stripped[at : at + len(ends)]
    head = stripped[at + len(line_end) : head_end]
    read = head if len(head) <= MAX_HEAD else head[: head.rfind(b"\n", 0, MAX_HEAD) + 1]
    return _Parts(
        before,
        start_line,
        line_end,
        read.splitlines(keepends=True) if cr_only else _LINE_RE.findall(read),
        head[len(read) :] + stripped[head_end:rest_at],
        stripped[rest_at:],
        len(head) - len(read),
        cr_only,
    )


def _decode(data: bytes, found: _Findings) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        found.add(notes.NOT_UTF8)
        return data.decode("latin-1")


def _headers(parts: _Parts, found: _Findings) -> tuple[Headers, bytes]:
    """Return the headers, and the bytes between the last of them and the body."""
    logical: list[list[bytes]] = []
    for line in parts.lines:
        if logical and line[:1] in {b" ", b"\t"}:
            logical[-1].append(line)
            found.add(notes.FOLDED)
        else:
            logical.append([line])
    read, unread = logical[:MAX_HEADERS], logical[MAX_HEADERS:]
    beyond = b"".join(line for lines in unread for line in lines)
    if beyond or parts.unread:
        found.add(
            0,
            f"The header block exceeds {MAX_HEADERS} headers or {MAX_HEAD} bytes; the last "
            f"{len(beyond) + parts.unread} bytes of it were not read.",
        )
    return Headers(_header(lines, found) for lines in read), beyond + parts.blank


def _header(lines: list[bytes], found: _Findings) -> Header:
    """Unfold one header (RFC 3261 7.3.1) and cut it at its colon."""
    text = _decode(b" ".join([line.strip(_BLANKS) for line in lines]), found)
    name, colon, value = text.partition(":")
    name = name.rstrip(" \t")
    if not colon:
        found.add(notes.BAD_HEADER)
        name, value = "", text
    elif not name:
        found.add(notes.BAD_HEADER)
    elif name.lower() in COMPACT_NAMES:
        found.add(notes.COMPACT)
    return Header(name, value.strip(" \t"), b"".join(lines))


def _check_start(start: Start, found: _Findings) -> None:
    """Say what is noted of the start line."""
    found.add(start.notes)
    if start.notes & notes.BAD_START:
        found.add(0, "The start line is not written as RFC 3261 7.1 and 7.2 demand.")
    if start.notes & notes.BAD_VERSION:
        found.add(0, f"The version is {start.version}, not SIP/2.0.")


def _check_lines(parts: _Parts, found: _Findings) -> None:
    """Note how the lines are written."""
    if found.notes & notes.BAD_HEADER:
        found.add(0, "A header line has no name before a colon.")
    if found.notes & notes.NOT_UTF8:
        found.add(0, "Bytes that are not UTF-8 are shown as Latin-1.")
    if parts.cr_only:
        found.add(0, "The lines are ended by CR alone.")
        return
    ends = [parts.line_end, *(line[-2:] for line in parts.lines), parts.blank[-2:]]
    if any(end.endswith(b"\n") and not end.endswith(b"\r\n") for end in ends):
        found.add(notes.LF_ONLY, "Lines are ended by LF alone (RFC 3261 7 demands CRLF).")
    if not parts.blank.endswith(b"\n"):
        found.add(0, "The empty line after the headers is absent.")


def _check_headers(headers: Headers, method: str | None, found: _Findings) -> None:
    """Note which headers are absent or contradict one another."""
    absent = [name for name in MANDATORY if name not in headers]
    if absent:
        found.add(notes.MISSING_HEADER, f"{', '.join(absent)} absent (RFC 3261 8.1.1).")
    repeated = [name for name in SINGLE if len(set(headers.all(name))) > 1]
    if repeated:
        found.add(
            notes.REPEATED,
            f"{', '.join(repeated)} several times with different values (RFC 3261 7.3.1).",
        )
    cseq = parse_cseq(headers.first("cseq") or "")
    if method is not None and cseq is not None and cseq.method != method:
        found.add(notes.CSEQ_MISMATCH, "The method in CSeq is not that of the request (8.1.1.5).")


def _body(headers: Headers, rest: bytes, found: _Findings, *, stream: bool) -> bytes:
    """Return the body, and note how Content-Length fits what is there (RFC 3261 18.3)."""
    values = headers.all("content-length")
    if not values:
        if stream:
            found.add(notes.NO_LENGTH, "Content-Length is absent (RFC 3261 20.14 on streams).")
        return rest
    declared = number(values[0])
    if any(number(value) is None for value in values):
        found.add(notes.BAD_LENGTH, "Content-Length is not a number (RFC 3261 20.14).")
    elif len({number(value) for value in values}) > 1:
        found.add(notes.BAD_LENGTH, "Content-Length contradicts itself.")
    if declared is None or declared == len(rest):
        return rest
    if stream or declared > len(rest):
        text = f"Content-Length does not fit: {len(rest)} bytes are there."
        found.add(notes.BAD_LENGTH, text)
        return rest
    found.add(notes.TRAILING, f"{len(rest) - declared} bytes after the message are discarded.")
    return rest[:declared]
