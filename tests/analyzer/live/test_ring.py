"""Files on disk: each of a ring is a capture, together they are what came, and they are bounded."""

from __future__ import annotations

import stat
import struct
import subprocess
import sys
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.live.records import MAX_HEAD, Records
from analyzer.live.ring import Kept, Shape
from analyzer.sources.files import SourceError
from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.model import Malformed
from tests.paths import ROOT, SAMPLES
from tests.support.growth import frames_of

PCAP = SAMPLES / "twousers-post.pcap"
NG = SAMPLES / "fe-two-hops.pcapng"
SMALL = Shape(3, 20_000)
both = pytest.mark.parametrize("capture", [PCAP, NG], ids=["pcap", "pcapng"])


def written(target: Path | None, data: bytes, shape: Shape | None, step: int = 5000) -> Kept:
    numbers = count(1)
    kept = Kept(
        None if target is None else str(target), shape, lambda: f"20261122{next(numbers):06d}"
    )
    kept.open()
    for at in range(0, len(data), step):
        kept.write(data[at : at + step])
    kept.finish(cut=True)
    return kept


@both
@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 1 << 20), max_size=12))
def test_records_come_whole_however_the_bytes_were_cut(capture: Path, places: list[int]) -> None:
    data = capture.read_bytes()
    bounds = [0, *sorted({place % len(data) for place in places}), len(data)]
    records = Records()
    pieces = [piece for low, high in pairwise(bounds) for piece, _ in records.feed(data[low:high])]
    assert b"".join(pieces) + records.close() == data
    for end in range(1, len(pieces) + 1):
        reader = reader_for(data[:HEAD_LENGTH])
        assert not isinstance(reader, Malformed)
        found = [*reader.feed(b"".join(pieces[:end])), *reader.close()]
        assert [one for one in found if isinstance(one, Malformed)] == []


@both
def test_the_files_of_a_ring_are_captures_and_together_all_that_came(
    capture: Path, tmp_path: Path
) -> None:
    kept = written(tmp_path / "week.pcapng", capture.read_bytes(), Shape(50, 20_000))
    assert len(kept.files) > 2
    assert [path.name for path in list(kept.files)[:2]] == [
        "week_00001_20261122000001.pcapng",
        "week_00002_20261122000002.pcapng",
    ]
    found = [frame for path in kept.files for frame in frames_of(path)]
    expected = frames_of(capture)
    assert [(one.time_ns, one.data) for one in found] == [
        (one.time_ns, one.data) for one in expected
    ]
    assert kept.lost == 0
    assert kept.whole is None


@both
def test_wireshark_reads_every_file_of_a_ring(capture: Path, tmp_path: Path) -> None:
    kept = written(tmp_path / "week.pcapng", capture.read_bytes(), Shape(50, 20_000))
    for path in kept.files:
        done = subprocess.run(
            ["capinfos", "-M", "-c", str(path)], capture_output=True, text=True, check=True
        )
        assert f"Number of packets:   {len(frames_of(path))}" in done.stdout
        assert done.stderr == ""


def test_a_ring_stays_within_its_bound_and_says_what_it_gave_up(tmp_path: Path) -> None:
    data = PCAP.read_bytes()
    kept = written(tmp_path / "ring.pcap", data, SMALL)
    there = sorted(tmp_path.iterdir())
    assert there == list(kept.files)
    assert len(there) == 3
    assert sum(path.stat().st_size for path in there) <= 3 * (SMALL.size + 5000)
    assert kept.limit == 60_000
    assert kept.lost >= len(data) - kept.limit
    assert frames_of(there[-1])[-1].data == frames_of(PCAP)[-1].data


def test_without_a_place_to_keep_it_a_ring_is_private_and_deleted() -> None:
    kept = written(None, PCAP.read_bytes(), None)
    folder = Path(kept.where)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kept.whole is not None
    assert stat.S_IMODE(kept.whole.stat().st_mode) == 0o600
    assert kept.whole.read_bytes() == PCAP.read_bytes()
    kept.close()
    assert not folder.exists()


def test_a_single_file_is_what_came_to_the_byte(tmp_path: Path) -> None:
    kept = written(tmp_path / "one.pcap", PCAP.read_bytes(), None)
    assert kept.whole == tmp_path / "one.pcap"
    assert kept.whole.read_bytes() == PCAP.read_bytes()


