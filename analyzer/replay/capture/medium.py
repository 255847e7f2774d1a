"""The link that a capture is taken on: its clock, and the acknowledgements that are still due.

The rule: time never goes back. What is asked for a time that has passed happens now.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.actions import Address
    from analyzer.replay.capture.frames import Framer

SETTLE_NS = 200_000
"""How long after the last event the last acknowledgements take."""

BEFORE_ALL = -(1 << 63)
"""Of 64 bits of nanoseconds the first."""


class Debtor(Protocol):
    """Who owes acknowledgements: a connection."""

    def acknowledge(self, side: int, at: int) -> None:
        """Send an acknowledgement of one side."""
        ...

    def owes(self, side: int, ticket: int) -> bool:
        """Tell whether the acknowledgement of a ticket was not sent otherwise."""
        ...


class Medium:
    """Where frames go."""

    def __init__(self, framer: Framer, put: Callable[[int, bytes, str], None]) -> None:
        """Frames are made by ``framer`` and handed to ``put`` with time and comment."""
        self.framer = framer
        self.clock = BEFORE_ALL
        self._put = put
        self._due: list[tuple[int, int, Debtor, int]] = []
        self._tickets = 0
        self.ends: dict[tuple[Address, Address], int] = {}
        """Where a direction, from and to, ended: the next sequence number."""

    def put(self, time_ns: int, frame: bytes, comment: str = "") -> None:
        """Send a frame, now if its time has passed."""
        self.clock = max(self.clock, time_ns)
        self._put(self.clock, frame, comment)

    def owe(self, debtor: Debtor, side: int, due: int) -> int:
        """Have an acknowledgement sent when it is due, unless data takes it along before."""
        self._tickets += 1
        heapq.heappush(self._due, (due, self._tickets, debtor, side))
        return self._tickets

    def advance(self, to: int) -> None:
        """Send the acknowledgements that are due until a time."""
        due = self._due
        while due and due[0][0] <= to:
            at, ticket, debtor, side = heapq.heappop(due)
            if debtor.owes(side, ticket):
                debtor.acknowledge(side, at)

    def settle(self) -> None:
        """Send all acknowledgements that are still due: the capture ends."""
        end = self.clock + SETTLE_NS
        while self._due:
            at, ticket, debtor, side = heapq.heappop(self._due)
            if debtor.owes(side, ticket):
                debtor.acknowledge(side, min(at, end))
