"""Which events of a ladder belong together: a command and its reply, a request and its answer.

Only what the analysis says is told: brackets, what a latency was measured from, and the
transactions of the messages' own records. Nothing is guessed from labels or order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.ladder.values import Arrow, Bracket, Heat
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from analyzer.ladder.values import Ladder

_IN_FRAME = re.compile(r" in frame (\d+)$")
"""How ``Arrow.latency_of`` ends."""
TRACKS = 4
"""Brackets drawn beside one another; what finds no place is still told of when one asks for it."""
LONGEST = 300
"""Events that a drawn bracket spans; a longer one is never seen whole, and draws in each row."""
_BACK = {"reply": "command", "copy": "post", "answer": "request"}


@dataclass(frozen=True, slots=True)
class Link:
    """One event that another belongs to."""

    event: int
    kind: str
    """What that event is to this one: ``reply``, ``copy``, ``answer``, or back: ``command``,
    ``post``, ``request``."""
    text: str = ""
    """``after 480 ms``, where it is known."""


class Links:
    """The links of every event of a ladder."""

    def __init__(self, ladder: Ladder, answers: Mapping[int, int] | None = None) -> None:
        """``answers``: the row of the final answer by that of its request."""
        self._found: dict[int, dict[int, Link]] = {}
        for bracket in ladder.brackets:
            self._join(bracket.first, bracket.last, bracket.kind, _after(bracket.latency_ms))
        by_frame = _by_frame(ladder)
        by_row = _by_row(ladder)
        for number, event in enumerate(ladder.events):
            if isinstance(event, Arrow):
                named = _IN_FRAME.search(event.latency_of)
                first = by_frame.get(int(named[1])) if named and len(named[1]) < 19 else None
                if first is not None and first < number:
                    kind = "answer" if event.status is not None else "reply"
                    self._join(first, number, kind, _after(event.latency_ms))
        for request, answer in (answers or {}).items():
            first, last = by_row.get(request), by_row.get(answer)
            if first is not None and last is not None:
                self._join(first, last, "answer", "")

    def of(self, event: int) -> tuple[Link, ...]:
        """Return what an event belongs to, in order of time."""
        found = self._found.get(event)
        return tuple(found[other] for other in sorted(found)) if found else ()

    def _join(self, first: int, last: int, kind: str, text: str) -> None:
        if first != last:
            self._found.setdefault(first, {}).setdefault(last, Link(last, kind, text))
            self._found.setdefault(last, {}).setdefault(first, Link(first, _BACK[kind], text))


def _after(latency_ms: float | None) -> str:
    return "" if latency_ms is None else f"after {latency_text(latency_ms)}"


def _by_frame(ladder: Ladder) -> dict[int, int]:
    """Return the event that a frame completed; where it completed several, none can be told."""
    found: dict[int, int] = {}
    several: set[int] = set()
    for number, event in enumerate(ladder.events):
        if isinstance(event, Arrow) and found.setdefault(event.frame, number) != number:
            several.add(event.frame)
    return {frame: number for frame, number in found.items() if frame not in several}


def _by_row(ladder: Ladder) -> dict[int, int]:
    return {
        row: number
        for number, event in enumerate(ladder.events)
        if isinstance(event, Arrow)
        for row in (*event.rows, *([event.answer.row] if event.answer else ()))
    }


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a bracket beside one event."""

    track: int
    part: str
    """``first``, ``on``, ``stop`` (something that belongs to it, and more to come), ``last``."""
    heat: Heat


def stretches(brackets: Iterable[Bracket]) -> dict[int, list[Stretch]]:
    """Return what to draw of the brackets beside each event, by its number.

    The copies of one post hang on one line.
    """
    together: dict[tuple[str, int], list[Bracket]] = {}
    for bracket in brackets:
        if bracket.first < bracket.last <= bracket.first + LONGEST:
            together.setdefault((bracket.kind, bracket.first), []).append(bracket)
    free = [-1] * TRACKS
    found: dict[int, list[Stretch]] = {}
    for (_, first), those in sorted(together.items(), key=lambda one: one[0][1]):
        last = max(one.last for one in those)
        track = next((number for number, end in enumerate(free) if end < first), None)
        if track is not None:
            free[track] = last
            for event, stretch in _line(first, last, those, track):
                found.setdefault(event, []).append(stretch)
    return found


def _line(
    first: int, last: int, brackets: list[Bracket], track: int
) -> Iterator[tuple[int, Stretch]]:
    heats: dict[int, Heat] = {one.last: one.heat for one in brackets}
    worst: Heat = max((one.heat for one in brackets), key=("quick", "slow", "very-slow").index)
    for event in range(first, last + 1):
        part = "stop" if event in heats else "on"
        if event in (first, last):
            part = "first" if event == first else "last"
        yield event, Stretch(track, part, heats.get(event, worst))
