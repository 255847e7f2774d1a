"""Where a live capture comes from: dumpcap, a pipe, or a file that another process writes."""

from __future__ import annotations

import os
import stat
import sys
from time import monotonic, sleep
from typing import TYPE_CHECKING, Protocol

import click

from analyzer.cli.exits import DAMAGED, USAGE
from analyzer.sources.files import STANDARD_INPUT, SourceError
from analyzer.sources.live import Dumpcap, follower_of, reader_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.sources.live import Inflow

STARTING = 10.0
"""Seconds in which dumpcap opens its interfaces; a busy machine takes one."""
_POLL = 0.02

_PERMISSION = {
    "linux": "Debian, Ubuntu: sudo dpkg-reconfigure wireshark-common, sudo usermod -a -G wireshark "
    "$USER, and log in again; elsewhere: sudo setcap cap_net_raw,cap_net_admin=ep $(command -v "
    "dumpcap); or once: sudo xccos live ..., which gives root up as soon as dumpcap runs",
    "darwin": "install ChmodBPF, which comes with Wireshark",
    "win32": "install Npcap; where it is for administrators only, start as administrator",
}


class InputError(Exception):
    """The input gives nothing; one line for the user, and the exit code."""

    def __init__(self, reason: str, code: int = DAMAGED) -> None:
        super().__init__(reason)
        self.code = code


class Input(Protocol):
    """Where bytes come from."""

    name: str
    kept: bool
    """What comes is gone unless we keep it."""

    def reader(self) -> Callable[[], bytes | None]:
        """Return what reads it, for an ``Inflow``."""

    def begun(self, inflow: Inflow) -> str:
        """Wait until it runs; return what to say then. Raises ``InputError``."""

    def stop(self) -> None:
        """Tell it to end."""

    def ended(self) -> tuple[int | None, str | None]:
        """Return how many packets were dropped, and what went wrong, after its end."""

    def close(self) -> None:
        """Give everything back."""


class Interfaces:
    """dumpcap on some interfaces."""

    kept = True

    def __init__(
        self, names: Sequence[str], capture_filter: str | None, *, promiscuous: bool
    ) -> None:
        self.name = f"live on {', '.join(names)}"
        self._dumpcap = Dumpcap(names, capture_filter, promiscuous=promiscuous)
        self._begun = False

    def reader(self) -> Callable[[], bytes | None]:
        """Return what reads its pipe."""
        return reader_of(self._dumpcap.descriptor)

    def begun(self, inflow: Inflow) -> str:
        """Wait until its interfaces are open."""
        deadline = monotonic() + STARTING
        while not self._dumpcap.capturing:
            if inflow.ended or monotonic() > deadline:
                raise self._failure()
            sleep(_POLL)
        self._begun = True
        return f"capturing {self.name.removeprefix('live ')}"

    def stop(self) -> None:
        """Tell dumpcap to end."""
        self._dumpcap.stop()

    def ended(self) -> tuple[int | None, str | None]:
        """Return what dumpcap says at its end."""
        killed = self._dumpcap.killed()
        said = "dumpcap: " in self._dumpcap.said()
        return self._dumpcap.dropped(), self._dumpcap.complaint() if said else killed

    def close(self) -> None:
        """End dumpcap."""
        self._dumpcap.close()

    def _failure(self) -> InputError:
        complaint = self._dumpcap.complaint()
        words = complaint.lower()
        if "capture filter" in words:
            return InputError(complaint, USAGE)
        if "permission" in words or "permitted" in words:
            how = _PERMISSION.get(sys.platform, _PERMISSION["linux"])
            return InputError(f"{complaint} How to get it: {how}")
        return InputError(complaint)


class Piped:
    """Standard input or a named pipe, or a file that is followed."""

    def __init__(self, path: str, *, follow: bool) -> None:
        """Open it; of a named pipe this waits for who writes into it."""
        piped = path == STANDARD_INPUT
        self.name = "standard input" if piped else path
        self._descriptor = _standard_input() if piped else _opened(path)
        self._own = not piped
        regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self.kept = not regular
        self._follow = follow and regular
        if regular and not follow:
            self.close()
            raise click.UsageError(
                f"{self.name} is a file: `xccos triage` reads it; with --follow it is watched "
                "while another process writes it"
            )

    def reader(self) -> Callable[[], bytes | None]:
        """Return what reads it."""
        read = follower_of if self._follow else reader_of
        return read(self._descriptor)

    def begun(self, inflow: Inflow) -> str:  # noqa: ARG002  (it runs already)
        """Return what is read."""
        return f"{'following' if self._follow else 'reading'} {self.name}"

    def stop(self) -> None:
        """Do nothing: whoever writes knows when to end."""

    def ended(self) -> tuple[int | None, str | None]:
        """Return nothing: a pipe says nothing."""
        return None, None

    def close(self) -> None:
        """Close it; standard input stays open."""
        if self._own:
            os.close(self._descriptor)


def _standard_input() -> int:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        raise SourceError("standard input is closed") from None


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise SourceError(f"there is no file {path}") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror}") from None
