"""The block-structured capture file: sections, interfaces, packets, and damage to each of them."""

from __future__ import annotations

import struct

import pytest

from dissectors.capture import pcapng
from dissectors.capture.pcapng import LAST_TIME, MAX_BLOCK, MAX_PROBLEMS, PcapngReader
from dissectors.model import Frame, Malformed
from tests.dissectors.capture.layouts import (
    Item,
    block,
    enhanced,
    frames_of,
    interface,
    obsolete,
    option,
    problems_of,
    read_all,
    read_in_pieces,
    section,
    simple,
)

pytestmark = pytest.mark.usefixtures("each_path")


both_orders = pytest.mark.parametrize("order", ["<", ">"])


def read(data: bytes) -> list[Item]:
    items = read_all(PcapngReader(), data)
    assert read_in_pieces(PcapngReader(), data, range(len(data))) == items
    return items


def times(data: bytes) -> list[tuple[int, int]]:
    return [(frame.time_ns, frame.digits) for frame in frames_of(read(data))]


def reasons(data: bytes) -> list[str]:
    return [problem.reason for problem in problems_of(read(data))]


@both_orders
def test_an_enhanced_packet_has_time_data_and_both_lengths(order: str) -> None:
    data = section(order) + interface(order, link=113)
    data += enhanced(b"abcde", order, ticks=1700000000_123456, wire=90)
    assert read(data) == [Frame(1, 1700000000_123456000, 6, 113, b"abcde", 28 + 20 + 28, 90)]


@both_orders
def test_an_obsolete_packet_is_read_like_an_enhanced_one(order: str) -> None:
    data = section(order) + interface(order, link=7) + interface(order, link=8)
    data += obsolete(b"abcde", order, number=1, ticks=1700000000_123456)
    assert read(data) == [Frame(1, 1700000000_123456000, 6, 8, b"abcde", 28 + 40 + 28, 5)]


@both_orders
def test_a_simple_packet_has_no_time_and_belongs_to_the_first_interface(order: str) -> None:
    data = section(order) + interface(order, link=101, resolution=9) + interface(order, link=1)
    data += simple(b"abcde", order)
    assert read(data) == [Frame(1, 0, 9, 101, b"abcde", 28 + 28 + 20 + 12, 5)]


@pytest.mark.parametrize(
    ("snaplen", "wire", "length"), [(0, 12, 12), (10, 12, 10), (96, 11, 11), (0, 1000, 12)]
)
def test_a_simple_packet_ends_at_its_length_the_snap_length_or_its_block(
    snaplen: int, wire: int, length: int
) -> None:
    data = section() + interface(snaplen=snaplen) + simple(b"abcdefghijkl", wire=wire)
    assert [(f.data, f.wire_length) for f in frames_of(read(data))] == [
        (b"abcdefghijkl"[:length], wire)
    ]


def test_a_wire_length_below_the_captured_one_is_raised_to_it() -> None:
    data = section() + interface() + enhanced(b"abcdef", wire=2) + enhanced(b"abcdef", wire=0)
    assert [frame.wire_length for frame in frames_of(read(data))] == [6, 6]


def test_link_type_unit_and_offset_belong_to_the_interface() -> None:
    data = section() + interface(link=1) + interface(link=101, resolution=9, offset=-3600)
    data += enhanced(b"a", number=0, ticks=5_000_001) + enhanced(b"b", number=1, ticks=5 * 10**9)
    data += interface(link=228, resolution=3, offset=100)
    data += enhanced(b"c", number=2, ticks=1) + enhanced(b"d", number=0, ticks=6_000_000)
    assert [(f.link, f.time_ns, f.digits) for f in frames_of(read(data))] == [
        (1, 5_000_001_000, 6),
        (101, (5 - 3600) * 10**9, 9),
        (228, 100_001_000_000, 3),
        (1, 6 * 10**9, 6),
    ]


