"""Arrows: lines with heads, dots where they pass a proxy, and what is written at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.ladder.drawing.chunks import drawn_line, line_width
from analyzer.ladder.drawing.primitives import Circle, Command, Item, Line, Part, Path, Rect
from analyzer.ladder.drawing.rows import BELOW, LINE, LOOP, span
from analyzer.ladder.drawing.theme import arrow_style
from analyzer.ladder.drawing.tips import arrow_tip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.ladder.drawing.captions import Placed
    from analyzer.ladder.drawing.chunks import Chunk
    from analyzer.ladder.drawing.plan import Plan
    from analyzer.ladder.drawing.rows import Row
    from analyzer.ladder.values import Arrow

_HEAD, _HALF = 9.0, 4.0
"""Length of an arrow's head, and half its width."""
_DOT = 3.5
"""Radius of a hop."""
_LOOP = 34.0
"""Width of an arrow to itself."""
_ASIDE = 7.0
"""Between a lane and a text that was moved off it."""
_NEAR = 70.0
"""How far a text is moved: it must stay at the middle of its arrow, more or less."""
_END = 15.0
"""From the tip of an arrow to what is written at its end."""


def _head(tip: float, y: float, way: float, kind: str) -> tuple[Command, ...]:
    """Return a head that points right (1) or left (-1): open for a response, else filled."""
    back = tip - way * _HEAD
    points: tuple[Command, ...] = (("M", back, y - _HALF), ("L", tip, y), ("L", back, y + _HALF))
    return points if kind == "response" else (*points, ("Z",))


def arrow_item(plan: Plan, arrow: Arrow, row: Row, top: float) -> Item:
    """Return an arrow in the row that begins at ``top``."""
    y = top + row.line
    placed: Placed = row.content  # type: ignore[assignment]
    if arrow.source == arrow.target:
        parts = _to_itself(plan, arrow, placed, y)
    else:
        parts = _across(plan, arrow, placed, y)
    return Item("arrow", tuple(parts), arrow_tip(arrow, plan.ladder, plan.clock), arrow.frame)


def _across(plan: Plan, arrow: Arrow, placed: Placed, y: float) -> Iterator[Part]:
    start, end = span(plan.columns, arrow)
    way = 1.0 if end > start else -1.0
    style = arrow_style(arrow.kind, arrow.tone)
    tip = end - way
    # A line to the very tip would blunt it.
    yield Line(start, y, tip if arrow.kind == "response" else tip - way * (_HEAD - 1), y, style)
    yield Path(_head(tip, y, way, arrow.kind), f"{style}-head")
    first, last = sorted((arrow.source, arrow.target))
    for via in arrow.via:
        if first < via < last:
            yield Circle(plan.columns.lanes[via], y, _DOT, "hop")
    yield from _captions(plan, arrow, placed, y)


def _captions(plan: Plan, arrow: Arrow, placed: Placed, y: float) -> Iterator[Part]:
    start, end = span(plan.columns, arrow)
    middle = (start + end) / 2
    first, last = sorted((arrow.source, arrow.target))
    crossed = plan.columns.lanes[first + 1 : last]
    base = y - 5 - LINE * (len(placed.above) - 1)
    for line in placed.above:
        x = _clear(middle - line_width(line) / 2, line_width(line), (start, end), crossed)
        yield from _line(line, x, base, crossed)
        base += LINE
    base = y + 14
    for line in placed.below:
        width = line_width(line)
        x = middle - width / 2
        if line[-1].role.startswith("answer"):  # where the answer arrived: at the sender's end
            x = end - _END - width if end > start else end + _END
        yield from _line(line, x, base, crossed)
        base += BELOW


def _clear(x: float, width: float, ends: tuple[float, float], crossed: tuple[float, ...]) -> float:
    """Return where a text may begin so that it covers no lane, if that is near; else ``x``."""
    hit = [lane for lane in crossed if x - 4 < lane < x + width + 4]
    if len(hit) != 1:
        return x
    low, high = min(ends) + 6, max(ends) - 6 - width
    for moved in sorted((hit[0] + _ASIDE, hit[0] - _ASIDE - width), key=lambda one: abs(one - x)):
        free = all(not moved - 4 < lane < moved + width + 4 for lane in crossed)
        if free and low <= moved <= high and abs(moved - x) <= _NEAR:
            return moved
    return x


def _line(line: list[Chunk], x: float, base: float, crossed: tuple[float, ...]) -> Iterator[Part]:
    """Yield a line of text; where it covers a lane, on ground of its own."""
    x = round(x, 1)
    width = line_width(line)
    if any(x - 3 < lane < x + width + 3 for lane in crossed):
        yield Rect(x - 3, base - 11, width + 6, 12, "halo")
    yield from drawn_line(line, x, base)


def _to_itself(plan: Plan, arrow: Arrow, placed: Placed, y: float) -> Iterator[Part]:
    x = plan.columns.lanes[arrow.source]
    style = arrow_style(arrow.kind, arrow.tone)
    far, low = x + _LOOP, y + LOOP
    bend = LOOP / 2
    loop: tuple[Command, ...] = (
        ("M", x, y),
        ("L", far - bend, y),
        ("C", far + 2, y, far + 2, low, far - bend, low),
        ("L", x + _HEAD, low),
    )
    yield Path(loop, style)
    yield Path(_head(x + 1, low, -1, arrow.kind), f"{style}-head")
    base = y + 4
    for line in [*placed.above, *placed.below]:
        yield from drawn_line(line, x + _LOOP + 10, base)
        base += BELOW
