"""Raw SIP text, as clients log it, back to the bytes that were on the wire.

The one rule: the lengths that were counted on the wire decide (Content-Length, and the bytes that
a log says were read). A log has lost which line ends were CRLF and which LF, and whether the last
line had one; of the forms that the lines may have had, the one of the right length is taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dissectors.capture.text.encoding import is_notice, message_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_HEAD = 1 << 18
"""Bytes of a head; the largest that real servers accept have a quarter of them."""
MAX_LENGTH = 1 << 30
"""A length above it is no length: nothing so large was ever sent as one message."""
MAX_RECORD = 8 << 20
"""Characters of one record that are kept: as many as a line may have."""
MAX_TOGETHER = 64
"""Messages in one piece of text that are told apart. A read of a socket has 64 KiB at most."""

# Grammar of RFC 3261 section 25.1; a trace holds only the version that is in use.
_START = re.compile(
    r"(?:SIP/2\.0 [1-6]\d\d(?: |$)|[A-Z][A-Z0-9_.!%*+`'~-]{0,31} \S{1,4096} SIP/2\.0\s*$)"
)
_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,10})[ \t]*\r", re.IGNORECASE)
_VIA = re.compile(
    rb"\r\n(?:via|v)[ \t]*:\s*SIP\s*/\s*2\.0\s*/\s*([a-z]{2,8})\s+([^\s;,\r]{1,255})", re.IGNORECASE
)
_TRANSPORTS = {b"tls": "tls", b"tcp": "tcp", b"udp": "udp"}


class Rebuilt(NamedTuple):
    """A message as far as the text has it."""

    data: bytes
    missing: int = 0
    """Bytes of its body that the text does not have."""
    absent: bool = False
    """Nothing at all is there of a body that was sent, or a notice in its place."""
    notice: bool = False
    """A notice says that the body is hidden."""
    headless: bool = False
    """Its head does not end."""
    longer: bool = False
    """There is more text than its Content-Length says, no part of which has that length."""


def is_start_line(text: str) -> bool:
    """Tell whether a line begins a message."""
    return ("SIP/2.0" in text) and _START.match(text) is not None


def declared_length(head: bytes) -> int | None:
    """Return the Content-Length of a head; None where it says none."""
    found = _LENGTH.search(head + b"\r\n")
    return int(found[1]) if found and int(found[1]) <= MAX_LENGTH else None


def topmost_via(data: bytes) -> tuple[str, str]:
    """Return transport (lower case, empty if unknown) and sent-by of the topmost Via.

    They are those of the hop that the message went over (RFC 3261 sections 18.1.1 and 18.2.2): of
    the side that sent the request.
    """
    found = _VIA.search(data, 0, MAX_HEAD)
    if found is None:
        return "", ""
    return _TRANSPORTS.get(found[1].lower(), ""), found[2].decode("utf-8", "replace")


def messages_in(
    lines: Sequence[str], *, several: bool = False, ended: bool = True
) -> list[Rebuilt]:
    """Return the messages of a piece of text; none where it does not begin with one.

    Args:
        lines: the text without its line ends.
        several: more than one message may follow each other.
        ended: the log says that the text ends here; otherwise it may be cut.
    """
    *places, (rest, _) = walk(lines, several=several, ended=ended)
    found = [message for _, message in places if message is not None]
    if several and rest and found and not is_part(found[-1]):
        # What is no message behind a message is part of one: the caller has to put it together.
        found.append(Rebuilt(b"", missing=1))
    return found


def walk(
    lines: Sequence[str], *, several: bool = True, ended: bool = True, room: int = MAX_LENGTH
) -> list[tuple[Sequence[str], Rebuilt | None]]:
    """Return the messages of a piece of text, each with the lines from its beginning on.

    The last message may be a part. Behind it stand the lines that are left, without a message. All
    messages have at most ``room`` bytes.
    """
    found: list[tuple[Sequence[str], Rebuilt | None]] = []
    lines = lines[_first_text(lines, 0) :]
    most = MAX_TOGETHER if several else 1
    while lines and is_start_line(lines[0]) and len(found) < most:
        blank = next((row for row, text in enumerate(lines) if not text), len(lines))
        head = b"\r\n".join(map(message_bytes, lines[:blank]))
        if blank == len(lines):
            return [*found, (lines, _headless(head, ended=ended)), ((), None)]
        end, message, rest = _with_body(head + b"\r\n\r\n", lines, blank + 1, several=several)
        room -= len(message.data)
        if room < 0:
            break
        found.append((lines, message))
        lines = [rest, *lines[end:]] if rest else lines[_first_text(lines, end) :]
        if is_part(message):
            break
    return [*found, (lines, None)]


def is_part(message: Rebuilt) -> bool:
    """Tell whether the text has a part of the message, or none that fits it."""
    return message.longer or message.headless or (message.missing > 0 and not message.absent)


def _headless(head: bytes, *, ended: bool) -> Rebuilt:
    """Return a message whose head is not followed by an empty line."""
    length = declared_length(head) or 0
    if ended and length == 0 and declared_length(head) is not None:
        return Rebuilt(head + b"\r\n\r\n")  # logs that drop empty lines at the end of a record
    end = b"\r\n\r\n" if ended else b""
    return Rebuilt(head + end, missing=length, absent=length > 0, headless=True)


def _with_body(
    head: bytes, lines: Sequence[str], at: int, *, several: bool
) -> tuple[int, Rebuilt, str]:
    """Return the line behind a message whose body begins at line ``at``, and the message.

    Third is what of its last line begins the next message.
    """
    length = declared_length(head)
    if length == 0:
        return at, Rebuilt(head), ""
    rest = lines[at:] if length is None else lines[at : at + length + 1]
    if length is None:
        end = _last_text(rest)
        return len(lines), Rebuilt(head + b"\r\n".join(map(message_bytes, rest[:end]))), ""
    used = _body_lines(rest) if several else len(rest)
    body = rest[: _last_text(rest[:used])]
    hidden = not body or is_notice("\n".join(body))
    # Looking for a fit costs as much as the text is long, which a hidden body is not.
    fit = fitted(rest[:used] if hidden else rest, length, several=several)
    if fit is not None:
        return at + fit.lines, Rebuilt(head + fit.data), fit.rest
    if hidden:
        return at + used, Rebuilt(head, length, absent=True, notice=bool(body)), ""
    data = b"\r\n".join(map(message_bytes, body))
    missing = max(length - len(data), 0)
    return at + used, Rebuilt(head + data, missing, longer=len(data) > length), ""


def _first_text(lines: Sequence[str], at: int) -> int:
    """Return the first line that is not empty."""
    return next((row for row in range(at, len(lines)) if lines[row].strip()), len(lines))


def _last_text(lines: Sequence[str]) -> int:
    """Return the number of lines up to the last one that is not empty."""
    return next((row for row in range(len(lines), 0, -1) if lines[row - 1].strip()), 0)


def _body_lines(lines: Sequence[str]) -> int:
    """Return the number of lines before the next message."""
    return next((row for row, text in enumerate(lines) if is_start_line(text)), len(lines))


class Fit(NamedTuple):
    """Lines that make up so many bytes."""

    lines: int
    """How many they are."""
    data: bytes
    rest: str = ""
    """What of the last one begins the next message."""


def fitted(lines: Sequence[str], length: int, *, several: bool = False) -> Fit | None:
    """Return which of the lines make up so many bytes; None where none do.

    All of the text is wanted, but for empty lines, which logs add; other lines are left over only
    where no other form fits (``several``: or where they begin a message).
    """
    found = _fit(message_bytes, lines, length, several=several)
    if found is None and not several and any(not text.isascii() for text in lines):
        # Bytes of a sender that knew no UTF-8: the code page of the log is theirs.
        found = _fit(_paged, lines, length, several=several)
    return found


def _paged(text: str) -> bytes:
    return text.encode("cp1252", "replace")


def _fit(
    encode: Callable[[str], bytes], lines: Sequence[str], length: int, *, several: bool
) -> Fit | None:
    wanted = _last_text(lines)
    raw: list[bytes] = []
    best: tuple[int, int] | None = None
    text = following = 0
    # Two more, empty ones: a last line end that the log does not show.
    for count in range(1, len(lines) + 3):
        raw.append(encode(lines[count - 1]) if count <= len(lines) else b"")
        if several:
            cut = _cut_line(raw, length - text, 2 if best is None else best[0])
            if cut is not None:
                return cut
        text += len(raw[-1])
        if text + count - 1 > length:
            break
        kind = _kind(text, count - 1, length)
        if kind == 3 or (several and kind == 2):
            continue
        following = following if following >= count else _first_text(lines, count)
        begins = several and following < len(lines) and is_start_line(lines[following])
        left = count < wanted and not begins
        rank = kind + (3 if left else 0)
        if (
            rank != 5
            and not (several and kind == 2)
            and (best is None or rank < best[0] or rank == best[0] == 2)
        ):
            best = (rank, count)
    if best is None or (several and best[0] >= 3):
        return None
    return Fit(min(best[1], len(lines)), _joined(raw[: best[1]], length))


def _cut_line(raw: list[bytes], length: int, rank: int) -> Fit | None:
    """Return the fit that ends before or inside the last line, where the next message begins.

    A body that does not end with a line end is followed at once, as it is on the wire. ``length``
    is that of the line ends and of what belongs to the body of that line; ``rank`` of the best fit
    so far (see ``_kind``).
    """
    line, ends = raw[-1], len(raw) - 1
    for end in (b"\r\n", b"\n")[:rank]:
        place = length - len(end) * ends
        if 0 <= place < len(line) and b"SIP/2.0" in line[place:]:
            rest = line[place:].decode("utf-8", "surrogateescape")
            if is_start_line(rest):
                return Fit(len(raw), end.join([*raw[:-1], line[:place]]), rest)
    return None


def _kind(text: int, ends: int, length: int) -> int:
    """Return 0 where all line ends are CRLF, 1 where all are LF, 2 where some are; else 3."""
    if text + 2 * ends == length:
        return 0
    if text + ends == length:
        return 1
    return 2 if text + 2 * ends > length else 3


def _joined(raw: list[bytes], length: int) -> bytes:
    """Join lines with as many CR as the length allows; which ends lack one cannot be told."""
    crlf = length - sum(map(len, raw)) - (len(raw) - 1)
    return b"\r\n".join(raw[: crlf + 1]) + b"".join(b"\n" + line for line in raw[crlf + 1 :])
