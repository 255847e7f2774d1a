"""What shows each step of a post: from an attempt of a session to the step as it was seen."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from analyzer.flows.seen import evidence
from analyzer.flows.uploads import token_of
from analyzer.flows.values import FlowStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.commands import Command
    from analyzer.flows.sent import Known
    from analyzer.flows.spec import Step
    from analyzer.flows.subscriptions import Attempt, Walk
    from analyzer.flows.uploads import Uploads
    from analyzer.flows.values import Copy, StepStatus
    from analyzer.sessions.view import SessionView
    from analyzer.transaction_table import Transactions

SHOWN = 3
"""Names that a sentence lists."""


class File(NamedTuple):
    """What became of the file of a post."""

    status: StepStatus
    rows: tuple[int, ...]
    frames: tuple[int, ...]
    """Of the upload."""
    wait_ms: float
    detail: str


def bare(step: Step, status: StepStatus, detail: str) -> FlowStep:
    """Return a step of which nothing was seen."""
    return FlowStep(step.id, step.title, status, (), None, None, detail)


def asked(step: Step, walk: Walk, commands: Sequence[Command], *, refused: str = "") -> FlowStep:
    """Judge a command with its earlier tries; ``refused``: why it failed though it was answered."""
    view, last = walk.view, commands[-1]
    status = status_of(walk, commands, refused=bool(refused))
    replies = last.answers[:1]
    begin = commands[0].first()[0]
    latency = wait = None
    if replies and commands[0].element >= 0:
        latency = (view.time(replies[0].row) - view.time(begin)) / 1e6
        wait = (view.time(replies[0].row) - view.time(last.row)) / 1e6
    if status == "ok" and wait is not None and wait >= step.slow_ms:
        status = "slow"
    rows = rows_of(view.found, commands)
    detail = refused or view.outcomes.detail(last)
    return FlowStep(
        step.id, step.title, status, _frames(view, rows), view.time(begin), latency, detail
    )


def status_of(walk: Walk, commands: Sequence[Command], *, refused: bool = False) -> StepStatus:
    """Return the status of a command that was perhaps tried several times."""
    last = commands[-1]
    if last.outcome == "rejected" or refused or (last.answers and not walk.well(last)):
        return "failed"
    if last.outcome == "unanswered":
        return "missing"
    if not last.answers:
        return "not-captured"
    return "retried" if len(commands) > 1 and not walk.well(commands[-2]) else "ok"


def rows_of(found: Transactions, commands: Iterable[Command]) -> list[int]:
    """Return the rows of commands, of their replies, and of the SIP answers that refused them."""
    rows: list[int] = []
    for one in commands:
        rows += [one.row] if one.element >= 0 else []
        rows += [reply.row for reply in one.answers]
        if one.rejected() and one.transaction >= 0:
            rows.append(found.final[one.transaction])
    return rows


def _frames(view: SessionView, rows: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({view.frame(row) for row in evidence(rows)}))


def posted(
    step: Step, walk: Walk, attempt: Attempt, uploads: Uploads, copies: Sequence[Copy]
) -> FlowStep:
    """Judge step 4: the token, the upload and the post; a copy of it says that it arrived."""
    view, posts = walk.view, attempt.posts
    last = posts[-1].command
    final = view.found.final[last.transaction] if last.transaction >= 0 else -1
    status, detail = _acknowledged(view, attempt, copies)
    rows = rows_of(view.found, (one.command for one in posts))
    wait, latency = 0.0, None
    frames: tuple[int, ...] = ()
    if final >= 0:
        rows.append(final)
        latency = (view.time(final) - view.time(posts[0].command.row)) / 1e6
        wait = (view.time(final) - view.time(last.row)) / 1e6
    file = _file(walk, attempt, uploads)
    if file is not None:
        rows += file.rows
        status = file.status if status == "ok" else status
        wait, frames, detail = max(wait, file.wait_ms), file.frames, f"{file.detail}; {detail}"
    early = _too_early(view, attempt)
    if status == "ok" and early:
        status, detail = "out-of-order", f"{early}; {detail}"
    elif status == "ok" and wait >= step.slow_ms:
        status = "slow"
    shown = tuple(sorted({*_frames(view, rows), *frames}))
    begin = min(view.time(row) for row in rows)
    return FlowStep(step.id, step.title, status, shown, begin, latency, detail)


def _acknowledged(
    view: SessionView, attempt: Attempt, copies: Sequence[Copy]
) -> tuple[StepStatus, str]:
    """Judge the post itself, by its last attempt."""
    posts = attempt.posts
    last = posts[-1].command
    status, detail = _post_status(last, len(posts)), view.outcomes.detail(last)
    if status == "not-captured" and any(one.row is not None for one in copies):
        status = "retried" if len(posts) > 1 else "ok"
        detail = f"copies of it came; {detail}"
    if status == "retried":
        first = view.outcomes.detail(posts[0].command).partition(";")[0]
        detail = f"{detail}, at attempt {len(posts)}; at first {first}"
    if posts[-1].chat.link and not attempt.tokens:
        detail = f"{detail}; the token of its file is not in the capture"
    return status, detail


def _post_status(last: Command, count: int) -> StepStatus:
    if last.outcome == "accepted":
        return "retried" if count > 1 else "ok"
    if last.outcome == "rejected":
        return "failed"
    return "missing" if last.outcome == "unanswered" else "not-captured"


def _too_early(view: SessionView, attempt: Attempt) -> str:
    """Say what a post did not wait for."""
    sent = attempt.posts[0].command.row
    joins = attempt.subscription.joins if attempt.subscription is not None else []
    for what, commands in (("the join", joins), ("the token", attempt.tokens)):
        if commands and commands[-1].answers and commands[-1].answers[0].row > sent:
            frame = view.frame(commands[-1].answers[0].row)
            return f"sent before {what} was answered (frame {frame})"
    return ""


def _file(walk: Walk, attempt: Attempt, uploads: Uploads) -> File | None:
    """Judge the token and the upload of a post with a file link."""
    view, tokens = walk.view, attempt.tokens
    if not tokens:
        return None
    rows = tuple(rows_of(view.found, tokens))
    status, last = status_of(walk, tokens), tokens[-1]
    detail = f"getfutok: {view.outcomes.detail(last)}"
    if status not in {"ok", "retried"}:
        return File(status, rows, (), 0.0, detail)
    token = token_of(view, last)
    if token is None:
        return File("failed", rows, (), 0.0, f"{detail}, without the URI of a Web service")
    wait = 0.0 if last.element < 0 else (token.time - view.time(last.row)) / 1e6
    upload = uploads.of(token, view.client_address, _next_token(view, last))
    shown: StepStatus = "failed" if upload.state == "failed" else "ok"
    text = f"token in frame {view.frame(token.row)}, {upload.detail}"
    if upload.state == "absent" and attempt.posts:
        why = _why_unseen(view, attempt.posts[-1].row)
        if why is None:
            shown = "missing"
        else:
            text += f"; {why}"
    return File(shown, rows, upload.frames, wait, text)


def _why_unseen(view: SessionView, row: int) -> str | None:
    """Say why the capture might not have an upload, or None."""
    if view.gaps is not None:
        return view.gaps
    return view.visibility.why_unknown(row)


def _next_token(view: SessionView, command: Command) -> int | None:
    """Return the time of the token that the session asked for next."""
    known = view.named("getfutok")
    at = bisect_right(known, _row(command), key=_row)
    return view.time(_row(known[at])) if at < len(known) else None


def _row(command: Command) -> int:
    return command.first()[0]


def unposted(step: Step, walk: Walk, attempt: Attempt, uploads: Uploads) -> FlowStep:
    """Judge step 4 of an attempt without a post: the token may say why there is none."""
    file = _file(walk, attempt, uploads)
    if file is None or file.status in {"ok", "retried"}:
        return bare(step, "missing", "no post followed")
    view = walk.view
    frames = tuple(sorted({*_frames(view, file.rows), *file.frames}))
    begin = min(view.time(row) for row in file.rows)
    return FlowStep(step.id, step.title, file.status, frames, begin, None, file.detail)


def delivered(step: Step, view: SessionView, known: Known) -> FlowStep:
    """Judge step 5: the copies to the others that were in the room."""
    others = [one for one in known.copies if not one.echo]
    if not others:
        if known.others or not known.listed:
            return bare(step, "not-captured", "no connection of another member is in the capture")
        return bare(step, "not-applicable", "nobody else was in the room as far as is known")
    got = [one for one in others if one.row is not None]
    rows = sorted(one.row for one in got if one.row is not None)
    lost = [one for one in others if one.row is None and one.captured]
    slowest = max((one.latency_ms for one in got if one.latency_ms is not None), default=None)
    status, detail = _copies_status(step, others, got, lost, slowest)
    frames = _frames(view, rows)
    begin = view.time(rows[0]) if rows else None
    return FlowStep(step.id, step.title, status, frames, begin, slowest, detail)


def _copies_status(
    step: Step,
    others: Sequence[Copy],
    got: Sequence[Copy],
    lost: Sequence[Copy],
    slowest: float | None,
) -> tuple[StepStatus, str]:
    text = f"{len(got)} of {len(others)} members got a copy"
    if lost:
        return "missing", f"{text}; none came to {_named(lost)}"
    refusing = [one for one in got if one.status is not None and one.status >= 300]
    if refusing:
        told = f"{_named(refusing)} answered {refusing[0].status}"
        return "failed", f"{text}; {told}"
    if not got:
        return "not-captured", f"{text}; their connections would not show it"
    if slowest is not None and slowest >= step.slow_ms:
        return "slow", f"{text}, the last after {slowest / 1000:.1f} s"
    return "ok", f"{text}, the last after {slowest or 0:.1f} ms"


def _named(copies: Sequence[Copy]) -> str:
    names = [one.user or "somebody" for one in copies]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
