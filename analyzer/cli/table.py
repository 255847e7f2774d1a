"""Tables that fit the place they are shown in: one line a row, long cells cut with an ellipsis.

Widths come from the first rows; the rest streams through, so that a table of half a million rows
neither waits nor fills memory.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING

from analyzer.export.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.cli.terminal import Terminal

SAMPLE = 500
"""Rows that decide the widths."""
GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    least: int = 6
    """Columns that it is cut to at most when the line is too long."""
    right: bool = False
    keep_end: bool = False
    """Cut at the beginning: the end of a path tells files apart."""
    rank: int = 0
    """Columns of the highest rank are left out first where cutting is not enough; 0: never."""
    style: Callable[[str], str] | None = None
    """The style of a cell, by its text."""


def text_width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_character_width, text))


@lru_cache(maxsize=1 << 12)
def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """Return the text, cut with an ellipsis to at most ``width`` columns."""
    if text_width(text) <= width:
        return text
    if text.isascii():
        return text[: max(width - 1, 0)] + ellipsis
    taken, room = 0, width - 1
    for character in text:
        room -= _character_width(character)
        if room < 0:
            break
        taken += 1
    return text[:taken] + ellipsis


def cut_before(text: str, width: int, ellipsis: str = "…") -> str:
    """Return the text, cut at its beginning to at most ``width`` columns."""
    if text_width(text) <= width:
        return text
    kept, room = len(text), width - 1
    while kept and (room := room - text_width(text[kept - 1])) >= 0:
        kept -= 1
    return ellipsis + text[kept:]


def table(
    columns: Sequence[Column], rows: Iterable[Sequence[str]], terminal: Terminal, indent: str = ""
) -> Iterator[str]:
    """Yield the lines of a table, without line ends; nothing where there are no rows."""
    moving = iter(rows)
    sample = [[printable(cell) for cell in row] for row in islice(moving, SAMPLE)]
    if not sample:
        return
    widths = _fitted(columns, sample, terminal.width - len(indent))
    titles = [column.title for column in columns]
    yield indent + terminal.paint(_line(columns, widths, titles, terminal, styled=False), "bold")
    rest = ([printable(cell) for cell in row] for row in moving)
    for row in chain(sample, rest):
        yield indent + _line(columns, widths, row, terminal, styled=True)


def _fitted(
    columns: Sequence[Column], sample: Sequence[Sequence[str]], room: int
) -> list[int | None]:
    """Return the width of each column; None for one that is left out."""
    natural = [
        max(text_width(column.title), *(text_width(row[k]) for row in sample))
        for k, column in enumerate(columns)
    ]
    shown = list(range(len(columns)))
    while True:
        widths = _narrowed({k: natural[k] for k in shown}, columns, room - 2 * (len(shown) - 1))
        dropped = max(shown, key=lambda k: (columns[k].rank, k))
        if widths is not None or not columns[dropped].rank:
            break
        shown.remove(dropped)
    if widths is None:  # nothing may be left out: the line ends where it ends
        widths = {k: min(natural[k], columns[k].least) for k in shown}
    return [widths.get(k) for k in range(len(columns))]


def _narrowed(
    natural: dict[int, int], columns: Sequence[Column], room: int
) -> dict[int, int] | None:
    """Take from the widest column until the line fits; None where it cannot."""
    least = {k: min(width, columns[k].least) for k, width in natural.items()}
    if sum(least.values()) > room:
        return None
    widths = dict(natural)
    while sum(widths.values()) > room:
        widest = max((k for k in widths if widths[k] > least[k]), key=lambda k: widths[k])
        widths[widest] -= 1
    return widths


def _line(
    columns: Sequence[Column],
    widths: Sequence[int | None],
    row: Sequence[str],
    terminal: Terminal,
    *,
    styled: bool,
) -> str:
    cells = []
    ellipsis = terminal.symbol("cut")
    for column, width, text in zip(columns, widths, row, strict=True):
        if width is None:
            continue
        shown, blank = text, " " * (width - len(text))
        if not blank or not text.isascii():  # nearly all cells are short and plain
            shorten = cut_before if column.keep_end else cut
            shown = shorten(text, width, ellipsis)
            blank = " " * (width - text_width(shown))
        if styled and column.style is not None:
            shown = terminal.paint(shown, column.style(text))
        cells.append(blank + shown if column.right else shown + blank)
    return GAP.join(cells).rstrip()
