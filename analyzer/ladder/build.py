"""From a capture to a ladder: ``ladder_of`` is the only entry.

What is chosen becomes events in order of time; a message seen on several hops is one event. Then
likes are folded, and steps, replies and copies laid over what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from analyzer.collector import paused
from analyzer.diagnostics.table import diagnose
from analyzer.ladder.aliases import Aliases
from analyzer.ladder.beside import Contact, Gap, gaps, questions, told, uploads
from analyzer.ladder.fold import fold_answers, fold_repeats, kept
from analyzer.ladder.lanes import Lanes
from analyzer.ladder.overlay import Overlay
from analyzer.ladder.selection import Choice, choose
from analyzer.ladder.spoken import Spoken
from analyzer.ladder.values import LANE_ORDER, Arrow, Ladder, Note
from analyzer.times import duration_text, time_text
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from analyzer.ladder.lanes import Ends, Key
    from analyzer.ladder.selection import Chosen
    from analyzer.ladder.values import Event, Lane
    from analyzer.trace import Trace

MAX_EVENTS = 50_000
"""Of one ladder: nobody reads more, and a page of so many is 40 MB."""

MANY_LANES = 40
"""Of more, no page shows all at a size that can be read."""
SHOWN_USERS = 4


@dataclass(frozen=True, slots=True)
class Options:
    """How what is chosen becomes a ladder."""

    hops: bool = False
    """Draw every sighting of a message, between the hosts of its connection."""
    fold: bool = True
    """Fold likes that follow one another."""
    fold_answers: bool = False
    """Put the 2xx of a request into its arrow."""
    findings: bool = True
    """Say findings beside the messages that they rest on."""
    hide_lanes: tuple[str, ...] = ()
    """By kind (``dns``), key (``client-2``) or name."""
    hide_methods: tuple[str, ...] = ()
    """SIP methods, with their answers; also the names of XCCOS commands."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Name by host, ``host:port``, user or URI."""


class _Draft(NamedTuple):
    """An event before its lanes have numbers."""

    time: int
    order: int
    ends: Ends | tuple[Key, Key]
    what: int | Contact | Gap
    """Row, or what stands beside messages."""


def ladder_of(
    trace: Trace,
    choice: Choice | None = None,
    options: Options | None = None,
    *,
    most: int = MAX_EVENTS,
) -> Ladder:
    """Return the ladder of what is chosen of an open capture; of its first ``most`` messages.

    Raises ValueError, with a line for people, when something chosen is not in the capture.
    """
    with paused():
        chosen = choice or Choice()
        return _Builder(trace, chosen, options or Options(), min(most, MAX_EVENTS)).build()


