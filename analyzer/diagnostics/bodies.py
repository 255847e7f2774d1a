"""Bodies: XCCOS that cannot be read, and bodies that are masked or not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.diagnostics.reading import listed, sessions_of_dialogs, who
from analyzer.diagnostics.rule import Hit, Rule
from dissectors.model import Malformed
from dissectors.notes import BAD_XCCOS, HOLE, QUOTED, RESYNC, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.diagnostics.rule import Case
    from analyzer.sessions.view import SessionView

CAPTURED_IN_PART = HOLE | TRUNCATED | RESYNC
"""What the capture lost is told as that, and not as a fault of who sent it."""
CHAT_ROLES = ("lookup", "channel", "other")
"""A dialog whose bodies are all masked may not be known as that of a service."""
CHAT_TYPE = "text/plain"
_MASK = re.compile(rb"\s*+(?:([*x.#-])\1{3,}+.*+|-|<[Mm]asked>)\s*+", re.DOTALL)
"""A placeholder: a row of one character, with a remark behind it perhaps."""
MAX_MASK = 200


def unreadable(case: Case) -> Iterator[tuple[SessionView, int]]:
    """Yield the messages of chat clients whose XCCOS cannot be read, with their sessions."""
    found = [
        row
        for row, notes in enumerate(case.rows.notes)
        if notes & BAD_XCCOS and not notes & (CAPTURED_IN_PART | QUOTED)
    ]
    if not found:
        return
    views = sessions_of_dialogs(case)
    dialogs, copies = case.analysis.dialog_of, case.analysis.copy_of
    for row in found:
        view = views.get(dialogs.get(row, -1))
        if view is not None and row not in copies:
            yield view, row


def _unreadable(case: Case) -> Iterator[Hit]:
    for view, row in unreadable(case):
        if not refused_as_busy(case, view, row):
            text = (
                f"the XCCOS in frame {case.frame(row)} in a dialog of {who(view)} cannot be read"
                f"{why_unreadable(case, row)}"
            )
            yield Hit(text, (row,), view.index)


def why_unreadable(case: Case, row: int) -> str:
    """Return the reason, with a colon before it; empty where there is none."""
    document = case.trace.document(row)
    return f": {document.reason}" if isinstance(document, Malformed) else ""


def refused_as_busy(case: Case, view: SessionView, row: int) -> bool:
    """Say whether the INFO was answered 503: GC402 tells that."""
    transaction = view.found.of[row]
    return transaction >= 0 and view.found.status(transaction) == 503 and case.rows.status[row] < 0


def _masked(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        dialogs = (one for role in CHAT_ROLES for one in view.of_role(role))
        states = {
            row: state
            for dialog in dialogs
            for row in dialog.rows
            if _may_be_chat(case, row) and (state := _body_state(case, row)) is not None
        }
        if states:
            frames = [str(case.frame(row)) for row in states]
            absent = "not there, though Content-Length says otherwise"
            what = absent if "absent" in states.values() else "masked"
            text = (
                f"{len(states)} INFO in chat dialogs of {who(view)} whose body is {what} (frames "
                f"{listed(frames)}): commands and posts in them cannot be told"
            )
            yield Hit(text, tuple(states), view.index)


def _may_be_chat(case: Case, row: int) -> bool:
    """Say whether a message is an INFO with a body that has no XCCOS and should have."""
    rows = case.rows
    if rows.items[row] or rows.status[row] >= 0 or rows.content_length[row] <= 0:
        return False
    value = rows.strings.values
    if value[rows.method[row]] != "INFO" or rows.notes[row] & CAPTURED_IN_PART:
        return False
    return (value[rows.content_type[row]] or CHAT_TYPE).lower().startswith(CHAT_TYPE)


def _body_state(case: Case, row: int) -> str | None:
    """Return ``absent`` or ``masked``; None for a body that is there."""
    raw = case.trace.raw(row)
    body = raw.partition(b"\r\n\r\n")[2]
    if not body.strip():
        return "absent"
    return "masked" if len(body) <= MAX_MASK and _MASK.fullmatch(body) else None


RULES: tuple[Rule, ...] = (
    Rule(
        "GC309",
        "warning",
        "XCCOS that cannot be read",
        "The body is XCCOS, but not well-formed XML, or refused by the limits of this program "
        "(document types, depth, size). Services answer such a message 503 or not at all.",
        "Look at the message (xccos show) and at who wrote it: an old client, a filter, a "
        "program of one's own.",
        "docs/protocol.md section 11",
        _unreadable,
    ),
    Rule(
        "GC310",
        "note",
        "Body masked or absent",
        "Content-Length announces a body, but it is empty or a placeholder, as server and client "
        "logs write it for privacy. Commands, replies and posts in it are unknown.",
        "Take a capture of the network instead of a log, or a log without masking.",
        "docs/protocol.md section 8.1",
        _masked,
    ),
)
