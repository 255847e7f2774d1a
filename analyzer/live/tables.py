"""Strings kept once, of which those are forgotten that no message has any more.

The one rule: a number is never given again. Whoever still holds the number of a forgotten value
finds an empty one there, and never another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from analyzer.rows import Interned

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

T = TypeVar("T")


class ForgetfulTable(Interned[T]):
    """Values by number, as in ``Interned``; what was forgotten leaves an empty value behind.

    Its place costs eight bytes, a string with its Call-ID or tag a hundred or more.
    """

    __slots__ = ("_empty",)

    def __init__(self, empty: T) -> None:
        """``empty``: what stands in the places of forgotten values; no value of its own."""
        super().__init__()
        self._empty = empty

    def forget_all_but(self, kept: AbstractSet[int]) -> int:
        """Forget the values whose numbers are not among ``kept``; return how many there were."""
        values, numbers, count = self.values, self._numbers, 0
        for number in range(1, len(values)):
            value = values[number]
            if value is not None and value is not self._empty and number not in kept:
                values[number] = self._empty
                del numbers[value]
                count += 1
        return count
