"""SIP sessions: load, timers, obsolete dialogs, routing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.diagnostics import codes
from analyzer.diagnostics.connections import CONNECTIONS
from analyzer.diagnostics.endings import endings_of, session_timer
from analyzer.diagnostics.refusals import grouped
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.diagnostics.silences import SILENCES
from analyzer.states import GONE
from analyzer.times import SECOND, duration_text
from analyzer.views.numbers import amount, frames_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.diagnostics.endings import Ending
    from analyzer.diagnostics.refusals import Refusal
    from analyzer.diagnostics.rule import Case, Severity
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView

PATIENCE_NS = 60 * SECOND
"""A client that repeats a refused request does so within a minute."""


def _rows(group: Sequence[Refusal]) -> tuple[int, ...]:
    return tuple(row for one in group for row in one.rows)


def _answers(group: Sequence[Refusal]) -> str:
    """Return the different answers in words, the most frequent ones first."""
    texts = [one.text for one in group]
    return " and ".join(sorted(dict.fromkeys(texts), key=lambda text: -texts.count(text)))


def _lasting(case: Case, rows: Sequence[int]) -> str:
    return duration_text(case.time(max(rows)) - case.time(min(rows)))


def repeated(case: Case) -> Iterator[Hit]:
    """Row 5, the good end: refused with 503, repeated, accepted."""
    groups = grouped(case.refusals.get("GC201", ()), lambda one: (one.method, one.accepted))
    for group in groups:
        rows = _rows(group)
        done = group[0].accepted
        waited = duration_text(case.time(done) - case.time(group[-1].final))
        times = "" if len(group) == 1 else f" {len(group)} times"
        text = (
            f"{group[0].what} of {case.user(group[0].session)} was refused{times}: "
            f"{_answers(group)} ({frames_text(map(case.frame, rows))}); repeated {waited} later it "
            f"was accepted (frame {case.frame(done)})"
        )
        severity: Severity | None = None
        if len(group) >= case.thresholds.overload_burst:
            severity = "warning"
        yield Hit(text, (*rows, done), group[0].session, severity=severity)


def overloaded(case: Case) -> Iterator[Hit]:
    """Row 5: refused with 503 and never accepted."""
    for group in grouped(case.refusals.get("GC204", ()), lambda one: (one.what, one.dialog)):
        view, rows = case.view(group[0].session), _rows(group)
        frames = frames_text(map(case.frame, rows))
        many = len(group) > 1
        times = f" {len(group)} times within {_lasting(case, rows)}" if many else ""
        burst = " in a burst" if len(group) >= case.thresholds.overload_burst else ""
        text = (
            f"{group[0].what} of {case.user(group[0].session)} was refused{burst}{times} and never "
            f"accepted: {_answers(group)} ({frames}){_left(view, rows[-1])}"
        )
        busy = all(one.code in codes.OVERLOAD or one.code is None for one in group)
        yield Hit(text, rows, group[0].session, "certain" if busy else "likely")


def _left(view: SessionView, row: int) -> str:
    """Return how soon the capture ends, where a repetition may come after it."""
    left = view.visibility.time_left(row)
    return f"; the capture ends {duration_text(left)} later" if left < PATIENCE_NS else ""


def expired(case: Case) -> Iterator[Hit]:
    """Row 10: the service has forgotten the session, or ended it when its timer ran out."""
    for group in grouped(case.refusals.get("GC202", ()), lambda one: one.dialog):
        yield _forgotten(case, group)
    gone = {(one.session, one.dialog) for one in case.refusals.get("GC202", ())}
    for view in case.sessions:
        for end in endings_of(view):
            if end.why == "expired" and (view.index, end.dialog.index) not in gone:
                yield _ran_out(case, view, end)


def _forgotten(case: Case, group: Sequence[Refusal]) -> Hit:
    view, rows = case.view(group[0].session), _rows(group)
    dialog = next(one for one in view.dialogs if one.index == group[0].dialog)
    timer, refreshed = session_timer(view, dialog, rows[0])
    agreed = ""
    if timer and refreshed is not None:
        passed = duration_text(case.time(rows[0]) - case.time(refreshed))
        agreed = f"; Session-Expires was {timer} s, {passed} after the last refresh"
    lost = sum(one.post for refusal in group for one in refusal.commands)
    lost_text = f"; {amount(lost, 'post')} lost" if lost else ""
    what = ", ".join(dict.fromkeys(one.what for one in group))
    text = (
        f"the {dialog.role} service no longer knows the session of {case.user(view.index)} (it "
        f"expired, or the service restarted): {what} answered {_answers(group)} "
        f"({frames_text(map(case.frame, rows))}){agreed}{lost_text}"
    )
    return Hit(text, rows, view.index)


def _ran_out(case: Case, view: SessionView, end: Ending) -> Hit:
    service, user = end.dialog.role, case.user(view.index)
    since = f"{duration_text(end.idle_ns)} after the last"
    sent = f"the {service} service sent BYE in frame {view.frame(end.row)}, {since}"
    frame, rows = view.frame(end.evidence[0]), (*end.evidence, end.row)
    if end.timer is None:
        text = (
            f"the session of {user} seems to have expired: {sent} message (frame {frame}); what "
            "Session-Expires was agreed is not in the capture, 1800 s are usual"
        )
        return Hit(text, rows, view.index, "possible")
    text = (
        f"the session of {user} expired: {sent} refresh (frame {frame}), with a Session-Expires of "
        f"{end.timer} s and no UPDATE or re-INVITE in between"
    )
    return Hit(text, rows, view.index)


def obsolete(case: Case) -> Iterator[Hit]:
    """Row 11: the service writes into a dialog that the client has given up."""
    for group in grouped(case.refusals.get("GC203", ()), lambda one: one.dialog):
        view, rows = case.view(group[0].session), _rows(group)
        old = next(one for one in view.dialogs if one.index == group[0].dialog)
        newer = _newer(case, view, old, rows[-1])
        both = ""
        if newer is not None:
            both = f"; it has a newer one since frame {case.frame(newer.rows[0])} and gets both"
        status = "481" if group[0].status == GONE else "487"
        text = (
            f"stale duplicate dialog: the service still writes into the obsolete {old.role} dialog "
            f"that {case.user(view.index)} began in frame {case.frame(old.rows[0])}, the client "
            f"answers {status} {amount(len(group), 'time')} "
            f"({frames_text(map(case.frame, rows))}){both}"
        )
        yield Hit(text, rows, view.index)


def _newer(case: Case, view: SessionView, old: DialogDraft, before: int) -> DialogDraft | None:
    """Return the dialog with the same kind of service that the user has begun since."""
    found = [
        one
        for other in case.sessions
        if other.user == view.user
        for one in other.of_role(old.role)
        if old.rows[0] < one.rows[0] < before and one.index != old.index
    ]
    return found[-1] if found else None


def ended_by_service(case: Case) -> Iterator[Hit]:
    """Tell the BYE of a service that neither a timer nor a refusal explains."""
    for view in case.sessions:
        for end in endings_of(view):
            if end.why != "other" or _is_done(view, end):
                continue
            agreed = "" if end.timer is None else f" (Session-Expires {end.timer} s)"
            lasted = duration_text(view.time(end.row) - end.dialog.started)
            text = (
                f"the {end.dialog.role} service ended the dialog of {case.user(view.index)} by BYE "
                f"in frame {view.frame(end.row)}, {lasted} after its first message{agreed}"
            )
            yield Hit(text, (end.row,), view.index)


def _is_done(view: SessionView, end: Ending) -> bool:
    """Say whether nothing is lost: the lookup has answered, or the user has signed off."""
    if end.dialog.role == "lookup":
        return any(view.lookups.get(r.row) for one in view.named("requri") for r in one.answers)
    return view.signed_off is not None and view.signed_off < end.row


def untrusted(case: Case) -> Iterator[Hit]:
    """Row 18."""
    return _by_code(case, "GC207")


def unroutable(case: Case) -> Iterator[Hit]:
    """Tell what servers say about routing where no other rule does."""
    return _by_code(case, "GC208")


def _by_code(case: Case, rule: str) -> Iterator[Hit]:
    key = case.refusals.get(rule, ())
    for group in grouped(key, lambda one: (one.what, one.target, one.code)):
        rows, first = _rows(group), group[0]
        times = "" if len(group) == 1 else f" {len(group)} times"
        to = "" if first.method == "INVITE" else f" to {first.target}"
        text = (
            f"{first.what}{to} of {case.user(first.session)} was refused{times}: "
            f"{_answers(group)} ({frames_text(map(case.frame, rows))})"
        )
        severity: Severity | None = "warning" if group[-1].accepted >= 0 else None
        yield Hit(text + _parameters(case, group[-1].final), rows, first.session,
                  severity=severity)  # fmt: skip


def _parameters(case: Case, row: int) -> str:
    """Return what else ms-diagnostics says: which next hop, which name."""
    found = codes.diagnostics_of(case.trace, row)
    if found is None:
        return ""
    said = [f"{name}={value}" for name, value in found.params if name.lower() != "reason"]
    return f"; {', '.join(said)}" if said else ""


RULES: tuple[Rule, ...] = (
    Rule(
        "GC201",
        "note",
        "Refused with 503, repeated, accepted",
        "A request was answered 503 and the client repeated it with success, as it should. Several "
        "refusals before the success (threshold overload_burst) are a warning.",
        "Nothing for a single one. If they become many, look at the load of the chat server.",
        "Group Chat Call Flows, 503 and the retry; [MS-OCER] 20000",
        repeated,
    ),
    Rule(
        "GC202",
        "warning",
        "Session expired",
        "The service has forgotten the session: it answers 481, or it sent BYE because the time of "
        "Session-Expires (often 1800 s) ran out without UPDATE or re-INVITE. What was posted "
        "into it is lost, and the client has to begin again with the lookup.",
        "Find out why the client did not refresh: asleep, network lost, a version that cannot. "
        "Where several sessions get 481 at once, the service was restarted.",
        "RFC 4028 section 10; RFC 3261 section 12.2.2; behaviour seen by the SIPE project",
        expired,
    ),
    Rule(
        "GC203",
        "warning",
        "Obsolete duplicate dialog",
        "A client lost its connection or crashed and signed in again. The service writes every "
        "message into both dialogs until the old one expires; the client answers 487 to the "
        "old ones. Participants and messages may appear twice.",
        "It ends by itself when the old session expires. If it is frequent, look for what breaks "
        "the client's connections.",
        "Behaviour seen by the SIPE project",
        obsolete,
    ),
    Rule(
        "GC204",
        "error",
        "Refused with 503",
        "The service refused a request with 503 (ms-diagnostics 20000, 20008, 20011: busy, queues "
        "full) and no repetition was accepted. 20000 is also the answer to a message that the "
        "service could not read.",
        "Look at load and database of the chat server at that time. If only one kind of message is "
        "refused, look at its body.",
        "Group Chat Call Flows, 503 and the retry; [MS-OCER] 20000, 20008, 20011",
        overloaded,
    ),
    Rule(
        "GC205",
        "warning",
        "Dialog ended by the service",
        "The service ended the dialog by BYE, and neither the session timer nor a refusal explains "
        "it: it is stopped or restarted, or the user was removed.",
        "Look at the event log of the chat server at that time.",
        "RFC 3261 section 15",
        ended_by_service,
    ),
    *SILENCES,
    Rule(
        "GC207",
        "error",
        "Certificate not trusted",
        "A server could not establish trust with the next hop (504 with ms-diagnostics 1010): the "
        "certificate of the chat server, or of the Edge server, has expired, has another "
        "name, or an issuer that is not trusted.",
        "Check the certificate of the server named in the parameters (tls-target, PeerServer): "
        "names, dates, issuer.",
        "[MS-OCER] 1010",
        untrusted,
    ),
    Rule(
        "GC208",
        "error",
        "Routing failure",
        "A server could not pass a request on: unknown domain, server down, name not in DNS, route "
        "no longer valid, or a next hop that stays silent.",
        "Look at the server named as source, and from there at the next hop.",
        "[MS-OCER] 1003 to 1017, 5001",
        unroutable,
    ),
    *CONNECTIONS,
)
