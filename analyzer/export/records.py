"""Any records as JSON, JSON lines or CSV, one chunk of text at a time."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from analyzer.export.cells import cells, header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

CRLF = "\r\n"
"""Line end of CSV (RFC 4180 section 2)."""

TOGETHER = 128
"""Lines of a write, about 64 KiB of messages: a write each costs as much as making the line."""

# ASCII only: every reader can take it, and no control character gets through.
to_json: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def json_lines(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield one line per record."""
    for record in records:
        yield to_json(record) + "\n"


def encoded(lines: Iterable[str], encoding: str = "utf-8") -> Iterator[bytes]:
    """Yield lines as bytes, ``TOGETHER`` at a time; what the encoding lacks is spelt out."""
    moving = iter(lines)
    while piece := "".join(islice(moving, TOGETHER)):
        yield piece.encode(encoding, "backslashreplace")


def array_of_blocks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield one JSON array out of blocks of whole JSON lines."""
    before = b"[\n"
    for block in blocks:
        # A line feed in JSON lines is the end of a line: in strings it is escaped.
        yield before + block[:-1].replace(b"\n", b",\n")
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def json_array(lines: Iterable[str]) -> Iterator[str]:
    """Yield one JSON array out of JSON lines."""
    before = "[\n"
    for line in lines:
        yield before + line[:-1]
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def csv_header(fields: Sequence[str], *, messages: bool = False) -> str:
    """Return the header line."""
    return ",".join(header(fields, messages=messages)) + CRLF


def csv_lines(records: Iterable[dict[str, Any]], *, messages: bool = False) -> Iterator[str]:
    """Yield one line per record, without the header."""
    for record in records:
        yield ",".join(cells(record, messages=messages)) + CRLF
