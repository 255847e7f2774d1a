"""The live table: sessions and how it stands, drawn in place; findings scroll by above it.

There is no second screen: what was said stays where one can scroll back to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from analyzer.cli.live_text import SIGNIFICANT, event_line
from analyzer.export.printable import printable
from analyzer.times import SECOND
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table

    from analyzer.cli.live_status import Status
    from analyzer.cli.terminal import Terminal
    from analyzer.live.changes import Changes, Event
    from analyzer.live.picture import FindingSeen, Picture, SessionSeen

AROUND = 8
"""Lines of a terminal that are not sessions: how it stands, heading, what is left out, and room for
findings above."""
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
        self._console: Console = Console(
            file=stream, no_color=not terminal.colour, highlight=False, width=terminal.width,
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

        parts: list[RenderableType] = [Text(_headline(status, picture), style="bold")]
        parts += [Text(text, style="yellow") for text in _remarks(status, picture)]
        if picture is None or not picture.sessions:
            parts.append(Text("no session yet", style="dim"))
            return Group(*parts)
        room = max(self._console.height - AROUND, 3)
        shown = sorted(picture.sessions, key=lambda one: one.last)[-room:]
        shown.sort(key=lambda one: changes.numbers.get(one.key, 0))
        parts.append(self._table(shown, status, changes))
        if len(shown) < len(picture.sessions):
            left = amount(len(picture.sessions) - len(shown), "session")
            parts.append(Text(f"and {left} quiet for longer", style="dim"))
        return Group(*parts)

    def _table(self, sessions: Sequence[SessionSeen], status: Status, changes: Changes) -> Table:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD if self._terminal.unicode else box.ASCII2, pad_edge=False)
        table.add_column("#", justify="right", no_wrap=True)
        table.add_column("user", ratio=3, no_wrap=True, overflow="ellipsis")
        table.add_column("client", ratio=2, no_wrap=True, overflow="ellipsis")
        for name in ("sign-in", "rooms", "posts", "commands"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("findings", no_wrap=True)
        table.add_column("quiet for", justify="right", no_wrap=True)
        table.expand = True
        for one in sessions:
            findings = changes.of_session(one.key)
            table.add_row(*self._cells(one, findings, status, changes), style=_style(findings))
        return table

    def _cells(
        self,
        one: SessionSeen,
        findings: Sequence[FindingSeen],
        status: Status,
        changes: Changes,
    ) -> list[str]:
        quiet = "" if status.now is None else _span(max(status.now - one.last, 0) / SECOND)
        waiting = f" ({one.waiting} open)" if one.waiting else ""
        return [
            str(changes.numbers.get(one.key, "")),
            printable(one.user or "unknown").removeprefix("sip:"),
            one.client,
            self._progress(changes.reached(one.key)),
            str(one.rooms),
            str(one.posts),
            f"{one.commands}{waiting}",
            self._findings(findings),
            "signed off" if one.signed_off else quiet,
        ]

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
        return "  ".join(told)


def _style(findings: Sequence[FindingSeen]) -> str:
    severities = {one.record["severity"] for one in findings}
    if "error" in severities:
        return "red"
    return "yellow" if "warning" in severities else ""


def _headline(status: Status, picture: Picture | None) -> str:
    frames, messages, size = status.rates
    sessions = amount(len(picture.sessions) if picture else 0, "session")
    return (
        f"{printable(status.name)}  {_span(status.elapsed)}  "
        f"{amount(status.frames, 'frame')} ({_rate(frames)}/s, {_bytes(size)}/s)  "
        f"{amount(status.messages, 'SIP message')} ({_rate(messages)}/s)  {sessions}"
    )


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
        told.append(f"the analysis is {_bytes(status.behind)} behind")
    if status.let.messages:
        let = (
            f"{amount(status.let.messages, 'message')} of {amount(status.let.sessions, 'session')}"
        )
        told.append(f"let go: {let} (--keep)")
    return ["; ".join(told)] if told else []


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.1f}"


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


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
