"""What of a capture a ladder shows: sessions, dialogs, runs of flows, rooms, times, frames.

Several values of one kind mean any of them, several kinds mean all of them.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from analyzer.flows.runs import flows_of
from analyzer.ladder.scene import Scene
from analyzer.ladder.steps import StepBook, ended
from analyzer.meaning import outline
from analyzer.query import Query, Selection, call_id_test, room_test, user_test
from analyzer.room_reader import RoomReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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


def choose(trace: Trace, choice: Choice, most: int | None = None) -> Chosen:
    """Return what of an open capture is chosen. Raises ValueError for what is not there.

    Of more than ``most`` messages the first are given: what their sessions mean is worked out for
    these alone, because a capture may have thousands.
    """
    views = _views(trace, choice)
    scene = Scene(trace, None if views is None else [view.index for view in views])
    words = [] if views is None else [_session_words(views)]
    book, runs, rows = None, None, _all_rows(scene)
    if choice.flows:
        book = StepBook(scene, flows_of(trace, scene.sessions))
        runs = frozenset(_runs(book.runs, choice.flows))
        rows &= _of_runs(scene, book, runs)
        words.append(", ".join(choice.flows))
    if choice.dialogs:
        rows &= _of_dialogs(scene, choice.dialogs)
        words.append(f"dialog {', '.join(choice.dialogs)}")
    if choice.rooms:
        found = scene.exchanges(_of_rooms(scene, rows, choice.rooms))
        rows &= {scene.origin(row) for row in found}
        words.append(f"room {', '.join(choice.rooms)}")
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
        name, colon, nth = text.partition(":")
        numbers = [number for number, run in enumerate(runs) if run.flow == name]
        if not numbers:
            known = ", ".join(sorted({run.flow for run in runs})) or "none"
            raise ValueError(f"there is no flow {name!r} here; there are: {known}")
        if colon and not (nth.isascii() and nth.isdigit() and 0 < int(nth[:9]) <= len(numbers)):
            raise ValueError(f"{text!r}: of {name} there are 1 to {len(numbers)}")
        found += [numbers[int(nth) - 1]] if colon else numbers
    return found


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


def _of_dialogs(scene: Scene, wanted: Iterable[str]) -> set[int]:
    found: set[int] = set()
    for text in wanted:
        of_this = _of_dialog(scene, text)
        if not of_this:
            raise ValueError(f"there is no dialog {text}")
        found.update(of_this)
    return {scene.origin(row) for row in found}


def _of_dialog(scene: Scene, text: str) -> Sequence[int]:
    """Return the messages of one dialog, or of those whose Call-ID begins so."""
    analysis, rows = scene.analysis, scene.rows
    number = text[1:]
    if text[:1] == "#" and number.isascii() and number.isdigit():
        if int(number[:9]) >= len(analysis.dialogs):
            raise ValueError(
                f"there is no dialog {text}: there are {len(analysis.dialogs)}, from #0"
            )
        dialog = analysis.dialogs[int(number[:9])]
        return (*dialog.rows, *dialog.copies)
    test = call_id_test((text,))
    calls = {one for one in set(rows.call_id) if test(rows.strings.values[one])}
    return [row for row, call in enumerate(rows.call_id) if call in calls] if calls else ()


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


def _narrowed(trace: Trace, choice: Choice, rows: set[int], scene: Scene) -> set[int]:
    """Keep what lies in the times and frames; any sighting of a message will do."""
    if choice.from_time or choice.to_time:
        times = Query(from_time=choice.from_time, to_time=choice.to_time)
        rows = rows & {scene.origin(row) for row in Selection(trace, times).messages()}
    if choice.frames:
        within, frames = _Frames(choice.frames), scene.rows.frames
        rows = {
            row
            for row in rows
            if any(within.has(frame) for one in scene.seen(row) for frame in frames(one))
        }
    return rows


class _Frames:
    """Spans of frames, joined where they touch."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in sorted(spans):
            if self._lasts and first <= self._lasts[-1] + 1:
                self._lasts[-1] = max(self._lasts[-1], last)
            else:
                self._firsts.append(first)
                self._lasts.append(last)

    def has(self, frame: int) -> bool:
        """Say whether a frame is in one of them."""
        at = bisect_right(self._firsts, frame) - 1
        return at >= 0 and frame <= self._lasts[at]
