"""Reading with several processes gives the rows of a single one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from analyzer.parallel import read_in_shares
from analyzer.share import Share
from analyzer.trace import open_capture
from bench.gen import generate
from dissectors.model import reversed_key
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analyzer.reading import Reading
    from analyzer.rows import Rows


def _chunks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 4096] for at in range(0, len(data), 4096))


def _read(data: bytes, jobs: int) -> Reading:
    return read_in_shares(lambda: _chunks(data), lambda: _chunks(data), jobs)


def _strings(rows: Rows, name: str) -> list[str | None]:
    return [rows.strings.values[number] for number in getattr(rows, name)]


def _same(one: Reading, other: Reading) -> None:
    a, b = one.rows, other.rows
    for name in (
        "time",
        "digits",
        "frame",
        "stream",
        "status",
        "length",
        "notes",
        "branch",
        "vias",
    ):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("method", "reason", "uri", "call_id", "from_uri", "to_tag", "content_type"):
        assert _strings(a, name) == _strings(b, name), name
    numbers = range(len(a))
    assert [a.piece_list(row) for row in numbers] == [b.piece_list(row) for row in numbers]
    assert [a.xccos(row) for row in numbers] == [b.xccos(row) for row in numbers]
    assert [a.cseqs.values[n] for n in a.cseq] == [b.cseqs.values[n] for n in b.cseq]
    assert [flow.row() for flow in one.flows] == [flow.row() for flow in other.flows]
    assert (one.holes, one.conflicts) == (other.holes, other.conflicts)
    assert one.services == other.services
    assert +one.stream_counters == +other.stream_counters
    assert (one.counters, one.frames, one.ignored) == (other.counters, other.frames, other.ignored)


@pytest.mark.untraced
@pytest.mark.parametrize("jobs", [2, 3])
@pytest.mark.parametrize(
    "name", sorted(path.name for path in SAMPLES.iterdir() if path.suffix.startswith(".pcap"))
)
def test_the_samples_read_in_shares_are_the_samples(name: str, jobs: int) -> None:
    data = (SAMPLES / name).read_bytes()
    whole = _read(data, 1)
    assert len(whole.rows) > 0
    _same(whole, _read(data, jobs))


def test_a_busy_capture_read_in_shares_is_the_same_capture(tmp_path: Path) -> None:
    path = tmp_path / "dense.pcap"
    truth = generate(path, "dense", 2_000_000)
    whole = _read(path.read_bytes(), 1)
    assert len(whole.rows) == truth.msgs
    _same(whole, _read(path.read_bytes(), 2))


def test_a_trace_of_a_large_file_reads_its_messages_back_whoever_read_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.trace.MIN_SHARED", 1)
    path = tmp_path / "dense.pcap"
    generate(path, "dense", 300_000)
    with open_capture(path) as one, open_capture(path, jobs=2) as two:
        assert len(one) == len(two) > 100
        assert [one.raw(row) for row in range(len(one))] == [
            two.raw(row) for row in range(len(two))
        ]


def test_both_directions_of_a_connection_are_in_the_same_share() -> None:
    keys = [os.urandom(12) for _ in range(200)] + [os.urandom(36) for _ in range(200)]
    for key in keys:
        shares = [index for index in range(3) if Share(index, 3).has(key)]
        assert len(shares) == 1
        assert Share(shares[0], 3).has(reversed_key(key))


def test_a_capture_without_items_has_the_same_messages() -> None:
    path = SAMPLES / "signin-tcp.pcap"
    with open_capture(path) as full, open_capture(path, items=False) as bare:
        assert _strings(full.rows, "call_id") == _strings(bare.rows, "call_id")
        assert sum(full.rows.items) > 0
        assert sum(bare.rows.items) == 0
        rows = [row for row in range(len(full)) if full.rows.items[row]]
        assert bare.document(rows[0]) == full.document(rows[0])
