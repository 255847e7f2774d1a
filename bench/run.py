"""Measure the program beside tshark on one capture, command by command, in turn.

Each round runs every command once, so that a busy moment of the machine falls on all of them, and
what is compared are the ratios within a round. Times are those of the whole process, page cache
warm. Peak memory is what ``wait4`` says of the child, which counts from no less than this process
itself (about 15 MB), so nothing large is kept here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.gen import ACTIVE, generate, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "bench" / "out"
SHARED_GENERATOR = ROOT.parent / "shared" / "bench" / "gen.py"
FIELDS = "frame,time,src,dst,method,status,call_id,cseq,from_uri,to_uri"
TSHARK_FIELDS = (
    *("frame.number", "frame.time_epoch", "ip.src", "ip.dst", "sip.Method", "sip.Status-Code"),
    *("sip.Call-ID", "sip.CSeq", "sip.from.addr", "sip.to.addr"),
)
BASE = "tshark fields"


def count_lines(path: Path) -> int:
    """Return the number of lines."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def count_rows(path: Path) -> int:
    """Return the number of lines after the first."""
    return count_lines(path) - 1


def count_tshark_fields(path: Path) -> int:
    """Return the number of messages: a frame with several has their values joined by commas."""
    method, status = TSHARK_FIELDS.index("sip.Method"), TSHARK_FIELDS.index("sip.Status-Code")
    found = 0
    with path.open("rb") as file:
        for line in file:
            columns = line.split(b"\t")
            found += sum(1 + columns[i].count(b",") for i in (method, status) if columns[i])
    return found


def count_tshark_ek(path: Path) -> int:
    """Return the number of messages: a frame with several has a list of them."""
    found = 0
    with path.open("rb") as file:
        for line in file:
            if not line.startswith(b'{"index"'):
                found += _ek_messages(json.loads(line))
    return found


def _ek_messages(packet: dict[str, dict[str, object]]) -> int:
    layers = packet["layers"].get("sip")
    return len(layers) if isinstance(layers, list) else 1