class _Builder:
    def __init__(self, trace: Trace, choice: Choice, options: Options, most: int) -> None:
        self._trace = trace
        self._choice = choice
        self._options = options
        self._chosen: Chosen = choose(trace, choice, most)
        self._scene = self._chosen.scene
        aliases = Aliases(options.aliases)
        self._lanes = Lanes(self._scene, aliases)
        self._spoken = Spoken(self._scene, aliases)
        self._left_out: list[str] = []
        self._left = self._chosen.left

    def build(self) -> Ladder:
        origins = self._wanted()
        drafts = sorted(self._drafts(origins), key=lambda one: (one.time, one.order))
        self._left += max(0, len(drafts) - MAX_EVENTS)
        del drafts[MAX_EVENTS:]
        if self._left:
            self._left_out.append(
                f"{_are(self._left, 'message', 'after these')} left out: choose a session, a "
                "dialog or a time"
            )
        every, numbers = self._lanes.finished(_keys(drafts))
        lanes, numbers = self._shown(every, numbers)
        events = list(self._events(drafts, numbers))
        self._say_hidden(every, lanes, len(drafts) - len(events))
        return self._laid_over(origins, lanes, events)

    def _wanted(self) -> list[int]:
        """Return the messages that are chosen and not hidden, in order."""
        hide = {method.upper() for method in self._options.hide_methods}
        rows = sorted(self._chosen.rows)
        if not hide:
            return rows
        shown = [row for row in rows if not self._spoken.is_one_of(row, hide)]
        if len(shown) < len(rows):
            of = f"of {', '.join(sorted(hide))}"
            hidden = _are(len(rows) - len(shown), "message", of)
            self._left_out.append(f"{hidden} hidden by --hide-method")
        return shown

    def _drafts(self, origins: Sequence[int]) -> Iterator[_Draft]:
        scene, times = self._scene, self._scene.rows.time
        copies = 0
        # Sessions first: they say whose the hosts are that other messages are between.
        for origin in sorted(origins, key=lambda row: (row not in scene.places, row)):
            for way in scene.ways(origin):
                if self._options.hops:
                    for row in way:
                        yield _Draft(times[row], row, self._lanes.leg(row, way), row)
                    continue
                copies += len(way) - 1
                nearest = scene.nearest(origin)
                row = nearest if nearest in way else way[0]
                yield _Draft(times[row], row, self._lanes.path(way), row)
        if copies:
            seen = _are(copies, "further sighting", "on other hops")
            self._left_out.append(f"{seen} merged: --hops draws each hop")
        yield from self._beside(origins)

    def _beside(self, origins: Sequence[int]) -> Iterator[_Draft]:
        """Yield what lies between the first and the last message, and what came before them."""
        times = self._scene.rows.time
        if not origins:
            return
        first, last = times[origins[0]], max(times[row] for row in origins)
        for gap in gaps(self._scene, self._lanes, origins):
            if first <= gap.time <= last:
                yield _Draft(gap.time, -1, gap.ends, gap)
        for contact in self._contacts():
            if contact.time <= last:
                yield _Draft(contact.time, -1, (contact.source, contact.target), contact)

    def _contacts(self) -> Iterator[Contact]:
        """Yield what is no SIP of the sessions, or of the flows, that were chosen."""
        choice, book = self._choice, self._chosen.book
        # Who asks for certain messages gets these.
        if replace(choice, sessions=(), users=(), flows=()) != Choice():
            return
        asked = list(questions(self._scene, self._lanes))
        for contact in asked:
            book.locates(contact.session, contact.frames[0])
        for contact in (*asked, *uploads(self._scene, self._lanes)):
            step = book.of_frame(contact.session, contact.frames[0])
            runs = self._chosen.runs
            if runs is None or (step is not None and step.run in runs):
                yield contact

    def _shown(
        self, lanes: Sequence[Lane], numbers: Mapping[Key, int]
    ) -> tuple[tuple[Lane, ...], dict[Key, int]]:
        """Return the lanes that are not hidden, and their numbers by key."""
        hide = {name.strip().casefold() for name in self._options.hide_lanes}
        called = [{one.key, one.kind, one.title.casefold()} for one in lanes]
        for key, number in numbers.items():
            called[number] |= self._lanes.names(key)
        unknown = hide.difference(LANE_ORDER, *called)
        if unknown and lanes:
            known = ", ".join(lane.title for lane in lanes)
            raise ValueError(f"there is no lane {', '.join(sorted(unknown))}; there are: {known}")
        stay = [number for number in range(len(lanes)) if hide.isdisjoint(called[number])]
        place = {number: at for at, number in enumerate(stay)}
        shown = {key: place[number] for key, number in numbers.items() if number in place}
        return tuple(lanes[number] for number in stay), shown

    def _say_hidden(self, lanes: Sequence[Lane], shown: Sequence[Lane], arrows: int) -> None:
        stay = {lane.key for lane in shown}
        names = [lane.title for lane in lanes if lane.key not in stay]
        if names:
            with_it = f", with {amount(arrows, 'arrow')} from or to it" if arrows else ""
            be = "is" if len(names) == 1 else "are"
            self._left_out.append(f"{', '.join(names)} {be} hidden by --hide-lane{with_it}")

    def _events(self, drafts: Sequence[_Draft], numbers: Mapping[Key, int]) -> Iterator[Event]:
        for draft in drafts:
            source, target = (numbers.get(key) for key in draft.ends[:2])
            if source is None or target is None:
                continue
            if isinstance(draft.what, Gap):
                yield _hole(draft.what, source, target)
            elif isinstance(draft.what, Contact):
                yield _contact(draft.what, source, target)
            else:
                via = draft.ends[2] if len(draft.ends) > 2 else ()
                through = tuple(numbers[key] for key in via if key in numbers)
                way = (source, target, through)
                yield self._spoken.arrow(draft.what, way, alone=self._options.hops)

    def _laid_over(
        self, origins: Sequence[int], lanes: tuple[Lane, ...], events: list[Event]
    ) -> Ladder:
        overlay = Overlay(self._scene, self._chosen.book, self._lanes.person)
        if self._options.findings:
            events = self._with_findings(events)
        if self._options.fold_answers:
            events = [one for _, one in kept(fold_answers(events, overlay.request_of))]
        if self._options.fold:
            steps = overlay.steps(events)
            events = [one for _, one in kept(fold_repeats(events, steps))]
        if len(lanes) > MANY_LANES:
            self._left_out.append(f"{len(lanes)} lanes: --session or --user shows fewer")
        title, subtitle = self._heading(origins)
        return Ladder(
            title=title,
            subtitle=subtitle,
            lanes=lanes,
            events=tuple(events),
            groups=overlay.groups(events),
            brackets=overlay.brackets(events),
            began=events[0].time if events else 0,
            digits=self._trace.quality.digits,
            left_out=tuple(self._left_out),
        )

    def _with_findings(self, events: list[Event]) -> list[Event]:
        """Put findings behind the last event that they rest on."""
        last: dict[int, int] = {}
        for at, event in enumerate(events):
            last.update(dict.fromkeys(event.frames, at))
        behind: dict[int, list[Note]] = {}
        for frame, one in told(diagnose(self._trace, sessions=self._scene.sessions), last):
            at = last[frame]
            note = Note(
                *("finding", (), f"{one.rule} {one.title}", f"{one.severity}: {one.detail}"),
                *(events[at].time, one.frames, "bad" if one.severity == "error" else "doubtful"),
            )
            behind.setdefault(at, []).append(note)
        return [one for at, event in enumerate(events) for one in (event, *behind.get(at, ()))]

    def _heading(self, origins: Sequence[int]) -> tuple[str, str]:
        views = self._scene.views
        if len(views) == 1:
            title = f"Session {views[0].index + 1}: {self._lanes.person(views[0].user)}"
        else:
            title = f"{len(views)} sessions" if views else "SIP messages"
            if 1 < len(views) <= SHOWN_USERS:
                title += f" ({', '.join(self._lanes.person(view.user) for view in views)})"
        words = [one for one in self._chosen.words if not one.startswith("session ")]
        if words:
            title += f": {'; '.join(words)}"
        parts = [PurePath(self._trace.name).name]
        if origins:
            times, digits = self._scene.rows.time, min(self._trace.quality.digits, 3)
            first, last = times[origins[0]], max(times[row] for row in origins)
            began = time_text(first, digits).replace("T", " ").replace("Z", " UTC")
            parts += [f"{began}, {duration_text(last - first)}"]
        return title, ", ".join(parts)


def _are(count: int, noun: str, which: str) -> str:
    """Return ``1 message of BYE is``, ``2 messages of BYE are``."""
    return f"{amount(count, noun)} {which} {'is' if count == 1 else 'are'}"


def _keys(drafts: Iterable[_Draft]) -> Iterator[Key]:
    for draft in drafts:
        yield draft.ends[0]
        yield draft.ends[1]
        if len(draft.ends) > 2:
            yield from draft.ends[2]


def _hole(gap: Gap, source: int, target: int) -> Note:
    lanes = (min(source, target), max(source, target))
    return Note("hole", lanes, gap.label, gap.text, gap.time, gap.frames)


def _contact(contact: Contact, source: int, target: int) -> Arrow:
    return Arrow(
        *(source, target, "connection", contact.label, contact.text, contact.time),
        frame=contact.frames[0],
        rows=(),
        frames=contact.frames,
        tone=contact.tone,
        session=contact.session,
    )
