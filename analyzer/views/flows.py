"""Runs of flows as records (docs/json.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.views.dialogs import span_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.flows.values import Copy, FlowRun, FlowStep
    from analyzer.trace import Trace
    from analyzer.views.messages import Record


def flow_step_record(trace: Trace, step: FlowStep) -> Record:
    """Return one step of a run."""
    return {
        "id": step.id,
        "title": step.title,
        "status": step.status,
        "frames": list(step.frames),
        "time": None if step.time is None else span_time(trace, step.time),
        "latency_ms": step.latency_ms,
        "detail": step.detail,
    }


def copy_record(trace: Trace, copy: Copy) -> Record:
    """Return the copy of a post that one member got, or did not get."""
    return {
        "user": copy.user,
        "session": copy.session,
        "echo": copy.echo,
        "frame": None if copy.row is None else trace.rows.frame[copy.row],
        "latency_ms": copy.latency_ms,
        "captured": copy.captured,
        "status": copy.status,
    }


def _post_frame(trace: Trace, run: FlowRun) -> int | None:
    return None if run.row is None else trace.rows.frame[run.row]


FIELDS: dict[str, Callable[[Trace, FlowRun], Any]] = {
    "flow": lambda _, run: run.flow,
    "user": lambda _, run: run.user,
    "variant": lambda _, run: run.variant,
    "outcome": lambda _, run: run.outcome,
    "started": lambda trace, run: span_time(trace, run.started),
    "duration_ms": lambda _, run: run.duration_ms,
    "steps": lambda trace, run: [flow_step_record(trace, step) for step in run.steps],
    "session": lambda _, run: run.session,
    "room": lambda _, run: run.room,
    "copies": lambda trace, run: [copy_record(trace, copy) for copy in run.copies],
    "frame": _post_frame,
}


def flow_record(trace: Trace, run: FlowRun, fields: Sequence[str] = tuple(FIELDS)) -> Record:
    """Return the record of one run, restricted to ``fields`` in their order."""
    return {name: FIELDS[name](trace, run) for name in fields}
