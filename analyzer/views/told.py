"""Which sessions of a capture are told in full, and what only those have: flows and findings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from analyzer.flows.values import DONE
from analyzer.meaning import outline
from analyzer.views.flows import flow_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

Record = dict[str, Any]
Verdict = Literal["failed", "doubtful", "ok", "not-captured"]
"""``failed`` too where the sign-in is well and something else is an error; ``not-captured``:
nothing went wrong as far as can be seen, and not all of it can be."""

VERDICT_WORDS: dict[Verdict, str] = {
    "failed": "problem",
    "doubtful": "remarks",
    "ok": "no problem seen",
    "not-captured": "not all captured",
}

MAX_STORIES = 20
"""Sessions told in full. Of more, all are listed on a line each, and those with problems told."""

STOPPED = ("GC111", "note")
"""What is found of a sign-in that lacks a step and went on all the same."""
_FACTS = re.compile(r"\d+|(?:sips?|ma-chan):\S+")
"""Numbers, frames and URIs: what two sentences about one thing share."""


def judged(session: Record) -> str:
    """Return ``failed``, ``doubtful`` or ``ok``: by the steps first, then by all that failed.

    A step that was never tried is no failure of a client that got into its rooms without it.
    """
    bad = _bad(session)
    if bad and not (_untried(session) and (_went_on(session["steps"]) or _in_rooms(session))):
        return "failed"
    return "doubtful" if bad or session["problems"] or session["doubts"] else "ok"


def _bad(session: Record) -> list[Record]:
    return [step for step in session["steps"] if step["status"] in ("failed", "missing")]


def _untried(session: Record) -> bool:
    """Return whether of the bad steps nothing was seen."""
    return all(step["status"] == "missing" and not step["frames"] for step in _bad(session))


def _went_on(steps: Sequence[Record]) -> bool:
    """Return whether a step was done behind the last one that is bad."""
    last = max(at for at, step in enumerate(steps) if step["status"] in ("failed", "missing"))
    return any(step["status"] in DONE for step in steps[last + 1 :])


def _in_rooms(session: Record) -> bool:
    return any(room["joined_frame"] is not None for room in session["rooms"])


def verdict_of(session: Record, findings: Iterable[Record]) -> Verdict:
    """Return what became of a session, given the findings about it.

    ``ok`` is said only of what the capture shows; of a sign-in that it does not show in whole it
    says that.
    """
    found = judged(session)
    graded = {(one["rule"], one["severity"]) for one in findings}
    severities = {severity for _, severity in graded}
    if found == "failed" and STOPPED in graded and _untried(session):
        found = "doubtful"  # the rule knows that the client went on without the step
    if found == "failed" or "error" in severities:
        return "failed"
    if found == "doubtful" or "warning" in severities:
        return "doubtful"
    if any(step["status"] == "not-captured" for step in session["steps"]):
        return "not-captured"
    return "ok"


def told_by_none(problems: Sequence[str], findings: Iterable[Record]) -> list[str]:
    """Return the problems that no finding tells: with all their numbers, frames and URIs."""
    told = [
        {*map(str, one["frames"]), *_FACTS.findall(f"{one['title']} {one['detail']}")}
        for one in findings
        if one["severity"] != "note"
    ]
    return [text for text in problems if not any(set(_FACTS.findall(text)) <= has for has in told)]


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
