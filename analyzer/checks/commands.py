"""Commands with their two answers, held against a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.checks.values import Judged
from analyzer.query import status_test
from analyzer.views.commands import refused_by_reply
from analyzer.wireshark.shown import of_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.checks.judge import Court
    from analyzer.checks.spec import Check, CommandSubject
    from analyzer.model import CommandPair

POST = "grpchat"
EVERY = "*"
SUCCESS = range(200, 300)
MAX_DIGITS = 9
"""Of a result code that is compared as a number."""


def judge_commands(court: Court, check: Check, subject: CommandSubject) -> Iterator[Judged]:
    """Yield the commands of the names that are asked for."""
    wanted = court.wanted(check)
    for pair in court.analysis.pairs:
        if _is_meant(subject, pair) and wanted(pair.user):
            yield _judged(court, subject, pair)


def _is_meant(subject: CommandSubject, pair: CommandPair) -> bool:
    every = EVERY in subject.names and pair.kind == "cmd"
    return every or pair.command in subject.names


def told(court: Court, pair: CommandPair) -> str:
    """Return ``join of sip:ann@example.com in frame 46``."""
    what = "post" if pair.kind == POST else pair.command
    text = f"{what} of {pair.user or 'a client'}"
    if pair.row is None:
        return f"{text}, which is not in the capture"
    return f"{text} in frame {court.trace.rows.frame[pair.row]}"


def _judged(court: Court, subject: CommandSubject, pair: CommandPair) -> Judged:
    frames = tuple(sorted(set(of_pair(court.trace, pair))))
    session = None
    if pair.dialog is not None:
        session = court.analysis.dialogs[pair.dialog].session
    fault, unknown = _fault(subject, pair)
    ms = None
    if subject.answer == "sip" or pair.kind == POST:
        ms = pair.sip_latency_ms
    elif pair.replies:
        ms = pair.replies[0].latency_ms
    if fault and subject.allow_retry and court.repeated(pair):
        return Judged("passed", f"{told(court, pair)}: repeated", frames, pair.user, session, ms)
    if fault or unknown:
        text = f"{told(court, pair)}: {fault or unknown}"
        return Judged("failed" if fault else "skipped", text, frames, pair.user, session)
    text = f"{told(court, pair)}: {pair.outcome}"
    return Judged("passed", text, frames, pair.user, session, ms)


def _fault(subject: CommandSubject, pair: CommandPair) -> tuple[str, str]:
    """Return what is wrong with a command, and else why it cannot be told."""
    if subject.answer == "sip":
        if pair.sip_status in SUCCESS:
            return "", ""
        unknown = pair.sip_status is None and (pair.outcome == "unknown" or pair.row is None)
        return ("", pair.detail) if unknown else (pair.detail, "")
    # What the command was is not in the capture, but a reply to it is.
    outcome = "answered" if pair.row is None and pair.replies else pair.outcome
    if outcome == "unknown" and "unknown" not in subject.outcomes:
        return "", pair.detail
    if outcome not in subject.outcomes:
        return pair.detail, ""
    if subject.codes:
        return _codes(subject, pair), ""
    return "", ""


def _codes(subject: CommandSubject, pair: CommandPair) -> str:
    """Say which reply has another code than those asked for."""
    meant = status_test(subject.codes)
    for reply in pair.replies:
        code = reply.code or ""
        plain = code.isascii() and code.isdecimal() and len(code) <= MAX_DIGITS
        if not meant(int(code) if plain else None):
            return f"{reply.id} has the code {reply.code or '(none)'} {reply.text or ''}".rstrip()
    return ""


def is_refused(pair: CommandPair) -> bool:
    """Say whether SIP or the service refused it."""
    return pair.outcome == "rejected" or refused_by_reply(pair)