@pytest.mark.parametrize(
    ("resolution", "ticks", "time_ns", "digits"),
    [
        (0, 7, 7_000_000_000, 0),
        (1, 7, 700_000_000, 1),
        (6, 7, 7_000, 6),
        (9, 7, 7, 9),
        (12, 7_999, 7, 9),
        (127, 2**64 - 1, 0, 9),
        (0x80 | 0, 7, 7_000_000_000, 0),
        (0x80 | 1, 3, 1_500_000_000, 1),
        (0x80 | 10, 1, 976_562, 4),
        (0x80 | 20, 2**20 + 1, 1_000_000_953, 7),
        (0x80 | 32, 2**31, 500_000_000, 9),
        (0x80 | 127, 2**64 - 1, 0, 9),
    ],
)
def test_the_unit_of_time_is_a_power_of_ten_or_of_two(
    resolution: int, ticks: int, time_ns: int, digits: int
) -> None:
    data = section() + interface(resolution=resolution) + enhanced(b"a", ticks=ticks)
    assert times(data) == [(time_ns, digits)]


@pytest.mark.parametrize(
    ("resolution", "offset"), [(6, None), (0, None), (0, 2**63 - 1), (9, 2**40), (0x81, None)]
)
def test_a_time_beyond_64_bits_of_nanoseconds_becomes_the_last_one(
    resolution: int, offset: int | None
) -> None:
    data = section() + interface(resolution=resolution, offset=offset)
    data += enhanced(b"a", ticks=2**64 - 1) + obsolete(b"a", ticks=2**64 - 1)
    assert [time for time, _ in times(data)] == [LAST_TIME, LAST_TIME]


def test_a_time_before_all_64_bits_becomes_the_first_one() -> None:
    data = section() + interface(offset=-(2**63)) + enhanced(b"a", ticks=0)
    assert [time for time, _ in times(data)] == [-(2**63)]


def test_options_of_wrong_length_are_as_if_absent_and_the_first_of_two_holds() -> None:
    more = option(9, b"\x09\x09") + option(14, b"abc") + option(2, b"eth0")
    again = option(9, b"\x03") + option(9, b"\x09") + option(0, b"") + option(14, bytes(8))
    data = section() + interface(more=more) + interface(more=again)
    data += enhanced(b"a", ticks=1) + enhanced(b"b", ticks=1, number=1)
    assert times(data) == [(1000, 6), (1_000_000, 3)]


def test_damaged_options_of_an_interface_are_told_and_reading_goes_on() -> None:
    more = option(9, b"\x09") + struct.pack("<HH", 2, 5000) + b"eth0"
    data = section() + interface(more=more) + enhanced(b"a", ticks=5)
    assert read(data) == [
        Malformed("capture", "the options of interface 0 are damaged", offset=28),
        Frame(1, 5, 9, 1, b"a", 28 + 36 + 28, 1),
    ]


def test_each_section_has_its_byte_order_and_interfaces_and_frames_count_on() -> None:
    data = section("<") + interface("<", link=1) + interface("<", link=7) + enhanced(b"a", "<")
    data += section(">", length=1234) + interface(">", link=101) + enhanced(b"b", ">")
    data += section("<") + interface("<", link=113, resolution=9) + enhanced(b"c", "<", ticks=3)
    assert [(f.number, f.link, f.time_ns, f.data) for f in frames_of(read(data))] == [
        (1, 1, 10**9, b"a"),
        (2, 101, 10**9, b"b"),
        (3, 113, 3, b"c"),
    ]


def test_an_interface_of_the_section_before_is_not_known_in_the_next() -> None:
    data = section() + interface() + section() + enhanced(b"a") + interface() + enhanced(b"b")
    assert read(data) == [
        Malformed("capture", "the packet names interface 0, which is not described", 1, 76),
        Frame(2, 10**9, 6, 1, b"b", 76 + 36 + 20 + 28, 1),
    ]


@pytest.mark.parametrize(
    "packet", [enhanced(b"abc", number=1), obsolete(b"abc", number=1), enhanced(b"", number=2**31)]
)
def test_a_packet_of_an_unknown_interface_costs_itself_alone(packet: bytes) -> None:
    data = section() + interface() + enhanced(b"a") + packet + enhanced(b"b")
    items = read(data)
    assert [(frame.number, frame.data) for frame in frames_of(items)] == [(1, b"a"), (3, b"b")]
    assert [(problem.frame, problem.offset) for problem in problems_of(items)] == [(2, 84)]


