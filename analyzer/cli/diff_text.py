"""A comparison as text: the first divergence, the steps of both sides, and all divergences."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING

from analyzer.cli.steps import status_style, status_text
from analyzer.cli.table import Column, table
from analyzer.compare.likes import alike, subject_of
from analyzer.compare.naming import where
from analyzer.compare.words import doubt_sentence, place_text, sentence, summary, told_text
from analyzer.export.printable import printable
from analyzer.times import duration_text, latency_text, time_text
from analyzer.views.numbers import frames_text, spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.cli.terminal import Terminal
    from analyzer.compare.values import AlignedRow, Comparison, Divergence, Exchange, Party

SYMBOLS = {
    "major": ("failed", "bad"),
    "minor": ("doubtful", "doubtful"),
    "trivial": ("none", "dim"),
}
"""Weight of a divergence: symbol and style."""


def diff_lines(
    found: Comparison, terminal: Terminal, *, trivial: bool, all_rows: bool
) -> Iterator[str]:
    """Yield the lines of a comparison.

    Args:
        found: the comparison.
        terminal: what can be shown.
        trivial: trivial divergences too.
        all_rows: the table of all aligned exchanges too.
    """
    for name, party in (("A", found.a), ("B", found.b)):
        yield from _party(name, party, terminal)
    yield from _wrapped(f"Compared: {found.why}", terminal)
    yield ""
    unsure = [*map(doubt_sentence, found.doubts), *found.cut]
    if found.first is not None and found.first.weight == "major":
        yield from _first(found, terminal)
        yield from _unsure(unsure, terminal)
    else:  # what could not be compared may be the answer
        yield from _unsure(unsure, terminal)
        yield from _first(found, terminal)
    yield ""
    yield from _steps(found, terminal)
    yield from _all(found, terminal, trivial=trivial)
    if all_rows:
        yield ""
        yield from _rows(found.rows, terminal)


def _party(name: str, party: Party, terminal: Terminal) -> Iterator[str]:
    head = f"{name}  {party.file}, session {party.session + 1}: {party.user or 'unknown user'}"
    yield terminal.paint(printable(head), "bold")
    took = duration_text(party.ended - party.started)
    began = time_text(party.started, party.digits)
    yield from _wrapped(f"{party.variant_words}; from {began}, {took}", terminal, indent=3)
    yield from _wrapped(party.verdict, terminal, indent=3)
    for doubt in party.doubts:
        yield from _wrapped(f"{terminal.symbol('unknown')} {doubt}", terminal, "doubtful", 3)


def _first(found: Comparison, terminal: Terminal) -> Iterator[str]:
    first = found.first
    if first is None:
        text = "No meaningful divergence"
        yield from _wrapped(f"{terminal.symbol('ok')} {text}", terminal, "good")
        return
    symbol, style = SYMBOLS[first.weight]
    text = f"{terminal.symbol(symbol)} First divergence: {sentence(first)}"
    yield from _wrapped(text, terminal, style)


def _unsure(texts: Sequence[str], terminal: Terminal) -> Iterator[str]:
    for text in texts:
        yield from _wrapped(f"{terminal.symbol('unknown')} {text}", terminal, "doubtful")


def _wrapped(text: str, terminal: Terminal, style: str = "plain", indent: int = 0) -> Iterator[str]:
    before = " " * indent
    lines = textwrap.wrap(
        printable(text), terminal.width, initial_indent=before, subsequent_indent=before + "  "
    )
    for line in lines:
        yield terminal.paint(line, style)


def _steps(found: Comparison, terminal: Terminal) -> Iterator[str]:
    """Yield the steps of the sign-ins beside one another."""
    rows = (
        (
            f"{pair.step.id} {pair.step.title}",
            status_text(pair.a.status, terminal), latency_text(pair.a.latency_ms),
            spans(pair.a.frames),
            status_text(pair.b.status, terminal), latency_text(pair.b.latency_ms),
            spans(pair.b.frames),
        )
        for pair in found.steps
    )  # fmt: skip
    side = (
        Column("status", least=14, style=status_style),
        Column("latency", right=True, least=7),
        Column("frames", least=6, rank=1),
    )
    named = [
        Column(f"{name} {one.title}", one.least, right=one.right, rank=one.rank, style=one.style)
        for name in "AB"
        for one in side
    ]
    yield from table((Column("step", least=28), *named), rows, terminal)
    if found.steps:
        yield ""


def _all(found: Comparison, terminal: Terminal, *, trivial: bool) -> Iterator[str]:
    shown = found.divergences if trivial else found.meaningful
    hidden = len(found.divergences) - len(shown)
    text = summary(found)
    more = " (trivial ones are not shown: --trivial)" if hidden else ""
    yield from _wrapped(f"{text[:1].upper()}{text[1:]}{more}", terminal, "bold")
    for step, group in groupby(shown, key=lambda one: one.step):
        yield "  " + terminal.paint(printable(where(step, step.title) if step else "other"), "bold")
        for one in group:
            yield from _divergence(one, terminal)


def _divergence(one: Divergence, terminal: Terminal) -> Iterator[str]:
    symbol, style = SYMBOLS[one.weight]
    place = place_text(one).removeprefix(where(one.step, "")).strip()
    sign = terminal.symbol(symbol)
    if one.follows:
        side = "A" if one.a.frames and not one.b.frames else "B"
        have, lack = (one.a, one.b) if side == "A" else (one.b, one.a)
        text = f"{sign} {place}: only in {side} ({frames_text(have.frames)}), {lack.text}"
        yield from _wrapped(text, terminal, "plain", 4)
        return
    yield from _wrapped(f"{sign} {place}: {one.kind}, {one.weight}", terminal, style, 4)
    yield from _wrapped(f"A {told_text(one.a)}", terminal, indent=8)
    yield from _wrapped(f"B {told_text(one.b)}", terminal, indent=8)


def _rows(rows: Sequence[AlignedRow], terminal: Terminal) -> Iterator[str]:
    """Yield the table of all aligned exchanges."""
    sides = [
        Column(f"{name} {title}", least=least, right=right)
        for name in "AB"
        for title, least, right in (
            ("frames", 6, False),
            ("outcome", 12, False),
            ("after", 7, True),
        )
    ]
    columns = (
        Column("", least=1, style=_sign_style),
        Column("step", least=4),
        Column("exchange", least=16),
        *sides,
    )
    cells = (
        (
            _sign(group[0], terminal),
            "" if group[0].step is None else group[0].step.id,
            subject_of(group),
            *_cells(group[0].a, group[0].unseen),
            *_cells(group[0].b, group[0].unseen),
        )
        for group in alike(rows)
    )
    yield from table(columns, cells, terminal)


def _sign(row: AlignedRow, terminal: Terminal) -> str:
    if row.unseen is not None:
        return terminal.symbol("unknown")
    return terminal.symbol(SYMBOLS[row.weight][0]) if row.weight else " "


def _sign_style(cell: str) -> str:
    return {"✗": "bad", "x": "bad", "!": "doubtful", "?": "doubtful"}.get(cell, "plain")


def _cells(one: Exchange | None, unseen: str | None) -> tuple[str, str, str]:
    if one is None:
        return "", "not captured" if unseen else "-", ""
    words = one.outcome.words.removeprefix("answered ")
    return spans(one.frames), words, latency_text(one.latency_ms)
