"""Comparisons as records for JSON (docs/diff.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.compare.words import doubt_sentence, sentence
from analyzer.times import time_text

if TYPE_CHECKING:
    from analyzer.compare.values import (
        AlignedRow,
        Comparison,
        Divergence,
        Doubt,
        Exchange,
        Party,
        StepKey,
        StepPair,
        StepSeen,
        Told,
    )
    from analyzer.sessions.view import SessionView

Record = dict[str, Any]
FORMAT = 1
"""Of the whole document; raised when a key is removed or gets another meaning."""


def comparison_record(found: Comparison) -> Record:
    """Return a comparison."""
    return {
        "a": _party(found.a),
        "b": _party(found.b),
        "why": found.why,
        "first": None if found.first is None else divergence_record(found.first),
        "steps": [_step_pair(one) for one in found.steps],
        "divergences": [divergence_record(one) for one in found.divergences],
        "doubts": [_doubt(one) for one in found.doubts],
        "rows": [_row(one) for one in found.rows],
        "cut": list(found.cut),
    }


def divergence_record(one: Divergence) -> Record:
    """Return one divergence."""
    return {
        "kind": one.kind,
        "weight": one.weight,
        "step": _step(one.step),
        "subject": one.subject,
        "field": one.field,
        "a": _told(one.a),
        "b": _told(one.b),
        "count": one.count,
        "follows": one.follows,
        "row": None if one.row < 0 else one.row,
        "text": sentence(one),
    }


def session_record(view: SessionView) -> Record:
    """Return a session that was not compared."""
    return {"session": view.index, "user": view.user}


def _party(one: Party) -> Record:
    return {
        "file": one.file,
        "session": one.session,
        "user": one.user,
        "variant": one.variant,
        "user_agent": one.user_agent,
        "server": one.server,
        "started": time_text(one.started, one.digits),
        "duration_ms": (one.ended - one.started) / 1e6,
        "outcome": one.outcome,
        "verdict": one.verdict,
        "exchanges": one.exchanges,
        "doubts": list(one.doubts),
    }


def _step(step: StepKey | None) -> Record | None:
    return None if step is None else {"flow": step.flow, "id": step.id, "title": step.title}


def _told(one: Told) -> Record:
    return {"text": one.text, "frames": list(one.frames)}


def _step_pair(one: StepPair) -> Record:
    return {
        "sign_in": one.sign_in,
        "id": one.step.id,
        "title": one.step.title,
        "a": _seen(one.a),
        "b": _seen(one.b),
    }


def _seen(one: StepSeen) -> Record:
    return {
        "status": one.status,
        "latency_ms": one.latency_ms,
        "frames": list(one.frames),
        "detail": one.detail,
    }


def _doubt(one: Doubt) -> Record:
    return {
        "side": one.side,
        "what": one.what,
        "reason": one.reason,
        "frames": list(one.frames),
        "text": doubt_sentence(one),
    }


def _row(one: AlignedRow) -> Record:
    return {
        "step": _step(one.step),
        "subject": one.subject,
        "a": _exchange(one.a),
        "b": _exchange(one.b),
        "moved": one.moved,
        "unseen": one.unseen,
        "weight": one.weight,
    }


def _exchange(one: Exchange | None) -> Record | None:
    if one is None:
        return None
    return {
        "frames": list(one.frames),
        "outcome": one.outcome.words,
        "well": one.outcome.well if one.outcome.known else None,
        "latency_ms": one.latency_ms,
        "messages": [
            {"frame": sight.frame, "message": sight.row, "part": sight.part, "label": sight.label}
            for sight in one.sights
        ],
    }
