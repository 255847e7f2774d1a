"""What each event of a ladder takes: the lines of its text and the height of its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.export.printable import printable
from analyzer.ladder.drawing.captions import Caption, Placed, placed
from analyzer.ladder.drawing.chunks import text_width, wrapped
from analyzer.ladder.drawing.columns import HEAD_ROOM, SELF_ROOM
from analyzer.ladder.look import cut

if TYPE_CHECKING:
    from analyzer.ladder.drawing.columns import Columns
    from analyzer.ladder.drawing.fonts import Metrics
    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Arrow, Note

LINE = 15.0
"""Height of a line of a label."""
BELOW = 17.0
"""Height of a line with tags."""
_OVER, _UNDER = 6.0, 7.0
_CLEAR = 4.0
"""Between the label and its arrow."""
_LEAST_ROOM = 60.0
LOOP = 14.0
"""Height of an arrow to itself."""
NOTE_PAD = 6.0
_NOTE_LINES = 6
_NOTE_TEXT = 10
"""The text of a note may have so many times ``Look.label`` characters."""
_NOTE_MARGIN = 30.0
"""How far a note reaches over its outer lanes."""
_LEAST_NOTE, _NOTE_WIDTH = 150.0, 340.0
"""A note over one lane is as wide as its text, within these."""
_NOTE_AROUND = 46.0
"""Beside the text: the symbol and the edges."""
TORN = 4.0
"""Height of the torn edge of a hole."""


class NoteText(NamedTuple):
    """The lines of a note in its box."""

    label: list[str]
    text: list[str]


class Row(NamedTuple):
    """The room of an event."""

    height: float
    line: float
    """Where its arrow runs, and its time stands, under the top of the row."""
    content: Placed | NoteText


def span(columns: Columns, arrow: Arrow) -> tuple[float, float]:
    """Return where an arrow begins and ends."""
    return columns.lanes[arrow.source], columns.lanes[arrow.target]


def self_room(columns: Columns, lane: int) -> float:
    """Return the room for the label of an arrow from a lane to itself."""
    lanes = columns.lanes
    end = lanes[lane + 1] - 10 if lane + 1 < len(lanes) else columns.right
    return max(end - lanes[lane] - SELF_ROOM, 40)


def arrow_row(metrics: Metrics, columns: Columns, arrow: Arrow, caption: Caption) -> Row:
    """Return the row of an arrow."""
    start, end = span(columns, arrow)
    if arrow.source == arrow.target:
        lines = placed(metrics, caption, self_room(columns, arrow.source))
        count = len(lines.above) + len(lines.below)
        return Row(12 + max(LOOP, (count - 1) * BELOW + 5) + _UNDER + 3, 12, lines)
    room = max(abs(end - start) - HEAD_ROOM, _LEAST_ROOM)
    lines = placed(metrics, caption, room)
    line = _OVER + len(lines.above) * LINE + _CLEAR
    under = len(lines.below) * BELOW - 5 if lines.below else 0
    return Row(line + under + _UNDER, line, lines)


def note_span(metrics: Metrics, columns: Columns, note: Note) -> tuple[float, float]:
    """Return the left and right edge of a note's box."""
    if not note.lanes or not columns.lanes:
        return columns.left, max(columns.right, columns.left + _LEAST_NOTE)
    start = columns.lanes[min(note.lanes)] - _NOTE_MARGIN
    end = columns.lanes[max(note.lanes)] + _NOTE_MARGIN
    wanted = _LEAST_NOTE
    if len(note.lanes) == 1:
        natural = text_width(metrics, printable(note.text), "note-text") + _NOTE_AROUND
        wanted = min(max(natural, _LEAST_NOTE), _NOTE_WIDTH)
    more = max(wanted - (end - start), 0) / 2
    start, end = start - more, end + more
    shift = max(columns.left - start, 0) + min(columns.right - end, 0)
    return max(start + shift, columns.left), min(end + shift, columns.right)


def _said(note: Note) -> str:
    """Return what the text of a note says beyond its label."""
    if note.text.startswith(note.label):
        return note.text[len(note.label) :].lstrip(": ")
    return note.text


def note_row(metrics: Metrics, columns: Columns, note: Note, look: Look) -> Row:
    """Return the row of a note: its label and, where it says more, its text."""
    start, end = note_span(metrics, columns, note)
    room = end - start - _NOTE_AROUND
    label = printable(cut(note.label, look.label))
    text = printable(cut(_said(note), _NOTE_TEXT * look.label))
    content = NoteText(
        wrapped(metrics, label, "note", room, 2),
        wrapped(metrics, text, "note-text", room, _NOTE_LINES) if text else [],
    )
    torn = 2 * TORN if note.kind == "hole" else 0
    box = (len(content.label) + len(content.text)) * LINE + 8 + torn
    return Row(box + 2 * NOTE_PAD, NOTE_PAD + torn / 2 + 4 + LINE / 2, content)
