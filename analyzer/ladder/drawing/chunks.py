"""Chunks: pieces of a line of text that stay together, each with a symbol or a frame around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.ladder.drawing import symbols
from analyzer.ladder.drawing.primitives import Part, Rect, Text
from analyzer.ladder.drawing.theme import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.ladder.drawing.fonts import Metrics

GAP = 9.0
"""Between two chunks of a line."""
PADDING = 5.0
"""Inside a frame, left and right of its text."""
_HALF = 4.0
"""From the baseline of small text up to its middle."""


class Chunk(NamedTuple):
    """A text with what stands around it."""

    width: float
    role: str
    text: str
    symbol: str = ""
    ink: str = ""
    """Colour of the symbol."""
    frame: str = ""
    """Style of the frame around it."""


def text_width(metrics: Metrics, text: str, role: str) -> float:
    """Return the width of a text in its role."""
    face = ROLES[role]
    return metrics.width(text, face.size, bold=face.bold)


def fitted(metrics: Metrics, text: str, role: str, room: float) -> str:
    """Return the text, cut where it is wider than the room."""
    face = ROLES[role]
    return metrics.fitted(text, room, face.size, bold=face.bold)


def wrapped(metrics: Metrics, text: str, role: str, room: float, lines: int) -> list[str]:
    """Return the text as at most so many lines of a width."""
    face = ROLES[role]
    return metrics.wrapped(text, room, face.size, lines, bold=face.bold)


def chunk(metrics: Metrics, role: str, text: str, symbol: str = "", ink: str = "") -> Chunk:
    """Return a text with a symbol before it, if one is named."""
    width = text_width(metrics, text, role)
    return Chunk(width + symbols.WIDTH if symbol else width, role, text, symbol, ink)


def framed(metrics: Metrics, role: str, text: str) -> Chunk:
    """Return a text in a frame, whose style is called like its role."""
    return Chunk(text_width(metrics, text, role) + 2 * PADDING, role, text, frame=role)


def narrowed(metrics: Metrics, one: Chunk, room: float) -> Chunk:
    """Return a chunk that is no wider than the room, its text cut if it must be."""
    if one.width <= room:
        return one
    own = text_width(metrics, one.text, one.role)
    around = one.width - own
    text = fitted(metrics, one.text, one.role, max(room - around, 0))
    return one._replace(text=text, width=around + text_width(metrics, text, one.role))


def flowed(chunks: Iterable[Chunk], room: float) -> list[list[Chunk]]:
    """Return chunks in lines of a width, each line as full as it gets."""
    lines: list[list[Chunk]] = []
    left = 0.0
    for one in chunks:
        if lines and one.width + GAP <= left:
            lines[-1].append(one)
            left -= one.width + GAP
        else:
            lines.append([one])
            left = room - one.width
    return lines


def line_width(line: Sequence[Chunk]) -> float:
    """Return the width of chunks side by side."""
    return sum([one.width for one in line]) + GAP * (len(line) - 1)


def drawn_line(line: Sequence[Chunk], x: float, baseline: float) -> Iterator[Part]:
    """Yield the parts of a line of chunks that begins at a point."""
    for one in line:
        yield from _drawn(one, x, baseline)
        x += one.width + GAP


def _drawn(one: Chunk, x: float, baseline: float) -> Iterator[Part]:
    start = x
    if one.frame:
        yield Rect(x, baseline - 11, one.width, 15, one.frame, 3)
        start += PADDING
    if one.symbol:
        yield from symbols.drawn(one.symbol, x + 5, baseline - _HALF, one.ink)
        start += symbols.WIDTH
    yield Text(start, baseline, "start", one.role, one.text)
