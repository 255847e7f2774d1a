"""Folding: what says the same many times stands once, with how often.

Nothing is lost by it: a folded arrow has the rows and frames of all that it stands for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.ladder.values import Answer, Arrow
from analyzer.transaction_table import CHALLENGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from analyzer.ladder.values import Event, Tone

LONGEST = 4
"""Arrows of an exchange that is folded: a command, its 200, the reply and its 200."""
TONES: tuple[Tone, ...] = ("plain", "good", "doubtful", "bad")
"""From the mildest to the worst."""
SUCCESS = range(200, 300)


def worst(*tones: Tone) -> Tone:
    """Return the worst of some tones."""
    return max(tones, key=TONES.index)


def fold_answers(
    events: Sequence[Event], request_of: Callable[[int], int | None]
) -> list[Event | None]:
    """Put every 2xx into the arrow of its request; its own place becomes None.

    What is notable about an answer stays visible: one that was slow or is marked has its own arrow.

    Args:
        events: in order of time.
        request_of: gives the row of the request that a response answers.
    """
    found: list[Event | None] = list(events)
    place = {
        row: at
        for at, event in enumerate(events)
        if isinstance(event, Arrow) and event.kind == "request"
        for row in event.rows
    }
    for at, event in enumerate(events):
        if not isinstance(event, Arrow) or not _goes_without_saying(event):
            continue
        asked = request_of(event.rows[0])
        to = None if asked is None else place.get(asked)
        target = None if to is None else found[to]
        if to is None or not isinstance(target, Arrow) or target.answer is not None:
            continue
        found[at] = None
        found[to] = _answered(target, event)
    return found


def _goes_without_saying(event: Arrow) -> bool:
    success = event.status is not None and event.status in SUCCESS
    return success and not event.marks and event.heat == "quick"


def _answered(request: Arrow, event: Arrow) -> Arrow:
    answer = Answer(event.rows[0], event.frame, event.status or 0, event.label, event.latency_ms)
    return replace(
        request,
        answer=answer,
        rows=(*request.rows, *event.rows),
        frames=tuple(sorted({*request.frames, *event.frames})),
        hops=tuple(sorted((*request.hops, *event.hops), key=lambda hop: (hop.time, hop.row))),
    )


def fold_repeats(events: Sequence[Event], keys: Mapping[int, object]) -> list[Event | None]:
    """Fold like events that follow one another, single ones or exchanges of a few.

    Args:
        events: in order of time.
        keys: what else must be equal, by number of event: its step.

    Returns:
        As many as were given: None where an event was folded into an earlier one.
    """
    found: list[Event | None] = list(events)
    # A number for each that is alike: comparing numbers is what makes this cheap.
    numbers: dict[object, int] = {}
    alike = [
        -at - 1 if key is None else numbers.setdefault(key, len(numbers))
        for at, key in enumerate(_likeness(event, keys.get(at)) for at, event in enumerate(events))
    ]
    at = 0
    while at < len(events):
        width, times = _repeats(alike, at)
        for offset in range(width if times > 1 else 0):
            places = range(at + offset, at + offset + width * times, width)
            found[at + offset] = _together([events[place] for place in places])
            for place in places[1:]:
                found[place] = None
        at += width * times
    return found


def _repeats(alike: Sequence[int], at: int) -> tuple[int, int]:
    """Return how many events at a place are repeated behind it, and how often they stand there."""
    for width in range(1, LONGEST + 1):
        first = alike[at : at + width]
        if len(set(first)) < width:
            break  # a shorter one repeats within it; counting would look at all behind it again
        times = 1
        while alike[at + times * width : at + (times + 1) * width] == first:
            times += 1
        if times > 1:
            return width, times
    return 1, 1


def _likeness(event: Event, step: object) -> object:
    """Return what must be equal for two events to be alike; None: it is never folded."""
    if not isinstance(event, Arrow) or event.marks or event.tone in {"bad", "doubtful"}:
        return None
    if event.status in CHALLENGES:
        return None  # the rounds of an authentication are looked at one by one
    answered = None if event.answer is None else event.answer.status
    return (
        *(event.source, event.target, event.via, event.kind, event.label, event.status),
        *(event.session, answered, event.heat, step),
    )


def _together(events: Sequence[Event]) -> Arrow:
    arrows = [event for event in events if isinstance(event, Arrow)]
    first, count = arrows[0], len(arrows)
    slowest = max(arrows, key=lambda one: -1.0 if one.latency_ms is None else one.latency_ms)
    calls = {one.call_id for one in arrows}
    return replace(
        first,
        label=f"{first.label} ×{count}",
        text=f"{count} times, the first: {first.text}",
        rows=tuple(row for one in arrows for row in one.rows),
        frames=tuple(sorted({frame for one in arrows for frame in one.frames})),
        hops=tuple(
            sorted((hop for one in arrows for hop in one.hops), key=lambda hop: (hop.time, hop.row))
        ),
        latency_ms=slowest.latency_ms,
        latency_of=slowest.latency_of,
        call_id=first.call_id if len(calls) == 1 else None,
        count=count,
        until=arrows[-1].time,
        tone=worst(*(one.tone for one in arrows)),
    )


def kept(events: Sequence[Event | None]) -> Iterator[tuple[int, Event]]:
    """Yield what is left, each with the number that it had."""
    for at, event in enumerate(events):
        if event is not None:
            yield at, event
