"""What several inputs are worth together.

The one rule: what one input lacks and another has is not missing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from analyzer.quality import ConflictingOverlap, Hole, Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.inputs.connections import Joined
    from analyzer.inputs.order import FrameOrder
    from analyzer.inputs.values import Clock
    from analyzer.quality import OtherConnection
    from analyzer.trace import Trace
    from dissectors.dns import NameQuery
    from dissectors.model import Malformed


def joined_quality(
    traces: Sequence[Trace], clocks: Sequence[Clock], order: FrameOrder, joined: Joined
) -> Quality:
    """Return the quality of several inputs as one; frames and times are the joined ones."""
    all_of = [trace.quality for trace in traces]
    times = [time for time in order.times if time]
    return Quality(
        frames=len(order),
        first_time=times[0] if times else None,
        last_time=times[-1] if times else None,
        digits=max(one.digits for one in all_of),
        link_types=tuple(sorted({link for one in all_of for link in one.link_types})),
        problems=tuple(_problems(traces, order)),
        counters=_summed(one.counters for one in all_of),
        ignored=_summed(one.ignored for one in all_of),
        services=_most(one.services for one in all_of),
        holes=_holes(traces, order, joined),
        conflicts=tuple(
            ConflictingOverlap(
                joined.streams[k, one.stream], order.numbers[k][one.frame - 1], one.length
            )
            for k, quality in enumerate(all_of)
            for one in quality.conflicts
        ),
        damaged=any(one.damaged for one in all_of),
        notes=tuple(
            f"{short(trace.name)}: {note}" for trace in traces for note in trace.quality.notes
        ),
        others=_others(traces, clocks, order),
        queries=_queries(traces, clocks, order),
        tls=tuple(
            one._replace(frame=order.numbers[k][one.frame - 1])
            for k, quality in enumerate(all_of)
            for one in quality.tls
        ),
        annotations=tuple(
            sorted(
                (note for one in all_of for note in one.annotations), key=lambda one: one.time_ns
            )
        ),
    )


def short(name: str) -> str:
    """Return the name of an input without its directories."""
    return PurePath(name).name or name


def _problems(traces: Sequence[Trace], order: FrameOrder) -> Iterable[Malformed]:
    for k, trace in enumerate(traces):
        numbers = order.numbers[k]
        lines = trace.quality.unit == "line"
        for problem in trace.quality.problems:
            reason = f"{short(trace.name)}: {problem.reason}"
            if lines and problem.frame is not None:  # the numbers of a text trace are lines
                yield replace(problem, reason=f"{reason} (line {problem.frame})", frame=None)
            elif problem.frame is not None and 0 < problem.frame <= len(numbers):
                yield replace(problem, reason=reason, frame=numbers[problem.frame - 1])
            else:
                yield replace(problem, reason=reason, frame=None)


def _holes(traces: Sequence[Trace], order: FrameOrder, joined: Joined) -> tuple[Hole, ...]:
    """Return the holes of those connections that nobody saw without any.

    Of a direction, the input with the fewest holes is believed.
    """
    by_stream: dict[int, dict[int, list[Hole]]] = {}
    for k, trace in enumerate(traces):
        for hole in trace.quality.holes:
            stream = joined.streams[k, hole.stream]
            by_stream.setdefault(stream, {}).setdefault(k, []).append(
                Hole(stream, order.numbers[k][hole.frame - 1], hole.length)
            )
    found: list[Hole] = []
    for stream, holes in by_stream.items():
        seers = [k for k, _ in joined.members[stream >> 1] if _speaks(traces, joined, k, stream)]
        least = min((holes.get(k, []) for k in seers or holes), key=len)
        found += least
    return tuple(sorted(found, key=lambda hole: hole.frame))


def _speaks(traces: Sequence[Trace], joined: Joined, which: int, stream: int) -> bool:
    """Say whether an input has messages of a direction."""
    for k, connection in joined.members[stream >> 1]:
        if k == which:
            side = joined.streams[k, 2 * connection] & 1
            return traces[k].connections[connection].messages[(stream & 1) ^ side] > 0
    return False


def _others(
    traces: Sequence[Trace], clocks: Sequence[Clock], order: FrameOrder
) -> tuple[OtherConnection, ...]:
    """Return the other connections; one that several inputs saw is taken from the first."""
    found: dict[tuple[str, ...], OtherConnection] = {}
    for k, trace in enumerate(traces):
        right, numbers = clocks[k].corrected, order.numbers[k]
        for one in trace.quality.others:
            heads = tuple(
                head._replace(
                    frame=numbers[head.frame - 1], time_ns=right(head.time_ns, head.frame)
                )
                for head in one.heads
            )
            found.setdefault((one.opener, one.responder, one.service), one._replace(heads=heads))
    return tuple(sorted(found.values(), key=lambda one: one.frames))


def _queries(
    traces: Sequence[Trace], clocks: Sequence[Clock], order: FrameOrder
) -> tuple[NameQuery, ...]:
    found: dict[tuple[object, ...], NameQuery] = {}
    for k, trace in enumerate(traces):
        right, numbers = clocks[k].corrected, order.numbers[k]
        for one in trace.quality.queries:
            query = one._replace(
                frame=numbers[one.frame - 1], time_ns=right(one.time_ns, one.frame)
            )
            found.setdefault((one.key, one.id, one.name, one.answered), query)
    return tuple(sorted(found.values()))


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def _most(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Return the largest counts: several inputs saw the same connections."""
    most: Counter[str] = Counter()
    for one in counts:
        most |= Counter(one)
    return dict(most)
