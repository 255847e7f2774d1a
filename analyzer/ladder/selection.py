"""What of a capture a ladder shows: sessions, dialogs, runs of flows, rooms, times, frames.

Several values of one kind mean any of them, several kinds mean all of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from analyzer.diagnostics.table import diagnose
from analyzer.flows.runs import flows_of
from analyzer.ladder.scene import Scene
from analyzer.ladder.steps import StepBook, ended
from analyzer.meaning import outline
from analyzer.named import Frames, dialog_named, findings_named, runs_named, sessions_named
from analyzer.query import Query, Selection, room_test
from analyzer.room_reader import RoomReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.named import Span
    from analyzer.sessions.view import SessionView
    from analyzer.times import TypedTime
    from analyzer.trace import Trace


@dataclass(frozen=True, slots=True)
class Choice:
    """What someone wants to see; all empty: everything."""

    sessions: tuple[int, ...] = ()
    """Indexes, from 0."""
    users: tuple[str, ...] = ()
    """As of ``Query``: URI, address or the part before the ``@``."""
    dialogs: tuple[str, ...] = ()
    """Call-ID, its beginning with ``*``, or ``#N``: the number that ``xccos dialogs`` shows."""
    flows: tuple[str, ...] = ()
    """``sign-in``, ``posting``; ``posting:2`` is the second of its name."""
    rooms: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    """Id of a rule or its beginning, or the number that ``xccos findings`` counts from 1: the
    dialogs of the messages that it rests on."""
    from_time: TypedTime | None = None
    to_time: TypedTime | None = None
    frames: tuple[Span, ...] = ()
    rows: tuple[int, ...] | None = None
    """Messages, by their rows; None: whatever the rest lets through."""


class Chosen(NamedTuple):
    """What a choice comes to."""

    scene: Scene
    """Of the sessions that they are in."""
    rows: set[int]
    """Messages, by the row seen first."""
    book: StepBook
    words: tuple[str, ...]
    """What was chosen, for a heading."""
    runs: frozenset[int] | None = None
    """Numbers of the runs that were asked for; None: no flow was asked for."""
    left: int = 0
    """Messages that were chosen too, and lie behind the ``most`` that are given."""


def choose(trace: Trace, choice: Choice, most: int | None = None) -> Chosen:
    """Return what of an open capture is chosen. Raises ValueError for what is not there.

    Of more than ``most`` messages the first are given: what their sessions mean is worked out for
    these alone, because a capture may have thousands.
    """
    views = _views(trace, choice)
    scene = Scene(trace, None if views is None else [view.index for view in views])
    words = [] if views is None else [_session_words(views)]
    book, runs, rows = None, None, _all_rows(scene)
    if choice.rows is not None:
        rows &= set(map(scene.origin, choice.rows))
    if choice.flows:
        book = StepBook(scene, flows_of(trace, scene.sessions))
        runs = frozenset(one for text in choice.flows for one in runs_named(book.runs, text))
        rows &= _of_runs(scene, book, runs)
        words.append(", ".join(choice.flows))
    if choice.dialogs:
        of_these = (row for text in choice.dialogs for row in dialog_named(trace, text))
        rows &= {scene.origin(row) for row in of_these}
        words.append(f"dialog {', '.join(choice.dialogs)}")
    if choice.rooms:
        found = scene.exchanges(_of_rooms(scene, rows, choice.rooms))
        rows &= {scene.origin(row) for row in found}
        words.append(f"room {', '.join(choice.rooms)}")
    if choice.findings:
        rows &= _of_findings(scene, choice.findings)
        words.append(f"finding {', '.join(choice.findings)}")
    rows, left = _first(_narrowed(trace, choice, rows, scene), most, scene)
    scene = scene.narrowed(rows)
    if book is None:
        book = StepBook(scene, flows_of(trace, scene.sessions))
    return Chosen(scene, rows, book, tuple(words), runs, left)


