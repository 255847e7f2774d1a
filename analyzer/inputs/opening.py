"""Several opened inputs: which of them tell one story, and that story as one trace."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from analyzer.inputs.clocks import estimate
from analyzer.inputs.joined import JoinedTrace
from analyzer.inputs.matching import connections, match
from analyzer.inputs.values import Clock, Joint
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.trace import Trace

NEAR_NS = 600 * SECOND
"""Clocks of a domain differ by less than five minutes (Kerberos allows no more, MS-KILE 3.1.1.4):
recordings with more between them are two, unless something else ties them."""


def join(traces: Sequence[Trace]) -> JoinedTrace:
    """Return several inputs as one trace; it closes them."""
    matches = match(traces)
    links = connections(matches, traces)
    clocks = estimate(traces, matches, links)
    return JoinedTrace(traces, Joint(tuple(matches), tuple(links), tuple(clocks)))


def rejoin(traces: Sequence[Trace]) -> JoinedTrace:
    """Return the parts of a merged file as one trace: their clocks were corrected before."""
    matches = match(traces)
    links = connections(matches, traces)
    clocks = [Clock(number, 0, "reference") for number in range(len(traces))]
    return JoinedTrace(traces, Joint(tuple(matches), tuple(links), tuple(clocks)))


def stories(traces: Sequence[Trace]) -> list[list[int]]:
    """Return the numbers of the inputs that tell one story each, in their order.

    Two inputs do when they share a Call-ID and, because clients that start alike may choose the
    same one, also a connection, a dialog with the tag of its server, or the time.
    """
    group = list(range(len(traces)))
    for left, right in combinations(range(len(traces)), 2):
        if group[left] != group[right] and related(traces[left], traces[right]):
            old, new = sorted((group[left], group[right]), reverse=True)
            group = [new if one == old else one for one in group]
    return [[k for k, one in enumerate(group) if one == number] for number in dict.fromkeys(group)]


def related(left: Trace, right: Trace) -> bool:
    """Tell whether two inputs tell one story."""
    if not _calls(left) & _calls(right):
        return False
    if left.has_lines or right.has_lines:  # whose zone may not be known
        return True
    return (
        bool(_ends(left) & _ends(right))
        or bool(_dialogs(left) & _dialogs(right))
        or _meet(left, right)
    )


def _calls(trace: Trace) -> set[str | None]:
    value = trace.rows.strings.values
    return {value[number] for number in set(trace.rows.call_id)} - {None}


def _dialogs(trace: Trace) -> set[tuple[str | None, ...]]:
    """Return the dialogs by Call-ID and both tags: a server chooses its own by chance."""
    rows, value = trace.rows, trace.rows.strings.values
    numbers = set(zip(rows.call_id, rows.from_tag, rows.to_tag, strict=True))
    return {tuple(value[one] for one in three) for three in numbers if all(three)}


def _ends(trace: Trace) -> set[frozenset[str]]:
    return {frozenset((one.opener, one.responder)) for one in trace.connections}


def _meet(left: Trace, right: Trace) -> bool:
    spans = [(one.quality.first_time or 0, one.quality.last_time or 0) for one in (left, right)]
    (first, last), (other_first, other_last) = spans
    return first <= other_last + NEAR_NS and other_first <= last + NEAR_NS
