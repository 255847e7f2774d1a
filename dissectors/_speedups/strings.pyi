from __future__ import annotations

from typing import Generic, TypeVar

_T = TypeVar("_T")

class _Table(Generic[_T]):
    """Values kept once, by number; number 0 is ``None``. As ``analyzer.rows.Interned``."""

    def id(self, value: _T | None, /) -> int:
        """Return the number of a value, giving it one when it is new."""

    def find(self, value: _T | None, /) -> int | None:
        """Return the number of a value, or None when no row has it."""

    def value(self, number: int, /) -> _T | None:
        """Return the value that has a number; raise IndexError when none has."""

    @property
    def values(self) -> list[_T | None]:
        """All values by number; the same list again, longer where there are new ones."""

    def __len__(self) -> int: ...

class Strings(_Table[str]):
    """Strings kept once, by number."""

class CSeqs(_Table[tuple[int, str]]):
    """Pairs of a sequence number and a method, kept once, by number."""
