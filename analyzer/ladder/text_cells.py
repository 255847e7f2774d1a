"""Cells of a terminal: how wide text is in them, and rows that are written cell by cell.

Every width is counted in cells, never in characters: an East Asian character takes two, a combining
accent none. What takes no cell and joins characters, as a zero-width joiner does, is spelt out, as
terminals do not agree on its width and it hides in a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from analyzer.export.printable import printable

Paint = Callable[[str, str], str]
"""Gives a text in a style: bold, dim, good, bad, doubtful or plain."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters that a ladder is drawn with."""

    lane: str
    via: str
    """Where an arrow passes through a lane."""
    solid: str
    dashed: str
    """Two cells, repeated."""
    double: str
    right: str
    left: str
    from_left: str
    """Where a line to the right begins."""
    from_right: str
    turn_above: str
    turn_below: str
    turn_above_left: str
    turn_below_left: str
    hole: str
    cut: str
    to: str
    ok: str
    failed: str
    missing: str
    none: str


# Of the box drawing and arrow heads only what WGL4 has, which every monospaced font of a terminal,
# a mail or a ticket system draws one cell wide; U+25B6 would be shown as a picture in some.
UNICODE = Signs(
    *("│", "┼", "─", "─ ", "═", "►", "◄", "├", "┤", "┐", "┘", "┌", "└", "≈", "…", "→"),
    *("✓", "✗", "○", "·"),
)
ASCII = Signs(
    *("|", "o", "-", "- ", "=", ">", "<", "|", "|", ".", "'", ".", "'", "~", "...", "->"),
    *("+", "x", "o", "-"),
)
_SPELT = {ord("×"): "x", ord("…"): "...", ord("→"): "->", ord("·"): "-"}
_INVISIBLE = re.compile("[\xad\u034f\u061c\u180b-\u180e\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f"
                        "\U000e0000-\U000e0fff]")  # fmt: skip
LONGEST = 400
"""Characters of one text of a capture that are looked at: more fits no ladder."""


def safe(text: str, *, unicode: bool) -> str:
    """Return a text of a capture on one line, harmless, in ASCII where that is wanted."""
    text = text[:LONGEST]
    if text.isascii():
        return printable(text)
    text = _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", printable(text))
    if unicode:
        return text
    return text.translate(_SPELT).encode("ascii", "backslashreplace").decode()


@lru_cache(maxsize=1 << 12)
def _cell(character: str) -> int:
    from rich.cells import cell_len  # 20 ms, and most captures are ASCII

    return cell_len(character)


def cells(text: str) -> int:
    """Return how many cells a text takes."""
    return len(text) if text.isascii() else sum(map(_cell, text))


def cut_cells(text: str, room: int, sign: str) -> str:
    """Return a text of at most ``room`` cells, cut at its end with a sign."""
    if cells(text) <= room:
        return text
    if room <= len(sign):
        return sign[: max(room, 0)]
    return text[: _fitting(text, room - len(sign))] + sign


def _fitting(text: str, room: int) -> int:
    """Return how many characters of a text fit the room, combining ones with their base."""
    for place, character in enumerate(text):
        room -= 1 if character.isascii() else _cell(character)
        if room < 0:
            return place
    return len(text)


def wrapped(text: str, room: int) -> list[str]:
    """Return a text as lines of at most ``room`` cells, broken at spaces where that is possible."""
    lines: list[str] = []
    line = ""
    for given in text.split():
        word = given
        if line and cells(line) + 1 + cells(word) <= room:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        while cells(word) > room:
            fitting = max(_fitting(word, room), 1)
            lines.append(word[:fitting])
            word = word[fitting:]
        line = word
    return [*lines, line] if line else lines


class Row:
    """One line of a ladder, written piece by piece."""

    def __init__(self, width: int) -> None:
        self._cells = [" "] * width
        self._painted: list[tuple[int, int, str]] = []

    def put(self, at: int, text: str, style: str = "plain") -> int:
        """Write a text from a cell on, as far as it fits; return the cell behind it."""
        row, place = self._cells, at
        for character in text:
            wide = 1 if character.isascii() else _cell(character)
            if not wide:
                self._combine(place - 1, character)
                continue
            if place < 0 or place + wide > len(row):
                break
            row[place] = character
            if wide == 2:
                row[place + 1] = ""
            place += wide
        if style != "plain" and place > at:
            self.paint(at, place, style)
        return place

    def blank(self, at: int) -> bool:
        """Return whether nothing stands in a cell."""
        return self._cells[at] == " "

    def paint(self, first: int, end: int, style: str) -> None:
        """Show the cells from the first to before the end in a style."""
        self._painted.append((first, end, style))

    def _combine(self, place: int, character: str) -> None:
        while place > 0 and not self._cells[place]:
            place -= 1
        if place >= 0:
            self._cells[place] += character

    def text(self, paint: Paint | None = None) -> str:
        """Return the line, without spaces at its end."""
        if paint is None or not self._painted:
            return "".join(self._cells).rstrip()
        parts, done = [], 0
        for first, end, style in sorted(self._painted):
            if first < done:
                continue
            parts += [
                "".join(self._cells[done:first]),
                paint("".join(self._cells[first:end]), style),
            ]
            done = end
        return ("".join(parts) + "".join(self._cells[done:])).rstrip()
