"""Many clients at once, as data: a whole sign-in between our own ends, and a call beside SIPp's.

The rule: a figure counts only where every expectation held, at both ends; else the row says what
went wrong instead. Ratios are taken within a round, like those of the other groups. The ends are
processes of their own on loopback, one connection a client (``bench.replay``); a sign-in is the
whole of a sample, a call is REGISTER, INVITE, ACK, INFO and BYE (``bench.replay_case``).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, TypedDict

from analyzer.replay.derive.build import derive
from analyzer.replay.script_json import write_script
from analyzer.replay.transport.descriptors import allow_files
from analyzer.trace import open_capture
from bench.replay import PAIRS, play
from bench.replay_case import SAMPLE, write_case
from bench.replay_ends import RATE, XCCOS, End, Ours, Sipp, free_port, wait_for_port
from bench.results import KIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.replay import Side
    from bench.replay_case import Case
    from bench.replay_ends import Spent

LOOK = 0.05  # seconds between two looks at how many connections there are
ASKED = "INVITE"  # the request whose answers the table shows: both cases have it
PACES = (
    ("at once", ("--rate", f"{RATE}/s", "--no-limits")),
    # Each lasts ten times as long as recorded, so that all are there before the first one leaves.
    ("40/s, slowly", ("--rate", "40/s", "--speed", "0.1")),
)
ABSENT = "not installed (Debian package sip-tester)"

Percentiles = tuple[float, float, float]
"""Milliseconds: 50th, 95th and 99th percentile."""


@dataclass(frozen=True, slots=True)
class Match:
    """Who plays what against whom."""

    case: str
    pace: str
    client: str
    server: str


@dataclass(frozen=True, slots=True)
class Played:
    """One play of a match."""

    client: Spent
    server: Spent
    latencies: dict[str, Percentiles]
    """By what was answered."""
    together: int | None = None
    """Most connections at a time that were seen; None: nobody looked."""

    @property
    def failure(self) -> str:
        """Which end says that not all held; empty where all did."""
        ends = (("client", self.client), ("server", self.server))
        return ", ".join(f"{name} ended with {end.code}" for name, end in ends if end.code)


class CrowdRow(TypedDict):
    """One line of the table; medians over the rounds, None where there are none."""

    case: str
    pace: str
    client: str
    server: str
    ours: bool
    """One of the ends is ours."""
    rounds: int
    messages: int
    """Of the script, of all clients together."""
    seconds: float | None
    messages_per_second: float | None
    ratio: float | None
    """How many times as fast as SIPp with itself."""
    ratio_min: float | None
    ratio_max: float | None
    together: int | None
    latencies: dict[str, Percentiles]
    peak_mib: tuple[float, float] | None
    """Client and server."""
    cpu: tuple[float, float] | None
    """Seconds of client and server."""
    remark: str


class Crowd(TypedDict):
    """The whole file."""

    machine: dict[str, str | int | float]
    clients: int
    rounds: int
    rows: list[CrowdRow]


Runner = tuple[Match, int, "Callable[[], Played]"]
"""A match, the messages of one client, and what plays it once."""


def measure(out: Path, clients: int, rounds: int, say: Callable[[str], None]) -> list[CrowdRow]:
    """Play all matches in turn, so many rounds; files go to ``out``/replay."""
    allow_files(2 * clients)  # SIPp takes the limit that it is given
    runners = list(_runners(out / "replay", clients))
    plays: dict[Match, list[Played]] = {match: [] for match, _, _ in runners}
    for index in range(rounds):
        for match, _, once in runners[:: -1 if index % 2 else 1]:
            plays[match].append(done := once())
            told = done.failure or f"{done.client.seconds:.2f} s"
            name = f"{match.case} {match.pace}, {match.client} -> {match.server}"
            say(f"  {index + 1}/{rounds}  {name}: {told}")
    found = [
        row(match, plays[match], messages * clients, theirs(match, plays))
        for match, messages, _ in runners
    ]
    return found if shutil.which("sipp") else [*found, _absent()]


def _runners(folder: Path, clients: int) -> Iterator[Runner]:
    call = write_case(folder, clients)
    whole = _whole(call, folder / "whole")
    for pace, words in PACES:
        yield (
            Match("sign-in", pace, Ours.name, Ours.name),
            whole.messages,
            partial(_sign_in, whole, clients, words),
        )
    for pair in PAIRS if shutil.which("sipp") else PAIRS[:1]:
        yield (
            Match("call", PACES[0][0], pair[0].name, pair[1].name),
            call.messages,
            partial(_call, call, pair, clients),
        )


def _whole(call: Case, folder: Path) -> Case:
    """Return the same users with the whole script of the sample."""
    folder.mkdir(parents=True, exist_ok=True)
    with open_capture(SAMPLE) as trace:
        script = derive(trace)
    path = folder / "case.json"
    path.write_bytes(write_script(script).encode())
    messages = sum(turn.live for turn in script.turns)
    return replace(call, folder=folder, script=path, messages=messages)


def _call(case: Case, pair: tuple[Side, Side], clients: int) -> Played:
    done = play(case, *pair, clients)
    server = done.server
    if pair == (Ours, Sipp):
        # It fails the calls that are not over when it is ended, and to it the REGISTER by which
        # our client takes its leave is one, for whose answer nobody waits. The client judges.
        server = replace(server, code=0)
    return Played(done.client, server, done.latencies)


def _sign_in(case: Case, clients: int, pace: Sequence[str]) -> Played:
    """Play the whole script once, and count connections meanwhile."""
    port = free_port()
    server = Ours.server(case, port)
    try:
        wait_for_port(port, server)
        line = [*XCCOS, "replay", "client", str(case.script), "--target", f"127.0.0.1:{port}"]
        load = ["--users", str(case.users), "--clients", str(clients), *pace]
        with Watched(server.process.pid) as watched:
            client = End([*line, *load, "--json", "client.json", "-q"], case.folder).wait()
        latencies = all_latencies(case.folder / "client.json")
    finally:
        spent = server.stop(signal.SIGTERM)
    return Played(client, spent, latencies, watched.most)


def all_latencies(path: Path) -> dict[str, Percentiles]:
    """Return the percentiles of every kind of answer that our client tells of."""
    (end,) = json.loads(path.read_text(encoding="utf-8"))["ends"]
    return {one["what"]: (one["p50_ms"], one["p95_ms"], one["p99_ms"]) for one in end["latencies"]}


class Watched:
    """Counts, again and again, the descriptors that a process has beyond those that it began with.

    The table of connections would tell more, and with thousands of ended ones takes a noticeable
    part of a processor to read.
    """

    def __init__(self, process: int) -> None:
        self.most = 0
        self._table = f"/proc/{process}/fd"
        self._base = len(os.listdir(self._table))  # noqa: PTH208 - next to free, at 20 a second
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        with suppress(OSError):  # it has ended
            while not self._over.wait(LOOK):
                now = len(os.listdir(self._table))  # noqa: PTH208
                self.most = max(self.most, now - self._base)


def row(
    match: Match, plays: Sequence[Played], messages: int, others: Sequence[Played] = ()
) -> CrowdRow:
    """Return the medians of a match.

    Args:
        match: what was played.
        plays: one a round.
        messages: of the script, of all clients together.
        others: the plays of the same rounds with SIPp at both ends; none: no ratio.
    """
    found = _empty(match, len(plays), messages)
    found["remark"] = next((one.failure for one in plays if one.failure), "")
    if found["remark"] or not plays:
        return found
    seconds = median(one.client.seconds for one in plays)
    found["seconds"], found["messages_per_second"] = seconds, messages / seconds
    if others and not any(one.failure for one in others):
        pairs = zip(others, plays, strict=True)
        ratios = [their.client.seconds / our.client.seconds for their, our in pairs]
        found["ratio"] = median(ratios)
        found["ratio_min"], found["ratio_max"] = min(ratios), max(ratios)
    counted = [one.together for one in plays if one.together is not None]
    found["together"] = min(counted, default=None)
    names = dict.fromkeys(name for one in plays for name in one.latencies)
    found["latencies"] = {name: _medians(plays, name) for name in names}
    ends = [(one.client, one.server) for one in plays]
    found["peak_mib"] = _both([(c.peak_kib / KIB, s.peak_kib / KIB) for c, s in ends])
    found["cpu"] = _both([(c.cpu, s.cpu) for c, s in ends])
    return found


def _empty(match: Match, rounds: int, messages: int) -> CrowdRow:
    return CrowdRow(
        case=match.case,
        pace=match.pace,
        client=match.client,
        server=match.server,
        ours=Ours.name in (match.client, match.server),
        rounds=rounds,
        messages=messages,
        seconds=None,
        messages_per_second=None,
        ratio=None,
        ratio_min=None,
        ratio_max=None,
        together=None,
        latencies={},
        peak_mib=None,
        cpu=None,
        remark="",
    )


def theirs(match: Match, plays: Mapping[Match, Sequence[Played]]) -> Sequence[Played]:
    """Return the plays of the same case with SIPp at both ends; none for those themselves."""
    alone = replace(match, client=Sipp.name, server=Sipp.name)
    return () if match == alone else plays.get(alone, ())


def _absent() -> CrowdRow:
    found = _empty(Match("call", PACES[0][0], Sipp.name, Sipp.name), 0, 0)
    found["remark"] = ABSENT
    return found


def _medians(plays: Sequence[Played], name: str) -> Percentiles:
    known = [one.latencies[name] for one in plays if name in one.latencies]
    p50, p95, p99 = (round(median(column), 3) for column in zip(*known, strict=True))
    return p50, p95, p99


def _both(ends: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return median(one for one, _ in ends), median(other for _, other in ends)


def verdict(rows: Sequence[CrowdRow], clients: int) -> list[str]:
    """Return what is wrong where one of the ends is ours: it did not hold, or came to too few."""
    wrong = []
    for one in rows:
        name = f"{one['case']} {one['pace']}, {one['client']} -> {one['server']}"
        if one["ours"] and one["remark"]:
            wrong.append(f"{name}: not all held: {one['remark']}")
    held = [one["together"] for one in rows if one["together"] is not None]
    if held and max(held) < clients:
        wrong.append(f"no more than {max(held)} of {clients} clients were connected at a time")
    return wrong