def _first(rows: set[int], most: int | None, scene: Scene) -> tuple[set[int], int]:
    """Return the first messages in order of time, and how many more there are."""
    if most is None or len(rows) <= most:
        return rows, 0
    times = scene.rows.time
    return set(sorted(rows, key=lambda row: (times[row], row))[:most]), len(rows) - most


def _views(trace: Trace, choice: Choice) -> list[SessionView] | None:
    """Return the sessions that are wanted; None: all, and what is in none."""
    if not choice.sessions and not choice.users:
        return None
    found = cast("Sequence[SessionView]", outline(trace).sessions)
    views = sessions_named(found, choice.sessions, choice.users)
    if not views:
        wanted = ", ".join(choice.users)
        raise ValueError(f"no session is of {wanted}")
    return views


def _session_words(views: Sequence[SessionView]) -> str:
    numbers = ", ".join(str(view.index + 1) for view in views[:5])
    more = f" and {len(views) - 5} more" if len(views) > 5 else ""
    return f"session {numbers}{more}"


def _all_rows(scene: Scene) -> set[int]:
    if scene.whole:
        copies = scene.analysis.copy_of
        return {row for row in range(len(scene.rows)) if row not in copies}
    return {scene.origin(row) for row in scene.places}


def _of_runs(scene: Scene, book: StepBook, numbers: Iterable[int]) -> set[int]:
    """Return the messages of runs; of a sign-in all that its session had until it was done."""
    found: set[int] = set()
    times = scene.rows.time
    for number in numbers:
        run = book.runs[number]
        rows = set(book.rows(number))
        if run.flow == "sign-in" and rows:
            end = max(ended(run), *(times[row] for row in rows))
            rows.update(book.during(run.session, run.started, end))
        found |= {scene.origin(row) for row in scene.related(rows)}
    return found


def _of_rooms(scene: Scene, rows: Iterable[int], texts: tuple[str, ...]) -> Iterator[int]:
    """Yield the messages that speak of a room; as ``Query`` does, but without parsing them all."""
    test, reader, items = room_test(texts), RoomReader(scene.trace), scene.rows.items
    known = {
        name: True
        for view in scene.views
        for room in view.rooms
        if test((room.uri, room.name))
        for name in (room.uri, room.name)
    }

    def wanted(name: str) -> bool:
        found = known.get(name)
        if found is None:
            found = known[name] = test((name,))
        return found

    for row in rows:
        for position in range(items[row]):
            facts = reader.facts(row, position)
            if any(map(wanted, (*facts.rooms, *facts.failed, *facts.names.values()))):
                yield row
                break


def _of_findings(scene: Scene, wanted: Iterable[str]) -> set[int]:
    """Return the dialogs of what findings rest on; of messages in none, their transactions."""
    known, frames = diagnose(scene.trace), scene.rows.frame
    found: set[int] = set()
    for one in (one for text in wanted for one in findings_named(known, text)):
        for frame in one.frames:
            for row in range(bisect_left(frames, frame), bisect_right(frames, frame)):
                place = scene.places.get(row)
                dialog = None if place is None else place.dialog
                within = (row,) if dialog is None else (*dialog.rows, *dialog.copies)
                found.update(within)
    return {scene.origin(row) for row in scene.exchanges(found)}


def _narrowed(trace: Trace, choice: Choice, rows: set[int], scene: Scene) -> set[int]:
    """Keep what lies in the times and frames; any sighting of a message will do."""
    if choice.from_time or choice.to_time:
        times = Query(from_time=choice.from_time, to_time=choice.to_time)
        rows = rows & {scene.origin(row) for row in Selection(trace, times).messages()}
    if choice.frames:
        within, frames = Frames(choice.frames), scene.rows.frames
        rows = {
            row
            for row in rows
            if any(frame in within for one in scene.seen(row) for frame in frames(one))
        }
    return rows
