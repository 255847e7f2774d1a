"""The account of a play: what its ends found, counted, with latencies by percentile.

The rule: an end holds only if the play came to its end and every verdict is good; a play in which
nobody was played proves nothing and does not hold.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from analyzer.replay.results import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.replay.load import LoadResult
    from analyzer.replay.results import Latency, Outcome, Verdict

Role = Literal["client", "server"]
STATUSES: tuple[Status, ...] = get_args(Status)
"""In the order in which they are counted aloud."""


class Spread(NamedTuple):
    """How long answers of one kind took."""

    what: str
    """As of ``Latency``."""
    answers: int
    p50: float
    """Seconds; half of the answers took no longer."""
    p95: float
    p99: float
    most: float


@dataclass(frozen=True, slots=True)
class End:
    """What one end of a play found."""

    role: Role
    held: bool
    complete: bool
    """It came to its end, not to a limit, an interrupt or a lost connection."""
    played: int
    """Conversations."""
    counts: Mapping[Status, int]
    """Of all verdicts, those that were left out too."""
    verdicts: tuple[Verdict, ...]
    spreads: tuple[Spread, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def judged(self) -> int:
        """Return how many turns were expected."""
        return sum(count for status, count in self.counts.items() if status != "unexpected")

    @property
    def left_out(self) -> int:
        """Return how many verdicts were counted and not kept."""
        return sum(self.counts.values()) - len(self.verdicts)


@dataclass(frozen=True, slots=True)
class Account:
    """What a play came to."""

    script: str
    """Name of the file."""
    title: str
    ends: tuple[End, ...]
    seconds: float | None = None
    """How long it took; of a play in memory, by its own clock."""
    remarks: tuple[str, ...] = field(default=())
    """Sentences about the play as a whole: how many messages a second, what was not written."""

    @property
    def held(self) -> bool:
        """Return whether all that was expected of either end held."""
        return bool(self.ends) and all(end.held for end in self.ends)


def end_of(role: Role, outcome: Outcome, *, endless: bool = False) -> End:
    """Return what an end found.

    Args:
        role: of the end.
        outcome: of its play.
        endless: it is ended by whoever started it, which is no failure: a server that waits.
    """
    complete = outcome.complete or endless
    good = all(verdict.good for verdict in outcome.verdicts)
    return End(
        role,
        held=complete and good and outcome.played > 0,
        complete=complete,
        played=outcome.played,
        counts=_counted(outcome.verdicts),
        verdicts=outcome.verdicts,
        spreads=spreads_of(outcome.latencies),
        notes=outcome.notes,
    )


def end_of_load(result: LoadResult) -> End:
    """Return what many clients found; of their verdicts only those that do not hold are kept."""
    outcome, counted = result.outcome, result.verdicts
    return End(
        "client",
        held=result.held and outcome.played > 0,
        complete=outcome.complete,
        played=outcome.played,
        counts={status: counted.get(status, 0) for status in STATUSES},
        verdicts=outcome.verdicts,
        spreads=tuple(
            Spread(one.what, one.samples, one.p50, one.p95, one.p99, one.max)
            for one in result.view.latencies
        ),
        notes=outcome.notes,
    )


def _counted(verdicts: Iterable[Verdict]) -> dict[Status, int]:
    found = Counter(verdict.status for verdict in verdicts)
    return {status: found[status] for status in STATUSES}


def spreads_of(latencies: Iterable[Latency]) -> tuple[Spread, ...]:
    """Return how long answers took, by kind, in the order in which the kinds were first seen."""
    kinds: dict[str, list[float]] = {}
    for latency in latencies:
        kinds.setdefault(latency.what, []).append(latency.seconds)
    return tuple(_spread(what, sorted(seconds)) for what, seconds in kinds.items())


def _spread(what: str, ascending: Sequence[float]) -> Spread:
    middle, high, higher = (_percentile(ascending, share) for share in (0.5, 0.95, 0.99))
    return Spread(what, len(ascending), middle, high, higher, ascending[-1])


def _percentile(ascending: Sequence[float], share: float) -> float:
    """Return the least value that at least this share of the values does not exceed."""
    return ascending[max(math.ceil(share * len(ascending)) - 1, 0)]


def who(verdict: Verdict) -> str:
    """Return whose turn it was: ``client1 (ann@contoso.com)``."""
    if verdict.client and verdict.user:
        return f"{verdict.client} ({verdict.user})"
    return verdict.client or verdict.user or ""


def differences_of(verdict: Verdict) -> list[str]:
    """Return what was not as expected, a sentence each."""
    told = [
        f"{one.path}: expected {_quoted(one.expected)}, found {_quoted(one.found)}"
        for one in verdict.differences
    ]
    return [*told, verdict.detail] if verdict.detail else told


def _quoted(value: str | None) -> str:
    if value is None:
        return "nothing"
    return value if value and value.isascii() and value.isalnum() else f'"{value}"'
