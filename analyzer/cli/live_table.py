"""The live table: sessions and how it stands, drawn in place; findings scroll by above it.

There is no second screen: what was said stays where one can scroll back to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from analyzer.cli.live_text import SIGNIFICANT, event_line
from analyzer.export.printable import printable
from analyzer.times import SECOND
from analyzer.views.numbers import amount, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, JustifyMethod, RenderableType
    from rich.table import Table

    from analyzer.cli.live_status import Status
    from analyzer.cli.terminal import Terminal
    from analyzer.live.changes import Changes, Event
    from analyzer.live.picture import FindingSeen, Picture, SessionSeen

AROUND = 8
"""Lines of a terminal that are not sessions: how it stands, heading, what is left out, and room for
findings above."""
NARROW = 60
"""Columns below which a session has room for one finding."""
MOST_USER = 40
"""Characters of a user for whom columns go."""
BETWEEN = 3
"""Blanks between two columns."""
COLUMNS = ("#", "user", "client", "sign-in", "rooms", "posts", "commands", "findings", "quiet for")
DROPPED = ("rooms", "posts", "commands", "quiet for", "client")
"""The first goes first; what is left is who, how far, and what is wrong."""
STEPS = 10
"""Of a sign-in."""


class TableView:
    """Draws on a terminal."""

    def __init__(self, stream: TextIO, terminal: Terminal, *, transient: bool = False) -> None:
        """``transient``: the table is wiped at the end; what scrolled by stays."""
        # rich costs 0.1 s to import: only who watches pays for it.
        from rich.console import Console
        from rich.live import Live

        self._terminal = terminal
        # A cursor behind the last column is elsewhere on every terminal: none is written to.
        self._width = terminal.width - 1
        self._console: Console = Console(
            file=stream, no_color=not terminal.colour, highlight=False, width=self._width,
            emoji=False, markup=False, safe_box=not terminal.unicode,
        )  # fmt: skip
        # No thread of its own: the final triage may fork.
        self._live = Live(console=self._console, auto_refresh=False, transient=transient)
        self._live.start()

    def show(self, events: Sequence[Event]) -> None:
        """Let findings scroll by; sessions and steps are in the table."""
        from rich.text import Text

        for event in events:
            if event["event"] in SIGNIFICANT:
                self._console.print(Text.from_ansi(event_line(event, self._terminal)))

    def refresh(self, status: Status, picture: Picture | None, changes: Changes) -> None:
        """Draw anew."""
        self._live.update(self._drawn(status, picture, changes), refresh=True)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._live.stop()

    def _drawn(self, status: Status, picture: Picture | None, changes: Changes) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        parts: list[RenderableType] = [Text(_headline(status, picture, self._width), style="bold")]
        parts += [Text(text, style="yellow") for text in _remarks(status, picture)]
        if picture is None or not picture.sessions:
            return Group(*parts, Text("no session yet", style="dim"), Text(""))
        room = max(self._console.height - AROUND, 3)
        shown = sorted(picture.sessions, key=lambda one: one.last)[-room:]
        shown.sort(key=lambda one: changes.numbers.get(one.key, 0))
        parts.append(self._table(shown, status, changes))
        if len(shown) < len(picture.sessions):
            left = amount(len(picture.sessions) - len(shown), "session")
            parts.append(Text(f"and {left} quiet for longer", style="dim"))
        # The cursor waits in a line of its own: ^C is written where it stands.
        return Group(*parts, Text(""))

    def _table(self, sessions: Sequence[SessionSeen], status: Status, changes: Changes) -> Table:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD if self._terminal.unicode else box.ASCII2, pad_edge=False)
        found = [changes.of_session(one.key) for one in sessions]
        rows = [
            self._cells(one, findings, status, changes)
            for one, findings in zip(sessions, found, strict=True)
        ]
        shown = columns_for(self._width, rows)
        for name in shown:
            if name == "user":
                table.add_column(name, ratio=1, no_wrap=True, overflow="ellipsis")
            else:
                justify: JustifyMethod = "left" if name in ("client", "findings") else "right"
                table.add_column(name, justify=justify, no_wrap=True)
        table.expand = True
        for cells, findings in zip(rows, found, strict=True):
            table.add_row(*(cells[name] for name in shown), style=_style(findings))
        return table

    def _cells(
        self,
        one: SessionSeen,
        findings: Sequence[FindingSeen],
        status: Status,
        changes: Changes,
    ) -> dict[str, str]:
        quiet = "" if status.now is None else _span(max(status.now - one.last, 0) / SECOND)
        waiting = f" ({one.waiting} open)" if one.waiting else ""
        return {
            "#": str(changes.numbers.get(one.key, "")),
            "user": printable(one.user or "unknown").removeprefix("sip:"),
            "client": one.client,
            "sign-in": self._progress(changes.reached(one.key)),
            "rooms": str(one.rooms),
            "posts": str(one.posts),
            "commands": f"{one.commands}{waiting}",
            "findings": self._findings(findings),
            "quiet for": "signed off" if one.signed_off else quiet,
        }

    def _progress(self, reached: tuple[int, tuple[str, ...]]) -> str:
        done, failed = reached
        if failed:
            return f"{self._terminal.symbol('failed')} step {failed[0]}"
        mark = f"{self._terminal.symbol('ok')} " if done == STEPS else ""
        return f"{mark}{done}/{STEPS}" if done else self._terminal.symbol("none")

    def _findings(self, findings: Sequence[FindingSeen]) -> str:
        told = []
        for severity, symbol in (("error", "failed"), ("warning", "doubtful"), ("note", "none")):
            rules = [one.record["rule"] for one in findings if one.record["severity"] == severity]
            if rules:
                several = f" +{len(rules) - 1}" if len(rules) > 1 else ""
                told.append(f"{self._terminal.symbol(symbol)} {rules[0]}{several}")
        # Where there is little room only the worst: all of them scrolled by.
        return "  ".join(told[:1] if self._width < NARROW else told)


def columns_for(width: int, rows: Sequence[dict[str, str]]) -> list[str]:
    """Return the columns that fit: what only counts goes before anybody's name is cut."""
    from rich.cells import cell_len

    shown = list(COLUMNS)
    needed = {name: max(len(name), *(cell_len(row[name]) for row in rows)) for name in shown}
    needed["user"] = min(needed["user"], MOST_USER)
    for name in DROPPED:
        if sum(needed[one] + BETWEEN for one in shown) <= width:
            break
        shown.remove(name)
    return shown


