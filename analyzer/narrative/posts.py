"""What became of a post, in words: the answer to it, its repetition, and who got a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.causes.messages import Messages
from analyzer.commands import accepted
from analyzer.flows.values import BAD
from analyzer.times import SECOND, latency_text
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.commands import Command
    from analyzer.flows.values import Copy, FlowRun, FlowStep
    from analyzer.sessions.view import SessionView

POST_STEP = "4"
COPIES_STEP = "5"
LATE_MS = 2000.0
"""A copy after so long is worth a word: people who write to one another notice."""


LACKING = {
    "failed": "lost",
    "missing": "never answered",
    "not-captured": "its answer is not captured",
}
"""What is said of a post that was not accepted, by the status of its step."""


def sent_posts(view: SessionView) -> dict[int, Command]:
    """Return the posts of a session by frame, as first seen and as seen nearest to it."""
    near = Messages(view).near
    return {
        view.frame(row): one
        for one in view.named("grpchat")
        if one.element >= 0
        for row in (one.row, near(one.row))
    }


def post_text(view: SessionView, run: FlowRun, posts: Mapping[int, Command]) -> str:
    """Return the fate of a post: ``answered 503, retried after 5 s, delivered to 3 of 4 members``.

    Args:
        view: the session of its author.
        run: its ``posting``.
        posts: all of the session: ``sent_posts``.
    """
    return ", ".join([*_answered(view, run, attempts(posts, run)), *delivery(run)])


def attempts(posts: Mapping[int, Command], run: FlowRun) -> list[Command]:
    """Return the attempts at a post, in order: a repetition may have another envid."""
    step = _step(run, POST_STEP)
    found = (posts.get(frame) for frame in (step.frames if step is not None else ()))
    return sorted({one.row: one for one in found if one is not None}.values(), key=_row)


def _row(command: Command) -> int:
    return command.row


def _answered(view: SessionView, run: FlowRun, tried: Sequence[Command]) -> list[str]:
    step = _step(run, POST_STEP)
    if step is None:
        return ["seen"]
    parts = _tried(view, tried)
    if step.status == "retried" and len(tried) < 2:
        parts.append("retried")
    if step.status == "slow" and step.latency_ms is not None:
        return [*parts, f"accepted after {latency_text(step.latency_ms)}"]
    if tried and accepted(tried[-1].status):
        whole = step.status not in BAD
        ending = "accepted" if whole else "accepted without the upload of its file"
        return parts if parts and whole else [*parts, ending]
    last = LACKING.get(step.status)
    if last is None:
        return parts or ["accepted"]
    return [*parts[:-1], f"{parts[-1]} and {last}"] if parts else [last]


def _tried(view: SessionView, tried: Sequence[Command]) -> list[str]:
    """Return what the attempts at a post met: nothing where the first one was accepted."""
    parts = [f"answered {tried[0].status}"] if tried and _refused(tried[0]) else []
    if len(tried) > 1:
        parts = parts or ["unanswered at first"]
        parts.append(f"retried after {_wait(view, tried[0], tried[1])}")
        if _refused(tried[-1]):
            parts.append(f"answered {tried[-1].status} again")
    return parts


def _refused(command: Command) -> bool:
    return command.status is not None and not accepted(command.status)


def _wait(view: SessionView, first: Command, then: Command) -> str:
    """Return how long a client waited with the repetition, from the answer that refused it."""
    final = view.found.final[first.transaction] if first.transaction >= 0 else -1
    return seconds_text(view.time(then.row) - view.time(final if final >= 0 else first.row))


def delivery(run: FlowRun) -> list[str]:
    """Return who got a copy, in words; nothing where there is nothing to say."""
    others = [copy for copy in run.copies if not copy.echo and copy.captured]
    echoes = [copy for copy in run.copies if copy.echo and copy.captured]
    step = _step(run, COPIES_STEP)
    if not others:
        unseen = step is not None and step.status == "not-captured"
        echoed = ["echoed to the author"] if any(one.row is not None for one in echoes) else []
        return [*echoed, *(["copies to members not captured"] if unseen else [])]
    got = [copy for copy in others if copy.row is not None]
    slowest = max((copy.latency_ms or 0.0 for copy in got), default=0.0)
    late = f" (the last after {seconds_text(round(slowest * 1e6))})" if slowest >= LATE_MS else ""
    echo = [] if not echoes or any(one.row is not None for one in echoes) else ["no echo"]
    return [f"delivered to {_of(got, others)}{late}", *echo]


def _of(got: Sequence[Copy], all_: Sequence[Copy]) -> str:
    if len(got) < len(all_):
        return f"{len(got) or 'none'} of {amount(len(all_), 'member')}"
    return "the other member" if len(all_) == 1 else f"all {len(all_)} members"


def _step(run: FlowRun, id_: str) -> FlowStep | None:
    return next((step for step in run.steps if step.id == id_), None)


def seconds_text(nanoseconds: int) -> str:
    """Return a wait as a person says it: ``5 s``, ``2.5 s``, ``120 ms``."""
    if nanoseconds < SECOND:
        return latency_text(nanoseconds / 1e6)
    return f"{nanoseconds / SECOND:.1f}".removesuffix(".0") + " s"
