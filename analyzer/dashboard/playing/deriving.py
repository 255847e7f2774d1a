"""Scripts that are derived beside the page: it says how far that is, and others go on."""

from __future__ import annotations

from threading import BoundedSemaphore, Event, Thread
from typing import TYPE_CHECKING

from analyzer.dashboard.kept_last import kept_last, known
from analyzer.dashboard.opening import Cancelled, reason_of
from analyzer.dashboard.playing.script import SCRIPTS, Derived, derive_wanted, derived, wanted
from analyzer.dashboard.takeaway.work import Work

if TYPE_CHECKING:
    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.playing.order import Order
    from analyzer.dashboard.playing.script import Wanted

MAX_AT_ONCE = 400
"""Messages of which a script is derived while the page waits: less than half a second."""
PATIENCE_S = 0.3
"""For which a page waits for a job before it says how far that is."""
TURN_S = 0.2
MAX_JOBS = 8
"""That a case remembers; those that are over go first."""
_AT_WORK = BoundedSemaphore(2)
"""In this process at once: more would only slow each other, and the pages."""


class Deriving:
    """A job that derives one script."""

    def __init__(self, case: Case, wanted: Wanted) -> None:
        self.work = Work()
        self.made: Derived | None = None
        self.failure = ""
        """Why there is nothing to play, in one line."""
        self.cancelled = False
        self._case, self._wanted = case, wanted
        self._over = Event()

    def begin(self) -> None:
        """Do it in a thread of its own."""
        Thread(target=self.run, name="deriving", daemon=True).start()

    @property
    def running(self) -> bool:
        """Return whether it still works."""
        return not self._over.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; return whether it has come."""
        return self._over.wait(seconds)

    def run(self) -> None:
        """Derive it; whatever happens, it ends."""
        try:
            self.work.say("waiting for another script")
            while not _AT_WORK.acquire(timeout=TURN_S):
                self.work.check()
            try:
                self.made = derive_wanted(self._case, self._wanted, self.work)
            finally:
                _AT_WORK.release()
        except Cancelled:
            self.cancelled = True
        except Exception as error:  # noqa: BLE001  (a capture must never end the dashboard)
            self.failure = reason_of(error)
        finally:
            self._over.set()


def script_of(desk: Desk, order: Order) -> Derived | Deriving:
    """Return the script of what is selected, or the job that derives it, or that was cancelled.

    Raises:
        ValueError: there is nothing to play, with one line for people.
    """
    case, key = desk.case, wanted(desk, order)
    if known(case, SCRIPTS, key) is not None or _messages(desk) <= MAX_AT_ONCE:
        return derived(desk, order)
    jobs = _jobs(case)
    job = jobs.get(key)
    if job is None:
        for old in [one for one in jobs if not jobs[one].running][: len(jobs) - MAX_JOBS + 1]:
            del jobs[old]
        job = jobs[key] = Deriving(case, key)
        job.begin()
    with case.let_in():
        job.wait(PATIENCE_S)
    if job.failure:
        raise ValueError(job.failure)
    made = job.made
    if made is None:
        return job
    jobs.pop(key, None)
    return kept_last(case, SCRIPTS, key, lambda: made)


def again(desk: Desk, order: Order) -> None:
    """Forget a job that was cancelled: the next run of the page begins anew."""
    _jobs(desk.case).pop(wanted(desk, order), None)


def _jobs(case: Case) -> dict[Wanted, Deriving]:
    return case.once("scripts being derived", dict["Wanted", "Deriving"])


def _messages(desk: Desk) -> int:
    session = desk.selection.session
    if session is None:
        return len(desk.case.trace.rows)
    view = desk.case.views[session]
    return sum(len(one.rows) + len(one.copies) for one in view.dialogs)
