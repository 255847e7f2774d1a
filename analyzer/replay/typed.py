"""What people type about a play: times, rates, how fast."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from analyzer.replay.options import Timing

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(ms|s|min|m|h|)", re.ASCII)
_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(?:/\s*(s|m|min|h))?", re.ASCII)
MAX_FACTOR = 1000.0
"""Of a speed: beyond it ``fast`` is meant, or nothing would ever be said."""


def parse_duration(text: str) -> float:
    """Read ``60s``, ``500ms``, ``2m``, ``1h`` or a number of seconds."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not float(match[1]):
        raise ValueError(f"{text!r} is no time: 60s, 500ms, 2m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def parse_rate(text: str) -> float:
    """Read ``20/s``, ``30/m`` or a number a second; the result is a second."""
    match = _RATE.fullmatch(text.strip().lower())
    if match is None or not float(match[1]):
        raise ValueError(f"{text!r} is no rate: 20/s or 30/m")
    return float(match[1]) / _UNITS[match[2] or "s"]


class Speed(NamedTuple):
    """When turns are said."""

    timing: Timing
    scale: float = 1.0


def parse_speed(text: str) -> Speed:
    """Read ``recorded``, ``fast``, or a number: 2 is twice as fast as recorded, 0.5 half."""
    plain = text.strip().lower()
    if plain in ("recorded", "fast"):
        return Speed("recorded" if plain == "recorded" else "fast")
    match = re.fullmatch(r"[0-9]{1,4}(?:\.[0-9]{1,6})?", plain)
    factor = float(plain) if match else 0.0
    if not 1 / MAX_FACTOR <= factor <= MAX_FACTOR:
        raise ValueError(f"{text!r}: the speed is recorded, fast, or a number such as 2")
    return Speed("recorded", 1 / factor)
