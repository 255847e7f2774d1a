"""Any records as JSON, JSON lines or CSV, one chunk of text at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analyzer.export.cells import cells, header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

CRLF = "\r\n"
"""Line end of CSV (RFC 4180 section 2)."""

# ASCII only: every reader can take it, and no control character gets through.
to_json: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def json_lines(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield one line per record."""
    for record in records:
        yield to_json(record) + "\n"


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
