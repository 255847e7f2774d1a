"""Results of checks as records: the contract of ``xccos check --format json`` (docs/check.md)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from analyzer.checks.subjects import SUBJECTS
from analyzer.views.numbers import frames_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.checks.spec import Check
    from analyzer.checks.values import Judged, Result

Record = dict[str, Any]


def result_record(file: str, result: Result) -> Record:
    """Return the result of one check on one capture."""
    return {
        "file": file,
        "check": result.check.name,
        "about": about(result.check),
        "status": result.status,
        "summary": result.summary,
        "held": result.counts.held,
        "failed": result.counts.failed,
        "unknown": result.counts.unknown,
        "slowest_ms": result.slowest_ms,
        "evidence": [judged_record(one) for one in result.evidence],
    }


def sentences(evidence: Sequence[Judged]) -> list[str]:
    """Return what the subjects say, with their frames; what several say is said once."""
    told = Counter(
        one.text + (f" ({frames_text(one.frames)})" if one.frames else "") for one in evidence
    )
    return [text if count == 1 else f"{text} ×{count}" for text, count in told.items()]


def about(check: Check) -> str:
    """Return what kind of thing a check is about: the key that leads it."""
    return SUBJECTS[type(check.subject)].leads[0].replace("no", "findings")


def judged_record(one: Judged) -> Record:
    """Return one subject that did not hold, or of which the capture cannot tell."""
    return {
        "status": one.held,
        "text": one.text,
        "frames": list(one.frames),
        "user": one.user,
        "session": one.session,
        "ms": one.ms,
    }
