"""Draws the events of a text ladder between their lanes, one or two rows each.

A label stands within its arrow where that has room for it, else over it. An arrow breaks the lanes
that it only passes over; lanes that it went through show a crossing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from analyzer.ladder.text_cells import Row, cells, cut_cells, safe
from analyzer.ladder.text_columns import GAP

if TYPE_CHECKING:
    from analyzer.ladder.look import Look
    from analyzer.ladder.text_cells import Signs
    from analyzer.ladder.text_columns import Columns
    from analyzer.ladder.text_words import Words
    from analyzer.ladder.values import Arrow, Note

TURN = 3
"""Cells that an arrow of a lane to itself goes out and back."""


class Drawing:
    """Rows of events, all as wide as the line."""

    def __init__(self, columns: Columns, words: Words, signs: Signs, look: Look) -> None:
        self._columns, self._words, self._signs, self._look = columns, words, signs, look

    def row(self) -> Row:
        """Return a row with nothing but the lanes."""
        row = Row(self._columns.width)
        for lane in self._columns.lanes:
            row.put(lane, self._signs.lane)
        return row

    def label(self, arrow: Arrow) -> str:
        """Return the label of an arrow as it is written."""
        text = safe(self._words.label(arrow), unicode=self._look.unicode)
        return cut_cells(text, self._look.label, self._signs.cut)

    def end(self, *, beside: bool) -> int:
        """Return the cell that drawing ends before, with or without remarks beside it."""
        remarks = self._columns.remarks
        return remarks - GAP if beside and remarks is not None else self._columns.width

    def arrow(self, arrow: Arrow, end: int) -> list[Row]:
        """Return the rows of an arrow, drawn before the cell ``end``."""
        if arrow.source == arrow.target:
            return self._to_itself(arrow, end)
        label = self.label(arrow)
        line = self._line(arrow)
        left, right = sorted((self._columns.lanes[arrow.source], self._columns.lanes[arrow.target]))
        within = self._room(left, right, arrow)
        if within and cells(label) + 2 <= within[1] - within[0]:
            free = within[1] - within[0] - cells(label) - 2
            at = within[0] + free // 2
            if line.blank(at - 1) and free:  # between dashes
                at += 1 if free - free // 2 else -1
            end_ = line.put(at, f" {label}", arrow.tone)
            if not line.blank(end_):
                line.put(end_, " ")
            return [line]
        return [self._over(label, (left, right), end, arrow.tone), line]

    def _line(self, arrow: Arrow) -> Row:
        signs, row = self._signs, self.row()
        source, target = self._columns.lanes[arrow.source], self._columns.lanes[arrow.target]
        left, right = sorted((source, target))
        fill = {"request": signs.solid, "response": signs.dashed, "connection": signs.double}
        length = right - left - 2
        # Dashes begin at the head, so that it is never apart from its line.
        drawn = (fill[arrow.kind] * length)[:length]
        row.put(*((left + 2, drawn) if target == left else (left + 1, drawn[::-1])))
        for lane in arrow.via:
            if left < self._columns.lanes[lane] < right:
                row.put(self._columns.lanes[lane], signs.via)
        row.put(source, signs.from_left if source == left else signs.from_right)
        row.put(*((right - 1, signs.right) if target == right else (left + 1, signs.left)))
        if arrow.tone != "plain":
            row.paint(left + 1, right, arrow.tone)
        return row

    def _room(self, left: int, right: int, arrow: Arrow) -> tuple[int, int] | None:
        """Return the widest stretch of an arrow without a crossing: first cell, and the one after.

        Two cells of line stay at the source, a line cell and the head at the target.
        """
        lanes = self._columns.lanes
        crossed = [lanes[lane] for lane in arrow.via if left < lanes[lane] < right]
        ends = sorted([left, *crossed, right])
        stretches = []
        for first, last in pairwise(ends):
            begin = first + (3 if first == left else 2)
            end = last - (2 if last == right else 1)
            stretches.append((begin, end))
        best = max(stretches, key=lambda one: one[1] - one[0])
        return best if best[1] > best[0] else None

    def _over(self, label: str, span: tuple[int, int], end: int, tone: str) -> Row:
        row, (left, right) = self.row(), span
        length = cells(label)
        at = left + 2 + max(0, (right - left - 3 - length) // 2)
        at = max(min(at, end - length), self._columns.begin + 2)
        label = cut_cells(label, end - at, self._signs.cut)
        row.put(at - 1, f" {label} " if at + cells(label) < end else f" {label}")
        row.put(at, label, tone)
        return row

    def _to_itself(self, arrow: Arrow, end: int) -> list[Row]:
        signs, above, below = self._signs, self.row(), self.row()
        at = self._columns.lanes[arrow.source]
        label = self.label(arrow)
        to_right = at + TURN + GAP + cells(label) < end or at == self._columns.lanes[0]
        solid = (signs.dashed if arrow.kind == "response" else signs.solid) * TURN
        if to_right:
            above.put(at, signs.from_left + solid[: TURN - 1] + signs.turn_above)
            below.put(at + 1, signs.left + solid[: TURN - 2] + signs.turn_below)
            place = at + TURN + GAP
        else:
            above.put(at - TURN, signs.turn_above_left + solid[: TURN - 1] + signs.from_right)
            below.put(at - TURN, signs.turn_below_left + solid[: TURN - 2] + signs.right)
            place = max(at - TURN - GAP - cells(label), self._columns.begin + 2)
            end = at - TURN - 1
        label = cut_cells(label, end - place, signs.cut)
        above.put(place - 1, f" {label} ")
        above.put(place, label, arrow.tone)
        return [above, below]

    def hole(self, note: Note) -> Row:
        """Return the broken row of a hole in the capture."""
        row = self.row()
        lanes = [self._columns.lanes[lane] for lane in note.lanes] or list(self._columns.lanes)
        left, right = min(lanes), max(lanes)
        if left == right:
            left, right = left - 1, left + 1
        row.put(left, self._signs.hole * (right - left + 1), note.tone)
        label = cut_cells(
            safe(note.label, unicode=self._look.unicode),
            self._columns.width - left - 6,
            self._signs.cut,
        )
        free = right - left - 1 - cells(label) - 2
        at = left + 3 if free < 4 else left + 1 + free // 2
        row.put(at, f" {label} ", note.tone)
        if at + cells(label) + 2 > right:
            row.put(at + cells(label) + 2, self._signs.hole * 2, note.tone)
        return row
