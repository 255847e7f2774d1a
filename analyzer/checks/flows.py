"""Runs of flows and their steps, held against a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.checks.values import Judged
from analyzer.flows.values import BAD
from analyzer.narrative.names import short_room

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.checks.judge import Court
    from analyzer.checks.spec import Check, FlowSubject
    from analyzer.flows.values import FlowRun, FlowStep


def judge_flows(court: Court, check: Check, subject: FlowSubject) -> Iterator[Judged]:
    """Yield the runs of a flow, or the steps of each that are asked for."""
    wanted = court.wanted(check)
    for run in court.flows:
        if run.flow != subject.flow or not wanted(run.user):
            continue
        if not subject.steps:
            yield _whole(subject, run)
            continue
        for step in run.steps:
            if step.id in subject.steps and step.status != "not-applicable":
                yield _step(subject, run, step)


def named(run: FlowRun) -> str:
    """Return ``sign-in of sip:ann@example.com``."""
    into = f" into {short_room(run.room)}" if run.room else ""
    return f"{run.flow} of {run.user or 'a client'}{into}"


def _whole(subject: FlowSubject, run: FlowRun) -> Judged:
    frames = tuple(sorted({frame for step in run.steps for frame in step.frames}))
    if run.outcome in subject.outcomes:
        text = f"{named(run)}: {run.outcome}"
        return Judged("passed", text, frames, run.user, run.session, run.duration_ms)
    unseen = run.outcome == "not-captured"
    causes = [
        step
        for step in run.steps
        if (step.status == "not-captured" if unseen else step.status in BAD)
    ]
    text = f"{named(run)}: {run.outcome}"
    if causes:
        first = causes[0]
        text += f"; step {first.id} {first.title}: {first.status}: {first.detail}"
        frames = first.frames or frames
    return Judged("skipped" if unseen else "failed", text, frames, run.user, run.session)


def _step(subject: FlowSubject, run: FlowRun, step: FlowStep) -> Judged:
    text = f"{named(run)}: step {step.id} {step.title}: {step.status}"
    if step.status in subject.statuses:
        return Judged("passed", text, step.frames, run.user, run.session, step.latency_ms)
    held = "skipped" if step.status == "not-captured" else "failed"
    return Judged(held, f"{text}: {step.detail}", step.frames, run.user, run.session)  # type: ignore[arg-type]
