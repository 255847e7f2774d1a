"""Brackets, right of the lanes: from a command to its reply, from a post to its copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.export.printable import printable
from analyzer.ladder.drawing.captions import HEAT_INKS, HEAT_WORDS
from analyzer.ladder.drawing.chunks import Chunk, chunk, drawn_line, narrowed
from analyzer.ladder.drawing.columns import MOST_BRACKET, TRACK
from analyzer.ladder.drawing.primitives import Circle, Command, Item, Part, Path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.ladder.drawing.columns import Columns
    from analyzer.ladder.drawing.fonts import Metrics
    from analyzer.ladder.drawing.tracks import Track
    from analyzer.ladder.values import Bracket, Heat

_ORDER: tuple[Heat, ...] = ("quick", "slow", "very-slow")
_MOST_AT_ONCE = 2
"""Labels that fit a row: a message with more replies in it names the first and counts the rest."""
_LABEL = 60
HEADING = "reply or copy"
"""Over the labels."""


def _label(metrics: Metrics, bracket: Bracket) -> Chunk:
    text = printable(bracket.label[:_LABEL])
    word = HEAT_WORDS[bracket.heat]
    if not word:
        return chunk(metrics, "latency", text)
    ink = HEAT_INKS[bracket.heat]
    return chunk(metrics, f"latency-{bracket.heat}", f"{text} {word}", "clock", ink)


def label_width(metrics: Metrics, bracket: Bracket) -> float:
    """Return the width of a bracket's label, at most ``MOST_BRACKET``."""
    return min(_label(metrics, bracket).width, MOST_BRACKET)


def _style(heat: Heat) -> str:
    return "track" if heat == "quick" else f"track-{heat}"


def bracket_items(
    metrics: Metrics,
    columns: Columns,
    tracks: list[Track],
    rows: tuple[int, int],
    place: Callable[[int], float],
) -> Iterator[Item]:
    """Yield what is seen of brackets between two rows (inclusive); ``place`` gives a row's line.

    One that begins above or ends below is open there.
    """
    first, last = rows
    ends: dict[int, list[Bracket]] = {}
    for track in tracks:
        if track.last < first or track.first > last:
            continue
        if track.column is not None:
            yield _line(columns, track, rows, place)
        for one in track.brackets:
            if first <= one.last <= last:
                ends.setdefault(one.last, []).append(one)
    for row, met in sorted(ends.items()):
        yield _labels(metrics, columns, met, place(row))


def _line(
    columns: Columns, track: Track, rows: tuple[int, int], place: Callable[[int], float]
) -> Item:
    first, last = rows
    x = columns.tracks + TRACK * (track.column or 0)
    left = columns.right + 6
    # Half a row beyond the edge where it goes on: it is cut, not ended.
    top = place(track.first) if track.first >= first else place(first) - 14
    bottom = place(track.last) if track.last <= last else place(last) + 10
    commands: list[Command] = []
    parts: list[Part] = []
    if track.first >= first:
        commands += [("M", left, top), ("L", x, top)]
        parts.append(Circle(left, top, 2.5, "solid-muted"))
    else:
        commands.append(("M", x, top))
    commands.append(("L", x, bottom))
    seen = [one for one in track.brackets if first <= one.last <= last]
    # What one slow copy among many took is no matter of the others.
    common = min((one.heat for one in track.brackets), key=_ORDER.index)
    for row in sorted({one.last for one in seen if one.heat == common}):
        commands += _end(columns, x, place(row))
    parts.insert(0, Path(tuple(commands), _style(common)))
    parts += [
        Path(_end(columns, x, place(one.last)), _style(one.heat))
        for one in seen
        if one.heat != common
    ]
    return Item("bracket", tuple(parts))


def _end(columns: Columns, x: float, y: float) -> tuple[Command, ...]:
    return (("M", x, y), ("L", columns.labels - 4, y))


def _labels(metrics: Metrics, columns: Columns, met: list[Bracket], y: float) -> Item:
    """Return the labels of the brackets that end in a row, one under the other."""
    kept = met if len(met) <= _MOST_AT_ONCE else met[: _MOST_AT_ONCE - 1]
    labels = [narrowed(metrics, _label(metrics, one), MOST_BRACKET) for one in kept]
    if len(kept) < len(met):
        labels.append(chunk(metrics, "latency", f"and {len(met) - len(kept)} more"))
    parts: list[Part] = []
    for number, one in enumerate(labels):
        parts += drawn_line([one], columns.labels, y + 4 - 13 * (len(labels) - 1 - number))
    return Item("bracket", tuple(parts), "\n".join(printable(one.label) for one in met[:20]))
