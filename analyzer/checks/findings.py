"""Findings that must not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from analyzer.checks.values import Judged
from analyzer.diagnostics.rule import SEVERITIES, Confidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.checks.judge import Court
    from analyzer.checks.spec import Check, FindingSubject
    from analyzer.diagnostics.rule import Finding

SURE = get_args(Confidence)
"""The surest first."""


def judge_findings(court: Court, check: Check, subject: FindingSubject) -> Iterator[Judged]:
    """Yield the findings that the check does not allow."""
    wanted = court.wanted(check)
    for one in court.findings:
        of_nobody = one.user is None and bool(check.users)
        if of_nobody or not wanted(one.user) or not _is_looked_at(subject, one):
            continue
        if _is_meant(subject, one) != subject.allowed:
            text = f"{one.rule} {one.severity}: {one.detail} ({one.confidence})"
            yield Judged("failed", text, one.frames, one.user, one.session)


def _is_looked_at(subject: FindingSubject, one: Finding) -> bool:
    return one.rule not in subject.ignore and SURE.index(one.confidence) <= SURE.index(
        subject.confidence
    )


def _is_meant(subject: FindingSubject, one: Finding) -> bool:
    """Say whether ``no`` or ``only`` means a finding.

    ``no = "warning"`` means warnings and errors, ``only = "warning"`` warnings and notes.
    """
    if one.rule in subject.rules:
        return True
    if subject.severity is None:
        return False
    mine, bound = SEVERITIES.index(one.severity), SEVERITIES.index(subject.severity)
    return mine >= bound if subject.allowed else mine <= bound
