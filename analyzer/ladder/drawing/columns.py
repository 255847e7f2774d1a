"""Where the columns of a drawing stand: steps, times, frames, lanes, brackets; left to right.

Lanes move apart until the labels between them fit, within limits: the more lanes, the closer they
stay, so that a ladder of twenty lanes is still a page that someone can print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.ladder.drawing.chunks import text_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.ladder.drawing.fonts import Metrics

MARGIN = 24.0
STEP_WIDTH = 204.0
"""Of the cards of steps: most titles of the document's steps fit one line."""
SPACE = 16.0
"""Between two columns."""
LEAST_GAP = 116.0
"""Between two lanes: a head with an address, ``401 Unauthorized`` with its latency below it."""
EASY_GAP, EASY_WIDTH = 172.0, 860.0
"""Between two lanes where there are few: a head with a URI, a usual label with its latency. Lanes
get it as long as they are not wider together than this without need."""
MOST_GAP = 300.0
"""Between two lanes: a label longer than that is broken into lines."""
LANES_WIDTH = 1800.0
"""Lanes together, as long as they then have ``LEAST_GAP``: more than this no screen shows."""
HEAD_ROOM = 30.0
"""Left of a label and right of it, for the ends of the arrow."""
SELF_ROOM = 46.0
"""From the lane to the label of an arrow to itself."""
MOST_HEAD = 190.0
"""Width of a lane's head."""
TRACK = 11.0
"""Between two brackets side by side."""
MOST_BRACKET = 190.0
"""Width of the labels of brackets."""
LEAST_WIDTH = 560.0
"""Of a drawing: its title and legend need some room even with one lane."""


class Columns(NamedTuple):
    """Places from left to right, in pixels."""

    steps: float | None
    """Left edge of the cards; None without groups."""
    time: float
    """Right edge of the times."""
    utc: float | None
    """Right edge of the times in UTC, where the chosen zone is another one."""
    frame: float
    """Right edge of the frame numbers."""
    left: float
    """Edges of the lanes with their heads."""
    right: float
    lanes: tuple[float, ...]
    """Middles."""
    head: float
    """Half the width of a lane's head."""
    tracks: float
    """Of the first bracket."""
    labels: float
    """Left edge of the labels of brackets."""
    width: float
    """Of the whole drawing."""


def _gaps(count: int, needs: Mapping[tuple[int, int], float]) -> list[float]:
    """Return the distances of neighbouring lanes; ``needs`` by lanes in ascending order."""
    most = min(max(LANES_WIDTH / max(count - 1, 1), LEAST_GAP), MOST_GAP)
    least = min(max(EASY_WIDTH / max(count - 1, 1), LEAST_GAP), EASY_GAP)
    gaps = [least] * max(count - 1, 0)
    for (first, last), need in sorted(needs.items(), key=lambda one: one[0][1] - one[0][0]):
        if first == last:
            if first < len(gaps):
                gaps[first] = max(gaps[first], min(need + SELF_ROOM, most))
            continue
        lacking = need + HEAD_ROOM - sum(gaps[first:last])
        for at in range(first, last):
            if lacking <= 0:
                break
            more = min(lacking / (last - at), most - gaps[at])
            gaps[at] += max(more, 0)
            lacking -= max(more, 0)
    return [round(gap) for gap in gaps]


def _head(gaps: list[float]) -> float:
    """Return half the width of the heads: what the closest neighbours leave them."""
    return min([gap - 12 for gap in gaps] + [MOST_HEAD]) / 2


class Wanted(NamedTuple):
    """What the columns have to hold."""

    lanes: int
    needs: Mapping[tuple[int, int], float]
    """Widths of labels by the lanes they stand between, ascending; equal ones: to itself."""
    steps: bool
    times: tuple[str, ...]
    """The heading and the longest time."""
    utc: tuple[str, ...]
    """The same of the column of UTC; empty without one."""
    frames: tuple[str, ...]
    tracks: int
    brackets: float
    """Width of the widest label of a bracket; 0 without any."""


def _column(metrics: Metrics, texts: tuple[str, ...]) -> float:
    heading, *others = texts
    return max([text_width(metrics, heading, "column")]
               + [text_width(metrics, one, "time") for one in others])  # fmt: skip


def columns(metrics: Metrics, wanted: Wanted) -> Columns:
    """Return the places of all columns."""
    x = MARGIN
    steps = x if wanted.steps else None
    if wanted.steps:
        x += STEP_WIDTH + SPACE
    time = x = x + _column(metrics, wanted.times)
    utc = None
    if wanted.utc:
        utc = x = x + SPACE + _column(metrics, wanted.utc)
    frame = x = x + SPACE + _column(metrics, wanted.frames)
    left = x + SPACE + 4
    gaps = _gaps(wanted.lanes, wanted.needs)
    head = _head(gaps)
    lanes = [left + head] if wanted.lanes else []
    for gap in gaps:
        lanes.append(lanes[-1] + gap)
    right = _right(lanes, head, wanted.needs) if lanes else left
    tracks = right + 18
    labels = tracks + wanted.tracks * TRACK + 4
    end = labels + min(wanted.brackets, MOST_BRACKET) if wanted.brackets else right
    width = max(round(end + MARGIN), LEAST_WIDTH)
    places = (tuple(map(round, lanes)), head, tracks, labels, width)
    return Columns(steps, time, utc, frame, left, right, *places)


def _right(lanes: list[float], head: float, needs: Mapping[tuple[int, int], float]) -> float:
    """Return the right edge of the lanes: the last may have an arrow to itself."""
    last = len(lanes) - 1
    own = needs.get((last, last))
    loop = 0 if own is None else SELF_ROOM + min(own, MOST_GAP)
    return lanes[-1] + max(head, loop)
