"""What a play came to, as text: what did not hold first, then latencies and notes."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from analyzer.cli.table import Column, table
from analyzer.export.printable import printable
from analyzer.replay.told.account import STATUSES, differences_of, who
from analyzer.times import SECOND, duration_text, latency_text
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.cli.terminal import Terminal
    from analyzer.replay.results import Status, Verdict
    from analyzer.replay.told.account import Account, End, Spread

SHOWN = 40
"""Verdicts and notes of one end without ``-v``; JSON has all."""
ALIKE = 5
"""Verdicts with the same explanation without ``-v``."""
SLOWEST = 5
"""Kinds of answers without ``-v``."""
LOOK: dict[Status, tuple[str, str]] = {
    "held": ("ok", "good"),
    "differs": ("failed", "bad"),
    "missing": ("missing", "bad"),
    "unsaid": ("failed", "bad"),
    "unexpected": ("doubtful", "doubtful"),
}
"""Symbol and style of each status."""
BAD: tuple[Status, ...] = ("differs", "missing", "unsaid")
_SPREAD = (
    Column("answer to", least=16),
    Column("count", right=True, least=5),
    *(Column(title, right=True, least=7) for title in ("p50", "p95", "max")),
)


def account_lines(account: Account, terminal: Terminal, *, verbose: bool) -> Iterator[str]:
    """Yield the lines of an account.

    Args:
        account: of a play.
        terminal: what can be shown.
        verbose: what held too, and all notes.
    """
    took = "" if account.seconds is None else f" ({duration_text(int(account.seconds * SECOND))})"
    title = "" if account.title in account.script else account.title  # of a capture, its name
    head = ": ".join(filter(None, (account.script, title)))
    yield terminal.paint(printable(f"{head}{took}"), "bold")
    for end in account.ends:
        yield from _end(end, terminal, verbose=verbose)
    for remark in account.remarks:
        yield from _wrapped(remark, terminal, indent=2)


def _end(end: End, terminal: Terminal, *, verbose: bool) -> Iterator[str]:
    symbol, style = ("ok", "good") if end.held else ("failed", "bad")
    why = _why(end)
    told = f"{why}; {_counts(end)}" if why else _counts(end)
    text = f"{terminal.symbol(symbol)} {end.role}: {told}"
    yield from _wrapped(text, terminal, style)
    wanted = [one for one in end.verdicts if verbose or one.status != "held"]
    # What failed goes before what was only unexpected: the list may be cut.
    ordered = wanted if verbose else sorted(wanted, key=lambda one: one.good)
    shown = ordered if verbose else _without_consequences(ordered)[:SHOWN]
    for verdict in shown:
        yield from _verdict(verdict, terminal)
    failed = sum(end.counts.get(status, 0) for status in BAD)
    more = len(ordered) - len(shown) + failed - sum(one.status in BAD for one in end.verdicts)
    if more:
        yield f"  and {more:,} more (see --json)"
    yield from _spreads(end.spreads, terminal, verbose=verbose)
    yield from _notes(end.notes, terminal, verbose=verbose)


def _why(end: End) -> str:
    """Return why nothing was said at all, where one thing explains it; else nothing."""
    failed = [one for one in end.verdicts if one.status in BAD]
    causes = {one.detail for one in failed}
    silent = not end.counts.get("held") and any(one.status == "unsaid" for one in failed)
    # What ended early was ended by somebody, and that is said already.
    return causes.pop() if silent and end.complete and len(causes) == 1 else ""


def _counts(end: End) -> str:
    """Return ``all 36 turns held, 2 unexpected; 2 clients``."""
    good, judged = end.counts.get("held", 0), end.judged
    if judged and good == judged:
        told = [f"all {amount(judged, 'turn')} held" if judged > 1 else "the turn held"]
    else:
        told = [f"{good:,} of {amount(judged, 'turn')} held"]
    told += [
        f"{end.counts[status]:,} {'not said' if status == 'unsaid' else status}"
        for status in STATUSES
        if status != "held" and end.counts.get(status)
    ]
    early = "" if end.complete else "; ended early"
    return f"{', '.join(told)}; {amount(end.played, 'client')}{early}"


def _without_consequences(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return verdicts, of those that one thing explains (a lost connection) only the first few."""
    seen: Counter[tuple[str | None, str]] = Counter()
    found = []
    for verdict in verdicts:
        why = (verdict.client, verdict.detail)
        seen[why] += not verdict.differences and bool(verdict.detail)
        if seen[why] <= ALIKE or verdict.differences:
            found.append(verdict)
    return found


def _verdict(verdict: Verdict, terminal: Terminal) -> Iterator[str]:
    symbol, style = LOOK[verdict.status]
    word = f"{terminal.symbol(symbol)} {verdict.status}"
    place = " ".join(filter(None, (verdict.turn, who(verdict))))
    at = "" if verdict.at is None else f" at {verdict.at:.3f} s"
    text = f"{word}: {place}: {verdict.what}{at}" if place else f"{word}: {verdict.what}{at}"
    yield from _wrapped(text, terminal, style, indent=2)
    for line in differences_of(verdict):
        yield from _wrapped(line, terminal, indent=6)


def _spreads(spreads: Sequence[Spread], terminal: Terminal, *, verbose: bool) -> Iterator[str]:
    """Yield how long answers took: the slowest kinds, or all; in memory nothing takes time."""
    shown = spreads
    if not verbose:
        slowest = sorted(spreads, key=lambda one: one.p95, reverse=True)
        shown = [one for one in slowest if one.most > 0][:SLOWEST]
    rows = (
        (one.what, f"{one.answers:,}", *map(_time, (one.p50, one.p95, one.most))) for one in shown
    )
    yield from table(_SPREAD, rows, terminal, indent="  ")
    if shown and len(spreads) > len(shown):
        yield f"  and {len(spreads) - len(shown):,} faster ones (-v has them)"


def _time(seconds: float) -> str:
    return latency_text(seconds * 1000)


def _notes(notes: tuple[str, ...], terminal: Terminal, *, verbose: bool) -> Iterator[str]:
    shown = notes if verbose else notes[:SHOWN]
    for note in shown:
        yield from _wrapped(f"{terminal.symbol('none')} {note}", terminal, indent=2)
    if len(notes) > len(shown):
        yield f"  and {amount(len(notes) - len(shown), 'further note')} (-v has them)"


def _wrapped(text: str, terminal: Terminal, style: str = "plain", indent: int = 0) -> Iterator[str]:
    before = " " * indent
    lines = textwrap.wrap(
        printable(text), terminal.width, initial_indent=before, subsequent_indent=before + "  "
    )
    for line in lines:
        yield terminal.paint(line, style)
