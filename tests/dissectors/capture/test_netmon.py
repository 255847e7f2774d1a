"""Captures of Microsoft Network Monitor: as editcap writes them, and as it does not."""

from __future__ import annotations

import os
import struct
import subprocess
import tracemalloc
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.capture.netmon import MAX_BAD_ENTRIES, NetmonReader
from dissectors.capture.netmon_media import MAX_EXTENDED, NO_LINK
from dissectors.capture.pcap import PcapReader
from dissectors.model import Frame, Malformed
from tests.dissectors.capture.layouts import Item, frames_of, problems_of, read_all
from tests.paths import SHARED, require_shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import tzinfo
    from pathlib import Path

START = datetime(2026, 11, 22, 10, 11, 12, 345_000, tzinfo=UTC)
START_NS = int(START.timestamp()) * 10**9 + 345_000_000
FILETIME_1970 = 116_444_736_000_000_000  # the well-known difference of the two epochs
HEADER = 128
TABLE_AT, TABLE_LENGTH = 24, 28  # of the fields in the file header
ETHERNET = bytes(12) + b"\x08\x00" + b"a packet"


@dataclass
class File:
    """A file of Network Monitor, put together record by record."""

    version: tuple[int, int] = (2, 0)
    network: int = 1
    start: datetime = START
    parts: list[bytes] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    length: int = HEADER

    def record(
        self,
        data: bytes,
        time: int = 0,
        *,
        network: int = 1,
        utc: int = 0,
        wire: int | None = None,
        captured: int | None = None,
    ) -> File:
        """Add a frame; ``time`` in microseconds (milliseconds in version 1)."""
        captured = len(data) if captured is None else captured
        wire = captured if wire is None else wire
        trailer = struct.pack("<HIQB", network, 7, utc, 0)
        lengths = (0, 2, 6, 15)
        if self.version[0] == 1:
            record = struct.pack("<IHH", time, wire, captured) + data
        else:
            head = struct.pack("<QII", time & 2**64 - 1, wire, captured)
            record = head + data + trailer[: lengths[min(self.version[1], 3)]]
        self.offsets.append(self.length)
        return self.hole(record)

    def hole(self, filling: bytes) -> File:
        """Add bytes that no frame table names."""
        self.parts.append(filling)
        self.length += len(filling)
        return self

    def header(self, table: tuple[int, int]) -> bytes:
        at = self.start
        day = at.isoweekday() % 7
        start = (at.year, at.month, day, at.day, at.hour, at.minute, at.second)
        magic = b"RTSS" if self.version[0] == 1 else b"GMBU"
        fields = struct.pack(
            "<4sBB9H2I", magic, self.version[1], self.version[0], self.network, *start,
            at.microsecond // 1000, *table,
        )  # fmt: skip
        return fields.ljust(HEADER, b"\0")

    def whole(self, table: Sequence[int] | None = None) -> bytes:
        """Return the file, with a frame table of these offsets instead of the true ones."""
        table = self.offsets if table is None else table
        entries = b"".join(struct.pack("<I", offset) for offset in table)
        return self.header((self.length, len(entries))) + b"".join(self.parts) + entries


def reading(data: bytes, zone: tzinfo | None = None) -> NetmonReader:
    return NetmonReader(lambda offset, length: data[offset : offset + length], len(data), zone)


def read(data: bytes, zone: tzinfo | None = None) -> list[Item]:
    return list(reading(data, zone).frames())


def reasons(data: bytes) -> list[str]:
    return [problem.reason for problem in problems_of(read(data))]


def tshark(path: Path, *fields: str) -> list[list[str]]:
    """Return fields of all frames as tshark reads them, in a machine that keeps UTC."""
    told = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-T", "fields", *(f"-e{name}" for name in fields)],
        capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip
    return [line.split("\t") for line in told.stdout.splitlines()]


