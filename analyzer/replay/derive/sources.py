"""Which turns said what a server repeats, where nothing else shows what brought it about.

The rule: a value that a client says first cannot be repeated before it was heard. Only bodies are
looked at: what headers repeat belongs to the dialog, whose order is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.script import SERVER
from analyzer.replay.template import slots_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.said import Said

MOST_FOLLOWED = 256
"""Turns followed back to see what is implied: a needless name in ``after`` does no harm."""


class Sources:
    """Finds the turns of clients that must have been heard before a server says their values."""

    def __init__(self, book: Book, messages: Sequence[Said]) -> None:
        self._book = book
        self._numbers = {one.turn: one.number for one in messages if one.live}
        self._after: dict[str, tuple[str, ...]] = {}

    def note(self, one: Said, after: tuple[str, ...]) -> None:
        """Take note of what a turn waits for."""
        self._after[one.turn] = after

    def of(self, one: Said, after: Sequence[str]) -> Iterator[str]:
        """Yield the turns, but those that what is in ``after`` has waited for."""
        wanted = set(self._said(one)).difference(after)
        if wanted:
            wanted -= self._implied(after)
            yield from sorted(wanted, key=self._numbers.__getitem__)

    def _said(self, one: Said) -> Iterator[str]:
        for name in slots_of(one.body.template()):
            if name not in self._book:
                continue
            slot = self._book.slot(name)
            if slot.turn is None or slot.said_by in (None, SERVER):
                continue
            if self._numbers.get(slot.turn, one.number) < one.number:
                yield slot.turn

    def _implied(self, after: Iterable[str]) -> set[str]:
        """Return what these turns have waited for, and what that has, as far as it is followed."""
        found: set[str] = set()
        new = list(after)
        while new and len(found) < MOST_FOLLOWED:
            for name in self._after.get(new.pop(), ()):
                if name not in found:
                    found.add(name)
                    new.append(name)
        return found
