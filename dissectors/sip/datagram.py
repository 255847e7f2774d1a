"""SIP in datagrams: one message each (RFC 3261 18.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.model import Chunk, Datagram
from dissectors.notes import BAD_LENGTH, CSEQ_MISMATCH, JUNK, QUOTED, TRAILING, TRUNCATED
from dissectors.sip.framed import Framed, pieces_of
from dissectors.sip.resume import MAX_HEAD, MAX_START_LINE, METHOD_AT_END, START, head_end

if TYPE_CHECKING:
    from dissectors.sip.scan import Head, HeadScanner


def read_datagram(datagram: Datagram, scanner: HeadScanner) -> Framed | None:
    """Return the message of a datagram, or None when it carries none."""
    data = datagram.payload
    if b"SIP/" not in data:
        return None
    start = len(data) - len(data.lstrip(b"\r\n"))
    end_of_head, body = _head(data, start)
    notes = QUOTED if datagram.quoted else 0
    head = scanner.scan(data[start:end_of_head]) if end_of_head - start <= MAX_HEAD else None
    if head is None or _junk_in_method(head, scanner):
        start, head = _after_junk(data, start, end_of_head, head, scanner)
        if head is None:
            return None
        notes |= JUNK
    end, more = _end(datagram, head, body)
    whole = Chunk(
        0, data, datagram.frame, datagram.time_ns, datagram.digits, datagram.offset,
        datagram.fragments,
    )  # fmt: skip
    return Framed(
        head, data[start:end], min(body, end) - start, head.notes | notes | more,
        datagram.frame, datagram.time_ns, datagram.digits, pieces_of(whole, start, end - start),
    )  # fmt: skip


def _head(data: bytes, start: int) -> tuple[int, int]:
    """Return where the head ends and the body begins; without a blank line it is all head."""
    end, body = head_end(data, start)
    if end >= 0:
        return end, body
    end = start + len(data[start:].rstrip(b"\r\n"))
    return end, len(data)


def _end(datagram: Datagram, head: Head, body: int) -> tuple[int, int]:
    """Return where the message ends in its datagram, and what is to be noted."""
    size = len(datagram.payload)
    if head.content_length is None:
        return size, TRUNCATED if datagram.missing else 0
    end = body + head.content_length
    if end > size:
        return size, TRUNCATED if datagram.missing or datagram.quoted else BAD_LENGTH
    return end, TRAILING if end < size else 0


def _junk_in_method(head: Head, scanner: HeadScanner) -> bool:
    """Bytes before a known method read as part of it, and no CSeq says that they belong to it."""
    if head.status >= 0 or (head.cseq and not head.notes & CSEQ_MISMATCH):
        return False
    match = METHOD_AT_END.fullmatch(scanner.text(head.method).encode())
    return match is not None and match.start(1) > 0


def _after_junk(
    data: bytes, start: int, end_of_head: int, head: Head | None, scanner: HeadScanner
) -> tuple[int, Head | None]:
    """Look for a start line behind other bytes."""
    if head is not None:
        match = METHOD_AT_END.fullmatch(scanner.text(head.method).encode())
        at = start + (match.start(1) if match else 0)
    else:
        found = START.search(data, start, min(len(data), start + MAX_START_LINE))
        if found is None or found.start() >= end_of_head:
            return start, None
        at = found.start()
    return at, scanner.scan(data[at:end_of_head])
