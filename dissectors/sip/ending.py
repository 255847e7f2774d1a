"""Where a message ends in a stream: where its Content-Length says, unless that cannot be.

A length that lies is recognised by a start line inside the body that is followed by a header line,
where what stands behind the body is no start line. ``MORE`` says that only later bytes can decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.notes import BAD_LENGTH, CSEQ_MISMATCH, MISSING_HEADER, NO_LENGTH, REPEATED
from dissectors.sip.resume import BEGINNING, EMBEDS_MESSAGES, MAX_START_LINE, find_start

if TYPE_CHECKING:
    from dissectors.sip.scan import Head, HeadScanner

MORE = -1

# Such a head may be two: other bytes before the message, or the next one without an empty line.
DOUBTFUL = CSEQ_MISMATCH | MISSING_HEADER | REPEATED

# XCCOS replies of large rooms reach some 100 KiB.
MAX_BODY = 16 << 20


def body_end(
    data: bytes, body: int, head: Head, scanner: HeadScanner, *, ended: bool
) -> tuple[int, int]:
    """Return where the body that begins at ``body`` ends, and notes.

    The end is ``MORE``, or lies behind ``data``, when more bytes are needed. With ``ended`` none
    will come.
    """
    length = head.content_length
    if length is None:
        # One that is no number has its note already.
        notes = 0 if head.notes & BAD_LENGTH else NO_LENGTH
        return _undeclared_end(data, body, ended=ended), notes
    if length > MAX_BODY:
        return _undeclared_end(data, body, ended=ended), BAD_LENGTH
    end = body + length
    if end > len(data) or embeds_messages(head, scanner):
        return end, 0
    found = true_end(data, body, end, scanner, ended=ended)
    return found, 0 if found in {end, MORE} else BAD_LENGTH


def _undeclared_end(data: bytes, body: int, *, ended: bool) -> int:
    """A body without a usable length ends where the next message begins."""
    end = find_start(data, body)
    if end < 0:
        if not ended and len(data) - body <= MAX_BODY:
            return MORE
        end = len(data)
    while end > body and data[end - 1] in b"\r\n":
        end -= 1  # keep-alives between messages; a body's own last line end is not told apart
    return end


def true_end(data: bytes, body: int, end: int, scanner: HeadScanner, *, ended: bool) -> int:
    """Return ``end`` when what stands behind it agrees, the place of a start line otherwise.

    What stands behind an honest body is a start line, or nothing.
    """
    inside = find_start(data, body, end)
    if inside < 0:
        return end
    behind = data[end : end + MAX_START_LINE]
    line, newline, _ = behind.lstrip(b"\r\n").partition(b"\n")
    if newline:
        honest = scanner.is_start(line.rstrip(b"\r"))
    elif not ended and len(behind) < MAX_START_LINE:
        return MORE
    else:
        honest = not line or BEGINNING.match(line) is not None
    return end if honest else inside


def embeds_messages(head: Head, scanner: HeadScanner) -> bool:
    """Tell whether bodies of this Content-Type hold SIP messages by their nature."""
    return EMBEDS_MESSAGES.match(scanner.text(head.content_type)) is not None


def start_inside(data: bytes, start: int, blank: int, notes: int) -> int:
    """Return the place of a second start line in a head, where its notes speak for one; else 0.

    In the first line it says that other bytes stand before the message. In a later one it says that
    a message was broken off in its head and the next one follows.
    """
    inner = find_start(data, start + 1, blank)
    if inner < 0:
        return 0
    if inner < data.find(b"\n", start):
        return inner if notes & (CSEQ_MISMATCH | MISSING_HEADER) else 0
    return inner if notes & REPEATED and data[inner - 1] == 10 else 0
