"""Messages of a client's conversation that nobody can say in a play.

The rule: what a recording that began too late has of an earlier exchange is kept for a regenerated
capture only: an answer whose request is not there, an ACK whose INVITE is not, and what a server
says to a client that has not spoken yet, because there is nobody to say it to.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.replay.derive.said import Said

ORPHAN = "without their request"
EARLY = "before the client has said anything"


def unplayable(messages: Sequence[Said], called: frozenset[str]) -> dict[int, str]:
    """Return the rows of such messages among the live ones, each with why.

    ``called``: ids of the connections that the server opened: on those it speaks first.
    """
    live = [one for one in messages if one.live]
    found = {one.row: ORPHAN for one in _orphans(live)}
    for one in _early(live, called):
        found[one.row] = EARLY
    for one in live:
        if one.asked in found:
            found.setdefault(one.row, found[one.asked])
    return found


def counted(reasons: dict[int, str]) -> str:
    """Return how many there are of each kind, in words: ``3 without their request``."""
    counts = Counter(reasons.values())
    return ", ".join(f"{count} {why}" for why, count in sorted(counts.items()))


def _orphans(live: Sequence[Said]) -> Iterator[Said]:
    calls = {(one.dialog, _number(one)) for one in live if one.is_request and _calls(one)}
    for one in live:
        if not one.is_request:
            if one.asked is None:
                yield one
        elif one.method == "ACK" and (one.dialog, _number(one)) not in calls:
            yield one


def _early(live: Sequence[Said], called: frozenset[str]) -> Iterator[Said]:
    """Yield requests to clients that come before the first of their own.

    A client that never asks for anything is left alone: a play of nothing would prove nothing.
    """
    first: dict[str, int] = {}
    for one in live:
        if one.is_request and one.by == one.client:
            first.setdefault(one.client, one.number)
    for one in live:
        told = one.is_request and one.by != one.client and one.voice.connection not in called
        if told and one.number < first.get(one.client, 0):
            yield one


def _calls(one: Said) -> bool:
    return one.method == "INVITE"


def _number(one: Said) -> int:
    cseq = one.message.cseq
    return -1 if cseq is None else cseq.number
