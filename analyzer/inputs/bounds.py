"""What two inputs say of the offset between their clocks: that it is at most, or at least, so much.

The one rule: nothing arrives before it was sent. A message that passes place A and then place B
shows at B at a time that is late by its transit, never early: the difference B - A is an upper
bound of how far the clock of B is ahead. One that goes the other way gives a lower bound. The order
of different messages gives both as well, where no message was seen at both places.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from analyzer.inputs.alignment import LocalOffset

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

    from analyzer.inputs.identity import Identity
    from analyzer.window import Window

ASSUMED_TRANSIT = 50_000_000
"""Presumed to be the most that the fastest message takes from one place to the other, where only
one way was seen: half of the round trip between two continents."""
MAX_VARIANTS = 8
"""Messages of one transaction in one input; more are a loop or a repeater, and no order is sure."""
TRYING = 100
_CALL, _CSEQ, _STATUS, _FROM_TAG, _TO_TAG, _FROM_URI, _VIAS = 0, 1, 2, 4, 5, 6, 7


class Bound(NamedTuple):
    """A limit of how far one clock is ahead of another."""

    time_ns: int
    """By the clock that may be ahead."""
    ahead_ns: int


class Bounds(NamedTuple):
    """Upper and lower bounds, each in no order."""

    upper: list[Bound]
    lower: list[Bound]


class Crossing(NamedTuple):
    """A message that both inputs have."""

    row: int
    """In the input whose clock is looked for."""
    time_ns: int
    """By that clock, without its steps."""
    ahead_ns: int
    """How far its time is ahead of that in the other input, which is known."""
    way: tuple[str, str]
    """From which host to which, as the other input has them."""


Times = tuple["Callable[[int], int]", "Callable[[int], int]"]
"""Of each of two inputs: the time of a row. The first one's are corrected."""


def crossings(pairs: Iterable[tuple[int, int]], first: Window, times: Times) -> list[Crossing]:
    """Return the messages that two inputs have, in the order of the second one."""
    ways = [_way(stream.src, stream.dst) for stream in first.streams]
    known, own = times
    found = []
    for row, other in pairs:
        time = own(other)
        found.append(Crossing(other, time, time - known(row), ways[first.rows.stream[row]]))
    found.sort()
    return found


def _way(src: str, dst: str) -> tuple[str, str]:
    hosts = src.rpartition(":")[0], dst.rpartition(":")[0]
    return (src, dst) if hosts[0] == hosts[1] else hosts


def both_ways(found: Sequence[Crossing]) -> Bounds:
    """Return bounds from messages between two hosts that were seen going both ways.

    It need not be known which place is nearer to which host: of two messages that crossed at about
    the same time, the one that shows the larger difference went from the first place to the second.
    """
    ways: dict[tuple[str, str], list[Crossing]] = {}
    for one in found:
        ways.setdefault(one.way, []).append(one)
    bounds = Bounds([], [])
    for (src, dst), there in ways.items():
        back = ways.get((dst, src))
        if back is None or src > dst:
            continue
        upper, lower = (there, back) if _is_later(there, back) else (back, there)
        bounds.upper.extend(_bound(one) for one in upper)
        bounds.lower.extend(_bound(one) for one in lower)
    return bounds


def _bound(one: Crossing) -> Bound:
    return Bound(one.time_ns, one.ahead_ns)


def _is_later(there: Sequence[Crossing], back: Sequence[Crossing]) -> bool:
    """Tell whether messages one way show larger differences than their neighbours the other way.

    Neighbours only: a clock that drifts has other differences an hour later.
    """
    merged = sorted([(one.time_ns, one.ahead_ns, 1) for one in there])
    merged = sorted(merged + [(one.time_ns, one.ahead_ns, -1) for one in back])
    contrasts = [
        (one[1] - other[1]) * one[2] for one, other in pairwise(merged) if one[2] != other[2]
    ]
    return median(contrasts) >= 0


