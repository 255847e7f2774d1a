"""Authentication: REGISTERs that are challenged again and again, or refused.

A round begins with a challenge that offers schemes. The challenges within a round carry the
server's part of the handshake (``gssapi-data``) and are normal: NTLM has one, TLS-DSK two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.diagnostics import codes
from analyzer.diagnostics.refusals import grouped
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.legs import is_success
from analyzer.sessions.registrations import REDIRECT
from analyzer.transaction_table import CHALLENGES
from analyzer.views.numbers import amount, frames_text
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.diagnostics.rule import Case
    from analyzer.sessions.view import SessionView

HANDSHAKE = re.compile(r'gssapi-data[ \t]*+=[ \t]*+"[^"]', re.IGNORECASE)
"""The server's part of a handshake, not empty."""
CHALLENGED_A_ROUND = 2
"""Challenges of one round of NTLM; where no handshake can be seen they are counted by this."""


class SignIn(NamedTuple):
    """The REGISTERs up to the one that was accepted, or all where none was."""

    rows: tuple[int, ...]
    """Requests and challenges."""
    rounds: int
    accepted: int
    """-1 without."""
    last: int
    """The last answer."""
    text: str
    """The last challenge in words."""
    code: int | None
    """Of the last challenge that has ms-diagnostics."""
    answered: bool
    """The client sent credentials."""


def sign_ins_of(view: SessionView, usual: int = 0) -> Iterator[SignIn]:
    """Yield the attempts of a session to authenticate, in order.

    Accepted ones with at most ``usual`` challenges are left out: they cannot have more rounds.
    """
    group: list[int] = []
    for index in _in_order(view):
        if view.found.final[index] < 0:
            continue
        if view.found.status(index) in REDIRECT:  # the next registrar has rounds of its own
            group = []
            continue
        group.append(index)
        if is_success(view.found.status(index)):
            if len(group) - 1 > usual:
                yield _sign_in(view, group)
            group = []
    if group:
        yield _sign_in(view, group)


def _in_order(view: SessionView) -> Iterator[int]:
    """Yield the REGISTERs of a session by CSeq: frames may have changed places."""
    found, rows = view.found, view.trace.rows

    def number(index: int) -> int:
        cseq = rows.cseqs.value(rows.cseq[found.first[index]])
        return cseq[0] if cseq is not None else 0

    for each in view.registrations:
        yield from sorted(each.transactions, key=number)


