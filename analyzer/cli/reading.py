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
from analyzer.sources.expansion import Named, open_set
from analyzer.views.quality import damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.quality import Quality
    from analyzer.sources.sets import FileSet
    from analyzer.trace import Trace
    from analyzer.window import Window


T = TypeVar("T")

MAX_JOINED = 16
"""Inputs that are looked at for a common story without being asked: all of them are open then."""
MAX_JOBS = 8
"""Each process walks the whole file: more of them gain less and less."""


def usable_jobs() -> int:
    """Return how many processes may read; more than one only where forking is the custom."""
    usable = getattr(os, "sched_getaffinity", None)
    return min(len(usable(0)), MAX_JOBS) if usable is not None else 1


class Reading:
    """Reads the inputs of one run and remembers how that went."""

    def __init__(self, files: Sequence[str], *, items: bool = True, story: bool = False) -> None:
        """Read ``files``; where a ``story`` is told, those that share one are joined."""
        self.files = files
        self.code = OK
        self._story = story
        self._inputs: list[str] | None = None
        self._said_apart = False
        self._sets: dict[str, FileSet] = {}
        self._items = items
        """Scan bodies for XCCOS: whoever needs no items reads a third faster without."""

    def each(self, of: Callable[[str, Trace], Iterator[T]]) -> Iterator[T]:
        """Yield what ``of`` makes of each capture; what goes wrong is said on stderr."""
        if self._joins():
            from analyzer.cli.several import Several

            return Several(self, self.inputs()).each(of, certain=self._certain())
        return self.guarded(lambda file: self._of_one(file, of), self.inputs())

    def inputs(self) -> list[str]:
        """Return what is read: members of archives one by one, the files of a set as one."""
        if self._inputs is None:
            given = click.get_current_context().meta
            named = Named(self.failed, self.say, siblings=bool(given.get("ring_files")))
            beside: Sequence[str] = given.get("with") or ()
            self._inputs = named.inputs([*self.files, *beside])
            self._sets = named.sets
        return self._inputs

    def _say_apart(self) -> None:
        if not self._said_apart:
            count = len(self.inputs())
            talk(f"xccos: {count} inputs, each told for itself (--join takes all as one story)")
        self._said_apart = True

    @property
    def several(self) -> bool:
        """More than one input is read, and each for itself as far as is known beforehand."""
        return len(self.inputs()) > 1 and not self._certain()

    def _certain(self) -> bool:
        """Tell whether the user says that all inputs are one story."""
        given = click.get_current_context().meta
        return bool(given.get("join") or given.get("with"))

    def _joins(self) -> bool:
        """Tell whether inputs may have to be joined."""
        if len(self.inputs()) < 2 or click.get_current_context().meta.get("join") is False:
            return False
        if self._story and len(self.inputs()) > MAX_JOINED and not self._certain():
            self._say_apart()
            return False
        return self._certain() or self._story

    def guarded(
        self, of: Callable[[str], Iterator[T]], names: Sequence[str] | None = None
    ) -> Iterator[T]:
        """Yield what ``of`` makes of each name; what goes wrong is said on stderr."""
        for file in self.files if names is None else names:
            try:
                yield from of(file)
            except (click.ClickException, click.exceptions.Exit):
                raise
            except Exception as error:  # noqa: BLE001  (a file must never end the run)
                self.failed(file, error)

    def each_window(
        self, of: Callable[[str, Iterable[Window]], Iterator[T]], *, quietly: bool = False
    ) -> Iterator[T]:
        """Yield what ``of`` makes of the windows of each capture, while it is read.

        ``quietly``: without a bar, because what is yielded goes to the terminal.
        """
        if self._joins():
            return self.each(lambda file, trace: of(file, [trace]))
        return self.guarded(
            lambda file: self._windows_of_one(file, of, quietly=quietly), self.inputs()
        )

    def _windows_of_one(
        self, file: str, of: Callable[[str, Iterable[Window]], Iterator[T]], *, quietly: bool
    ) -> Iterator[T]:
        if file in self._sets:
            yield from self._of_one(file, lambda name, trace: of(name, [trace]))
            return
        from analyzer.streaming import stream_capture

        with (
            Progress(file, quietly=quietly) as progress,
            stream_capture(
                file,
                progress=progress.step,
                jobs=usable_jobs(),
                items=self._items,
                **self._settings(file),
            ) as capture,
        ):
            yield from of(file, capture)
            if capture.quality is not None and capture.quality.damaged:
                self._damaged(file, capture.quality)

    def _of_one(self, file: str, of: Callable[[str, Trace], Iterator[T]]) -> Iterator[T]:
        trace = self.opened(file)
        # What was read stays: looking for garbage in it again and again would cost a tenth.
        gc.freeze()
        with trace:
            yield from self.told(file, trace, of)
        gc.unfreeze()

    def opened(self, file: str) -> Trace:
        """Return the trace of an input. Raises what ``open_capture`` raises."""
        from analyzer.trace import open_capture

        files, settings = self._sets.get(file), self._settings(file)
        with Progress(file) as progress:
            return open_capture(
                file if files is None else open_set(files, progress.step, settings["zone"]),
                progress=progress.step,
                jobs=usable_jobs(),
                items=self._items,
                **settings,
            )

    def told(self, file: str, trace: Trace, of: Callable[[str, Trace], Iterator[T]]) -> Iterator[T]:
        """Yield what ``of`` makes of an open trace, and say where it is damaged."""
        yield from of(file, trace)
        if trace.quality.damaged:
            self._damaged(file, trace.quality)

    @staticmethod
    def _settings(file: str) -> dict[str, Any]:
        """Return what the options of all reading commands say."""
        given = click.get_current_context().meta
        zones = given.get("zones", {})
        return {
            "keylog": given.get("keylog"),
            "index": given.get("index", True),
            "zone": zones.get(file, zones.get(file.rpartition("/")[2], zones.get(None))),
        }

    def _damaged(self, file: str, quality: Quality) -> None:
        self.code = DAMAGED
        self.say(file, damage(quality))

    def failed(self, file: str, error: Exception) -> None:
        """Say why an input could not be read."""
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
