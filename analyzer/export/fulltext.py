"""Whole messages as JSON, for many of them: start line, headers and body, sooner than by parsing.

The one rule: only heads of plain CRLF lines are read here, in which the parser has nothing to
decide; of any other message the parsed record is written. A test holds both equal.
"""

from __future__ import annotations

import re
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING

from analyzer.export.records import to_json
from analyzer.views.messages import FULL_FIELDS, full_record
from dissectors.sip.parse import MAX_HEAD, MAX_HEADERS, parse_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.window import Window

# As RFC 3261 7.1 and 7.2 write them: the parser takes what begins so as it stands. Not: SIP/...
_START = re.compile(rb"(?:SIP/2\.0 [0-9]{3} [^\r\n]*+|(?!.../)[!-~]++ [!-~]++ SIP/2\.0)(?=\r\n)")


def _is_plain(head: bytes) -> bool:
    """Say whether every line ends with CRLF, none is folded, and no blank is a tab."""
    lines = head.count(b"\r\n")
    return (
        lines == head.count(b"\n") == head.count(b"\r") and b"\n " not in head and b"\t" not in head
    )


def _plain_parts(raw: bytes) -> dict[str, str] | None:
    """Return start line and headers as JSON; None where the parser has to look."""
    start, blank = _START.match(raw), raw.find(b"\r\n\r\n")
    if start is None or not 0 <= blank <= MAX_HEAD or not _is_plain(raw[: blank + 2]):
        return None
    try:
        text = raw[:blank].decode()
    except UnicodeDecodeError:
        return None
    # Escaped once as a whole: nothing but a line end can have become \r\n in it.
    line, *lines = encode_basestring_ascii(text)[1:-1].split("\\r\\n")
    named = [one.partition(":") for one in lines]
    if len(lines) > MAX_HEADERS or not all(colon and name.strip() for name, colon, _ in named):
        return None
    made = '"},{"name":"'.join(
        [f'{name.rstrip(" ")}","value":"{value.strip(" ")}' for name, _, value in named]
    )
    return {"start_line": f'"{line}"', "headers": f'[{{"name":"{made}"}}]' if named else "[]"}


def _plain_body(raw: bytes) -> dict[str, str] | None:
    """Return the body as JSON, of a message with a plain head; None where it is not UTF-8."""
    body = raw[raw.find(b"\r\n\r\n") + 4 :]
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return {"body": encode_basestring_ascii(text) if body else "null", "body_base64": "null"}


def full_reader(window: Window, raw: Callable[[int], bytes]) -> Callable[[int], dict[str, str]]:
    """Return what gives ``FULL_FIELDS`` of a row as JSON; the row asked for last is kept."""
    rows, streams = window.rows, window.streams
    last, known = -1, dict[str, str]()

    def full(row: int) -> dict[str, str]:
        nonlocal last, known
        if row != last:
            stream = streams[rows.stream[row]].transport != "udp"
            last, known = row, _full(raw(row), stream=stream)
        return known

    return full


def _full(raw: bytes, *, stream: bool) -> dict[str, str]:
    # A datagram may go on behind its message, and only Content-Length says where that ends.
    head = _plain_parts(raw) if stream else None
    body = None if head is None else _plain_body(raw)
    if head is not None and body is not None:
        return head | body
    record = full_record(parse_message(raw, stream=stream))
    return {name: to_json(record[name]) for name in FULL_FIELDS}
