"""What of a capture a ladder shows: sessions, dialogs, runs of flows, rooms, times, frames.

Several values of one kind mean any of them, several kinds mean all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from analyzer.flows.runs import flows_of
from analyzer.ladder.scene import Scene
from analyzer.ladder.steps import StepBook
from analyzer.meaning import outline
from analyzer.query import Query, Selection, call_id_test, user_test

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView
    from analyzer.times import TypedTime
    from analyzer.trace import Trace

Span = tuple[int, int]
"""First and last, inclusive."""
MAX_FRAME = 2**63


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
    from_time: TypedTime | None = None
    to_time: TypedTime | None = None
    frames: tuple[Span, ...] = ()


class Chosen(NamedTuple):
    """What a choice comes to."""

    scene: Scene
    rows: set[int]
    """Messages, by the row seen first."""
    book: StepBook
    words: tuple[str, ...]
    """What was chosen, for a heading."""


def parse_frames(text: str) -> tuple[Span, ...]:
    """Read ``4,6,8-13,20-``. Raises ValueError with one line for people."""
    spans = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        first, dash, last = (one.strip() for one in part.partition("-"))
        numbers = [one for one in (first, last) if one]
        if not numbers or not all(one.isascii() and one.isdigit() for one in numbers):
            raise ValueError(f"{part!r} is not a frame, or a span of frames such as 8-13")
        low = int(first[:19] or 0)
        high = (int(last[:19]) if last else MAX_FRAME) if dash else low
        if high < low:
            raise ValueError(f"{part!r} ends before it begins")
        spans.append((low, high))
    if not spans:
        raise ValueError("no frame is given; frames are written as 4,6,8-13")
    return tuple(spans)


def choose(trace: Trace, choice: Choice) -> Chosen:
    """Return what of an open capture is chosen. Raises ValueError for what is not there."""
    views = _views(trace, choice)
    some = None if views is None else [view.index for view in views]
    scene = Scene(trace, some)
    runs = flows_of(trace, some)
    book = StepBook(scene, runs)
    rows = _all_rows(scene)
    words = [] if views is None else [_session_words(views)]
    if choice.flows:
        numbers = _runs(runs, choice.flows)
        rows &= _of_runs(scene, book, numbers)
        words.append(", ".join(choice.flows))
    if choice.dialogs:
        rows &= _of_dialogs(scene, choice.dialogs)
        words.append(f"dialog {', '.join(choice.dialogs)}")
    if choice.rooms:
        found = Selection(trace, Query(rooms=choice.rooms)).messages()
        rows &= {scene.origin(row) for row in scene.related(found)}
        words.append(f"room {', '.join(choice.rooms)}")
    rows = _narrowed(trace, choice, rows, scene)
    return Chosen(scene, rows, book, tuple(words))


def _views(trace: Trace, choice: Choice) -> list[SessionView] | None:
    """Return the sessions that are wanted; None: all, and what is in none."""
    if not choice.sessions and not choice.users:
        return None
    found = cast("Sequence[SessionView]", outline(trace).sessions)
    for index in choice.sessions:
        if index >= len(found):
            count = len(found)
            raise ValueError(f"there is no session {index + 1}: the capture has {count}")
    user = user_test(choice.users)
    views = [
        view
        for view in found
        if (not choice.sessions or view.index in choice.sessions)
        and (not choice.users or user(view.user))
    ]
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


def _runs(runs: Sequence[FlowRun], names: Iterable[str]) -> list[int]:
    found: list[int] = []
    for text in names:
        name, _, nth = text.partition(":")
        numbers = [number for number, run in enumerate(runs) if run.flow == name]
        if not numbers:
            known = ", ".join(sorted({run.flow for run in runs})) or "none"
            raise ValueError(f"there is no flow {name!r} here; there are: {known}")
        if nth and not (nth.isascii() and nth.isdigit() and 0 < int(nth[:9]) <= len(numbers)):
            raise ValueError(f"{text!r}: of {name} there are 1 to {len(numbers)}")
        found += [numbers[int(nth) - 1]] if nth else numbers
    return found


def _of_runs(scene: Scene, book: StepBook, numbers: Sequence[int]) -> set[int]:
    """Return the messages of runs; of a sign-in all that its session had until it was done."""
    found: set[int] = set()
    times = scene.rows.time
    for number in numbers:
        run = book.runs[number]
        rows = book.rows(number)
        if run.flow == "sign-in" and rows:
            end = max(run.started + round(run.duration_ms * 1e6), *(times[row] for row in rows))
            rows |= {
                scene.origin(row)
                for row, place in scene.places.items()
                if place.view.index == run.session and run.started <= times[row] <= end
            }
        found |= {scene.origin(row) for row in scene.related(rows)}
    return found


def _of_dialogs(scene: Scene, wanted: Sequence[str]) -> set[int]:
    analysis, rows = scene.analysis, scene.rows
    numbers = {one[1:] for one in wanted if one[:1] == "#" and one[1:].isdigit()}
    test = call_id_test(tuple(one for one in wanted if one[:1] != "#"))
    values = rows.strings.values
    calls = {number for number in set(rows.call_id) if test(values[number])}
    found = {row for row in range(len(rows)) if rows.call_id[row] in calls}
    for number in numbers:
        if int(number[:9]) >= len(analysis.dialogs):
            raise ValueError(f"there is no dialog #{number}: there are {len(analysis.dialogs)}")
        dialog = analysis.dialogs[int(number[:9])]
        found.update(dialog.rows, dialog.copies)
    if not found:
        raise ValueError(f"there is no dialog {', '.join(wanted)}")
    return {scene.origin(row) for row in found}


def _narrowed(trace: Trace, choice: Choice, rows: set[int], scene: Scene) -> set[int]:
    """Keep what lies in the times and frames; any sighting of a message will do."""
    if choice.from_time or choice.to_time:
        times = Query(from_time=choice.from_time, to_time=choice.to_time)
        rows = rows & {scene.origin(row) for row in Selection(trace, times).messages()}
    if choice.frames:
        frame = scene.rows.frame
        rows = {
            row
            for row in rows
            if any(
                low <= frame[one] <= high for one in scene.seen(row) for low, high in choice.frames
            )
        }
    return rows
