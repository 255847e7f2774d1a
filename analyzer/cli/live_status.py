"""What a live view is told at every turn, and the rates in it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.live.changes import Changes, Event
    from analyzer.live.picture import Picture
    from analyzer.live.retention import Let

RATE_OVER = 5.0
"""Seconds that rates are taken over: long enough to be steady, short enough to be of now."""


class Status(NamedTuple):
    """How it stands."""

    name: str
    elapsed: float
    """Seconds since the beginning."""
    frames: int
    messages: int
    size: int
    """Bytes."""
    rates: tuple[float, float, float]
    """Frames, messages, bytes a second."""
    dark: int
    """Connections under TLS."""
    dropped: int | None
    """Packets, as dumpcap says; None as long as it does not."""
    behind: int
    """Bytes that wait for the analysis."""
    let: Let
    now: int | None
    """Time where packets are captured; nanoseconds since 1970 UTC."""


class View(Protocol):
    """Where a live capture is shown."""

    def show(self, events: Sequence[Event]) -> None:
        """Show what happened."""

    def refresh(self, status: Status, picture: Picture | None, changes: Changes) -> None:
        """Show how it stands; called several times a second."""

    def close(self) -> None:
        """Leave the terminal as it was; called once."""


class Rates:
    """Counts of the last seconds, as rates."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, tuple[int, int, int]]] = deque()

    def of(self, now: float, counts: tuple[int, int, int]) -> tuple[float, float, float]:
        """Note counts and return how fast they grow, a second."""
        self._seen.append((now, counts))
        while len(self._seen) > 2 and self._seen[1][0] <= now - RATE_OVER:
            self._seen.popleft()
        then, before = self._seen[0]
        taken = max(now - then, 1.0)
        frames, messages, size = (
            (count - old) / taken for count, old in zip(counts, before, strict=True)
        )
        return frames, messages, size
