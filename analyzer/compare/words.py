"""Divergences in sentences. The sides are A and B; neither is called good or bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compare.naming import where
from analyzer.views.numbers import spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.compare.values import Comparison, Divergence, Doubt, Told

NAMED = {"order": "order", "ending": "end", "challenge": "authentication", "clock": "clock"}
"""What a sentence says of a kind that its subject does not show."""


def place_text(found: Divergence) -> str:
    """Return what it is about: ``step 6 INVITE to Channel service, header Supported (server)``."""
    text = where(found.step, found.subject)
    if found.count > 1:
        text += f" ×{found.count}"
    if found.field is not None:
        what = f"{found.kind} " if found.kind in {"header", "body"} else ""
        text += f", {what}{found.field}"
    elif found.kind in NAMED:
        text += f", {NAMED[found.kind]}"
    return text


def told_text(told: Told) -> str:
    """Return what a side has to it: ``answered 404 Not Found (frame 38)``."""
    return told.text + frames_text(told.frames)


def frames_text(frames: Sequence[int]) -> str:
    """Return `` (frame 38)``, `` (frames 38-40)``; empty without frames."""
    if not frames:
        return ""
    return f" (frame{'' if len(frames) == 1 else 's'} {spans(frames)})"


def sentence(found: Divergence) -> str:
    """Return a divergence in one sentence."""
    return f"{place_text(found)}: A {told_text(found.a)}, B {told_text(found.b)}"


def doubt_sentence(doubt: Doubt) -> str:
    """Return what one capture cannot tell in one sentence."""
    other = "B" if doubt.side == "A" else "A"
    seen = f", {other} has it{frames_text(doubt.frames)}" if doubt.frames else ""
    return f"{doubt.what}: {doubt.side}'s capture cannot tell ({doubt.reason}){seen}"


def summary(found: Comparison) -> str:
    """Return how much differs: ``2 major, 1 minor and 3 trivial divergences``."""
    counts = [
        (sum(one.weight == weight for one in found.divergences), weight)
        for weight in ("major", "minor", "trivial")
    ]
    parts = [f"{count} {weight}" for count, weight in counts if count]
    if not parts:
        return "no divergence"
    text = " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
    total = sum(count for count, _ in counts)
    return f"{text} divergence{'' if total == 1 else 's'}"
