"""Opening inputs beside the page: a job reads them in a thread, tells how far it is, can be ended.

The rule: a page never waits for a capture. It asks for a job, shows it, and finds the cases in
``Cases`` once they are there. What cannot be read is told in one line for each input, as on the
command line.
"""

from __future__ import annotations

import gc
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from analyzer.dashboard.cases import Case
from analyzer.dashboard.verdict.told import told_of
from analyzer.export.printable import printable
from analyzer.extras import MissingExtra
from analyzer.inputs.opening import join, stories
from analyzer.library.content import hash_of
from analyzer.library.version import reading_version
from analyzer.sources.archive import KEY_TEXTS
from analyzer.sources.conversion import is_input
from analyzer.sources.expansion import Named, open_set
from analyzer.sources.files import SourceError
from analyzer.sources.keylog import has_secrets
from analyzer.sources.tls_keys import GivenKeys
from analyzer.trace import open_capture
from analyzer.zones import parse_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.cases import Cases
    from analyzer.sources.rsa_keys import RsaKey
    from analyzer.trace import Trace

MAX_JOINED = 16
"""Inputs that are looked at for a common story: all of them are open then."""
ID_DIGITS = 16
"""Of the hash of what was opened: chance never makes two of 2^64 alike."""
RSA_MARK = b"PRIVATE KEY"
KEY_HEAD = 4096


class Cancelled(Exception):  # noqa: N818  (no error)
    """Somebody ended the job."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to look at."""

    files: tuple[str, ...]
    """Captures, logs and archives, by their paths."""
    names: tuple[str, ...] = ()
    """What to call them, where their paths say nothing (uploads)."""
    keys: tuple[str, ...] = ()
    """Key logs and RSA keys."""
    password: str = field(default="", repr=False)
    """Of RSA keys; kept no longer than the job runs."""
    zone: str = ""
    """Of text traces that do not say theirs."""
    together: bool = True
    """Inputs that tell one story become one case."""

    def label(self, file: str) -> str:
        """Return what to call a file."""
        for path, name in zip(self.files, self.names, strict=False):
            if file == path or file.startswith(f"{path}/"):
                return name + file[len(path) :]
        return os.path.basename(file) or file  # noqa: PTH119  (members of archives are no paths)


