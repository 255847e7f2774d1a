"""The sign-in of a Group Chat client: the ten steps of the document, and how far one got."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, cast

from analyzer.flows.engine import Judged, Judgement, judge
from analyzer.flows.particulars import told
from analyzer.flows.spec import Command, Flow, Need, Request, Step
from analyzer.flows.stretch import sign_ins
from analyzer.flows.values import DONE, FlowRun
from analyzer.flows.variants import does_without, variant_of
from analyzer.model import Step as SessionStep
from analyzer.roles import LOOKUP_USERS, user_part

if TYPE_CHECKING:
    from analyzer.flows.stretch import Stretch
    from analyzer.flows.variants import VariantName
    from analyzer.sessions.view import SessionView

SIGN_IN = Flow(
    name="sign-in",
    title="Group Chat client sign-in",
    begins="session",
    source="Group Chat Call Flows (TechNet)",
    steps=(
        # The pool is located, the user is authenticated: challenges and a redirect belong to it.
        Step("1", "REGISTER", "client", "front end", (Request("REGISTER", "registration"),), 1),
        Step(
            *("2", "SUBSCRIBE: contact list", "client", "front end"),
            match=(Request("SUBSCRIBE", "subscription"),),
            phase=2,
            repeatable=True,
            needs=(Need("1", "the registration"),),
        ),
        Step(
            *("3", "SERVICE: capabilities", "client", "front end"),
            match=(Request("SERVICE"),),
            phase=2,
            repeatable=True,
            needs=(Need("1", "the registration"),),
        ),
        # The front end only passes it on. Real clients (SIPE) do not wait for steps 2 and 3.
        Step(
            *("4", "INVITE to Lookup", "client", "lookup"),
            match=(Request("INVITE", "lookup"),),
            phase=2,
            needs=(Need("1", "the registration"),),
            without=("lync2013",),
        ),
        Step(
            *("5", "requri: Channel URI", "client", "lookup"),
            match=(Command("requri"), Request("BYE", "lookup")),
            phase=3,
            needs=(Need("4", "the session with the Lookup service"),),
            without=("lync2013",),
        ),
        Step(
            *("6", "INVITE to Channel service", "client", "channel"),
            match=(Request("INVITE", "channel"),),
            phase=4,
            needs=(Need("5", "the URI of the Channel service"),),
        ),
        Step(
            *("7", "getserverinfo", "client", "channel"),
            match=(Command("getserverinfo"),),
            phase=5,
            needs=(Need("6", "the session with the Channel service"),),
            without=("sipe",),
        ),
        Step(
            *("8", "getpref: preferences", "client", "channel"),
            match=(Command("getpref"),),
            phase=5,
            repeatable=True,
            needs=(Need("6", "the session with the Channel service"),),
            without=("lync2013", "sipe"),
        ),
        # Which of the two comes first varies between clients.
        Step(
            *("9", "bjoin: rooms joined before", "client", "channel"),
            match=(Command("bjoin"),),
            phase=6,
            needs=(
                Need("6", "the session with the Channel service"),
                Need("8", "the list of rooms joined before", firm=False),
            ),
            without=("sipe",),
        ),
        Step(
            *("10", "getinv: invitations", "client", "channel"),
            match=(Command("getinv"),),
            phase=6,
            needs=(Need("6", "the session with the Channel service"),),
            without=("sipe",),
        ),
    ),
)
REGISTERED = ("1", "2", "3")
"""Steps that a session which starts again has behind it."""
RESUMED = "the session goes on with its registration: it starts again from the lookup"


def _without(step: Step, stretch: Stretch, variant: VariantName) -> str | None:
    if stretch.resumed and step.id in REGISTERED:
        return RESUMED
    return does_without(step, stretch, variant)


def judgements(view: SessionView) -> tuple[Judgement, ...]:
    """Return what became of each sign-in of a session; there is at least one."""
    variant = variant_of(view).name
    return tuple(
        judge(SIGN_IN, stretch, variant, _without, skipped=REGISTERED if stretch.resumed else ())
        for stretch in sign_ins(view)
    )


def steps_of(view: SessionView) -> tuple[SessionStep, ...]:
    """Return the ten steps of a session's first sign-in, in the five words of ``Session``."""
    return tuple(_of_session(view, judged) for judged in view.sign_ins[0].steps)


def _of_session(view: SessionView, judged: Judged) -> SessionStep:
    step, seen, status = judged.step, judged.seen, judged.status
    if not seen.rows:
        return _bare(step.id, step.title, status, seen.detail)
    word = "ok" if status in DONE else status
    frames = tuple(sorted({view.frame(row) for row in seen.rows}))
    # The five words are those that are left of the eight.
    return SessionStep(
        *(step.id, step.title, cast("Status", word), frames, seen.latency_ms, seen.detail)
    )


@lru_cache(maxsize=256)
def _bare(step: str, title: str, status: str, detail: str) -> SessionStep:
    """Return a step of which nothing was seen: the sessions of a capture share them."""
    return SessionStep(step, title, cast("Status", status), (), None, detail)


def sign_in_runs(view: SessionView) -> tuple[FlowRun, ...]:
    """Return a run for each sign-in of a session; services sign in too, but not to chat."""
    if user_part(view.user or "") in LOOKUP_USERS:
        return ()
    variant = variant_of(view).name
    return tuple(
        judgement.run(view, variant, partial(told, judgement.stretch))
        for judgement in view.sign_ins
    )


if TYPE_CHECKING:
    from typing import Literal

    Status = Literal["ok", "failed", "missing", "not-applicable", "not-captured"]
