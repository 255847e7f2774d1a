"""Variants: which client and service a session is of, by evidence, and what they do without.

Product names and versions come from ``User-Agent`` and ``Server``; where they are not in the
capture, from what the client did. The word is that of the client: one of OCS 2007 R2 on a pool of
Lync Server 2013 is ``r2``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.roles import CHANNEL_MARK

if TYPE_CHECKING:
    from analyzer.flows.spec import Step
    from analyzer.flows.stretch import Stretch
    from analyzer.sessions.view import SessionView

VariantName = Literal["r2", "lync2010", "lync2013", "sipe", "unknown"]


class Variant(NamedTuple):
    """A variant, and how it is known."""

    name: VariantName
    evidence: str


NAMES: dict[VariantName, str] = {
    "r2": "Group Chat of Office Communications Server 2007 R2",
    "lync2010": "Group Chat of Lync 2010",
    "lync2013": "Lync 2013 or later",
    "sipe": "Pidgin with SIPE",
    "unknown": "a client that the capture does not tell",
}
CLIENT = re.compile(r"\b(?:UCCAPI|UCCP|OC|RTCC|CommunicatorMobile)/(\d{1,4})\.", re.IGNORECASE)
"""Microsoft's client platforms, with the major version: 2, 3 of OCS 2007 and R2, 4 of Lync 2010, 15
of Lync 2013, 16 of Skype for Business."""
SERVER = re.compile(r"\bRTC/(\d{1,4})\.", re.IGNORECASE)
"""Of the front end: 3.5 of R2, 6 of Skype for Business Server; 4 and 5 of the two between."""
MAJORS: tuple[tuple[int, VariantName], ...] = ((15, "lync2013"), (4, "lync2010"), (1, "r2"))
"""From which major version of the client on."""
SERVERS: tuple[tuple[int, VariantName], ...] = ((5, "lync2013"), (4, "lync2010"), (1, "r2"))
PRODUCTS: tuple[tuple[str, VariantName], ...] = (
    ("2007 r2", "r2"),
    ("lync 2010", "lync2010"),
    ("lync 2013", "lync2013"),
    ("skype for business", "lync2013"),
)
"""Product names in ``User-Agent``, in lower case."""
LEGACY_COMMANDS = ("getpref", "setpref")
"""Commands of the Group Chat client only, up to Lync 2010."""


def variant_of(view: SessionView) -> Variant:
    """Return the variant of a session's client."""
    agent = view.user_agent or ""
    if view.sipe:
        return Variant("sipe", f"User-Agent: {agent}")
    found = CLIENT.search(agent)
    name = _by_major(int(found[1]), MAJORS) if found is not None else None
    if name is None:
        lowered = agent.lower()
        name = next((name for product, name in PRODUCTS if product in lowered), None)
    if name is not None:
        return Variant(name, f"User-Agent: {agent}")
    return _by_deeds(view)


def _by_major(major: int, table: tuple[tuple[int, VariantName], ...]) -> VariantName | None:
    return next((name for least, name in table if major >= least), None)


def _by_deeds(view: SessionView) -> Variant:
    """Judge a client that does not say what it is by what it did, and by its server."""
    found = SERVER.search(view.server or "")
    by_server = _by_major(int(found[1]), SERVERS) if found is not None else None
    asked = next((name for name in LEGACY_COMMANDS if view.named(name)), None)
    if asked is not None or view.of_role("lookup"):
        did = f"it sent {asked}" if asked else "it turned to a Lookup service"
        if by_server == "lync2010":
            return Variant("lync2010", f"{did}, and its server is {view.server}")
        return Variant("r2", f"{did}, as clients up to Lync 2010 do")
    marked = _marked_service(view)
    if marked is not None:
        return Variant("lync2013", f"it went straight to {marked}")
    if by_server is not None:
        return Variant(by_server, f"Server: {view.server}")
    return Variant("unknown", "neither User-Agent nor Server is in the capture")


def _marked_service(view: SessionView) -> str | None:
    """Return the URI of a Channel service that has the form of Lync Server 2013 and later."""
    for dialog in view.of_role("channel"):
        if CHANNEL_MARK in (dialog.service or "").lower():
            return dialog.service
    return None


def does_without(step: Step, stretch: Stretch, variant: VariantName) -> str | None:
    """Return why a client has no need of a step of the sign-in, or None."""
    if variant in step.without:
        return _WITHOUT.get((variant, step.id), f"{NAMES[variant]} does not do this")
    reason = _REASONS.get(step.id)
    return None if reason is None else reason(stretch)


def _no_lookup(stretch: Stretch) -> str | None:
    straight = any(dialog.began_in_capture for dialog in stretch.of_role("channel"))
    if not straight or stretch.of_role("lookup") or stretch.late or _doubtful(stretch):
        return None
    return "this client went straight to the Channel service"


def _no_preferences(stretch: Stretch) -> str | None:
    if _marked_service(stretch.view) is not None:
        return "with this service (Lync Server 2013 or later) clients have no preferences"
    return _known_before(stretch)


def _known_before(stretch: Stretch) -> str | None:
    """A session that starts again still has what it was told before."""
    if not stretch.resumed or _doubtful(stretch) or not stretch.named("bjoin"):
        return None
    return "known from the sign-in before"


def _joined_singly(stretch: Stretch) -> str | None:
    """A user without rooms has none to join at once; new ones are joined one by one."""
    if _doubtful(stretch) or not any(one.answers for one in stretch.named("join")):
        return None
    through = any(
        one.answers
        for name in ("getserverinfo", "getpref", "getinv")
        for one in stretch.named(name)
    )
    return "no room was joined before: it joined its rooms one by one" if through else None


def _no_invitations(stretch: Stretch) -> str | None:
    if stretch.view.pool_client and any(one.answers for one in stretch.named("bjoin")):
        return None if _doubtful(stretch) else "Lync 2013 and later need not ask for them"
    return _known_before(stretch)


def _doubtful(stretch: Stretch) -> bool:
    return stretch.gaps is not None or bool(stretch.view.doubts)


_WITHOUT: dict[tuple[str, str], str] = {
    ("lync2013", "4"): "this client takes the pool URI from provisioning",
    ("lync2013", "5"): "this client takes the pool URI from provisioning",
    ("lync2013", "8"): "clients from Lync 2013 on have no preferences",
    ("sipe", "9"): "Pidgin with SIPE joins its rooms one by one",
}
"""Sentences about what a variant does without, by the document's number of the step."""
_REASONS = {
    "4": _no_lookup,
    "5": _no_lookup,
    "7": _known_before,
    "8": _no_preferences,
    "9": _joined_singly,
    "10": _no_invitations,
}
"""What a client did shows that it has no need of a step; by the document's number."""
