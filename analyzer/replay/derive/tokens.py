"""File tokens: never kept. Each is a slot whose value is a stand-in, wherever it stands.

The rule: whoever holds a token may fetch the file, so that a captured one is a secret like a
password, in a post or a URL no less than in the reply that brought it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.derive.book import said

if TYPE_CHECKING:
    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.marks import Marks
    from analyzer.replay.derive.said import Said

MAX_ODD = 100
"""Tokens that are no plain words, for which every text has to be searched."""
_WORD = re.compile(r"[\w-]{4,}")


class Tokens:
    """The file tokens of a recording."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._slots: dict[str, str] = {}
        """Name of the slot by captured token."""
        self._odd: re.Pattern[str] | None = None

    def slot(self, value: str, one: Said, where: str) -> str | None:
        """Return the slot of a token."""
        known = self._slots.get(value)
        if known is not None:
            return known
        made = stand_in(value, len(self._slots) + 1)
        slot = said("token", made, one, where)
        name = self._book.numbered(("token", value), slot, "token")
        if name is not None:
            self._slots[value] = name
            odd = [one for one in self._slots if not _WORD.fullmatch(one)][:MAX_ODD]
            longest = sorted(odd, key=len, reverse=True)
            self._odd = re.compile("|".join(map(re.escape, longest))) if odd else None
        return name

    def mark(self, marks: Marks) -> None:
        """Mark the tokens of a text."""
        if not self._slots:
            return
        for match in self._odd.finditer(marks.text) if self._odd else ():
            marks.claim(*match.span(), self._slots[match[0]])
        for match in _WORD.finditer(marks.text):
            marks.claim(*match.span(), self._slots.get(match[0]))

    def hidden(self, text: str) -> str:
        """Return a text with the stand-ins of the tokens in it."""
        if not self._slots:
            return text
        if self._odd is not None:
            text = self._odd.sub(self._stand_in, text)
        return _WORD.sub(self._stand_in, text)

    def _stand_in(self, match: re.Match[str]) -> str:
        name = self._slots.get(match[0])
        return match[0] if name is None else self._book.slot(name).value


def stand_in(value: str, number: int) -> str:
    """Return a token that stands for a captured one, in its case."""
    made = f"00000000-0000-4000-8000-{number:012d}"
    return made.upper() if value.isupper() else made