def _sign_in(view: SessionView, group: list[int]) -> SignIn:
    found, trace = view.found, view.trace
    challenged = [one for one in group if found.status(one) in CHALLENGES]
    fresh, code = 0, None
    for one in challenged:
        fresh += not _continues(view, found.final[one])
        diagnosis = codes.diagnostics_of(trace, found.final[one])
        code = code if diagnosis is None else diagnosis.id
    if not fresh:
        fresh = -(-len(challenged) // CHALLENGED_A_ROUND)
    rows = [row for one in challenged for row in (found.request[one], found.final[one]) if row >= 0]
    last = group[-1]
    done = is_success(found.status(last))
    requests = [found.request[one] for one in group if found.request[one] >= 0]
    return SignIn(
        tuple(sorted(rows)),
        fresh,
        found.final[last] if done else -1,
        found.final[last],
        codes.answer_text(trace, found.final[challenged[-1]]) if challenged else "",
        code,
        any(HANDSHAKE.search(_header(view, row, "authorization")) for row in requests),
    )


def _continues(view: SessionView, row: int) -> bool:
    return HANDSHAKE.search(_header(view, row, "authenticate")) is not None


def _header(view: SessionView, row: int, ending: str) -> str:
    message = view.trace.message(row)
    if isinstance(message, Malformed):
        return ""
    return "\n".join(
        header.value for header in message.headers if header.name.lower().endswith(ending)
    )


def authentication_failed(case: Case) -> Iterator[Hit]:
    """Row 19: more rounds than a sign-in has, or credentials refused."""
    for group in grouped(case.refusals.get("GC107", ()), lambda one: one.target):
        rows = tuple(row for one in group for row in one.rows)
        frames = frames_text(case.frame(row) for row in rows)
        view = case.view(group[0].session)
        rounds = sum(one.rounds for one in sign_ins_of(view) if one.accepted < 0)
        after = f" after {amount(rounds, 'round')} of authentication" if rounds else ""
        text = f"the credentials of {case.user(view.index)} were refused{after}: "
        failed = (row for one in sign_ins_of(view) if one.accepted < 0 for row in one.rows)
        rows = tuple(sorted({*rows, *failed}))
        yield Hit(f"{text}{group[-1].text} ({frames})", rows, view.index)
    told = {one.session for one in case.refusals.get("GC107", ())}
    for view in case.sessions:
        usual = case.thresholds.auth_cycles
        for one in sign_ins_of(view, usual) if view.index not in told else ():
            yield from _loop(case, view, one)


def _loop(case: Case, view: SessionView, one: SignIn) -> Iterator[Hit]:
    limit = case.thresholds.auth_cycles
    user, rounds = case.user(view.index), amount(one.rounds, "round")
    frames = frames_text(map(case.frame, one.rows))
    if one.accepted >= 0:
        if one.rounds > limit:
            text = f"{user} was signed in only after {rounds} of authentication ({frames})"
            rows = (*one.rows, one.accepted)
            yield Hit(text, rows, view.index, severity="warning")
        return
    if not one.rows or view.trace.rows.status[one.last] not in CHALLENGES:
        return
    what = "was never signed in" if view.signed_in is None else "could not renew the registration"
    text = f"{user} {what}: after {rounds} of authentication the last answer is {one.text}"
    text = f"{text} ({frames})"
    if one.rounds > limit or one.code in codes.BAD_CREDENTIALS:
        yield Hit(text, one.rows, view.index)
    elif view.signed_in is None and view.gaps is None and not view.cut_short:
        why = "" if one.answered else "; the client did not answer the challenge"
        yield Hit(text + why, one.rows, view.index, "likely")


def sign_in_refused(case: Case) -> Iterator[Hit]:
    """Tell a REGISTER that was refused for another reason than its credentials."""
    refused = case.refusals.get("GC110", ())
    for group in grouped(refused, lambda one: (one.target, one.status, one.code)):
        rows = tuple(row for one in group for row in one.rows)
        frames = frames_text(map(case.frame, rows))
        times = "" if len(group) == 1 else f" {len(group)} times"
        text = f"REGISTER of {case.user(group[0].session)} was refused{times}: {group[-1].text}"
        done = group[-1].accepted
        if done < 0:
            yield Hit(f"{text} ({frames})", rows, group[0].session)
            continue
        text = f"{text} ({frames}); a later one was accepted (frame {case.frame(done)})"
        yield Hit(text, rows, group[0].session, severity="warning")


AUTHENTICATION: tuple[Rule, ...] = (
    Rule(
        "GC107",
        "error",
        "Authentication loop, or credentials refused",
        "A sign-in takes one round of authentication: NTLM has two 401 in it, Kerberos one, "
        "TLS-DSK up to three. More rounds than the threshold auth_cycles, ms-diagnostics 1000 or "
        "4004, or a 403 after challenges mean that the server does not accept what the client "
        "offers, or that the client has nothing to offer (no certificate for TLS-DSK).",
        "Check password and account (expired, locked, renamed), which of the user's own or "
        "alternate credentials are used, the service principal name for Kerberos, clocks, and the "
        "certificate web service for TLS-DSK.",
        "[MS-SIPAE]; [MS-OCER] 1000, 4004",
        authentication_failed,
    ),
    Rule(
        "GC110",
        "error",
        "Sign-in refused",
        "REGISTER was answered 4xx, 5xx or 6xx for another reason than credentials: user not "
        "enabled (404, 403), client blocked by the version filter (17002), or a registrar in "
        "trouble (5xx).",
        "Read the ms-diagnostics of the answer; check that the account is enabled and in this "
        "pool, and the client version policy.",
        "RFC 3261 section 10.3; [MS-OCER] 4006, 17002",
        sign_in_refused,
    ),
)