def test_a_simple_packet_needs_an_interface_too() -> None:
    assert reasons(section() + simple(b"abc")) == [
        "the packet names interface 0, which is not described"
    ]


@both_orders
def test_unknown_and_uninteresting_blocks_are_passed_over(order: str) -> None:
    name_resolution, statistics = block(4, bytes(4), order), block(5, bytes(12), order)
    unknown, empty = block(0x0C0FFEE0, b"?" * 33, order), block(0x77, b"", order)
    data = section(order) + unknown + interface(order) + name_resolution + enhanced(b"a", order)
    data += statistics + empty + enhanced(b"b", order) + unknown
    items = read(data)
    assert [(frame.number, frame.data) for frame in frames_of(items)] == [(1, b"a"), (2, b"b")]
    assert problems_of(items) == []


@pytest.mark.parametrize("kind", [0x00000BAD, 0x40000BAD, 9])
def test_blocks_that_wireshark_lists_as_records_take_a_number(kind: int) -> None:
    data = section() + interface() + block(kind, bytes(8)) + enhanced(b"a") + block(kind, bytes(8))
    data += simple(b"b")
    assert [(f.number, f.data) for f in frames_of(read(data))] == [(2, b"a"), (4, b"b")]


@both_orders
def test_tls_key_logs_are_kept_and_other_secrets_are_not(order: str) -> None:
    log = b"CLIENT_RANDOM 00 11\n"
    tls = block(10, struct.pack(order + "II", 0x544C534B, len(log)) + log + b"\0\0", order)
    wireguard = block(10, struct.pack(order + "II", 0x57474B4C, 4) + b"abcd", order)
    reader = PcapngReader()
    assert read_all(reader, section(order) + tls + wireguard + tls) == []
    assert reader.secrets == [log, log]


def test_a_block_of_secrets_that_is_too_short_is_told() -> None:
    assert reasons(section() + block(10, bytes(4))) == ["the block of secrets is too short"]


def test_key_logs_are_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcapng, "MAX_SECRETS", 10)
    secret = block(10, struct.pack("<II", 0x544C534B, 6) + b"abcdef")
    reader = PcapngReader()
    items = read_all(reader, section() + secret + secret)
    assert reader.secrets == [b"abcdef"]
    assert problems_of(items) == [
        Malformed("capture", "key logs beyond 10 bytes are not kept", offset=28 + 28)
    ]


def test_a_packet_that_claims_more_than_its_block_has_costs_itself_alone() -> None:
    data = section() + interface() + enhanced(b"abcd", captured=5) + enhanced(b"b")
    assert read(data) == [
        Malformed("capture", "the packet claims 5 captured bytes, more than its block has", 1, 48),
        Frame(2, 10**9, 6, 1, b"b", 48 + 36 + 28, 1),
    ]


@pytest.mark.parametrize("kind", [2, 3, 6])
def test_a_packet_block_that_is_too_short_costs_itself_alone(kind: int) -> None:
    data = section() + interface() + block(kind, b"") + enhanced(b"b")
    items = read(data)
    assert [(frame.number, frame.data) for frame in frames_of(items)] == [(2, b"b")]
    assert problems_of(items) == [Malformed("capture", "the packet block is too short", 1, 48)]


def test_blocks_beyond_a_bound_are_counted_not_told_one_by_one() -> None:
    data = section() + interface() + enhanced(b"a", number=9) * (MAX_PROBLEMS + 23)
    found = problems_of(read_all(PcapngReader(), data))
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == Malformed("capture", "23 more blocks could not be used")


