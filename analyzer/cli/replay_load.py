"""Many clients at once: who plays which, and how it stands while they do."""

from __future__ import annotations

import sys
from dataclasses import replace
from time import time_ns
from typing import TYPE_CHECKING, Any

from analyzer.cli.terminal import talk
from analyzer.export.printable import printable
from analyzer.replay.load import Load, Watch, line_of
from analyzer.replay.plays import Faults, cast, client_play
from analyzer.times import latency_text

if TYPE_CHECKING:
    from types import TracebackType

    from analyzer.replay.actions import Play
    from analyzer.replay.load import LoadView, Percentiles
    from analyzer.replay.options import PlayOptions, User
    from analyzer.replay.script import Script

LIVE_SECONDS = 0.5
"""Between two views on a terminal."""
LINE_SECONDS = 10.0
"""Between two lines elsewhere: a log of an hour stays readable."""
SHOWN = 12
"""Kinds of answers in the live view, the slowest: a terminal has 24 lines."""


def load_of(script: Script, options: PlayOptions, faults: Faults, given: dict[str, Any]) -> Load:
    """Return the load that a command line asks for.

    Every client plays the whole script: of one with two clients each takes two users, in turn, from
    the beginning again when there are no more.
    """
    from analyzer.replay.player.plan import client_plan

    plan, parties = client_plan(script), max(len(script.clients), 1)
    seed = options.seed or 0

    def make(index: int, _: User | None) -> Play:
        first, users = index * parties, options.users
        taken = [users[at % len(users)] for at in range(first, first + parties)] if users else []
        own = replace(options, users=cast(script, taken), seed=seed + index)
        return client_play(script, own, faults._replace(seed=faults.seed + index), time_ns(), plan)

    return Load(make, (), given["clients"], given["rate"], given["ramp"] or 0.0)


class Shown:
    """How a load stands: a table on a terminal, a line now and then elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._terminal = sys.stderr.isatty() and not quiet
        self._live: Any = None
        show = self._table if self._terminal else self._line
        every = LIVE_SECONDS if self._terminal else LINE_SECONDS
        self.watch: Watch | None = None if quiet else Watch(every, show)

    def __enter__(self) -> Shown:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    @staticmethod
    def _line(view: LoadView) -> None:
        talk(f"xccos: {printable(line_of(view))}")

    def _table(self, view: LoadView) -> None:
        # rich takes 0.1 s to import: only whoever watches pays for it.
        from rich.console import Console
        from rich.live import Live

        if self._live is None:
            self._live = Live(console=Console(stderr=True), transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(_rendered(view), refresh=True)


def _rendered(view: LoadView) -> Any:  # noqa: ANN401  (what rich can show)
    from rich.markup import escape
    from rich.table import Table

    found = Table(title=escape(printable(line_of(view))), title_justify="left", box=None)
    found.add_column("answer to")
    for title in ("count", "p50", "p90", "p99", "max"):
        found.add_column(title, justify="right")
    for one in sorted(view.latencies, key=_slowness, reverse=True)[:SHOWN]:
        times = (latency_text(s * 1000) for s in (one.p50, one.p90, one.p99, one.max))
        found.add_row(escape(printable(one.what)), f"{one.samples:,}", *times)
    return found


def _slowness(one: Percentiles) -> float:
    return one.p99
