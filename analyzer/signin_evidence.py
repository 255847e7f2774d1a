"""What shows each step of a sign-in: one function a step, from a session to what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.legs import is_success
from analyzer.sessions.registrations import refused
from analyzer.states import request_text, status_text
from analyzer.times import SECOND
from analyzer.transactions import CHALLENGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import CommandPair, Dialog, Transaction
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
    rounds = sum(one.status in CHALLENGES for one in tried)
    for registration in view.registrations:
        if registration.signed_in is not None:
            row = registration.signed_in
            start = first.dialog.rows[0]
            met = f" after {rounds} challenges" if rounds else ""
            detail = status_text(view.trace, row) + met
            return _timed(view, start, row, (start, row), detail)
    bad = refused(view.registrations[-1])
    if bad is not None and bad.status not in CHALLENGES:
        return _answered(view, bad)
    return _stopped(view, tried)


def _stopped(view: SessionView, tried: Sequence[Transaction]) -> Seen:
    """Judge a sign-in that neither succeeded nor was refused for good."""
    last = tried[-1]
    if last.status is None:
        return _unanswered(view, last)
    row = last.final if last.final is not None else 0
    text = f"nothing follows {status_text(view.trace, row)}"
    if view.cut_short or view.gaps is not None:
        return Seen("not-captured", (view.frame(row),), None, text)
    status: Status = "failed" if last.status in CHALLENGES else "missing"
    return Seen(status, (view.frame(row),), None, text)


def subscribed(view: SessionView) -> Seen | None:
    """Step 2: at least one SUBSCRIBE answered 2xx."""
    found = [
        one
        for dialog in view.of_role("subscription")
        for one in view.transactions[dialog.index]
        if one.method == "SUBSCRIBE"
    ]
    return _best(view, found)


def published(view: SessionView) -> Seen | None:
    """Step 3: at least one SERVICE of the client answered 2xx."""
    return _best(view, [one for one in view.services if one.method == "SERVICE"])


def lookup_invited(view: SessionView) -> Seen | None:
    """Step 4: the INVITE to the Lookup service answered 2xx."""
    return _invited(view, view.of_role("lookup"))


def channel_learned(view: SessionView) -> Seen | None:
    """Step 5: ``rpl:requri`` with the URI of a Channel service."""
    seen = _commands(view, "requri")
    if seen is None or seen.status != "ok":
        return seen
    pairs = [pair for pair in view.pairs if pair.command == "requri"]
    if any(view.lookups.get(reply.row) for pair in pairs for reply in pair.replies):
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
    asked = {room for pair in view.pairs if pair.command == "bjoin" for room in pair.rooms}
    bad = [room for room in view.rooms if room.refused is not None and room.uri in asked]
    if not bad:
        return seen
    text = f"{len(bad)} of {len(asked)} rooms refused (OPERATION_FAILED): {bad[0].uri}"
    return seen._replace(status="failed", detail=text)


def invitations_read(view: SessionView) -> Seen | None:
    """Step 10: ``getinv`` answered."""
    return _commands(view, "getinv")


def _invited(view: SessionView, dialogs: Sequence[Dialog]) -> Seen | None:
    found = [
        one
        for dialog in dialogs
        for one in view.transactions[dialog.index]
        if one.method == "INVITE"
    ]
    seen = _best(view, found)
    if seen is None or seen.status == "ok":
        return seen
    used = any(dialog.state in {"confirmed", "terminated"} for dialog in dialogs)
    carried = any(pair.dialog == dialog.index for dialog in dialogs for pair in view.pairs)
    if used and carried:
        text = "its answer is not in the capture, but the dialog was used"
        return Seen("ok", seen.frames, None, text)
    return seen


def _best(view: SessionView, tried: Sequence[Transaction]) -> Seen | None:
    """Judge requests of which one success is enough; the last failure counts where none has."""
    if not tried:
        return None
    good = next((one for one in tried if is_success(one.status)), None)
    if good is not None and good.final is not None:
        start = good.final if good.request is None else good.request
        text = status_text(view.trace, good.final)
        seen = _timed(view, start, good.final, (start, good.final), text)
        return seen if good.request is not None else seen._replace(latency_ms=None)
    answered = [one for one in tried if one.status is not None]
    return _answered(view, answered[-1]) if answered else _unanswered(view, tried[-1])


def _answered(view: SessionView, transaction: Transaction) -> Seen:
    rows = [row for row in (transaction.request, transaction.final) if row is not None]
    text = f"{request_text(view.trace, transaction)} answered {status_text(view.trace, rows[-1])}"
    frames = tuple(view.frame(row) for row in rows)
    return Seen("failed", frames, transaction.latency_ms, f"{text} (frame {frames[-1]})")


def _unanswered(view: SessionView, transaction: Transaction) -> Seen:
    row = transaction.request
    if row is None:
        return Seen("not-captured", (), None, "its request is not in the capture")
    why = view.visibility.why_unknown(row)
    frame = view.frame(row)
    text = f"{request_text(view.trace, transaction)} in frame {frame} was not answered"
    if why is not None:
        return Seen("not-captured", (frame,), None, f"{text}; {why}")
    return Seen("missing", (frame,), None, text)


def _commands(view: SessionView, name: str) -> Seen | None:
    """Judge the commands of one name at sign-in: retries and all members of a set."""
    pairs = [pair for pair in view.pairs if pair.command == name and pair.kind == "cmd"]
    if not pairs:
        return None
    start = _first_row(pairs[0])
    limit = view.time(start) + SIGN_IN_NS
    pairs = [pair for pair in pairs if view.time(_first_row(pair)) <= limit]
    last_good = max((at for at, pair in enumerate(pairs) if _good(pair)), default=-1)
    bad = [pair for pair in pairs if not _good(pair)]
    good_row = None if last_good < 0 else pairs[last_good].row
    left = [
        pair
        for at, pair in enumerate(pairs)
        if not _good(pair) and (at > last_good or pair.row == good_row)
    ]
    if left:
        return _bad_commands(view, left)
    done = [reply.row for pair in pairs for reply in pair.replies]
    text = pairs[last_good].detail if len(pairs) == 1 else f"{len(pairs)} commands answered"
    if bad:
        text = f"answered when repeated; at first {_short(bad[0])}"
    rows = [pair.row for pair in pairs if pair.row is not None]
    first_reply = min(done) if name == "bjoin" else max(done)
    if not rows:
        return Seen("ok", _frames(view, done), None, text)
    return _timed(view, start, first_reply, [*rows, *done], text)


def _good(pair: CommandPair) -> bool:
    return bool(pair.replies) and all(
        reply.code is None or reply.code.startswith("2") for reply in pair.replies
    )


def _bad_commands(view: SessionView, pairs: Sequence[CommandPair]) -> Seen:
    """Judge commands that did not succeed, by the last attempt."""
    last = pairs[-1]
    status: Status = "failed"
    if last.outcome == "unanswered":
        status = "missing"
    elif last.outcome == "unknown" and not last.replies:
        status = "not-captured"
    attempts = dict.fromkeys(_first_row(pair) for pair in pairs)
    times = f" ({len(attempts)} attempts)" if len(attempts) > 1 else ""
    rows = [*attempts, *(reply.row for pair in pairs for reply in pair.replies)]
    return Seen(status, _frames(view, rows), None, _short(last) + times)


def _short(pair: CommandPair) -> str:
    return pair.detail.partition(";")[0]


def _first_row(pair: CommandPair) -> int:
    return pair.row if pair.row is not None else pair.replies[0].row


def _frames(view: SessionView, rows: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted({view.frame(row) for row in rows})[:SHOWN_FRAMES])


def _timed(view: SessionView, start: int, end: int, rows: Sequence[int], text: str) -> Seen:
    latency = (view.time(end) - view.time(start)) / 1e6
    if latency >= SLOW_MS:
        text = f"slow, {latency / 1000:.1f} s: {text}"
    return Seen("ok", _frames(view, rows), latency, text)