class Job:
    """Opens what a request names, in a thread of its own."""

    def __init__(self, request: Request, cases: Cases) -> None:
        self.request = request
        self.stage = "waiting"
        """What it does, in words."""
        self.done = 0
        """Bytes read of the input that is read."""
        self.size = 0
        """Bytes of that input; 0 where nobody knows."""
        self.opened: list[str] = []
        """Ids of the cases, in the order of the inputs."""
        self.failures: list[str] = []
        """One line for each input that could not be read."""
        self.cancelled = False
        self._cases = cases
        self._stop = Event()
        self._over = Event()
        self._thread = Thread(target=self._run, name="opening", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Return whether it still works."""
        return not self._over.is_set()

    def cancel(self) -> None:
        """End it soon; what is open already stays."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; return whether it has come."""
        return self._over.wait(seconds)

    def _run(self) -> None:
        try:
            _Opening(self, self._cases).run()
            gc.freeze()  # millions of values stay: looking for garbage among them costs each click
        except Cancelled:
            self.cancelled = True
            self.failures.append("Opening was ended before it was done.")
        except Exception as error:  # noqa: BLE001  (a file must never end the dashboard)
            self.failures.append(reason_of(error))
        finally:
            self._over.set()

    def step(self, done: int) -> None:
        """Take note of how far a file is read. Raises ``Cancelled``."""
        self.done = done
        self.check()

    def check(self) -> None:
        """Raise ``Cancelled`` where somebody ended the job."""
        if self._stop.is_set():
            raise Cancelled


class _Opening:
    def __init__(self, job: Job, cases: Cases) -> None:
        self._job, self._cases = job, cases
        self._request = job.request
        self._remarks: list[str] = []

    def run(self) -> None:
        job, request = self._job, self._request
        keys = self._keys()
        try:
            named = Named(self._failed, self._skipped, siblings=False)
            inputs = named.inputs(request.files)
            traces: list[tuple[str, Trace]] = []
            for file in inputs:
                known = self._known([file])
                if known is not None and len(inputs) == 1:
                    job.opened.append(known.id)
                    return
                trace = self._read(file, named, keys)
                if trace is not None:
                    traces.append((file, trace))
            self._tell(traces)
        finally:
            for key in keys.rsa:
                key.close()

    def _tell(self, traces: Sequence[tuple[str, Trace]]) -> None:
        """Make cases of what was read: one of each story."""
        job = self._job
        groups = [[number] for number in range(len(traces))]
        if self._request.together and 1 < len(traces) <= MAX_JOINED:
            job.stage = "looking which inputs tell one story"
            groups = stories([trace for _, trace in traces])
        elif len(traces) > MAX_JOINED:
            self._remarks.append(f"more than {MAX_JOINED} inputs: each is told for itself")
        for group in groups:
            job.check()
            files = [traces[number][0] for number in group]
            known = self._known(files)
            if known is not None:
                for number in group:
                    traces[number][1].close()
                job.opened.append(known.id)
                continue
            trace = traces[group[0]][1]
            if len(group) > 1:
                job.stage = "matching the messages of several inputs"
                trace = join([traces[number][1] for number in group])
            self._judge(files, trace)

    def _judge(self, files: Sequence[str], trace: Trace) -> None:
        """Work out what every page asks for, so that none of them waits for it."""
        job = self._job
        names = ", ".join(map(self._request.label, files))
        case = Case(
            self._identity(files), names, tuple(files), trace, self._words(files),
            self._key_words(), tuple(self._remarks),
        )  # fmt: skip
        job.stage = "telling sessions apart"
        _ = case.views
        job.check()
        job.stage = "judging sessions"
        _ = case.verdicts()
        job.check()
        job.stage = "following each sign-in and each post"
        _ = told_of(case).kinds()
        job.check()
        kept = self._cases.add(case)
        job.opened.append(kept.id)
        if kept is case:
            from analyzer.dashboard.warming import Warming

            Warming(case).begin()

    def _words(self, files: Sequence[str]) -> tuple[str, ...]:
        """Return what names the inputs on a command line; of what was given to the page its name.

        That lies where nobody else finds it, and goes with the page.
        """
        request = self._request
        return tuple(request.label(file) if request.names else file for file in files)

    def _key_words(self) -> tuple[str, ...]:
        found: list[str] = []
        for key in self._request.keys:
            name = Path(key).name if self._request.names else key
            found += ["--rsa-key" if is_rsa_key(key) else "--keylog", name]
        return tuple(found)

    def _read(self, file: str, named: Named, keys: GivenKeys) -> Trace | None:
        job, request = self._job, self._request
        job.stage, job.done, job.size = (
            f"reading {printable(request.label(file))}",
            0,
            size_of(file),
        )
        try:
            zone = parse_zone(request.zone) if request.zone else None
            refuse_special(file)
            files = named.sets.get(file)
            opened = file if files is None else open_set(files, job.step, zone)
            return open_capture(opened, progress=job.step, keylog=keys, zone=zone)
        except (SourceError, OSError, MissingExtra, MemoryError, ValueError) as error:
            self._failed(file, error)
            return None

    def _keys(self) -> GivenKeys:
        """Return what the key files hold."""
        logs: list[str] = []
        rsa: list[RsaKey] = []
        for file in self._request.keys:
            try:
                if is_rsa_key(file):
                    from analyzer.sources.rsa_keys import read_rsa_key

                    rsa.append(read_rsa_key(file, lambda _: self._request.password))
                else:
                    logs.append(file)
            except Exception as error:  # noqa: BLE001  (whatever the file holds)
                self._failed(file, error)
        return GivenKeys(tuple(logs), tuple(rsa))

    def _known(self, files: Sequence[str]) -> Case | None:
        return self._cases.get(self._identity(files))

    def _identity(self, files: Sequence[str]) -> str:
        """Return the id of what the files hold, the keys, and this version of the reader."""
        found = hashlib.sha256(reading_version().encode())
        found.update(f"{self._request.zone}\0{self._request.together}".encode())
        for file in (*files, *self._request.keys):
            self._job.check()
            found.update(f"{os.path.basename(file)}\0".encode() if _is_member(file) else b"")  # noqa: PTH119
            found.update(content_of(file) or file.encode(errors="surrogateescape"))
        return found.hexdigest()[:ID_DIGITS]

    def _failed(self, file: str, error: Exception) -> None:
        label = printable(self._request.label(file))
        reason = reason_of(error).removeprefix(f"{file}: ")
        if (
            self._request.names
        ):  # where a file lies that was given to the page tells nobody anything
            reason = reason.replace(printable(file), label)
        self._job.failures.append(f"{label}: {reason}")

    def _skipped(self, file: str, reason: str) -> None:
        self._remarks.append(f"{printable(self._request.label(file))}: {reason}")


def reason_of(error: Exception) -> str:
    """Return why something could not be read, in one line."""
    if isinstance(error, OSError):
        return printable(error.strerror or str(error))
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, (SourceError, MissingExtra, ValueError)):
        return printable(str(error))
    return printable(f"a fault in xccos, please report it ({type(error).__name__}: {error})")


def size_of(file: str) -> int:
    """Return the bytes of a file; 0 where there is none of that name (a member of an archive)."""
    try:
        return Path(file).stat().st_size
    except (OSError, ValueError):
        return 0


def refuse_special(file: str) -> None:
    """Refuse devices and pipes, which may never end, and directories. Raises ``SourceError``."""
    path = Path(file)
    if path.exists() and not path.is_file():
        raise SourceError("only plain files are opened here")


def is_key(file: str) -> bool:
    """Tell key logs and private keys from captures and logs, by what is in them."""
    try:
        with Path(file).open("rb") as opened:
            head = opened.read(KEY_HEAD)
    except (OSError, ValueError):
        return False
    if is_rsa_key(file) or Path(file).suffix.lower() in (".keylog", ".sslkeylog"):
        return True
    return head.startswith(KEY_TEXTS) or (has_secrets(head) and not is_input(head))


def is_rsa_key(file: str) -> bool:
    """Tell a private key (PEM, PKCS#12) from a key log, which is text of another kind."""
    try:
        with Path(file).open("rb") as opened:
            head = opened.read(KEY_HEAD)
    except (OSError, ValueError):
        return False
    return RSA_MARK in head or head[:1] == b"\x30"


def _is_member(file: str) -> bool:
    return not Path(file).is_file()


def content_of(file: str) -> bytes | None:
    """Return the hash of what a file holds; of a member of an archive that of the archive."""
    path = Path(file)
    for place in (path, *path.parents):
        try:
            if place.is_file():
                with place.open("rb") as opened:
                    return hash_of(opened.fileno(), os.fstat(opened.fileno()).st_size)
        except (OSError, ValueError):
            return None
    return None
