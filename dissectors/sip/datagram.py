"""SIP in datagrams: one message each (RFC 3261 18.3).

A message that travelled over TCP or TLS and was handed over as a whole is read alike; only what is
noted of its length is that of a stream.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from dissectors.model import Chunk, Datagram
from dissectors.notes import (
    BAD_HEADER,
    BAD_LENGTH,
    CSEQ_MISMATCH,
    JUNK,
    LF_ONLY,
    NO_LENGTH,
    QUOTED,
    TRAILING,
    TRUNCATED,
)
from dissectors.sip.ending import DOUBTFUL, start_inside
from dissectors.sip.framed import Framed, later, pieces_of
from dissectors.sip.resume import (
    MAX_HEAD,
    MAX_START_LINE,
    METHOD_AT_END,
    START,
    bare_line_end,
    head_end,
)
from dissectors.sip.stream import StreamReader

if TYPE_CHECKING:
    from dissectors.sip.scan import Head, HeadScanner

Joined: TypeAlias = tuple[str, bytes, list[Framed]]
"""Messages, and the transport and key of their direction."""

# Directions in which a message is begun: each belongs to a capture of its own segment.
MAX_BEGUN = 1 << 12
# In messages whose lines are ended by CR alone. Atomic: CRLF must not count twice.
_LINE_END = re.compile(rb"\r\n|\r|\n")
_EMPTY_LINE = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")


def read_datagram(datagram: Datagram, scanner: HeadScanner) -> Framed | None:
    """Return the message of a datagram, or None when it carries none."""
    found = _read(datagram, scanner)
    return found[0] if found is not None else None


class DatagramReader:
    """Reads datagrams, and messages of streams that were handed over as wholes.

    Of a segment with several messages Wireshark 4.0 exports the whole payload once for each message
    that ends in it, and with it the beginning of the next one, which it exports again when it is
    complete. All are therefore read where the payload comes first, as many copies of it are passed
    over, and a beginning waits for what comes next in its direction.
    """

    def __init__(self, scanner: HeadScanner) -> None:
        self._scanner = scanner
        self._last: tuple[bytes, int, bytes] | None = None
        """Key, time and payload of the last one with several messages."""
        self._copies = 0
        """Of it, that are still to come."""
        self._begun: dict[tuple[str, bytes], tuple[bytes, list[Framed]]] = {}
        """Beginnings by transport and key: their bytes, and what is to be made of them."""

    def read(self, datagram: Datagram) -> list[Joined]:
        """Return the messages that it carries, and those that are no longer waited for."""
        this = datagram.key, datagram.time_ns, datagram.payload
        if self._copies and this == self._last:
            self._copies -= 1
            return []
        found = _read(datagram, self._scanner)
        if found is None:
            return []
        framed, end = found
        who = datagram.transport, datagram.key
        if datagram.transport == "udp":
            return [(*who, [framed])]
        begun = self._begun.pop(who, None) if self._begun else None
        before = [] if begun is None or datagram.payload.startswith(begun[0]) else begun[1]
        if b"SIP/" not in datagram.payload[end:]:
            return [(*who, [*before, framed])]
        messages, rest = self._several(datagram, end)
        self._last, self._copies = this, len(messages)
        return [*self._wait(who, rest), (*who, [*before, framed, *messages])]

    def _several(self, datagram: Datagram, end: int) -> tuple[list[Framed], list[Framed]]:
        """Return the messages behind the first one, and what is begun of the next."""
        reader = StreamReader(self._scanner, whole=True)
        messages = reader.feed(later(_chunk(datagram), end))
        rest = reader.gap(datagram.missing) if datagram.missing else reader.close()
        return messages, rest

    def _wait(self, who: tuple[str, bytes], rest: list[Framed]) -> list[Joined]:
        if not rest:
            return []
        self._begun[who] = b"".join(one.raw for one in rest), rest
        if len(self._begun) <= MAX_BEGUN:
            return []
        oldest = next(iter(self._begun))
        return [(*oldest, self._begun.pop(oldest)[1])]

    def oldest_waiting(self) -> int | None:
        """Return the first frame of which a message may still come."""
        return min((rest[0].frame for _, rest in self._begun.values()), default=None)

    def close(self) -> list[Joined]:
        """Return the beginnings that nothing completed."""
        found = [(*who, rest) for who, (_, rest) in self._begun.items()]
        self._begun.clear()
        return found


def _chunk(datagram: Datagram) -> Chunk:
    return Chunk(
        0, datagram.payload, datagram.frame, datagram.time_ns, datagram.digits, datagram.offset,
        datagram.fragments,
    )  # fmt: skip


def _read(datagram: Datagram, scanner: HeadScanner) -> tuple[Framed, int] | None:
    """Return the first message, and where it ends."""
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
    framed = Framed(
        head, data[start:end], min(body, end) - start, head.notes | notes | more,
        datagram.frame, datagram.time_ns, datagram.digits,
        pieces_of(_chunk(datagram), start, end - start),
    )  # fmt: skip
    return framed, end


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
    size, stream = len(datagram.payload), datagram.transport != "udp"
    if head.content_length is None:
        absent = NO_LENGTH if stream and not head.notes & BAD_LENGTH else 0
        return size, TRUNCATED | absent if datagram.missing else absent
    end = body + head.content_length
    if end > size:
        # The stream had the rest, or this would not be a message: who recorded it has cut it.
        cut = stream or datagram.missing or datagram.quoted
        return size, TRUNCATED if cut else BAD_LENGTH
    # Behind a message of a stream stands the next one: nothing is discarded.
    return end, TRAILING if end < size and not stream else 0


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
