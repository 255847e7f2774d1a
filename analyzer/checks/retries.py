"""Refused requests: repeated, and accepted then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.checks.commands import is_refused
from analyzer.checks.values import Judged
from analyzer.query import status_test

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.checks.judge import Court
    from analyzer.checks.spec import Check, RetrySubject
    from analyzer.diagnostics.refusals import Refusal


def judge_retries(court: Court, check: Check, subject: RetrySubject) -> Iterator[Judged]:
    """Yield the requests of clients that were refused with one of the statuses."""
    wanted, meant = court.wanted(check), status_test(subject.statuses)
    for one in court.refusals:
        user = court.case.view(one.session).user
        if one.by_client and meant(one.status) and wanted(user):
            yield _judged(court, one, user)


def _judged(court: Court, one: Refusal, user: str | None) -> Judged:
    frame = court.trace.rows.frame
    sent = f" in frame {frame[one.request]}" if one.request >= 0 else ""
    answered = f"was answered {one.text} in frame {frame[one.final]}"
    text = f"{one.what} of {user or 'a client'}{sent} {answered}"
    frames = tuple(sorted(frame[row] for row in one.rows))
    if one.accepted >= 0:
        return _repeated(court, one, f"{text}, repeated in frame {frame[one.accepted]}", frames)
    why = _why_unseen(court, one)
    if why is not None:
        text = f"{text}; whether it was repeated cannot be told: {why}"
        return Judged("skipped", text, frames, user, one.session)
    return Judged("failed", f"{text} and not repeated with success", frames, user, one.session)


def _repeated(court: Court, one: Refusal, text: str, frames: tuple[int, ...]) -> Judged:
    """Judge a request whose repetition SIP accepted: what it carried has to be answered too."""
    rows, user = court.trace.rows, court.case.view(one.session).user
    shown = tuple(sorted({*frames, rows.frame[one.accepted]}))
    pairs = court.pairs_of(one.accepted) if one.commands else []
    bad = next((pair for pair in pairs if pair.outcome == "unanswered" or is_refused(pair)), None)
    if bad is not None:
        return Judged("failed", f"{text}: {bad.detail}", shown, user, one.session)
    unknown = next((pair for pair in pairs if pair.outcome == "unknown"), None)
    if unknown is not None:
        return Judged("skipped", f"{text}: {unknown.detail}", shown, user, one.session)
    first = one.request if one.request >= 0 else one.final
    ms = (rows.time[one.accepted] - rows.time[first]) / 1e6
    return Judged("passed", f"{text} and accepted", shown, user, one.session, ms)


def _why_unseen(court: Court, one: Refusal) -> str | None:
    """Say why a repetition may exist unseen; nobody repeats after a dialog has ended."""
    view = court.case.view(one.session)
    ended = None if one.dialog < 0 else view.material.dialogs[one.dialog].end.row
    return view.visibility.why_unknown(one.request if one.request >= 0 else one.final, ended)
