"""What a report tells: sessions, findings, flows, ladders and messages of what was chosen.

Everything is a value or a record of ``analyzer.views``; nothing here knows how it is shown. Each
thing that a capture can make grow has a limit, and what a limit leaves out is said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from analyzer.causes.consequences import consequences_of
from analyzer.causes.path import critical_path
from analyzer.collector import paused
from analyzer.diagnostics.rule import SEVERITIES
from analyzer.diagnostics.table import diagnose
from analyzer.flows.posting import POSTING
from analyzer.flows.runs import flows_of
from analyzer.flows.signin import SIGN_IN
from analyzer.ladder.build import Options, ladder_of
from analyzer.ladder.selection import Choice, choose
from analyzer.meaning import outline
from analyzer.narrative.names import names_of
from analyzer.narrative.story import story_of
from analyzer.views.findings import finding_record
from analyzer.views.flows import flow_record
from analyzer.views.narrative import path_record, story_record
from analyzer.views.told import to_tell
from analyzer.views.triage import triage_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.flows.values import FlowRun
    from analyzer.ladder.selection import Chosen
    from analyzer.ladder.values import Ladder
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

Record = dict[str, Any]
MAX_MESSAGES = 5_000
"""Rows of the table of messages: 3 MB of page, and a browser filters them while one types."""
MAX_FINDINGS = 300
"""Findings told one by one; of more nobody reads each, and `xccos findings` lists them."""
MAX_LADDERS = 12
"""Ladders of a report: each is a page of its own to read."""
MAX_EVENTS = 2_000
"""Of one ladder: a browser lays out so many at once, and more is for `xccos ladder`."""
MAX_DIAGNOSED = 2_000
"""Sessions whose findings are looked for: five seconds of work. Of more, those of the sessions
that are told."""
_DOCUMENTED = {flow.name: flow for flow in (SIGN_IN, POSTING)}


class Drawn(NamedTuple):
    """One ladder of a report."""

    prefix: str
    """Of its ids in the page."""
    session: int | None
    """Index of the session that it is of."""
    ladder: Ladder
    """Cut to ``MAX_EVENTS``."""
    whole: Ladder


class Tally(NamedTuple):
    """Findings of one rule in sessions that are not told in full."""

    rule: str
    severity: str
    title: str
    times: int
    sessions: int
    example: int
    """Index of the first of these sessions."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a report tells."""

    trace: Trace
    name: str
    """Of the capture, without its directory."""
    record: Record
    """Of the capture: that of ``triage_record``, sessions worked out when they are asked for."""
    words: tuple[str, ...]
    """What was chosen; empty: everything."""
    sessions: Sequence[Record]
    """Those of the choice, in order."""
    told: frozenset[int]
    """Indexes of those that are told in full."""
    findings: Sequence[Record]
    """Errors first; those of sessions that are told, and of the capture."""
    counts: dict[str, int]
    """Findings of the choice by severity, those that are not told one by one too."""
    tallies: Sequence[Tally]
    judged: bool
    """All sessions of the choice were diagnosed, not only those that are told."""
    flows: Sequence[Record]
    stories: dict[int, Record]
    paths: dict[int, Sequence[Record]]
    ladders: Sequence[Drawn]
    rows: Sequence[int]
    """Messages of the table, ascending."""
    cited: frozenset[int]
    """Those of them that a finding, a step or a post rests on."""
    total: int
    """Messages of the choice, hop copies too."""
    chosen: Sequence[int]
    """All messages of the choice, ascending."""
    diagnosed: Sequence[Finding]
    """All findings that were looked for."""


def content_of(trace: Trace, choice: Choice, options: Options) -> Content:
    """Return what a report of an open capture tells.

    Raises ValueError, with a line for people, when something chosen is not in the capture.
    """
    with paused():
        return _Gathering(trace, choice, options).content()


