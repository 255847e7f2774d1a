"""The classic capture file: every variant, every lie, every cut."""

from __future__ import annotations

import pytest

from dissectors.capture.pcap import COMMON_SNAPLEN, PcapReader
from dissectors.capture.records import MAX_FRAME
from dissectors.model import Frame, Malformed
from tests.dissectors.capture.layouts import (
    KUZNETZOV,
    MICRO,
    NANO,
    Item,
    frames_of,
    pcap_header,
    pcap_record,
    problems_of,
    read_all,
    read_in_pieces,
)

pytestmark = pytest.mark.usefixtures("each_path")


def read(data: bytes) -> list[Item]:
    return read_all(PcapReader(), data)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "digits", "nanoseconds"), [(MICRO, 6, 1000), (NANO, 9, 1)])
def test_the_magic_number_gives_byte_order_and_unit(
    order: str, magic: int, digits: int, nanoseconds: int
) -> None:
    data = pcap_header(order, magic=magic, link=101)
    data += pcap_record(b"abc", order, time=(1700000000, 123456))
    data += pcap_record(b"de", order, time=(1700000001, 7), wire=60)
    assert read(data) == [
        Frame(1, 1700000000 * 10**9 + 123456 * nanoseconds, digits, 101, b"abc", 40, 3),
        Frame(2, 1700000001 * 10**9 + 7 * nanoseconds, digits, 101, b"de", 59, 60),
    ]


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_records_of_the_kuznetzov_variant_have_eight_more_bytes(order: str) -> None:
    extra = bytes(range(8))
    data = pcap_header(order, magic=KUZNETZOV)
    for payload in (b"abc", b"defgh"):
        record = pcap_record(payload, order)
        data += record[:16] + extra + record[16:]
    assert read(data) == [
        Frame(1, 1_000_002_000, 6, 1, b"abc", 48, 3),
        Frame(2, 1_000_002_000, 6, 1, b"defgh", 75, 5),
    ]


def test_the_length_of_the_check_sequence_is_not_part_of_the_link_type() -> None:
    four_bytes_of_fcs = 0x4400_0000
    data = pcap_header(link=four_bytes_of_fcs | 113) + pcap_record(b"abcd")
    assert [frame.link for frame in frames_of(read(data))] == [113]


