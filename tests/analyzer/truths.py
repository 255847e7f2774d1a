"""The captures that have a written truth, and the truth about them."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from analyzer.trace import open_capture
from tests.paths import SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Analysis
    from analyzer.trace import Trace

CAPTURES = sorted((SHARED / "captures").glob("*.pcap"))
FLOWS = sorted((SHARED / "flows").glob("*.pcap*"))
ENCRYPTED = ("tls",)
"""Captures that can be read only where tshark is installed."""
PLAIN = [path for path in CAPTURES if path.stem not in ENCRYPTED]


def name_of(path: Path) -> str:
    """Return the name that a test shows."""
    return path.stem


def named(paths: list[Path], name: str) -> Path:
    """Return the capture of a name; fails loudly where the corpus is absent."""
    require_shared()
    return next(path for path in paths if path.stem == name)


def truth_of(path: Path) -> dict[str, Any]:
    """Return the truth beside a capture."""
    found: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return found


@cache
def opened(path: Path) -> tuple[Trace, Analysis]:
    """Return the trace of a capture, and what it means."""
    trace = open_capture(path)
    return trace, trace.analysis()
