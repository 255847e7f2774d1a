"""Where a SIP message begins and its head ends, in a stream or in the midst of other bytes."""

from __future__ import annotations

import re

# Longest start line that is looked for in the midst of other bytes.
MAX_START_LINE = 4 << 10
# Header blocks of Microsoft clients with Kerberos tickets reach 20 KiB.
MAX_HEAD = 256 << 10

METHODS = (
    b"INVITE|ACK|BYE|CANCEL|REGISTER|OPTIONS|INFO|PRACK|SUBSCRIBE|NOTIFY|BENOTIFY|UPDATE|MESSAGE"
    b"|REFER|PUBLISH|SERVICE|NEGOTIATE"
)

# A start line of a known method, anywhere.
_KNOWN = (
    rb"(?:(?:" + METHODS + rb") [a-zA-Z][\w+.-]{0,30}+:[^\s<>\"]{1,4000}+ SIP/2\.0"
    rb"|SIP/2\.0 [1-6]\d\d(?: [^\r\n]{0,1000}+)?)\r?\n"
)
KNOWN_START = re.compile(_KNOWN)
# A start line that is followed by a header line. Behind a body without a line end it begins in the
# middle of a line, so that only known methods are told from the text before them. Every repetition
# is bounded, and none gives back what it took: a match is shorter than 2 * MAX_START_LINE, which is
# what is kept of bytes that may hold the beginning of one.
START = re.compile(
    rb"(?:(?:" + METHODS + rb"|(?<![A-Za-z])[A-Z][A-Z0-9_-]{1,30}+)"
    rb" [a-zA-Z][\w+.-]{0,30}+:[^\s<>\"]{1,4000}+ SIP/2\.0"
    rb"|SIP/2\.0 [1-6]\d\d(?: [^\r\n]{0,1000}+)?)"
    rb"\r?\n(?=[!-9;-~]{1,100}+[ \t]{0,10}+:)"
)
# What a start line may begin with, where the bytes end before it does.
BEGINNING = re.compile(rb"(?:" + METHODS + rb"|SIP/2\.0) |[A-Z/.0-9]{1,12}\Z")
# A method with other bytes before it.
METHOD_AT_END = re.compile(rb"[!-~]*?(" + METHODS + rb")", re.DOTALL)
# Bodies that hold SIP messages by their nature.
EMBEDS_MESSAGES = re.compile(r"message/|multipart/", re.IGNORECASE)


# The empty line after a head, with the end of the line before it. Lines that were given one CR more
# than they need exist; the bound keeps what must be looked at again small.
EMPTY_LINE = re.compile(rb"\n\r{0,8}+\n")
EMPTY_LINE_LENGTH = 10


def head_end(data: bytes, start: int) -> tuple[int, int]:
    """Return where the head ends (without its last line end) and where the body begins."""
    match = EMPTY_LINE.search(data, start)
    if match is None:
        return -1, -1
    end = match.start()
    return (end - 1 if data[end - 1 : end] == b"\r" else end), match.end()


def bare_line_end(ends: bytes) -> bool:
    """Tell whether a LF without CR is among the line ends between head and body."""
    return ends != b"\r\n\r\n" and b"\n" in ends.replace(b"\r\n", b"")


def find_start(data: bytes, start: int, end: int | None = None) -> int:
    """Return the place of the next start line that ends before ``end``; -1 where there is none."""
    if data.find(b"SIP/2.0", start, end) < 0:  # much quicker than the pattern
        return -1
    match = START.search(data, start, len(data) if end is None else end)
    return -1 if match is None else match.start()


def kept_from(data: bytes, position: int) -> int:
    """Return from where bytes without a start line must be kept to find one later.

    It may have begun in the last line, or in the one before it where the header line that must
    follow is not whole yet.
    """
    last = data.rfind(b"\n", position)
    before = data.rfind(b"\n", position, max(last, position))
    return max(position, before + 1, len(data) - 2 * MAX_START_LINE)
