"""One message with all that is known of it, as the dock shows it: read once for one look.

The rule: nothing here grows with the size of the message but its bytes, which are read back once.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.flows.runs import flows_of
from analyzer.ladder.aliases import Aliases
from analyzer.ladder.labels import Labels
from analyzer.ladder.lanes import Lanes
from analyzer.ladder.scene import Scene
from analyzer.meaning import outline
from analyzer.times import time_text
from analyzer.views.detail import belongings, note_meaning
from dissectors.model import Malformed
from dissectors.notes import NOTES
from dissectors.sip.parse import parse_message
from dissectors.xccos.reader import read_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.flows.values import FlowRun, FlowStep
    from analyzer.rows import Stream
    from dissectors.sip.messages import SipMessage
    from dissectors.xccos.messages import XccosDocument

Record = dict[str, Any]


class StepOf(NamedTuple):
    """A step of a flow that a message is part of."""

    run: FlowRun
    step: FlowStep


class Beside(NamedTuple):
    """The message before and the one after, in one order of messages."""

    order: str
    """``session``, ``dialog`` ..."""
    before: int | None
    after: int | None


class Stage:
    """The messages of one session, with the names and words that its ladder has for them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.labels = Labels(scene)
        self._lanes = Lanes(scene, Aliases({}))

    def ends(self, row: int) -> tuple[str, str]:
        """Return who sent a message and who got it: ``user1``, ``Front End``."""
        scene = self.scene
        ways = scene.ways(scene.origin(row))
        way = next((one for one in ways if row in one), [row])
        copied = row != scene.nearest(scene.origin(row))
        found = self._lanes.leg(row, way) if copied else self._lanes.path(way)
        lanes, numbers = self._lanes.finished((found.source, found.target))
        return lanes[numbers[found.source]].title, lanes[numbers[found.target]].title


