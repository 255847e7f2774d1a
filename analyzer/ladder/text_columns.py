"""Where things stand on the lines of a text ladder: frame, time, lanes, remarks.

The width is given. Where lanes would stand too near to one another, remarks go under their arrows;
where that is not enough, there are no lanes: each arrow is a line with the names at its ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING

from analyzer.ladder.text_cells import cells, cut_cells, safe, wrapped
from analyzer.ladder.values import Arrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.ladder.text_cells import Signs
    from analyzer.ladder.values import Event, Ladder

WIDTH = 100
"""Columns, where nobody said how many: fits a mail, a ticket and half a screen."""
LEAST_WIDTH = 40
"""Narrower than that no line says anything; it is drawn as wide as this."""
LEAST_PITCH = 8
"""From lane to lane: a shorter arrow has no room for its line and head beside a crossing."""
MOST_PITCH = 26
"""Longer arrows carry no more, and the eye loses the line."""
LEAST_REMARKS = 18
"""``after 12.0 ms``, ``retransmission``, and words of a longer remark, line by line."""
MOST_REMARKS = 44
REMARKS_SHARE = 0.34
"""Of the room for lanes and remarks."""
GAP = 2
HEAD_LINES = 2
"""Lines over a lane for its name."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one ladder."""

    width: int
    frame: int
    time: int
    lanes: tuple[int, ...]
    """The cell of each lane, counted from the beginning of the line; empty: no room for lanes."""
    remarks: int | None
    """The cell where remarks begin; None: they stand under their arrows."""

    @property
    def begin(self) -> int:
        """The cell behind frame and time."""
        return self.frame + self.time + 2 * GAP


def columns_of(ladder: Ladder, width: int | None, times: Sequence[str], heading: str) -> Columns:
    """Lay out a ladder; ``times`` are those of its events as they are shown."""
    whole = max(width or WIDTH, LEAST_WIDTH)
    frame = max([5, *(len(frame_text(event)) for event in ladder.events)])
    time = max([len(heading), *map(len, times)])
    begin = frame + time + 2 * GAP
    room = whole - begin - 1
    gaps = len(ladder.lanes) - 1
    if gaps < 1:
        alone = ladder.lanes and room >= 2 * LEAST_PITCH + LEAST_REMARKS
        lanes: tuple[int, ...] = (begin,) if alone else ()
        return Columns(whole, frame, time, lanes, begin + min(room // 2, MOST_PITCH) + GAP)
    asked = min(max(round(room * REMARKS_SHARE), LEAST_REMARKS), MOST_REMARKS)
    beside = (room - asked - GAP) // gaps
    pitch = min(beside if beside >= LEAST_PITCH else room // gaps, MOST_PITCH)
    if pitch < LEAST_PITCH:
        return Columns(whole, frame, time, (), None)
    lanes = tuple(begin + number * pitch for number in range(gaps + 1))
    end = lanes[-1] + 1 + GAP
    return Columns(whole, frame, time, lanes, end if beside >= LEAST_PITCH else None)


def frame_text(event: Event) -> str:
    """Return the frame of an event; of a note the first, if it has one."""
    if isinstance(event, Arrow):
        return str(event.frame)
    return str(event.frames[0]) if event.frames else ""


def heads(ladder: Ladder, columns: Columns, *, unicode: bool) -> list[list[str]]:
    """Return for each lane the lines of its head: its name, or a letter where that has no room."""
    titles = [safe(lane.title, unicode=unicode) for lane in ladder.lanes]
    if not columns.lanes:
        return [[one] for one in _names(titles, columns)]
    pitch = columns.lanes[1] - columns.lanes[0] if len(columns.lanes) > 1 else MOST_PITCH
    found = [wrapped(title, pitch - 1) for title in titles]
    fitting = [len(one) <= HEAD_LINES and cells(title) == _cells_of(one)
               for one, title in zip(found, titles, strict=True)]  # fmt: skip
    return [one if fits and one else [letter(number)]
            for number, (one, fits) in enumerate(zip(found, fitting, strict=True))]  # fmt: skip


def _names(titles: list[str], columns: Columns) -> list[str]:
    """Return what stands at the ends of arrows without lanes: names, or letters for them all."""
    room = (columns.width - columns.begin) // 2
    if 2 * max(map(cells, titles), default=0) <= room:
        return titles
    return [letter(number) for number in range(len(titles))]


def _cells_of(lines: list[str]) -> int:
    return sum(map(cells, lines)) + len(lines) - 1


def letter(number: int) -> str:
    """Return the short name of a lane: A to Z, then A1, B1."""
    round_, place = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(round_) if round_ else "")


def key_lines(
    ladder: Ladder, shown: Sequence[Sequence[str]], width: int, signs: Signs, *, unicode: bool
) -> list[str]:
    """Return who the lanes are: letter or name, and what else is known of it."""
    rows = [
        (
            head[0] if list(head) == [letter(number)] and head[0] != lane.title else "",
            safe(lane.title, unicode=unicode),
            safe(lane.subtitle, unicode=unicode),
        )
        for number, (lane, head) in enumerate(zip(ladder.lanes, shown, strict=True))
    ]
    short = max((len(row[0]) for row in rows), default=0)
    titles = min(max((cells(row[1]) for row in rows), default=0), width // 3)
    lines = []
    for alias, title, subtitle in rows:
        name = cut_cells(title, titles, signs.cut)
        begin = " " * GAP + (f"{alias:<{short}}{' ' * GAP}" if short else "")
        begin += name + " " * (titles - cells(name) + GAP)
        lines += hanging(begin, subtitle, width)
    return lines


def hanging(begin: str, text: str, width: int) -> list[str]:
    """Return a text broken to a width behind its beginning, the further lines indented."""
    indent = cells(begin)
    first, *further = wrapped(text, max(width - indent, 1)) or [""]
    return [(begin + first).rstrip(), *(" " * indent + line for line in further)]
