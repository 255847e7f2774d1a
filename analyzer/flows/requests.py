"""What shows a step that SIP alone shows: a request of the client and its final answer.

A challenge (401, 407) that was met is a round of authentication, never a failure or a retry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.flows.seen import Seen
from analyzer.flows.stretch import SIGN_IN_NS
from analyzer.header_text import header_text
from analyzer.legs import is_success
from analyzer.outcomes import diagnosis
from analyzer.sessions.registrations import REDIRECT, refused
from analyzer.states import request_text, status_text
from analyzer.transaction_table import CHALLENGES, FAILURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.flows.stretch import Stretch
    from analyzer.flows.values import StepStatus
    from analyzer.model import Role
    from analyzer.sessions.registrations import Registration
    from analyzer.sessions.view import SessionView

NOWHERE = frozenset({403, 404, 408, 480, 500, 503, 504, 604})
"""Answers to an INVITE that reached no service; a person is busy (486) or declines (603)."""
CHAT_MEDIA = b" sip null"
"""In the SDP of the INVITE to a chat service; an instant message to a person has it too."""
CYCLE = 2
"""Challenges that one sign-in by NTLM takes; more of them are a loop."""
CONTACTS = "roaming-contacts"
"""In the event package of the contact list: the one that step 2 of the document is about."""


def registered(stretch: Stretch) -> Seen | None:
    """Judge the sign-in itself: a REGISTER answered 2xx, after challenges, perhaps a redirect."""
    view = stretch.view
    if not view.registrations:
        return None
    first = view.registrations[0]
    if view.refreshed or (view.late and first.dialog.started > view.started):
        row = first.dialog.rows[0]
        return Seen.of(view, "not-captured", [row], f"refreshed only (frame {view.frame(row)})")
    for registration in view.registrations:
        if registration.signed_in is not None:
            return _signed_in(view, registration)
    tried = [one for registration in view.registrations for one in registration.transactions]
    bad = refused(view.registrations[-1], view.found)
    if bad is not None and view.found.status(bad) not in CHALLENGES:
        return _refused(view, bad, tried)
    return _stopped(view, tried)


def _signed_in(view: SessionView, registration: Registration) -> Seen:
    """Judge a registration that succeeded, with the attempts before it."""
    found, end = view.found, registration.signed_in
    assert end is not None
    tried = [  # in a reordered capture a request may stand behind its answer
        one
        for each in view.registrations
        for one in each.transactions
        if found.first[one] <= end or found.final[one] == end
    ]
    rounds = sum(found.status(one) in CHALLENGES for one in tried)
    bad = [one for one in tried if _failed(view, one)]
    text = status_text(view.trace, end) + (f" after {rounds} challenges" if rounds else "")
    if bad:
        text += f"; at first {_answer_text(view, bad[0])}"
    status: StepStatus = "retried" if bad else "ok"
    return _timed(view, status, tried, end, text)


def _failed(view: SessionView, index: int) -> bool:
    """Say whether a request was refused, or not answered though the capture would show it."""
    found = view.found
    status = found.status(index)
    if status is None:
        request = found.request[index]
        return request >= 0 and view.visibility.why_unknown(request) is None
    return status >= FAILURE and status not in CHALLENGES and status not in REDIRECT


def _timed(
    view: SessionView, status: StepStatus, tried: Sequence[int], end: int, text: str
) -> Seen:
    """Return a step that is done, from the first of its requests to the answer that did it."""
    found = view.found
    rows = [row for one in tried for row in (found.request[one], found.final[one]) if row >= 0]
    whole = found.request[tried[0]] >= 0
    seen = Seen.of(view, status, rows, text, end=end, latency=whole)
    waits = [wait for one in tried if (wait := found.latency_ms(one)) is not None]
    return seen._replace(wait_ms=max(waits, default=0.0))


def _stopped(view: SessionView, tried: Sequence[int]) -> Seen:
    """Judge a sign-in that neither succeeded nor was refused for good."""
    last = tried[-1]
    answered = view.found.status(last)
    if answered is None:
        return unanswered(view, last)
    row = view.found.final[last]
    text = f"nothing follows {status_text(view.trace, row)}"
    challenged = answered in CHALLENGES
    rounds = sum(
        view.found.status(one) in CHALLENGES for one in view.registrations[-1].transactions
    )
    final = challenged and (rounds > CYCLE or bool(diagnosis(view.trace, row)))
    if not final and (view.cut_short or view.gaps is not None):
        return Seen.of(view, "not-captured", [row], text)
    if challenged:
        return _refused(view, last, tried)._replace(detail=text + diagnosis(view.trace, row))
    return Seen.of(view, "missing", [row], text)


def _refused(view: SessionView, index: int, tried: Sequence[int]) -> Seen:
    """Judge a request that was refused, with the attempts before it."""
    found = view.found
    seen = answered(view, index)
    if len(tried) == 1:
        return seen
    rows = [row for one in tried for row in (found.request[one], found.final[one]) if row >= 0]
    ends = (found.request[index], found.final[index])
    shown = sorted({*sorted(rows)[:10], *(row for row in ends if row >= 0)})
    return seen._replace(rows=tuple(shown), begin=shown[0])


def subscribed(stretch: Stretch) -> Seen | None:
    """Judge the subscriptions: one accepted is enough, if the contact list was not refused."""
    view = stretch.view
    asked, leaves = stretch.requests("SUBSCRIBE", "subscription"), view.material.events.asks_zero
    request = view.found.request
    staying = [one for one in asked if request[one] < 0 or not leaves(request[one])]
    tried = _of_sign_in(view, staying or asked)
    seen = answered_once(stretch, tried, several=True)
    if seen is None or seen.status != "ok":
        return seen
    bad = [one for one in tried if _failed(view, one)]
    if not bad:
        return seen
    return _of_packages(view, seen, tried, bad)


def _of_packages(view: SessionView, seen: Seen, tried: Sequence[int], bad: Sequence[int]) -> Seen:
    """Judge subscriptions of which some were refused, each by its event package."""
    good = {_event(view, one) for one in tried if is_success(view.found.status(one))}
    left = [one for one in bad if _event(view, one) not in good]
    contacts = [one for one in left if CONTACTS in _event(view, one)]
    if contacts:
        return answered(view, contacts[-1])._replace(partial=True, begin=seen.begin)
    if not left:
        text = f"accepted when repeated; at first {_answer_text(view, bad[0])}"
        return seen._replace(status="retried", detail=text)
    text = f"{seen.detail}; {len(left)} of {len(tried)} refused ({_answer_text(view, left[0])})"
    return seen._replace(detail=text)


def _event(view: SessionView, index: int) -> str:
    row = view.found.request[index]
    return "" if row < 0 else (header_text(view.trace, row, "Event") or "").lower()


def published(stretch: Stretch) -> Seen | None:
    """Judge the publications: at least one SERVICE of the client answered 2xx."""
    view, rows = stretch.view, stretch.rows
    tried = [one for one in view.outside if view.found.method(one) == "SERVICE"]
    if rows is not None:
        tried = [one for one in tried if view.found.first[one] in rows]
    return answered_once(stretch, _of_sign_in(view, tried))


def _of_sign_in(view: SessionView, tried: Sequence[int]) -> Sequence[int]:
    """Return the requests of the first minute: later ones refresh."""
    if len(tried) < 2:
        return tried
    first = view.found.first
    limit = view.time(first[tried[0]]) + SIGN_IN_NS
    early = [one for one in tried if view.time(first[one]) <= limit]
    done = any(is_success(view.found.status(one)) for one in early)
    return early if done else tried


def invited(stretch: Stretch, role: Role) -> Seen | None:
    """Judge the INVITE to a service: an answer 2xx, or the use of the dialog that it opened."""
    view = stretch.view
    tried = stretch.requests("INVITE", role)
    if not tried and role == "lookup":
        return _likely_lookup(stretch)
    seen = answered_once(stretch, tried)
    if seen is None or seen.status in {"ok", "retried"}:
        return seen
    dialogs = stretch.of_role(role)
    used = any(dialog.end.state in {"confirmed", "terminated"} for dialog in dialogs)
    indexes = {dialog.index for dialog in dialogs}
    if used and any(one.dialog in indexes for one in view.commands):
        text = "its answer is not in the capture, but the dialog was used"
        return Seen.of(view, "ok", seen.rows, text)
    return seen


def _likely_lookup(stretch: Stretch) -> Seen | None:
    """Judge a refused INVITE that may have been meant for a Lookup service.

    A configured URI that leads nowhere looks like any other. It is taken for one where a client of
    Group Chat invites it as soon as it has signed in, and reaches no chat service at all.
    """
    view = stretch.view
    start = view.signed_in
    if start is None or view.pool_client or stretch.of_role("channel"):
        return None
    limit = view.time(start) + SIGN_IN_NS
    found = view.found
    tried = [
        one
        for dialog in view.of_role("other")
        if dialog.group.method == "INVITE" and dialog.sides[0] == dialog.client_side
        for one in dialog.group.notable
        if found.request[one] >= 0
        and view.time(found.request[one]) <= limit
        and found.status(one) in NOWHERE
        and CHAT_MEDIA in view.trace.raw(found.request[one])
    ]
    seen = answered_once(stretch, tried)
    if seen is None:
        return None
    return seen._replace(detail=f"{seen.detail}; perhaps a configured Lookup URI")


def answered_once(stretch: Stretch, tried: Sequence[int], *, several: bool = False) -> Seen | None:
    """Judge requests of which one success is enough; the last failure counts where none has.

    ``several``: they ask for different things, so that a failure among them was not repeated.
    """
    if not tried:
        return None
    view = stretch.view
    found = view.found
    good = next((at for at, one in enumerate(tried) if is_success(found.status(one))), None)
    if good is None:
        closed = [one for one in tried if found.final[one] >= 0]
        last = closed[-1] if closed else tried[-1]
        if closed and found.status(last) not in CHALLENGES and len(tried) > 1:
            return _refused(view, last, tried)
        return answered(view, last) if closed else unanswered(view, last)
    end = found.final[tried[good]]
    text = status_text(view.trace, end)
    bad = [] if several else [one for one in tried[:good] if _failed(view, one)]
    if bad:
        text += f" when repeated; at first {_answer_text(view, bad[0])}"
        return _timed(view, "retried", tried[: good + 1], end, text)
    seen = _timed(view, "ok", tried if several else tried[: good + 1], end, text)
    return seen._replace(latency_ms=seen.wait_ms) if several and seen.wait_ms else seen


def answered(view: SessionView, index: int) -> Seen:
    """Judge a request that got an answer other than 2xx."""
    found = view.found
    rows = [row for row in (found.request[index], found.final[index]) if row >= 0]
    seen = Seen.of(view, "failed", rows, _answer_text(view, index), end=rows[-1])
    return seen._replace(latency_ms=found.latency_ms(index))


def _answer_text(view: SessionView, index: int) -> str:
    """Return what answered a request: ``REGISTER answered 403 Forbidden (frame 7)``."""
    found = view.found
    row = found.final[index]
    if row < 0:
        return f"{request_text(found, index)} was not answered"
    text = status_text(view.trace, row) + diagnosis(view.trace, row)
    return f"{request_text(found, index)} answered {text} (frame {view.frame(row)})"


def unanswered(view: SessionView, index: int) -> Seen:
    """Judge a request that got no final answer, by what the capture would show."""
    row = view.found.request[index]
    if row < 0:
        return Seen.of(view, "not-captured", [], "its request is not in the capture")
    why = view.visibility.why_unknown(row)
    text = f"{request_text(view.found, index)} in frame {view.frame(row)} was not answered"
    if why is not None:
        return Seen.of(view, "not-captured", [row], f"{text}; {why}")
    return Seen.of(view, "missing", [row], text)
