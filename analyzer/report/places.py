"""What of a report can be linked to, and by which ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.ladder.values import Note
from analyzer.markup import Page
from analyzer.meaning import outline

if TYPE_CHECKING:
    from analyzer.report.content import Content, Drawn, Record


class Places:
    """The ids of messages, findings, sessions, and of the events of ladders."""

    def __init__(self, content: Content) -> None:
        self._frames: dict[int, int] = {}
        """Message by frame: the first that it completes, else one that it brought a part of."""
        rows = content.trace.rows
        copies = outline(content.trace).copy_of
        self.copies = {row for row in content.rows if row in copies}
        """Messages that were seen before, on another hop."""
        for row in content.rows:
            self._frames.setdefault(rows.frame[row], row)
        for row in content.rows:
            for frame in content.trace.frames(row):
                self._frames.setdefault(frame, row)
        self._told = content.told
        self._listed = {one["index"] for one in content.sessions}
        self._ladders = [_Ladder(one) for one in content.ladders]
        self._session = {one.session: at for at, one in enumerate(content.ladders)}
        self._of_row = {
            row: event for one in reversed(self._ladders) for row, event in one.rows.items()
        }

    @staticmethod
    def message(row: int) -> str:
        """Return the id of a message in the table."""
        return f"m{row}"

    def of_frame(self, frame: int) -> str | None:
        """Return the id of the message that a frame brought, where the report has it."""
        row = self._frames.get(frame)
        return None if row is None else self.message(row)

    def href_of(self, frame: int) -> str | None:
        """Return the address of that message in the page."""
        found = self.of_frame(frame)
        return None if found is None else f"#{found}"

    def session(self, index: int | None) -> str | None:
        """Return the id of a session."""
        if index is None or index not in self._listed:
            return None
        return f"session-{index + 1}" if index in self._told else f"s{index + 1}"

    def in_ladder(self, row: int) -> str | None:
        """Return the id of the event of a ladder that shows a message."""
        return self._of_row.get(row)

    def of_finding(self, finding: Record) -> str | None:
        """Return the id of what shows a finding in a ladder: its note, else its last message."""
        for one in self._those(finding["session"]):
            found = one.finding(finding)
            if found is not None:
                return found
        return None

    def of_step(self, run: Record, step: Record) -> str | None:
        """Return the id of the first group of a step in the ladder of its session."""
        frames = set(step["frames"])
        for one in self._those(run["session"]):
            found = one.step(run["flow"], step["id"], frames)
            if found is not None:
                return found
        return None

    def _those(self, session: int | None) -> list[_Ladder]:
        """Return the ladder of a session; where there is none, the one of all that was chosen."""
        at = self._session.get(session, self._session.get(None))
        if at is not None:
            return [self._ladders[at]]
        return self._ladders if session is None else []


@dataclass(frozen=True, slots=True)
class ReportPage(Page):
    """Writes what links to messages, sessions and ladders of the same report."""

    places: Places


class _Ladder:
    """The ids of one ladder."""

    def __init__(self, drawn: Drawn) -> None:
        self._prefix, self._ladder = drawn.prefix, drawn.ladder
        self.rows: dict[int, str] = {}
        self._frames: dict[int, int] = {}
        self._notes: dict[tuple[str, tuple[int, ...]], int] = {}
        for number, event in enumerate(drawn.ladder.events):
            if isinstance(event, Note):
                self._notes[event.label.partition(" ")[0], event.frames] = number
                continue
            answer = () if event.answer is None else (event.answer.row,)
            for row in (*event.rows, *answer, *(hop.row for hop in event.hops)):
                self.rows.setdefault(row, self._event(number))
            for frame in event.frames:
                self._frames[frame] = number

    def finding(self, finding: Record) -> str | None:
        number = self._notes.get((finding["rule"], tuple(finding["frames"])))
        if number is not None:
            return self._event(number)
        found = [self._frames[frame] for frame in finding["frames"] if frame in self._frames]
        return self._event(max(found)) if found else None

    def step(self, flow: str, step: str, frames: set[int]) -> str | None:
        """Return the first group of a step that has one of these frames."""
        for number, group in enumerate(self._ladder.groups):
            if (group.flow, group.step) == (flow, step):
                events = self._ladder.events[group.first : group.last + 1]
                if any(frames.intersection(event.frames) for event in events):
                    return f"{self._prefix}-g{number}"
        return None

    def _event(self, number: int) -> str:
        return f"{self._prefix}-e{number}"