def _style(findings: Sequence[FindingSeen]) -> str:
    severities = {one.record["severity"] for one in findings}
    if "error" in severities:
        return "red"
    return "yellow" if "warning" in severities else ""


def _headline(status: Status, picture: Picture | None, width: int) -> str:
    """Return how it stands; rates where there is room for them."""
    frames, messages, size = status.rates
    sessions = amount(len(picture.sessions) if picture else 0, "session")
    of_frames, of_messages = amount(status.frames, "frame"), amount(status.messages, "SIP message")
    begin = f"{printable(status.name)}  {_span(status.elapsed)}  "
    whole = (
        f"{begin}{of_frames} ({_rate(frames)}/s, {size_text(size)}/s)  "
        f"{of_messages} ({_rate(messages)}/s)  {sessions}"
    )
    return whole if len(whole) <= width else f"{begin}{of_frames}  {of_messages}  {sessions}"


def _remarks(status: Status, picture: Picture | None) -> list[str]:
    """Return what to know before believing that something is absent."""
    told = []
    if status.dark:
        told.append(f"{amount(status.dark, 'connection')} under TLS stay dark")
    if picture is not None and picture.holes:
        told.append(f"{amount(picture.holes, 'hole')}: bytes of SIP connections are missing")
    if status.dropped:
        told.append(f"{amount(status.dropped, 'packet')} dropped")
    if status.behind:
        told.append(f"the analysis is {size_text(status.behind)} behind")
    if status.let.messages:
        let = (
            f"{amount(status.let.messages, 'message')} of {amount(status.let.sessions, 'session')}"
        )
        told.append(f"let go: {let} (--keep)")
    return ["; ".join(told)] if told else []


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.1f}"


def _span(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def warm_up() -> None:
    """Load what drawing needs, as long as it can be read: rich imports much of it late."""
    import io

    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    console = Console(file=io.StringIO(), force_terminal=True, width=40)
    with Live(console=console, auto_refresh=False) as live:
        table = Table("name")
        table.add_row("\u2713 \u4e2d")
        console.print(Text.from_ansi("\x1b[31mred\x1b[0m"))
        live.update(table, refresh=True)