def presumed(found: Sequence[Crossing]) -> Bounds:
    """Return bounds from messages that were seen going one way, whichever it is."""
    local = LocalOffset((one.time_ns, one.time_ns + one.ahead_ns) for one in found)
    away = sorted(abs(one.ahead_ns - local.at(one.time_ns)) for one in found)
    width = ASSUMED_TRANSIT + away[len(away) * 9 // 10]
    middle = [(one.time_ns, local.at(one.time_ns)) for one in found]
    return Bounds(
        [Bound(time, ahead + width) for time, ahead in middle],
        [Bound(time, ahead - width) for time, ahead in middle],
    )


def bounds_of_order(order: Iterable[tuple[int, int, bool]], times: Times) -> Bounds:
    """Return bounds from rows of both inputs of which it is known which one was earlier."""
    bounds = Bounds([], [])
    known, own = times
    for row, other, earlier in order:
        time = own(other)
        bounds[0 if earlier else 1].append(Bound(time, time - known(row)))
    return bounds


def completed(bounds: Bounds) -> Bounds:
    """Return bounds of both kinds, those that are missing presumed from the others."""
    upper, lower = bounds
    both = 2 * ASSUMED_TRANSIT
    return Bounds(
        upper or [Bound(time, ahead + both) for time, ahead in lower],
        lower or [Bound(time, ahead - both) for time, ahead in upper],
    )


# The order of messages


class _Variant(NamedTuple):
    """A message of a transaction, of which there is one alone in its input."""

    status: int
    to_tag: int
    vias: int
    row: int


Exchanges = dict[tuple[int, ...], list[_Variant]]


def exchanges(groups: dict[Identity, list[int]], trace: Window) -> Exchanges:
    """Return the messages of each transaction on all hops: those whose order cannot be mistaken.

    A request that was sent twice is left out with its answers, 100 Trying and CANCEL too: they stay
    on one hop.
    """
    cancel = trace.rows.strings.find("CANCEL")
    found: Exchanges = {}
    repeated = set()
    for key, rows in groups.items():
        if not key[_CALL] or not key[_CSEQ] or key[_STATUS] == TRYING:
            continue
        exchange = (key[_CALL], key[_CSEQ], key[_FROM_TAG], key[_FROM_URI])
        if len(rows) > 1 or trace.rows.method[rows[0]] == cancel:
            repeated.add(exchange)
        one = _Variant(key[_STATUS], key[_TO_TAG], key[_VIAS], rows[0])
        variants = found.setdefault(exchange, [])
        if any(one[:3] == other[:3] for other in variants[:MAX_VARIANTS]):
            repeated.add(exchange)
        variants.append(one)
    return {
        exchange: variants
        for exchange, variants in found.items()
        if exchange not in repeated and len(variants) <= MAX_VARIANTS
    }


def order_of_exchanges(
    ours: Exchanges, theirs: Exchanges, matched: Container[tuple[int, int]]
) -> Iterator[tuple[int, int, bool]]:
    """Yield pairs of rows of two inputs, and whether the first one was earlier.

    Messages that look the same, and are none of the pairs of rows that are the same, come from two
    clients that share every identifier: nothing is known of their order.
    """
    for exchange, variants in ours.items():
        pairs = [(one, other) for one in variants for other in theirs.get(exchange, ())]
        if all(one[:3] != other[:3] or (one.row, other.row) in matched for one, other in pairs):
            for one, other in pairs:
                if _precedes(one, other):
                    yield one.row, other.row, True
                elif _precedes(other, one):
                    yield one.row, other.row, False


def _precedes(one: _Variant, other: _Variant) -> bool:
    """Tell whether a message of a transaction must have been seen before another one, anywhere.

    A proxy adds a Via to a request and takes one from a response (RFC 3261 16.6, 16.7).
    """
    if one.status < 0:
        return other.status >= 0 or one.vias < other.vias
    return one[:2] == other[:2] and one.vias > other.vias


Commands = tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]
"""Rows of commands, and of their replies, by Call-ID, envid and seqid; -1 where there are two."""


def commands(trace: Window) -> Commands:
    """Return the XCCOS commands of an input, and the replies to commands."""
    rows = trace.rows
    value, columns = rows.strings.values, rows.item_columns
    elements = rows.strings.find("cmd"), rows.strings.find("rpl")
    names = ("envid", "seqid"), ("command_envid", "command_seqid")
    result: Commands = ({}, {})
    for row in range(len(rows)):
        for k in range(rows.item[row], rows.item_end(row)):
            for element, (envid, seqid), into in zip(elements, names, result, strict=True):
                ids = columns[envid][k], columns[seqid][k]
                if columns["element"][k] == element and all(ids):
                    key = tuple(value[one] or "" for one in (rows.call_id[row], *ids))
                    into[key] = -1 if key in into else row
    return result


def order_of_commands(
    ours: Commands, theirs: Commands, matched: Container[tuple[int, int]]
) -> Iterator[tuple[int, int, bool]]:
    """Yield pairs of rows of two inputs, and whether the first one was earlier."""
    doubtful = {
        key
        for mine, other in zip(ours, theirs, strict=True)
        for key in mine.keys() & other.keys()
        if (mine[key], other[key]) not in matched
    }
    for (asked, answered), earlier in (((ours[0], theirs[1]), True), ((theirs[0], ours[1]), False)):
        for key, row in asked.items():
            reply = answered.get(key, -1)
            if row >= 0 and reply >= 0 and key not in doubtful:
                yield (row, reply, True) if earlier else (reply, row, False)
