"""Captures of snoop: as editcap writes them, the variants of Surveyor, every lie, every cut."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.capture.pcap import COMMON_SNAPLEN, PcapReader
from dissectors.capture.snoop import MAX_PADDING, NO_LINK, SnoopReader
from dissectors.model import Frame, Malformed
from tests.dissectors.capture.layouts import (
    Item,
    frames_of,
    problems_of,
    read_all,
    read_in_pieces,
)
from tests.paths import SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path


def header(kind: int = 4, version: int = 2) -> bytes:
    return struct.pack(">8sII", b"snoop\0\0\0", version, kind)


def record(
    data: bytes,
    *,
    time: tuple[int, int] = (1, 2),
    captured: int | None = None,
    wire: int | None = None,
    padding: int | None = None,
    length: int | None = None,
    drops: int = 0,
) -> bytes:
    captured = len(data) if captured is None else captured
    wire = captured if wire is None else wire
    padding = -len(data) % 4 if padding is None else padding
    length = 24 + len(data) + padding if length is None else length
    return struct.pack(">6I", wire, captured, length, drops, *time) + data + bytes(padding)


def read(data: bytes) -> list[Item]:
    return read_all(SnoopReader(), data)


@pytest.mark.parametrize("name", ["reconnect", "straddle"])
def test_a_file_of_editcap_holds_the_frames_of_the_original(name: str, tmp_path: Path) -> None:
    require_shared()
    original = SHARED / "captures" / f"{name}.pcap"
    path = tmp_path / "x.snoop"
    subprocess.run(
        ["editcap", "-F", "snoop", str(original), str(path)], check=True, capture_output=True
    )
    data = path.read_bytes()
    items = read(data)
    known = read_all(PcapReader(), original.read_bytes())
    assert [item._replace(offset=0) for item in frames_of(items)] == [
        item._replace(offset=0) for item in frames_of(known)
    ]
    assert problems_of(items) == []
    assert all(data[f.offset : f.offset + len(f.data)] == f.data for f in frames_of(items))


def test_records_are_padded_and_count_the_packets_lost_so_far() -> None:
    reader = SnoopReader()
    data = header() + record(b"abc", drops=1) + record(b"de", time=(5, 999_999), wire=60, drops=7)
    assert read_all(reader, data) == [
        Frame(1, 1_000_002_000, 6, 1, b"abc", 40, 3),
        Frame(2, 5_999_999_000, 6, 1, b"de", 68, 60),
    ]
    assert reader.dropped == 7


@pytest.mark.parametrize(
    ("kind", "link"),
    [(0, 1), (2, 6), (4, 1), (8, 10), (9, 0), (14, 0), (16, 122), (18, 123), (0x80000005, 226)],
)
def test_the_datalink_type_gives_the_link_type(kind: int, link: int) -> None:
    assert [frame.link for frame in frames_of(read(header(kind) + record(b"abcd")))] == [link]


@pytest.mark.parametrize("kind", [1, 5, 13, 27, 0xFFFFFFFF])
def test_an_unknown_datalink_type_is_told_once_and_carries_nothing(kind: int) -> None:
    assert read(header(kind) + record(b"abcd") * 2) == [
        Malformed(
            "capture",
            f"the frames are of snoop datalink type {kind}, which is not known",
            offset=12,
        ),
        Frame(1, 1_000_002_000, 6, NO_LINK, b"abcd", 40, 4),
        Frame(2, 1_000_002_000, 6, NO_LINK, b"abcd", 68, 4),
    ]


@pytest.mark.parametrize(("kind", "link"), [(4, 1), (10, 1), (12, 1), (14, 6), (19, 1)])
@pytest.mark.parametrize("version", [2, 3, 5])
def test_a_trailer_tells_a_capture_of_surveyor(kind: int, link: int, version: int) -> None:
    data = header(kind, version) + record(b"abcd", padding=16) + record(b"ef", padding=18)
    assert [(frame.link, frame.data) for frame in frames_of(read(data))] == [
        (link, b"abcd"),
        (link, b"ef"),
    ]
    assert problems_of(read(data)) == []


def test_an_unknown_version_is_told_and_read_all_the_same() -> None:
    assert read(header(version=1) + record(b"abcd")) == [
        Malformed("capture", "the file is of snoop version 1; read as 2", offset=8),
        Frame(1, 1_000_002_000, 6, 1, b"abcd", 40, 4),
    ]


def test_a_wire_length_below_the_captured_one_is_raised_to_it() -> None:
    (frame,) = frames_of(read(header() + record(b"abcdef", wire=0)))
    assert frame.wire_length == 6


def test_microseconds_of_more_than_a_second_carry() -> None:
    (frame,) = frames_of(read(header() + record(b"a", time=(5, 1_500_000))))
    assert frame.time_ns == 6_500_000_000


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        (
            record(b"x" * 8, captured=COMMON_SNAPLEN + 1),
            f"claims {COMMON_SNAPLEN + 1} captured bytes",
        ),
        (record(b"x" * 8, length=31), "claims a record of 31 bytes for 8 captured ones"),
        (record(b"x" * 8, length=0), "claims a record of 0 bytes for 8 captured ones"),
        (
            record(b"x" * 8, length=32 + MAX_PADDING + 1),
            f"claims a record of {33 + MAX_PADDING} bytes for 8 captured ones",
        ),
        (bytes(4096), "is all zeros"),
    ],
)
def test_reading_stops_at_the_first_lie(lie: bytes, reason: str) -> None:
    reader = SnoopReader()
    assert reader.feed(header() + record(b"abcd") + lie) == [
        Frame(1, 1_000_002_000, 6, 1, b"abcd", 40, 4),
        Malformed(
            "capture", f"the record header at byte 44 {reason}; reading stopped there", offset=44
        ),
    ]
    assert reader.stopped
    assert reader.feed(record(b"abcd")) == []
    assert reader.close() == []


def test_what_is_no_snoop_file_stops_at_once() -> None:
    assert read(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n") == [
        Malformed(
            "capture",
            "the file does not start with the magic number of snoop; reading stopped there",
            offset=0,
        )
    ]


def test_every_whole_frame_before_a_cut_is_used_however_it_is_fed() -> None:
    records = [record(data) for data in (b"", b"a", b"x" * 50, b"end")]
    data = header() + b"".join(records)
    ends = [16]
    for one in records:
        ends.append(ends[-1] + len(one))
    known = frames_of(read(data))
    assert len(known) == 4
    for cut in range(len(data) + 1):
        items = read(data[:cut])
        assert frames_of(items) == known[: max(sum(end <= cut for end in ends) - 1, 0)]
        assert len(problems_of(items)) == (cut not in ends)
        assert read_in_pieces(SnoopReader(), data[:cut], range(cut)) == items


@pytest.mark.parametrize(
    ("cut", "reason", "offset"),
    [
        (0, "the file is empty", 0),
        (10, "the file ends inside the file header (10 of 16 bytes)", 0),
        (50, "the file ends inside the header of record 2 (6 of 24 bytes)", 44),
        (70, "the file ends inside record 2 (26 of 32 bytes)", 44),
    ],
)
def test_a_cut_file_says_where_it_ends(cut: int, reason: str, offset: int) -> None:
    data = header() + record(b"abc") + record(b"defgh")
    assert problems_of(read(data[:cut])) == [Malformed("capture", reason, offset=offset)]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    words = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 2**32 - 1))
    data = header(draw(st.sampled_from([0, 4, 9, 13, 18])), draw(st.integers(0, 6)))
    for payload in draw(st.lists(st.binary(max_size=40), max_size=6)):
        data += record(
            payload,
            time=(draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 2**32 - 1))),
            captured=draw(words),
            length=draw(words),
            padding=draw(st.sampled_from([None, 0, 3, 16])),
        )
    whole = bytearray(data)
    for _ in range(draw(st.integers(0, 3))):
        whole[draw(st.integers(0, len(whole) - 1))] = draw(st.integers(0, 255))
    return bytes(whole)


@given(files(), st.lists(st.integers(0, 300), max_size=8))
def test_any_file_gives_the_same_however_it_is_fed(data: bytes, cuts: list[int]) -> None:
    items = read(data)
    assert read_in_pieces(SnoopReader(), data, [cut for cut in cuts if cut < len(data)]) == items
    frames = frames_of(items)
    assert [frame.number for frame in frames] == list(range(1, len(frames) + 1))
    assert all(frame.wire_length >= len(frame.data) for frame in frames)
    assert all("\n" not in problem.reason for problem in problems_of(items))
