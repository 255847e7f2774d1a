"""The heads: the title of a drawing, the headings of its columns, and the heads of its lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.export.printable import printable
from analyzer.ladder.drawing.brackets import HEADING as BRACKETS
from analyzer.ladder.drawing.chunks import fitted, wrapped
from analyzer.ladder.drawing.columns import MARGIN
from analyzer.ladder.drawing.primitives import Item, Part, Rect, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.ladder.drawing.plan import Plan
    from analyzer.ladder.values import Lane, LaneKind

_ACCENTS: dict[LaneKind, str] = {
    "client": "client",
    "lookup": "chat",
    "channel": "chat",
    "web": "web",
}
KINDS: dict[LaneKind, str] = {
    "client": "client",
    "dns": "DNS",
    "director": "Director",
    "front-end": "front end",
    "lookup": "lookup service",
    "channel": "channel service",
    "web": "web service",
    "server": "server",
    "unknown": "unknown",
}
"""What stands small over the name of a lane, whatever people call it."""
_TITLE_LINES, _SUBTITLE_LINES = 2, 3
_NAME_LINES, _SUB_PARTS = 2, 3
SMALL_HEADS = 30.0
"""Height of heads where they are repeated."""


class _Line(NamedTuple):
    role: str
    text: str


def titles(plan: Plan, title: str) -> tuple[Item, float]:
    """Return the title of a page with the subtitle of its ladder, and their height."""
    ladder, room = plan.ladder, plan.columns.width - 2 * MARGIN
    y = MARGIN
    parts: list[Part] = []
    for line in wrapped(plan.metrics, printable(title), "title", room, _TITLE_LINES):
        parts.append(Text(MARGIN, y + 16, "start", "title", line))
        y += 26
    subtitle = printable(ladder.subtitle)
    lines = wrapped(plan.metrics, subtitle, "subtitle", room, _SUBTITLE_LINES) if subtitle else []
    for line in lines:
        parts.append(Text(MARGIN, y + 10, "start", "subtitle", line))
        y += 17
    return Item("ground", tuple(parts)), y + 12


def running_title(plan: Plan, row: int) -> tuple[Item, float]:
    """Return what stands small over every sheet but the first, whose rows begin with ``row``.

    It is the title, and the date where the times are those of a day. With its height.
    """
    room = plan.columns.width - 2 * MARGIN
    title = printable(plan.ladder.title)
    if plan.look.times == "absolute":
        title = f"{title}, {plan.clock.local(plan.ladder.events[row].time)[:10]}"
    title = fitted(plan.metrics, title, "step", room)
    return Item("ground", (Text(MARGIN, MARGIN + 8, "start", "step", title),)), 44


def _subs(plan: Plan, lane: Lane, room: float) -> list[str]:
    """Return the lines of a lane's subtitle: one for its role, its URI, each address."""
    said = [printable(one) for one in lane.subtitle.split(", ") if one]
    if len(said) > _SUB_PARTS:
        said = [*said[: _SUB_PARTS - 1], ", ".join(said[_SUB_PARTS - 1 :])]
    return [line for one in said for line in wrapped(plan.metrics, one, "sub", room, 2)]


def _lines(plan: Plan, number: int) -> list[_Line]:
    lane = plan.ladder.lanes[number]
    room = 2 * plan.columns.head - 14
    title = printable(lane.title)
    names = wrapped(plan.metrics, title, "head", room, _NAME_LINES)
    kind = fitted(plan.metrics, KINDS[lane.kind].upper(), "kind", room)
    return [
        _Line("kind", kind),
        *(_Line("head", name) for name in names),
        *(_Line("sub", line) for line in _subs(plan, lane, room)),
    ]


_HEIGHTS = {"kind": 13.0, "head": 16.0, "sub": 13.0}
_BASES = {"kind": 9.0, "head": 13.0, "sub": 10.0}


def _columns(plan: Plan, y: float, *, steps: bool = True) -> Iterator[Part]:
    columns, times = plan.columns, plan.times
    if steps and columns.steps is not None:
        yield Text(columns.steps + 14, y, "start", "column", "step")
    yield Text(columns.time, y, "end", "column", times.heading)
    if columns.utc is not None:
        yield Text(columns.utc, y, "end", "column", "UTC")
    yield Text(columns.frame, y, "end", "column", "frame")
    if plan.tracks:
        yield Text(columns.labels, y, "start", "column", BRACKETS)


def lane_heads(plan: Plan, top: float) -> tuple[list[Item], float]:
    """Return the heads of all lanes with the headings of the columns, and their height."""
    lines = [_lines(plan, number) for number in range(len(plan.ladder.lanes))]
    tallest = max((sum(_HEIGHTS[one.role] for one in each) for each in lines), default=14)
    height = tallest + 16
    found = [Item("heads", tuple(_columns(plan, top + height - 6)))]
    for number, lane in enumerate(plan.ladder.lanes):
        middle, half = plan.columns.lanes[number], plan.columns.head
        parts: list[Part] = [*_box(lane, (middle - half, top, 2 * half, height))]
        y = top + 10
        for line in lines[number]:
            parts.append(Text(middle, y + _BASES[line.role], "middle", line.role, line.text))
            y += _HEIGHTS[line.role]
        said = [f"{KINDS[lane.kind]}: {lane.title}", lane.subtitle]
        found.append(Item("heads", tuple(parts), "\n".join(printable(one) for one in said if one)))
    return found, height


def _box(lane: Lane, box: tuple[float, float, float, float]) -> Iterator[Part]:
    x, y, width, height = box
    yield Rect(x, y, width, height, "head", 3)
    yield Rect(x, y, width, 4, f"lane-{_ACCENTS.get(lane.kind, 'server')}", 1.5)


def small_heads(plan: Plan, top: float) -> list[Item]:
    """Return the heads of all lanes as a row of their names, ``SMALL_HEADS`` high."""
    found = []
    for number, lane in enumerate(plan.ladder.lanes):
        middle, half = plan.columns.lanes[number], plan.columns.head
        name = fitted(plan.metrics, printable(lane.title), "head", 2 * half - 12)
        parts = [
            *_box(lane, (middle - half, top + 2, 2 * half, SMALL_HEADS - 4)),
            Text(middle, top + 20, "middle", "head", name),
        ]
        found.append(Item("heads", tuple(parts)))
    return found


def repeated_columns(plan: Plan, top: float, *, steps: bool) -> Item:
    """Return the headings of the columns beside small heads.

    ``steps``: that of the steps too; between rows a step's card may go on there.
    """
    return Item("heads", tuple(_columns(plan, top + 19, steps=steps)))
