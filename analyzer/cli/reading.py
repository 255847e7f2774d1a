"""Captures opened one after the other: a bad one is reported in one line and the next one read.

Nothing that a file holds ends the run or shows a traceback. ``XCCOS_DEBUG=1`` shows tracebacks to
whoever looks for a fault in this program.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from analyzer.cli.exits import DAMAGED, OK
from analyzer.cli.progress import Progress
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable
from analyzer.views.quality import damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.trace import Quality, Trace
    from analyzer.window import Window


T = TypeVar("T")

MAX_JOBS = 8
"""Each process walks the whole file: more of them gain less and less."""


def usable_jobs() -> int:
    """Return how many processes may read; more than one only where forking is the custom."""
    usable = getattr(os, "sched_getaffinity", None)
    return min(len(usable(0)), MAX_JOBS) if usable is not None else 1


class Reading:
    """Reads the inputs of one run and remembers how that went."""

    def __init__(self, files: Sequence[str], *, items: bool = True) -> None:
        self.files = files
        self.code = OK
        self._items = items
        """Scan bodies for XCCOS: whoever needs no items reads a third faster without."""

    def each(self, of: Callable[[str, Trace], Iterator[T]]) -> Iterator[T]:
        """Yield what ``of`` makes of each capture; what goes wrong is said on stderr."""
        return self.guarded(lambda file: self._of_one(file, of))

    def guarded(self, of: Callable[[str], Iterator[T]]) -> Iterator[T]:
        """Yield what ``of`` makes of each name; what goes wrong is said on stderr."""
        for file in self.files:
            try:
                yield from of(file)
            except (click.ClickException, click.exceptions.Exit):
                raise
            except Exception as error:  # noqa: BLE001  (a file must never end the run)
                self._failed(file, error)

    def each_window(
        self, of: Callable[[str, Iterable[Window]], Iterator[T]], *, quietly: bool = False
    ) -> Iterator[T]:
        """Yield what ``of`` makes of the windows of each capture, while it is read.

        ``quietly``: without a bar, because what is yielded goes to the terminal.
        """
        return self.guarded(lambda file: self._windows_of_one(file, of, quietly=quietly))

    def _windows_of_one(
        self, file: str, of: Callable[[str, Iterable[Window]], Iterator[T]], *, quietly: bool
    ) -> Iterator[T]:
        from analyzer.streaming import stream_capture

        with (
            Progress(file, quietly=quietly) as progress,
            stream_capture(
                file,
                progress=progress.step,
                jobs=usable_jobs(),
                items=self._items,
                **self._settings(),
            ) as capture,
        ):
            yield from of(file, capture)
            if capture.quality is not None and capture.quality.damaged:
                self._damaged(file, capture.quality)

    def _of_one(self, file: str, of: Callable[[str, Trace], Iterator[T]]) -> Iterator[T]:
        from analyzer.trace import open_capture

        with Progress(file) as progress:
            trace = open_capture(
                file,
                progress=progress.step,
                jobs=usable_jobs(),
                items=self._items,
                **self._settings(),
            )
        # What was read stays: looking for garbage in it again and again would cost a tenth.
        gc.freeze()
        with trace:
            yield from of(file, trace)
            if trace.quality.damaged:
                self._damaged(file, trace.quality)
        gc.unfreeze()

    @staticmethod
    def _settings() -> dict[str, Any]:
        """Return what the options of all reading commands say."""
        given = click.get_current_context().meta
        return {"keylog": given.get("keylog"), "index": given.get("index", True)}

    def _damaged(self, file: str, quality: Quality) -> None:
        self.code = DAMAGED
        self.say(file, damage(quality))

    def _failed(self, file: str, error: Exception) -> None:
        from analyzer.sources.files import SourceError

        if os.environ.get("XCCOS_DEBUG") == "1":
            raise error
        self.code = DAMAGED
        if isinstance(error, SourceError):
            self.say(file, str(error))
        elif isinstance(error, OSError):
            self.say(file, error.strerror or str(error))
        elif isinstance(error, MemoryError):
            self.say(file, "not enough memory")
        else:
            fault = f"{type(error).__name__}: {error}"
            self.say(file, f"a fault in xccos, please report it ({fault})")

    def say(self, file: str, reason: str) -> None:
        """Say one line about a file on stderr."""
        text = printable(reason.removeprefix(f"{file}: "))
        talk(f"xccos: {printable(file)}: {text}")
