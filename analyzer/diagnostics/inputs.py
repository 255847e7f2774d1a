"""What several inputs show together, and what a text trace says beside its messages.

The one rule: an input that may itself have lost a message is no witness that it was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.diagnostics.reading import listed, who
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.transaction_table import NO_ANSWER
from analyzer.views.annotations import annotations_of
from analyzer.views.numbers import amount
from dissectors.notes import TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.diagnostics.rule import Case, Severity
    from analyzer.sessions.view import SessionView

SHOWN = 3
"""Messages that a sentence names."""
SHOWN_ROWS = 20
TEXT = 200
"""Characters of what a server says in a sentence."""
_GRAVE = ("error", "warning")


def _rows(view: SessionView) -> list[int]:
    """Return the messages of a session, in order."""
    return sorted({row for dialog in view.dialogs for row in dialog.rows})


def _unanswered(view: SessionView) -> list[int]:
    """Return the requests of a session to which nothing came back.

    What was answered arrived, whatever an input has of it: a trace may be filtered, or pause.
    """
    found, rows = view.found, view.trace.rows
    # Of what is never answered nobody can tell.
    unasked = {rows.strings.find(name) for name in (*NO_ANSWER, "ACK")}
    wanted = {
        row for row in _rows(view) if rows.status[row] < 0 and rows.method[row] not in unasked
    }
    numbers = {index for dialog in view.dialogs for index in dialog.group.transactions}
    silent = {found.request[index] for index in numbers if found.final[index] < 0}
    return sorted(wanted & silent)


def _vanished(case: Case) -> Iterator[Hit]:
    trace = case.trace
    if len(trace.inputs) < 2:
        return
    names = [one.name for one in trace.inputs]
    for view in case.sessions:
        lost: dict[tuple[str, int], list[int]] = {}
        for row in _unanswered(view):
            for which in trace.unseen(row):
                seen = listed([names[one.input] for one in trace.sightings(row)])
                lost.setdefault((seen, which), []).append(row)
        for (seen, which), rows in lost.items():
            named = [f"{_label(case, row)} (frame {case.frame(row)})" for row in rows[:SHOWN]]
            more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            text = (
                f"{amount(len(rows), 'message')} of {who(view)} seen in {seen} never showed up in "
                f"{names[which]}, which saw the connection before and ran on after: "
                f"{listed(named)}{more}"
            )
            yield Hit(text, tuple(rows[:SHOWN_ROWS]), view.index)


def _label(case: Case, row: int) -> str:
    """Return ``INFO``, or ``200 to INFO``."""
    method = case.rows.strings.values[case.rows.method[row]] or "a message"
    status = case.rows.status[row]
    return method if status < 0 else f"{status} to {method}"


def _said(case: Case) -> Iterator[Hit]:
    if not case.trace.quality.annotations:
        return
    told: set[tuple[str, str, str, str]] = set()
    for view in case.sessions:
        for row in _rows(view):
            for one in annotations_of(case.trace, row):
                key = (one.call_id, one.cseq, one.code, one.text)
                if one.severity not in _GRAVE or key in told:
                    continue
                told.add(key)
                code = f" ({one.code})" if one.code else ""
                said = one.text if len(one.text) <= TEXT else f"{one.text[:TEXT]}…"
                text = (
                    f"the trace says of {_label(case, row)} of {who(view)} in frame "
                    f"{case.frame(row)}: {said or one.code}{code if said else ''} (line {one.line})"
                )
                yield Hit(text, (row,), view.index, severity=_severity(one.severity))


def _severity(said: str) -> Severity:
    return "error" if said == "error" else "warning"


def _masked(case: Case) -> Iterator[Hit]:
    trace = case.trace
    if not trace.has_lines:
        return
    rows = case.rows
    for view in case.sessions:
        hidden = [
            row
            for row in _rows(view)
            if rows.notes[row] & TRUNCATED and rows.content_length[row] > 0 and not rows.items[row]
        ]
        if hidden:
            text = (
                f"{amount(len(hidden), 'message')} of {who(view)} "
                f"{'has' if len(hidden) == 1 else 'have'} no body in the trace (first in frame "
                f"{case.frame(hidden[0])}): commands, answers and posts in "
                f"{'it' if len(hidden) == 1 else 'them'} cannot be seen"
            )
            yield Hit(text, tuple(hidden[:SHOWN_ROWS]), view.index)


RULES: tuple[Rule, ...] = (
    Rule(
        "GC908",
        "warning",
        "Seen at one place, never at another",
        "A request was captured at one vantage point and not at another one that saw the same "
        "connection before and went on capturing, and nothing came back for it: it was lost, held "
        "or refused on the way between the two, or by the software of the second one where that is "
        "its own trace.",
        "Look at what stands between the two places (firewall, load balancer, proxy, the transport "
        "layer of the server); a capture on either side of each narrows it down.",
        "docs/inputs.md",
        _vanished,
    ),
    Rule(
        "GC909",
        "warning",
        "The trace itself reports a problem",
        "The machine that wrote the trace logged an error or a warning about this message: a "
        "diagnostic record that names its Call-ID.",
        "Look the result code up; `xccos show` has the record with all its values.",
        "docs/inputs.md",
        _said,
    ),
    Rule(
        "GC910",
        "note",
        "Bodies are not in the trace",
        "A text trace may leave out the bodies of messages for the privacy of users, and XCCOS is "
        "in the bodies: what commands and answers said is unknown, and nothing about them can be "
        "called missing.",
        "Trace with bodies where that is allowed, or capture the traffic with the keys to it.",
        "docs/inputs.md",
        _masked,
    ),
)