@dataclass(frozen=True, slots=True)
class Command:
    """A command line; ``count`` finds the number of messages in what it prints, if it can."""

    name: str
    line: tuple[str, ...]
    count: Callable[[Path], int] | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command."""

    seconds: float
    peak_mb: float
    messages: int | None
    output_mb: float


def commands(capture: Path) -> list[Command]:
    """Return what is compared; the last two are tshark's."""
    xccos, file = str(Path(sys.executable).with_name("xccos")), str(capture)
    tshark = ("tshark", "-n", "-r", file, "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "sip")
    columns = [part for name in TSHARK_FIELDS for part in ("-e", name)]
    return [
        Command("xccos jsonl", (xccos, "messages", file, "--format", "jsonl"), count_lines),
        Command(
            "xccos csv",
            (xccos, "messages", file, "--format", "csv", "--fields", FIELDS),
            count_rows,
        ),
        Command("xccos triage", (xccos, "triage", file), None),
        Command(BASE, (*tshark, "-T", "fields", *columns), count_tshark_fields),
        Command("tshark ek", (*tshark, "-T", "ek"), count_tshark_ek),
    ]


def measure(command: Command) -> Run:
    """Run a command once, its output into a file."""
    output, errors = OUT / "output", OUT / "errors"
    with output.open("wb") as stdout, errors.open("wb") as stderr:
        start = time.perf_counter()
        child = subprocess.Popen(command.line, stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for
    if child.returncode:
        tail = errors.read_text(errors="replace")[-800:]
        sys.exit(f"{command.name} ended with {child.returncode}: {' '.join(command.line)}\n{tail}")
    messages = command.count(output) if command.count else None
    run = Run(seconds, usage.ru_maxrss / 1000, messages, output.stat().st_size / 1e6)
    output.unlink()
    return run


def prepare(mode: str, size: str, seed: int, *, own: bool) -> tuple[Path, int]:
    """Return a capture and how many messages it has; what was made before is used again."""
    foreign = SHARED_GENERATOR.is_file() and not own
    capture = OUT / f"{mode}-{size}-{seed}-{'corpus' if foreign else 'own'}.pcap"
    truth = capture.with_name(f"{capture.name}.truth.json")
    if not truth.is_file():
        say(f"making {capture.name}")
        if foreign:
            line = [sys.executable, str(SHARED_GENERATOR), mode, str(capture)]
            line += ["--size", size, "--seed", str(seed)]
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        else:
            generate(capture, mode, parse_size(size), seed=seed)
    return capture, int(json.loads(truth.read_text())["msgs"])


def say(text: str) -> None:
    """Tell how far the work is."""
    print(text, file=sys.stderr, flush=True)


def rounds(chosen: list[Command], number: int) -> dict[str, list[Run]]:
    """Run all commands in turn, so many times."""
    runs: dict[str, list[Run]] = {command.name: [] for command in chosen}
    for index in range(number):
        for command in chosen:
            run = measure(command)
            runs[command.name].append(run)
            say(f"round {index + 1}/{number}  {command.name:<14} {run.seconds:8.2f} s")
    return runs


def warm(capture: Path) -> None:
    """Read the capture once, so that the first command does not pay for the disk."""
    with capture.open("rb") as file:
        while file.read(1 << 20):
            pass


def summary(runs: dict[str, list[Run]], truth: int) -> list[dict[str, object]]:
    """Return one row per command: medians, and the median ratio to tshark within a round."""
    base = runs.get(BASE)
    rows: list[dict[str, object]] = []
    for name, done in runs.items():
        seconds = statistics.median(run.seconds for run in done)
        pairs = zip(base, done, strict=True) if base else ()
        ratios = [theirs.seconds / ours.seconds for theirs, ours in pairs]
        rows.append(
            {
                "command": name,
                "seconds": round(seconds, 3),
                "messages_per_second": round(truth / seconds),
                "peak_mb": round(statistics.median(run.peak_mb for run in done), 1),
                "found": done[-1].messages,
                "faster_than_tshark_fields": round(statistics.median(ratios), 2)
                if ratios
                else None,
            }
        )
    return rows


def table(rows: list[dict[str, object]], truth: int) -> str:
    """Return the rows as text."""
    head = ("command", "seconds", "messages/s", "peak MB", f"found of {truth}", "x tshark fields")
    lines = [head, *(tuple("-" if v is None else f"{v}" for v in row.values()) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    )


def machine() -> dict[str, object]:
    """Return what the figures depend on besides the program."""
    tshark = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=False)
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "tshark": tshark.stdout.partition("\n")[0],
    }


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", default="50M", help="of the capture; K, M, G (50M)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=tuple(ACTIVE), default="dense")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--own", action="store_true", help="use the project's own generator always")
    parser.add_argument("--only", help="commands whose name begins so, for instance xccos")
    return parser.parse_args()


def main() -> None:
    """Measure, print the table, write bench/out/result.json."""
    asked = options()
    OUT.mkdir(parents=True, exist_ok=True)
    capture, truth = prepare(asked.mode, asked.size, asked.seed, own=asked.own)
    chosen = [one for one in commands(capture) if one.name.startswith(asked.only or "")]
    absent = {one.line[0] for one in chosen if not shutil.which(one.line[0])}
    if absent:
        sys.exit(f"not found: {', '.join(sorted(absent))} (make bench installs them)")
    warm(capture)
    runs = rounds(chosen, asked.rounds)
    rows = summary(runs, truth)
    print(table(rows, truth))
    result = {
        "capture": {"name": capture.name, "bytes": capture.stat().st_size, "messages": truth},
        "machine": machine(),
        "summary": rows,
        "runs": {name: [asdict(run) for run in done] for name, done in runs.items()},
    }
    (OUT / "result.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
