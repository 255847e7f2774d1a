"""What of a case is taken away: the whole, a session, or what the filter lets through.

The rule: what is made is what the command line beside it makes; where none says the same, none is
shown.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.export import choice as slices
from analyzer.filters.command_line import command_line
from analyzer.ladder.selection import Choice
from analyzer.query import Query
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import tzinfo

    from analyzer.dashboard.cases import Case
    from analyzer.filters.parse import Filter
    from analyzer.named import Span

MAX_SPANS = 150
"""Spans of frames on a command line: some 1,500 characters, as much as anybody copies."""
_FILE = "FILE"


@dataclass(frozen=True)
class Scope:
    """What is taken of a case."""

    total: int
    """Messages of the case."""
    session: int | None = None
    """Index of the only session that is taken."""
    rows: tuple[int, ...] | None = None
    """Messages that the filter lets through (of the session, where there is one); None: no filter
    was set."""
    frames: tuple[Span, ...] = ()
    """The frames that these messages are completed by."""
    options: tuple[str, ...] | None = ()
    """What chooses the same for a ladder, a report, a script or a capture; None: nothing does."""
    table_options: tuple[str, ...] | None = ()
    """The same for tables."""
    words: str = "the whole capture"
    count: int = 0
    """Messages that are taken."""

    @property
    def whole(self) -> bool:
        """Return whether it is everything."""
        return self.session is None and self.rows is None

    @property
    def told(self) -> str:
        """Return ``session 2 of sip:ann@contoso.com: 41 of 500 messages``."""
        all_of = f"all {amount(self.total, 'message')}"
        some = f"{self.count:,} of {amount(self.total, 'message')}"
        return f"{self.words}: {all_of if self.whole else some}"

    @property
    def choice(self) -> Choice:
        """Return it as ladders, reports and scripts choose."""
        sessions = () if self.session is None else (self.session,)
        return Choice(sessions, rows=self.rows, frames=self.frames)

    @property
    def sessions(self) -> tuple[int, ...]:
        """Return the numbers, from 1, of the sessions that are asked for; empty: all."""
        return () if self.session is None else (self.session + 1,)

    @property
    def slice(self) -> slices.Choice:
        """Return it as captures choose; of a filter the exact rows are beside it."""
        return slices.Choice(sessions=self.sessions, query=Query())


def whole_of(case: Case) -> Scope:
    """Return everything."""
    total = len(case.trace.rows)
    return Scope(total, count=total)


def scope_of(
    case: Case,
    session: int | None,
    wanted: Filter | None,
    rows: Sequence[int] | None,
    zone: tzinfo,
) -> Scope:
    """Return what is selected.

    Args:
        case: an open case.
        session: that is selected.
        wanted: the filter; None where there is none.
        rows: what session and filter let through; None: everything.
        zone: of times in the filter that do not say theirs.
    """
    if session is None and wanted is None:
        return whole_of(case)
    total = len(case.trace.rows)
    of_session = () if session is None else ("--session", str(session + 1))
    count = total if rows is None else len(rows)
    said = [] if session is None else [f"session {session + 1}{_of(case, session)}"]
    if wanted is None or rows is None:
        return Scope(total, session, None, (), of_session, of_session, said[0], count)
    said.append(f"what the filter {wanted.text.strip()} lets through")
    frames = spans(case.trace.rows.frame[row] for row in rows)
    drawn, listed = _options(case, wanted, zone)
    if drawn is None and 0 < len(frames) <= MAX_SPANS:
        drawn = ("--frames", ",".join(map(_span, frames)))
    return Scope(
        total, session, tuple(rows), frames,
        None if drawn is None else (*of_session, *drawn),
        None if listed is None else (*of_session, *listed),
        ", ".join(said), count,
    )  # fmt: skip


def _of(case: Case, session: int) -> str:
    user = case.views[session].user
    return f" of {user}" if user else ""


def _options(
    case: Case, wanted: Filter, zone: tzinfo
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return the options that say a filter: of ladders and the like, and of lists."""
    line = command_line(wanted.terms, [_FILE], zone, case.trace.began or 0)
    if line is None:
        return None, None
    _, command, _, *options = shlex.split(line)
    if command == "ladder":
        return tuple(options), None
    return None, tuple(options)


def spans(frames: Iterable[int]) -> tuple[Span, ...]:
    """Return frames as spans, ascending."""
    found: list[tuple[int, int]] = []
    for frame in sorted(set(frames)):
        if found and frame == found[-1][1] + 1:
            found[-1] = (found[-1][0], frame)
        else:
            found.append((frame, frame))
    return tuple(found)


def _span(span: Span) -> str:
    return str(span[0]) if span[0] == span[1] else f"{span[0]}-{span[1]}"


def inputs(case: Case) -> list[str]:
    """Return the files and keys of a case as arguments: ``one.pcap --with two.txt``."""
    return [*with_others([*map(_argument, case.words)]), *case.key_words]


def with_others(names: Sequence[str]) -> list[str]:
    """Return the names of files as arguments of one command."""
    return [*names[:1], *(word for name in names[1:] for word in ("--with", name))]


def _argument(name: str) -> str:
    """Return a file as an argument that is no option."""
    return f"./{name}" if name.startswith("-") else name
