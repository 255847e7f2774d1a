"""Durations as people write them: ``250 ms``, ``5 s``, ``1.5 min``."""

from __future__ import annotations

import re

_UNITS = {"ms": 1.0, "s": 1e3, "sec": 1e3, "min": 6e4, "h": 3.6e6}
_DURATION = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]+)\s*", re.ASCII)


def milliseconds(text: str) -> float:
    """Return a duration in milliseconds; raises ValueError with one line for people."""
    found = _DURATION.fullmatch(text)
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"{text!r} is no duration such as 250 ms, 5 s or 2 min")
    return float(found[1]) * _UNITS[found[2]]
