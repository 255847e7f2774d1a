"""Amounts and frame numbers as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_FRAMES = 8
"""Frame numbers in a sentence; the rest is in JSON."""


def amount(count: int, noun: str) -> str:
    """Return ``1 frame``, ``160 frames``, ``48,000 frames``."""
    plural = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{plural}"


def size_text(value: float) -> str:
    """Return bytes for people: ``300 kB``."""
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def spans(frames: Iterable[int]) -> str:
    """Return ascending frame numbers with runs as ranges: ``4, 7-9``."""
    found = sorted(set(frames))
    parts: list[str] = []
    for k, frame in enumerate(found):
        if k and frame == found[k - 1] + 1:
            begin = parts[-1].partition("-")[0]
            parts[-1] = f"{begin}-{frame}"
        else:
            parts.append(str(frame))
    more = ", ..." if len(parts) > SHOWN_FRAMES else ""
    return ", ".join(parts[:SHOWN_FRAMES]) + more


def frames_text(frames: Iterable[int]) -> str:
    """Return ``frame 4`` or ``frames 4, 7-9``."""
    text = spans(frames)
    return f"frame {text}" if text.isdecimal() else f"frames {text}"
