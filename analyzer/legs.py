"""Legs: the transactions of one dialog on one connection (RFC 3261 section 12).

A leg is keyed by connection, Call-ID and both tags. Requests that begin a dialog have no To tag
yet: they wait until it is known which answer confirmed them, then go to that leg. A registration is
a leg too; its tags change with every refresh, so that Call-ID and user are its key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.transactions import CHALLENGES, FAILURE, FINAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Transaction
    from analyzer.rows import Rows

OUTSIDE = ("OPTIONS", "SERVICE", "MESSAGE", "PUBLISH")
"""Methods that begin no dialog."""
CREATING = ("INVITE", "SUBSCRIBE", "REFER")
EARLY = ("PRACK", "UPDATE")
"""Requests that go through a dialog before it is confirmed (RFC 3262, RFC 3311)."""
TRYING = 100

HalfKey = tuple[int, int, int, int]


@dataclass(slots=True)
class Leg:
    """A dialog on one connection while it is collected; strings by their numbers in the rows."""

    connection: int
    call: int
    caller: int
    callee: int
    caller_tag: int
    callee_tag: int
    """0 while no answer gave one."""
    creating: list[int] = field(default_factory=list)
    """Transactions that begin it: INVITE, SUBSCRIBE, REGISTER. A branch of a forked INVITE that was
    not confirmed has none: they are with the one that was."""
    transactions: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    method: str = ""
    """Of the request that began it; empty where it began before the capture, and caller and callee
    are a guess."""
    begun: bool = False
    """The request that began it is in the capture."""
    confirmed: bool = False
    group: int = -1

    def turn(self) -> None:
        """Exchange caller and callee."""
        self.caller, self.callee = self.callee, self.caller
        self.caller_tag, self.callee_tag = self.callee_tag, self.caller_tag

    def tags(self) -> frozenset[int]:
        """Return both tags, in no order."""
        return frozenset((self.caller_tag, self.callee_tag))


class LegFinder:
    """Puts the transactions of a capture into legs."""

    def __init__(self, rows: Rows, transactions: Sequence[Transaction]) -> None:
        self.rows = rows
        self.transactions = transactions
        self.legs: list[Leg] = []
        self._by_tags: dict[tuple[int, int, int, int], Leg] = {}
        self._by_tag: dict[tuple[int, int, int], list[Leg]] = {}
        self._halves: dict[HalfKey, list[Transaction]] = {}
        self._registrations: dict[HalfKey, Leg] = {}

    def run(self) -> list[Leg]:
        """Return the legs in order of their first row, each with its rows in order."""
        rows = self.rows
        to_tags = rows.to_tag
        for transaction in self.transactions:
            row = first_row(transaction)
            method = transaction.method
            if method == "REGISTER":
                self._register(transaction, row)
            elif to_tags[row] and (transaction.request is not None or method not in CREATING):
                if transaction.request is not None or method not in OUTSIDE:
                    leg = self._leg(row)
                    leg.confirmed = leg.confirmed or method not in EARLY
                    leg.transactions.append(transaction.index)
                    leg.rows.extend(rows_of(transaction))
            elif method not in OUTSIDE:
                self._half(transaction, row)
        for key, waiting in self._halves.items():
            self._settle(key, waiting)
        for leg in self.legs:
            leg.rows.sort()
            leg.transactions.sort()
        # A half that was settled elsewhere leaves nothing behind.
        self.legs = [leg for leg in self.legs if leg.rows]
        self.legs.sort(key=lambda leg: leg.rows[0])
        return self.legs

    def _register(self, transaction: Transaction, row: int) -> None:
        rows = self.rows
        user = rows.from_uri[row]
        key = (transaction.connection, rows.call_id[row], user, 0)
        leg = self._registrations.get(key)
        if leg is None:
            tag = rows.from_tag[row]
            leg = Leg(transaction.connection, rows.call_id[row], user, rows.to_uri[row], tag, 0)
            leg.method = "REGISTER"
            self._registrations[key] = leg
            self.legs.append(leg)
        leg.creating.append(transaction.index)
        leg.transactions.append(transaction.index)
        leg.rows.extend(rows_of(transaction))
        leg.begun = leg.begun or transaction.request is not None
        leg.confirmed = leg.confirmed or is_success(transaction.status)

    def _leg(self, row: int) -> Leg:
        """Return the leg of a message with both tags, a new one where it is the first."""
        rows = self.rows
        connection, call = rows.stream[row] >> 1, rows.call_id[row]
        a, b = rows.from_tag[row], rows.to_tag[row]
        key = (connection, call, a, b) if a < b else (connection, call, b, a)
        leg = self._by_tags.get(key)
        if leg is None:
            leg = Leg(connection, call, rows.from_uri[row], rows.to_uri[row], a, b)
            self._by_tags[key] = leg
            self.legs.append(leg)
            for tag in (a, b):
                self._by_tag.setdefault((connection, call, tag), []).append(leg)
        return leg

    def _half(self, transaction: Transaction, row: int) -> None:
        """Keep a transaction whose request has no To tag; make the legs that its answers begin."""
        rows = self.rows
        key = (transaction.connection, rows.call_id[row], rows.from_tag[row], rows.from_uri[row])
        self._halves.setdefault(key, []).append(transaction)
        if transaction.method not in CREATING:
            return
        for answer in answers_of(transaction):
            if rows.to_tag[answer] and TRYING < rows.status[answer] < FAILURE:
                leg = self._leg(answer)
                leg.confirmed = leg.confirmed or rows.status[answer] >= FINAL
                leg.method = transaction.method
                leg.begun = leg.begun or transaction.request is not None
                leg.caller, leg.callee = rows.from_uri[answer], rows.to_uri[answer]
                leg.caller_tag, leg.callee_tag = rows.from_tag[answer], rows.to_tag[answer]

    def _settle(self, key: HalfKey, waiting: list[Transaction]) -> None:
        """Give the transactions without To tag to the leg that they began."""
        found = self._by_tag.get(key[:3], ())
        for leg in found:
            if not leg.method and (leg.callee_tag, leg.callee) == key[2:]:
                leg.turn()  # its answer was not captured, and its callee spoke first
        legs = [leg for leg in found if (leg.caller_tag, leg.caller) == key[2:]]
        if not legs:
            self._unanswered_leg(waiting)
            return
        target = next((leg for leg in legs if leg.confirmed), legs[0])
        winners = {self.rows.cseq[first_row(one)] for one in waiting if not _failed(one.status)}
        for transaction in waiting:
            fork = _failed(transaction.status) and transaction.status not in CHALLENGES
            if fork and self.rows.cseq[first_row(transaction)] in winners:
                self._unanswered_leg([transaction])
                continue
            target.transactions.append(transaction.index)
            if transaction.method in CREATING:
                target.creating.append(transaction.index)
                target.method = target.method or transaction.method
                target.begun = target.begun or transaction.request is not None
            for row in rows_of(transaction):
                self._early_leg(row, target).rows.append(row)

    def _early_leg(self, row: int, target: Leg) -> Leg:
        """Return the leg of an answer whose To tag is not the one that was confirmed."""
        rows = self.rows
        tag = rows.to_tag[row]
        if rows.status[row] < 0 or not tag or tag == target.callee_tag:
            return target
        a, b = sorted((rows.from_tag[row], tag))
        return self._by_tags.get((target.connection, target.call, a, b), target)

    def _unanswered_leg(self, waiting: list[Transaction]) -> None:
        """Make the leg of requests that began no dialog: refused, cancelled, not answered."""
        rows = self.rows
        row = first_row(waiting[0])
        final = waiting[-1].final
        tag = 0 if final is None else rows.to_tag[final]
        ends = rows.from_uri[row], rows.to_uri[row]
        leg = Leg(waiting[0].connection, rows.call_id[row], *ends, rows.from_tag[row], tag)
        for transaction in waiting:
            leg.transactions.append(transaction.index)
            leg.rows.extend(rows_of(transaction))
            if transaction.method in CREATING:
                leg.creating.append(transaction.index)
                leg.method = transaction.method
                leg.begun = leg.begun or transaction.request is not None
        self.legs.append(leg)


def find_legs(rows: Rows, transactions: Sequence[Transaction]) -> list[Leg]:
    """Return the legs of a capture, in order of their first row."""
    return LegFinder(rows, transactions).run()


def first_row(transaction: Transaction) -> int:
    """Return the row of the request, or of the first answer where there is none."""
    if transaction.request is not None:
        return transaction.request
    return answers_of(transaction)[0]


def answers_of(transaction: Transaction) -> list[int]:
    """Return the rows of all answers, in order."""
    final = () if transaction.final is None else (transaction.final,)
    if not transaction.provisional and not transaction.repeated_finals:
        return list(final)
    return sorted((*transaction.provisional, *final, *transaction.repeated_finals))


def rows_of(transaction: Transaction) -> list[int]:
    """Return the rows of a transaction; the request is the first, the rest in no order."""
    found = [] if transaction.request is None else [transaction.request]
    if transaction.final is not None:
        found.append(transaction.final)
    found.extend(transaction.provisional)
    if transaction.retransmissions or transaction.repeated_finals or transaction.acks:
        found.extend((*transaction.retransmissions, *transaction.repeated_finals))
        found.extend(transaction.acks)
    return found


def is_success(status: int | None) -> bool:
    """Say whether a status is 2xx."""
    return status is not None and FINAL <= status < FAILURE


def _failed(status: int | None) -> bool:
    return status is not None and status >= FAILURE