def test_reading_stops_where_the_two_lengths_of_a_block_differ() -> None:
    bad = block(6, struct.pack("<IIIII", 0, 0, 0, 3, 3) + b"bad\0", second_length=48)
    data = section() + interface() + enhanced(b"a") + bad + enhanced(b"b")
    reader = PcapngReader()
    assert read_all(reader, data) == [
        Frame(1, 10**9, 6, 1, b"a", 76, 1),
        Malformed(
            "capture",
            "the two lengths of the block at byte 84 differ; reading stopped there",
            offset=84,
        ),
    ]
    assert reader.stopped


@pytest.mark.parametrize("length", [0, 8, 11, MAX_BLOCK + 1, MAX_BLOCK + 4, 0xFFFFFFFF])
def test_reading_stops_at_a_length_that_no_block_can_have(length: int) -> None:
    data = section() + struct.pack("<II", 6, length) + bytes(100)
    assert reasons(data) == [
        f"the block at byte 28 claims a length of {length} bytes; reading stopped there"
    ]


def test_a_length_without_the_padding_is_understood() -> None:
    packet = bytearray(simple(b"abcde"))
    struct.pack_into("<I", packet, 4, 21)
    struct.pack_into("<I", packet, 20, 21)
    data = section() + interface() + bytes(packet) + enhanced(b"b")
    assert [frame.data for frame in frames_of(read(data))] == [b"abcde", b"b"]


@pytest.mark.parametrize("make", [enhanced, simple])
def test_a_block_without_padding_is_understood(make: object) -> None:
    assert callable(make)
    packet = make(b"abcde")
    length = struct.pack("<I", len(packet) - 3)
    packet = packet[:4] + length + packet[8:-7] + length
    data = section() + interface() + packet + enhanced(b"b")
    assert [frame.data for frame in frames_of(read(data))] == [b"abcde", b"b"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"\x0a\x0d", "the file ends inside the block at byte 0 (2 of 12 bytes)"),
        (section()[:20], "the file ends inside the block at byte 0 (20 of 28 bytes)"),
        (
            section() + interface() + enhanced(b"abc")[:35],
            "the file ends inside the block at byte 48 (35 of 36 bytes)",
        ),
    ],
)
def test_a_cut_file_says_where_it_ends(data: bytes, reason: str) -> None:
    assert reasons(data) == [reason]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\n", "there is no valid section header at byte 0"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0abcd", "there is no valid section header at byte 0"),
        (section(version=(2, 0)), "the section at byte 0 is of pcapng version 2"),
        (section(">", version=(256, 0)), "the section at byte 0 is of pcapng version 256"),
        (block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a"), "the section header at byte 0 is too short"),
        (section() + block(1, b"abcd"), "the interface description at byte 28 is too short"),
        (section() + section()[:8] + bytes(20), "there is no valid section header at byte 28"),
    ],
)
def test_reading_stops_where_nothing_behind_can_be_understood(data: bytes, reason: str) -> None:
    assert reasons(data) == [f"{reason}; reading stopped there"]


def test_a_minor_version_does_not_matter() -> None:
    data = section(version=(1, 2)) + interface() + enhanced(b"a")
    assert [frame.data for frame in frames_of(read(data))] == [b"a"]


def test_interfaces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcapng, "MAX_INTERFACES", 3)
    assert reasons(section() + interface() * 3 + enhanced(b"a", number=2)) == []
    assert reasons(section() + interface() * 4) == [
        "there are more than 3 interfaces; reading stopped there"
    ]


@both_orders
def test_every_whole_frame_before_a_cut_is_used(order: str) -> None:
    parts = [
        section(order),
        interface(order),
        enhanced(b"abc", order),
        simple(b"defgh", order),
        block(5, bytes(12), order),
        obsolete(b"", order),
        enhanced(b"end", order, more=option(1, b"a comment", order)),
    ]
    data = b"".join(parts)
    ends = [sum(map(len, parts[:count])) for count in range(len(parts) + 1)]
    whole = frames_of(read(data))
    assert [len(frame.data) for frame in whole] == [3, 5, 0, 3]
    packets = (3, 4, 6, 7)
    for cut in range(1, len(data) + 1):
        items = read(data[:cut])
        assert frames_of(items) == whole[: sum(ends[number] <= cut for number in packets)]
        assert len(problems_of(items)) == (cut not in ends)