@pytest.mark.parametrize("snaplen", [0, 1, 65535, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_record_may_be_longer_than_the_snap_length(snaplen: int) -> None:
    payload = bytes(COMMON_SNAPLEN)
    items = read(pcap_header(snaplen=snaplen) + pcap_record(payload) + pcap_record(b"x"))
    assert [len(frame.data) for frame in frames_of(items)] == [COMMON_SNAPLEN, 1]
    assert problems_of(items) == []


@pytest.mark.parametrize("version", [(2, 0), (2, 2), (2, 3), (543, 0)])
def test_before_version_2_4_the_smaller_length_is_the_captured_one(
    version: tuple[int, int],
) -> None:
    data = pcap_header(version=version)
    data += pcap_record(b"abc", captured=60, wire=3) + pcap_record(b"defg")
    assert [(f.data, f.wire_length) for f in frames_of(read(data))] == [(b"abc", 60), (b"defg", 4)]


def test_a_wire_length_below_the_captured_one_is_raised_to_it() -> None:
    items = read(pcap_header() + pcap_record(b"abcdef", wire=0))
    assert items == [Frame(1, 1_000_002_000, 6, 1, b"abcdef", 40, 6)]


def test_an_unknown_version_is_told_and_read_all_the_same() -> None:
    items = read(pcap_header(version=(3, 7)) + pcap_record(b"abc"))
    assert items == [
        Malformed("capture", "the file is of pcap version 3.7; read as 2.4", offset=4),
        Frame(1, 1_000_002_000, 6, 1, b"abc", 40, 3),
    ]


@pytest.mark.parametrize(
    ("magic", "fraction", "time_ns"),
    [
        (MICRO, 1_000_000, 6 * 10**9),
        (MICRO, 0xFFFFFFFF, 5 * 10**9 + 0xFFFFFFFF * 1000),
        (NANO, 10**9, 6 * 10**9),
        (NANO, 0xFFFFFFFF, 5 * 10**9 + 0xFFFFFFFF),
    ],
)
def test_a_fraction_of_more_than_a_second_carries(magic: int, fraction: int, time_ns: int) -> None:
    items = read(pcap_header(magic=magic) + pcap_record(b"a", time=(5, fraction)))
    assert [frame.time_ns for frame in frames_of(items)] == [time_ns]


def test_times_are_unsigned_up_to_the_year_2106() -> None:
    items = read(pcap_header() + pcap_record(b"a", time=(0xFFFFFFFF, 999_999)))
    assert [frame.time_ns for frame in frames_of(items)] == [4294967295_999999000]


def test_reading_stops_at_a_record_that_claims_too_much() -> None:
    good = pcap_header() + pcap_record(b"abc")
    lie = pcap_record(b"x" * 100, captured=3_000_000_000)
    reader = PcapReader()
    assert reader.feed(good + lie) == [
        Frame(1, 1_000_002_000, 6, 1, b"abc", 40, 3),
        Malformed(
            "capture",
            "the record header at byte 43 claims 3000000000 captured bytes; reading stopped there",
            offset=43,
        ),
    ]
    assert reader.stopped
    assert reader.feed(pcap_record(b"abc")) == []
    assert reader.close() == []


@pytest.mark.parametrize(
    ("snaplen", "captured", "believed"),
    [
        (0, COMMON_SNAPLEN, True),
        (0, COMMON_SNAPLEN + 1, False),
        (65535, COMMON_SNAPLEN + 1, False),
        (1 << 20, 1 << 20, True),
        (1 << 20, (1 << 20) + 1, False),
        (0xFFFFFFFF, MAX_FRAME, True),
        (0xFFFFFFFF, MAX_FRAME + 1, False),
    ],
)
def test_a_length_is_believed_up_to_what_the_file_may_hold(
    snaplen: int, captured: int, believed: bool
) -> None:
    reader = PcapReader()
    told = reader.feed(pcap_header(snaplen=snaplen) + pcap_record(b"", captured=captured))
    assert (told == []) is believed
    assert reader.stopped is not believed


def test_zeros_at_the_end_of_a_file_that_was_never_written_are_not_frames() -> None:
    data = pcap_header() + pcap_record(b"abc") + bytes(4096)
    assert read(data) == [
        Frame(1, 1_000_002_000, 6, 1, b"abc", 40, 3),
        Malformed(
            "capture",
            "the record header at byte 43 is all zeros; reading stopped there",
            offset=43,
        ),
    ]


@pytest.mark.parametrize(("time", "wire"), [((0, 1), 0), ((1, 0), 0), ((0, 0), 60)])
def test_an_empty_record_that_says_anything_is_a_frame(time: tuple[int, int], wire: int) -> None:
    items = read(pcap_header() + pcap_record(b"", time=time, wire=wire) + pcap_record(b"abc"))
    assert [(f.number, f.data, f.wire_length) for f in frames_of(items)] == [
        (1, b"", wire),
        (2, b"abc", 3),
    ]


@pytest.mark.parametrize("magic", [MICRO, KUZNETZOV])
def test_every_whole_frame_before_a_cut_is_used(magic: int) -> None:
    header, extra = pcap_header(magic=magic), b"" if magic == MICRO else bytes(8)
    records = []
    for payload in (b"", b"a", b"x" * 50, b"end"):
        record = pcap_record(payload)
        records.append(record[:16] + extra + record[16:])
    data = header + b"".join(records)
    ends = [len(header)]
    for record in records:
        ends.append(ends[-1] + len(record))
    whole = frames_of(read(data))
    assert len(whole) == 4
    for cut in range(len(data) + 1):
        items = read(data[:cut])
        number = sum(end <= cut for end in ends) - 1
        assert frames_of(items) == whole[: max(number, 0)]
        assert len(problems_of(items)) == (cut not in ends)
        assert read_in_pieces(PcapReader(), data[:cut], range(cut)) == items


@pytest.mark.parametrize(
    ("cut", "reason", "offset"),
    [
        (0, "the file is empty", 0),
        (10, "the file ends inside the file header (10 of 24 bytes)", 0),
        (44, "the file ends inside the header of record 2 (1 of 16 bytes)", 43),
        (59, "the file ends inside record 2 (16 of 21 bytes)", 43),
        (63, "the file ends inside record 2 (20 of 21 bytes)", 43),
    ],
)
def test_a_cut_file_says_where_it_ends(cut: int, reason: str, offset: int) -> None:
    data = pcap_header() + pcap_record(b"abc") + pcap_record(b"defgh")
    assert problems_of(read(data[:cut])) == [Malformed("capture", reason, offset=offset)]


def test_closing_twice_tells_the_damage_once() -> None:
    reader = PcapReader()
    reader.feed(pcap_header()[:5])
    assert len(reader.close()) == 1
    assert reader.close() == []
    assert reader.feed(pcap_header()) == []


def test_what_is_no_pcap_file_stops_at_once() -> None:
    assert read(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n") == [
        Malformed(
            "capture",
            "the file does not start with a pcap magic number; reading stopped there",
            offset=0,
        )
    ]
