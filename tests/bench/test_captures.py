"""Captures are made once, whole, and hold what their truth says."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest

from bench.captures import Generator, format_size, make_all, parse_size, warm
from bench.measure import check
from bench.programs import catalogue
from tests.bench.peers import real_tools

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.untraced


SIZE = 120_000


@pytest.mark.parametrize(
    ("text", "size"), [("50M", 50_000_000), ("2G", 2 * 10**9), ("300K", 300_000), ("1234", 1234)]
)
def test_a_size_is_read_as_it_is_written(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert format_size(size) == text


def test_a_size_may_have_a_fraction_and_a_small_letter() -> None:
    assert parse_size("1.5m") == 1_500_000
    assert format_size(1_500_000) == "1500K"


@pytest.mark.parametrize("mode", ["dense", "sparse", "giant"])
def test_the_program_finds_what_the_truth_says(mode: str, tmp_path: Path) -> None:
    load = Generator(tmp_path, seed=3, own=True).load(mode, SIZE)
    make_all([load], lambda _: None)
    warm(load.path)
    for key in ("all", "triage"):
        done = check(catalogue(real_tools())[key], load, limit=60)
        assert done.failure == ""
        assert done.found == load.expected("msgs")
    assert (load.expected("msgs") or 0) > 30


def test_the_one_connection_of_a_giant_capture_wraps_its_sequence_numbers(tmp_path: Path) -> None:
    load = Generator(tmp_path, seed=1, own=True).load("giant", SIZE)
    make_all([load], lambda _: None)
    frames = _frames(load.path)
    numbers = {struct.unpack_from("!I", frame, 38)[0] for frame in frames}
    ends = {frozenset((frame[26:30], frame[30:34])) for frame in frames}
    assert len(ends) == 1
    assert min(numbers) < SIZE
    assert max(numbers) > 2**32 - SIZE


def _frames(path: Path) -> list[bytes]:
    data, position, found = path.read_bytes(), 24, []
    while position < len(data):
        (length,) = struct.unpack_from("<I", data, position + 8)
        found.append(data[position + 16 : position + 16 + length])
        position += 16 + length
    return found


def test_a_capture_is_made_once(tmp_path: Path) -> None:
    load = Generator(tmp_path / "new", seed=1, own=True).load("dense", SIZE)
    said: list[str] = []
    make_all([load, load], said.append)
    load.path.write_bytes(b"kept")
    make_all([load], said.append)
    assert load.path.read_bytes() == b"kept"
    assert said == ["making dense-120K-1-own.pcap"]


def test_a_capture_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    load = Generator(tmp_path, seed=1, own=True).load("dense", SIZE)
    load.path.write_bytes(b"half of it")
    make_all([load], lambda _: None)
    assert load.path.stat().st_size == json.loads(load.truth.read_text())["bytes"]


def test_kind_size_and_seed_tell_captures_apart(tmp_path: Path) -> None:
    names = {
        Generator(tmp_path, seed, own=True).load(mode, size).path
        for seed in (1, 2)
        for mode in ("dense", "sparse")
        for size in (SIZE, 2 * SIZE)
    }
    assert len(names) == 8
