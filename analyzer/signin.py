"""How far a sign-in got: the ten documented steps, each with what the capture shows of it.

A step that is not seen is ``missing`` only where the capture would have it; where it begins late,
has holes or one direction only, the step is ``not-captured``. A client that does without a step by
design makes it ``not-applicable``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from analyzer import signin_evidence as evidence
from analyzer.model import Step
from analyzer.roles import CHANNEL_MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.sessions.view import SessionView
    from analyzer.signin_evidence import Seen, Status


class StepSpec(NamedTuple):
    """One step: what shows it, and which clients do without it."""

    phase: int
    """Steps of one phase come in any order."""
    id: str
    title: str
    test: Callable[[SessionView], Seen | None]
    without: Callable[[SessionView], str | None]


def _always(_: SessionView) -> str | None:
    return None


def _no_lookup(view: SessionView) -> str | None:
    if view.pool_client:
        return "this client takes the pool URI from provisioning"
    if view.of_role("channel") and not view.late and view.gaps is None:
        return "this client went straight to the Channel service"
    return None


def _sipe(view: SessionView) -> str | None:
    return "Pidgin with SIPE does not do this" if view.sipe else None


def _sipe_joins(view: SessionView) -> str | None:
    return "Pidgin with SIPE joins its rooms one by one" if view.sipe else None


def _no_preferences(view: SessionView) -> str | None:
    if view.pool_client:
        return "clients from Lync 2013 on have no preferences"
    if any(CHANNEL_MARK in (dialog.service or "").lower() for dialog in view.of_role("channel")):
        return "with this service (Lync Server 2013 or later) clients have no preferences"
    return _sipe(view)


STEPS = (
    StepSpec(1, "1", "REGISTER", evidence.registered, _always),
    StepSpec(2, "2", "SUBSCRIBE: contact list", evidence.subscribed, _always),
    StepSpec(2, "3", "SERVICE: capabilities", evidence.published, _always),
    StepSpec(3, "4", "INVITE to Lookup", evidence.lookup_invited, _no_lookup),
    StepSpec(4, "5", "requri: Channel URI", evidence.channel_learned, _no_lookup),
    StepSpec(5, "6", "INVITE to Channel service", evidence.channel_invited, _always),
    StepSpec(6, "7", "getserverinfo", evidence.server_known, _sipe),
    StepSpec(6, "8", "getpref: preferences", evidence.preferences_read, _no_preferences),
    StepSpec(6, "9", "bjoin: rooms joined before", evidence.rooms_joined, _sipe_joins),
    StepSpec(6, "10", "getinv: invitations", evidence.invitations_read, _sipe),
)


def steps_of(view: SessionView) -> tuple[Step, ...]:
    """Return the ten steps of a session's sign-in."""
    found = [spec.test(view) for spec in STEPS]
    seen = [position for position, step in enumerate(found) if step is not None]
    first_phase = STEPS[seen[0] if seen else -1].phase
    last = seen[-1] if seen else -1
    steps = []
    stopped: str | None = None
    for position, (spec, step) in enumerate(zip(STEPS, found, strict=True)):
        if step is None:
            before = spec.phase <= first_phase
            steps.append(_unseen(spec, view, stopped, before=before, rest=position > last))
            continue
        if step.status in {"failed", "missing"} and stopped is None:
            stopped = spec.id
        steps.append(Step(spec.id, spec.title, *step))
    return tuple(steps)


def _unseen(
    spec: StepSpec, view: SessionView, stopped: str | None, *, before: bool, rest: bool
) -> Step:
    without = spec.without(view)
    if without is not None:
        return _bare(spec, "not-applicable", without)
    if before and view.late:
        return _bare(spec, "not-captured", "the session was going on before the capture began")
    if rest and stopped is not None:
        return _bare(spec, "missing", f"not reached after step {stopped}")
    if view.gaps is not None:
        return _bare(spec, "not-captured", view.gaps)
    if rest and view.cut_short:
        return _bare(spec, "not-captured", "the capture ends before it")
    return _bare(spec, "missing", "not there, though the capture has no gap")


@lru_cache(maxsize=256)
def _bare(spec: StepSpec, status: Status, detail: str) -> Step:
    """Return a step of which nothing was seen: the sessions of a capture share them."""
    return Step(spec.id, spec.title, status, (), None, detail)
