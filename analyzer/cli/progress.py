"""A progress bar on stderr, for people who wait: never in a pipe, never for a quick read."""

from __future__ import annotations

import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE = 0.5
"""Seconds before a bar appears; most captures are read by then."""


class Progress:
    """A bar for the reading of one file; ``step`` is told how far it got."""

    def __init__(self, file: str, *, quietly: bool = False) -> None:
        """``quietly``: show none."""
        self._file = file
        self._started = monotonic()
        self._wanted = sys.stderr.isatty() and not quietly
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, done: int) -> None:
        """Show that ``done`` bytes of the file are read."""
        if not self._wanted:
            return
        if self._bar is None:
            if monotonic() - self._started < PATIENCE:
                return
            self._open()
        self._bar.update(self._task, completed=done, refresh=True)

    def _open(self) -> None:
        # rich costs 0.1 s to import: only whoever waits longer than that pays for it.
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bar

        from analyzer.export.printable import printable

        self._bar = Bar(
            TextColumn(f"reading {escape(printable(self._file))}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            auto_refresh=False,  # no thread: the reading may fork
        )
        self._bar.start()
        self._task = self._bar.add_task("read", total=self._file_size())

    def _file_size(self) -> int | None:
        """Return the size of a plain file; None for a pipe, whose bar only moves."""
        path = Path(self._file)
        return path.stat().st_size if path.is_file() else None
