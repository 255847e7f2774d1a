"""What concerns a run and not its ends: who may stop it, its limit, what is kept of it.

The rule: many carriers may share one ``Stop``, one ``Traffic`` and one wire log.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.wire import WireLog


class Stop:
    """A wish to end, from a signal or a caller; the second time it is urgent."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._soon: Callable[[Callable[[], None]], object] | None = None
        self._early: list[str] = []
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

    def ask_from_elsewhere(self, reason: str) -> None:
        """Ask to end, from any thread; before the run has begun, it ends as soon as it begins."""
        with self._lock:
            if self._soon is None:
                self._early.append(reason)
                return
            try:
                self._soon(partial(self.ask, reason))
            except RuntimeError:
                return  # its loop is closed: it has ended

    def reached_by(self, soon: Callable[[Callable[[], None]], object]) -> None:
        """Say how a call gets into the thread of the loop, from within it."""
        with self._lock:
            self._soon = soon
            early, self._early = self._early, []
        for reason in early:
            soon(partial(self.ask, reason))

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
