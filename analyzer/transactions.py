"""Transactions: which answers belong to which request (RFC 3261 section 17).

The key is the direction of the request, Call-ID, CSeq number and method, From tag and From URI. The
branch decides only where both sides have one, because Microsoft clients often send none; the From
URI is part of the key because two clients started in the same second can share every identifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compiled import exchanges
from analyzer.lazy import Lazy
from analyzer.reconnects import match_across
from analyzer.transaction_table import CHALLENGES, FAILURE, FINAL, LATE_NS, More, Transactions
from dissectors.notes import QUOTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.model import Transaction
    from analyzer.rows import Rows, Stream

FORKS = 32
"""Requests under one key that are looked at for an answer: forks, or an endless repeater."""

Key = tuple[int, int, int, int, int]


class Matcher:
    """Puts the messages of a capture into transactions, one row after the other."""

    def __init__(self, rows: Rows, streams: Sequence[Stream]) -> None:
        self.rows = rows
        self.request: list[int] = []
        self.final: list[int] = []
        self.begun: list[int] = []
        """The row that each was first seen in."""
        self.more: dict[int, More] = {}
        self.of = [-1] * len(rows)
        self._branch: list[int] = []
        self._earlier: dict[int, int] = {}
        """The transaction with the same key before a transaction."""
        self._last: dict[Key, int] = {}
        self._udp = [stream.transport == "udp" for stream in streams]
        self._ack = rows.strings.find("ACK")
        self._invite_of_ack: dict[int, int] = {}

    def run(self, wanted: Sequence[int] | None = None) -> None:
        """Match all rows, or those wanted.

        A message without Call-ID or CSeq, or quoted by ICMP, takes no part.
        """
        columns = self._columns(wanted)
        status, stream, *identity, branches, notes, methods = columns
        directions = [
            one if state < 0 else one ^ 1 for one, state in zip(stream, status, strict=True)
        ]
        keys = zip(directions, *identity, strict=True)
        of, last, final, branch_of = self.of, self._last, self.final, self._branch
        earlier = self._earlier
        request, begun, ack = self.request, self.begun, self._ack
        places = range(len(of)) if wanted is None else wanted
        for row, key, state, branch, note, method in zip(
            places, keys, status, branches, notes, methods, strict=True
        ):
            if not key[1] or not key[2] or note & QUOTED:
                continue
            known = last.get(key, -1)
            if state >= 0:
                # What nearly every answer is: the first final one to the only request of its key.
                if (
                    known >= 0
                    and state >= FINAL
                    and final[known] < 0
                    and (known not in earlier or not branch or branch_of[known] in (branch, 0))
                ):
                    final[known] = row
                    of[row] = known
                else:
                    self._answer(row, key, known)
            elif method != ack or not self._ends_failed_invite(row, key):
                if known < 0:
                    last[key] = of[row] = len(request)
                    request.append(row)
                    final.append(-1)
                    begun.append(row)
                    branch_of.append(branch)
                else:
                    self._request(row, key, known)

    def _columns(self, wanted: Sequence[int] | None) -> list[Sequence[int]]:
        rows = self.rows
        columns: list[Sequence[int]] = [
            *(rows.status, rows.stream, rows.call_id, rows.cseq, rows.from_tag, rows.from_uri),
            *(rows.branch, rows.notes, rows.method),
        ]
        if wanted is None:
            return columns
        return [[column[row] for row in wanted] for column in columns]

    def _new(self, row: int, key: Key, branch: int) -> int:
        index = len(self.request)
        earlier = self._last.get(key)
        if earlier is not None:
            self._earlier[index] = earlier
        self.request.append(-1)
        self.final.append(-1)
        self.begun.append(row)
        self._branch.append(branch)
        self._last[key] = self.of[row] = index
        return index

    def _more(self, index: int) -> More:
        found = self.more.get(index)
        if found is None:
            found = self.more[index] = More()
        return found

    def _request(self, row: int, key: Key, last: int) -> None:
        """Take in a request under a key that is known."""
        branch, known = self.rows.branch[row], self._branch[last]
        if known == branch or not known or not branch:
            if self.request[last] < 0:
                if self._overtook(last, row):
                    self.request[last] = row
                    self._branch[last] = branch
                    self.of[row] = last
                    return
            elif self.final[last] < 0 or self._repeated_late(last, row):
                self._more(last).retransmissions.append(row)
                self.of[row] = last
                return
        self.request[self._new(row, key, branch)] = row

    def _overtook(self, orphan: int, row: int) -> bool:
        """Tell whether an answer stands before its request only because frames changed places."""
        times, answer = self.rows.time, self._first_answer(orphan)
        if times[answer] >= times[row]:
            return True
        challenged = self.rows.status[answer] in CHALLENGES  # the request may be newly signed
        return not challenged and times[row] - times[answer] <= LATE_NS

    def _first_answer(self, orphan: int) -> int:
        more, final = self.more.get(orphan), self.final[orphan]
        if more and more.provisional and (final < 0 or more.provisional[0] < final):
            return more.provisional[0]
        return final

    def _repeated_late(self, last: int, row: int) -> bool:
        """Tell whether a request after the final answer is a repetition: over UDP, same branch."""
        rows, final = self.rows, self.final[last]
        return (
            self._udp[rows.stream[row]]
            and self._branch[last] != 0
            and self._branch[last] == rows.branch[row]
            and rows.status[final] not in CHALLENGES
            and rows.time[row] - rows.time[final] <= LATE_NS
        )

    def _answer(self, row: int, key: Key, known: int) -> None:
        """Take in an answer that is not the first final one of the last request under its key."""
        branch, found = self.rows.branch[row], known
        if found >= 0 and branch and self._branch[found] not in (branch, 0):
            last = found
            found = self._with_branch(last, branch)
            if found < 0 and last not in self._earlier and self.final[last] < 0:
                # Some stacks do not send back the branch that they got: it is the only request that
                # the answer can belong to.
                found = last
        status = self.rows.status[row]
        if found >= 0 and self.final[found] >= 0 and self._of_unseen_request(found, status):
            found = -1
        if found < 0:
            found = self._new(row, key, branch)
        self.of[row] = found
        if status < FINAL:
            self._more(found).provisional.append(row)
        elif self.final[found] < 0:
            self.final[found] = row
        else:
            self._more(found).repeated.append(row)

    def _of_unseen_request(self, index: int, status: int) -> bool:
        """Tell whether a second final answer answers a re-signed request that was not captured."""
        first = self.rows.status[self.final[index]]
        return first in CHALLENGES and status not in CHALLENGES

    def _ends_failed_invite(self, row: int, key: Key) -> bool:
        """Put the ACK of a failure into the INVITE's transaction (RFC 3261 section 17.1.1.3)."""
        cseqs = self.rows.cseqs
        invite = self._invite_of_ack.get(key[2])
        if invite is None:
            value = cseqs.values[key[2]]
            number = value[0] if value else -1
            invite = self._invite_of_ack[key[2]] = cseqs.find((number, "INVITE")) or 0
        found = self._last.get((key[0], key[1], invite, key[3], key[4]), -1)
        branch = self.rows.branch[row]
        if found >= 0 and branch and self._branch[found] not in (branch, 0):
            found = self._with_branch(found, branch)
        if found < 0 or self.final[found] < 0 or self.rows.status[self.final[found]] < FAILURE:
            return False
        self._more(found).acks.append(row)
        self.of[row] = found
        return True

    def _with_branch(self, found: int, branch: int) -> int:
        for _ in range(FORKS):
            if found < 0 or self._branch[found] in (branch, 0):
                return found
            found = self._earlier.get(found, -1)
        return -1


def match(rows: Rows, streams: Sequence[Stream]) -> Transactions:
    """Return the transactions of a capture, in order of the row that each was first seen in."""
    matcher = Matcher(rows, streams)
    twin = exchanges()
    if twin is None:
        matcher.run()
        found = Transactions(rows, matcher.request, matcher.final, matcher.more, matcher.of)
    else:
        plain = twin.Exchanges(rows, QUOTED, FINAL)
        matcher.run(plain.rest)
        found = Transactions(
            rows,
            *plain.merged(matcher.begun, matcher.request, matcher.final, matcher.more, matcher.of),
        )
    match_across(found, streams)
    return found


def freeze(found: Transactions, copies: Mapping[int, int]) -> Lazy[Transaction]:
    """Return the transactions as values; ``copies`` is row to row seen first."""
    return Lazy(len(found), lambda index: found.value(index, copies))
