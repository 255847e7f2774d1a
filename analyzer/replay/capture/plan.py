"""The connections of a script in the order of time: when each opens, speaks and ends.

The rule: a connection opens before its first turn and ends after the last turn of who closes it,
whatever the script says; a capture in which TCP contradicts itself is of no use to anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.replay.capture.options import CaptureError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.replay.capture.schedule import Schedule
    from analyzer.replay.script import Connection, Script, Turn

Kind = Literal["open", "turn", "fin", "rst", "aside", "keep-alive"]
OPENING = -1
"""The step of an aside in which its connection opens."""


class Event(NamedTuple):
    """Something that is written at a time."""

    at: int
    """Nanoseconds since 1970 UTC."""
    kind: Kind
    what: str
    """Id of the connection; of a turn its own, of an aside its position in the script."""
    side: int = 0
    """Who speaks or closes: 0 is the opener."""
    step: int = 0
    """Of an aside: which exchange."""


class Course(NamedTuple):
    """A connection with its turns."""

    connection: Connection
    turns: tuple[tuple[Turn, int], ...]
    """Each with its side."""

    def last(self, side: int | None = None) -> int | None:
        """Return the position of the last turn of a side, or of both; None without one."""
        spoken = (at for at, (_, who) in enumerate(self.turns) if side is None or who == side)
        return max(spoken, default=None)


def courses_of(script: Script) -> dict[str, Course]:
    """Return the connections by id, each with its turns.

    Raises:
        CaptureError: A turn is on no connection, or its speaker is at neither end of it.
    """
    turns: dict[str, list[tuple[Turn, int]]] = {one.id: [] for one in script.connections}
    known = {one.id: one for one in script.connections}
    for turn in script.turns:
        connection = known.get(turn.connection)
        if connection is None:
            raise CaptureError(f"{turn.id}: there is no connection {turn.connection[:60]!r}")
        ends = (connection.opener, connection.responder)
        if turn.speaker not in ends:
            raise CaptureError(
                f"{turn.id}: {turn.speaker[:60]!r} is at neither end of {connection.id} "
                f"({ends[0]} and {ends[1]})"
            )
        turns[connection.id].append((turn, ends.index(turn.speaker)))
    return {one: Course(known[one], tuple(said)) for one, said in turns.items()}


def events_of(script: Script, courses: dict[str, Course], schedule: Schedule) -> list[Event]:
    """Return all that happens, in the order in which it is written."""
    events: list[Event] = []
    # Turns first: of two turns of one time the order is the script's, and sorting keeps it.
    sides = {turn.id: side for one in courses.values() for turn, side in one.turns}
    events += (Event(schedule.turn(one.id), "turn", one.id, sides[one.id]) for one in script.turns)
    for course in courses.values():
        events += _frame_of(course, schedule)
    events += _asides(script, schedule)
    events += _last_sign(courses.values(), schedule)
    # A connection opens before anything else of that time, and ends after it.
    order: dict[Kind, int] = {"open": 0, "fin": 2, "rst": 2, "keep-alive": 2}
    return sorted(events, key=lambda event: (event.at, order.get(event.kind, 1)))


def _frame_of(course: Course, schedule: Schedule) -> Iterator[Event]:
    """Yield how a TCP connection opens and ends, as far as that was seen."""
    one = course.connection
    if one.transport == "udp":
        return
    if one.opened_ms is not None:
        opened = schedule.at(one.opened_ms, one.id)
        first = [schedule.turn(course.turns[0][0].id)] if course.turns else []
        yield Event(min([opened, *first]), "open", one.id)
    if one.closed_ms is None:
        return
    closer = 0 if one.closed_by == one.opener else 1
    closed = schedule.at(one.closed_ms, one.id)
    if one.closed_how == "rst":
        yield Event(_after(course, None, closed, schedule), "rst", one.id, closer)
        return
    closed = _after(course, closer, closed, schedule)
    yield Event(closed, "fin", one.id, closer)
    yield Event(_after(course, 1 - closer, closed, schedule), "fin", one.id, 1 - closer)


def _after(course: Course, side: int | None, at: int, schedule: Schedule) -> int:
    """Return a time, or that of the last turn of a side where that is later."""
    last = course.last(side)
    return at if last is None else max(at, schedule.turn(course.turns[last][0].id))


def _asides(script: Script, schedule: Schedule) -> Iterator[Event]:
    for number, aside in enumerate(script.asides):
        what, latest = f"aside {number + 1}", aside.at_ms
        yield Event(schedule.at(latest, what), "aside", str(number), 0, OPENING)
        for step, (at_ms, opener, _) in enumerate(aside.exchanges):
            latest = max(latest, at_ms)
            yield Event(schedule.at(latest, what), "aside", str(number), 0 if opener else 1, step)


def _last_sign(courses: Iterable[Course], schedule: Schedule) -> Iterator[Event]:
    """Yield a keep-alive where the recording ended, if it went on after the last turn.

    That nothing was answered until then is part of the case: without it the capture would seem to
    end too soon to tell. It comes from the client that spoke last of those still connected.
    """
    still = [
        (one.connection.live, schedule.turn(one.turns[-1][0].id), one.connection.id)
        for one in courses
        if one.turns and one.connection.closed_ms is None and one.connection.transport != "udp"
    ]
    if still and schedule.ended is not None:
        yield Event(schedule.ended, "keep-alive", max(still)[2])


def moved_ends(courses: Iterable[Course], schedule: Schedule) -> list[str]:
    """Return the connections that close later than recorded, as turns come after it."""
    found = []
    for course in courses:
        one = course.connection
        if one.closed_ms is None or one.transport == "udp":
            continue
        closer = 0 if one.closed_by == one.opener else 1
        side = None if one.closed_how == "rst" else closer
        closed = schedule.at(one.closed_ms, one.id)
        if _after(course, side, closed, schedule) > closed:
            found.append(one.id)
    return found
