"""The plan of a drawing: every width and height, measured once for the whole ladder.

However the ladder is then cut into sheets, the lanes stand in the same places on all of them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.ladder.drawing import tracks
from analyzer.ladder.drawing.brackets import HEADING as BRACKETS
from analyzer.ladder.drawing.brackets import label_width
from analyzer.ladder.drawing.captions import caption
from analyzer.ladder.drawing.cards import card_height
from analyzer.ladder.drawing.chunks import text_width
from analyzer.ladder.drawing.columns import Columns, Wanted, columns
from analyzer.ladder.drawing.rows import Row, arrow_row, note_row
from analyzer.ladder.look import Clock
from analyzer.ladder.values import Arrow

if TYPE_CHECKING:
    from analyzer.ladder.drawing.captions import Caption
    from analyzer.ladder.drawing.fonts import Metrics
    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Event, Ladder, Lane

_TALL = 24.0
"""How far the line of a row runs under its top at least, if something stands over its margins."""


class Times(NamedTuple):
    """The texts of the columns left of the lanes, one an event."""

    heading: str
    shown: list[str]
    utc: list[str]
    """Empty where the times are in UTC already, or not of the day."""
    days: list[str]
    """The date where it begins, else empty; all empty where times are not of the day."""
    frames: list[str]


class Plan(NamedTuple):
    """All that is needed to draw any part of a ladder."""

    ladder: Ladder
    look: Look
    metrics: Metrics
    clock: Clock
    columns: Columns
    rows: list[Row]
    times: Times
    tracks: list[tracks.Track]


def aside(arrow: Arrow, lanes: tuple[Lane, ...]) -> list[Lane]:
    """Return the lanes that an arrow passed without crossing them in the drawing."""
    first, last = sorted((arrow.source, arrow.target))
    return [lanes[via] for via in arrow.via if not first < via < last and via not in (first, last)]


def _frame(event: Event) -> str:
    if isinstance(event, Arrow):
        return str(event.frame)
    return str(event.frames[0]) if event.frames else ""


def _times(ladder: Ladder, look: Look, clock: Clock) -> Times:
    shown, utc, days = [], [], []
    before: int | None = None
    day = ""
    absolute = look.times == "absolute"
    for event in ladder.events:
        time = event.time
        shown.append(clock.text(time, before))
        before = time
        if not absolute:
            days.append("")
            continue
        today = clock.local(time)[:10]
        days.append("" if today == day else today)
        day = today
        if clock.zone(time) != "UTC":
            utc.append(clock.utc(time)[11:-4])
        elif utc:
            utc.append(shown[-1])
    if len(utc) < len(shown):  # a zone that is UTC for a part of the time
        utc = [clock.utc(event.time)[11:-4] for event in ladder.events] if utc else []
    return Times(clock.heading, shown, utc, days, [_frame(event) for event in ladder.events])


def _needs(ladder: Ladder, captions: list[Caption | None]) -> dict[tuple[int, int], float]:
    needs: dict[tuple[int, int], float] = {}
    for event, one in zip(ladder.events, captions, strict=True):
        if isinstance(event, Arrow) and one is not None:
            source, target = event.source, event.target
            key = (source, target) if source < target else (target, source)
            needs[key] = max(needs.get(key, 0), one.natural)
    return needs


def _longest(heading: str, texts: list[str]) -> tuple[str, ...]:
    return (heading, max(texts, key=len)) if texts else (heading,)


def _bracket_width(metrics: Metrics, ladder: Ladder) -> float:
    widths = [label_width(metrics, one) for one in ladder.brackets]
    return max([*widths, text_width(metrics, BRACKETS, "column")]) if widths else 0


def plan_of(ladder: Ladder, look: Look, metrics: Metrics) -> Plan:
    """Return the plan of a ladder for fonts of these widths."""
    clock = Clock(ladder, look)
    times = _times(ladder, look, clock)
    captions = [
        caption(metrics, event, look, aside(event, ladder.lanes))
        if isinstance(event, Arrow)
        else None
        for event in ladder.events
    ]
    made = tracks.tracks(ladder.brackets)
    wanted = Wanted(
        lanes=len(ladder.lanes),
        needs=_needs(ladder, captions),
        steps=bool(ladder.groups),
        times=_longest(times.heading, times.shown),
        utc=_longest("UTC", times.utc) if times.utc else (),
        frames=_longest("frame", times.frames),
        tracks=tracks.width(made),
        brackets=_bracket_width(metrics, ladder),
    )
    placed = columns(metrics, wanted)
    rows = [
        arrow_row(metrics, placed, event, one)
        if isinstance(event, Arrow) and one is not None
        else note_row(metrics, placed, event, look)  # type: ignore[arg-type]
        for event, one in zip(ladder.events, captions, strict=True)
    ]
    _tall(rows, times, ladder)
    _widen(ladder, rows, metrics)
    return Plan(ladder, look, metrics, clock, placed, rows, times, made)


def _tall(rows: list[Row], times: Times, ladder: Ladder) -> None:
    """Give rows the room over their line for a date, or for two labels of brackets."""
    ends = Counter(one.last for one in ladder.brackets)
    wanted = [number for number, day in enumerate(times.days) if day]
    wanted += [number for number, count in ends.items() if count > 1]
    for number in wanted:
        row = rows[number]
        if row.line < _TALL:
            rows[number] = row._replace(height=row.height + _TALL - row.line, line=_TALL)


def _widen(ladder: Ladder, rows: list[Row], metrics: Metrics) -> None:
    """Give the last row of each step the height that the step's card lacks."""
    flow = ""
    for group in ladder.groups:
        have = sum([row.height for row in rows[group.first : group.last + 1]])
        lacking = card_height(metrics, group, heading=group.flow != flow) - have
        flow = group.flow
        if lacking > 0:
            last = rows[group.last]
            rows[group.last] = last._replace(height=last.height + round(lacking))