def test_half_a_record_is_dropped_where_we_stopped_and_kept_where_its_source_was_cut(
    tmp_path: Path,
) -> None:
    data = PCAP.read_bytes()[:-7]
    kept = Kept(str(tmp_path / "stopped.pcap"), None, str)
    kept.open()
    kept.write(data)
    kept.finish()
    assert len(frames_of(tmp_path / "stopped.pcap")) == len(frames_of(PCAP)) - 1
    assert written(tmp_path / "cut.pcap", data, None).whole is not None
    assert (tmp_path / "cut.pcap").read_bytes() == data


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    kept = Kept(str(tmp_path / "absent" / "x.pcap"), None, str)
    with pytest.raises(SourceError, match=r"cannot write .*: No such file or directory"):
        kept.open()


@pytest.mark.parametrize("data", [b"\x1f\x8b" + bytes(5000), b"a text trace\n" * 900])
def test_what_is_no_pcap_is_one_file_to_the_byte_within_the_bound(
    data: bytes, tmp_path: Path
) -> None:
    kept = written(tmp_path / "x.gz", data, Shape(2, 10_000), step=1000)
    assert kept.problem is None
    assert kept.whole is not None
    assert kept.whole.read_bytes() == data
    kept = written(tmp_path / "y.gz", data * 9, Shape(2, 10_000), step=1000)
    assert "no pcap or pcapng: -w FILE keeps all" in (kept.problem or "")
    assert sum(path.stat().st_size for path in kept.files) <= 21_000


def test_a_full_disk_leaves_whole_records(tmp_path: Path) -> None:
    frames, target = frames_of(PCAP), tmp_path / "full.pcap"
    limit = PCAP.stat().st_size // 2
    script = (
        "import resource, signal, sys; from analyzer.live.ring import Kept\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        f"kept = Kept({str(target)!r}, None, str); kept.open()\n"
        f"kept.write(open({str(PCAP)!r}, 'rb').read()); kept.finish(cut=True)\n"
        "print(kept.problem)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"cannot write {target}: File too large")
    left = frames_of(target) if target.stat().st_size else []
    assert [one.data for one in left] == [one.data for one in frames[: len(left)]]


def block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def section(*interfaces: int) -> bytes:
    head = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    return head + b"".join(block(1, struct.pack("<HHI", link, 0, 0)) for link in interfaces)


def statistics(interface: int, *options: tuple[int, int]) -> bytes:
    body = struct.pack("<III", interface, 0, 0)
    body += b"".join(struct.pack("<HHQ", code, 8, value) for code, value in options)
    return block(5, body + bytes(4))


def test_packets_that_were_dropped_are_told_by_the_statistics_of_each_interface() -> None:
    records = Records()
    data = section(1, 1) + statistics(0, (4, 900), (5, 3), (7, 4)) + statistics(1, (4, 10), (5, 2))
    list(records.feed(data + statistics(0, (4, 999), (5, 5), (7, 4))))
    assert records.dropped == {0: 9, 1: 2}


def test_statistics_of_an_interface_that_there_is_not_are_no_statistics() -> None:
    records = Records()
    list(records.feed(section(1) + statistics(7, (5, 3))))
    assert records.dropped == {}


@pytest.mark.parametrize(
    "tail",
    [block(6, bytes(8))[:4] + struct.pack("<I", 3), struct.pack("<II", 6, 0xFFFFFFF0)],
    ids=["shorter than a block", "longer than any"],
)
def test_where_records_end_no_more_a_ring_stops_instead_of_growing(
    tail: bytes, tmp_path: Path
) -> None:
    kept = Kept(str(tmp_path / "x.pcapng"), Shape(2, 1 << 16), str)
    kept.open()
    kept.write(section(1) + tail + bytes(100))
    assert kept.problem is not None
    size = kept.files[-1].stat().st_size
    kept.write(bytes(1 << 20))
    kept.close()
    assert kept.files[-1].stat().st_size == size


def test_a_head_that_never_ends_is_damage() -> None:
    records = Records()
    for _ in range(MAX_HEAD // 10_000 + 2):
        list(records.feed(section() if not records.head else block(10, bytes(10_000))))
    assert records.broken
