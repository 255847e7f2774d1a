"""What of a capture a slice holds: messages by row, and frames that are no SIP.

Several values of one kind mean any of them, several kinds mean all of them. What is asked for by
its content (a room, a command, a run of a flow) brings along what reading it back needs: answers,
hop copies, the INVITE and BYE of the dialog, the registration of the session. Times and frames
then limit it strictly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from analyzer.export.related import Related
from analyzer.flows.runs import flows_of
from analyzer.meaning import outline
from analyzer.named import Frames, dialog_named, findings_named, runs_named, sessions_named
from analyzer.query import Query, Selection
from analyzer.times import SECOND
from dissectors.model import address_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.flows.values import FlowRun
    from analyzer.named import Span
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

DNS_BEFORE_NS = 60 * SECOND
"""A client asks for its pool right before it signs in, and after a failure tries for a while."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What someone wants; all empty: the whole capture, frame by frame."""

    sessions: tuple[int, ...] = ()
    """Numbers from 1, as ``xccos triage`` counts them."""
    dialogs: tuple[str, ...] = ()
    """Call-ID, its beginning with ``*``, or the number that ``xccos dialogs`` shows (``#3``)."""
    findings: tuple[str, ...] = ()
    """Id of a rule or its beginning, or the number of a finding, from 1."""
    flows: tuple[str, ...] = ()
    """``sign-in``; ``posting:2`` is the second of its name."""
    frames: tuple[Span, ...] = ()
    query: Query = field(default_factory=Query)

    def __bool__(self) -> bool:
        """Say whether anything is asked for."""
        return self != Choice()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a choice comes to."""

    rows: tuple[int, ...]
    """Messages, ascending."""
    frames: frozenset[int]
    """Frames of what is no SIP message: DNS, and a frame of each connection that is taken whole."""
    sessions: tuple[int, ...]
    """Indexes of the sessions that were asked for."""


def choose(trace: Trace, choice: Choice, findings: Callable[[], Sequence[Finding]]) -> Chosen:
    """Return what of an open capture is chosen; ``findings`` gives those of the capture.

    Raises ValueError, with one line for people, for what is not there.
    """
    return _Choosing(trace, choice, findings).run()


class _Choosing:
    def __init__(
        self, trace: Trace, choice: Choice, findings: Callable[[], Sequence[Finding]]
    ) -> None:
        self._trace, self._choice, self._findings = trace, choice, findings
        self._analysis = outline(trace)
        self._related = Related(trace)
        self._frames: set[int] = set()
        self._sessions: tuple[int, ...] = ()

    def run(self) -> Chosen:
        choice = self._choice
        wanted: list[set[int]] = []
        if choice.sessions or choice.query.users:
            wanted.append(self._of_people())
        if choice.dialogs:
            wanted.append(self._of_dialogs())
        if choice.findings:
            wanted.append(self._of_findings())
        if choice.flows:
            wanted.append(self._of_flows())
        if self._asks_of_messages():
            wanted.append(self._of_messages())
        rows = set.intersection(*wanted) if wanted else set(range(len(self._trace)))
        rows = self._limited(rows)
        frames = self._with_dns(self._outside(self._frames))
        frames |= self._outside_by_number()
        return Chosen(tuple(sorted(rows)), frozenset(frames), self._sessions)

    def _of_people(self) -> set[int]:
        """Return what sessions had; of a user without one, the messages from or to it."""
        choice = self._choice
        indexes = [number - 1 for number in choice.sessions]
        views = sessions_named(self._views(), indexes, choice.query.users)
        if not views and choice.sessions:
            raise ValueError(f"session {choice.sessions[0]} is not of that user")
        self._sessions = tuple(view.index for view in views)
        if not views:
            rows = Selection(self._trace, Query(users=choice.query.users)).messages()
            return self._related.with_context(rows)
        self._note_frames(flows_of(self._trace, self._sessions))
        self._frames.update(frame for view in views for frame in self._dns_of(view))
        return {row for view in views for row in self._related.session(view.index)}

    def _dns_of(self, view: SessionView) -> Iterator[int]:
        """Yield the frames in which the client of a session asked DNS for its pool."""
        host = view.client_address.rpartition(":")[0]
        for query in self._trace.quality.queries:
            hosts = {end.rpartition(":")[0] for end in address_text(query.key)}
            if host in hosts and view.started - DNS_BEFORE_NS <= query.time_ns <= view.ended:
                yield query.frame

    def _of_dialogs(self) -> set[int]:
        rows = (row for text in self._choice.dialogs for row in dialog_named(self._trace, text))
        return self._related.exchanges(rows)

    def _of_findings(self) -> set[int]:
        """Return the whole dialogs of what findings cite, with the sign-ins of their sessions.

        A copy that somebody did not get is seen by what that member did get: all of that session.
        """
        found: set[int] = set()
        known, related = self._findings(), self._related
        for text in self._choice.findings:
            for one in findings_named(known, text):
                rows = related.rows_in(one.frames)
                found |= related.whole_dialogs(rows)
                sessions = related.sessions_of(rows)
                if one.session is not None:
                    sessions.add(one.session)
                for session in sessions:
                    found |= related.signing_in(session)
                for session in self._without_copy(rows):
                    found |= related.session(session)
                self._frames.update(one.frames)
        return found

    def _without_copy(self, rows: Iterable[int]) -> set[int]:
        """Return the sessions that did not get the copy of a post among these messages."""
        posts = set(rows)
        return {
            copy.session
            for run in flows_of(self._trace)
            if run.row in posts
            for copy in run.copies
            if copy.row is None
        }

    def _of_flows(self) -> set[int]:
        runs = [run for run in flows_of(self._trace) if self._is_of_session(run)]
        found: set[int] = set()
        for text in self._choice.flows:
            for run in (runs[number] for number in runs_named(runs, text)):
                self._note_frames([run])
                copies = [copy.row for copy in run.copies if copy.row is not None]
                rows = self._related.rows_in(frame for step in run.steps for frame in step.frames)
                found |= self._related.with_context([*rows, *copies])
                found |= self._related.registrations(run.session)
        return found

    def _is_of_session(self, run: FlowRun) -> bool:
        return not self._sessions or run.session in self._sessions

    def _asks_of_messages(self) -> bool:
        query = self._choice.query
        return bool(
            query.call_ids or query.methods or query.statuses or query.commands or query.rooms
        )

    def _of_messages(self) -> set[int]:
        query = self._choice.query
        asked = Query(
            call_ids=query.call_ids,
            methods=query.methods,
            statuses=query.statuses,
            commands=query.commands,
            rooms=query.rooms,
        )
        return self._related.with_context(Selection(self._trace, asked).messages())

    def _limited(self, rows: set[int]) -> set[int]:
        """Keep what lies in the times and frames that were asked for."""
        choice, trace = self._choice, self._trace
        if choice.query.from_time or choice.query.to_time:
            times = Query(from_time=choice.query.from_time, to_time=choice.query.to_time)
            rows = rows & set(Selection(trace, times).messages())
        if choice.frames:
            within = Frames(choice.frames)
            rows = {row for row in rows if any(frame in within for frame in trace.frames(row))}
        return rows

    def _note_frames(self, runs: Iterable[FlowRun]) -> None:
        self._frames.update(frame for run in runs for step in run.steps for frame in step.frames)

    def _outside(self, frames: set[int]) -> set[int]:
        """Return those of these frames that are DNS, or belong to an upload."""
        quality = self._trace.quality
        found = {query.frame for query in quality.queries if query.frame in frames}
        found |= {
            other.frames[0] for other in quality.others if not frames.isdisjoint(other.frames)
        }
        return found

    def _outside_by_number(self) -> set[int]:
        """Return the same of the frames that were asked for by number."""
        if not self._choice.frames:
            return set()
        quality, within = self._trace.quality, Frames(self._choice.frames)
        found = {query.frame for query in quality.queries if query.frame in within}
        return found | {
            other.frames[0]
            for other in quality.others
            if any(frame in within for frame in other.frames)
        }

    def _with_dns(self, frames: set[int]) -> set[int]:
        """Add the question to each answer of DNS, and the answer to each question."""
        queries = self._trace.quality.queries
        asked = {(query.id, query.name) for query in queries if query.frame in frames}
        return frames | {query.frame for query in queries if (query.id, query.name) in asked}

    def _views(self) -> Sequence[SessionView]:
        return cast("Sequence[SessionView]", self._analysis.sessions)
