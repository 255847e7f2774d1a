"""One record per SIP dialog (or registration): the contract of ``xccos dialogs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.times import SECOND, time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.model import Dialog
    from analyzer.trace import Trace
    from analyzer.views.messages import Record


def span_time(trace: Trace, time: int) -> str | None:
    """Return a time of a dialog or session, as precise as the capture; None where it has none."""
    return time_text(time, trace.quality.digits) if time else None


def span_ms(started: int, ended: int) -> float:
    """Return a span of nanoseconds in milliseconds."""
    return (ended - started) * 1000 / SECOND


def element_counts(trace: Trace, dialog: Dialog) -> dict[str, int]:
    """Return how many XCCOS elements of each name a dialog carried."""
    rows = trace.rows
    names, elements = rows.strings.values, rows.item_columns["element"]
    counts: dict[str, int] = {}
    for row in dialog.rows:
        for k in range(rows.item[row], rows.item_end(row)):
            name = names[elements[k]] or ""
            counts[name] = counts.get(name, 0) + 1
    return counts


def _address(trace: Trace, dialog: Dialog, side: str) -> str | None:
    if not 0 <= dialog.connection < len(trace.connections):
        return None
    return str(getattr(trace.connections[dialog.connection], side))


FIELDS: dict[str, Callable[[Trace, Dialog], Any]] = {
    "index": lambda _, dialog: dialog.index,
    "role": lambda _, dialog: dialog.role,
    "evidence": lambda _, dialog: dialog.evidence,
    "call_id": lambda _, dialog: dialog.call_id,
    "method": lambda _, dialog: dialog.method,
    "caller": lambda _, dialog: dialog.caller,
    "caller_tag": lambda _, dialog: dialog.caller_tag,
    "callee": lambda _, dialog: dialog.callee,
    "callee_tag": lambda _, dialog: dialog.callee_tag,
    "client": lambda _, dialog: dialog.client,
    "service": lambda _, dialog: dialog.service,
    "state": lambda _, dialog: dialog.state,
    "ended_by": lambda _, dialog: dialog.ended_by,
    "began_in_capture": lambda _, dialog: dialog.began_in_capture,
    "started": lambda trace, dialog: span_time(trace, dialog.started),
    "ended": lambda trace, dialog: span_time(trace, dialog.ended),
    "duration_ms": lambda _, dialog: span_ms(dialog.started, dialog.ended),
    "opener": lambda trace, dialog: _address(trace, dialog, "opener"),
    "responder": lambda trace, dialog: _address(trace, dialog, "responder"),
    "transport": lambda trace, dialog: _address(trace, dialog, "transport"),
    "connection": lambda _, dialog: dialog.connection,
    "legs": lambda _, dialog: list(dialog.legs),
    "xccos": element_counts,
    "messages": lambda _, dialog: list(dialog.rows),
    "copies": lambda _, dialog: list(dialog.copies),
    "frames": lambda trace, dialog: [trace.rows.frame[row] for row in dialog.rows],
    "session": lambda _, dialog: dialog.session,
}


def dialog_record(trace: Trace, dialog: Dialog, fields: Sequence[str] = tuple(FIELDS)) -> Record:
    """Return the record of one dialog, restricted to ``fields`` in their order."""
    return {name: FIELDS[name](trace, dialog) for name in fields}
