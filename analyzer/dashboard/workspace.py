"""What all who look at one dashboard share: the open cases, the jobs, the files given to it."""

from __future__ import annotations

import atexit
import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from analyzer.dashboard.cases import Cases
from analyzer.dashboard.opening import Job

if TYPE_CHECKING:
    from analyzer.dashboard.opening import Request

MAX_GIVEN = 4 << 30
"""Bytes of files that are given to the page and kept while it runs."""
MAX_NAME = 120
MAX_JOBS = 16
"""Jobs that are remembered; those that are over go first."""


@dataclass(eq=False)
class Workspace:
    """The state of one dashboard process."""

    cases: Cases = field(default_factory=Cases)
    given: tuple[str, ...] = ()
    """Captures and directories named on the command line."""
    greeted: bool = False
    """What was named was opened for the first who came."""
    _jobs: dict[str, Job] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)
    _folder: Path | None = None
    _kept: int = 0

    def start(self, key: str, request: Request) -> Job:
        """Return the job for a request, begun now unless one of this key works or succeeded."""
        with self._lock:
            known = self._jobs.get(key)
            if known is not None and (known.running or known.opened):
                return known
            over = [name for name, job in self._jobs.items() if not job.running]
            for name in over[: max(0, len(self._jobs) + 1 - MAX_JOBS)]:
                del self._jobs[name]
            self._jobs[key] = Job(request, self.cases)
            return self._jobs[key]

    def job(self, key: str) -> Job | None:
        """Return a job by its key."""
        with self._lock:
            return self._jobs.get(key)

    @property
    def folder(self) -> Path:
        """Return a directory that nobody else can read, for what is given to the page.

        It goes with the process.
        """
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="xccos-dashboard-"))
                atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder

    def keep(self, name: str, data: memoryview) -> Path:
        """Write a file that was given to the page where only this process reads it.

        Raises ValueError where there is no more room.
        """
        plain = re.sub(r"[^\w.()+=@-]", "_", name.replace("\\", "/").rpartition("/")[2])
        path = self.folder / hashlib.sha256(data).hexdigest()[:16] / (plain[-MAX_NAME:] or "file")
        with self._lock:
            if path.exists():
                return path
            if self._kept + len(data) > MAX_GIVEN:
                raise ValueError(f"{name}: the files given to this page are too many; restart it")
            self._kept += len(data)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(data)
        return path


WORKSPACE = Workspace()
"""That of this process."""
