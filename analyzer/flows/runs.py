"""The runs of all flows in a capture: the only entry to what flows found."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from analyzer.flows.signin import sign_in_runs
from analyzer.meaning import outline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.flows.spec import Flow
    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

MEMO = "_flow_runs"
"""Where a trace keeps runs: of all of its sessions (None), and of those that were asked for."""


def flows_of(
    trace: Trace, sessions: Sequence[int] | None = None, *, more: Sequence[Flow] = ()
) -> tuple[FlowRun, ...]:
    """Return the runs of every flow, in the order in which they began.

    The capture must still be open.

    Args:
        trace: the capture.
        sessions: the indexes of those that are wanted (None: all); a post's copies are looked for
            in all sessions of the capture.
        more: flows of one's own: ``analyzer.flows.custom.load_flows``.
    """
    found = cast("Sequence[SessionView]", outline(trace).sessions)
    views = found if sessions is None else [found[index] for index in sessions]
    runs = _documented(trace, views, None if sessions is None else tuple(sessions))
    if more:
        from analyzer.flows.custom import runs_of  # few have flows of their own

        own = [run for flow in more for view in views for run in runs_of(flow, view)]
        runs = _ordered((*runs, *own))
    return runs


def _documented(
    trace: Trace, views: Sequence[SessionView], wanted: tuple[int, ...] | None
) -> tuple[FlowRun, ...]:
    """Return the runs of the flows of the document; they are worked out once."""
    known: dict[tuple[int, ...] | None, tuple[FlowRun, ...]] = trace.__dict__.setdefault(MEMO, {})
    if wanted not in known:
        from analyzer.flows.posting import posting_runs  # the larger half, and not always wanted

        runs = [run for view in views for run in sign_in_runs(view)]
        runs += posting_runs(trace, views)
        known[wanted] = _ordered(runs)
    return known[wanted]


def _ordered(runs: Iterable[FlowRun]) -> tuple[FlowRun, ...]:
    return tuple(sorted(runs, key=lambda run: (run.started, run.session, run.row or -1)))