class _Gathering:
    def __init__(self, trace: Trace, choice: Choice, options: Options) -> None:
        self._trace, self._choice, self._options = trace, choice, options
        self._chosen: Chosen = choose(trace, choice)
        self._views = cast("Sequence[SessionView]", outline(trace).sessions)
        self._narrow = replace(choice, sessions=(), users=()) != Choice()
        self._record = triage_record(trace, trace.name, whole=False)

    def content(self) -> Content:
        scene = self._chosen.scene
        rows = sorted({row for one in self._chosen.rows for row in scene.seen(one)})
        sessions = self._sessions()
        told = to_tell(sessions)
        diagnosed = [one["index"] for one in sessions]
        if len(diagnosed) > MAX_DIAGNOSED:
            diagnosed = told
        found = diagnose(self._trace, sessions=self._few(diagnosed))
        runs = flows_of(self._trace, self._few(told))
        mine, others = _parted(found, set(told))
        flows = [flow_record(self._trace, run) for run in runs]
        cited = self._cited(mine[:MAX_FINDINGS], flows) & set(rows)
        counts = Counter(one.severity for one in found)
        return Content(
            trace=self._trace,
            name=PurePath(self._trace.name).name,
            record=self._record,
            words=self._chosen.words,
            sessions=sessions,
            told=frozenset(told),
            findings=[finding_record(self._trace, one) for one in mine[:MAX_FINDINGS]],
            counts={name: counts[name] for name in SEVERITIES},
            tallies=_tallies(others),
            judged=len(diagnosed) == len(sessions),
            flows=flows,
            stories=dict(self._stories(told, runs)),
            paths=dict(self._paths(told, runs)),
            ladders=list(self._ladders(told)),
            rows=self._listed(rows, cited, told),
            cited=frozenset(cited),
            total=len(rows),
            chosen=rows,
            diagnosed=found,
        )

    def _few(self, indexes: Sequence[int]) -> Sequence[int] | None:
        """Return the indexes as the analysis wants them: None for all."""
        return None if len(indexes) == len(self._views) else indexes

    def _sessions(self) -> list[Record]:
        records = self._record["sessions"]
        if not records:
            return []
        places = self._chosen.scene.places
        if not self._narrow:
            return [records[view.index] for view in self._chosen.scene.views]
        mine = {places[row].view.index for row in self._chosen.rows if row in places}
        return [records[index] for index in sorted(mine)]

    def _stories(
        self, told: Iterable[int], runs: Sequence[FlowRun]
    ) -> Iterator[tuple[int, Record]]:
        names = names_of(self._views)
        for index in told:
            view = self._views[index]
            losses = consequences_of(view, runs, _DOCUMENTED)
            story = story_of(view, runs, names, losses)
            yield index, story_record(self._trace, view, story)

    def _paths(
        self, told: Iterable[int], runs: Sequence[FlowRun]
    ) -> Iterator[tuple[int, list[Record]]]:
        for index in told:
            view = self._views[index]
            mine = (run for run in runs if run.session == index and run.flow == "sign-in")
            yield (
                index,
                [
                    path_record(self._trace, run, critical_path(self._trace, view, run))
                    for run in mine
                ],
            )

    def _ladders(self, told: Sequence[int]) -> Iterator[Drawn]:
        """Yield a ladder of each session; of some messages only, one of all of these."""
        if self._narrow or not told:
            if self._chosen.rows:
                found = ladder_of(self._trace, self._choice, self._options)
                yield Drawn("ladder", None, cut_ladder(found), found)
            return
        for index in told[:MAX_LADDERS]:
            found = ladder_of(self._trace, Choice(sessions=(index,)), self._options)
            yield Drawn(f"ladder-{index + 1}", index, cut_ladder(found), found)

    def _cited(self, findings: Iterable[Finding], flows: Iterable[Record]) -> set[int]:
        """Return the messages that a finding, a step or a copy rests on."""
        frames = {frame for one in findings for frame in one.frames}
        for run in flows:
            frames.update(frame for step in run["steps"] for frame in step["frames"])
            frames.update(one["frame"] for one in run["copies"])
        known = self._trace.rows.frame
        return {row for row in range(len(known)) if known[row] in frames}

    def _listed(self, rows: Sequence[int], cited: set[int], told: Sequence[int]) -> list[int]:
        """Return the messages of the table: of too many those that matter first."""
        if len(rows) <= MAX_MESSAGES:
            return list(rows)
        places, mine = self._chosen.scene.places, set(told)
        of_told = (row for row in rows if row in places and places[row].view.index in mine)
        ranked = dict.fromkeys((*sorted(cited), *of_told, *rows))
        return sorted(row for row, _ in zip(ranked, range(MAX_MESSAGES), strict=False))


def _parted(found: Iterable[Finding], told: set[int]) -> tuple[list[Finding], list[Finding]]:
    """Return the findings of sessions that are told and of the capture, and the others."""
    mine: list[Finding] = []
    others: list[Finding] = []
    for one in found:
        (mine if one.session is None or one.session in told else others).append(one)
    return mine, others


def _tallies(findings: Sequence[Finding]) -> list[Tally]:
    """Return findings counted by rule, in the order of severity."""
    by_rule: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        by_rule.setdefault((one.rule, one.severity), []).append(one)
    found = []
    for (rule, severity), those in by_rule.items():
        sessions = sorted({one.session for one in those if one.session is not None})
        found.append(Tally(rule, severity, those[0].title, len(those), len(sessions), sessions[0]))
    return found


def cut_ladder(ladder: Ladder, size: int = MAX_EVENTS) -> Ladder:
    """Return a ladder of at most ``size`` events, with the groups and brackets that they have."""
    if len(ladder.events) <= size:
        return ladder
    groups = tuple(
        replace(one, last=min(one.last, size - 1)) for one in ladder.groups if one.first < size
    )
    brackets = tuple(one for one in ladder.brackets if one.last < size)
    return replace(ladder, events=ladder.events[:size], groups=groups, brackets=brackets)
