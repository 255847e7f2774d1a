"""What concerns a run and not its ends: who may stop it, its limit, what is kept of it.

The rule: many carriers may share one ``Stop``, one ``Traffic`` and one wire log.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.wire import WireLog


class Stop:
    """A wish to end, from a signal or a caller; the second time it is urgent."""

    def __init__(self) -> None:
        self.reason = ""
        """Empty: nobody asked."""
        self.urgent = False
        """No politeness is wanted."""
        self._listeners: set[Callable[[], None]] = set()

    def ask(self, reason: str) -> None:
        """Ask to end; only from the thread of the loop."""
        self.urgent = bool(self.reason)
        self.reason = self.reason or reason
        for listener in tuple(self._listeners):
            listener()

    def add(self, listener: Callable[[], None]) -> None:
        """Call this whenever somebody asks."""
        self._listeners.add(listener)

    def remove(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners.discard(listener)


@dataclass(slots=True)
class Traffic:
    """What passed, of one carrier or of many that share it."""

    sent: int = 0
    """Messages said: ``Send`` actions."""
    heard: int = 0
    """Messages heard, by their one CSeq (RFC 3261 20.16); one whose CSeq is cut is left out."""
    bytes_sent: int = 0
    bytes_heard: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    """Connections that the peers ended, by how."""


@dataclass(frozen=True, slots=True)
class Run:
    """What concerns a run and not its ends."""

    wire: WireLog | None = None
    limit: float | None = None
    """Seconds, then the play is aborted; None: until its own end."""
    stop: Stop = field(default_factory=Stop)
    traffic: Traffic = field(default_factory=Traffic)
