"""The transactions of a capture in columns: one number a transaction, no object.

A request and its final answer are all that most have; the few with more have it on the side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.model import Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.rows import Rows

CHALLENGES = (401, 407)
"""Answers after which a Microsoft client sends the same Call-ID and CSeq again, newly signed."""
NO_ANSWER = ("ACK", "BENOTIFY")
LATE_NS = 32_000_000_000
"""64 * T1, the time that a transaction has (RFC 3261 section 17.1.2.2). An answer may also stand so
long before its request, where the capture missed the request's first TCP segment and has it from
the retransmission."""
FINAL = 200
FAILURE = 300


class More:
    """What most transactions do not have."""

    __slots__ = ("acks", "provisional", "repeated", "retransmissions")

    def __init__(self) -> None:
        self.retransmissions: list[int] = []
        self.provisional: list[int] = []
        self.repeated: list[int] = []
        self.acks: list[int] = []


class Transactions:
    """The transactions of a capture by number, in columns of rows: -1 where there is none."""

    __slots__ = ("across", "final", "first", "more", "of", "request", "rows")

    def __init__(
        self,
        rows: Rows,
        request: list[int],
        final: list[int],
        more: dict[int, More],
        of: list[int],
    ) -> None:
        self.rows = rows
        self.request = request
        self.final = final
        """The first final response."""
        self.more = more
        self.of = of
        """The transaction of each row."""
        self.across = False
        """Some answers came on another connection than their request."""
        self.first = request
        """The request, or the first answer where there is none."""
        self.complete()

    def complete(self) -> None:
        """Fill in ``first`` after ``request`` and ``final`` have changed."""
        self.first = self.request
        if -1 in self.request:
            self.first = [
                row if row >= 0 else self.first_answer(index)
                for index, row in enumerate(self.request)
            ]

    def __len__(self) -> int:
        return len(self.request)

    def more_of(self, index: int) -> More:
        """Return what a transaction has besides request and final answer, to be added to."""
        found = self.more.get(index)
        if found is None:
            found = self.more[index] = More()
        return found

    def first_answer(self, index: int) -> int:
        """Return the row of the first answer; there is one where there is no request."""
        more, final = self.more.get(index), self.final[index]
        if more and more.provisional and (final < 0 or more.provisional[0] < final):
            return more.provisional[0]
        return final

    def method(self, index: int) -> str:
        """Return the method, of an answer that of its CSeq."""
        rows = self.rows
        return rows.strings.values[rows.method[self.first[index]]] or ""

    def status(self, index: int) -> int | None:
        """Return the status of the first final response."""
        final = self.final[index]
        return None if final < 0 else self.rows.status[final]

    def connection(self, index: int) -> int:
        """Return the connection of the request."""
        return self.rows.stream[self.first[index]] >> 1

    def answers(self, index: int) -> list[int]:
        """Return the rows of all answers, in order."""
        more, final = self.more.get(index), self.final[index]
        found = [] if final < 0 else [final]
        return found if more is None else sorted((*more.provisional, *found, *more.repeated))

    def all_rows(self, index: int) -> list[int]:
        """Return the rows of a transaction; the request is the first, the rest in no order."""
        found = [row for row in (self.request[index], self.final[index]) if row >= 0]
        more = self.more.get(index)
        if more is not None:
            found += (*more.provisional, *more.retransmissions, *more.repeated, *more.acks)
        return found

    def latency_ms(self, index: int) -> float | None:
        """Return the milliseconds from the request to the final response."""
        request, final, times = self.request[index], self.final[index], self.rows.time
        return None if request < 0 or final < 0 else (times[final] - times[request]) / 1e6

    def value(self, index: int, copies: Mapping[int, int]) -> Transaction:
        """Return a transaction as a value; ``copies`` is row to row seen first."""
        request, final = self.request[index], self.final[index]
        method = self.method(index)
        more = self.more.get(index) or NOTHING_MORE
        return Transaction(
            index,
            self.connection(index),
            method,
            None if request < 0 else request,
            tuple(more.retransmissions),
            tuple(more.provisional),
            None if final < 0 else final,
            tuple(more.repeated),
            self.copy_of(index, copies),
            method not in NO_ANSWER,
            self.status(index),
            self.latency_ms(index),
            tuple(more.acks),
        )

    def copy_of(self, index: int, copies: Mapping[int, int]) -> int | None:
        """Return the transaction of which this is a copy on a further hop."""
        origin = copies.get(self.first[index])
        return None if origin is None or self.of[origin] < 0 else self.of[origin]


NOTHING_MORE = More()
