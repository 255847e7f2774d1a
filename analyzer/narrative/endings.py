"""Sentences about how a session was kept up, what it lost, how it ended, what is not captured."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from analyzer.legs import is_success
from analyzer.narrative.names import steps_text
from analyzer.narrative.posts import POST_STEP
from analyzer.states import OBSOLETE
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.causes.consequences import Loss
    from analyzer.dialogs import DialogDraft
    from analyzer.narrative.tale import Sentence, Tale

SHOWN_HOLES = 50
"""Of one connection: `xccos triage` counts all."""
ROOMS_STEP = "9"
REFRESHES = ("UPDATE", "INVITE")
"""Requests within a dialog that keep it alive (RFC 4028)."""


def sentences(tale: Tale, losses: Sequence[Loss]) -> Iterator[Sentence]:
    """Yield the sentences about what became of a session's dialogs, and about the capture."""
    view = tale.view
    first = min(dialog.rows[0] for dialog in view.dialogs)
    if view.late:
        text = "The capture begins in the middle of this session; what came before is not known."
        yield tale.sentence([first], text, "doubtful")._replace(order=-1)
    for dialog in (*view.of_role("lookup"), *view.of_role("channel")):
        yield from _kept(tale, dialog)
        yield from _ended(tale, dialog)
        yield from _obsolete(tale, dialog)
    for loss in losses:
        yield from _lost(tale, loss, first)
    if view.signed_off is not None:
        text = f"{tale.who} signed off (REGISTER with Expires 0, {tale.frame(view.signed_off)})."
        yield tale.sentence([view.signed_off], text)
    yield from _gaps(tale)
    if view.cut_short and any(one.end.row is None for one in view.of_role("channel")):
        last = max(dialog.rows[-1] for dialog in view.dialogs)
        yield tale.sentence([last], "Here the capture ends while the session goes on.")


def _kept(tale: Tale, dialog: DialogDraft) -> Iterator[Sentence]:
    """Yield what kept a dialog alive, and what failed in that."""
    found = tale.view.found
    creating = {index for leg in dialog.group.legs for index in leg.creating}
    refreshes = [
        one
        for one in dialog.group.transactions
        if one not in creating and found.method(one) in REFRESHES and found.request[one] >= 0
    ]
    good = [one for one in refreshes if is_success(found.status(one))]
    if good:
        rows = [found.request[one] for one in good]
        methods = " and ".join(dict.fromkeys(found.method(one) for one in good))
        times = "once" if len(rows) == 1 else f"{len(rows)} times"
        text = f"The dialog with the {dialog.role.capitalize()} service was kept up {times} "
        yield tale.sentence(rows, f"{text}({methods}, {tale.frames(rows)}).")
    for one in refreshes:
        if one not in good:
            text, tone = tale.answer(one)
            row = found.request[one]
            yield tale.sentence([row], f"{found.method(one)} in {tale.frame(row)}: {text}.", tone)


def _ended(tale: Tale, dialog: DialogDraft) -> Iterator[Sentence]:
    end, service = dialog.end, f"the dialog with the {dialog.role.capitalize()} service"
    if end.row is None:
        return
    frame = tale.frame(end.row)
    if end.ended_by == "BYE from service":
        yield tale.sentence([end.row], f"The service ended {service} (BYE, {frame}).", "bad")
    elif end.ended_by == "BYE from client" and dialog.role == "channel":
        yield tale.sentence([end.row], f"{tale.who} closed {service} (BYE, {frame}).")
    elif end.ended_by == "481":
        text = f"The service no longer knew {service} (481, {frame}): it is lost."
        yield tale.sentence([end.row], text, "bad")


def _obsolete(tale: Tale, dialog: DialogDraft) -> Iterator[Sentence]:
    """Yield the dialog that a client has given up and its service still writes into."""
    found = tale.view.found
    rows = [
        found.final[one]
        for one in dialog.group.notable
        if found.status(one) == OBSOLETE and found.method(one) not in {"INVITE", "CANCEL"}
    ]
    if rows:
        yield tale.sentence(
            rows,
            f"The service still wrote into the dialog of {tale.frame(dialog.rows[0])}, which "
            f"{tale.who} had given up: 487 {amount(len(rows), 'time')} ({tale.frames(rows)}).",
            "bad",
        )


def _lost(tale: Tale, loss: Loss, first: int) -> Iterator[Sentence]:
    """Yield what a failed step took down with it."""
    parts = []
    if loss.steps:
        parts.append(f"{steps_text(loss.steps)} did not follow")
    if loss.rooms:
        parts.append(f"{tale.rooms(loss.rooms)} not entered")
    if loss.posts:
        parts.append(f"{amount(len(loss.posts), 'post')} lost ({tale.frames(loss.posts)})")
    told = ROOMS_STEP if loss.flow == "sign-in" else POST_STEP  # where they happened
    if not parts or (loss.step.id == told and not (loss.flow == "sign-in" and loss.steps)):
        return
    at = max((row for row in loss.rows), default=first)
    step = f"step {loss.step.id} ({loss.step.title})"
    yield tale.sentence([at], f"Because of {step}: {'; '.join(parts)}.", "bad")


def _gaps(tale: Tale) -> Iterator[Sentence]:
    """Yield where the capture has holes in this session."""
    view = tale.view
    rows = sorted(row for dialog in view.dialogs for row in dialog.rows)
    frames = [view.frame(row) for row in rows]
    for connection in view.connections:
        if view.visibility.one_way(connection):
            text = "Only one direction of a connection of this session was captured."
            yield tale.sentence(rows[:1], text, "doubtful")
        for hole in view.visibility.holes(connection)[:SHOWN_HOLES]:
            after = rows[min(bisect_left(frames, hole), len(rows) - 1)]
            text = f"Frames are missing from the capture before frame {hole}."
            yield tale.sentence([after], text, "doubtful")._replace(frames=(hole,), order=after - 1)
