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

# A start line that is followed by a header line. Behind a body without a line end it begins in the
# middle of a line, so that only known methods are told from the text before them. Every repetition
# is bounded: a match is shorter than 2 * MAX_START_LINE, which is what is kept of bytes that may
# hold the beginning of one.
START = re.compile(
    rb"(?:(?:" + METHODS + rb"|(?<![A-Za-z])[A-Z][A-Z0-9_-]{1,30})"
    rb" [a-zA-Z][\w+.-]{0,30}:[^\s<>\"]{1,4000} SIP/2\.0"
    rb"|SIP/2\.0 [1-6]\d\d(?: [^\r\n]{0,1000})?)"
    rb"\r?\n(?=[!-9;-~]{1,100}[ \t]{0,10}:)"
)
# A method with other bytes before it.
METHOD_AT_END = re.compile(rb"[!-~]*?(" + METHODS + rb")", re.DOTALL)
# Bodies that hold SIP messages by their nature.
EMBEDS_MESSAGES = re.compile(r"message/|multipart/", re.IGNORECASE)


def head_end(data: bytes, start: int) -> tuple[int, int]:
    """Return where the head ends (without its last line end) and where the body begins."""
    end = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, end + 1 if end >= 0 else len(data))
    if bare >= 0:
        return (bare - 1 if data[bare - 1 : bare] == b"\r" else bare), bare + 2
    if end < 0:
        return -1, -1
    return (end - 1 if data[end - 1] == 13 else end), end + 3
