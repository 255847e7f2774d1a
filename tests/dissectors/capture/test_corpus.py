"""Real and constructed files of other projects, compared frame by frame with tshark.

tshark's records that are no packets (custom blocks) have no link type; they are left out, their
numbers are kept.
"""

from __future__ import annotations

import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import zstandard

from dissectors.capture import detect
from dissectors.capture.detect import reader_for
from dissectors.capture.pcapng import LAST_TIME
from dissectors.model import Frame, Malformed
from tests.dissectors.capture.layouts import frames_of, problems_of, read_all, read_in_pieces
from tests.paths import SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dissectors.capture.layouts import Item

pytestmark = pytest.mark.usefixtures("each_path")


CAPTURES = SHARED / "corpus" / "captures"
SUITE = CAPTURES / "pcapng_suite"

END_OF_TIME = Decimal(LAST_TIME).scaleb(-9)  # later times are kept as this one

# Odd on purpose: what they hold is stated in a test of its own.
ODD = {
    "timestamp_invalid_micro.pcap",
    "timestamp_invalid_nano.pcap",
    "ntar_test007.ntar",
    "ntar_test010.ntar",
    "bogus-content.txt",
}
# Every format and link type; the others are all alike, and each start of tshark takes 0.2 s.
PEERED = ("/file_formats/", "/pcapng_suite/", "/linktypes/", "/sip_tcp_dev/")
# Larger files are cut at fewer places.
SMALL = 2000

# tshark's own numbers for the LINKTYPE_ numbers that occur ("Encapsulation type" of tshark -V).
ENCAPSULATIONS = {
    0: 15,
    1: 1,
    2: 184,
    101: 7,
    113: 25,
    160: 58,
    253: 158,
    258: 171,
    276: 210,
    228: 129,
    229: 130,
    231: 146,
}


def captures() -> list[str]:
    found = sorted(
        path.relative_to(SHARED).as_posix()
        for folder in ("corpus/captures", "captures", "flows")
        for path in (SHARED / folder).rglob("*")
        if path.suffix in {".pcap", ".pcapng", ".ntar", ".zst", ".cap"}
    )
    return [name for name in found if name.rpartition("/")[2] not in ODD]


def content(name: str) -> bytes:
    data = (require_shared() / name).read_bytes()
    if name.endswith(".zst"):
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def read(data: bytes, cuts: range | None = None) -> list[Item]:
    reader = reader_for(data)
    if isinstance(reader, Malformed):
        return [reader]
    return read_all(reader, data) if cuts is None else read_in_pieces(reader, data, cuts)


