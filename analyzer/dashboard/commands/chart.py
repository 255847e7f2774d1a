"""The waits of commands as charts, whose points are messages.

The rule: a chart draws a few thousand points at most; all outliers and all failures are among them,
and boxes are of all waits, drawn or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, NamedTuple

import plotly.graph_objects as go

from analyzer.command_waits import FEW, sample, spread_of
from analyzer.dashboard.charts.text import plain
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.command_waits import Spread, Wait
    from analyzer.dashboard.commands.choice import Look, Measure

MAX_POINTS = 2_000
"""Points that a chart draws: browsers without WebGL draw so many in a blink."""
MAX_ROWS = 30
"""Commands that a chart has a line for: the most frequent ones, the others together."""
FINE = 4
"""Powers of ten that have room for more marks than the powers themselves."""
OTHERS = "others"
LEAST_MS = 0.001
"""What a wait of nothing is drawn as where the scale is logarithmic."""
MARGIN = 0.04
"""Of a logarithmic axis on either side."""
GOLDEN = 0.618033988749895
"""Multiples of it are spread evenly between whole numbers: points do not lie on one another, and
stay where they are when the page is drawn again."""
DENSE = 400
"""More points of one kind are drawn small and pale: what lies under them stays visible."""
LINE = 36
"""Pixels of one command."""
KINDS = {
    "answered": ("answered", "circle", "#2f7fd0"),
    "accepted": ("accepted (no reply is due)", "circle-open", "#2f7fd0"),
    "refused": ("refused by its reply", "diamond", "#c2410c"),
    "rejected": ("rejected by SIP", "x", "#c81e2b"),
    "unanswered": ("no reply came", "square-open", "#b45309"),
    "unknown": ("the capture cannot tell", "triangle-up-open", "#64748b"),
}
"""Of each outcome its words, its sign and its colour, which is legible on dark and on light."""


class Drawn(NamedTuple):
    """A chart, and what is to be said of it."""

    figure: go.Figure
    points: int
    """Drawn."""
    total: int
    """Waits that there are."""
    outliers: int
    without: int
    """Commands that have no such wait: they were not answered."""
    posts: int
    """Those that are due none: no reply comes to a post."""
    places: dict[int, tuple[object, float]]
    """Where the message of each point is."""


@dataclass(frozen=True, slots=True)
class Point:
    """A wait that is drawn."""

    wait: Wait
    ms: float
    line: int
    outlier: bool


def measure_of(waits: Sequence[Wait], look: Look) -> Measure:
    """Return which wait is drawn."""
    if look.measure is not None:
        return look.measure
    return "reply" if any(one.reply_ms is not None for one in waits) else "sip"


def drawn(
    waits: Sequence[Wait], look: Look, clock: Callable[[int], str], limit: int | None = None
) -> Drawn:
    """Return the chart of some commands; ``clock`` writes the time of a message."""
    measure = measure_of(waits, look)
    known = [
        (wait, ms)
        for wait in waits
        if (ms := wait.reply_ms if measure == "reply" else wait.sip_ms) is not None
    ]
    lines = _lines(wait for wait, _ in known)
    boxes: dict[int, Spread] = {}
    by_line: dict[int, list[tuple[Wait, float]]] = {}
    for wait, ms in known:
        by_line.setdefault(lines.get(wait.command, MAX_ROWS), []).append((wait, ms))
    points: list[Point] = []
    for line, those in sorted(by_line.items()):
        spread = spread_of(ms for _, ms in those)
        if spread is not None:
            boxes[line] = spread
            low, high = spread.fences
            points += (Point(wait, ms, line, not low <= ms <= high) for wait, ms in those)
    kept = [at for at, one in enumerate(points) if one.outlier or _is_bad(one.wait)]
    shown = [
        points[at]
        for at in sample([one.ms for one in points], MAX_POINTS if limit is None else limit, kept)
    ]
    figure = go.Figure()
    names = _names(lines, boxes)
    if look.chart == "spread":
        _boxes(figure, boxes, log=look.log)
    for kind in KINDS:
        _markers(figure, [one for one in shown if one.wait.word == kind], look, clock)
    _axes(figure, look, names, [one.ms for one in shown])
    outliers = sum(one.outlier for one in points)
    places = {one.wait.row: _place(one, look, clock) for one in shown}
    posts = sum(one.outcome == "accepted" for one in waits) if measure == "reply" else 0
    without = len(waits) - len(points) - posts
    return Drawn(figure, len(shown), len(points), outliers, without, posts, places)


def _place(point: Point, look: Look, clock: Callable[[int], str]) -> tuple[object, float]:
    ms = max(point.ms, LEAST_MS) if look.log else point.ms
    return (clock(point.wait.time), ms) if look.chart == "time" else (ms, _beside(point))


def marked(drawn: Drawn, row: int | None) -> go.Figure:
    """Return the chart with a ring around the message that is selected, where it is drawn."""
    place = None if row is None else drawn.places.get(row)
    if place is None:
        return drawn.figure
    ring = {"symbol": "circle-open", "size": 18, "color": "#e07b00", "line": {"width": 3}}
    figure = go.Figure(drawn.figure)
    figure.add_trace(
        go.Scatter(
            x=[place[0]],
            y=[place[1]],
            mode="markers",
            marker=ring,
            name="selected",
            hoverinfo="skip",
        )
    )
    return figure


def _is_bad(wait: Wait) -> bool:
    return wait.word in {"refused", "rejected", "unanswered"}


def _lines(waits: Iterable[Wait]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for wait in waits:
        counts[wait.command] = counts.get(wait.command, 0) + 1
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: line for line, name in enumerate(ranked[:MAX_ROWS])}


def _names(lines: dict[str, int], boxes: dict[int, Spread]) -> dict[int, str]:
    found = {line: name for name, line in lines.items() if line in boxes}
    if MAX_ROWS in boxes:
        found[MAX_ROWS] = OTHERS
    return found


def _boxes(figure: go.Figure, boxes: dict[int, Spread], *, log: bool) -> None:
    drawn_for = {line: one for line, one in boxes.items() if one.waits >= FEW}
    lines, spreads = [*drawn_for], [*drawn_for.values()]

    def at(values: Sequence[float]) -> list[float]:
        return [max(value, LEAST_MS) if log else value for value in values]

    figure.add_trace(
        go.Box(
            orientation="h",
            y=lines,
            q1=at([one.lower for one in spreads]),
            median=at([one.median for one in spreads]),
            q3=at([one.upper for one in spreads]),
            lowerfence=at([one.fences[0] for one in spreads]),
            upperfence=at([one.fences[1] for one in spreads]),
            width=0.7,
            fillcolor="rgba(128,140,160,0.18)",
            line={"color": "rgba(128,140,160,0.9)", "width": 1.2},
            hoverinfo="skip",
            name="half of them, and what is not an outlier",
            boxpoints=False,
        )
    )


def _markers(
    figure: go.Figure, points: Sequence[Point], look: Look, clock: Callable[[int], str]
) -> None:
    if not points:
        return
    spots = [_place(one, look, clock) for one in points]
    words, symbol, colour = KINDS[points[0].wait.word]
    size, opacity = (7, 0.85) if len(points) <= DENSE else (5, 0.5)
    figure.add_trace(
        go.Scatter(
            x=[x for x, _ in spots],
            y=[y for _, y in spots],
            mode="markers",
            name=words,
            customdata=[[one.wait.row, one.wait.pair] for one in points],
            text=[_said(one) for one in points],
            hovertemplate="%{text}<extra></extra>",
            marker={"symbol": symbol, "color": colour, "size": size, "opacity": opacity},
            selected={"marker": {"opacity": opacity}},
            unselected={"marker": {"opacity": opacity}},
        )
    )


def _beside(point: Point) -> float:
    """Return where in its line a point is drawn."""
    return point.line + ((point.wait.pair * GOLDEN) % 1 - 0.5) * 0.6


def _said(point: Point) -> str:
    wait = point.wait
    parts = [f"{wait.command[:60]}, {KINDS[wait.word][0]}"]
    parts += [f"SIP {wait.sip_status or ''} {latency_text(wait.sip_ms)}"] if wait.sip_status else []
    parts += [f"reply {latency_text(wait.reply_ms)}"] if wait.reply_ms is not None else []
    return "<br>".join(map(plain, parts))


def _tick(ms: float) -> str:
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"


def _ticks(values: Sequence[float]) -> list[float]:
    """Return 1, 2 and 5 of each power of ten around some waits; of many powers only the ones."""
    low = floor(log10(max(min(values, default=1.0), LEAST_MS)))
    high = ceil(log10(max(*values, LEAST_MS * 10, 1.0)))
    steps = (1, 2, 5) if high - low <= FINE else (1,)
    return [step * 10.0**power for power in range(low, high + 1) for step in steps]


def _span(ticks: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return the ends of a logarithmic axis: the marks around all waits, however close."""
    least, most = max(min(values, default=1.0), LEAST_MS), max(*values, LEAST_MS, 0.0)
    low = max((one for one in ticks if one <= least), default=least)
    high = min((one for one in ticks if one >= most), default=most)
    margin = MARGIN * max(log10(high / low), 1.0)
    return [log10(low) - margin, log10(high) + margin]


def _axes(figure: go.Figure, look: Look, names: dict[int, str], values: Sequence[float]) -> None:
    ticks = _ticks(values)
    marks = {
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [*map(_tick, ticks)],
        "range": _span(ticks, values),
    }
    waits = {
        "title": None,
        "type": "log" if look.log else "linear",
        **(marks if look.log else {"rangemode": "tozero", "ticksuffix": " ms"}),
    }
    own = {
        "tickmode": "array",
        "tickvals": [*names],
        "ticktext": [plain(name[:40]) for name in names.values()],
        "range": [max(names, default=0) + 0.6, -0.6],
        "title": None,
        "zeroline": False,
    }
    by_time = look.chart == "time"
    figure.update_layout(
        xaxis={"type": "date", "title": None} if by_time else waits,
        yaxis=waits if by_time else own,
        height=380 if by_time else 130 + LINE * max(len(names), 2),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        dragmode="zoom",
        hovermode="closest",
        clickmode="event+select",
        uirevision="kept",
    )
