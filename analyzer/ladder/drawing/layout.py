"""From a ladder to a drawing: the one layout that SVG, PNG and PDF share.

A drawing is either the whole ladder, its lane heads repeated on the way, or one of several sheets
of at most some height, each with its own heads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from analyzer.export.printable import printable
from analyzer.ladder.drawing.arrows import arrow_item
from analyzer.ladder.drawing.brackets import bracket_items
from analyzer.ladder.drawing.cards import STATUSES, card
from analyzer.ladder.drawing.fonts import WIDEST, Metrics
from analyzer.ladder.drawing.heads import (
    SMALL_HEADS,
    lane_heads,
    repeated_columns,
    running_title,
    small_heads,
    titles,
)
from analyzer.ladder.drawing.legend import foot
from analyzer.ladder.drawing.notes import note_item
from analyzer.ladder.drawing.plan import Plan, plan_of
from analyzer.ladder.drawing.primitives import (
    Bookmark,
    Command,
    Drawing,
    Item,
    Line,
    Part,
    Path,
    Text,
)
from analyzer.ladder.drawing.tips import description
from analyzer.ladder.look import pages
from analyzer.ladder.values import Arrow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Ladder

REPEAT = 40
"""Rows after which the lane heads come again: about as many as a screen shows."""
_BOTTOM_HEADS = 14
"""A ladder of so many rows has heads at its bottom too."""
_AFTER_HEADS = 8.0
_EDGE = 10.0
"""Under the rows of a sheet that is not the last."""
_NOTHING = 40.0
"""Height of a ladder without events."""


class _Piece(NamedTuple):
    """Rows that are drawn together, and where."""

    first: int
    end: int
    tops: list[float]
    """Of the rows from ``first`` on."""
    heads: list[float]
    """Tops of heads that are repeated between rows."""
    bottom: float


def layout(ladder: Ladder, look: Look, metrics: Metrics = WIDEST) -> Drawing:
    """Return the drawing of a whole ladder; texts are no wider than ``metrics`` says."""
    return _page(plan_of(ladder, look, metrics), ladder, 0)


def layouts(ladder: Ladder, look: Look, metrics: Metrics = WIDEST) -> Iterator[Drawing]:
    """Yield the drawings of a ladder's pages, of ``Look.page`` events each.

    They are parts of one plan: lanes stand in the same places on all, and a bracket or step that
    goes over the end of a page is open there.
    """
    plan = plan_of(ladder, look, metrics)
    for number, page in enumerate(pages(ladder, look.page)):
        yield _page(plan, page, number * look.page)


def _page(plan: Plan, page: Ladder, first: int) -> Drawing:
    """Return the drawing of a page, whose events are those of the plan from ``first`` on."""
    title, y = titles(plan, page.title)
    lanes, height = lane_heads(plan, y)
    y += height + _AFTER_HEADS
    piece = _piece(plan, first, first + len(page.events), y, repeat=max(REPEAT, len(page.lanes)))
    feet, height = foot(plan, piece.bottom)
    items = [*_body(plan, piece, y), title, *lanes, *feet]
    drawing = _drawing(plan, items, piece, piece.bottom + height)
    return drawing._replace(title=printable(page.title), description=description(page, plan.clock))


def sheets(ladder: Ladder, look: Look, metrics: Metrics, tallest: float) -> Iterator[Drawing]:
    """Yield a ladder as drawings of one width, none taller than ``tallest`` where rows allow it.

    Every sheet has at least one row, however tall that is; the foot is on the last.
    """
    plan = plan_of(ladder, look, metrics)
    first, count = 0, len(plan.rows)
    footing = foot(plan, 0)[1]
    while True:
        items, y = _opening(plan, first)
        end, bottom = first, y
        while end < count and (end == first or bottom + plan.rows[end].height <= tallest - _EDGE):
            bottom += plan.rows[end].height
            end += 1
        if end == count and bottom + footing > tallest and end - first > 1:
            end -= 1  # the foot does not fit: it takes the last row along
        piece = _piece(plan, first, end, y, repeat=0)
        feet, height = foot(plan, piece.bottom) if end == count else ([], _EDGE)
        yield _drawing(plan, [*_body(plan, piece, y), *items, *feet], piece, piece.bottom + height)
        if end == count:
            return
        first = end


def _opening(plan: Plan, first: int) -> tuple[list[Item], float]:
    """Return what stands over the rows from ``first`` on, and where these begin."""
    if first:
        title, y = running_title(plan, first)
        heads = [repeated_columns(plan, y, steps=True), *small_heads(plan, y)]
        return [title, *heads], y + SMALL_HEADS + _AFTER_HEADS
    title, y = titles(plan, plan.ladder.title)
    lanes, height = lane_heads(plan, y)
    return [title, *lanes], y + height + _AFTER_HEADS


def _piece(plan: Plan, first: int, end: int, y: float, *, repeat: int) -> _Piece:
    tops, heads = [], []
    for number in range(first, end):
        done = number - first
        if repeat and done and done % repeat == 0:
            heads.append(y)
            y += SMALL_HEADS
        tops.append(y)
        y += plan.rows[number].height
    if repeat and end - first >= _BOTTOM_HEADS:
        y += 4
        heads.append(y)
        y += SMALL_HEADS
    return _Piece(first, end, tops, heads, y if end > first else y + _NOTHING)


def _body(plan: Plan, piece: _Piece, top: float) -> Iterator[Item]:
    """Yield the lifelines and everything on them, in the order of painting."""
    yield Item("ground", tuple(_ground(plan, piece, top)))
    yield from _cards(plan, piece)
    if piece.end > piece.first:
        yield from bracket_items(
            plan.metrics,
            plan.columns,
            plan.tracks,
            (piece.first, piece.end - 1),
            lambda row: piece.tops[row - piece.first] + plan.rows[row].line,
        )
    yield from _events(plan, piece)
    for at in piece.heads:
        yield repeated_columns(plan, at, steps=False)
        yield from small_heads(plan, at)


def _ground(plan: Plan, piece: _Piece, top: float) -> Iterator[Part]:
    for x in plan.columns.lanes:
        yield Line(x, top - _AFTER_HEADS, x, piece.bottom, "life")
    if piece.end == piece.first:
        yield Text(plan.columns.left, top + 24, "start", "note-text", "No messages.")
        return
    # One path for some rows at a time: far fewer shapes, and none so tall that all of it has to be
    # painted for the part that is in view.
    for at in range(0, len(piece.tops), REPEAT):
        guides = tuple(_guides(plan, piece, at, min(at + REPEAT, len(piece.tops))))
        if guides:
            yield Path(guides, "guide")


def _guides(plan: Plan, piece: _Piece, start: int, end: int) -> Iterator[Command]:
    """Yield faint lines from the frame numbers to arrows that are far from them."""
    left = plan.columns.frame + 6
    for at in range(start, end):
        event = plan.ladder.events[piece.first + at]
        if isinstance(event, Arrow):
            near = plan.columns.lanes[min(event.source, event.target)] - 6
            if min(event.source, event.target) > 0:
                y = piece.tops[at] + plan.rows[piece.first + at].line
                yield from (("M", left, y), ("L", near, y))


def _cards(plan: Plan, piece: _Piece) -> Iterator[Item]:
    x = plan.columns.steps
    flow = ""
    if x is None:
        return
    for group in plan.ladder.groups:
        if group.last < piece.first or group.first >= piece.end:
            continue
        # What began on an earlier sheet is named again.
        whole = group.first >= piece.first
        first, last = max(group.first, piece.first), min(group.last, piece.end - 1)
        top = piece.tops[first - piece.first]
        bottom = piece.tops[last - piece.first] + plan.rows[last].height
        part = group if whole else replace(group, continued=True)
        box = (x, top, bottom - top)
        yield card(plan.metrics, part, box, heading=group.flow != flow and whole)
        if top > piece.tops[0]:
            yield Item("step", (Line(plan.columns.left, top, plan.columns.right, top, "rule"),))
        flow = group.flow


def _events(plan: Plan, piece: _Piece) -> Iterator[Item]:
    for number, top in enumerate(piece.tops, piece.first):
        event, row = plan.ladder.events[number], plan.rows[number]
        if isinstance(event, Arrow):
            item = arrow_item(plan, event, row, top)
        else:
            item = note_item(plan, event, row, top)
        yield item._replace(parts=(*_marginals(plan, number, top + row.line + 4), *item.parts))


def _marginals(plan: Plan, number: int, base: float) -> Iterator[Part]:
    """Yield time and frame of an event."""
    columns, times = plan.columns, plan.times
    yield Text(columns.time, base, "end", "time", times.shown[number])
    if times.days[number]:
        yield Text(columns.time, base - 13, "end", "frame", times.days[number])
    if columns.utc is not None:
        yield Text(columns.utc, base, "end", "frame", times.utc[number])
    if times.frames[number]:
        yield Text(columns.frame, base, "end", "frame", times.frames[number])


def _bookmarks(plan: Plan, piece: _Piece) -> Iterator[Bookmark]:
    for group in plan.ladder.groups:
        if group.last < piece.first or group.first >= piece.end:
            continue
        fresh = group.first >= piece.first and not group.continued
        words = STATUSES[group.status].words
        title = printable(f"{group.flow} {group.step} {group.title}: {words}")
        yield Bookmark(title, piece.tops[max(group.first, piece.first) - piece.first], fresh)


def _drawing(plan: Plan, items: list[Item], piece: _Piece, height: float) -> Drawing:
    return Drawing(
        plan.columns.width,
        round(height),
        printable(plan.ladder.title),
        printable(plan.ladder.subtitle),
        description(plan.ladder, plan.clock),
        tuple(items),
        tuple(_bookmarks(plan, piece)),
    )
