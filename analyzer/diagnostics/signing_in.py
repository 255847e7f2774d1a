"""Signing in: authentication, lookup, the way to the Channel service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.diagnostics.credentials import AUTHENTICATION
from analyzer.diagnostics.endings import endings_of
from analyzer.diagnostics.refusals import grouped
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.flows.values import BAD, DONE
from analyzer.roles import CHANNEL_MARK, plain_uri, user_part
from analyzer.sessions.rooms import is_good
from analyzer.states import OBSOLETE
from analyzer.times import duration_text
from analyzer.views.numbers import frames_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.diagnostics.refusals import Refusal
    from analyzer.diagnostics.rule import Case, Confidence, Severity
    from analyzer.flows.values import FlowRun, FlowStep
    from analyzer.sessions.view import SessionView

DEFAULT_LOOKUP = "ocschat"
SIGN_IN = frozenset({"requri", "getserverinfo", "getpref", "bjoin", "getinv"})
"""Commands of the sign-in; who sends others has it behind."""
AT_CHANNEL = ("7", "8", "9", "10")
"""Steps in the dialog with the Channel service, in any order."""
POOL_SERVERS = ("RTC/5", "RTC/6", "RTC/7")
"""``Server`` of Lync Server 2013 and later."""


def told(case: Case, group: Sequence[Refusal], more: str = "") -> Hit:
    """Return the hit for refusals of one kind: what was asked, how often, what the answer was."""
    first, last = group[0], group[-1]
    user = case.user(first.session)
    times = "" if len(group) == 1 else f" {len(group)} times"
    frames = frames_text(case.frame(row) for one in group for row in one.rows)
    text = f"{first.what} of {user} was refused{times}: {last.text} ({frames})"
    rows = tuple(row for one in group for row in one.rows)
    severity: Severity | None = None
    if last.accepted >= 0:
        text += f"; a later attempt was accepted (frame {case.frame(last.accepted)})"
        severity = "warning"
    return Hit(text + more, rows, first.session, severity=severity)


def _by_target(case: Case, rule: str) -> Iterator[list[Refusal]]:
    return grouped(case.refusals.get(rule, ()), lambda one: (one.method, one.target))


def _domain(uri: str) -> str:
    return plain_uri(uri).partition("@")[2]


def lookup_unknown(case: Case) -> Iterator[Hit]:
    """Row 1: nobody has the lookup URI."""
    for group in _by_target(case, "GC101"):
        target, view = group[0].target, case.view(group[0].session)
        more = ""
        if user_part(target) == DEFAULT_LOOKUP and _domain(target) == _domain(view.user or ""):
            more = "; it is the default URI of this user's domain"
        if (view.server or "").startswith(POOL_SERVERS) and not view.pool_client:
            more += (
                f"; the pool is Lync Server 2013 or later ({view.server}): legacy clients need an "
                "endpoint made for them (New-CsPersistentChatEndpoint)"
            )
        yield told(case, group, more)


def no_channel_uri(case: Case) -> Iterator[Hit]:
    """Row 2: the Lookup service answered without a Channel service."""
    for view in case.sessions:
        asked = [one for one in view.named("requri") if one.answers]
        replies = [reply for one in asked for reply in one.answers]
        if not replies or any(view.lookups.get(reply.row) for reply in replies):
            continue
        last = replies[-1]
        frames = frames_text(view.frame(reply.row) for reply in replies)
        result = " ".join(
            part
            for part in (
                view.outcomes.code(last),
                view.material.elements.text("text", last.element),
            )
            if part
        )
        why = "" if is_good(view.outcomes.code(last)) else f", its result is {result or 'absent'}"
        text = (
            f"the Lookup service answered requri of {case.user(view.index)} without the URI of a "
            f"Channel service ({frames}){why}"
        )
        rows = [one.row for one in asked if one.element >= 0] + [reply.row for reply in replies]
        yield Hit(text, tuple(rows), view.index)


def channel_unreachable(case: Case) -> Iterator[Hit]:
    """Row 3: the INVITE to the Channel service was refused, or never answered."""
    for group in _by_target(case, "GC103"):
        yield told(case, group)
    for view in case.sessions:
        for dialog in view.of_role("channel"):
            yield from _unanswered_invites(case, view, dialog.group.notable)


def _unanswered_invites(case: Case, view: SessionView, indexes: Sequence[int]) -> Iterator[Hit]:
    found, rows = view.found, view.trace.rows
    for index in indexes:
        row, final = found.request[index], found.final[index]
        if row < 0 or found.method(index) != "INVITE" or rows.to_tag[row]:
            continue
        target = rows.strings.values[rows.to_uri[row]]
        asked = f"INVITE to {target} of {case.user(view.index)} in frame {view.frame(row)}"
        if final >= 0 and rows.status[final] == OBSOLETE:
            waited = duration_text(view.time(final) - view.time(row))
            yield Hit(f"{asked} got no answer and was cancelled after {waited}", (row, final),
                      view.index, "likely")  # fmt: skip
        elif final < 0 and view.visibility.why_unknown(row) is None and not _is_used(view, row):
            yield Hit(f"{asked} was never answered", (row,), view.index)


def _is_used(view: SessionView, row: int) -> bool:
    """Say whether commands went through the dialog of an INVITE whose answer was not captured."""
    calls = view.trace.rows.call_id
    return any(calls[one.first()[0]] == calls[row] for one in view.commands)


def not_admitted(case: Case) -> Iterator[Hit]:
    """Row 4: refused as not provisioned, or ended right after the first command."""
    for group in _by_target(case, "GC104"):
        yield told(case, group)
    for view in case.sessions:
        for end in endings_of(view):
            if end.why != "not admitted":
                continue
            first = end.evidence[0]
            after = duration_text(view.time(end.row) - view.time(first))
            names = ", ".join(dict.fromkeys(one.name for one in view.commands if one.row == first))
            since = f"the first command ({names}" if names else "the INVITE ("
            text = (
                f"the {end.dialog.role} service ended the dialog of {case.user(view.index)} by BYE "
                f"in frame {view.frame(end.row)}, {after} after {since}"
                f"{', ' if names else ''}frame {view.frame(first)}) and without a reply, as it "
                "does with users who are not allowed to use it"
            )
            yield Hit(text, (*end.evidence, end.row), view.index, "likely")


def too_many_endpoints(case: Case) -> Iterator[Hit]:
    """Row 7."""
    for group in _by_target(case, "GC105"):
        yield told(case, group)


def federated(case: Case) -> Iterator[Hit]:
    """Row 24: the service is in another domain, and the way there is closed."""
    for group in _by_target(case, "GC108"):
        mine, theirs = _domain(case.user(group[0].session)), _domain(group[0].target)
        other = f"; {theirs} is not the user's domain {mine}" if mine != theirs else ""
        hit = told(case, group, other)
        yield hit if other else hit._replace(confidence="likely")


def legacy_setup(case: Case) -> Iterator[Hit]:
    """Row 25: a lookup dialog in front of a pool that needs none."""
    for view in case.sessions:
        lookups = [one for one in view.of_role("lookup") if one.end.state != "failed"]
        channels = [
            one for one in view.of_role("channel") if CHANNEL_MARK in (one.service or "").lower()
        ]
        pool = (view.server or "").startswith(POOL_SERVERS)
        if not lookups or view.sipe or not (pool or channels):
            continue
        rows = (lookups[0].rows[0], *(one.rows[0] for one in channels[:1]))
        what = view.server if pool else f"{channels[0].service}"
        text = (
            f"{case.user(view.index)} asked {lookups[0].service} for a Channel service (frame "
            f"{view.frame(rows[0])}), though the pool is Lync Server 2013 or later ({what}), which "
            "clients find by in-band provisioning"
        )
        yield Hit(text, rows, view.index, "likely")


def stopped(case: Case) -> Iterator[Hit]:
    """Tell a step that failed or is missing; others may explain it."""
    for run in case.flows:
        if run.flow != "sign-in" or run.outcome not in ("failed", "incomplete"):
            continue
        step = next((step for step in run.steps if step.status in BAD), None)
        if step is None or (not step.frames and _told_otherwise(case, run)):
            continue
        severity, sure, what = _graded(case, run, step)
        fate = "failed" if step.status == "failed" else "is missing"
        text = (
            f"the sign-in of {run.user or case.user(run.session)} {what}: "
            f"step {step.id} ({step.title}) {fate}: {step.detail}"
        )
        frames = step.frames or _frames_before(run.steps, step)
        yield Hit(text, case.rows_in(frames), run.session, sure, frames, severity=severity)


def _graded(case: Case, run: FlowRun, step: FlowStep) -> tuple[Severity | None, Confidence, str]:
    """Say how bad a step is, how sure that is, and whether the sign-in went on without it."""
    view, at = case.view(run.session), run.steps.index(step)
    went_on = "went on without one step"
    if any(one.status in DONE for one in run.steps[at + 1 :]):
        return ("warning" if step.frames else "note"), "likely", went_on
    if step.frames:
        return None, "certain", "stopped"
    if any(one.name not in SIGN_IN for one in view.commands):
        return "note", "likely", went_on
    if any(one.status in DONE for one in run.steps if one.id in AT_CHANNEL):
        return "warning", "likely", "stopped"
    if not view.of_role("lookup") and not view.of_role("channel"):
        return "warning", "possible", "stopped before it turned to Group Chat"
    return None, "likely", "stopped"


def _frames_before(steps: Sequence[FlowStep], step: FlowStep) -> tuple[int, ...]:
    """Return the frames of the last step that was done before one that was never tried."""
    before = steps[: steps.index(step)]
    done = [one for one in before if one.status in DONE and one.frames]
    return done[-1].frames if done else _all_frames(steps)


def _all_frames(steps: Sequence[FlowStep]) -> tuple[int, ...]:
    return next((step.frames for step in steps if step.frames), ())


def _told_otherwise(case: Case, run: FlowRun) -> bool:
    """Say whether an error of the session explains that a step was never tried."""
    return any(
        hit.session == run.session and (hit.severity or rule.severity) == "error"
        for rule, hit in case.others("GC111", ("GC1", "GC2", "GC3"))
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "GC101",
        "error",
        "Lookup service not found",
        "The INVITE to the lookup URI was answered 404 (ms-diagnostics 4005 or 1003), 480 or 408: "
        "no account has this URI, or no Lookup service is registered under it. By default it is "
        "ocschat@ and the user's SIP domain; a policy, provisioning or the user may set another.",
        "Check that the lookup account exists, is enabled for SIP and has this URI, that the "
        "Lookup service runs and is registered, and which URI the client is configured with.",
        "Group Chat Call Flows, step 4; [MS-OCER] 1003, 4005",
        lookup_unknown,
    ),
    Rule(
        "GC102",
        "error",
        "Lookup gave no Channel service",
        "The reply to requri has no URI, or its code is not 200: the Lookup service knows no "
        "Channel service that could take the user. Clients try again minutes later.",
        "Check that the Channel services run and that the Lookup service can ask them for their "
        "load.",
        "Group Chat Call Flows, step 5",
        no_channel_uri,
    ),
    Rule(
        "GC103",
        "error",
        "Channel service not reachable",
        "The INVITE to the URI that the Lookup service (or provisioning) gave was refused or got "
        "no answer: the Channel service is down, not registered, or cannot be routed to.",
        "Check that the Channel service of this URI runs, that its name is in DNS, and that the "
        "front end can connect to it.",
        "Group Chat Call Flows, step 6; [MS-OCER] 1007, 1010, 1014",
        channel_unreachable,
        absence=True,
    ),
    Rule(
        "GC104",
        "error",
        "User not allowed or not provisioned",
        "The service refuses the session (ms-diagnostics 20003, 20010, or 403), or it accepts the "
        "INVITE and ends the dialog by BYE after the first command, without a reply.",
        "Check that the user is enabled for Group Chat (policy), is known to the chat database, "
        "and that the synchronisation with Active Directory has run.",
        "[MS-OCER] 20003, 20010; behaviour seen by the SIPE project",
        not_admitted,
    ),
    Rule(
        "GC105",
        "error",
        "Endpoint limit reached",
        "The service takes no more endpoints of this user (ms-diagnostics 20009): too many devices "
        "are signed in, or old sessions have not expired yet.",
        "Sign off on other devices, or wait until old sessions expire; then look at the limit of "
        "endpoints.",
        "[MS-OCER] 20009",
        too_many_endpoints,
    ),
    *AUTHENTICATION,
    Rule(
        "GC108",
        "error",
        "Federation limit",
        "The service is in another domain and the way there is refused: 403 with 1002, or 504 with "
        "1008, 1009 or 1017. Group Chat of another organisation needs federation in both "
        "directions.",
        "Check the lookup URI's domain, the allowed federation partners, and the DNS SRV record "
        "_sipfederationtls._tcp of the other domain.",
        "[MS-OCER] 1002, 1008, 1009, 1017",
        federated,
    ),
    Rule(
        "GC109",
        "note",
        "Legacy way to a newer pool",
        "A client looked for the Channel service by way of a lookup dialog, though the pool is "
        "Lync Server 2013 or later. That works only through an endpoint made for older clients.",
        "Nothing, if that is intended: the endpoint comes from New-CsPersistentChatEndpoint. "
        "Otherwise update the client.",
        "Microsoft documentation of New-CsPersistentChatEndpoint",
        legacy_setup,
    ),
    Rule(
        "GC111",
        "error",
        "Sign-in stopped",
        "A step of the documented sign-in failed or is missing, and no other rule says why.",
        "Look at the frames of the step and of the one before it: xccos flows lists them all.",
        "Group Chat Call Flows",
        stopped,
        absence=True,
    ),
)
