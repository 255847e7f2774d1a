"""The verdict in words: one or two sentences that say what became of a session.

What the capture cannot show is said to be not captured; nothing is called healthy by silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.flows.values import BAD, DONE
from analyzer.narrative.names import listed, room_names, room_text, steps_text
from analyzer.narrative.posts import COPIES_STEP, POST_STEP, post_text, sent_posts
from analyzer.sessions.rooms import JOINING
from analyzer.times import clock_text, latency_text
from analyzer.views.numbers import amount, frames_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.flows.values import FlowRun, FlowStep
    from analyzer.narrative.names import Names
    from analyzer.sessions.view import SessionView

REMARKS = {"slow": "took {}", "retried": "retried", "out-of-order": "out of order"}
"""What is said of steps that were done, but not as they should be."""
KINDS_OF_POSTS = 3
"""Groups of posts with the same fate that are told; of more it says how many posts are left."""


def summary_of(view: SessionView, runs: Sequence[FlowRun], names: Names) -> str:
    """Return the verdict of a session in words.

    Args:
        view: the session.
        runs: those of ``flows_of`` that belong to it.
        names: of the people in the capture.
    """
    mine = [run for run in runs if run.session == view.index]
    sign_ins = [run for run in mine if run.flow == "sign-in"]
    sign_in = sign_ins[0] if sign_ins else None
    parts = [f"{names.person(view.user)} {_signed_in(view, sign_in)}"]
    parts += [f"started again: {_signed_in(view, again)}" for again in sign_ins[1:]]
    parts += _rooms(view, sign_in)
    parts += _posts(view, [run for run in mine if run.flow == "posting" and run.row is not None])
    parts += _ended(view)
    if view.gaps is not None:
        parts.append(f"not all of it is captured ({view.gaps})")
    return "; ".join(parts)


def _signed_in(view: SessionView, run: FlowRun | None) -> str:
    if run is None:
        return f"was active from {clock_text(view.started, 0)}"
    first = run.steps[0]
    if first.status in BAD:
        return f"did not sign in: {_told(first)}"
    return _began(view, run, first) + "".join(_course(view, run))


def _began(view: SessionView, run: FlowRun, first: FlowStep) -> str:
    at = clock_text(run.started, 0)
    last = next((one for one in reversed(run.steps) if one.status != "not-applicable"), first)
    lasted = f" in {latency_text(taken(run))}" if last.status in DONE else ""
    if first.status in DONE:
        return f"signed in at {at}{lasted}"
    if first.status == "not-applicable":
        return f"connected to Group Chat at {at}{lasted}"
    if view.late:
        return "was signed in before the capture began"
    return f"was seen from {at} (REGISTER not captured)"


def taken(run: FlowRun) -> float:
    """Return the milliseconds to the last step done: later messages of a step do not count."""
    ends = [
        (step.time - run.started) / 1e6 + step.latency_ms
        for step in run.steps
        if step.time is not None and step.latency_ms is not None
    ]
    return max(ends, default=run.duration_ms)


def _course(view: SessionView, run: FlowRun) -> Iterator[str]:
    """Yield what was remarkable about the steps of a sign-in."""
    in_rooms = view.entered[0] > 0  # then those that it was not let into are told by name
    bad = [one for one in run.steps if one.status in BAD and not (in_rooms and one.id == "9")]
    if bad and not _turned_to_chat(view) and not any(step.frames for step in bad):
        yield ", but did not turn to Group Chat: it invited neither Lookup nor Channel service"
        return
    yield from _lacking(run, bad)
    for step in run.steps:
        word = REMARKS.get(step.status)
        if word is not None:
            yield f", step {step.id} ({step.title}) {word.format(latency_text(step.latency_ms))}"
    unseen = [step for step in run.steps[1:] if step.status == "not-captured"]
    if unseen:
        yield f", {steps_text(unseen)} not captured"


def _lacking(run: FlowRun, bad: Sequence[FlowStep]) -> Iterator[str]:
    """Yield the steps that failed, those that are missing, and those that could not follow."""
    hit = [step for step in bad if step.frames]
    done = [at for at, step in enumerate(run.steps) if step.status in DONE]
    rest = run.steps[done[-1] + 1 :] if done and hit else ()
    lost = [step for step in bad if not step.frames and step in rest]
    absent = [step for step in bad if not step.frames and step not in rest]
    for joint, step in zip(("but", "and"), hit, strict=False):
        yield f", {joint} step {step.id} ({step.title}) {_fate(step)}"
    if absent:
        are = "is" if len(absent) == 1 else "are"
        yield f", {'and' if hit else 'but'} {steps_text(absent)} {are} missing"
    if lost:
        yield f", and {steps_text(lost)} did not follow"


def _turned_to_chat(view: SessionView) -> bool:
    return bool(view.of_role("lookup") or view.of_role("channel"))


def _fate(step: FlowStep) -> str:
    word = "failed" if step.status == "failed" else "was not completed"
    return f"{word}: {_told(step)}"


def _told(step: FlowStep) -> str:
    """Return the first part of a step's sentence: what comes after is detail."""
    return step.detail.partition("; ")[0].rstrip(".")


def _rooms(view: SessionView, run: FlowRun | None) -> Iterator[str]:
    joined, asked = view.entered
    if asked:
        count = ("" if joined == asked else f"{joined} of ") + amount(asked, "room")
        count = count if joined else "no room"
        names = room_names(view.rooms)
        refused = [room_text(names, room.uri) for room in view.refused_rooms]
        yield f"{count} joined" + (f", {listed(refused, 'others')} refused" if refused else "")
        return
    asking = [one for name in JOINING for one in view.named(name) if one.element >= 0]
    if any(one.outcome == "unanswered" for one in asking):
        yield "no room joined"
    elif asking:
        yield "whether it joined its rooms is not captured"
    elif run is not None and any(
        step.id == "9" and step.status == "not-captured" for step in run.steps
    ):
        yield "the rooms that it joined are not captured"


def _posts(view: SessionView, runs: Sequence[FlowRun]) -> Iterator[str]:
    fates: dict[str, list[FlowRun]] = {}
    sent = sent_posts(view)
    for run in runs:
        fates.setdefault(post_text(view, run, sent), []).append(run)
    ranked = sorted(fates.items(), key=lambda one: (not _is_bad(one[1][0]), -len(one[1])))
    for fate, same in ranked[:KINDS_OF_POSTS]:
        frames = [view.frame(run.row) for run in same if run.row is not None]
        where = f" ({frames_text(frames)})" if _is_bad(same[0]) else ""
        yield f"{amount(len(same), 'post')} {fate}{where}"
    left = sum(len(same) for _, same in ranked[KINDS_OF_POSTS:])
    if left:
        yield f"{amount(left, 'more post')} with other outcomes"


def _is_bad(run: FlowRun) -> bool:
    """Say whether a post or a copy of it was lost."""
    return any(step.status in BAD for step in run.steps if step.id in {POST_STEP, COPIES_STEP})


def _ended(view: SessionView) -> Iterator[str]:
    if view.signed_off is not None:
        yield f"signed off at {clock_text(view.time(view.signed_off), 0)}"
        return
    for dialog in view.of_role("channel")[-1:]:
        if dialog.end.row is None:
            continue
        at = clock_text(view.time(dialog.end.row), 0)
        if dialog.end.ended_by == "BYE from service":
            yield f"disconnected by the service at {at}"
        elif dialog.end.ended_by in {"481", "487"}:
            yield f"dialog with the Channel service lost at {at} ({dialog.end.ended_by})"
