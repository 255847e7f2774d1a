"""SIP requests that nobody answered, where the capture would show the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.diagnostics.refusals import sent_by_client
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.states import request_text
from analyzer.times import SECOND
from analyzer.transaction_table import NO_ANSWER
from analyzer.views.numbers import amount, frames_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.diagnostics.rule import Case
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView

LEAVING_NS = SECOND
"""A client that closes its connection so soon after a request does not wait for the answer."""
LEAVING = ("BYE", "SUBSCRIBE", "REGISTER", "SERVICE", "PUBLISH")
"""What a client sends before it goes."""


def unanswered(case: Case) -> Iterator[Hit]:
    """Tell requests without a final answer; those that carry commands are told elsewhere."""
    for view in case.sessions:
        groups: dict[tuple[str, bool], list[int]] = {}
        for index, dialog in _silent(view):
            row = view.found.request[index]
            by_client = sent_by_client(view, row, dialog)
            groups.setdefault((request_text(view.found, index), by_client), []).append(index)
        for (what, by_client), indexes in groups.items():
            yield _silence(case, view, what, indexes, by_client=by_client)


def _silence(
    case: Case, view: SessionView, what: str, indexes: Sequence[int], *, by_client: bool
) -> Hit:
    rows = tuple(view.found.request[one] for one in indexes)
    frames = frames_text(map(case.frame, rows))
    times = "" if len(rows) == 1 else f" {len(rows)} times"
    more = [view.found.more[one] for one in indexes if one in view.found.more]
    trying = "; only provisional answers came" if any(one.provisional for one in more) else ""
    again = sum(len(one.retransmissions) for one in more)
    sent = f"; it was sent again {amount(again, 'time')}" if again else ""
    user = case.user(view.index)
    if by_client:
        return Hit(f"{what} of {user} was never answered{times} ({frames}){trying}{sent}", rows,
                   view.index)  # fmt: skip
    text = f"{user} never answered {what} of the server{times} ({frames}){trying}{sent}"
    return Hit(text, rows, view.index, severity="warning")


def _silent(view: SessionView) -> Iterator[tuple[int, DialogDraft | None]]:
    told = {one.transaction for one in view.commands}
    for dialog in view.dialogs:
        if dialog.index not in view.branches and not _is_told_by_invite(view, dialog):
            legs = [leg.connection for leg in dialog.group.legs]
            for index in dialog.group.notable:
                if index not in told and _is_silent(view, index) and _is_whole(view, legs, index):
                    yield index, dialog
    for index in view.outside:
        if _is_silent(view, index):
            yield index, None


def _is_whole(view: SessionView, legs: Sequence[int], index: int) -> bool:
    """Say whether no hop of a dialog has a hole after a request: its answer may be in there."""
    frame = view.frame(view.found.request[index])
    holes = (hole for leg in legs for hole in view.visibility.holes(leg))
    return all(hole <= frame for hole in holes)


def _is_told_by_invite(view: SessionView, dialog: DialogDraft) -> bool:
    """Say whether a dialog never came about, which the rule for its INVITE tells."""
    silent = any(
        view.found.method(one) == "INVITE" and view.found.final[one] < 0
        for one in dialog.group.notable
    )
    return dialog.role == "channel" and silent


def _is_silent(view: SessionView, index: int) -> bool:
    found = view.found
    row, method = found.request[index], found.method(index)
    if row < 0 or found.final[index] >= 0 or method in NO_ANSWER or method == "CANCEL":
        return False
    if view.visibility.why_unknown(row) is not None:
        return False
    connection = view.trace.connections[view.trace.rows.stream[row] >> 1]
    closed = view.visibility.closed(connection.number)
    leaves = closed and connection.last_time - view.time(row) < LEAVING_NS
    return not (leaves and method in LEAVING)


SILENCES: tuple[Rule, ...] = (
    Rule(
        "GC206",
        "error",
        "SIP request never answered",
        "A SIP request got no final answer, though the capture would show it. Commands and posts "
        "are told by rules of their own. Of a server's request it is a warning: the client is "
        "gone.",
        "Look at the connection around that time and at the server that it leads to.",
        "RFC 3261 section 17.1",
        unanswered,
        absence=True,
    ),
)
