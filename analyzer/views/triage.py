"""Everything that ``xccos triage`` says of one capture, as one record (docs/json.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.meaning import outline
from analyzer.times import time_text
from analyzer.views.dialogs import span_ms
from analyzer.views.inputs import inputs_record
from analyzer.views.quality import advice, contents, quality_record
from analyzer.views.sessions import SessionRecord, session_record
from analyzer.views.told import tell, to_tell

if TYPE_CHECKING:
    from analyzer.trace import Trace

FORMAT = 1
"""Version of the triage document: raised when a key changes its meaning, not when one is added."""


def triage_record(trace: Trace, file: str, *, whole: bool = True) -> dict[str, Any]:
    """Return the triage of one capture.

    Not ``whole``: sessions work out what is asked of them, and flows, findings and summaries are
    filled in by ``analyzer.views.told.tell``.
    """
    analysis = trace.analysis() if whole else outline(trace)
    of_session = session_record if whole else SessionRecord
    quality = trace.quality
    first, last = quality.first_time, quality.last_time
    bare = not len(trace)
    sessions = [] if bare else [of_session(trace, session) for session in analysis.sessions]
    for session in sessions:
        session["summary"] = None
    record = {
        "file": file,
        "frames": quality.frames,
        "messages": len(trace),
        "first_time": time_text(first, quality.digits) if first else None,
        "last_time": time_text(last, quality.digits) if last else None,
        "duration_ms": span_ms(first, last) if first and last else None,
        "connections": len(trace.connections),
        "sessions": sessions,
        "flows": [],
        "findings": [],
        "inputs": inputs_record(trace),
        "quality": quality_record(trace),
        "contents": contents(trace) if bare else [],
        "next": advice(trace) if bare else [],
    }
    if whole:
        tell(trace, record, to_tell(sessions))
    return record
