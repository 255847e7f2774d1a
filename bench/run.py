"""Measure the program beside others that read the same captures, in turn, and write what came out.

``python -m bench.run --size 50M --rounds 3``. Each round runs every program once on a capture, so
that a busy moment of the machine falls on all of them; the order turns round from one to the next.
Times are those of whole processes, page cache warm, output to /dev/null. Before the rounds each
program runs once untimed, and what it found is counted. The figures go to ``bench/out``:
``results.json``, ``table.txt`` and ``chart.svg``. The group ``replay`` reads no capture: many
clients, ours and SIPp's, play against servers, and the figures are in ``crowd.json`` and
``crowd.txt``.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench import chart, machine, table
from bench.captures import OUT, Generator, make_all, parse_size, warm
from bench.measure import check, timed
from bench.plan import GROUPS, REPLAY, Options, plan
from bench.programs import catalogue, find_tools
from bench.results import Measured, Results, Single, growth, misses, rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.captures import Load
    from bench.measure import Check, Run
    from bench.plan import Plan
    from bench.programs import Program, Tools
    from bench.results import Store

    Machine = dict[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Runs programs and tells how far the work is."""

    programs: Mapping[str, Program]
    limit: float

    def measure(self, load: Load, wanted: Mapping[str, int]) -> dict[str, Measured]:
        """Check every program once, then run each for its number of rounds."""
        warm(load.path)
        checks: dict[str, Check] = {}
        for key in wanted:
            if not self.programs[key].absent:
                checks[key] = check(self.programs[key], load, self.limit)
                say(f"  check  {self.programs[key].name}: {checks[key].failure or 'done'}")
        runs: dict[str, list[Run]] = {key: [] for key in wanted}
        for index in range(max(wanted.values())):
            turn = [key for key in checks if not checks[key].failure and wanted[key] > index]
            for key in turn[:: -1 if index % 2 else 1]:
                runs[key].append(timed(self.programs[key], load, self.limit))
                say(
                    f"  {index + 1}/{wanted[key]}  {self.programs[key].name}: {told(runs[key][-1])}"
                )
        return {key: Measured(self.programs[key], checks.get(key), runs[key]) for key in wanted}


def told(run: Run) -> str:
    """Return what a progress line says of a run."""
    return run.failure or f"{run.seconds:.3f} s"


def say(line: str) -> None:
    """Tell how far the work is."""
    print(line, file=sys.stderr, flush=True)


def measure_all(asked: Plan, programs: Mapping[str, Program]) -> Store:
    """Measure everything, one capture after the other."""
    stopwatch, store = Stopwatch(programs, asked.options.limit), {}
    for load in asked.loads():
        say(f"{load.path.name}, {load.path.stat().st_size / 1e6:,.1f} MB")
        for key, measured in stopwatch.measure(load, asked.programs(load)).items():
            store[load, key] = measured
    return store


def singles(store: Store) -> list[Single]:
    """Return every single figure."""
    return [
        Single(
            program=measured.program.name,
            capture=load.path.name,
            bytes=load.path.stat().st_size,
            runs=[asdict(run) for run in measured.runs],
            check=asdict(measured.check) if measured.check else None,
        )
        for (load, _), measured in store.items()
    ]


def verdict(results: Results) -> list[str]:
    """Return what is wrong with our own side: it failed, or it missed messages."""
    return [
        f"{row['ours']['name']} on {row['capture']}: {row['ours']['remark'] or 'messages missed'}"
        for row in results["rows"]
        if misses(row["ours"]) or "ended with" in row["ours"]["remark"]
    ]


def changed(tools: Tools) -> list[str]:
    """Return a line where the program was built anew meanwhile: the figures are then of two."""
    now = find_tools().path
    return [] if now == tools.path else [f"xccos has changed while it was measured, now: {now}"]


def write(results: Results, directory: Path) -> None:
    """Leave the figures, the table and, where matplotlib is installed, the chart."""
    (directory / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (directory / "table.txt").write_text(table.text(results) + "\n", encoding="utf-8")
    if not chart.available():
        say("no chart: matplotlib is not installed (the extra bench)")
    elif results["rows"]:
        chart.draw(results, directory / "chart.svg")


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    size = partial(add, type=parse_size, metavar="SIZE")
    size("--size", default="50M", help="of the dense capture; sparse is twice, giant half")
    add("--rounds", type=int, default=3)
    size("--slow-size", default="100M", help="at most, for tshark ek and json, and sngrep")
    add("--slow-rounds", type=int, default=1, help="of what is run on those, and of pyshark")
    size("--pyshark-size", default="2M", help="at most, for pyshark")
    add("--limit", type=float, default=600, help="seconds after which a program is stopped")
    add("--seed", type=int, default=1)
    add("--clients", type=int, default=500, help="of the group replay")
    add("--own", action="store_true", help="use the project's own generator always")
    add("--only", action="append", default=[], choices=GROUPS, help="measure this group only")
    add("--out", type=Path, default=OUT, help="where captures and results are kept")
    return parser.parse_args(arguments)


def plan_of(given: argparse.Namespace) -> Plan:
    """Return which captures are to be read by what."""
    return plan(
        Options(
            given.size,
            given.rounds,
            given.slow_size,
            given.slow_rounds,
            given.pyshark_size,
            given.limit,
        ),
        Generator(given.out, given.seed, given.own),
        tuple(given.only),
    )


def read(asked: Plan, tools: Tools, found: Machine, out: Path) -> list[str]:
    """Measure what reads captures, print the table, and return what is wrong."""
    make_all(asked.loads(), say)
    store = measure_all(asked, catalogue(tools))
    results = Results(
        machine=found,
        options=asdict(asked.options),
        rows=rows(asked, store),
        growth=growth(asked, store),
        singles=singles(store),
    )
    write(results, out)
    print(table.text(results))
    return verdict(results)


def replay(found: Machine, out: Path, clients: int, rounds: int) -> list[str]:
    """Measure many clients, print the table, and return what is wrong."""
    from bench import crowd, crowd_table  # the program itself, which what reads does not need

    lines = crowd.measure(out, clients, rounds, say)
    results = crowd.Crowd(machine=found, clients=clients, rounds=rounds, rows=lines)
    shown = crowd_table.text(results)
    (out / "crowd.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (out / "crowd.txt").write_text(shown + "\n", encoding="utf-8")
    print(shown)
    return crowd.verdict(lines, clients)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables; return 1 where our own side failed, or missed something."""
    given = options(arguments)
    asked, tools = plan_of(given), find_tools()
    found = machine.facts(tools)
    say(machine.warning(found) or str(found["xccos"]))
    given.out.mkdir(parents=True, exist_ok=True)
    # Nothing is written of what was not measured, so that the figures of an earlier run stay.
    wrong = read(asked, tools, found, given.out) if asked.loads() else []
    if not given.only or REPLAY in given.only:
        wrong += replay(found, given.out, given.clients, given.rounds)
    wrong += changed(tools)
    for line in wrong:
        say(f"WRONG: {line}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
