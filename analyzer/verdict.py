"""The verdict: one sentence that says how far a session got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.sessions.rooms import JOINING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Step
    from analyzer.sessions.view import SessionView

ENTRY_STEPS = ("1", "2", "3", "4", "5", "6")
"""Steps without which a client does not reach a room."""


def verdict_of(view: SessionView, steps: Sequence[Step]) -> str:
    """Return the sentence of a session, from its steps and rooms."""
    stop = _stop(view, steps)
    lacking = ""
    if stop is None:
        parts = [_signed_in(view), *_reached(view)]
        lacking = _lacking(steps)
    elif stop.id == "1":
        parts = [f"did not sign in: {stop.detail}"]
    elif not stop.frames and not view.of_role("lookup") and not view.of_role("channel"):
        parts = [_signed_in(view), "did not turn to Group Chat: it invited neither service"]
    else:
        told = stop.title.split()[0].rstrip(":") in stop.detail
        title = "" if told else f" ({stop.title})"
        parts = [_signed_in(view), f"stopped at step {stop.id}{title}: {stop.detail}"]
    parts += _left(view)
    return f"{view.user or 'A client'} {_joined(parts)}{lacking}"


def _stop(view: SessionView, steps: Sequence[Step]) -> Step | None:
    """Return the step that a session did not get past: nothing after it was done."""
    found: Step | None = None
    for step in reversed(steps):
        if step.status == "ok":
            break
        if step.status in {"failed", "missing"} and (
            step.id in ENTRY_STEPS or (step.status == "failed" and not view.entered[0])
        ):
            found = step
    return found


def _signed_in(view: SessionView) -> str:
    for registration in view.registrations:
        row = registration.signed_in
        if row is None:
            continue
        taken = (view.time(row) - view.time(view.registrations[0].dialog.rows[0])) / 1e6
        status, frame = view.trace.rows.status[row], view.frame(row)
        if view.late and (view.refreshed or view.started < registration.dialog.started):
            return f"was signed in before the capture (REGISTER {status} in frame {frame})"
        return f"signed in (REGISTER {status} in frame {frame}, {taken:.1f} ms)"
    return "was signed in before the capture" if view.late else "sent REGISTER"


def _reached(view: SessionView) -> list[str]:
    parts = []
    if any(dialog.end.state in {"confirmed", "terminated"} for dialog in view.of_role("channel")):
        parts.append("reached the Channel service")
    joined, asked = view.entered
    if asked:
        parts.append(f"joined {_of(joined, asked, 'room')}")
    elif any(one.outcome == "unanswered" for name in JOINING for one in view.named(name)):
        parts.append("joined no room: its join was not answered")
    posts = [one for one in view.named("grpchat") if one.post]
    if posts:
        lost = sum(one.outcome in {"rejected", "unanswered"} for one in posts)
        parts.append(f"posted {_of(len(posts) - lost, len(posts), 'message')}")
    return parts


def _lacking(steps: Sequence[Step]) -> str:
    """Return the steps that went wrong or were slow though later ones were done."""
    told = []
    for step in steps:
        name = f"step {step.id} ({step.title})"
        if step.status == "ok" and step.detail.startswith("slow") and step.latency_ms is not None:
            told.append(f"{name} took {step.latency_ms / 1000:.1f} s")
        elif step.id == "9":
            continue  # its rooms are told by number
        elif step.status == "failed":
            told.append(f"{name} failed")
        elif step.status == "missing":
            told.append(f"{name} was not answered" if step.frames else f"{name} is missing")
    return f"; {', '.join(told)}" if told else ""


def _left(view: SessionView) -> list[str]:
    for registration in view.registrations:
        if registration.signed_off is not None:
            return [f"signed off (frame {view.frame(registration.signed_off)})"]
    for dialog in view.of_role("channel")[-1:]:
        ended_by = dialog.end.ended_by
        if ended_by == "BYE from service":
            return ["was disconnected by the service (BYE)"]
        if ended_by in {"481", "487"}:
            return [f"lost its dialog with the Channel service ({ended_by})"]
    return []


def _of(good: int, total: int, what: str) -> str:
    if good == total:
        return f"{total} {what}{'' if total == 1 else 's'}"
    return f"{good} of {total} {what}{'' if total == 1 else 's'}"


def _joined(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
