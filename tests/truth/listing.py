"""What the program lists of a capture, to be held against a truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from analyzer.export.messages import message_json_lines
from analyzer.trace import open_capture

if TYPE_CHECKING:
    from pathlib import Path

Listed = dict[str, Any]

Record = Callable[[str, object], None]
"""The ``record_property`` fixture."""


def listed(path: Path) -> list[Listed]:
    """Return the lines of ``xccos messages PATH --format jsonl``."""
    with open_capture(path) as trace:
        return [json.loads(line) for line in message_json_lines(trace)]


def cut_short(message: Listed) -> bool:
    """Tell whether the list itself says that it has only a part of this message."""
    return "truncated" in message["notes"]


def tally(record: Record, what: str, found: int, expected: int) -> None:
    """Add to the figures that the summary of the test run prints (``tests/conftest.py``)."""
    record(f"truth {what} found", found)
    record(f"truth {what} expected", expected)


def items_of(message: Listed) -> list[tuple[str | None, ...]]:
    """Return the XCCOS items of a listed message, without their text."""
    return [
        (
            item["element"],
            item["id"],
            item["seqid"],
            item["envid"],
            *((item["commandid"] or {}).get(name) for name in ("seqid", "envid")),
            item["code"],
        )
        for item in message["xccos"]
    ]
