"""What a play has to do at a time."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Timers:
    """Things to do, each at its time; those in the background keep no play from ending."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, bool, Callable[[], None]]] = []
        self._count = 0
        self.held = 0
        """Things that somebody waits for."""

    def at(self, when: float, what: Callable[[], None], *, background: bool = False) -> None:
        """Do something at a time."""
        self._count += 1
        self.held += not background
        heapq.heappush(self._heap, (when, self._count, background, what))

    def behind(self, when: float, what: Callable[[], None]) -> None:
        """Do something at a time that nobody waits for."""
        self.at(when, what, background=True)

    def run(self, now: float) -> None:
        """Do what is due."""
        while self._heap and self._heap[0][0] <= now:
            _, _, background, what = heapq.heappop(self._heap)
            self.held -= not background
            what()

    @property
    def due(self) -> float | None:
        """Return when there is something to do."""
        return self._heap[0][0] if self._heap else None
