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

LOOK_AHEAD = 200
"""Events after a request among which its answer is looked for: a second or two of traffic."""
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
        if not isinstance(event, Arrow) or event.status not in SUCCESS:
            continue
        asked = request_of(event.rows[0])
        to = None if asked is None else place.get(asked)
        target = None if to is None else found[to]
        if to is None or not isinstance(target, Arrow) or target.answer is not None:
            continue
        answer = Answer(
            event.rows[0], event.frame, event.status or 0, event.label, event.latency_ms
        )
        found[at] = None
        found[to] = replace(
            target,
            answer=answer,
            rows=(*target.rows, *event.rows),
            frames=tuple(sorted({*target.frames, *event.frames})),
        )
    return found


def fold_repeats(events: Sequence[Event], keys: Mapping[int, object]) -> list[Event | None]:
    """Fold like events that follow one another, single ones or exchanges of two.

    Args:
        events: in order of time.
        keys: what else must be equal, by number of event: its step.

    Returns:
        As many as were given: None where an event was folded into an earlier one.
    """
    found: list[Event | None] = list(events)
    at = 0
    while at < len(events):
        for width in (1, 2):
            times = _times(events, keys, at, width)
            if times > 1:
                for offset in range(width):
                    places = range(at + offset, at + offset + width * times, width)
                    found[at + offset] = _together([events[place] for place in places])
                    for place in places[1:]:
                        found[place] = None
                at += width * times
                break
        else:
            at += 1
    return found


def _times(events: Sequence[Event], keys: Mapping[int, object], at: int, width: int) -> int:
    """Return how often the ``width`` events at a place stand there one after the other."""
    first = [_likeness(events, keys, at + offset) for offset in range(width)]
    if None in first or at + width > len(events) or len(set(first)) < width:
        return 1
    times = 1
    while at + (times + 1) * width <= len(events):
        start = at + times * width
        if [_likeness(events, keys, start + offset) for offset in range(width)] != first:
            break
        times += 1
    return times


def _likeness(events: Sequence[Event], keys: Mapping[int, object], at: int) -> object:
    """Return what must be equal for two events to be alike; None: it is never folded."""
    event = events[at] if at < len(events) else None
    if not isinstance(event, Arrow) or event.marks or event.tone in {"bad", "doubtful"}:
        return None
    if event.status in CHALLENGES:
        return None  # the rounds of an authentication are looked at one by one
    answered = None if event.answer is None else event.answer.status
    return (
        *(event.source, event.target, event.via, event.kind, event.label, event.status),
        *(event.session, answered, event.heat, keys.get(at)),
    )


def _together(events: Sequence[Event]) -> Arrow:
    arrows = [event for event in events if isinstance(event, Arrow)]
    first, count = arrows[0], len(arrows)
    slowest = max((one.latency_ms for one in arrows if one.latency_ms is not None), default=None)
    return replace(
        first,
        label=f"{first.label} ×{count}",
        text=f"{count} times, the first: {first.text}",
        rows=tuple(row for one in arrows for row in one.rows),
        frames=tuple(sorted({frame for one in arrows for frame in one.frames})),
        hops=tuple(hop for one in arrows for hop in one.hops),
        latency_ms=slowest,
        count=count,
        until=arrows[-1].time,
        tone=worst(*(one.tone for one in arrows)),
    )


def kept(events: Sequence[Event | None]) -> Iterator[tuple[int, Event]]:
    """Yield what is left, each with the number that it had."""
    for at, event in enumerate(events):
        if event is not None:
            yield at, event
