"""The compiled path gives what the reference gives: rows, notes, connections and problems."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.pipeline import Pipeline
from tests.paths import SAMPLES, require_shared
from tests.support.mutants import mutants
from tests.support.reading import capture_bytes
from tests.support.sameness import plain_reading
from tests.support.twin import is_built

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer._speedups.pipeline import Pass

SEED = int(os.environ.get("XCCOS_SEED", "1"))
MUTANTS = int(os.environ.get("XCCOS_MUTANTS", "3000"))
LARGEST = 150_000  # bytes of a capture that is mutated

needs_twin = pytest.mark.skipif(not is_built(), reason="the compiled twin is not built")
pytestmark = needs_twin


def read(pipeline: Pipeline | Pass, data: bytes, size: int) -> dict[str, Any]:
    for at in range(0, len(data), size):
        pipeline.feed(data[at : at + size])
    reading = pipeline.close()
    reading.settle()
    return plain_reading(reading)


def twin() -> Pass:
    from analyzer._speedups.pipeline import Pass

    return Pass()


@cache
def captures() -> dict[str, Path]:
    """Return the captures at hand by a short name."""
    shared = require_shared()
    places = [SAMPLES, *(shared / name for name in ("captures", "corpus", "flows"))]
    found = [path for place in places for path in sorted(place.rglob("*.pcap*"))]
    return {
        f"{path.parent.name}/{path.name}": path for path in found if not path.name.endswith("json")
    }


def test_every_capture_gives_the_same_on_both_paths() -> None:
    for name, path in captures().items():
        data = capture_bytes(path)
        expected = read(Pipeline(), data, 1 << 16)
        assert read(twin(), data, 1 << 16) == expected, name
        assert read(twin(), data, 1001) == expected, name


def test_damaged_captures_give_the_same_on_both_paths() -> None:
    small = {
        name: data
        for name, path in captures().items()
        if len(data := capture_bytes(path)) < LARGEST
    }
    assert len(small) > 50
    for mutant in islice(mutants(small, SEED), MUTANTS):
        expected = read(Pipeline(), mutant.data, mutant.chunk)
        found = read(twin(), mutant.data, mutant.chunk)
        assert found == expected, f"mutant {mutant.number} of seed {SEED}, from {mutant.name}"


def test_no_items_where_nobody_needs_them() -> None:
    from analyzer._speedups.pipeline import Pass

    data = capture_bytes(SAMPLES / "twousers-post.pcap")
    expected = read(Pipeline(items=False), data, 1 << 16)
    assert read(Pass(items=False), data, 1 << 16) == expected
    assert not any(row[-1] for row in expected["rows"])


def test_bytes_that_were_fed_are_read_back_where_the_source_gives_them() -> None:
    from analyzer._speedups.pipeline import Pass

    data = capture_bytes(SAMPLES / "reconnect.pcap")
    asked: list[tuple[int, int]] = []

    def back(offset: int, size: int) -> bytes:
        asked.append((offset, size))
        return data[offset : offset + size]

    assert read(Pass(read_back=back), data, 700) == read(Pipeline(), data, 700)


def test_the_pass_lets_go_of_what_ended() -> None:
    """Streams, buffers and strings are freed with the pass."""
    data = capture_bytes(SAMPLES / "twousers-post.pcap")

    def blocks_after(rounds: int) -> int:
        for _ in range(rounds):
            read(twin(), data, 1 << 16)
        gc.collect()
        return sys.getallocatedblocks()

    blocks_after(5)
    before = blocks_after(5)
    assert blocks_after(50) - before < 500
