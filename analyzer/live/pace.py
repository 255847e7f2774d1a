"""When to look again: soon where that is cheap, and never for more than a share of the time."""

from __future__ import annotations

LEAST = 1.0
"""Seconds between two looks: faster than that nobody reads."""
SHARE = 0.2
"""Of the time that is spent looking at most: the rest is for taking what comes."""


class Pace:
    """Knows when the last look was and what it cost; times are seconds of any steady clock."""

    def __init__(self) -> None:
        self._next = float("-inf")
        self._until = float("-inf")

    def due(self, now: float, *, news: bool) -> bool:
        """Tell whether to look now. Without news it is of use only while something may settle."""
        return now >= self._next and (news or now < self._until)

    def looked(self, began: float, ended: float, *, news: bool, settling: float) -> None:
        """Note a look, and for how many seconds after news something may settle by itself."""
        self._next = max(began + LEAST, ended + (ended - began) * (1 / SHARE - 1))
        if news:
            self._until = ended + settling
