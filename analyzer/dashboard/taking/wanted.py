"""What somebody takes away: a capture, or what session and filter leave of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from analyzer.ladder.selection import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.dashboard.taking.share import Share
    from analyzer.ladder.look import Look
    from analyzer.trace import Trace


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is taken away, and how."""

    trace: Trace
    name: str
    """Of the case, for the names of files."""
    file: str
    """Where the capture is, for its digest; empty where it is no single file."""
    words: tuple[str, ...]
    """What names it on a command line; empty where it is no single file."""
    session: int | None
    """Index; None: all."""
    rows: Sequence[int] | None
    """Messages that session and filter let through; None: all."""
    filtered: bool
    """A filter leaves less than the session has."""
    share: Share
    look: Look
    step: Callable[[int], None] = lambda _: None
    """Is told of progress in bytes; may raise to end the work."""

    @property
    def choice(self) -> Choice:
        """What ladders, reports and scripts are drawn of."""
        sessions = () if self.session is None else (self.session,)
        rows = tuple(self.rows) if self.filtered and self.rows is not None else None
        return Choice(sessions=sessions, rows=rows)

    def file_name(self, suffix: str) -> str:
        """Return the name of what is made: ``capture-session-2.svg``."""
        stem = PurePath(self.name.partition(",")[0]).stem or "capture"
        parts = [stem]
        if self.session is not None:
            parts.append(f"session-{self.session + 1}")
        if self.filtered:
            parts.append("filtered")
        if self.share != "captured":
            parts.append(self.share)
        return "-".join(parts) + suffix
