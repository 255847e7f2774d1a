"""Groups: the legs that are one dialog.

Legs belong together when one carries hop copies of the other's messages, or when a dialog goes on
over another connection (same Call-ID, tags and URIs). The branches of a forked INVITE stay apart:
they have different To tags.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from analyzer.compiled import exchanges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.legs import Leg
    from analyzer.rows import Rows
    from analyzer.transaction_table import Transactions

BEGUN_BY = {
    "SUBSCRIBE": "SUBSCRIBE",
    "NOTIFY": "SUBSCRIBE",
    "BENOTIFY": "SUBSCRIBE",
    "INVITE": "INVITE",
    "INFO": "INVITE",
    "BYE": "INVITE",
    "ACK": "INVITE",
    "UPDATE": "INVITE",
    "CANCEL": "INVITE",
    "PRACK": "INVITE",
}
"""The method that began a dialog in which a method is seen."""


class Group(NamedTuple):
    """The legs of one dialog."""

    number: int
    legs: tuple[Leg, ...]
    """In order of their first row."""
    lead: Leg
    """The leg that knows caller and callee best: one with the request that began the dialog."""
    method: str
    """Of the request that began it, or a guess from what it carried."""
    evidence: str
    """How the method is known."""
    uris: tuple[str, ...]
    """Where a service's URI may stand: To of the first request; From too when that was not seen."""
    transactions: Sequence[int]
    """Without those that are hop copies of others of the group."""
    notable: Sequence[int]
    """Those that can change its state, or say that something went wrong."""


class Groups:
    """The legs of a capture by dialog, in order of their first row."""

    def __init__(
        self,
        rows: Rows,
        transactions: Transactions,
        legs: list[Leg],
        copies: dict[int, int],
    ) -> None:
        self._strings = rows.strings.values
        self.legs = legs
        self._parent = list(range(len(legs)))
        self._copies = copies
        self._transactions = transactions
        self._forks: dict[int, int] = {}
        self._join_copies()
        self._join_continued()
        self.groups: list[Group] = []
        self.group_of = [-1] * len(rows)
        """Group of each row."""
        self.fork_of: dict[int, int] = {}
        """Group of a branch of a forked INVITE to the group that the client sees."""
        self._collect()

    def _root(self, leg: int) -> int:
        parent = self._parent
        while parent[leg] != leg:
            parent[leg] = parent[parent[leg]]
            leg = parent[leg]
        return leg

    def _join(self, a: int, b: int) -> None:
        a, b = self._root(a), self._root(b)
        if a != b:
            self._parent[max(a, b)] = min(a, b)

    def _join_copies(self) -> None:
        legs = self.legs
        if not self._copies:
            return
        leg_of = {row: index for index, leg in enumerate(legs) for row in leg.rows}
        for row, origin in self._copies.items():
            a, b = leg_of.get(origin), leg_of.get(row)
            if a is None or b is None or self._root(a) == self._root(b):
                continue
            if _compatible(legs[a], legs[b]):
                self._join(a, b)
            else:
                self._forks[b] = a

    def _join_continued(self) -> None:
        """Join legs with the same tags and URIs of which at most one has an INVITE of its own."""
        same: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, leg in enumerate(self.legs):
            if leg.callee_tag:
                tags = sorted((leg.caller_tag, leg.callee_tag))
                same[leg.call, *tags, *sorted((leg.caller, leg.callee))].append(index)
        for indexes in same.values():
            if len(indexes) > 1:
                own = [index for index in indexes if self._has_own_request(self.legs[index])]
                rest = [index for index in indexes if index not in own]
                for index in rest:
                    self._join((own or rest)[0], index)

    def _has_own_request(self, leg: Leg) -> bool:
        requests = (self._transactions.request[index] for index in leg.creating)
        return any(row >= 0 and row not in self._copies for row in requests)

    def _collect(self) -> None:
        number: dict[int, int] = {}
        members: list[list[Leg]] = []
        group_of, twin = self.group_of, exchanges()
        spread = _spread if twin is None else twin.spread
        for index, leg in enumerate(self.legs):
            root = self._root(index)
            if root not in number:
                number[root] = len(members)
                members.append([])
            leg.group = number[root]
            members[leg.group].append(leg)
            spread(group_of, leg.rows, leg.group)
        self.groups = [self._group(at, tuple(legs)) for at, legs in enumerate(members)]
        for branch, trunk in self._forks.items():
            a, b = self.legs[branch].group, self.legs[trunk].group
            if a != b:
                self.fork_of.setdefault(a, b)

    def _group(self, number: int, legs: tuple[Leg, ...]) -> Group:
        all_of_them = self._transactions
        lead = next((leg for leg in legs if leg.method), legs[0])
        method, evidence = _method(all_of_them, lead)
        value = self._strings
        ends = (lead.callee,) if lead.method else (lead.callee, lead.caller)
        uris = tuple(uri for uri in (value[end] for end in ends) if uri)
        if len(legs) == 1:
            return Group(
                number, legs, lead, method, evidence, uris, lead.transactions, lead.notable
            )
        indexes = sorted({index for leg in legs for index in leg.transactions})
        here, copies = set(indexes), self._copies
        indexes = [at for at in indexes if all_of_them.copy_of(at, copies) not in here]
        marked = {index for leg in legs for index in leg.notable}
        notable = [at for at in indexes if at in marked]
        return Group(number, legs, lead, method, evidence, uris, indexes, notable)


def _spread(numbers: list[int], rows: list[int], number: int) -> None:
    for row in rows:
        numbers[row] = number


def _method(transactions: Transactions, leg: Leg) -> tuple[str, str]:
    if leg.method:
        return leg.method, leg.method
    for index in leg.transactions:
        seen = transactions.method(index)
        if seen in BEGUN_BY:
            return BEGUN_BY[seen], f"{seen} in a dialog that began before the capture"
    method = transactions.method(leg.transactions[0]) if leg.transactions else ""
    return method, method


def _compatible(a: Leg, b: Leg) -> bool:
    """Say whether two legs can be hops of one dialog: no tag contradicts the other's."""
    return not a.callee_tag or not b.callee_tag or a.tags() == b.tags()
