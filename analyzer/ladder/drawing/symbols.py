"""Symbols as paths, so that no font has to have them: ✓ ✗ and their like.

Each is drawn in a box of 10 by 10 around its middle, by strokes and by filled parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.ladder.drawing.primitives import Command, Part, Path

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 14.0
"""Of a symbol with the space behind it."""


class Symbol(NamedTuple):
    """The paths of a symbol around (0, 0)."""

    strokes: tuple[Command, ...]
    filled: tuple[Command, ...] = ()


def _ring(radius: float, x: float = 0, y: float = 0) -> tuple[Command, ...]:
    bend = radius * 0.5523  # of a quarter of a circle as a cubic curve
    return (
        ("M", x + radius, y),
        ("C", x + radius, y + bend, x + bend, y + radius, x, y + radius),
        ("C", x - bend, y + radius, x - radius, y + bend, x - radius, y),
        ("C", x - radius, y - bend, x - bend, y - radius, x, y - radius),
        ("C", x + bend, y - radius, x + radius, y - bend, x + radius, y),
        ("Z",),
    )


_TRIANGLE: tuple[Command, ...] = (("M", 0, -4.6), ("L", 5, 4.4), ("L", -5, 4.4), ("Z",))
_HANDS: tuple[Command, ...] = (("M", 0, -2.8), ("L", 0, 0.3), ("L", 2.2, 1.6))
SYMBOLS: dict[str, Symbol] = {
    "check": Symbol((("M", -4.2, 0.4), ("L", -1.2, 3.4), ("L", 4.4, -3.6))),
    "cross": Symbol((("M", -3.6, -3.6), ("L", 3.6, 3.6), ("M", 3.6, -3.6), ("L", -3.6, 3.6))),
    "warning": Symbol(
        (*_TRIANGLE, ("M", 0, -1.4), ("L", 0, 1.2)),
        _ring(0.9, 0, 2.9),
    ),
    "clock": Symbol((*_ring(4.5), *_HANDS)),
    "retry": Symbol(
        (
            ("M", 3.9, 1.4),
            ("C", 2.8, 4.6, -1.6, 5.2, -3.6, 2.2),
            ("C", -5.6, -1, -3.2, -4.6, 0.4, -4.4),
        ),
        (("M", -0.4, -7), ("L", 4.2, -4.2), ("L", -0.4, -1.4), ("Z",)),
    ),
    "swap": Symbol(
        (("M", -2.4, 4.4), ("L", -2.4, -2), ("M", 2.4, -4.4), ("L", 2.4, 2)),
        (
            *(("M", -5, -1.2), ("L", -2.4, -5), ("L", 0.2, -1.2), ("Z",)),
            *(("M", 5, 1.2), ("L", 2.4, 5), ("L", -0.2, 1.2), ("Z",)),
        ),
    ),
    "missing": Symbol((*_ring(4.3), ("M", -3, 3), ("L", 3, -3))),
    "dash": Symbol((("M", -4, 0), ("L", 4, 0))),
    "question": Symbol(
        (
            ("M", -2.6, -2.4),
            ("C", -2.4, -5.6, 3, -5.4, 2.8, -2.2),
            ("C", 2.6, -0.4, 0, -0.2, 0, 1.8),
        ),
        _ring(1.1, 0, 4.3),
    ),
    "hole": Symbol((("M", -5, 1.5), ("L", -2.5, -2), ("L", 0, 2), ("L", 2.5, -2), ("L", 5, 1.5))),
}


def moved(commands: tuple[Command, ...], x: float, y: float) -> tuple[Command, ...]:
    """Return path commands with their origin put to a point."""
    return tuple(
        (one[0], *(float(part) + (x, y)[at % 2] for at, part in enumerate(one[1:])))
        for one in commands
    )


def drawn(name: str, x: float, y: float, ink: str) -> Iterator[Part]:
    """Yield the parts of a symbol in a colour, its middle at a point."""
    symbol = SYMBOLS[name]
    yield Path(moved(symbol.strokes, x, y), f"sign-{ink}")
    if symbol.filled:
        yield Path(moved(symbol.filled, x, y), f"solid-{ink}")
