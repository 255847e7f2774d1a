"""What shows each step of a sign-in: one function a step, from a session to what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.legs import is_success
from analyzer.sessions.registrations import refused
from analyzer.sessions.rooms import is_good
from analyzer.states import request_text, status_text
from analyzer.times import SECOND
from analyzer.transaction_table import CHALLENGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.commands import Command
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView

Status = Literal["ok", "failed", "missing", "not-applicable", "not-captured"]
SIGN_IN_NS = 60 * SECOND
"""Commands of one name so long after the first belong to the sign-in: retries, more of a set."""
SLOW_MS = 3000.0
"""A step that takes longer is called slow; servers that are well answer within milliseconds."""
SHOWN_FRAMES = 12


class Seen(NamedTuple):
    """What the capture shows of a step."""

    status: Status
    frames: tuple[int, ...]
    latency_ms: float | None
    detail: str


def registered(view: SessionView) -> Seen | None:
    """Step 1: a REGISTER answered 2xx, after challenges and perhaps a redirect."""
    if not view.registrations:
        return None
    first = view.registrations[0]
    if first.dialog.started > view.started and view.late:
        frame = view.frame(first.dialog.rows[0])
        return Seen("not-captured", (frame,), None, f"refreshed only (frame {frame})")
    tried = [one for registration in view.registrations for one in registration.transactions]
    rounds = sum(view.found.status(one) in CHALLENGES for one in tried)
    for registration in view.registrations:
        if registration.signed_in is not None:
            row = registration.signed_in
            start = first.dialog.rows[0]
            met = f" after {rounds} challenges" if rounds else ""
            detail = status_text(view.trace, row) + met
            return _timed(view, start, row, (start, row), detail)
    bad = refused(view.registrations[-1], view.found)
    if bad is not None and view.found.status(bad) not in CHALLENGES:
        return _answered(view, bad)
    return _stopped(view, tried)


def _stopped(view: SessionView, tried: Sequence[int]) -> Seen:
    """Judge a sign-in that neither succeeded nor was refused for good."""
    last = tried[-1]
    answered = view.found.status(last)
    if answered is None:
        return _unanswered(view, last)
    row = view.found.final[last]
    text = f"nothing follows {status_text(view.trace, row)}"
    if view.cut_short or view.gaps is not None:
        return Seen("not-captured", (view.frame(row),), None, text)
    status: Status = "failed" if answered in CHALLENGES else "missing"
    return Seen(status, (view.frame(row),), None, text)


def subscribed(view: SessionView) -> Seen | None:
    """Step 2: at least one SUBSCRIBE answered 2xx."""
    return _best(view, _of_method(view, view.of_role("subscription"), "SUBSCRIBE"))


def published(view: SessionView) -> Seen | None:
    """Step 3: at least one SERVICE of the client answered 2xx."""
    return _best(view, [one for one in view.outside if view.found.method(one) == "SERVICE"])


def _of_method(view: SessionView, dialogs: Sequence[DialogDraft], method: str) -> list[int]:
    method_of = view.found.method
    return [one for dialog in dialogs for one in dialog.group.notable if method_of(one) == method]


def lookup_invited(view: SessionView) -> Seen | None:
    """Step 4: the INVITE to the Lookup service answered 2xx."""
    return _invited(view, view.of_role("lookup"))


def channel_learned(view: SessionView) -> Seen | None:
    """Step 5: ``rpl:requri`` with the URI of a Channel service."""
    seen = _commands(view, "requri")
    if seen is None or seen.status != "ok":
        return seen
    if any(view.lookups.get(reply.row) for one in view.named("requri") for reply in one.answers):
        return seen
    return seen._replace(status="failed", detail="rpl:requri brought no URI")


def channel_invited(view: SessionView) -> Seen | None:
    """Step 6: the INVITE to the Channel service answered 2xx."""
    return _invited(view, view.of_role("channel"))


def server_known(view: SessionView) -> Seen | None:
    """Step 7: ``getserverinfo`` answered."""
    return _commands(view, "getserverinfo")


def preferences_read(view: SessionView) -> Seen | None:
    """Step 8: every ``getpref`` answered."""
    return _commands(view, "getpref")


def rooms_joined(view: SessionView) -> Seen | None:
    """Step 9: ``bjoin`` answered, and no room refused."""
    seen = _commands(view, "bjoin")
    if seen is None or seen.status != "ok":
        return seen
    refused_rooms = view.refused_rooms
    if not refused_rooms:
        return seen
    asked = {room for one in view.named("bjoin") for room in view.outcomes.rooms(one)}
    bad = [room for room in refused_rooms if room.uri in asked]
    if not bad:
        return seen
    text = f"{len(bad)} of {len(asked)} rooms refused (OPERATION_FAILED): {bad[0].uri}"
    return seen._replace(status="failed", detail=text)


def invitations_read(view: SessionView) -> Seen | None:
    """Step 10: ``getinv`` answered."""
    return _commands(view, "getinv")


def _invited(view: SessionView, dialogs: Sequence[DialogDraft]) -> Seen | None:
    seen = _best(view, _of_method(view, dialogs, "INVITE"))
    if seen is None or seen.status == "ok":
        return seen
    used = any(dialog.end.state in {"confirmed", "terminated"} for dialog in dialogs)
    carried = any(one.dialog == dialog.index for dialog in dialogs for one in view.commands)
    if used and carried:
        text = "its answer is not in the capture, but the dialog was used"
        return Seen("ok", seen.frames, None, text)
    return seen


def _best(view: SessionView, tried: Sequence[int]) -> Seen | None:
    """Judge requests of which one success is enough; the last failure counts where none has."""
    if not tried:
        return None
    found = view.found
    good = next((one for one in tried if is_success(found.status(one))), None)
    if good is not None:
        request, final = found.request[good], found.final[good]
        start = final if request < 0 else request
        text = status_text(view.trace, final)
        seen = _timed(view, start, final, (start, final), text)
        return seen if request >= 0 else seen._replace(latency_ms=None)
    answered = [one for one in tried if found.final[one] >= 0]
    return _answered(view, answered[-1]) if answered else _unanswered(view, tried[-1])


def _answered(view: SessionView, index: int) -> Seen:
    found = view.found
    rows = [row for row in (found.request[index], found.final[index]) if row >= 0]
    text = f"{request_text(found, index)} answered {status_text(view.trace, rows[-1])}"
    frames = tuple(view.frame(row) for row in rows)
    return Seen("failed", frames, found.latency_ms(index), f"{text} (frame {frames[-1]})")


def _unanswered(view: SessionView, index: int) -> Seen:
    row = view.found.request[index]
    if row < 0:
        return Seen("not-captured", (), None, "its request is not in the capture")
    why = view.visibility.why_unknown(row)
    frame = view.frame(row)
    text = f"{request_text(view.found, index)} in frame {frame} was not answered"
    if why is not None:
        return Seen("not-captured", (frame,), None, f"{text}; {why}")
    return Seen("missing", (frame,), None, text)


def _commands(view: SessionView, name: str) -> Seen | None:
    """Judge the commands of one name at sign-in: retries and all members of a set."""
    known = view.named(name)
    if not known:
        return None
    start = known[0].first()[0]
    limit = view.time(start) + SIGN_IN_NS
    commands = [one for one in known if view.time(one.first()[0]) <= limit]
    good = [_good(view, one) for one in commands]
    last_good = max((at for at, done in enumerate(good) if done), default=-1)
    good_row = -1 if last_good < 0 else commands[last_good].row
    bad = [one for one, done in zip(commands, good, strict=True) if not done]
    left = [
        one
        for at, one in enumerate(commands)
        if not good[at] and (last_good < 0 or at > last_good or one.row == good_row)
    ]
    if left:
        return _bad_commands(view, left)
    answers = [reply.row for one in commands for reply in one.answers]
    if bad:
        text = f"answered when repeated; at first {_short(view, bad[0])}"
    elif len(commands) == 1:
        text = view.outcomes.detail(commands[last_good])
    else:
        text = f"{len(commands)} commands answered"
    rows = [one.row for one in commands if one.element >= 0]
    first_reply = min(answers) if name == "bjoin" else max(answers)
    if not rows:
        return Seen("ok", _frames(view, answers), None, text)
    return _timed(view, start, first_reply, [*rows, *answers], text)


def _good(view: SessionView, command: Command) -> bool:
    return bool(command.answers) and all(
        is_good(view.outcomes.code(one)) for one in command.answers
    )


def _bad_commands(view: SessionView, commands: Sequence[Command]) -> Seen:
    """Judge commands that did not succeed, by the last attempt."""
    last = commands[-1]
    status: Status = "failed"
    if last.outcome == "unanswered":
        status = "missing"
    elif last.outcome == "unknown" and not last.answers:
        status = "not-captured"
    attempts = dict.fromkeys(one.first()[0] for one in commands)
    times = f" ({len(attempts)} attempts)" if len(attempts) > 1 else ""
    rows = [*attempts, *(reply.row for one in commands for reply in one.answers)]
    return Seen(status, _frames(view, rows), None, _short(view, last) + times)


def _short(view: SessionView, command: Command) -> str:
    return view.outcomes.detail(command).partition(";")[0]


def _frames(view: SessionView, rows: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted({view.frame(row) for row in rows})[:SHOWN_FRAMES])


def _timed(view: SessionView, start: int, end: int, rows: Sequence[int], text: str) -> Seen:
    latency = (view.time(end) - view.time(start)) / 1e6
    if latency >= SLOW_MS:
        text = f"slow, {latency / 1000:.1f} s: {text}"
    return Seen("ok", _frames(view, rows), latency, text)
