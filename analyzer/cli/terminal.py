"""Where people read: how wide it is, whether it takes colour, which characters it can show.

Colour is never the only sign: whatever is coloured also has its word or symbol.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Literal, TextIO

ColourChoice = Literal["auto", "always", "never"]

WIDTH_ELSEWHERE = 100
"""Columns where output does not go to a terminal: fits a mail, a ticket and half a screen."""
LEAST_WIDTH = 40

_STYLES = {
    "bold": "1",
    "dim": "2",
    "good": "32",
    "bad": "31",
    "doubtful": "33",
    "plain": "",
}
_SYMBOLS = {
    "ok": "✓",
    "failed": "✗",
    "missing": "○",
    "none": "·",
    "unknown": "?",
    "doubtful": "!",
    "cut": "…",
}
_ASCII_SYMBOLS = {
    "ok": "+",
    "failed": "x",
    "missing": "o",
    "none": "-",
    "unknown": "?",
    "doubtful": "!",
    "cut": "~",
}


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the place that output goes to can show."""

    width: int
    colour: bool
    unicode: bool

    def paint(self, text: str, style: str) -> str:
        """Return the text in a style, where there is colour."""
        code = _STYLES[style]
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text

    def symbol(self, name: str) -> str:
        """Return a symbol: ok, failed, missing, none, unknown, doubtful or cut."""
        return (_SYMBOLS if self.unicode else _ASCII_SYMBOLS)[name]


def terminal_of(stream: TextIO, choice: ColourChoice = "auto") -> Terminal:
    """Return what a stream can show; ``COLUMNS``, ``NO_COLOR`` and ``FORCE_COLOR`` are heeded."""
    interactive = stream.isatty()
    width = _width(stream if interactive else None)
    return Terminal(width, _colour(choice, interactive), _unicode(stream))


def plain_terminal() -> Terminal:
    """Return what a file can show: no colour, any character."""
    return Terminal(_width(None), colour=False, unicode=True)


def _width(stream: TextIO | None) -> int:
    """Return the columns of a terminal; None: output goes elsewhere."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit() and int(asked[:6]):
        return max(int(asked[:6]), LEAST_WIDTH)
    if stream is not None:
        return max(_columns(stream), LEAST_WIDTH)
    return WIDTH_ELSEWHERE


def _columns(stream: TextIO) -> int:
    # shutil has this as well, and takes 2 ms to import.
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH_ELSEWHERE
    except (ValueError, OSError):  # closed, or only said to be a terminal
        return WIDTH_ELSEWHERE


def _colour(choice: ColourChoice, interactive: bool) -> bool:  # noqa: FBT001  (private, one caller)
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):  # no-color.org: when present and not empty
        return False
    if os.environ.get("FORCE_COLOR"):
        return os.environ["FORCE_COLOR"] != "0"
    return interactive and os.environ.get("TERM") != "dumb"


def _unicode(stream: TextIO) -> bool:
    try:
        "".join(_SYMBOLS.values()).encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def talk(text: str) -> None:
    """Say one line on stderr."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201  (the one place that talks)
