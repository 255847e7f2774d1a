"""Standard input watched while it is read: ``tcpdump -w - | xccos triage -`` shows what flows by.

The one rule: whoever reads standard input gets the same bytes, at the same speed. What comes faster
than it can be looked at is not looked at; the triage comes at its end.
"""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from analyzer.cli.live_watch import TICK, Interrupt, Watch
from analyzer.cli.terminal import terminal_of
from analyzer.sources.files import STANDARD_INPUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.cli.live_status import Status, View
    from analyzer.cli.terminal import ColourChoice
    from analyzer.live.changes import Changes, Event
    from analyzer.live.picture import Picture
    from analyzer.sources.live import Inflow

PATIENCE = 0.5
"""Seconds before anything is drawn: a file that somebody pipes in is read by then."""
TOO_FAST = 4 << 20
"""Bytes that wait: no interface with SIP on it is so far ahead, a file that is piped in is at once.
"""
KEEP = 200_000
"""Messages that are looked at while they flow by; the triage is of all."""


class LateView:
    """Draws on standard error, when that is worth it."""

    def __init__(self, stream: TextIO, choice: ColourChoice) -> None:
        self._stream, self._choice = stream, choice
        self._view: View | None = None
        self._events: list[Event] = []

    def show(self, events: Sequence[Event]) -> None:
        """Keep what happened until there is something to show it on."""
        if self._view is None:
            self._events += events
        else:
            self._view.show(events)

    def refresh(self, status: Status, picture: Picture | None, changes: Changes) -> None:
        """Draw, once it takes long."""
        if self._view is None:
            if status.elapsed < PATIENCE:
                return
            from analyzer.cli.live_table import TableView

            terminal = terminal_of(self._stream, self._choice)
            self._view = TableView(self._stream, terminal, transient=True)
            self._view.show(self._events)
        self._view.refresh(status, picture, changes)

    def close(self) -> None:
        """Wipe the table; what scrolled by stays."""
        if self._view is not None:
            self._view.close()


class Tap(io.RawIOBase):
    """Gives the bytes of an inflow, and shows what is in them as they pass."""

    def __init__(self, inflow: Inflow, view: View, interrupt: Interrupt) -> None:
        super().__init__()
        from analyzer.live.growing import Growing
        from analyzer.live.records import Records

        self._inflow, self._interrupt = inflow, interrupt
        self._growing = Growing("standard input")
        self._watch: Watch | None = Watch(self._growing, view, keep=KEEP)
        self._records = Records()
        self._ready = b""
        self._over = False

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the buffer is typed wider
        """Wait for bytes, and show meanwhile what there is."""
        while not self._ready and not self._over:
            self._turn()
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def forget(self) -> None:
        """Look no more: the bytes only pass."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
            self._growing.close()

    def _turn(self) -> None:
        data = self._inflow.take(TICK)
        watch = self._watch
        if watch is None:
            self._ready = data
        elif data:
            self._ready = b"".join(piece for piece, _ in self._records.feed(data))
            watch.feed(data)
            watch.behind = self._inflow.behind
            if watch.behind > TOO_FAST or watch.over:
                self._ready += self._records.close()
                self.forget()
        if self._watch is not None:
            self._watch.turn()
        self._end()

    def _end(self) -> None:
        if self._interrupt.asked:
            self._over = True  # and half a record that was on its way is not missed
        elif self._inflow.ended:
            self._ready += self._records.close()
            self._over = True
        if self._over:
            self._interrupt.release()
            self.forget()


class _Aside(io.TextIOBase):
    """Standard error while a table is drawn there: no terminal, so that nobody else draws."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass on what is said."""
        return self._stream.write(text)

    def flush(self) -> None:
        """Pass on."""
        self._stream.flush()


@contextmanager
def watched_input(files: Sequence[str], choice: ColourChoice) -> Iterator[None]:
    """Show on standard error what comes by standard input, where that is read and that a terminal.

    The first Ctrl-C then ends the input, and what came until then is told.
    """
    if STANDARD_INPUT not in files or not sys.stderr.isatty() or not _is_open():
        yield
        return
    from analyzer.sources.live import Inflow, reader_of

    stdin, stderr = sys.stdin, sys.stderr
    inflow = Inflow(reader_of(stdin.fileno()))
    with Interrupt() as interrupt:
        tap = Tap(inflow, LateView(stderr, choice), interrupt)
        try:
            sys.stdin = io.TextIOWrapper(io.BufferedReader(tap, 1 << 16))
            sys.stderr = _Aside(stderr)
            inflow.start()
            yield
        finally:
            tap.forget()
            sys.stdin, sys.stderr = stdin, stderr
            inflow.stop()


def _is_open() -> bool:
    try:
        return sys.stdin is not None and sys.stdin.fileno() >= 0
    except (OSError, ValueError):
        return False
