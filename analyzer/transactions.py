"""Transactions: which answers belong to which request (RFC 3261 section 17).

The key is the direction of the request, Call-ID, CSeq number and method, From tag and From URI. The
branch decides only where both sides have one, because Microsoft clients often send none; the From
URI is part of the key because two clients started in the same second can share every identifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.model import Transaction
from dissectors.notes import QUOTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.rows import Rows, Stream

CHALLENGES = (401, 407)
"""Answers after which a Microsoft client sends the same Call-ID and CSeq again, newly signed."""
LATE_NS = 32_000_000_000
"""64 * T1, the time that a transaction has (RFC 3261 section 17.1.2.2). An answer may also stand so
long before its request, where the capture missed the request's first TCP segment and has it from
the retransmission."""
FORKS = 32
"""Requests under one key that are looked at for an answer: forks, or an endless repeater."""
NO_ANSWER = ("ACK", "BENOTIFY")
FINAL = 200
FAILURE = 300

Key = tuple[int, int, int, int, int]


class Draft:
    """A transaction while its messages are being collected."""

    __slots__ = (
        "acks",
        "branch",
        "earlier",
        "final",
        "index",
        "key",
        "provisional",
        "repeated",
        "request",
        "retransmissions",
        "stream",
    )

    def __init__(self, key: Key, index: int, branch: int, earlier: Draft | None) -> None:
        self.key = key
        self.stream = key[0]
        """Of the request."""
        self.index = index
        self.branch = branch
        self.earlier = earlier
        """The transaction with the same key before this one."""
        self.request = -1
        self.final = -1
        # Most have none of these: four lists each would cost as much as all the rest.
        self.retransmissions: list[int] | None = None
        self.provisional: list[int] | None = None
        self.repeated: list[int] | None = None
        self.acks: list[int] | None = None

    def first_answer(self) -> int:
        """Return the row of the first answer; there is one where there is no request."""
        if self.provisional and (self.final < 0 or self.provisional[0] < self.final):
            return self.provisional[0]
        return self.final

    def rows(self) -> list[int]:
        """Return every row of the transaction, in order."""
        found = [row for row in (self.request, self.final) if row >= 0]
        for more in (self.retransmissions, self.provisional, self.repeated, self.acks):
            found += more or ()
        found.sort()
        return found


class Matcher:
    """Puts the messages of a capture into transactions, one row after the other."""

    def __init__(self, rows: Rows, streams: Sequence[Stream]) -> None:
        self.rows = rows
        self.drafts: list[Draft] = []
        self.of: dict[int, int] = {}
        self._last: dict[Key, Draft] = {}
        self._udp = [stream.transport == "udp" for stream in streams]
        self._ack = rows.strings.find("ACK")
        self._invite_of_ack: dict[int, int] = {}

    def run(self) -> None:
        """Match all rows; a message without Call-ID or CSeq, or quoted by ICMP, takes no part."""
        rows = self.rows
        status, stream, calls, cseqs = rows.status, rows.stream, rows.call_id, rows.cseq
        tags, users, notes, methods = rows.from_tag, rows.from_uri, rows.notes, rows.method
        request, answer, ack = self._request, self._answer, self._ack
        for row in range(len(rows)):
            if not calls[row] or not cseqs[row] or notes[row] & QUOTED:
                continue
            if status[row] >= 0:
                answer(row, (stream[row] ^ 1, calls[row], cseqs[row], tags[row], users[row]))
                continue
            key = (stream[row], calls[row], cseqs[row], tags[row], users[row])
            if methods[row] != ack or not self._ends_failed_invite(row, key):
                request(row, key)

    def _new(self, key: Key, branch: int) -> Draft:
        draft = Draft(key, len(self.drafts), branch, self._last.get(key))
        self.drafts.append(draft)
        self._last[key] = draft
        return draft

    def _request(self, row: int, key: Key) -> None:
        branch = self.rows.branch[row]
        last = self._last.get(key)
        if last is not None and (last.branch == branch or not last.branch or not branch):
            if last.request < 0:
                if self._overtook(last, row):
                    last.request = row
                    last.branch = branch
                    self.of[row] = last.index
                    return
            elif last.final < 0 or self._repeated_late(last, row):
                last.retransmissions = _more(last.retransmissions, row)
                self.of[row] = last.index
                return
        draft = self._new(key, branch)
        draft.request = row
        self.of[row] = draft.index

    def _overtook(self, orphan: Draft, row: int) -> bool:
        """Tell whether an answer stands before its request only because frames changed places."""
        times, answer = self.rows.time, orphan.first_answer()
        if times[answer] >= times[row]:
            return True
        challenged = self.rows.status[answer] in CHALLENGES  # the request may be newly signed
        return not challenged and times[row] - times[answer] <= LATE_NS

    def _repeated_late(self, last: Draft, row: int) -> bool:
        """Tell whether a request after the final answer is a repetition: over UDP, same branch."""
        rows = self.rows
        return (
            self._udp[last.stream]
            and last.branch != 0
            and last.branch == rows.branch[row]
            and rows.status[last.final] not in CHALLENGES
            and rows.time[row] - rows.time[last.final] <= LATE_NS
        )

    def _answer(self, row: int, key: Key) -> None:
        branch = self.rows.branch[row]
        draft = self._last.get(key)
        if draft is not None and branch and draft.branch not in (branch, 0):
            draft = _with_branch(draft, branch) or _unanswered(draft)
        status = self.rows.status[row]
        if draft is not None and draft.final >= 0 and self._of_unseen_request(draft, status):
            draft = None
        if draft is None:
            draft = self._new(key, branch)
        self.of[row] = draft.index
        if status < FINAL:
            draft.provisional = _more(draft.provisional, row)
        elif draft.final < 0:
            draft.final = row
        else:
            draft.repeated = _more(draft.repeated, row)

    def _of_unseen_request(self, draft: Draft, status: int) -> bool:
        """Tell whether a second final answer answers a re-signed request that was not captured."""
        first = self.rows.status[draft.final]
        return first in CHALLENGES and status not in CHALLENGES

    def _ends_failed_invite(self, row: int, key: Key) -> bool:
        """Put the ACK of a failure into the INVITE's transaction (RFC 3261 section 17.1.1.3)."""
        cseqs = self.rows.cseqs
        invite = self._invite_of_ack.get(key[2])
        if invite is None:
            value = cseqs.values[key[2]]
            number = value[0] if value else -1
            invite = self._invite_of_ack[key[2]] = cseqs.find((number, "INVITE")) or 0
        draft = self._last.get((key[0], key[1], invite, key[3], key[4]))
        branch = self.rows.branch[row]
        if draft is not None and branch and draft.branch not in (branch, 0):
            draft = _with_branch(draft, branch)
        if draft is None or draft.final < 0 or self.rows.status[draft.final] < FAILURE:
            return False
        draft.acks = _more(draft.acks, row)
        self.of[row] = draft.index
        return True


