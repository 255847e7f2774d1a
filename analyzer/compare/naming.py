"""What exchanges are called, and which step of a flow they are of: by method, role and command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compare.values import StepKey
from analyzer.flows.posting import POSTING
from analyzer.flows.signin import SIGN_IN
from analyzer.flows.spec import Command, Copies, Post, Request

if TYPE_CHECKING:
    from analyzer.flows.spec import Flow, Match

ROLES = {
    "lookup": "Lookup",
    "channel": "Channel service",
}
"""Who is on the other side of a dialog, in words; anybody else is behind the front end."""
FRONT_END = "front-end"
CHATTING = "grpchat"


def role_words(role: str) -> str:
    """Return ``Channel service``."""
    return ROLES.get(role, "front end")


def sip_subject(method: str, role: str, event: str, use: str, *, up: bool) -> str:
    """Return ``INVITE to Channel service``, ``SUBSCRIBE presence (end)``, ``BENOTIFY presence``."""
    subject = method
    if event:
        subject += f" {event}"
    elif method not in {"REGISTER", "SERVICE"} or not up:
        subject += f" {'to' if up else 'from'} {role_words(role)}"
    return f"{subject} ({use})" if use else subject


def _key(match: Match) -> tuple[str, ...] | None:
    if isinstance(match, Command):
        return ("cmd", match.name)
    if isinstance(match, Request):
        role = match.role if match.role in ROLES else FRONT_END
        return (match.method, role)
    if isinstance(match, Post):
        return (CHATTING,)
    return ("copy",) if isinstance(match, Copies) else None


def _steps(*flows: Flow) -> dict[tuple[str, ...], StepKey]:
    found: dict[tuple[str, ...], StepKey] = {}
    for flow in flows:
        for step in flow.steps:
            for match in step.match:
                key = _key(match)
                if key is not None:
                    found.setdefault(key, StepKey(flow.name, step.id, step.title))
    return found


STEPS = _steps(SIGN_IN, POSTING)
"""``("INVITE", "channel")``, ``("cmd", "bjoin")``, ``("grpchat",)``, ``("copy",)`` to steps."""
SIGN_IN_STEPS = {step.id: StepKey(SIGN_IN.name, step.id, step.title) for step in SIGN_IN.steps}


def step_words(step: StepKey | None) -> str:
    """Return ``step 6``, ``posting step 2``; empty without a step."""
    if step is None:
        return ""
    return f"step {step.id}" if step.flow == SIGN_IN.name else f"{step.flow} step {step.id}"


def where(step: StepKey | None, subject: str) -> str:
    """Return ``step 6 INVITE to Channel service``."""
    words = step_words(step)
    return f"{words} {subject}" if words and subject else words or subject
