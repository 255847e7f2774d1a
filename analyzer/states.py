"""Dialog states: one literal table, and the events that a dialog's transactions are.

A re-INVITE or refresh that fails leaves a dialog as it was (RFC 3261 section 14.1), except by 481.
A dialog whose connection was closed is not ended: the other side may still believe in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.header_text import header_text
from analyzer.legs import first_row, is_success
from analyzer.transactions import CHALLENGES, FAILURE
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.model import DialogState, Transaction
    from analyzer.trace import Trace

EventName = Literal["success", "failure", "bye", "gone", "obsolete", "expired"]
GONE = 481
OBSOLETE = 487

TRANSITIONS: dict[tuple[DialogState, EventName], DialogState] = {
    ("early", "success"): "confirmed",
    ("early", "failure"): "failed",
    ("early", "bye"): "terminated",
    ("failed", "success"): "confirmed",
    ("confirmed", "bye"): "terminated",
    ("confirmed", "gone"): "terminated",
    ("confirmed", "obsolete"): "terminated",
    ("confirmed", "expired"): "terminated",
    # A subscription or registration that had expired is made again under the same Call-ID.
    ("terminated", "success"): "confirmed",
}


class Event(NamedTuple):
    """Something that may change the state of a dialog."""

    name: EventName
    row: int
    text: str
    """How ``ended_by`` tells it."""


class Outcome(NamedTuple):
    """Where a dialog stands at the end of the capture."""

    state: DialogState
    ended_by: str | None
    row: int | None
    """Of the event that ended it."""


def follow(start: DialogState, events: Iterable[Event]) -> Outcome:
    """Run the events of a dialog through the table."""
    state, ended_by, row = start, None, None
    for event in events:
        after = TRANSITIONS.get((state, event.name))
        if after is None:
            continue
        state = after
        over = state in {"terminated", "failed"}
        ended_by, row = (event.text, event.row) if over else (None, None)
    return Outcome(state, ended_by, row)


def events_of(
    trace: Trace, transactions: Iterable[Transaction], creating: set[int], client_tag: int
) -> Iterator[Event]:
    """Yield the events of a dialog, from its transactions in order."""
    rows = trace.rows
    for transaction in transactions:
        row = first_row(transaction)
        status = transaction.status
        if transaction.method == "BYE":
            yield Event("bye", row, f"BYE from {_side(rows.from_tag[row], client_tag)}")
        elif transaction.index in creating or transaction.method == "SUBSCRIBE":
            yield from _creating(trace, transaction)
        elif status == GONE:
            yield Event("gone", row, "481")
        elif status == OBSOLETE and transaction.method not in {"INVITE", "CANCEL"}:
            yield Event("obsolete", row, "487")
        elif transaction.method in {"NOTIFY", "BENOTIFY"} and _terminated(trace, row):
            yield Event("expired", row, "Subscription-State terminated")


def _creating(trace: Trace, transaction: Transaction) -> Iterator[Event]:
    status, final = transaction.status, transaction.final
    if final is None or status is None:
        return
    if is_success(status):
        yield Event("success", final, "")
        if _expires_at_once(trace, transaction) and transaction.request is not None:
            yield Event("expired", transaction.request, "Expires 0")
    elif status == GONE:
        yield Event("gone", final, "481")
    elif status >= FAILURE and status not in CHALLENGES:
        yield Event("failure", final, status_text(trace, final))


def status_text(trace: Trace, row: int) -> str:
    """Return status and reason of an answer: ``404 Not Found``."""
    reason = trace.rows.strings.values[trace.rows.reason[row]] or ""
    return f"{trace.rows.status[row]} {reason}".strip()


def request_text(trace: Trace, transaction: Transaction) -> str:
    """Return the method, of an INVITE with the URI that it was sent to: ``INVITE to sip:...``."""
    if transaction.method != "INVITE":
        return transaction.method
    rows = trace.rows
    return f"INVITE to {rows.strings.values[rows.to_uri[first_row(transaction)]] or 'nobody'}"


def _side(tag: int, client_tag: int) -> str:
    return "client" if tag == client_tag else "service"


def _expires_at_once(trace: Trace, transaction: Transaction) -> bool:
    if transaction.method not in {"SUBSCRIBE", "REGISTER"} or transaction.request is None:
        return False
    return asks_zero(trace, transaction.request)


def asks_zero(trace: Trace, row: int) -> bool:
    """Say whether a REGISTER or SUBSCRIBE ends what it names (RFC 3261 section 10.2.2)."""
    if b"xpires" not in trace.raw(row).lower():
        return False  # most have no such header: parsing them would cost twenty times as much
    message = trace.message(row)
    if isinstance(message, Malformed):
        return False
    for contact in message.contacts:
        value = contact.params.get("expires")
        if value is not None and value.strip().isdecimal():
            return int(value[:10]) == 0
    return message.expires == 0


def _terminated(trace: Trace, row: int) -> bool:
    state = header_text(trace, row, "Subscription-State") or ""
    return state.lower().startswith("terminated")
