"""Who was in a room over time: a line for each person, with what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import plotly.graph_objects as go

from analyzer.chatrooms.listing import lost_of
from analyzer.dashboard.charts.text import plain
from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.chatrooms.presence import Event, Stay, What
    from analyzer.flows.values import FlowRun

MAX_PEOPLE = 40
"""Lines that are drawn: those who did most; the table has all."""
MAX_MARKS = 2_000
"""Posts that are drawn."""
LINE = 30
MARKS: dict[What, tuple[str, str, str]] = {
    "joined": ("triangle-right", "#16803c", "joined"),
    "refused": ("x", "#c81e2b", "refused"),
    "left": ("triangle-left", "#64748b", "left"),
    "gone": ("triangle-left-open", "#64748b", "went without leaving"),
    "was in it": ("triangle-right-open", "#16803c", "was in it (join not captured)"),
    "told in": ("triangle-right-open", "#b0741a", "came, by a notice"),
    "told out": ("triangle-left-open", "#b0741a", "left, by a notice"),
    "listed": ("circle-open", "#b0741a", "in a list of those there"),
}
"""Of each event its sign, its colour and its words."""


class Shown(NamedTuple):
    """The chart, and what it leaves out."""

    figure: go.Figure
    people: int
    """Who are not drawn."""
    posts: int
    """Which are not drawn."""


def timeline(
    events: Sequence[Event],
    stays: Sequence[Stay],
    posts: Sequence[tuple[FlowRun, int]],
    who: Callable[[str], str],
    clock: Callable[[int], str],
) -> Shown:
    """Return the chart; ``posts`` with the time of each; customdata of a point is its row."""
    authors = [plain_uri(one.user or "") for one, _ in posts]
    people = dict.fromkeys((*(one.user for one in events), *authors))
    lines = _lines(people, events, authors)
    figure = go.Figure()
    _stays(figure, [one for one in stays if one.user in lines], lines, clock)
    for what in MARKS:
        mine = [one for one in events if one.what == what and one.user in lines]
        _events(figure, what, mine, lines, clock)
    drawn = [
        (run, time, lines[author])
        for (run, time), author in zip(posts, authors, strict=True)
        if author in lines
    ][:MAX_MARKS]
    _posts(figure, drawn, clock)
    figure.update_layout(
        height=max(220, 120 + LINE * len(lines)),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"type": "date", "title": None},
        yaxis={
            "tickmode": "array",
            "tickvals": [*lines.values()],
            "ticktext": [plain(who(user)[:40]) for user in lines],
            "range": [len(lines) - 0.4, -0.6],
            "zeroline": False,
        },
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="closest",
        clickmode="event+select",
        uirevision="kept",
    )
    return Shown(figure, len(people) - len(lines), len(posts) - len(drawn))


def _lines(
    people: Iterable[str], events: Sequence[Event], authors: Sequence[str]
) -> dict[str, int]:
    """Return the line of each person: of too many those who did most, in the order they came."""
    weight: dict[str, int] = dict.fromkeys(people, 0)
    for event in events:
        weight[event.user] += 2 if event.session is not None else 1
    for author in authors:
        weight[author] += 3
    order = [*weight]
    most = set(sorted(order, key=lambda one: (-weight[one], order.index(one)))[:MAX_PEOPLE])
    return {user: line for line, user in enumerate(one for one in order if one in most)}


def _stays(
    figure: go.Figure, stays: Iterable[Stay], lines: dict[str, int], clock: Callable[[int], str]
) -> None:
    for seen, dash, name in ((True, "solid", "in the room"), (False, "dot", "in it, others say")):
        xs: list[str | None] = []
        ys: list[float | None] = []
        for stay in stays:
            if stay.seen is seen:
                xs += [clock(stay.begin), clock(stay.end), None]
                ys += [lines[stay.user], lines[stay.user], None]
        if xs:
            figure.add_trace(
                go.Scatter(
                    x=xs,
                    y=ys,
                    mode="lines",
                    name=name,
                    hoverinfo="skip",
                    line={"width": 5, "dash": dash, "color": "rgba(128,140,160,0.55)"},
                )
            )


def _events(
    figure: go.Figure,
    what: What,
    events: Sequence[Event],
    lines: dict[str, int],
    clock: Callable[[int], str],
) -> None:
    sign, colour, name = MARKS[what]
    if events:
        _marks(
            figure,
            name,
            [(clock(one.time), lines[one.user], one.row, one.how) for one in events],
            {"symbol": sign, "color": colour, "size": 12},
        )


def _posts(
    figure: go.Figure, drawn: Sequence[tuple[FlowRun, int, int]], clock: Callable[[int], str]
) -> None:
    for lost, sign, colour, name in (
        (False, "circle", "#2f7fd0", "wrote"),
        (True, "diamond", "#c81e2b", "wrote, and a copy was lost"),
    ):
        points = [
            (clock(time), line, run.row, run.outcome)
            for run, time, line in drawn
            if bool(lost_of(run)) is lost
        ]
        if points:
            _marks(figure, name, points, {"symbol": sign, "color": colour, "size": 9})


def _marks(
    figure: go.Figure,
    name: str,
    points: Sequence[tuple[str, int, int | None, str]],
    marker: dict[str, object],
) -> None:
    figure.add_trace(
        go.Scatter(
            x=[one[0] for one in points],
            y=[one[1] for one in points],
            customdata=[[one[2]] for one in points],
            text=[plain(f"{name}: {one[3]}") for one in points],
            hovertemplate="%{x}<br>%{text}<extra></extra>",
            mode="markers",
            name=name,
            marker=marker,
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    )
