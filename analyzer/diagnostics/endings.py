"""Why a service ended a dialog: what its BYE followed.

It comes right after the first command, at the end of the session timer (RFC 4028), or for no reason
that can be seen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.diagnostics.refusals import SERVICES
from analyzer.header_text import HeaderReader
from analyzer.legs import is_success
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView

Why = Literal["not admitted", "expired", "other"]
SECONDS = re.compile(r"[ \t]*+([0-9]{1,9}+)")
AT_ONCE_NS = 60 * SECOND
"""A service that does not admit a user ends the dialog after the first command, not later."""
USUAL = 1800
"""Seconds of Session-Expires that Microsoft servers ask for."""
EARLY = 32
"""Seconds before the end of the timer at which the BYE may be sent, at most a third of the timer
(RFC 4028 section 10)."""


class Ending(NamedTuple):
    """The BYE of a service."""

    dialog: DialogDraft
    row: int
    why: Why
    evidence: tuple[int, ...]
    """Rows that show why, besides the BYE."""
    timer: int | None = None
    """Seconds of Session-Expires, where it was agreed."""
    idle_ns: int = 0
    """Since the last refresh; where no timer is known since the last message."""


def endings_of(view: SessionView) -> Iterator[Ending]:
    """Yield the BYEs by which services ended the dialogs of a session."""
    for role in SERVICES:
        for dialog in view.of_role(role):
            end = dialog.end
            if end.ended_by == "BYE from service" and end.row is not None:
                yield _ending(view, dialog, end.row)


def _ending(view: SessionView, dialog: DialogDraft, row: int) -> Ending:
    commands = [one for one in view.commands if one.dialog == dialog.index and one.row <= row]
    answered = any(reply.row <= row for one in commands for reply in one.answers)
    if not answered and dialog.began_in_capture and not view.gaps:
        asked = dict.fromkeys(one.row for one in commands if one.element >= 0)
        rows = tuple(asked) or (dialog.rows[0],)
        if view.time(row) - view.time(rows[0]) <= AT_ONCE_NS:
            return Ending(dialog, row, "not admitted", rows)
    timer, refreshed = session_timer(view, dialog, row)
    idle = 0 if refreshed is None else view.time(row) - view.time(refreshed)
    if timer and refreshed is not None and idle >= (timer - min(EARLY, timer / 3)) * SECOND:
        return Ending(dialog, row, "expired", (refreshed,), timer, idle)
    before = max((one for one in dialog.rows if one < row), default=None)
    if timer is None and before is not None:
        idle = view.time(row) - view.time(before)
        if idle >= (USUAL - EARLY) * SECOND:
            return Ending(dialog, row, "expired", (before,), None, idle)
    return Ending(dialog, row, "other", (), timer, idle)


def session_timer(
    view: SessionView, dialog: DialogDraft, before: int
) -> tuple[int | None, int | None]:
    """Return the seconds of Session-Expires and the answer that last began the timer.

    Both None where no answer before row ``before`` agreed on one.
    """
    timer, refreshed = None, None
    found = view.found
    for index in dialog.group.transactions:
        final = found.final[index]
        if final < 0 or final >= before or found.method(index) not in {"INVITE", "UPDATE"}:
            continue
        if is_success(found.status(index)):
            agreed = seconds_of(HeaderReader(view.trace, final).text("Session-Expires"))
            if agreed is not None or timer is not None:
                timer, refreshed = agreed or timer, final
    return timer, refreshed


def seconds_of(value: str | None) -> int | None:
    """Return the seconds that a header value begins with."""
    found = SECONDS.match(value or "")
    return None if found is None else int(found[1])
