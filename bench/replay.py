"""Many clients at once: our client and server beside SIPp's, with the same messages.

``python -m bench.replay --clients 500 --rounds 3``. Each pair of a client and a server plays the
same case (``bench.replay_case``) over loopback, one connection a client, as fast as it goes. Rounds
go through all pairs in turn; figures are medians. They go to ``bench/out/replay.json``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.captures import OUT
from bench.replay_case import write_case
from bench.replay_ends import Ours, Sipp, free_port, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.replay_case import Case
    from bench.replay_ends import Spent

Side = type[Ours] | type[Sipp]
PAIRS: tuple[tuple[Side, Side], ...] = ((Ours, Ours), (Sipp, Sipp), (Sipp, Ours), (Ours, Sipp))
SLOWEST = ("REGISTER", "INVITE", "INFO", "BYE")


@dataclass(frozen=True, slots=True)
class Play:
    """One play of one pair."""

    client: Spent
    server: Spent
    latencies: dict[str, tuple[float, float, float]]
    """Milliseconds by request: 50th, 95th and 99th percentile."""


@dataclass(frozen=True, slots=True)
class Line:
    """A pair: medians over the rounds."""

    client: str
    server: str
    seconds: float
    messages_per_second: float
    cpu_client: float
    cpu_server: float
    mib_client: float
    mib_server: float
    latencies: dict[str, tuple[float, float, float]]
    failures: int
    """Plays of which the client's end says that not all held."""


def play(case: Case, client: Side, server: Side, clients: int) -> Play:
    """Play the case once."""
    port = free_port()
    theirs = server.server(case, port)
    try:
        wait_for_port(port, theirs)
        ours = client.client(case, port, clients).wait()
        told = client.latencies(case)
    finally:
        # SIPp ends with the calls that are under way; ours ends politely.
        spent = theirs.stop(signal.SIGTERM if server is Ours else signal.SIGUSR1)
    return Play(ours, spent, told)


def line(pair: tuple[Side, Side], plays: Sequence[Play], messages: int) -> Line:
    """Return the medians of a pair; ``messages``: of all clients together."""
    seconds = median(one.client.seconds for one in plays)
    names = [name for name in SLOWEST if any(name in one.latencies for one in plays)]
    return Line(
        pair[0].name,
        pair[1].name,
        seconds,
        messages / seconds,
        median(one.client.cpu for one in plays),
        median(one.server.cpu for one in plays),
        median(one.client.peak_kib for one in plays) / 1024,
        median(one.server.peak_kib for one in plays) / 1024,
        {
            name: _medians([one.latencies[name] for one in plays if name in one.latencies])
            for name in names
        },
        sum(one.client.code != 0 for one in plays),
    )


def _medians(values: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    p50, p95, p99 = (round(median(column), 3) for column in zip(*values, strict=True))
    return p50, p95, p99


def text(lines: Sequence[Line], clients: int, messages: int) -> str:
    """Return the table."""
    theirs = next((one for one in lines if one.client == one.server == Sipp.name), None)
    rows = [
        f"replay: {clients} clients at once, {messages} messages each, one connection each",
        f"  {'client → server':<16} {'seconds':>8} {'msgs/s':>8} {'ratio':>6} {'MiB':>12} "
        f"{'CPU s':>12}  p50/p95/p99 ms: REGISTER, INVITE, INFO, BYE",
    ]
    for one in lines:
        ratio = f"{one.messages_per_second / theirs.messages_per_second:.2f}" if theirs else "-"
        told = "  ".join(
            "/".join(f"{ms:.1f}" for ms in one.latencies[name]) for name in one.latencies
        )
        rows.append(
            f"  {one.client + ' → ' + one.server:<16} {one.seconds:8.2f} "
            f"{one.messages_per_second:8,.0f} {ratio:>6} "
            f"{f'{one.mib_client:.0f} + {one.mib_server:.0f}':>12} "
            f"{f'{one.cpu_client:.1f} + {one.cpu_server:.1f}':>12}  {told}"
            + (f"  FAILED {one.failures}" if one.failures else "")
        )
    return "\n".join([*rows, "  MiB and CPU: client + server"])


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT, help="where the results are kept")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table; return 1 where our own pair did not hold."""
    given = options(arguments)
    case = write_case(given.out / "replay", given.clients)
    pairs = PAIRS if shutil.which("sipp") else PAIRS[:1]
    plays: dict[tuple[Side, Side], list[Play]] = {pair: [] for pair in pairs}
    for number in range(given.rounds):
        for pair in pairs[:: -1 if number % 2 else 1]:
            plays[pair].append(play(case, *pair, given.clients))
            spent = plays[pair][-1].client
            name = f"{pair[0].name} → {pair[1].name}"
            print(f"  {number + 1}/{given.rounds}  {name}: {spent.seconds:.2f} s", file=sys.stderr)
    lines = [line(pair, plays[pair], case.messages * given.clients) for pair in pairs]
    results = [asdict(one) for one in lines]
    (given.out / "replay.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(text(lines, given.clients, case.messages))
    if len(pairs) == 1:
        print("  SIPp is not installed (Debian package sip-tester)")
    return bool(lines[0].failures)


if __name__ == "__main__":
    sys.exit(main())