def _more(rows: list[int] | None, row: int) -> list[int]:
    if rows is None:
        return [row]
    rows.append(row)
    return rows


def _with_branch(draft: Draft | None, branch: int) -> Draft | None:
    for _ in range(FORKS):
        if draft is None or draft.branch in (branch, 0):
            return draft
        draft = draft.earlier
    return None


def _unanswered(draft: Draft) -> Draft | None:
    """Return the request if it is the only one that the answer can belong to, whatever its branch.

    Some stacks do not send back the branch that they got.
    """
    return draft if draft.earlier is None and draft.final < 0 else None


def match(rows: Rows, streams: Sequence[Stream]) -> Matcher:
    """Return the matcher after all rows: its ``drafts``, and ``of`` from row to draft."""
    matcher = Matcher(rows, streams)
    matcher.run()
    _match_across(matcher, streams)
    return matcher


def _match_across(matcher: Matcher, streams: Sequence[Stream]) -> None:
    """Match answers to requests on other connections (new UDP port, reconnect), or behind them."""
    orphans = [draft for draft in matcher.drafts if draft.request < 0]
    if not orphans:
        return
    waiting: dict[tuple[int, ...], list[Draft]] = {}
    for draft in matcher.drafts:
        if draft.request >= 0 and draft.final < 0:
            waiting.setdefault(draft.key[1:], []).append(draft)
    gone = set()
    for orphan in orphans:
        for draft in waiting.get(orphan.key[1:], [])[:FORKS]:
            if _answers(matcher.rows, streams, draft, orphan):
                _adopt(matcher, draft, orphan)
                gone.add(orphan.index)
                break
    if gone:
        _renumber(matcher, gone)


def _answers(rows: Rows, streams: Sequence[Stream], draft: Draft, orphan: Draft) -> bool:
    there, back = streams[draft.stream], streams[orphan.stream ^ 1]
    late = rows.time[orphan.first_answer()] - rows.time[draft.request]
    if draft.final >= 0 or late > LATE_NS:
        return False
    if there.connection == back.connection:
        return late >= -LATE_NS
    if draft.branch and orphan.branch and draft.branch != orphan.branch:
        return False
    swapped = _host(there.src) == _host(back.dst) and _host(there.dst) == _host(back.src)
    return swapped and late >= 0


def _host(address: str) -> str:
    return address.rpartition(":")[0]


def _adopt(matcher: Matcher, draft: Draft, orphan: Draft) -> None:
    draft.final = orphan.final
    draft.provisional = sorted((draft.provisional or []) + (orphan.provisional or [])) or None
    draft.repeated = orphan.repeated
    for row in orphan.rows():
        matcher.of[row] = draft.index


def _renumber(matcher: Matcher, gone: set[int]) -> None:
    matcher.drafts = [draft for draft in matcher.drafts if draft.index not in gone]
    number = {}
    for position, draft in enumerate(matcher.drafts):
        number[draft.index] = position
        draft.index = position
    matcher.of = {row: number[index] for row, index in matcher.of.items()}


def freeze(matcher: Matcher, copies: dict[int, int]) -> tuple[Transaction, ...]:
    """Make the transactions, in order of their first row; ``copies`` is row to row seen first."""
    rows, of = matcher.rows, matcher.of
    value, times, statuses, methods = rows.strings.values, rows.time, rows.status, rows.method
    made = []
    for draft in matcher.drafts:
        request: int | None = draft.request
        final: int | None = draft.final
        latency = status = None
        if draft.final < 0:
            final = None
        else:
            status = statuses[draft.final]
            if draft.request >= 0:
                latency = (times[draft.final] - times[draft.request]) / 1e6
        first = draft.request
        if first < 0:
            request = None
            first = draft.first_answer()
        method = value[methods[first]] or ""
        origin = copies.get(first)
        made.append(
            Transaction(
                draft.index,
                draft.stream >> 1,
                method,
                request,
                tuple(draft.retransmissions or ()),
                tuple(draft.provisional or ()),
                final,
                tuple(draft.repeated or ()),
                None if origin is None else of.get(origin),
                method not in NO_ANSWER,
                status,
                latency,
                tuple(draft.acks or ()),
            )
        )
    return tuple(made)
