"""Captures of what was never on a wire: a script as frames, and a live play as frames.

The rule: what is written is what two hosts could have sent; no analyzer may find fault with it that
is not in the script.
"""

from __future__ import annotations

from analyzer.replay.capture.options import (
    CaptureError,
    CaptureOptions,
    CaptureSummary,
    ScriptFaultError,
    format_of,
)
from analyzer.replay.capture.wire_capture import wire_capture
from analyzer.replay.capture.write import write_script_capture

__all__ = [
    "CaptureError",
    "CaptureOptions",
    "CaptureSummary",
    "ScriptFaultError",
    "format_of",
    "wire_capture",
    "write_script_capture",
]
