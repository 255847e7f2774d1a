"""SIP in datagrams: one message each (RFC 3261 18.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dissectors.model import Chunk, Datagram
from dissectors.notes import (
    BAD_HEADER,
    BAD_LENGTH,
    CSEQ_MISMATCH,
    JUNK,
    LF_ONLY,
    QUOTED,
    TRAILING,
    TRUNCATED,
)
from dissectors.sip.ending import DOUBTFUL, start_inside
from dissectors.sip.framed import Framed, pieces_of
from dissectors.sip.resume import (
    MAX_HEAD,
    MAX_START_LINE,
    METHOD_AT_END,
    START,
    bare_line_end,
    head_end,
)

if TYPE_CHECKING:
    from dissectors.sip.scan import Head, HeadScanner

# In messages whose lines are ended by CR alone. Atomic: CRLF must not count twice.
_LINE_END = re.compile(rb"\r\n|\r|\n")
_EMPTY_LINE = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")


def read_datagram(datagram: Datagram, scanner: HeadScanner) -> Framed | None:
    """Return the message of a datagram, or None when it carries none."""
    data = datagram.payload
    if b"SIP/" not in data:
        return None
    start = len(data) - len(data.lstrip(b"\r\n"))
    end_of_head, body, notes = _ends(datagram, start, scanner)
    head = _scan(data[start:end_of_head], scanner)
    at = _start(data, start, end_of_head, head, scanner)
    if at != start:
        notes |= JUNK
        start = at
        head = _scan(data[start:end_of_head], scanner)
    if head is None:
        return None
    end, more = _end(datagram, head, body)
    whole = Chunk(
        0, data, datagram.frame, datagram.time_ns, datagram.digits, datagram.offset,
        datagram.fragments,
    )  # fmt: skip
    return Framed(
        head, data[start:end], min(body, end) - start, head.notes | notes | more,
        datagram.frame, datagram.time_ns, datagram.digits, pieces_of(whole, start, end - start),
    )  # fmt: skip


def _scan(raw: bytes, scanner: HeadScanner) -> Head | None:
    """Scan a head, whatever ends its lines."""
    if len(raw) > MAX_HEAD:
        return None
    if _is_cr_only(raw, scanner):
        raw = _LINE_END.sub(b"\r\n", raw)
    return scanner.scan(raw)


def _is_cr_only(raw: bytes, scanner: HeadScanner) -> bool:
    """Tell whether lines are ended by CR alone: something then follows it in the first line."""
    line = raw.partition(b"\n")[0].rstrip(b"\r")
    return b"\r" in line and scanner.is_start(line.partition(b"\r")[0])


def _ends(datagram: Datagram, start: int, scanner: HeadScanner) -> tuple[int, int, int]:
    """Return where the head ends, where the body begins, and notes.

    Without an empty line all is head; of a datagram that was cut, without the line that was.
    """
    data, notes = datagram.payload, QUOTED if datagram.quoted else 0
    if _is_cr_only(data[start : start + MAX_HEAD], scanner):
        match = _EMPTY_LINE.search(data, start)
        last = start + len(data[start:].rstrip(b"\r\n"))
        return (*match.span(), notes) if match is not None else (last, len(data), notes)
    end, body = head_end(data, start)
    if end < 0:
        end, body = start + len(data[start:].rstrip(b"\r\n")), len(data)
        if end == body and (datagram.missing or datagram.quoted):
            return max(start, data.rfind(b"\r\n"), data.rfind(b"\n")), body, notes
        if data.endswith(b"\r") and b"\n" in data[end:]:
            notes |= BAD_HEADER  # a line of CR alone
    return end, body, notes | LF_ONLY if bare_line_end(data[end:body]) else notes


def _end(datagram: Datagram, head: Head, body: int) -> tuple[int, int]:
    """Return where the message ends in its datagram, and what is to be noted."""
    size = len(datagram.payload)
    if head.content_length is None:
        return size, TRUNCATED if datagram.missing else 0
    end = body + head.content_length
    if end > size:
        return size, TRUNCATED if datagram.missing or datagram.quoted else BAD_LENGTH
    return end, TRAILING if end < size else 0


def _start(
    data: bytes, start: int, end_of_head: int, head: Head | None, scanner: HeadScanner
) -> int:
    """Return where the message begins, which may be behind other bytes."""
    if head is None:
        found = START.search(data, start, min(len(data), start + MAX_START_LINE))
        return found.start() if found is not None and found.start() < end_of_head else start
    if not head.notes & DOUBTFUL:
        return start
    inner = start_inside(data, start, end_of_head, head.notes)
    if inner and data[inner - 1] != 10:
        return inner
    return start + _junk_in_method(head, scanner)


def _junk_in_method(head: Head, scanner: HeadScanner) -> int:
    """Return how many bytes before a known method read as part of it.

    None do when the CSeq says that they belong to it.
    """
    if head.status >= 0 or (head.cseq and not head.notes & CSEQ_MISMATCH):
        return 0
    match = METHOD_AT_END.fullmatch(scanner.text(head.method).encode())
    return match.start(1) if match is not None else 0
