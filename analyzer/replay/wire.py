"""What went over the wire during a play: a bounded list for the capture of it.

The rule: a capture is whole up to some moment and nothing after it. What comes when the bound is
reached is counted, not kept, so that no connection has a hole in its middle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from analyzer.replay.actions import WireEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.actions import Address

MAX_WIRE_BYTES = 256 << 20
"""Kept of one run: some 250,000 messages, which is more than a person looks at, and less than a
machine has to spare."""
EVENT_BYTES = 256
"""What an event costs besides its data, so that a million empty ones count too."""
SECOND = 1_000_000_000


class WireLog:
    """Events of all connections of a run, numbered anew: plays may use the same numbers."""

    def __init__(self, clock: Callable[[], int], *, limit: int = MAX_WIRE_BYTES) -> None:
        """Begin empty; ``clock`` tells nanoseconds since 1970 UTC and is asked once."""
        self.events: list[WireEvent] = []
        self.left_out = 0
        """Events that came when the bound was reached."""
        self.left_out_bytes = 0
        """Bytes of data in them."""
        self._clock = clock
        self._limit = limit
        self._kept = 0
        self._start_ns: int | None = None
        self._zero = 0.0
        self._connections = 0

    def begin(self, now: float) -> None:
        """Take this moment as the one at which the wall clock is asked; only once.

        ``now``, here and below, is seconds of a clock that never goes back.
        """
        if self._start_ns is None:
            self._start_ns, self._zero = self._clock(), now

    def opened(
        self, now: float, local: Address, remote: Address, *, outgoing: bool, secure: bool
    ) -> int:
        """Note a new connection and return its number here."""
        self._connections += 1
        self._keep(
            WireEvent(
                self._at(now), self._connections, "open", outgoing, b"", local, remote, secure
            )
        )
        return self._connections

    def data(self, now: float, connection: int, data: bytes, *, outgoing: bool) -> None:
        """Note bytes that were written or read, of TLS the plaintext."""
        self._keep(WireEvent(self._at(now), connection, "data", outgoing, data))

    def ended(
        self, now: float, connection: int, how: Literal["fin", "rst"], *, outgoing: bool
    ) -> None:
        """Note the end of one direction (``fin``) or of the connection (``rst``)."""
        self._keep(WireEvent(self._at(now), connection, how, outgoing))

    def take(self, event: WireEvent) -> None:
        """Keep an event that has its time and number already: of a play in memory."""
        self._keep(event)

    def forget(self) -> None:
        """Keep nothing of what there was."""
        self.events = []
        self._kept = 0

    def _at(self, now: float) -> int:
        self.begin(now)
        return (self._start_ns or 0) + round((now - self._zero) * SECOND)

    def _keep(self, event: WireEvent) -> None:
        if self.left_out or self._kept >= self._limit:
            self.left_out += 1
            self.left_out_bytes += len(event.data)
            return
        self._kept += EVENT_BYTES + len(event.data)
        self.events.append(event)
