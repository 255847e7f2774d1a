"""One record per finding, and one per rule: the contract of ``xccos findings`` and ``rules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.times import time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.diagnostics.rule import Finding, Rule
    from analyzer.trace import Trace
    from analyzer.views.messages import Record

FIELDS: dict[str, Callable[[Trace, Finding], Any]] = {
    "rule": lambda _, one: one.rule,
    "severity": lambda _, one: one.severity,
    "title": lambda _, one: one.title,
    "detail": lambda _, one: one.detail,
    "advice": lambda _, one: one.advice,
    "frames": lambda _, one: list(one.frames),
    "user": lambda _, one: one.user,
    "call_id": lambda _, one: one.call_id,
    "confidence": lambda _, one: one.confidence,
    "session": lambda _, one: one.session,
    "time": lambda trace, one: time_text(one.time, trace.quality.digits) if one.time else None,
}


def finding_record(trace: Trace, finding: Finding, fields: Sequence[str] = tuple(FIELDS)) -> Record:
    """Return the record of one finding, restricted to ``fields`` in their order."""
    return {name: FIELDS[name](trace, finding) for name in fields}


def rule_record(rule: Rule) -> Record:
    """Return the record of one rule."""
    return {
        "rule": rule.id,
        "severity": rule.severity,
        "title": rule.title,
        "explanation": rule.explanation,
        "advice": rule.advice,
        "source": rule.source,
    }
