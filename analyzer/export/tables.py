"""The tables of a capture: which there are, what a filter leaves of each, and its records.

The records are those of the list commands (docs/json.md): same keys, same values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analyzer.diagnostics.table import diagnose
from analyzer.export.messages import MessageWriter
from analyzer.export.records import csv_header, csv_lines, encoded, json_lines
from analyzer.export.related import Related
from analyzer.flows.runs import flows_of
from analyzer.query import Query, Selection, call_id_test, room_test, user_test
from analyzer.views import commands as command_view
from analyzer.views import dialogs as dialog_view
from analyzer.views import findings as finding_view
from analyzer.views import flows as flow_view
from analyzer.views import messages as message_view
from analyzer.views import sessions as session_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.flows.values import FlowRun
    from analyzer.model import CommandPair, Dialog, Session
    from analyzer.trace import Trace

Record = dict[str, Any]
VERSION = 1
"""Of the tables; raised when a column goes or changes its type, which docs/json.md excludes."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of a capture is wanted."""

    query: Query
    sessions: tuple[int, ...] = ()
    """Numbers from 1, as ``xccos triage`` counts them."""

    def has(self, session: int | None) -> bool:
        """Say whether a session, by its index, is wanted."""
        return not self.sessions or (session is not None and session + 1 in self.sessions)


@dataclass(frozen=True, slots=True)
class Table:
    """What is particular to one table."""

    name: str
    fields: tuple[str, ...]
    select: Callable[[Trace, Filter], Sequence[Any]]
    record: Callable[[Trace, Any], Record]


def _messages(trace: Trace, wanted: Filter) -> Sequence[int]:
    found = Selection(trace, wanted.query).messages()
    if not wanted.sessions:
        return found
    related, count = Related(trace), len(trace.analysis().sessions)
    mine = {
        row for number in wanted.sessions if number <= count for row in related.session(number - 1)
    }
    return [row for row in found if row in mine]


def _commands(trace: Trace, wanted: Filter) -> Sequence[CommandPair]:
    dialogs = trace.analysis().dialogs
    return [
        pair
        for pair in Selection(trace, wanted.query).pairs()
        if wanted.has(None if pair.dialog is None else dialogs[pair.dialog].session)
    ]


def _dialogs(trace: Trace, wanted: Filter) -> Sequence[Dialog]:
    return [one for one in Selection(trace, wanted.query).dialogs() if wanted.has(one.session)]


def _sessions(trace: Trace, wanted: Filter) -> Sequence[Session]:
    return [one for one in Selection(trace, wanted.query).sessions() if wanted.has(one.index)]


def _flows(trace: Trace, wanted: Filter) -> Sequence[FlowRun]:
    """Return runs of flows: by user, session, room and time, and by messages in their steps."""
    query = wanted.query
    user, rooms, spoken = user_test(query.users), room_test(query.rooms), _Spoken(trace, query)
    names = _room_names(trace) if query.rooms else {}
    return [
        run
        for run in flows_of(trace)
        if wanted.has(run.session)
        and (not query.users or user(run.user))
        and (not query.rooms or rooms((run.room, names.get(run.room or ""))))
        and spoken.within(run.started, run.started + round(run.duration_ms * 1e6))
        and spoken.has(frame for step in run.steps for frame in step.frames)
    ]


def _findings(trace: Trace, wanted: Filter) -> Sequence[Finding]:
    """Return findings: by user, session, Call-ID and time, and by the messages they rest on."""
    query = wanted.query
    user, call_id = user_test(query.users), call_id_test(query.call_ids)
    spoken = _Spoken(trace, query, rooms=True)
    return [
        one
        for one in diagnose(trace)
        if wanted.has(one.session)
        and (not query.users or user(one.user))
        and (not query.call_ids or call_id(one.call_id))
        and spoken.within(one.time or 0, one.time or 0)
        and spoken.has(one.frames)
    ]


class _Spoken:
    """Which frames complete a message that meets the filters on what a message says."""

    def __init__(self, trace: Trace, query: Query, *, rooms: bool = False) -> None:
        began = trace.began or 0
        self._from = query.from_time.first(began) if query.from_time else None
        self._to = query.to_time.last(began) if query.to_time else None
        asked = replace(
            Query(), methods=query.methods, statuses=query.statuses, commands=query.commands,
            rooms=query.rooms if rooms else (),
        )  # fmt: skip
        self._frames: set[int] | None = None
        if asked:
            known = trace.rows.frame
            self._frames = {known[row] for row in Selection(trace, asked).messages()}

    def within(self, first: int, last: int) -> bool:
        """Say whether a span touches the times that were asked for."""
        return (self._to is None or first <= self._to) and (
            self._from is None or last >= self._from
        )

    def has(self, frames: Any) -> bool:  # noqa: ANN401  (numbers, in whatever they come)
        """Say whether one of these frames has such a message; yes where nothing was asked."""
        return self._frames is None or not self._frames.isdisjoint(frames)


def _room_names(trace: Trace) -> dict[str, str]:
    sessions = trace.analysis().sessions
    return {room.uri: room.name for one in sessions for room in one.rooms if room.name}


TABLES: dict[str, Table] = {
    one.name: one
    for one in (
        Table("messages", tuple(message_view.FIELDS), _messages, message_view.message_record),
        Table("commands", tuple(command_view.FIELDS), _commands, command_view.command_record),
        Table("dialogs", tuple(dialog_view.FIELDS), _dialogs, dialog_view.dialog_record),
        Table("sessions", tuple(session_view.FIELDS), _sessions, session_view.session_record),
        Table("flows", tuple(flow_view.FIELDS), _flows, flow_view.flow_record),
        Table("findings", tuple(finding_view.FIELDS), _findings, finding_view.finding_record),
    )
}


class LinesOut:
    """Writes a table of one capture after another as JSON, JSON lines or CSV."""

    def __init__(
        self, write: Callable[[bytes], object], table: Table, form: str, *, several: bool
    ) -> None:
        """``form``: ``json``, ``jsonl`` or ``csv``; ``several``: each record names its file."""
        self._write, self._table, self._form, self._several = write, table, form, several
        self._before = b"[\n"
        if form == "csv":
            fields = ("file", *table.fields) if several else table.fields
            write(csv_header(fields, messages=table.name == "messages").encode())

    def add(self, file: str, trace: Trace, chosen: Sequence[Any]) -> None:
        """Write some of the table of one capture."""
        for block in self._blocks(file, trace, chosen):
            if self._form != "json":
                self._write(block)
                continue
            # A line feed in JSON lines is the end of a line: in strings it is escaped.
            self._write(self._before + block[:-1].replace(b"\n", b",\n"))
            self._before = b",\n"

    def close(self) -> None:
        """Write the end."""
        if self._form == "json":
            self._write(b"[]\n" if self._before == b"[\n" else b"\n]\n")

    def _blocks(self, file: str, trace: Trace, chosen: Sequence[Any]) -> Iterator[bytes]:
        form = "csv" if self._form == "csv" else "jsonl"
        if self._table.name == "messages":
            named = file if self._several else None
            return MessageWriter(form, self._table.fields, file=named).blocks(trace, chosen)
        records = records_of(self._table, file if self._several else None, trace, chosen)
        return encoded(csv_lines(records) if form == "csv" else json_lines(records))


def records_of(
    table: Table, file: str | None, trace: Trace, chosen: Sequence[Any]
) -> Iterator[Record]:
    """Yield the records of some of a table, each with ``file`` first where it is given."""
    for one in chosen:
        record = table.record(trace, one)
        yield record if file is None else {"file": file, **record}