def facts(frames: Sequence[Frame]) -> list[list[str]]:
    """Return what tshark says of frames as number, time, and both lengths."""
    return [
        [
            str(frame.number),
            f"{frame.time_ns // 10**9}.{frame.time_ns % 10**9:09}",
            str(frame.wire_length),
            str(len(frame.data)),
        ]
        for frame in frames
    ]


FACTS = ("frame.number", "frame.time_epoch", "frame.len", "frame.cap_len")


# What editcap writes


@pytest.mark.parametrize(("form", "unit"), [("netmon2", 1000), ("netmon1", 1_000_000)])
def test_a_file_of_editcap_holds_the_frames_of_the_original(
    form: str, unit: int, tmp_path: Path
) -> None:
    require_shared()
    original = SHARED / "captures" / "reconnect.pcap"
    path = tmp_path / "reconnect.cap"
    subprocess.run(
        ["editcap", "-F", form, str(original), str(path)],
        check=True, capture_output=True, env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip
    data = path.read_bytes()
    frames = frames_of(read(data))
    known = frames_of(read_all(PcapReader(), original.read_bytes()))
    assert [frame.data for frame in frames] == [frame.data for frame in known]
    assert [frame.wire_length for frame in frames] == [frame.wire_length for frame in known]
    # editcap rounds half up to the unit of the format.
    assert [frame.time_ns for frame in frames] == [
        (frame.time_ns + unit // 2) // unit * unit for frame in known
    ]
    assert all(data[f.offset : f.offset + len(f.data)] == f.data for f in frames)
    assert facts(frames) == tshark(path, *FACTS)


# What it does not write


@pytest.mark.parametrize("version", [(2, 0), (2, 1), (2, 2), (2, 3), (2, 7), (1, 1)])
def test_every_version_has_its_own_record(version: tuple[int, int], tmp_path: Path) -> None:
    file = File(version).record(ETHERNET, 5, utc=0).record(ETHERNET * 2, 7_000_001, wire=1500)
    frames = frames_of(read(file.whole()))
    unit = 1_000_000 if version[0] == 1 else 1000
    assert [frame.time_ns - START_NS for frame in frames] == [5 * unit, 7_000_001 * unit]
    assert [(f.number, f.link, f.data, f.wire_length) for f in frames] == [
        (1, 1, ETHERNET, len(ETHERNET)),
        (2, 1, ETHERNET * 2, 1500),
    ]
    assert {frame.digits for frame in frames} == {
        {1: 3, 2: 7 if version[1] >= 3 else 6}[version[0]]
    }
    path = tmp_path / "x.cap"
    path.write_bytes(file.whole())
    if version[1] < 3:  # there, tshark says 1601 where there is no UTC
        assert facts(frames) == tshark(path, *FACTS)


def test_version_2_3_has_the_time_of_each_frame_in_utc(tmp_path: Path) -> None:
    file = File((2, 3), start=datetime(2001, 1, 1, tzinfo=UTC))
    utc = START_NS // 100 + FILETIME_1970
    file.record(ETHERNET, 5, utc=utc + 3).record(ETHERNET, 5, utc=utc + 10_000_000)
    reader = reading(file.whole(), timezone(timedelta(hours=5)))
    frames = frames_of(list(reader.frames()))
    assert [frame.time_ns - START_NS for frame in frames] == [300, 10**9]
    assert {frame.digits for frame in frames} == {7}
    assert not reader.local_times
    path = tmp_path / "x.cap"
    path.write_bytes(file.whole())
    assert facts(frames) == tshark(path, *FACTS)


@pytest.mark.parametrize("version", [(1, 1), (2, 0), (2, 1), (2, 2)])
def test_earlier_times_are_local_to_a_zone_that_the_file_does_not_say(
    version: tuple[int, int],
) -> None:
    data = File(version).record(ETHERNET).whole()
    east = reading(data, timezone(timedelta(hours=2)))
    assert east.local_times
    assert [frame.time_ns for frame in frames_of(list(east.frames()))] == [
        START_NS - 2 * 3600 * 10**9
    ]
    assert [frame.time_ns for frame in frames_of(read(data))] == [START_NS]


def test_a_frame_may_be_older_than_the_start() -> None:
    (frame,) = frames_of(read(File().record(ETHERNET, -1_500_000).whole()))
    assert frame.time_ns == START_NS - 1_500_000_000


@pytest.mark.parametrize("time", [2**63 - 1, 2**63, 2**64 - 1, 2**62])
def test_no_time_is_outside_of_64_bits(time: int) -> None:
    (frame,) = frames_of(read(File().record(ETHERNET, time).whole()))
    assert -(2**63) <= frame.time_ns < 2**63


def test_a_start_that_is_no_date_is_told() -> None:
    data = bytearray(File().record(ETHERNET, 5).whole())
    data[10:12] = b"\0\0"  # the month
    assert read(bytes(data)) == [
        Malformed(
            "capture",
            "the start time in the file header is no date; times count from 1970",
            offset=8,
        ),
        Frame(1, 5000, 6, 1, ETHERNET, HEADER + 16, len(ETHERNET)),
    ]


def test_the_table_says_where_frames_are_and_in_which_order(tmp_path: Path) -> None:
    file = File((2, 1)).record(b"\x01" * 60, 1).hole(b"\xff" * 999).record(b"\x02" * 60, 2)
    file.hole(b"\xff" * 3).record(b"\x03" * 60, 3)
    data = file.whole([file.offsets[1], file.offsets[2], file.offsets[0]])
    frames = frames_of(read(data))
    assert [(frame.number, frame.data[0]) for frame in frames] == [(1, 2), (2, 3), (3, 1)]
    assert problems_of(read(data)) == []
    path = tmp_path / "x.cap"
    path.write_bytes(data)
    assert facts(frames) == tshark(path, *FACTS)


def test_the_version_and_the_magic_number_must_be_known() -> None:
    assert reasons(File((3, 4)).record(ETHERNET).whole()) == [
        "the file is of Network Monitor version 3.4, which is not known"
    ]
    assert reasons(b"GIF89a" + bytes(200)) == [
        "the file does not start with a magic number of Network Monitor"
    ]
    assert reasons(b"") == ["the file is empty"]
    assert reasons(File().whole()[:30]) == ["the file ends inside the file header (30 of 64 bytes)"]


# What the frames are of


@pytest.mark.parametrize(
    ("network", "link"),
    [
        (0, 1), (1, 1), (2, 6), (3, 10), (4, NO_LINK), (5, NO_LINK), (7, 101), (8, 101), (9, 101),
        (10, NO_LINK), (11, NO_LINK), (12, NO_LINK), (0xE000 + 113, 113), (0xE080, 105),
        (0xE082, NO_LINK), (0xE08A, NO_LINK), (0xFFE0, NO_LINK), (0xFFFB, NO_LINK),
        (0xFFFC, NO_LINK), (0xFFFD, NO_LINK), (0xFFFE, NO_LINK), (0xFFFF, NO_LINK),
    ],
)  # fmt: skip
def test_a_network_type_is_a_link_type_or_carries_nothing(network: int, link: int) -> None:
    file = File((2, 1)).record(b"first", network=1).record(b"what", network=network)
    file.record(b"last", network=1)
    frames = frames_of(read(file.whole()))
    assert [(frame.number, frame.link, frame.data) for frame in frames] == [
        (1, 1, b"first"),
        (2, link, b"what"),
        (3, 1, b"last"),
    ]


def test_before_version_2_1_the_file_has_one_network_type() -> None:
    assert [f.link for f in frames_of(read(File(network=3).record(b"x").whole()))] == [10]


def test_the_radio_of_a_wireless_frame_is_left_out() -> None:
    metadata = struct.pack("<BH", 2, 32).ljust(32, b"\7")
    data = File((2, 1)).record(metadata + b"802.11 frame", network=6, wire=100).whole()
    (frame,) = frames_of(read(data))
    assert (frame.link, frame.data, frame.wire_length) == (105, b"802.11 frame", 100 - 32)
    assert data[frame.offset :].startswith(b"802.11 frame")


@pytest.mark.parametrize("length", [0, 2, 5, 0xFFFF])
def test_a_wireless_frame_whose_metadata_cannot_be_true_carries_nothing(length: int) -> None:
    data = File((2, 1)).record(struct.pack("<BH", 2, length) + b"a", network=6).whole()
    (frame,) = frames_of(read(data))
    assert (frame.link, len(frame.data)) == (NO_LINK, 4)


NDIS = bytes.fromhex("6e00d62e29470946b4233ee7bcd678ef")
WFP = bytes.fromhex("141b2dc242c2de499f171d76b8b9c458")
WHOLE = 0xC000_0000


def event(
    provider: bytes, number: int, data: bytes, *, keywords: int = WHOLE, extended: int = 0
) -> bytes:
    """Return an event of Windows as Network Monitor keeps it."""
    head = struct.pack("<HHHHIIQ", 0, 0, 0, 0, 1, 2, 0) + provider
    head += struct.pack("<HBBBBHQ", number, 0, 0, 4, 0, 0, keywords) + bytes(8 + 16)
    head += struct.pack("<BBH", 0, 8, 1) + struct.pack("<HHB", extended, len(data), 0)
    return head + struct.pack("<HHHH", 0, 1, 0, 5) * extended + b"" + data


def fragment(packet: bytes, length: int | None = None) -> bytes:
    return struct.pack("<III", 4, 4, len(packet) if length is None else length) + packet


@pytest.mark.parametrize(
    ("keywords", "link"),
    [(WHOLE | 1, 1), (WHOLE | 0x200, 101), (WHOLE | 0x8000, 101), (WHOLE | 0x10000, 105)],
)
def test_the_packet_inside_an_event_of_netsh_trace_is_found(keywords: int, link: int) -> None:
    record = event(NDIS, 1001, fragment(ETHERNET), keywords=keywords)
    data = File((2, 3)).record(record, network=0xFFE0).whole()
    (frame,) = frames_of(read(data))
    assert (frame.link, frame.data, frame.wire_length) == (link, ETHERNET, len(ETHERNET))
    assert data[frame.offset : frame.offset + len(ETHERNET)] == ETHERNET


def test_tshark_finds_the_same_packet_inside_an_event(tmp_path: Path) -> None:
    require_shared()
    original = SHARED / "captures" / "signin-tcp.pcap"
    known = frames_of(read_all(PcapReader(), original.read_bytes()))
    file = File((2, 3))
    for frame in known:
        utc = frame.time_ns // 100 + FILETIME_1970
        record = event(NDIS, 1001, fragment(frame.data), keywords=WHOLE | 1)
        file.record(record, network=0xFFE0, utc=utc)
    frames = frames_of(read(file.whole()))
    assert [(f.link, f.data, f.time_ns) for f in frames] == [
        (f.link, f.data, f.time_ns) for f in known
    ]
    path = tmp_path / "x.cap"
    path.write_bytes(file.whole())
    asked = ("frame.time_epoch", "tcp.srcport", "tcp.seq", "tcp.len", "sip.CSeq")
    assert tshark(path, *asked) == tshark(original, *asked)


@pytest.mark.parametrize(
    "record",
    [
        event(NDIS, 1002, fragment(ETHERNET)),
        event(bytes(16), 1001, fragment(ETHERNET)),
        event(NDIS, 1001, fragment(ETHERNET), keywords=0x4000_0000),
        event(NDIS, 1001, b"short"),
        event(NDIS, 1001, fragment(ETHERNET))[:88],
        event(NDIS, 1001, b"", extended=2)[:95],
        event(NDIS, 1001, fragment(ETHERNET), extended=MAX_EXTENDED + 1),
        event(WFP, 60011, b"short"),
    ],
)
def test_an_event_without_a_whole_packet_carries_nothing(record: bytes) -> None:
    (frame,) = frames_of(read(File((2, 3)).record(record, network=0xFFE0).whole()))
    assert (frame.link, frame.data) == (NO_LINK, record)


def test_a_packet_is_no_longer_than_its_event() -> None:
    lying = event(NDIS, 1001, fragment(ETHERNET, 0xFFFF_FFFF)) + b"behind"
    (frame,) = frames_of(read(File((2, 3)).record(lying, network=0xFFE0).whole()))
    assert frame.data == ETHERNET


SEGMENT = struct.pack("!HHIIBBHHH", 5061, 49152, 1, 1, 0x50, 0x18, 8192, 0, 0) + b"OPTIONS"


@pytest.mark.parametrize(
    ("network", "width", "flow"), [(0xE083, 4, 0), (0xE085, 4, 8), (0xE084, 16, 0), (0xE086, 16, 8)]
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_segment_of_the_filtering_platform_gets_its_ip_header_back(
    network: int, width: int, flow: int, *, inside: bool
) -> None:
    addresses = bytes(range(1, 2 * width + 1))
    message = addresses + b"\x06" + bytes(flow) + struct.pack("<H", len(SEGMENT)) + SEGMENT
    if inside:
        number = {4: 60011, 16: 60021}[width] + (flow == 8)
        message, network = event(WFP, number, message), 0xFFE0
    (frame,) = frames_of(read(File((2, 3)).record(message, network=network).whole()))
    packet = frame.data
    assert frame.link == 101
    assert packet.endswith(addresses + SEGMENT)
    if width == 4:
        assert (packet[0], packet[9]) == (0x45, 6)
        assert int.from_bytes(packet[2:4]) == len(packet) == 20 + len(SEGMENT)
    else:
        assert (packet[0] >> 4, packet[6]) == (6, 6)
        assert int.from_bytes(packet[4:6]) == len(packet) - 40 == len(SEGMENT)


def test_tshark_finds_the_same_segments_of_the_filtering_platform(tmp_path: Path) -> None:
    file = File((2, 3))
    for network, width, flow in [(0xE083, 4, 0), (0xE085, 4, 8), (0xE084, 16, 0), (0xE086, 16, 8)]:
        head = bytes(range(1, 2 * width + 1)) + b"\x06" + bytes(flow)
        message = head + struct.pack("<H", len(SEGMENT)) + SEGMENT
        file.record(message, network=network, utc=FILETIME_1970 + 1)
    path = tmp_path / "x.cap"
    path.write_bytes(file.whole())
    told = tshark(path, "tcp.srcport", "tcp.dstport", "tcp.len", "ip.src", "ipv6.dst")
    assert (
        told
        == [["5061", "49152", "7", "1.2.3.4", ""]] * 2
        + [["5061", "49152", "7", "", "1112:1314:1516:1718:191a:1b1c:1d1e:1f20"]] * 2
    )
    assert [len(frame.data) for frame in frames_of(read(file.whole()))] == [47, 47, 67, 67]


# Damage


def three() -> File:
    return File((2, 1)).record(b"a" * 20, 1).record(b"b" * 30, 2).record(b"c" * 40, 3)


def without_table() -> bytes:
    file = three()
    return file.header((0, 0)) + b"".join(file.parts)


def test_a_file_that_was_never_ended_is_read_from_front_to_back() -> None:
    items = read(without_table())
    assert items == [
        Malformed(
            "capture",
            "the file has no frame table: the capture was not ended properly; "
            "the frames are read one after the other",
            offset=0,
        ),
        *read(three().whole()),
    ]


@pytest.mark.parametrize("kept", [0, 1, 4, 11])
def test_a_cut_table_is_done_without(kept: int) -> None:
    data = three().whole()
    items = read(data[: len(data) - 12 + kept])
    assert frames_of(items) == frames_of(read(data))[:3]
    assert problems_of(items)[0].reason == (
        "the frame table is cut off; the frames are read one after the other"
    )


def test_every_whole_frame_before_a_cut_is_used() -> None:
    file = three()
    data = file.whole()
    known = frames_of(read(data))
    ends = [*file.offsets[1:], file.length]
    for cut in range(HEADER, file.length):
        items = read(data[:cut])
        whole = sum(end <= cut for end in ends)
        assert frames_of(items) == known[:whole]
        inside = cut not in {*file.offsets, file.length}
        assert len(problems_of(items)) == 1 + inside
        if inside:
            assert "ends inside" in problems_of(items)[1].reason
            assert problems_of(items)[1].frame == whole + 1


@pytest.mark.parametrize(
    "table",
    [
        [0, 1, 2],
        [0xFFFF_FFFF] * 3,
        [200, 0xFFFF_FFF0, 0xFFFF_FFF1],
    ],
)
def test_a_table_of_impossible_entries_is_done_without(table: list[int]) -> None:
    items = read(three().whole(table))
    assert [frame.data[:1] for frame in frames_of(items)] == [b"a", b"b", b"c"]
    assert problems_of(items)[0].reason == (
        "the frame table is damaged; the frames are read one after the other"
    )


@pytest.mark.parametrize(("offset", "length"), [(64, 12), (HEADER, 13), (HEADER, 7)])
def test_a_table_that_cannot_be_where_it_should_is_done_without(offset: int, length: int) -> None:
    file = three()
    data = file.header((offset, length)) + b"".join(file.parts) + bytes(64)
    items = read(data)
    assert [frame.data[:1] for frame in frames_of(items)] == [b"a", b"b", b"c"]
    told = [problem.reason for problem in problems_of(items)]
    assert told == [
        "the frame table is damaged; the frames are read one after the other",
        f"the record header at byte {file.length} is all zeros; reading stopped there",
    ]


def test_a_bad_entry_costs_its_frame_alone() -> None:
    file = three()
    items = read(file.whole([file.offsets[0], 0xFFFF_FF00, file.offsets[2]]))
    assert [frame.number for frame in frames_of(items)] == [1, 3]
    assert problems_of(items) == [
        Malformed(
            "capture",
            "the frame table has it at byte 4294967040, where none can be",
            frame=2,
            offset=0xFFFF_FF00,
        )
    ]


def test_a_record_that_claims_too_much_costs_its_frame_alone() -> None:
    file = File().record(b"a").record(b"b", captured=0xFFFF_FFFF).record(b"c")
    items = read(file.whole())
    assert [frame.number for frame in frames_of(items)] == [1, 3]
    assert [problem.frame for problem in problems_of(items)] == [2]
    assert "claims 4294967295 captured bytes" in problems_of(items)[0].reason


def test_frames_that_cannot_be_read_are_counted_when_they_are_many() -> None:
    many = MAX_BAD_ENTRIES + 50
    file = three()
    told = reasons(file.whole([*file.offsets * many, *[0xFFFF_0000] * many]))
    # The table names the same three frames again and again.
    assert told[-1].startswith("the frame table names the same bytes again and again")
    big = File().record(bytes(1 << 12), 1)
    told = reasons(big.whole([*[big.offsets[0]] * 1, *[big.offsets[0] + 100] * many]))
    assert len(told) == MAX_BAD_ENTRIES + 1
    assert told[-1] == "50 more frames could not be read"


def test_a_table_cannot_make_more_of_a_file_than_it_has() -> None:
    file = File().record(bytes(50_000), 1)
    data = file.whole(file.offsets * 100_000)
    passed = sum(len(frame.data) for frame in frames_of(read(data)))
    assert passed <= len(data)


@pytest.mark.untraced
def test_a_file_is_not_read_into_memory() -> None:
    record = struct.pack("<QII", 0, 1000, 1000) + bytes(1000)
    number = 200_000  # 200 megabytes of frames
    table = HEADER + len(record) * number
    header = File().header((table, 4 * number))
    size = table + 4 * number
    largest = 0

    def read_at(offset: int, length: int) -> bytes:
        nonlocal largest
        largest = max(largest, length)
        if offset == 0:
            return header[:length]
        if offset >= table:
            first = (offset - table) // 4
            return b"".join(
                struct.pack("<I", HEADER + len(record) * entry)
                for entry in range(first, min(first + length // 4, number))
            )
        begin = (offset - HEADER) % len(record)
        return (record * (length // len(record) + 2))[begin : begin + length]

    tracemalloc.start()
    try:
        frames = NetmonReader(read_at, size).frames()
        seen = len(frames_of(list(islice(frames, 500))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seen == 500
    assert largest <= 1 << 18
    assert peak < 4 << 20


def counted(data: bytes) -> tuple[Callable[[int, int], bytes], Callable[[], int]]:
    given = 0

    def read_at(offset: int, length: int) -> bytes:
        nonlocal given
        given += len(data[offset : offset + length])
        return data[offset : offset + length]

    return read_at, lambda: given


def test_frames_in_disorder_are_not_read_many_times_over() -> None:
    file = File()
    for number in range(2000):
        file.record(bytes([number & 0xFF]) * 500, number)
    shuffled = [file.offsets[number * 7919 % 2000] for number in range(2000)]
    data = file.whole(shuffled)
    read_at, given = counted(data)
    frames = list(NetmonReader(read_at, len(data)).frames())
    assert len(frames) == 2000
    assert given() < 6 * len(data)


# Anything at all


@st.composite
def files(draw: st.DrawFn) -> bytes:
    version = draw(st.sampled_from([(1, 1), (2, 0), (2, 1), (2, 2), (2, 3)]))
    file = File(version, network=draw(st.integers(0, 12)))
    networks = st.sampled_from([0, 1, 6, 9, 0xE071, 0xE083, 0xE084, 0xFFE0, 0xFFFF])
    for _ in range(draw(st.integers(0, 6))):
        data = draw(st.one_of(st.binary(max_size=80), st.just(event(NDIS, 1001, fragment(b"x")))))
        file.record(
            data, draw(st.integers(0, 2**32 - 1)), network=draw(networks),
            utc=draw(st.integers(0, 2**64 - 1)),
        )  # fmt: skip
        if draw(st.booleans()):
            file.hole(draw(st.binary(max_size=20)))
    table = draw(st.one_of(st.none(), st.permutations(file.offsets)))
    whole = bytearray(file.whole(table))
    for _ in range(draw(st.integers(0, 6))):
        whole[draw(st.integers(0, len(whole) - 1))] = draw(st.integers(0, 255))
    return bytes(whole[: draw(st.one_of(st.none(), st.integers(0, len(whole))))])


def checked(items: Sequence[Item], size: int) -> Iterator[int]:
    for item in items:
        if isinstance(item, Frame):
            assert -(2**63) <= item.time_ns < 2**63
            assert 0 <= item.offset <= size
            assert item.wire_length >= len(item.data)
            assert 0 <= item.link < 1 << 16
            yield item.number
        else:
            assert "\n" not in item.reason


@given(files())
@example(File((2, 1)).whole())
def test_any_file_gives_frames_in_order_and_reasons(data: bytes) -> None:
    items = read(data)
    numbers = list(checked(items, len(data)))
    assert numbers == sorted(set(numbers))
    assert items == read(data)
    assert numbers or problems_of(items)
