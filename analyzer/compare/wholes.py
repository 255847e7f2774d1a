"""What no single exchange shows: variant of the client, steps, ends of dialogs, copies of posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compare.exchange_pairs import Found
from analyzer.compare.naming import SIGN_IN_STEPS, role_words
from analyzer.compare.values import Divergence, Doubt, StepPair, StepSeen, Told
from analyzer.flows.values import BAD
from analyzer.flows.variants import NAMES
from analyzer.meaning import outline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.compare.ledger import Ledger
    from analyzer.compare.side import Side
    from analyzer.compare.values import AlignedRow, Exchange, StepKey, Weight
    from analyzer.flows.values import FlowRun, FlowStep

NOTABLE = BAD | {"retried", "slow", "out-of-order"}
"""Statuses of a step that make it a major divergence where the other side did it well."""
OF_STATUS = {"slow": "latency", "out-of-order": "order"}
"""Kind of the divergence that shows the status of a step."""
POST = 3
"""Place of the post among the steps of its run; that of its copies follows."""
BY_CLIENT, BY_SERVICE = "BYE from client", "BYE from service"
CLOSED, OPEN = "connection closed", "not captured"
_ENDS = {
    BY_CLIENT: "was ended by the client (BYE)",
    BY_SERVICE: "was ended by the service (BYE)",
    CLOSED: "was not ended before its connection was closed",
    OPEN: "goes on until the capture ends",
}


def variants(a: Side, b: Side) -> Divergence | None:
    """Return that the clients are different ones, where both are known."""
    names = {a.variant.name, b.variant.name}
    if len(names) < 2 or "unknown" in names:
        return None
    one, two = (Told(f"is {NAMES[side.variant.name]} ({side.variant.evidence})") for side in (a, b))
    return Divergence("variant", "minor", None, "client", one, two, -1)


def steps(a: Side, b: Side, rows: Sequence[AlignedRow], ledger: Ledger) -> None:
    """Add what the steps of the sign-ins show beyond the exchanges."""
    first: dict[StepKey, int] = {}
    for number, row in enumerate(rows):
        if row.step is not None:
            first.setdefault(row.step, number)
    for one, two in zip(a.sign_ins, b.sign_ins, strict=False):
        for left, right in zip(one.steps, two.steps, strict=True):
            key = SIGN_IN_STEPS[left.id]
            if left.status != right.status:
                _step(left, right, first.get(key, len(rows)), ledger)


def step_pairs(a: Side, b: Side) -> Iterator[StepPair]:
    """Yield the steps of the sign-ins that both sides have."""
    for number, (one, two) in enumerate(zip(a.sign_ins, b.sign_ins, strict=False)):
        for left, right in zip(one.steps, two.steps, strict=True):
            yield StepPair(number, SIGN_IN_STEPS[left.id], _seen(left), _seen(right))


def _seen(step: FlowStep) -> StepSeen:
    return StepSeen(step.status, step.latency_ms, step.detail, step.frames)


def _step(left: FlowStep, right: FlowStep, row: int, ledger: Ledger) -> None:
    key, statuses = SIGN_IN_STEPS[left.id], {left.status, right.status}
    if "not-captured" in statuses:
        if not ledger.doubtful(key):
            side, there = ("A", right) if left.status == "not-captured" else ("B", left)
            unseen = left if side == "A" else right
            if there.frames:
                doubt = Doubt(
                    "A" if side == "A" else "B", key.title, unseen.detail, there.frames, row
                )
                ledger.doubt(doubt, key)
        return
    known = ledger.of_step(key)
    if any(one.weight == "major" or one.follows for one in known):
        return
    kinds = {OF_STATUS[status] for status in statuses if status in OF_STATUS}
    shown = next((one for one in known if one.kind in kinds), None)
    if shown is not None:
        ledger.upgrade(shown)
        return
    if "not-applicable" in statuses and not statuses & BAD:
        return
    weight: Weight = "major" if statuses & NOTABLE else "minor"
    divergence = Divergence(
        "step", weight, key, key.title, _told(left), _told(right), row,
        follows=any(one.detail.startswith("not reached") for one in (left, right)),
    )  # fmt: skip
    ledger.put(divergence, ("step", key, left.detail, right.detail), key.title)


def _told(step: FlowStep) -> Told:
    return Told(f"{step.status.replace('-', ' ')}: {step.detail}", step.frames)


def endings(
    a: Side, b: Side, rows: Sequence[AlignedRow]
) -> Iterator[tuple[Found, int, Exchange, set[tuple[str, int]]]]:
    """Yield how dialogs of both sides ended, where that differs.

    With the row, an exchange of the dialog, and the dialogs: ``("A", index)``, ``("B", index)``.
    """
    for row in rows:
        one, two = row.a, row.b
        if one is None or two is None or one.family != "INVITE" or min(one.dialog, two.dialog) < 0:
            continue
        if not (one.outcome.well and two.outcome.well) or one.token[-1]:
            continue
        ends = (_end(a, one.dialog), _end(b, two.dialog))
        weight = None if ends[0] == ends[1] else _weight(*ends)
        if weight is not None:
            last, like = _last(rows, one.dialog, two.dialog)
            found = Found("ending", weight, _ended(a, one, ends[0]), _ended(b, two, ends[1]))
            yield found, last, like or one, {("A", one.dialog), ("B", two.dialog)}


def _end(side: Side, dialog: int) -> str:
    return outline(side.view.trace).dialogs[dialog].ended_by or OPEN


def _weight(one: str, two: str) -> Weight:
    harmless = {BY_CLIENT, CLOSED, OPEN}
    if one not in harmless or two not in harmless:
        return "major"
    return "trivial" if OPEN in (one, two) else "minor"


def _ended(side: Side, invite: Exchange, end: str) -> Told:
    dialog = side.view.material.dialogs[invite.dialog]
    row = dialog.end.row
    frames = () if row is None or row < 0 else (side.view.frame(row),)
    return Told(_ENDS.get(end, f"was ended by {end}"), frames)


def _last(rows: Sequence[AlignedRow], a: int, b: int) -> tuple[int, Exchange | None]:
    """Return where two dialogs end: at the BYE of either, else at the last row of either."""
    last = -1
    for number, row in enumerate(rows):
        for one, dialog in ((row.a, a), (row.b, b)):
            if one is not None and one.dialog == dialog:
                if one.family == "BYE":
                    return number, None
                last = number
    return last, None


def dialog_subject(role: str) -> str:
    """Return ``dialog with Channel service``."""
    return f"dialog with {role_words(role)}"


def posts(a: Side, b: Side, row: AlignedRow) -> Iterator[Found]:
    """Yield in what two posts differ: files, and copies to the members."""
    one, two = _run(a, row.a), _run(b, row.b)
    if one is None or two is None:
        return
    left, right = one.steps[POST], two.steps[POST]
    alike = row.a is not None and row.b is not None and row.a.outcome.key == row.b.outcome.key
    statuses = {left.status, right.status}
    if alike and statuses & BAD and statuses - BAD and "not-captured" not in statuses:
        yield Found("step", "major", _told(left), _told(right))
    copies = _copies(one), _copies(two)
    if copies[0] == copies[1] or None in copies:
        return
    lost = [bool(found[1]) for found in copies if found is not None]
    weight: Weight = "major" if lost[0] != lost[1] else "trivial"
    last = one.steps[-1], two.steps[-1]
    told = Told(last[0].detail, last[0].frames), Told(last[1].detail, last[1].frames)
    yield Found("copies", weight, *told, "copies")


def post_gone_wrong(side: Side, exchange: Exchange) -> Told | None:
    """Return what went wrong with a post that only one side has, None where nothing did."""
    run = _run(side, exchange)
    bad = (
        None if run is None else next((one for one in run.steps[POST:] if one.status in BAD), None)
    )
    return None if bad is None else _told(bad)


def _run(side: Side, exchange: Exchange | None) -> FlowRun | None:
    if exchange is None or exchange.item is None or exchange.family != "post":
        return None
    return side.post_runs.get(exchange.item[0])


def _copies(run: FlowRun) -> tuple[int, int] | None:
    """Return how many members got a copy and how many did not; None where nothing is known."""
    got = sum(one.row is not None for one in run.copies)
    lost = sum(one.row is None and one.captured for one in run.copies)
    return (got, lost) if got or lost else None