def seen_by_tshark(path: Path) -> list[tuple[int, Decimal, int, int, int]]:
    """Return number, time, length on the wire, captured length and encapsulation of each frame."""
    fields = ["number", "time_epoch", "len", "cap_len", "encap_type"]
    options = [part for field in fields for part in ("-e", f"frame.{field}")]
    done = subprocess.run(
        ["tshark", "-n", "-r", path, "-T", "fields", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [
        (int(number), Decimal(time or 0), int(length), int(captured), int(encapsulation))
        for number, time, length, captured, encapsulation in rows
        if encapsulation
    ]


def test_the_corpus_is_there() -> None:
    require_shared()
    assert len(captures()) >= 100


@pytest.mark.parametrize("name", [n for n in captures() if any(group in n for group in PEERED)])
def test_frames_are_those_that_tshark_sees(name: str) -> None:
    data = content(name)
    items = read(data)
    assert problems_of(items) == []
    if reader_for is not detect.reader_for:  # the twin: tshark was asked for the reference
        reference = detect.reader_for(data)
        assert not isinstance(reference, Malformed)
        assert items == read_all(reference, data)
        return
    expected = [
        (number, min(time, END_OF_TIME), *lengths_and_type)
        for number, time, *lengths_and_type in seen_by_tshark(SHARED / name)
    ]
    assert [
        (f.number, Decimal(f.time_ns).scaleb(-9), f.wire_length, len(f.data))
        for f in frames_of(items)
    ] == [tuple(row[:4]) for row in expected]
    assert [ENCAPSULATIONS.get(f.link) for f in frames_of(items)] == [row[4] for row in expected]


@pytest.mark.parametrize("name", captures())
def test_well_formed_files_are_read_to_their_end_and_offsets_are_right(name: str) -> None:
    data = content(name)
    items = read(data)
    assert problems_of(items) == []
    for frame in frames_of(items):
        assert data[frame.offset : frame.offset + len(frame.data)] == frame.data


@pytest.mark.untraced
@pytest.mark.parametrize("name", [n for n in captures() if "file_formats" in n or "suite" in n])
def test_every_whole_frame_before_a_cut_is_used(name: str) -> None:
    data = content(name)
    whole = frames_of(read(data))
    step = 1 if len(data) <= SMALL else 97
    for cut in range(4, len(data), step):
        items = read(data[:cut])
        assert all(item in whole for item in frames_of(items))
        assert len(problems_of(items)) <= 1
        # A pcapng frame is whole with its block, which ends up to 300 bytes of options later.
        used = len(frames_of(items))
        assert sum(f.offset + len(f.data) <= cut - 300 for f in whole) <= used
        assert used <= sum(f.offset + len(f.data) <= cut for f in whole)
        if step == 1 and cut % 7 == 0:  # every place in a field of two, four or eight bytes
            assert read(data[:cut], range(cut)) == items


@pytest.mark.parametrize("path", sorted(SUITE.glob("le_test*.txt")), ids=lambda path: path.stem)
def test_a_file_of_the_suite_holds_what_its_text_says(path: Path) -> None:
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    counts = {row[0]: int(row[1]) for row in lines if len(row) == 2 and row[1].isdigit()}
    items = read(path.with_suffix(".pcapng").read_bytes())
    assert problems_of(items) == []
    assert len(frames_of(items)) == counts.get("EPB:", 0) + counts.get("SPB:", 0)


@pytest.mark.parametrize(("unit", "fraction"), [("micro", 1000), ("nano", 1)])
def test_invalid_fractions_carry_into_the_seconds(unit: str, fraction: int) -> None:
    items = read(content(f"corpus/captures/file_formats/timestamp_invalid_{unit}.pcap"))
    second, digits = 1418145369 * 10**9, {"micro": 6, "nano": 9}[unit]
    assert [(f.time_ns, f.digits, f.wire_length) for f in frames_of(items)] == [
        (second + (10**digits - 1) * fraction, digits, 76),
        (second + 10**9 + 10**digits * fraction, digits, 76),
        (frames_of(items)[2].time_ns, digits, 68),
    ]
    times = [frame.time_ns for frame in frames_of(items)]
    assert times == sorted(times)
    assert problems_of(items) == []


@pytest.mark.parametrize(
    ("name", "seconds"), [("time_2106_overflow", 2**32), ("time_2107", 4323283200)]
)
def test_times_beyond_32_bits_of_seconds_are_kept(name: str, seconds: int) -> None:
    items = read(content(f"corpus/captures/file_formats/{name}.pcapng"))
    assert [frame.time_ns for frame in frames_of(items)] == [seconds * 10**9]


@pytest.mark.parametrize("name", ["ntar_test007", "ntar_test010"])
def test_block_lengths_that_leave_the_padding_out_are_understood(name: str) -> None:
    """The suite means them as faults and tshark gives them up, but the two lengths agree."""
    data = content(f"corpus/captures/pcapng_suite/{name}.ntar")
    assert read(data) == [Frame(1, 0, 6, 2, data[108:204], 108, 1000)]


def test_text_is_called_text() -> None:
    assert read(content("corpus/captures/file_formats/bogus-content.txt")) == [
        Malformed("capture", "this is not a capture file but plain text", offset=0)
    ]
