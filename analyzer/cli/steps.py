"""Steps of flows and copies of posts as tables: every status has its word and its symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.cli.table import Column, table
from analyzer.times import latency_text
from analyzer.views.numbers import spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.cli.terminal import Terminal

Record = dict[str, Any]

_STATUS = {
    "ok": ("ok", "ok", "good"),
    "slow": ("doubtful", "slow", "doubtful"),
    "retried": ("doubtful", "retried", "doubtful"),
    "out-of-order": ("doubtful", "out of order", "doubtful"),
    "failed": ("failed", "failed", "bad"),
    "missing": ("missing", "missing", "bad"),
    "not-applicable": ("none", "not applicable", "dim"),
    "not-captured": ("unknown", "not captured", "doubtful"),
}
"""Status of a step: symbol, words, style."""
_STYLES = {words: style for _, words, style in _STATUS.values()} | {"echo": "good"}


def status_text(status: str, terminal: Terminal) -> str:
    """Return a status with its symbol: ``✗ failed``."""
    symbol, words, _ = _STATUS[status]
    return f"{terminal.symbol(symbol)} {words}"


def status_style(cell: str) -> str:
    """Return the style of a cell made by ``status_text``."""
    return _STYLES.get(cell[2:], "plain")


def step_lines(steps: Sequence[Record], terminal: Terminal, indent: str) -> Iterator[str]:
    """Yield the table of steps, given as records."""
    rows = (
        (
            status_text(step["status"], terminal),
            f"{step['id']} {step['title']}",
            spans(step["frames"]),
            latency_text(step["latency_ms"]),
            step["detail"],
        )
        for step in steps
    )
    columns = (
        Column("status", least=14, style=status_style),
        Column("step", least=22),
        Column("frames", least=6),
        Column("latency", right=True, least=7),
        Column("detail", least=12),
    )
    return table(columns, rows, terminal, indent=indent)


MAX_COPIES = 100
"""Copies shown under one heading; all of them are in JSON."""


def copy_lines(runs: Sequence[Record], terminal: Terminal, indent: str) -> Iterator[str]:
    """Yield the table of who got which copy of posts, given as records of runs."""
    copies = [(run["frame"], copy) for run in runs for copy in run["copies"]]
    rows = (
        (
            "" if frame is None else str(frame),
            copy["user"] or "unknown",
            _copy_text(copy, terminal),
            "" if copy["frame"] is None else str(copy["frame"]),
            latency_text(copy["latency_ms"]),
            "" if copy["status"] is None else str(copy["status"]),
        )
        for frame, copy in copies[:MAX_COPIES]
    )
    columns = (
        Column("post", right=True),
        Column("member", least=12),
        Column("copy", least=14, style=status_style),
        Column("frame", right=True),
        Column("after", right=True, least=7),
        Column("answered", right=True, rank=1),
    )
    yield from table(columns, rows, terminal, indent=indent)
    if len(copies) > MAX_COPIES:
        yield f"{indent}and {len(copies) - MAX_COPIES} more"


def _copy_text(copy: Record, terminal: Terminal) -> str:
    if copy["frame"] is not None:
        return f"{terminal.symbol('ok')} {'echo' if copy['echo'] else 'ok'}"
    return status_text("missing" if copy["captured"] else "not-captured", terminal)
