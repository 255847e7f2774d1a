"""Dialog states: one literal table, and the events that a dialog's transactions are.

A re-INVITE or refresh that fails leaves a dialog as it was (RFC 3261 section 14.1), except by 481.
A dialog whose connection was closed is not ended: the other side may still believe in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.header_text import header_text
from analyzer.legs import is_success
from analyzer.transaction_table import CHALLENGES, FAILURE
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from analyzer.model import DialogState
    from analyzer.trace import Trace
    from analyzer.transaction_table import Transactions

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


class Events:
    """Tells the events of dialogs from their transactions."""

    def __init__(self, trace: Trace, transactions: Transactions) -> None:
        self._trace = trace
        self._transactions = transactions
        self._zero: dict[int, bool] = {}

    def of(
        self, notable: Iterable[int], creating: Container[int], client_tag: int
    ) -> Iterator[Event]:
        """Yield the events of a dialog, from its notable transactions in order."""
        found, tags = self._transactions, self._trace.rows.from_tag
        for index in notable:
            row, status, method = found.first[index], found.status(index), found.method(index)
            if method == "BYE":
                yield Event("bye", row, f"BYE from {_side(tags[row], client_tag)}")
            elif index in creating or method == "SUBSCRIBE":
                yield from self._creating(index, method)
            elif status == GONE:
                yield Event("gone", row, "481")
            elif status == OBSOLETE and method not in {"INVITE", "CANCEL"}:
                yield Event("obsolete", row, "487")
            elif method in {"NOTIFY", "BENOTIFY"} and _terminated(self._trace, row):
                yield Event("expired", row, "Subscription-State terminated")

    def _creating(self, index: int, method: str) -> Iterator[Event]:
        final, status = self._transactions.final[index], self._transactions.status(index)
        if status is None:
            return
        if is_success(status):
            yield Event("success", final, "")
            request = self._transactions.request[index]
            if method in {"SUBSCRIBE", "REGISTER"} and request >= 0 and self.asks_zero(request):
                yield Event("expired", request, "Expires 0")
        elif status == GONE:
            yield Event("gone", final, "481")
        elif status >= FAILURE and status not in CHALLENGES:
            yield Event("failure", final, status_text(self._trace, final))

    def asks_zero(self, row: int) -> bool:
        """Say whether a REGISTER or SUBSCRIBE ends what it names (RFC 3261 section 10.2.2)."""
        known = self._zero.get(row)
        if known is None:
            known = self._zero[row] = _asks_zero(self._trace, row)
        return known


def status_text(trace: Trace, row: int) -> str:
    """Return status and reason of an answer: ``404 Not Found``."""
    reason = trace.rows.strings.values[trace.rows.reason[row]] or ""
    return f"{trace.rows.status[row]} {reason}".strip()


def request_text(transactions: Transactions, index: int) -> str:
    """Return the method, of an INVITE with the URI that it was sent to: ``INVITE to sip:...``."""
    method = transactions.method(index)
    if method != "INVITE":
        return method
    rows = transactions.rows
    return f"INVITE to {rows.strings.values[rows.to_uri[transactions.first[index]]] or 'nobody'}"


def _side(tag: int, client_tag: int) -> str:
    return "client" if tag == client_tag else "service"


def _asks_zero(trace: Trace, row: int) -> bool:
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
