"""Things that are made beside the page: a job in a thread, with progress, and the files it leaves.

The rule: nothing is made before somebody asked for it. A job looks into a case with its lock held,
and lets others in between; what it made lies in a directory that goes with this program, and the
oldest go first.
"""

from __future__ import annotations

import shutil
from collections import OrderedDict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, RLock, Thread
from time import monotonic
from typing import TYPE_CHECKING

from analyzer.dashboard.opening import Cancelled, reason_of
from analyzer.export.printable import printable
from analyzer.views.numbers import size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAX_KEPT = 8
"""Things that were made and lie ready."""
MAX_KEPT_BYTES = 4 << 30
"""Of all of them; the one made last always stays."""
MAX_WORKING = 2
"""Jobs at once: more would only slow each other, and the pages."""
HELD = 0.05
"""Seconds for which a job keeps others from a case, where it can be interrupted."""
LET_IN = 0.001
"""Seconds that it steps aside: who waits for the case gets it then."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that lies ready."""

    path: Path
    name: str
    """That it is to have where it goes."""
    mime: str
    notes: tuple[str, ...] = ()
    """What there is to say of it, a sentence each."""

    @property
    def size(self) -> int:
        """Return its bytes; 0 once it has gone."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0


class Work:
    """How far a job is, and who may end it."""

    def __init__(self) -> None:
        self.stage = "waiting"
        """What it does, in words."""
        self.done = 0.0
        """From 0 to 1; 0 where nobody knows."""
        self._stop = Event()
        self._held: RLock | None = None
        self._since = 0.0

    def cancel(self) -> None:
        """End it soon."""
        self._stop.set()

    def say(self, stage: str) -> None:
        """Begin something else. Raises ``Cancelled``."""
        self.stage, self.done = stage, 0.0
        self.check()

    def check(self) -> None:
        """Raise ``Cancelled`` where somebody ended it."""
        if self._stop.is_set():
            raise Cancelled

    def step(self, done: float = 0.0) -> None:
        """Say how far it is, and let others look into the case. Raises ``Cancelled``."""
        self.done = min(max(done, 0.0), 1.0)
        self.check()
        held = self._held
        if held is not None and monotonic() - self._since > HELD:
            held.release()
            self._stop.wait(LET_IN)
            held.acquire()
            self._since = monotonic()

    @contextmanager
    def holding(self, lock: RLock) -> Iterator[None]:
        """Hold the lock of a case."""
        with lock:
            self._held, self._since = lock, monotonic()
            try:
                yield
            finally:
                self._held = None


@dataclass(eq=False)
class Making:
    """A job that makes one file."""

    key: str
    folder: Path
    """Its own."""
    make: Callable[[Work, Path], Made]
    work: Work = field(default_factory=Work)
    made: Made | None = None
    failure: str = ""
    """Why there is none, in one line."""
    _over: Event = field(default_factory=Event)

    def begin(self) -> None:
        """Do it in a thread of its own."""
        Thread(target=self.run, name="taking away", daemon=True).start()

    @property
    def running(self) -> bool:
        """Return whether it still works."""
        return not self._over.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; return whether it has come."""
        return self._over.wait(seconds)

    def run(self) -> None:
        """Make it; whatever happens, it ends."""
        try:
            self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            self.made = self.make(self.work, self.folder)
        except Cancelled:
            self.failure = "It was ended before it was done."
        except Exception as error:  # noqa: BLE001  (a capture must never end the dashboard)
            self.failure = printable(reason_of(error))
        finally:
            if self.made is None:
                shutil.rmtree(self.folder, ignore_errors=True)
            self._over.set()


class Shelf:
    """What was made, by what was asked for."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._jobs: OrderedDict[str, Making] = OrderedDict()

    def get(self, key: str) -> Making | None:
        """Return a job by its key."""
        with self._lock:
            return self._jobs.get(key)

    def start(self, key: str, folder: Path, make: Callable[[Work, Path], Made]) -> Making | str:
        """Return the job of a key, begun now unless it works or lies ready; else why not.

        Args:
            key: of what is asked for.
            folder: where all of them have folders of their own.
            make: makes it.
        """
        with self._lock:
            known = self._jobs.get(key)
            if known is not None and (known.running or known.made is not None):
                return known
            if sum(one.running for one in self._jobs.values()) >= MAX_WORKING:
                return "Two things are being made already: wait for one of them, or cancel it."
            self._make_room()
            job = Making(key, folder / key, make)
            self._jobs[key] = job
            self._jobs.move_to_end(key)
        job.begin()
        return job

    def drop(self, key: str) -> None:
        """Forget what was made, so that it can be made anew."""
        with self._lock:
            job = self._jobs.pop(key, None)
        if job is not None:
            job.work.cancel()
            if not job.running:
                shutil.rmtree(job.folder, ignore_errors=True)

    def _make_room(self) -> None:
        over = [one for one in self._jobs.values() if not one.running]
        size = sum(one.made.size for one in over if one.made is not None)
        for one in over:
            if len(self._jobs) < MAX_KEPT and size <= MAX_KEPT_BYTES:
                return
            size -= 0 if one.made is None else one.made.size
            self.drop(one.key)


def save_as(made: Made, target: Path) -> str:
    """Copy what was made to a path that somebody named; return what to say of it.

    Nothing is overwritten, and the file appears whole or not at all.

    Raises:
        ValueError: it cannot be, with one line for people.
    """
    shown = printable(str(target))
    path = target / made.name if target.is_dir() else target
    if not path.is_absolute():
        raise ValueError(f"{shown}: give the whole path, beginning with the root")
    if path.exists() or path.is_symlink():
        raise ValueError(f"{printable(str(path))}: there is a file of that name, it stays")
    beside = path.with_name(f".{path.name[:120]}.part")
    try:
        with made.path.open("rb") as source, beside.open("xb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
        beside.rename(path)
    except FileExistsError:
        raise ValueError(f"{shown}: somebody else is writing it") from None
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise ValueError(f"{shown}: {error.strerror or error}") from None
    return f"{size_text(made.size)} written to {printable(str(path))}"


SHELF = Shelf()
"""That of this process."""
