"""A session with its exchanges and the runs of its flows, and what its capture cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.compare.exchanges import exchanges_of
from analyzer.compare.source import Source
from analyzer.compare.values import Party
from analyzer.flows.runs import flows_of
from analyzer.flows.signin import SIGN_IN
from analyzer.flows.stretch import Stretch
from analyzer.flows.variants import NAMES, variant_of
from analyzer.meaning import outline

if TYPE_CHECKING:
    from analyzer.compare.values import Exchange
    from analyzer.flows.values import FlowStep
    from analyzer.sessions.view import SessionView

MAX_EXCHANGES = 10_000
"""Of one session: a busy day of chat has some thousands, and aligning so many takes seconds."""
MANY_SESSIONS = 200
"""In a capture of more sessions, what others posted and this one never got is not looked for: all
of them would have to be judged for the one that is asked about."""
LATE = "the session was going on before the capture began"
ENDS = "the capture ends before it"
NOT_REACHED = "not reached after"


class Missing(NamedTuple):
    """Why an exchange is not there."""

    reason: str
    unseen: bool
    """The capture cannot tell."""


class Side:
    """One side of a comparison."""

    def __init__(self, view: SessionView) -> None:
        self.view = view
        self.source = Source(view)
        trace = view.trace
        few = len(outline(trace).sessions) <= MANY_SESSIONS
        runs = flows_of(trace) if few else flows_of(trace, [view.index])
        own = [run for run in runs if run.session == view.index]
        self.sign_ins = [run for run in own if run.flow == SIGN_IN.name]
        self.post_runs = {run.row: run for run in own if run.row is not None}
        """Runs of the posting flow by the row of the post."""
        found = exchanges_of(self.source, runs)
        self.total = len(found)
        self.exchanges = found[:MAX_EXCHANGES]
        self.variant = variant_of(view)
        self._stretch = Stretch(view)

    @property
    def stopped(self) -> FlowStep | None:
        """The first step of the last sign-in that was not reached."""
        steps = self.sign_ins[-1].steps if self.sign_ins else ()
        return next((one for one in steps if one.detail.startswith(NOT_REACHED)), None)

    def sign_in_at(self, time: int) -> int:
        """Return the number of the sign-in that a time belongs to; the first one before all."""
        begun = [at for at, run in enumerate(self.sign_ins) if run.started <= time]
        return begun[-1] if begun else 0

    def step(self, sign_in: int, number: str) -> FlowStep | None:
        """Return a step of one of its sign-ins."""
        if sign_in >= len(self.sign_ins):
            return None
        return next((one for one in self.sign_ins[sign_in].steps if one.id == number), None)

    def unseen(self, before: Exchange | None, after: Exchange | None, *, over: bool) -> str | None:
        """Say why something between two of its exchanges may be missing in its capture, or None.

        ``over``: the dialog that it would be in ended in the capture.
        """
        if self._stretch.gaps is not None:
            return self._stretch.gaps
        if before is None and self.view.late:
            return LATE
        if after is None and not over and self.view.cut_short:
            return ENDS
        start = self.view.started if before is None else before.began
        end = self.view.ended if after is None else after.began
        return self._stretch.hole(start, max(start, end))

    def party(self, file: str) -> Party:
        """Return what it is, for the head of a comparison."""
        view = self.view
        outcome = self.sign_ins[0].outcome if self.sign_ins else "not-captured"
        return Party(
            file=file,
            session=view.index,
            user=view.user,
            variant=self.variant.name,
            variant_words=NAMES[self.variant.name],
            user_agent=view.user_agent,
            server=view.server,
            started=view.started,
            ended=view.ended,
            digits=max(view.trace.quality.digits, 3),
            outcome=outcome,
            verdict=view.verdict,
            exchanges=self.total,
            doubts=view.doubts,
        )
