"""Whether the turns of a script can be said in an order: answers after requests, no circles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.problem import error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.replay.problem import Problem
    from analyzer.replay.script import Script, Turn

NAMED = 8
"""Turns of a circle that are named."""


def check_order(script: Script) -> Iterator[Problem]:
    """Yield answers without requests, circles, and waiting for what nobody waits for."""
    places = {turn.id: at for at, turn in enumerate(script.turns)}
    for at, turn in enumerate(script.turns):
        if turn.answers is not None:
            yield from _answer(turn, at, script.turns, places)
        yield from _waits(turn, script.turns, places)
    yield from _unasked(script.turns)
    yield from _circles(script.turns, places)


def _unasked(turns: Sequence[Turn]) -> Iterator[Problem]:
    """Yield one warning for all answers without requests: a capture that lost some has many."""
    ids = [one.id for one in turns if one.live and not one.is_request and one.answers is None]
    if ids:
        count = len(ids) - 1
        verb = "is" if count == 1 else "are"
        more = f"; so {verb} {count} more: {', '.join(ids[1:NAMED])}" if count else ""
        more += " ..." if len(ids) > NAMED else ""
        yield warning(f"turn {ids[0]}", f"is a response, and says not which turn it answers{more}")


def waits_for(turn: Turn) -> tuple[str, ...]:
    """Return the turns that must have been before."""
    return tuple(dict.fromkeys(filter(None, (turn.answers, turn.cause, *turn.after))))


def _answer(
    turn: Turn, at: int, turns: Sequence[Turn], places: Mapping[str, int]
) -> Iterator[Problem]:
    place = f"turn {turn.id}"
    if turn.is_request:
        yield error(place, f"is a request, and cannot answer {turn.answers}")
    number = places.get(turn.answers or "")
    if number is None:
        return
    request = turns[number]
    if not request.is_request:
        yield error(place, f"answers {request.id}, which is a response")
        return
    if number > at:
        yield error(place, f"stands before {request.id}, the request that it answers")
    if (turn.speaker, turn.listener) != (request.listener, request.speaker):
        yield error(
            place,
            f"answers {request.id}, which {request.speaker} says to {request.listener}, "
            f"but is said by {turn.speaker} to {turn.listener}",
        )
    if request.message.method == "ACK":
        yield error(place, f"answers {request.id}: an ACK has no answer (RFC 3261 17.1)")


def _waits(turn: Turn, turns: Sequence[Turn], places: Mapping[str, int]) -> Iterator[Problem]:
    if not turn.live:
        return
    for name in waits_for(turn):
        one = turns[places[name]] if name in places else None
        if one is None or one is turn:
            continue
        if not one.live:
            yield warning(
                f"turn {turn.id}", f"waits for {name}, which only a regenerated capture has"
            )
        elif one.optional and name in turn.after:
            yield warning(f"turn {turn.id}", f"waits for {name}, which is optional")


def _circles(turns: Sequence[Turn], places: Mapping[str, int]) -> Iterator[Problem]:
    """Yield an error where turns wait for one another, for whatever cannot be said therefore."""
    ahead = [{places[name] for name in waits_for(turn) if name in places} for turn in turns]
    stuck = _left(ahead)
    if not stuck:
        return
    behind: list[set[int]] = [set() for _ in turns]
    for at in stuck:
        for other in ahead[at] & stuck:
            behind[other].add(at)
    circle = sorted(_left(behind, stuck))
    named = ", ".join(turns[at].id for at in circle[:NAMED])
    more = f" and {len(circle) - NAMED} more" if len(circle) > NAMED else ""
    if len(circle) == 1:
        yield error(f"turn {named}", "waits for itself")
    else:
        yield error(
            f"turn {turns[circle[0]].id}", f"is in a circle: {named}{more} wait for one another"
        )
    for at in sorted(stuck - set(circle)):
        yield error(f"turn {turns[at].id}", "can never be said: it waits for turns in a circle")


def _left(ahead: Sequence[set[int]], among: set[int] | None = None) -> set[int]:
    """Return who is never free when everyone goes whose predecessors have gone."""
    left = set(range(len(ahead))) if among is None else set(among)
    followers: dict[int, list[int]] = {}
    waiting = {}
    for at in left:
        before = ahead[at] & left if among is not None else ahead[at]
        waiting[at] = len(before)
        for other in before:
            followers.setdefault(other, []).append(at)
    free = [at for at in left if not waiting[at]]
    while free:
        gone = free.pop()
        left.discard(gone)
        for at in followers.get(gone, ()):
            waiting[at] -= 1
            if not waiting[at]:
                free.append(at)
    return left
