"""Damaged captures through both paths for a while: ``python -m tests.fuzz_twin --seconds 60``.

The compiled path must neither crash nor differ from the reference. `make fuzz` runs this over a
twin that was compiled with AddressSanitizer and UndefinedBehaviorSanitizer. A capture that shows a
difference is kept in ``build/`` with its seed and number.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from analyzer.paths import compiled, description
from analyzer.pipeline import Pipeline
from analyzer.rows import Rows
from analyzer.window import Streams, Window
from tests.paths import ROOT, SAMPLES, SHARED
from tests.support.mutants import Mutant, mutants
from tests.support.reading import capture_bytes
from tests.support.sameness import plain_reading

if TYPE_CHECKING:
    from analyzer._speedups.pipeline import Pass

LARGEST = 150_000  # bytes of a capture that is mutated
FIELDS = ("index", "frames", "time", "src", "call_id", "cseq", "sha1", "xccos", "notes")


def originals() -> dict[str, bytes]:
    """Return the captures at hand, by name."""
    places = [SAMPLES, *(SHARED / name for name in ("captures", "corpus", "flows"))]
    paths = [path for place in places for path in place.rglob("*.pcap*") if path.suffix != ".json"]
    found = {path.as_posix(): capture_bytes(path) for path in sorted(paths)}
    return {name: data for name, data in found.items() if 0 < len(data) <= LARGEST}


def read(pipeline: Pipeline | Pass, mutant: Mutant) -> dict[str, Any]:
    """Return what a pipeline reads of a capture."""
    for at in range(0, len(mutant.data), mutant.chunk):
        pipeline.feed(mutant.data[at : at + mutant.chunk])
    reading = pipeline.close()
    reading.settle()
    return plain_reading(reading)


def lines(pipeline: Pass, mutant: Mutant) -> tuple[bytes, bytes]:
    """Return the messages of a capture in windows, as both writers write them."""
    from analyzer._speedups.lines import LineWriter
    from analyzer.export.messages import MessageWriter

    data = mutant.data

    def back(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    streams = Streams()
    reference = MessageWriter("jsonl", (*FIELDS, "headers", "body"))
    twin = LineWriter((*FIELDS, "headers", "body"), form="jsonl", streams=streams, read=back)
    written: tuple[list[bytes], list[bytes]] = ([], [])
    given = 0

    def take(*, everything: bool) -> None:
        nonlocal given
        rows = Rows()
        rows.strings, rows.cseqs = pipeline.reading.rows.strings, pipeline.reading.rows.cseqs
        if not pipeline.take(rows, everything=everything):
            return
        known = len(streams) // 2
        streams.add(pipeline.stream_keys(known))
        window = Window(rows, streams, back, first=given)
        written[0].append("".join(reference.lines(window)).encode())
        written[1].extend(twin.write(rows, given))
        given += len(rows)

    for at in range(0, len(data), mutant.chunk):
        pipeline.feed(data[at : at + mutant.chunk])
        take(everything=False)
    pipeline.close()
    take(everything=True)
    return b"".join(written[0]), b"".join(written[1])


def main() -> int:
    """Run until the time is over; return 1 when the paths differ."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    if not compiled():
        sys.stderr.write(f"there is no compiled path to look at: {description()}\n")
        return 2
    from analyzer._speedups.pipeline import Pass

    captures, end = originals(), monotonic() + options.seconds
    for mutant in mutants(captures, options.seed):
        both = read(Pass(), mutant), read(Pipeline(), mutant)
        if both[0] == both[1] and mutant.number % 4 == 0:
            both = lines(Pass(streaming=True), mutant)  # type: ignore[assignment]
        if both[0] != both[1]:
            kept = ROOT / "build" / f"differs-{options.seed}-{mutant.number}.pcap"
            kept.parent.mkdir(exist_ok=True)
            Path(kept).write_bytes(mutant.data)
            sys.stdout.write(f"the paths differ, fed {mutant.chunk} bytes at a time: {kept}\n")
            return 1
        if monotonic() > end:
            count = mutant.number + 1
            sys.stdout.write(f"{count} damaged captures, seed {options.seed}: the paths agree\n")
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
