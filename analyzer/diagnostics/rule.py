"""Rules and what they find: one small function each, in one table, in the way of a linter.

A rule is pure: it looks at a case (a trace and what it means) and yields hits. It never says that
something did not happen where the capture would not show it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.diagnostics.refusals import refusals_of
from analyzer.flows.runs import flows_of
from analyzer.lazy import once
from analyzer.meaning import outline

if TYPE_CHECKING:
    from analyzer.diagnostics.refusals import Refusal
    from analyzer.diagnostics.thresholds import Thresholds
    from analyzer.flows.values import FlowRun
    from analyzer.model import Analysis
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
Confidence = Literal["certain", "likely", "possible"]
"""``certain``: the messages say so. ``likely``: the rule of the protocol is well evidenced, or the
capture has gaps elsewhere. ``possible``: one of several explanations."""


class Hit(NamedTuple):
    """What a rule found, in one place."""

    detail: str
    """A sentence with the facts: who, what, which frame."""
    rows: tuple[int, ...]
    """Messages that it rests on."""
    session: int | None = None
    """Index of the session that it concerns."""
    confidence: Confidence = "certain"
    frames: tuple[int, ...] = ()
    """Frames that it rests on and that are no messages (a hole, a TLS connection)."""
    user: str | None = None
    """SIP URI, where it is not that of the session."""
    severity: Severity | None = None
    """Where it is not that of the rule."""


class Finding(NamedTuple):
    """A hit with what its rule says of it."""

    rule: str
    severity: Severity
    title: str
    detail: str
    advice: str
    frames: tuple[int, ...]
    user: str | None
    call_id: str | None
    confidence: Confidence
    session: int | None
    time: int | None
    """Of the first message; nanoseconds since 1970 UTC."""


Test = Callable[["Case"], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong."""

    id: str
    """``GC204``: GC1xx signing in, 2xx SIP sessions and load, 3xx commands and rooms, 4xx posts,
    5xx files, 6xx time, 9xx the capture itself."""
    severity: Severity
    title: str
    """What is wrong, in a few words."""
    explanation: str
    """What it means and how it is seen."""
    advice: str
    """What to do next."""
    source: str
    """Where the fact comes from: the documents named in docs/protocol.md or an RFC."""
    test: Test
    absence: bool = False
    """It says that something did not happen: less sure where the capture has gaps."""


class Case:
    """One capture, as the rules see it; all of its sessions, or some of them."""

    def __init__(
        self,
        trace: Trace,
        thresholds: Thresholds,
        sessions: Sequence[int] | None = None,
        rules: Sequence[Rule] = (),
    ) -> None:
        self.trace = trace
        self.rows = trace.rows
        self.thresholds = thresholds
        self.rules = rules
        """All there are: what one of them finds may be explained by another."""
        self._wanted = sessions
        self._hits: dict[str, tuple[Hit, ...]] = {}

    @once
    def analysis(self) -> Analysis:
        """Transactions, dialogs, command pairs."""
        return outline(self.trace)

    @once
    def sessions(self) -> tuple[SessionView, ...]:
        """The sessions, with everything that was worked out about them."""
        found: Sequence[SessionView] = self.analysis.sessions  # type: ignore[assignment]
        wanted = range(len(found)) if self._wanted is None else self._wanted
        return tuple(found[index] for index in wanted)

    @once
    def flows(self) -> tuple[FlowRun, ...]:
        """The runs of all flows of these sessions."""
        return flows_of(self.trace, self._wanted)

    @once
    def refusals(self) -> dict[str, list[Refusal]]:
        """The refused requests of these sessions, by the id of the rule that tells them."""
        return refusals_of(self)

    def hits(self, rule: Rule) -> tuple[Hit, ...]:
        """Return what a rule finds, before it is asked whether another rule explains it."""
        known = self._hits.get(rule.id)
        if known is None:
            known = self._hits[rule.id] = tuple(rule.test(self))
        return known

    def others(self, mine: str, prefixes: tuple[str, ...]) -> Iterator[tuple[Rule, Hit]]:
        """Yield what the rules whose ids begin with a prefix find, without the rule ``mine``."""
        for rule in self.rules:
            if rule.id.startswith(prefixes) and rule.id != mine:
                yield from ((rule, hit) for hit in self.hits(rule))

    def view(self, session: int) -> SessionView:
        """Return a session by its index."""
        view: SessionView = self.analysis.sessions[session]  # type: ignore[assignment]
        return view

    def user(self, session: int) -> str:
        """Return who a session is of, for a sentence."""
        return self.view(session).user or "a client"

    def frames(self, hit: Hit) -> tuple[int, ...]:
        """Return all frames that a hit rests on, ascending."""
        return tuple(sorted({*hit.frames, *(self.rows.frame[row] for row in hit.rows)}))

    def rows_in(self, frames: Iterable[int]) -> tuple[int, ...]:
        """Return the first message that each of these frames completes, where one does."""
        known = self.rows.frame
        found = ((bisect_left(known, frame), frame) for frame in frames)
        return tuple(row for row, frame in found if row < len(known) and known[row] == frame)

    def frame(self, row: int) -> int:
        """Return the frame that completes a message."""
        return self.rows.frame[row]

    def time(self, row: int) -> int:
        """Return the time of a message, nanoseconds since 1970 UTC."""
        return self.rows.time[row]
