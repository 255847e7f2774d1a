"""The turns of a live capture: take what came, look at it when that is due, show it."""

from __future__ import annotations

import signal
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING, NamedTuple

from analyzer.cli.live_status import Rates, Status
from analyzer.live.changes import Changes
from analyzer.live.growing import LATE_NS
from analyzer.live.pace import Pace
from analyzer.live.picture import CAPTURE_NS, Picture, picture_of
from analyzer.times import SECOND
from analyzer.visibility import REPLY_GRACE_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from analyzer.cli.live_status import View
    from analyzer.live.growing import Growing

TICK = 0.25
"""Seconds between two turns where nothing comes."""
REDRAW = 0.5
"""Seconds between two drawings: what counts up should be seen to."""
SETTLING = (REPLY_GRACE_NS + LATE_NS + CAPTURE_NS) / SECOND + 1
"""Seconds after the last packet in which something may still turn out not to have happened."""


class Until(NamedTuple):
    """Conditions that end a live capture, by the text that they were given with."""

    wanted: dict[str, frozenset[str]]
    seconds: float | None

    def met(self, changes: Changes) -> str | None:
        """Return the condition that a finding meets, and which; None: none does."""
        for name, by in self.wanted.items():
            for one in changes.told.values():
                if one.record["severity"] in by or one.record["rule"] in by:
                    return f"--until {name}: {one.record['rule']} {one.record['title']}"
        return None


class Watch:
    """Follows one capture that grows; the caller feeds it and calls ``turn`` often."""

    def __init__(self, growing: Growing, view: View, *, keep: int) -> None:
        self.growing = growing
        self.changes = Changes()
        self.picture: Picture | None = None
        self.dropped: int | None = None
        self.behind = 0
        self._view, self._keep = view, keep
        self._pace, self._rates = Pace(), Rates()
        self._began = self._drawn = monotonic()
        self._news = self._shown = False

    @property
    def over(self) -> bool:
        """There is nothing to look at: what comes is damaged, or no capture that can be watched."""
        return self.growing.foreign or self.growing.stopped is not None

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return monotonic() - self._began

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self.growing.feed(data, monotonic_ns())
        self._news = True

    def turn(self) -> bool:
        """Look, if that is due, and draw; tell whether it was looked."""
        now = monotonic()
        looked = self._pace.due(now, news=self._news)
        if looked:
            self.look()
        if looked or now - self._drawn >= REDRAW or not self._shown:
            self._view.refresh(self.status(), self.picture, self.changes)
            self._drawn, self._shown = now, True
        return looked

    def look(self, *, last: bool = False) -> None:
        """Look at what there is; the ``last`` time nothing waits for what may still come."""
        if self.growing.foreign:
            return
        began, news = monotonic(), self._news
        self._news = False
        snapshot = self.growing.snapshot(monotonic_ns())
        self.picture = picture_of(snapshot)
        events = self.changes.look(self.picture, dark=self.growing.dark, settled=last)
        if not last:
            self.growing.let_go(snapshot, self._keep)
        self._view.show(events)
        # Nothing new may come for a minute, and what waits is to be told then.
        awaited = news or self.changes.waiting
        self._pace.looked(began, monotonic(), news=awaited, settling=SETTLING)

    def close(self) -> None:
        """Draw for the last time and leave the view."""
        self._view.refresh(self.status(), self.picture, self.changes)
        self._view.close()

    def status(self) -> Status:
        """Return how it stands."""
        growing, now = self.growing, monotonic()
        counts = (growing.frames, growing.messages, growing.bytes)
        return Status(
            growing.name, self.elapsed, *counts, self._rates.of(now, counts), growing.dark,
            self.dropped, self.behind, growing.let, growing.clock.there(monotonic_ns()),
        )  # fmt: skip


class Interrupt:
    """The first Ctrl-C or SIGTERM ends gently, a second one at once; a context manager."""

    def __init__(self, ending: Callable[[], object] | None = None) -> None:
        """``ending``: called at the first one, from the signal handler."""
        self.asked = False
        self._ending = ending
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let signals do what they did before."""
        while self._before:
            number, before = self._before.popitem()
            signal.signal(number, before)  # type: ignore[arg-type]  # as it was given to us

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        if self._ending is not None:
            self._ending()
