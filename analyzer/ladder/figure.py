"""Ladders as plotly figures, for notebooks and the dashboard.

Lanes stand on x, events on y in order, not to scale. Every arrow head is a marker that can be
clicked: its ``customdata`` is its row, its frame and its number in the ladder. Markers differ in
symbol and not in colour alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.extras import MissingExtra
from analyzer.ladder.figure_layout import Layout, colours, hypertext
from analyzer.ladder.look import Clock, cut
from analyzer.ladder.text_cells import UNICODE
from analyzer.ladder.text_words import Words
from analyzer.ladder.values import Arrow
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plotly.graph_objects import Figure

    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Ladder, Note

HOVER = 90
"""Characters of a line of hover text."""
_NAMES = {"plain": "message", "good": "success", "bad": "error or loss", "doubtful": "doubtful"}
_DASHES = {"request": "solid", "response": "dash", "connection": "dot"}


def figure_of(ladder: Ladder, look: Look) -> Figure:
    """Return a ladder as a figure.

    Raises MissingExtra, with one line for people, where plotly is not installed.
    """
    try:
        from plotly.graph_objects import Figure  # an extra, and slow to load
    except ImportError as error:
        raise MissingExtra("plotly", "plot") from error
    drawn = _Figure(ladder, look)
    return Figure({"data": list(drawn.traces()), "layout": drawn.layout.values()})


class _Figure:
    def __init__(self, ladder: Ladder, look: Look) -> None:
        self._ladder, self._look = ladder, look
        self._clock = Clock(ladder, look)
        self._words = Words(ladder, self._clock, UNICODE)
        self._colours = colours(look)
        self.layout = Layout(ladder, look, self._words, self._clock)

    def traces(self) -> Iterator[dict[str, Any]]:
        """Yield lanes, lines by kind and tone, labels, and arrow heads by tone."""
        yield self._lanes()
        kinds = sorted({(arrow.kind, arrow.tone) for arrow in self._ladder.arrows})
        for kind, tone in kinds:
            yield self._lines(kind, tone)
        yield from self._crossings()
        yield self._labels()
        for tone in ("plain", "good", "doubtful", "bad"):
            heads = [number for number, event in enumerate(self._ladder.events)
                     if isinstance(event, Arrow) and event.tone == tone]  # fmt: skip
            if heads:
                yield self._heads(tone, heads)
        if any(not isinstance(event, Arrow) for event in self._ladder.events):
            yield self._notes()

    def _lanes(self) -> dict[str, Any]:
        count = len(self._ladder.lanes)
        last = max(len(self._ladder.events) - 0.5, 0.5)
        return {
            "type": "scattergl",
            "mode": "lines",
            "x": [x for lane in range(count) for x in (lane, lane, None)],
            "y": [-0.5, last, None] * count,
            "line": {"color": self._colours["lane"], "width": 1},
            "hoverinfo": "skip",
            "showlegend": False,
            "name": "lanes",
        }

    def _lines(self, kind: str, tone: str) -> dict[str, Any]:
        xs: list[float | None] = []
        ys: list[float | None] = []
        for number, event in enumerate(self._ladder.events):
            if isinstance(event, Arrow) and event.kind == kind and event.tone == tone:
                points = _points(event, number)
                xs += [x for x, _ in points] + [None]
                ys += [y for _, y in points] + [None]
        return {
            "type": "scattergl",
            "mode": "lines",
            "x": xs,
            "y": ys,
            "line": {"color": self._colours[tone], "width": 1.5, "dash": _DASHES[kind]},
            "hoverinfo": "skip",
            "showlegend": False,
            "name": f"{kind}, {_NAMES[tone]}",
        }

    def _labels(self) -> dict[str, Any]:
        arrows = [(number, event) for number, event in enumerate(self._ladder.events)
                  if isinstance(event, Arrow)]  # fmt: skip
        return {
            # As SVG they are sharper; of thousands only WebGL draws those in sight fast enough.
            "type": "scatter" if self.layout.whole else "scattergl",
            "mode": "text",
            "x": [_middle(event) for _, event in arrows],
            "y": [number - 0.1 for number, _ in arrows],
            "text": [self._label(event) for _, event in arrows],
            "textposition": "top center",
            "textfont": {"size": 11, "color": [self._colours[event.tone] for _, event in arrows]},
            "hoverinfo": "skip",
            "showlegend": False,
            "name": "labels",
        }

    def _crossings(self) -> Iterator[dict[str, Any]]:
        """Yield where arrows go through a lane between their ends, and holes from lane to lane."""
        through = [(lane, number) for number, event in enumerate(self._ladder.events)
                   if isinstance(event, Arrow) for lane in event.via]  # fmt: skip
        if through:
            yield {
                "type": "scattergl",
                "mode": "markers",
                "x": [lane for lane, _ in through],
                "y": [number for _, number in through],
                "marker": {"size": 7, "symbol": "circle-open", "color": self._colours["plain"]},
                "hoverinfo": "skip",
                "name": "passed through",
            }
        holes = [(number, event) for number, event in enumerate(self._ladder.events)
                 if not isinstance(event, Arrow) and event.kind == "hole"]  # fmt: skip
        if holes:
            last = len(self._ladder.lanes) - 1
            yield {
                "type": "scattergl",
                "mode": "lines",
                "x": [x for _, note in holes
                      for x in (min(note.lanes, default=0), max(note.lanes, default=last), None)],
                "y": [y for number, _ in holes for y in (number, number, None)],
                "line": {"color": self._colours["doubtful"], "width": 3, "dash": "dot"},
                "hoverinfo": "skip",
                "showlegend": False,
                "name": "holes",
            }  # fmt: skip

    def _label(self, arrow: Arrow) -> str:
        shown = cut(self._words.label(arrow), self._look.label)
        latency = latency_text(arrow.latency_ms)
        heat = {"slow": " slow!", "very-slow": " very slow!!"}.get(arrow.heat, "")
        marks = "".join(f", {mark}" for mark in arrow.marks)
        return hypertext(f"{shown}{f' · {latency}{heat}' if latency else ''}{cut(marks, 40)}")

    def _heads(self, tone: str, numbers: list[int]) -> dict[str, Any]:
        arrows = [self._ladder.events[number] for number in numbers]
        drawn = [arrow for arrow in arrows if isinstance(arrow, Arrow)]
        return {
            "type": "scattergl",
            "mode": "markers",
            "x": [_tip(arrow) for arrow in drawn],
            "y": [number + (0.25 if arrow.source == arrow.target else 0)
                  for number, arrow in zip(numbers, drawn, strict=True)],
            "marker": {
                "size": 11,
                "color": self._colours[tone],
                "symbol": [_symbol(arrow) for arrow in drawn],
                "line": {"width": 1, "color": self._colours[tone]},
            },
            "customdata": [
                [arrow.rows[0] if arrow.rows else None, arrow.frame, number]
                for number, arrow in zip(numbers, drawn, strict=True)
            ],
            "hovertext": [self._hover(number, arrow)
                          for number, arrow in zip(numbers, drawn, strict=True)],
            "hoverinfo": "text",
            "name": _NAMES[tone],
        }  # fmt: skip

    def _hover(self, number: int, arrow: Arrow) -> str:
        lines = [f"<b>{hypertext(cut(arrow.label, HOVER))}</b>", hypertext(cut(arrow.text, HOVER))]
        lines.append(f"frame {arrow.frame}, {self.layout.times[number]}")
        lines.append(self._clock.utc(arrow.time))
        remarks = (remark.text for remark in self._words.remarks(number))
        lines += [hypertext(cut(remark, HOVER)) for remark in remarks]
        return "<br>".join(lines)

    def _notes(self) -> dict[str, Any]:
        notes = [(number, event) for number, event in enumerate(self._ladder.events)
                 if not isinstance(event, Arrow)]  # fmt: skip
        return {
            "type": "scatter",
            "mode": "markers+text",
            "x": [_place(note) for _, note in notes],
            "y": [number for number, _ in notes],
            "text": [hypertext(f"{self._sign(note)}{cut(note.label, self._look.label)}")
                     for _, note in notes],
            "textposition": "top right",
            "textfont": {"size": 11, "color": [self._colours[note.tone] for _, note in notes]},
            "marker": {
                "size": 11,
                "color": [self._colours[note.tone] for _, note in notes],
                "symbol": ["x-thin-open" if note.kind == "hole" else "diamond"
                           for _, note in notes],
                "line": {"width": 2},
            },
            "customdata": [
                [None, note.frames[0] if note.frames else None, number] for number, note in notes
            ],
            "hovertext": [
                f"{hypertext(cut(self._words.note(note), HOVER))}<br>{self._clock.utc(note.time)}"
                for _, note in notes
            ],
            "hoverinfo": "text",
            "name": "note",
        }  # fmt: skip

    def _sign(self, note: Note) -> str:
        return "≈ " if note.kind == "hole" else self._words.sign(note.tone)


def _points(arrow: Arrow, number: int) -> list[tuple[float, float]]:
    if arrow.source != arrow.target:
        return [(arrow.source, number), (arrow.target, number)]
    return [(arrow.source, number - 0.05), (arrow.source + 0.12, number - 0.05),
            (arrow.source + 0.12, number + 0.25), (arrow.source, number + 0.25)]  # fmt: skip


def _middle(arrow: Arrow) -> float:
    if arrow.source == arrow.target:
        return arrow.source + 0.4
    return (arrow.source + arrow.target) / 2


def _tip(arrow: Arrow) -> float:
    """Return where the middle of the head is, so that its tip is at the lane."""
    if arrow.target == arrow.source:
        return arrow.target + 0.03
    return arrow.target - 0.03 if arrow.target > arrow.source else arrow.target + 0.03


def _symbol(arrow: Arrow) -> str:
    """Return the marker of a head: the way it points, filled, open or crossed by its tone."""
    way = "right" if arrow.target > arrow.source else "left"
    if arrow.tone == "bad":
        return "x"
    if arrow.tone == "doubtful":
        return f"triangle-{way}-open-dot"
    return f"triangle-{way}-open" if arrow.kind == "response" else f"triangle-{way}"


def _place(note: Note) -> float:
    return min(note.lanes, default=0) + 0.04
