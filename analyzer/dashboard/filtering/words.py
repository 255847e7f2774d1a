"""Words of the filter language as pages write them: a value that needs quotes gets them."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[\w.@:/*+=;-]+")


def word(name: str, value: str) -> str:
    """Return ``host:10.0.0.1``, or ``room:"two words"``."""
    if _PLAIN.fullmatch(value):
        return f"{name}:{value}"
    inner = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}:"{inner}"'
