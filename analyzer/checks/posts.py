"""Posts and the copies that the members of the room got, held against a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.checks.flows import named
from analyzer.checks.values import Judged
from analyzer.flows.posting import POSTING
from analyzer.flows.values import BAD
from analyzer.wireshark.shown import of_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.checks.judge import Court
    from analyzer.checks.spec import Check, PostSubject
    from analyzer.flows.values import Copy, FlowRun

POSTED, COPIED = "4", "5"
"""Steps of the documented flow: the post itself, and its copies."""
SHOWN = 3
"""Members that a sentence names."""


def judge_posts(court: Court, check: Check, subject: PostSubject) -> Iterator[Judged]:
    """Yield every post, with the slowest of its copies."""
    wanted = court.wanted(check)
    for run in court.flows:
        if run.flow == POSTING.name and run.row is not None and wanted(run.user):
            yield _judged(court, subject, run)


def _judged(court: Court, subject: PostSubject, run: FlowRun) -> Judged:
    trace = court.trace
    posted = next(step for step in run.steps if step.id == POSTED)
    copies = [copy for copy in run.copies if subject.echo or not copy.echo]
    rows = [copy.row for copy in copies if copy.row is not None]
    frames = tuple(sorted({*posted.frames, *of_rows(trace, rows)}))
    what = f"{named(run)} in frame {trace.rows.frame[run.row or 0]}"
    if posted.status in BAD:
        return _one("failed", f"{what}: {posted.detail}", posted.frames, run)
    lost = [copy for copy in copies if copy.row is None and copy.captured]
    if lost:
        return _one("failed", f"{what}: no copy came to {_names(lost)}", frames, run)
    refused = [copy for copy in copies if copy.status is not None and copy.status >= 300]
    if refused:
        text = f"{what}: {_names(refused)} answered {refused[0].status} to the copy"
        return _one("failed", text, frames, run)
    if posted.status == "not-captured":
        return _one("skipped", f"{what}: {posted.detail}", frames, run)
    return _seen(what, frames, run, copies)


def _seen(what: str, frames: tuple[int, ...], run: FlowRun, copies: Sequence[Copy]) -> Judged:
    """Judge a post that nothing is wrong with, as far as the capture shows."""
    copied = next((step for step in run.steps if step.id == COPIED), None)
    unseen = [copy for copy in copies if copy.row is None]
    if unseen:
        return _one("skipped", f"{what}: the copy to {_names(unseen)} is not captured", frames, run)
    if copied is not None and copied.status == "not-captured":
        return _one("skipped", f"{what}: {copied.detail}", frames, run)
    took = [copy.latency_ms for copy in copies if copy.latency_ms is not None]
    text = f"{what}: {len(copies)} copies" if copies else f"{what}: nobody else was in the room"
    return Judged("passed", text, frames, run.user, run.session, max(took, default=0.0))


def _one(held: str, text: str, frames: tuple[int, ...], run: FlowRun) -> Judged:
    return Judged(held, text, frames, run.user, run.session)  # type: ignore[arg-type]


def _names(copies: Sequence[Copy]) -> str:
    names = [copy.user or "a member" for copy in copies]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
