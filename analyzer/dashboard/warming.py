"""What pages ask for at their first visit, worked out beforehand while somebody reads the verdict.

The rule: nobody waits for it. It holds the lock of a case for a moment at a time, steps aside for
every page, and whatever goes wrong in it goes wrong again, and is told, on the page that needs it.
"""

from __future__ import annotations

import gc
from contextlib import suppress
from importlib import import_module
from threading import Event, Thread
from typing import TYPE_CHECKING

from analyzer.dashboard.opening import Cancelled
from analyzer.dashboard.takeaway.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.dashboard.cases import Case

    Step = Callable[[], object]

QUIET_S = 1.0
"""After a case was opened: the page with the verdict is drawn meanwhile."""
MODULES = (
    *(
        f"analyzer.dashboard.pages.{name}"
        for name in ("commands", "ladder", "messages", "topology")
    ),
    *(f"analyzer.dashboard.{name}.chart" for name in ("commands", "topology", "rooms")),
    "analyzer.dashboard.charts.clicks",
)
"""Those that bring plotly, which takes half a second, and networkx."""


class Warming:
    """Works out what the pages of one case need, in a thread of its own."""

    def __init__(self, case: Case, quiet: float = QUIET_S) -> None:
        self._case, self._work, self._quiet = case, Work(), quiet
        self._over = Event()

    def begin(self) -> None:
        """Begin, after a while."""
        Thread(target=self.run, name="warming", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; return whether it has come."""
        return self._over.wait(seconds)

    def run(self) -> None:
        """Do it; whatever happens, it ends."""
        self._over.wait(self._quiet)
        try:
            # A page that needs it tells what is wrong; here nobody looks.
            with suppress(Exception):
                for name in MODULES:
                    import_module(name)
                self._case_itself()
                gc.freeze()  # it stays as long as the case does
        finally:
            self._over.set()

    def _case_itself(self) -> None:
        for prepare in (_rooms, _filter, _commands, _topology, _ladder):
            if self._case.closed:
                return
            with self._work.holding(self._case.lock):
                prepare(self._case, self._step)

    def _step(self) -> None:
        self._work.step()
        if self._case.closed:
            raise Cancelled


def _rooms(case: Case, step: Step) -> None:
    """Read the rooms of each session: the filter, the topology and the page of rooms ask."""
    for view in case.views:
        step()
        _ = view.rooms


def _filter(case: Case, _: Step) -> None:
    from analyzer.dashboard.filtering.box import offers

    offers(case)


def _commands(case: Case, _: Step) -> None:
    from analyzer.dashboard.commands.choice import all_waits

    all_waits(case)


def _topology(case: Case, step: Step) -> None:
    from analyzer.dashboard.topology.chart import picture
    from analyzer.dashboard.topology.graph import drawn_of, prepare

    prepare(case, step)
    step()
    picture(drawn_of(case))


def _ladder(case: Case, step: Step) -> None:
    """Make the ladder that the page begins with; of half a million messages a second's work."""
    from analyzer.dashboard.ladder.choice import hideable, part_of
    from analyzer.dashboard.ladder.part import kept
    from analyzer.dashboard.selection import Selection

    hideable(case)
    step()
    ladder = part_of(case, Selection(case=case.id), None).ladder
    step()
    kept(case, ladder)
