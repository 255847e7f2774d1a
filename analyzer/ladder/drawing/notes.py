"""Notes between arrows: findings and remarks in a box, holes as a torn gap in the lifelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.ladder.drawing import symbols
from analyzer.ladder.drawing.primitives import Command, Item, Part, Path, Rect, Text
from analyzer.ladder.drawing.rows import LINE, TORN, NoteText, Row, note_span
from analyzer.ladder.drawing.tips import note_tip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.ladder.drawing.plan import Plan
    from analyzer.ladder.values import Note

_TOOTH = 9.0
"""Width of half a tooth of a torn edge."""
_MOST_TEETH = 400
"""Of one edge: a note over hundreds of lanes has wider ones."""
_INKS = {"plain": "muted", "good": "good", "doubtful": "doubtful", "bad": "bad"}
_SYMBOLS = {"plain": "dash", "good": "check", "doubtful": "warning", "bad": "cross"}


def _edge(start: float, end: float, y: float) -> Iterator[tuple[float, float]]:
    """Yield the corners of a torn edge from left to right."""
    count = min(max(round((end - start) / _TOOTH / 2), 1), _MOST_TEETH) * 2
    step = (end - start) / count
    for number in range(count + 1):
        yield round(start + number * step, 1), y + (TORN if number % 2 else -TORN) / 2


def _torn(start: float, end: float, top: float, bottom: float) -> tuple[Command, ...]:
    upper = list(_edge(start, end, top))
    lower = list(_edge(start, end, bottom))
    points = [*upper, *reversed(lower)]
    return (("M", *points[0]), *(("L", x, y) for x, y in points[1:]), ("Z",))


def note_item(plan: Plan, note: Note, row: Row, top: float) -> Item:
    """Return a note in the row that begins at ``top``."""
    start, end = note_span(plan.metrics, plan.columns, note)
    content: NoteText = row.content  # type: ignore[assignment]
    torn = TORN if note.kind == "hole" else 0
    upper = top + row.line - LINE / 2 - 4 - torn
    lower = upper + (len(content.label) + len(content.text)) * LINE + 8 + 2 * torn
    style = f"note-{note.tone}"
    parts: list[Part] = []
    if note.kind == "hole":
        parts.append(Path(_torn(start, end, upper + torn / 2, lower - torn / 2), style))
    else:
        parts.append(Rect(start, upper, end - start, lower - upper, style, 3))
    base = upper + torn + LINE
    symbol = "hole" if note.kind == "hole" else _SYMBOLS[note.tone]
    parts += symbols.drawn(symbol, start + 17, base - 4, _INKS[note.tone])
    for role, lines in (("note", content.label), ("note-text", content.text)):
        for line in lines:
            parts.append(Text(start + 32, base, "start", role, line))
            base += LINE
    return Item("note", tuple(parts), note_tip(note, plan.clock), (note.frames or (None,))[0])
