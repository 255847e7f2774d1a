"""What a text trace says of its messages beside them: diagnostic records by Call-ID and CSeq."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.times import time_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.trace import Trace
    from dissectors.capture.text.values import Annotation

Record = dict[str, Any]
MAX_SHOWN = 100
"""Remarks of one message; a server that complains more often says the same."""


def annotations_of(trace: Trace, row: int) -> list[Annotation]:
    """Return the remarks about a message: those with its Call-ID, and its CSeq where they have one.

    A record names the request (MS trace text, ``SIP-CSeq``), and is meant for its answers too.
    """
    notes = trace.quality.annotations
    if not notes:
        return []
    rows = trace.rows
    call_id = rows.strings.values[rows.call_id[row]]
    cseq = rows.cseqs.values[rows.cseq[row]]
    text = "" if cseq is None else f"{cseq[0]} {cseq[1]}"
    return [
        one for one in notes if one.call_id and one.call_id == call_id and one.cseq in ("", text)
    ][:MAX_SHOWN]


def annotations_record(trace: Trace, row: int) -> list[Record]:
    """Return the remarks about a message as records."""
    return records(annotations_of(trace, row), trace.quality.digits)


def records(notes: Sequence[Annotation], digits: int) -> list[Record]:
    """Return remarks as records."""
    return [
        {
            "time": time_text(one.time_ns, digits),
            "line": one.line,
            "severity": one.severity,
            "text": one.text,
            "code": one.code or None,
            "call_id": one.call_id or None,
            "cseq": one.cseq or None,
            "start_line": one.start_line or None,
            "peer": one.peer or None,
            "data": dict(one.data),
        }
        for one in notes
    ]
