"""Legs: the transactions of one dialog on one connection (RFC 3261 section 12).

A leg is keyed by connection, Call-ID and both tags. Requests that begin a dialog have no To tag
yet: they wait until it is known which answer confirmed them, then go to that leg. A registration is
a leg too; its tags change with every refresh, so that Call-ID and user are its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compiled import compiled_legs
from analyzer.transaction_table import CHALLENGES, FAILURE, FINAL, NO_ANSWER

if TYPE_CHECKING:
    from analyzer.rows import Rows
    from analyzer.transaction_table import Transactions

OUTSIDE = ("OPTIONS", "SERVICE", "MESSAGE", "PUBLISH")
"""Methods that begin no dialog."""
CREATING = ("INVITE", "SUBSCRIBE", "REFER")
EARLY = ("PRACK", "UPDATE")
"""Requests that go through a dialog before it is confirmed (RFC 3262, RFC 3311)."""
NOTABLE = ("INVITE", "SUBSCRIBE", "REFER", "REGISTER", "BYE", "NOTIFY", "BENOTIFY")
"""Methods that can change the state of a dialog even when all goes well."""
FAILED = 400
TRYING = 100

HalfKey = tuple[int, int, int, int]


class Leg:
    """A dialog on one connection while it is collected; strings by their numbers in the rows."""

    __slots__ = (
        *(
            "begun",
            "call",
            "callee",
            "callee_tag",
            "caller",
            "caller_tag",
            "confirmed",
            "connection",
        ),
        *("creating", "group", "method", "notable", "rows", "transactions"),
    )

    def __init__(
        self, connection: int, call: int, sides: tuple[int, int], tags: tuple[int, int]
    ) -> None:
        self.connection = connection
        self.call = call
        self.caller, self.callee = sides
        self.caller_tag, self.callee_tag = tags
        """0 while no answer gave one."""
        self.creating: list[int] = []
        """Transactions that begin it: INVITE, SUBSCRIBE, REGISTER. A branch of a forked INVITE that
        was not confirmed has none: they are with the one that was."""
        self.transactions: list[int] = []
        self.notable: list[int] = []
        """Those that can change its state, or say that something went wrong: few of very many."""
        self.rows: list[int] = []
        self.method = ""
        """Of the request that began it; empty where it began before the capture, and caller and
        callee are a guess."""
        self.begun = False
        """The request that began it is in the capture."""
        self.confirmed = False
        self.group = -1

    def turn(self) -> None:
        """Exchange caller and callee."""
        self.caller, self.callee = self.callee, self.caller
        self.caller_tag, self.callee_tag = self.callee_tag, self.caller_tag

    def tags(self) -> frozenset[int]:
        """Return both tags, in no order."""
        return frozenset((self.caller_tag, self.callee_tag))


class LegFinder:
    """Puts the transactions of a capture into legs."""

    def __init__(self, rows: Rows, transactions: Transactions) -> None:
        self.rows = rows
        self.transactions = transactions
        self.legs: list[Leg] = []
        self._by_tags: dict[tuple[int, int, int, int], Leg] = {}
        self._by_tag: dict[tuple[int, int, int], list[Leg]] = {}
        self._halves: dict[HalfKey, list[int]] = {}
        self._registrations: dict[HalfKey, Leg] = {}
        self._methods = _methods(rows)

    def run(self) -> list[Leg]:
        """Return the legs in order of their first row, each with its rows in order."""
        for index in range(len(self.transactions)):
            self._take(index)
        for key, waiting in self._halves.items():
            self._settle(key, waiting)
        for leg in self.legs:
            leg.rows.sort()
            leg.transactions.sort()
            leg.notable.sort()
        # A half that was settled elsewhere leaves nothing behind.
        self.legs = [leg for leg in self.legs if leg.rows]
        self.legs.sort(key=lambda leg: leg.rows[0])
        return self.legs

    def _take(self, index: int) -> None:
        """Put a request within a dialog into its leg, and hand on everything else."""
        rows, found = self.rows, self.transactions
        row, answer = found.request[index], found.final[index]
        register, early, silent, notable = self._methods
        if row < 0 or not rows.to_tag[row] or rows.method[row] == register:
            self._take_other(index)
            return
        leg, method = self._leg(row), rows.method[row]
        if method not in early:
            leg.confirmed = True
        leg.transactions.append(index)
        leg.rows.append(row)
        if answer >= 0:
            leg.rows.append(answer)
        if method in notable or (
            rows.status[answer] >= FAILED if answer >= 0 else method not in silent
        ):
            leg.notable.append(index)
        if index in found.more:
            leg.rows += found.all_rows(index)[1 + (answer >= 0) :]

    def _take_other(self, index: int) -> None:
        """Take in what is no request within a dialog: REGISTER, what begins one, lone answers."""
        found = self.transactions
        row, method, asked = found.first[index], found.method(index), found.request[index] >= 0
        if method == "REGISTER":
            self._register(index, row)
        elif self.rows.to_tag[row] and not asked and method not in CREATING:
            if method not in OUTSIDE:
                leg = self._leg(row)
                leg.confirmed = leg.confirmed or method not in EARLY
                self._add(leg, index)
        elif method not in OUTSIDE:
            self._half(index, row, method)

    def _add(self, leg: Leg, index: int) -> None:
        leg.transactions.append(index)
        leg.notable.append(index)
        found = self.transactions
        if index in found.more:
            leg.rows += found.all_rows(index)
            return
        request, final = found.request[index], found.final[index]
        if request >= 0:
            leg.rows.append(request)
        if final >= 0:
            leg.rows.append(final)

    def _register(self, index: int, row: int) -> None:
        rows, found = self.rows, self.transactions
        user, connection, call = rows.from_uri[row], rows.stream[row] >> 1, rows.call_id[row]
        key = (connection, call, user, 0)
        leg = self._registrations.get(key)
        if leg is None:
            leg = Leg(connection, call, (user, rows.to_uri[row]), (rows.from_tag[row], 0))
            leg.method = "REGISTER"
            self._registrations[key] = leg
            self.legs.append(leg)
        leg.creating.append(index)
        self._add(leg, index)
        leg.begun = leg.begun or found.request[index] >= 0
        leg.confirmed = leg.confirmed or is_success(found.status(index))

    def _leg(self, row: int) -> Leg:
        """Return the leg of a message with both tags, a new one where it is the first."""
        rows = self.rows
        connection, call = rows.stream[row] >> 1, rows.call_id[row]
        a, b = rows.from_tag[row], rows.to_tag[row]
        key = (connection, call, a, b) if a < b else (connection, call, b, a)
        leg = self._by_tags.get(key)
        if leg is None:
            leg = Leg(connection, call, (rows.from_uri[row], rows.to_uri[row]), (a, b))
            self._by_tags[key] = leg
            self.legs.append(leg)
            for tag in (a, b):
                self._by_tag.setdefault((connection, call, tag), []).append(leg)
        return leg

    def _half(self, index: int, row: int, method: str) -> None:
        """Keep a transaction whose request has no To tag; make the legs that its answers begin."""
        rows, found = self.rows, self.transactions
        key = (found.connection(index), rows.call_id[row], rows.from_tag[row], rows.from_uri[row])
        self._halves.setdefault(key, []).append(index)
        if method not in CREATING:
            return
        for answer in found.answers(index):
            if rows.to_tag[answer] and TRYING < rows.status[answer] < FAILURE:
                leg = self._leg(answer)
                leg.confirmed = leg.confirmed or rows.status[answer] >= FINAL
                leg.method = method
                leg.begun = leg.begun or found.request[index] >= 0
                leg.caller, leg.callee = rows.from_uri[answer], rows.to_uri[answer]
                leg.caller_tag, leg.callee_tag = rows.from_tag[answer], rows.to_tag[answer]

    def _settle(self, key: HalfKey, waiting: list[int]) -> None:
        """Give the transactions without To tag to the leg that they began."""
        known = self._by_tag.get(key[:3], ())
        for leg in known:
            if not leg.method and (leg.callee_tag, leg.callee) == key[2:]:
                leg.turn()  # its answer was not captured, and its callee spoke first
        legs = [leg for leg in known if (leg.caller_tag, leg.caller) == key[2:]]
        if not legs:
            self._unanswered_leg(waiting)
            return
        found, cseq = self.transactions, self.rows.cseq
        target = next((leg for leg in legs if leg.confirmed), legs[0])
        winners = {cseq[found.first[one]] for one in waiting if not _failed(found.status(one))}
        for index in waiting:
            status, method = found.status(index), found.method(index)
            fork = _failed(status) and status not in CHALLENGES
            if fork and cseq[found.first[index]] in winners:
                self._unanswered_leg([index])
                continue
            target.transactions.append(index)
            target.notable.append(index)
            if method in CREATING:
                target.creating.append(index)
                target.method = target.method or method
                target.begun = target.begun or found.request[index] >= 0
            for row in found.all_rows(index):
                self._early_leg(row, target).rows.append(row)

    def _early_leg(self, row: int, target: Leg) -> Leg:
        """Return the leg of an answer whose To tag is not the one that was confirmed."""
        rows = self.rows
        tag = rows.to_tag[row]
        if rows.status[row] < 0 or not tag or tag == target.callee_tag:
            return target
        a, b = sorted((rows.from_tag[row], tag))
        return self._by_tags.get((target.connection, target.call, a, b), target)

    def _unanswered_leg(self, waiting: list[int]) -> None:
        """Make the leg of requests that began no dialog: refused, cancelled, not answered."""
        rows, found = self.rows, self.transactions
        row, final = found.first[waiting[0]], found.final[waiting[-1]]
        tag = 0 if final < 0 else rows.to_tag[final]
        ends = rows.from_uri[row], rows.to_uri[row]
        connection = found.connection(waiting[0])
        leg = Leg(connection, rows.call_id[row], ends, (rows.from_tag[row], tag))
        for index in waiting:
            self._add(leg, index)
            method = found.method(index)
            if method in CREATING:
                leg.creating.append(index)
                leg.method = method
                leg.begun = leg.begun or found.request[index] >= 0
        self.legs.append(leg)


def find_legs(rows: Rows, transactions: Transactions) -> list[Leg]:
    """Return the legs of a capture, in order of their first row."""
    twin = compiled_legs()
    if twin is None:
        return LegFinder(rows, transactions).run()
    found: list[Leg] = twin.LegFinder(rows, transactions, _methods(rows), CHALLENGES).run()
    return found


def _methods(rows: Rows) -> tuple[int, set[int], set[int], set[int]]:
    """Return the numbers of REGISTER, and of the methods that are early, silent, notable."""
    find = rows.strings.find
    early, silent, notable = (
        {number for number in map(find, names) if number is not None}
        for names in (EARLY, NO_ANSWER, NOTABLE)
    )
    return find("REGISTER") or -1, early, silent, notable


def is_success(status: int | None) -> bool:
    """Say whether a status is 2xx."""
    return status is not None and FINAL <= status < FAILURE


def _failed(status: int | None) -> bool:
    return status is not None and status >= FAILURE
