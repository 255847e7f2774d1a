"""The layout of a plotly figure of a ladder: title, lanes and times as axes, steps as bands."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from analyzer.ladder.look import cut
from analyzer.ladder.text_cells import safe
from analyzer.ladder.values import Arrow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.ladder.look import Clock, Look
    from analyzer.ladder.text_words import Words
    from analyzer.ladder.values import Ladder, Lane

LABELLED = 400
"""Events up to which a figure is as high as they need; of more it shows some at a time."""
ROW = 30
"""Pixels from event to event."""
SHOWN = 40
"""Events that a longer ladder shows at first; the rest is a drag away."""
GROUPS = 200
"""Steps that are drawn: each is a shape, and plotly draws them one by one."""
HEADS = 160
"""Characters of small type that all heads of lanes have room for in a figure of common width."""
LEAST_HEAD = 10
LINE = 90
"""Characters of a line."""
_MARGIN = 125
# Okabe and Ito, which people with any colour blindness tell apart, darkened or lightened for text.
_LIGHT = {
    "plain": "#1f4e79",
    "good": "#00664b",
    "bad": "#b33c00",
    "doubtful": "#8a6100",
    "lane": "#9aa5b1",
    "text": "#1b1f24",
    "band": "rgba(90,110,130,0.08)",
}
_DARK = {
    "plain": "#8ecbf5",
    "good": "#3ddbb0",
    "bad": "#ff9a66",
    "doubtful": "#f2c14e",
    "lane": "#5f6b78",
    "text": "#e8eaed",
    "band": "rgba(190,205,220,0.09)",
}


def colours(look: Look) -> dict[str, str]:
    """Return the colours of tones, lanes, text and bands."""
    return _DARK if look.theme == "dark" else _LIGHT


def hypertext(text: str) -> str:
    """Return a text of a capture for plotly, which reads a few tags and entities."""
    return escape(safe(text, unicode=True), quote=False)


def _head(lane: Lane, room: int) -> str:
    lines = [hypertext(cut(one, max(room, LEAST_HEAD))) for one in (lane.title, lane.subtitle)]
    return f"<b>{lines[0]}</b><br><span style='font-size:10px'>{lines[1]}</span>"


class Layout:
    """Makes the layout of one ladder."""

    def __init__(self, ladder: Ladder, look: Look, words: Words, clock: Clock) -> None:
        self._ladder, self._look, self._words, self._clock = ladder, look, words, clock
        self._colours = colours(look)
        self.whole = len(ladder.events) <= LABELLED
        """The figure is as high as all events need."""
        befores = [None, *(event.time for event in ladder.events)]
        self.times = [
            clock.text(event.time, before)
            for event, before in zip(ladder.events, befores, strict=False)
        ]

    def values(self) -> dict[str, Any]:
        """Return title, axes, the bands of steps and the height."""
        count, lanes = len(self._ladder.events), self._ladder.lanes
        shown = count if self.whole else SHOWN
        title = hypertext(cut(self._ladder.title, LINE))
        subtitle = hypertext(cut(self._ladder.subtitle, LINE))
        hint = "" if self.whole else f", {SHOWN} of {count:,} events at a time: drag to move"
        return {
            "template": "plotly_dark" if self._look.theme == "dark" else "plotly_white",
            "title": {
                "text": f"{title}<br><sub>{subtitle}{hint}</sub>",
                "x": 0.01,
                "xanchor": "left",
            },
            "height": max(shown, 4) * ROW + _MARGIN + 60,
            "margin": {"t": _MARGIN, "b": 60, "l": 10, "r": 10},
            "hovermode": "closest",
            "dragmode": "pan",
            "legend": {"orientation": "h", "yanchor": "top", "y": 0, "x": 0},
            "xaxis": {
                "side": "top",
                "range": [-0.5, max(len(lanes), 1) + 0.1],  # steps at the right
                "tickvals": list(range(len(lanes))),
                "ticktext": [_head(lane, HEADS // (len(lanes) + 1)) for lane in lanes],
                "tickangle": 0,
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
            "yaxis": {
                "range": [shown - 0.4, -0.9],
                **self._ticks(),
                "showgrid": False,
                "zeroline": False,
                "automargin": True,
                "title": {"text": self._clock.heading},
            },
            "meta": {"description": self._description()},
            "shapes": list(self._bands()),
            "annotations": list(self._headings()),
        }

    def _description(self) -> str:
        """Return the figure in words, for what shows it to a screen reader."""
        arrows, lanes = len(self._ladder.arrows), ", ".join(one.title for one in self._ladder.lanes)
        title = cut(self._ladder.title, LINE)
        return hypertext(f"{title}: {arrows} arrows between {cut(lanes, 2 * LINE)}")

    def _ticks(self) -> dict[str, Any]:
        # A tick of each event, so that a zoomed figure has its times; plotly drops what is unseen.
        return {
            "tickmode": "array",
            "tickvals": list(range(len(self.times))),
            "ticktext": [
                f"{time}  #{event.frame}" if isinstance(event, Arrow) else time
                for time, event in zip(self.times, self._ladder.events, strict=True)
            ],
            "tickfont": {"size": 11, "family": "monospace"},
        }

    def _bands(self) -> Iterator[dict[str, Any]]:
        for group in self._ladder.groups[:GROUPS]:
            yield {
                "type": "rect",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": group.first - 0.65,
                "y1": group.last + 0.35,
                "fillcolor": self._colours["band"],
                "line": {"width": 0.5, "color": self._colours["lane"]},
                "layer": "below",
            }

    def _headings(self) -> Iterator[dict[str, Any]]:
        for group in self._ladder.groups[:GROUPS]:
            step = self._words.step(group)
            tone = step.style if step.style in self._colours else "text"
            yield {
                "text": hypertext(f"{cut(step.title, 36)}  {step.status}"),
                "hovertext": hypertext(cut(step.detail, LINE)),
                "xref": "paper",
                "x": 1,
                "xanchor": "right",
                "align": "right",
                "y": group.first - 0.62,
                "yanchor": "top",
                "showarrow": False,
                "font": {"size": 11, "color": self._colours[tone]},
            }
