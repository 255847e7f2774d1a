"""What is compared with what, on which capture, and how often.

The contests are a table. Programs on the same capture run in turn, however many contests they are
in, so that each runs once a round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.captures import ROOT, Load

if TYPE_CHECKING:
    from bench.captures import Generator

SAMPLE = ROOT / "samples" / "r2-signin-full.pcap"
SMALL_ROUNDS = 5  # times as many: what takes a moment needs more of them
GROWTH = "all"


@dataclass(frozen=True, slots=True)
class Contest:
    """Two programs by their keys in the catalogue."""

    group: str
    ours: str
    theirs: str
    load: Load
    rounds: int


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; sizes in bytes, the limit in seconds."""

    size: int
    rounds: int
    slow_size: int
    slow_rounds: int
    pyshark_size: int
    limit: float


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be measured."""

    contests: list[Contest]
    growth: list[Load]
    """The same kind of capture in three sizes, the smallest first."""
    options: Options

    def loads(self) -> list[Load]:
        """Return every capture once."""
        return list(dict.fromkeys([*(one.load for one in self.contests), *self.growth]))

    def programs(self, load: Load) -> dict[str, int]:
        """Return the programs that run on a capture, each with its rounds."""
        found: dict[str, int] = {}
        for contest in self.contests:
            if contest.load == load:
                for key in (contest.ours, contest.theirs):
                    found[key] = max(found.get(key, 0), contest.rounds)
        if load in self.growth:
            found[GROWTH] = max(found.get(GROWTH, 0), self.options.rounds)
        return found


FULL = (
    ("ten", "fields"),
    ("all", "fields"),
    ("triage", "fields"),
    ("pure", "fields"),
    ("ten", "pure"),
    ("ten", "dpkt"),
    ("all", "dd"),
)
SLOW = (("full", "ek"), ("full", "json"), ("ten", "sngrep"))  # they take minutes on large captures
SPARSE = (("all", "fields"), ("all", "dd"))
GIANT = (("all", "fields"),)
SMALL = (("triage", "fields"), ("help", "python"))
LADDER = (("ladder", "flow"), ("ladder-text", "flow"))
LADDER_SIZE = 5_400_000  # bytes of a dense capture with some 5,000 messages: one page of a ladder


def plan(options: Options, make: Generator, groups: tuple[str, ...] = ()) -> Plan:
    """Return what is to be measured; ``groups`` leaves out the others, all where it is empty."""
    dense = make.load("dense", options.size)
    slow = make.load("dense", min(options.size, options.slow_size))
    # The project's own generator fits the number of users to the size, which the other does not.
    tiny = make.load("dense", min(options.size, options.pyshark_size), own=True)
    sparse, giant = make.load("sparse", options.size * 2), make.load("giant", options.size // 2)
    page = make.load("dense", min(options.size, LADDER_SIZE))
    small = Load(f"samples/{SAMPLE.name}", SAMPLE)
    table = (
        ("dense", FULL, dense, options.rounds),
        ("dense", SLOW, slow, options.slow_rounds),
        ("dense", (("ten", "pyshark"),), tiny, options.slow_rounds),
        ("sparse", SPARSE, sparse, options.rounds),
        ("giant", GIANT, giant, options.rounds),
        ("small", SMALL, small, options.rounds * SMALL_ROUNDS),
        ("ladder", LADDER, page, options.rounds),
    )
    contests = [
        Contest(group, ours, theirs, load, rounds)
        for group, pairs, load, rounds in table
        for ours, theirs in pairs
        if not groups or group in groups
    ]
    sizes = (options.size // 10, options.size, options.size * 4)
    growth = [make.load("dense", size) for size in sizes]
    return Plan(contests, growth if not groups or "growth" in groups else [], options)


REPLAY = "replay"  # reads no capture: many clients, ``bench.crowd``
GROUPS = ("dense", "sparse", "giant", "small", "ladder", "growth", REPLAY)
