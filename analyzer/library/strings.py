"""Values of an index by number, with the numbers by value only when somebody asks for them.

Most runs only look values up by number; a dictionary of all of them would cost as much as reading
the rest of the index.
"""

from __future__ import annotations

from itertools import count
from typing import TypeVar

from analyzer.rows import Interned

T = TypeVar("T")


class _Numbers(dict[T | None, int]):
    """Number of a value; filled by the first question."""

    __slots__ = ("_values", "_waiting")

    def __init__(self, values: list[T | None]) -> None:
        super().__init__()
        self._values = values
        self._waiting = True

    def __missing__(self, value: T | None) -> int:
        if self.fill() and value in self:
            return self[value]
        number = self[value] = len(self._values)
        self._values.append(value)
        return number

    def fill(self) -> bool:
        """Take the values that are there; return whether that was still to be done."""
        waiting, self._waiting = self._waiting, False
        if waiting:
            self.update(zip(self._values, count(), strict=False))
        return waiting


class SavedValues(Interned[T]):
    """Values that were numbered before; new ones can be added."""

    __slots__ = ("_places",)

    def __init__(self, values: list[T | None]) -> None:
        """Take the values, each at the place of its number; the first is None."""
        self.values = values
        self._places = _Numbers(values)
        self.id = self._places.__getitem__

    def find(self, value: T) -> int | None:
        """Return the number of a value, or None when no row has it."""
        self._places.fill()
        return self._places.get(value)
