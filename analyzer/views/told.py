"""Which sessions of a capture are told in full, and what only those have: flows and findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.meaning import outline
from analyzer.views.flows import flow_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

Record = dict[str, Any]

MAX_STORIES = 20
"""Sessions told in full. Of more, all are listed on a line each, and those with problems told."""


def judged(session: Record) -> str:
    """Return ``failed``, ``doubtful`` or ``ok``: by the steps first, then by all that failed."""
    if any(step["status"] in ("failed", "missing") for step in session["steps"]):
        return "failed"
    return "doubtful" if session["problems"] or session["doubts"] else "ok"


def to_tell(sessions: Sequence[Record]) -> list[int]:
    """Return the indexes of the sessions that are told: all, of too many those with problems."""
    if len(sessions) <= MAX_STORIES:
        return [session["index"] for session in sessions]
    troubled = (session["index"] for session in sessions if judged(session) != "ok")
    return [index for index, _ in zip(troubled, range(MAX_STORIES), strict=False)]


def tell(trace: Trace, record: Record, told: Sequence[int]) -> None:
    """Fill in the flows, findings and summaries of these sessions of a triage record."""
    from analyzer.diagnostics.table import diagnose
    from analyzer.flows.runs import flows_of
    from analyzer.narrative.names import names_of
    from analyzer.narrative.verdict import summary_of
    from analyzer.views.findings import finding_record

    views: Sequence[SessionView] = outline(trace).sessions  # type: ignore[assignment]
    wanted = None if len(told) == len(views) else told
    runs = flows_of(trace, wanted)
    names = names_of(views)
    record["flows"] = [flow_record(trace, run) for run in runs]
    record["findings"] = [finding_record(trace, one) for one in diagnose(trace, sessions=wanted)]
    for index in told:
        record["sessions"][index]["summary"] = summary_of(views[index], runs, names)
