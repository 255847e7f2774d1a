"""One run of one program on one capture: seconds, peak memory, and once what it found.

A timed run writes to /dev/null. A check is a run of its own, outside of the timing: its output goes
through a pipe into a counter, and the memory of all its processes is watched. A program that fails
or takes too long is a value, not an exception.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, cast

from bench import counts

if TYPE_CHECKING:
    from typing import BinaryIO

    from bench.captures import Load
    from bench.programs import Program

LAUNCHER = Path(__file__).with_name("launch.py")
TOLD = 512  # bytes that the launcher's six numbers never exceed
SHOWN = 120  # characters of a program's last words


class Told(NamedTuple):
    """What the launcher tells."""

    seconds: float
    status: int
    largest_kib: int
    launcher_kib: int
    together_kib: int
    processes: int


@dataclass(frozen=True, slots=True)
class Run:
    """A timed run."""

    seconds: float
    largest_kib: int
    """Peak of the largest process, but no less than ``launcher_kib``."""
    launcher_kib: int
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """An untimed run."""

    found: int | None
    """Messages or dialogs, as the program says; None where there is nothing to count."""
    together_kib: int
    """Largest sum over all processes at a time, seen every 50 ms; shared pages count once."""
    processes: int
    failure: str = ""


def timed(program: Program, load: Load, limit: float) -> Run:
    """Run a program with its output to /dev/null; ``limit`` is in seconds."""
    with Path(os.devnull).open("wb") as nowhere, tempfile.TemporaryFile() as errors:
        launched = _Launched(program, load, limit, (nowhere, errors))
        told = launched.wait()
        return Run(told.seconds, told.largest_kib, told.launcher_kib, _failure(told, limit, errors))


def check(program: Program, load: Load, limit: float) -> Check:
    """Run a program once and count what it prints."""
    with tempfile.TemporaryFile() as errors:
        launched = _Launched(program, load, limit, (subprocess.PIPE, errors), sampled=True)
        with launched.output as output:
            found = (program.count or counts.drain)(output)
            counts.drain(output)
        told = launched.wait()
        failure = _failure(told, limit, errors)
    return Check(found if program.count else None, told.together_kib, told.processes, failure)


class _Launched:
    """A program under way below its launcher."""

    def __init__(
        self,
        program: Program,
        load: Load,
        limit: float,
        to: tuple[IO[bytes] | int, IO[bytes]],
        *,
        sampled: bool = False,
    ) -> None:
        self._read, write = os.pipe()
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        try:
            self.process = subprocess.Popen(
                [*launcher, str(write), str(limit), str(int(sampled)), *program.line(load.path)],
                stdin=subprocess.DEVNULL,
                stdout=to[0],
                stderr=to[1],
                env={**os.environ, **dict(program.environment)},
                pass_fds=(write,),
            )
        finally:
            os.close(write)

    @property
    def output(self) -> BinaryIO:
        """What the program prints, where that was asked for."""
        return cast("BinaryIO", self.process.stdout)

    def wait(self) -> Told:
        """Return what the launcher tells; raise where it cannot even start the program."""
        with os.fdopen(self._read, "rb") as answer:
            told = answer.read(TOLD).split()
        self.process.wait()
        if len(told) != len(Told._fields):
            raise RuntimeError(f"cannot be started: {self.process.args!r}")
        return Told(float(told[0]), *map(int, told[1:]))


def _failure(told: Told, limit: float, errors: IO[bytes]) -> str:
    code = os.waitstatus_to_exitcode(told.status)
    if not code:
        return ""
    if told.seconds >= limit:
        return f"stopped after {limit:g} s"
    errors.seek(0)
    words = errors.read().decode("utf-8", "replace").strip().splitlines()
    return f"ended with {code}" + (f": {words[-1][:SHOWN]}" if words else "")