@dataclass(eq=False)
class Docked:
    """A message of a case; the lock of the case is held."""

    case: Case
    row: int

    @cached_property
    def raw(self) -> bytes:
        """Its bytes."""
        return self.case.trace.raw(self.row)

    @property
    def stream(self) -> Stream:
        """Its direction of a connection."""
        trace = self.case.trace
        return trace.streams[trace.rows.stream[self.row]]

    @cached_property
    def message(self) -> SipMessage | Malformed:
        """It, parsed."""
        return parse_message(self.raw, stream=self.stream.transport != "udp")

    @cached_property
    def document(self) -> XccosDocument | Malformed | None:
        """Its XCCOS; None where its body is something else."""
        message = self.message
        if isinstance(message, Malformed) or not message.body:
            return None
        return read_document(message.body, message.content_type)

    @property
    def start_line(self) -> str:
        """Its first line."""
        message = self.message
        if isinstance(message, Malformed):
            return self.raw.partition(b"\n")[0][:200].decode("utf-8", "backslashreplace")
        return message.start_line.decode("utf-8", "backslashreplace")

    @property
    def time(self) -> str | None:
        """When it was complete: ISO, UTC; None where the capture gives no time."""
        rows = self.case.trace.rows
        time = rows.time[self.row]
        return time_text(time, rows.digits[self.row]) if time else None

    @property
    def session(self) -> int | None:
        """Index of its session."""
        return self.case.session_of(self.row)

    @cached_property
    def stage(self) -> Stage:
        """Its session."""
        session, case = self.session, self.case
        return case.once(
            ("stage", session),
            lambda: Stage(case.scene if session is None else Scene(case.trace, [session])),
        )

    def words(self, row: int) -> str:
        """Return what a message is, in a few words: ``INFO rpl:join 200 Sales``."""
        return self.stage.labels.label(row)

    @cached_property
    def belongs(self) -> Record:
        """Transaction, dialog and commands (docs/json.md)."""
        return belongings(self.case.trace, self.row)

    @cached_property
    def frames(self) -> tuple[int, ...]:
        """The frames that brought its bytes."""
        return self.case.trace.frames(self.row)

    @property
    def noticed(self) -> list[str]:
        """What was noticed when it was read, a sentence each."""
        bits = self.case.trace.rows.notes[self.row]
        found = [f"{name}: {note_meaning(name)}" for bit, name in NOTES.items() if bits & bit]
        message, document = self.message, self.document
        problems = (message.reason,) if isinstance(message, Malformed) else message.problems
        found += [one for one in problems if one not in found]
        if isinstance(document, Malformed):
            found.append(f"XCCOS that cannot be read: {document.reason}")
        elif document is not None:
            found += [f"XCCOS: {note}" for note in document.notes]
        return found

    @property
    def findings(self) -> Sequence[int]:
        """The numbers of the findings that rest on it."""
        known = self.case.once("findings by frame", self._findings_by_frame)
        return sorted({number for frame in self.frames for number in known.get(frame, ())})

    def _findings_by_frame(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for number, one in enumerate(self.case.diagnosed):
            for frame in one.frames:
                found.setdefault(frame, []).append(number)
        return found

    @property
    def steps(self) -> list[StepOf]:
        """The steps of flows that it is part of."""
        session = self.session
        if session is None:
            return []
        known = self.case.once(("steps by frame", session), lambda: self._steps_by_frame(session))
        found = [one for frame in self.frames for one in known.get(frame, ())]
        # Two posts may share a step: the search for the room that both went into.
        return list({(one.run.flow, one.step): one for one in found}.values())

    def _steps_by_frame(self, session: int) -> dict[int, list[StepOf]]:
        found: dict[int, list[StepOf]] = {}
        for run in flows_of(self.case.trace, [session]):
            for step in run.steps if run.session == session else ():
                for frame in step.frames:
                    found.setdefault(frame, []).append(StepOf(run, step))
        return found

    @property
    def hops(self) -> Sequence[int]:
        """All sightings of it, the first one first; itself alone where it has no copies."""
        scene = self.stage.scene
        rows = scene.seen(scene.origin(self.row))
        return sorted(rows, key=lambda row: (self.case.trace.rows.time[row], row))

    def beside(self) -> list[Beside]:
        """Return what comes before and after it: in its transaction, dialog and session."""
        found = []
        for order, rows in (
            ("dialog", self._of_dialog()),
            ("session", self._of_session()),
        ):
            if rows:
                found.append(Beside(order, *_around(rows, self.row)))
        total = len(self.case.trace.rows)
        last = self.row + 1 if self.row + 1 < total else None
        found.append(Beside("capture", self.row - 1 if self.row else None, last))
        return [one for one in found if one.before is not None or one.after is not None]

    def _of_dialog(self) -> Sequence[int]:
        dialog = self.belongs["dialog"]
        if dialog is None:
            return ()
        return sorted(outline(self.case.trace).dialogs[dialog["index"]].rows)

    def _of_session(self) -> Sequence[int]:
        session = self.session
        return () if session is None else session_rows(self.case, session)


def session_rows(case: Case, session: int) -> Sequence[int]:
    """Return the messages of a session, ascending, without those seen again on other hops."""
    return case.once("rows by session", lambda: _rows_by_session(case)).get(session, ())


def _rows_by_session(case: Case) -> dict[int, list[int]]:
    copies = outline(case.trace).copy_of
    found: dict[int, list[int]] = {}
    places = case.scene.places
    for row in sorted(places):
        if row not in copies:
            found.setdefault(places[row].view.index, []).append(row)
    return found


def _around(rows: Sequence[int], row: int) -> tuple[int | None, int | None]:
    """Return what stands before and after a row in an ascending list that may not have it."""
    at = bisect_left(rows, row)
    after = at + 1 if at < len(rows) and rows[at] == row else at
    return (rows[at - 1] if at else None), (rows[after] if after < len(rows) else None)
