"""The table of rules, and what they find in a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.collector import paused
from analyzer.diagnostics import (
    capture,
    commands,
    files,
    inputs,
    posts,
    servers,
    signing_in,
    sip_sessions,
    timing,
)
from analyzer.diagnostics.explained import unexplained
from analyzer.diagnostics.rule import SEVERITIES, Case, Finding
from analyzer.diagnostics.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.diagnostics.rule import Confidence, Hit, Rule
    from analyzer.trace import Trace

_MODULES = (signing_in, sip_sessions, commands, posts, files, timing, servers, capture, inputs)
RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in sorted(
        (rule for module in _MODULES for rule in module.RULES), key=lambda one: one.id
    )
}
"""All rules by id, in the order of their ids."""
DEFAULTS = Thresholds()
_LESS_SURE: dict[Confidence, Confidence] = {
    "certain": "likely",
    "likely": "possible",
    "possible": "possible",
}


def diagnose(
    trace: Trace,
    thresholds: Thresholds = DEFAULTS,
    *,
    rules: Sequence[Rule] | None = None,
    sessions: Sequence[int] | None = None,
) -> list[Finding]:
    """Return what the rules find in an open capture: errors first, then by time.

    Args:
        trace: the capture.
        thresholds: from when on something is too much.
        rules: those to apply; None: all.
        sessions: indexes of those that are looked at; None: all.
    """
    with paused():
        case = Case(trace, thresholds, sessions, tuple(RULES.values()))
        found = [
            _finding(case, rule, hit)
            for rule in (case.rules if rules is None else rules)
            for hit in unexplained(case, rule)
        ]
    found.sort(
        key=lambda one: (SEVERITIES.index(one.severity), one.time or 0, one.rule, one.detail)
    )
    return found


def _finding(case: Case, rule: Rule, hit: Hit) -> Finding:
    rows, value = case.rows, case.rows.strings.values
    session = None if hit.session is None else case.analysis.sessions[hit.session]
    user = hit.user if hit.user is not None or session is None else session.user
    confidence = hit.confidence
    if rule.absence and session is not None and session.doubts:
        confidence = _LESS_SURE[confidence]
    first = min(hit.rows, default=None)
    return Finding(
        rule=rule.id,
        severity=hit.severity or rule.severity,
        title=rule.title,
        detail=hit.detail,
        advice=rule.advice,
        frames=case.frames(hit),
        user=user,
        call_id=None if first is None else value[rows.call_id[first]],
        confidence=confidence,
        session=hit.session,
        time=None if first is None else rows.time[first],
    )
