"""The figures as data: what ``bench/out/results.json`` holds, and what table and chart are made of.

Ratios are taken within a round, where both programs ran one after the other, and the median is over
the rounds. A figure that there is not is None, and ``remark`` says why.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, TypedDict

from bench.plan import GROWTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.captures import Load
    from bench.measure import Check, Run
    from bench.plan import Contest, Plan
    from bench.programs import Program

KIB = 1024


class Side(TypedDict):
    """One program on one capture."""

    name: str
    seconds: float | None
    """Median."""
    peak_mib: float | None
    """Largest process or largest sum over all processes, whichever is more."""
    floor_mib: float
    """A peak below this cannot be told: it is that of the launcher."""
    processes: int
    """Most at a time, that were seen."""
    found: int | None
    expected: int | None
    unit: str
    remark: str


class Row(TypedDict):
    """One line of the table: how many times as fast ``ours`` is as ``theirs``."""

    group: str
    capture: str
    bytes: int
    rounds: int
    ours: Side
    theirs: Side
    ratio: float | None
    ratio_min: float | None
    ratio_max: float | None
    messages_per_second: float | None


class Growth(TypedDict):
    """One size of the same kind of capture."""

    bytes: int
    seconds: float
    ns_per_byte: float
    ratio: float
    """Nanoseconds per byte, beside those of the smallest capture."""
    peak_mib: float | None


class Single(TypedDict):
    """All that was measured of one program on one capture."""

    program: str
    capture: str
    bytes: int
    runs: list[dict[str, object]]
    check: dict[str, object] | None


class Results(TypedDict):
    """The whole file."""

    machine: dict[str, str | int | float]
    options: dict[str, str | int | float]
    rows: list[Row]
    growth: list[Growth]
    singles: list[Single]


class Measured:
    """What one program did on one capture, over all rounds."""

    def __init__(self, program: Program, check: Check | None, runs: Sequence[Run]) -> None:
        self.program, self.check, self.runs = program, check, runs

    @property
    def remark(self) -> str:
        """Why there are no figures, or what is to be known about them."""
        if self.program.absent:
            return self.program.absent
        if self.check and self.check.failure:
            return self.check.failure
        return next((run.failure for run in self.runs if run.failure), "")

    def seconds(self, index: int) -> float | None:
        """Return the time of a round; None where the program does not run here, or failed."""
        return None if self.remark or index >= len(self.runs) else self.runs[index].seconds

    def side(self, load: Load) -> Side:
        """Return the medians."""
        usable = not self.remark and bool(self.runs)
        found = self.check.found if usable and self.check else None
        return Side(
            name=self.program.name,
            seconds=median(run.seconds for run in self.runs) if usable else None,
            peak_mib=self._peak() if usable else None,
            floor_mib=max((run.launcher_kib / KIB for run in self.runs), default=0.0),
            processes=self.check.processes if self.check else 0,
            found=found,
            expected=load.expected(self.program.unit) if found is not None else None,
            unit=self.program.unit,
            remark=self.remark,
        )

    def _peak(self) -> float:
        largest = median(run.largest_kib for run in self.runs)
        return max(largest, self.check.together_kib if self.check else 0) / KIB


Store = dict[tuple["Load", str], Measured]


def misses(side: Side) -> bool:
    """Tell whether a program found another number of messages than there are."""
    return side["found"] != side["expected"] and None not in (side["found"], side["expected"])


def rows(plan: Plan, store: Mapping[tuple[Load, str], Measured]) -> list[Row]:
    """Return one row per contest."""
    return [
        _row(one, store[one.load, one.ours], store[one.load, one.theirs]) for one in plan.contests
    ]


def _row(contest: Contest, ours: Measured, theirs: Measured) -> Row:
    pairs = [(theirs.seconds(i), ours.seconds(i)) for i in range(contest.rounds)]
    ratios = [their / our for their, our in pairs if their is not None and our is not None]
    side, load = ours.side(contest.load), contest.load
    messages, reads = load.expected("msgs"), ours.program.reads
    return Row(
        group=contest.group,
        capture=load.name if reads else "none",
        bytes=load.path.stat().st_size if reads else 0,
        rounds=contest.rounds,
        ours=side,
        theirs=theirs.side(load),
        ratio=median(ratios) if ratios else None,
        ratio_min=min(ratios, default=None),
        ratio_max=max(ratios, default=None),
        messages_per_second=messages / side["seconds"] if messages and side["seconds"] else None,
    )


def growth(plan: Plan, store: Mapping[tuple[Load, str], Measured]) -> list[Growth]:
    """Return one line per size; those where the program failed are left out."""
    found: list[Growth] = []
    for load in plan.growth:
        side = store[load, GROWTH].side(load)
        if side["seconds"] is None:
            continue
        size = load.path.stat().st_size
        per_byte = side["seconds"] / size * 1e9
        ratio = per_byte / found[0]["ns_per_byte"] if found else 1.0
        found.append(
            Growth(
                bytes=size,
                seconds=side["seconds"],
                ns_per_byte=per_byte,
                ratio=ratio,
                peak_mib=side["peak_mib"],
            )
        )
    return found
