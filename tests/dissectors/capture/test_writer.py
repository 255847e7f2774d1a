"""Writers are the inverses of the readers."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.capture.blocks import Interface
from dissectors.capture.pcap import PcapReader
from dissectors.capture.pcapng import PcapngReader
from dissectors.capture.writer import PcapngStream, write_pcap, write_pcapng
from dissectors.model import Frame
from tests.dissectors.capture.layouts import (
    NANO,
    Item,
    enhanced,
    interface,
    pcap_header,
    pcap_record,
    read_all,
    section,
    simple,
)

pytestmark = pytest.mark.usefixtures("each_path")


def placeless(items: list[Frame] | list[Item]) -> list[object]:
    """Leave the offsets out: the only thing that a frame does not bring with it."""
    return [item._replace(offset=0) if isinstance(item, Frame) else item for item in items]


def frame(data: bytes = b"abc", *, time_ns: int = 10**9, digits: int = 6, link: int = 1) -> Frame:
    return Frame(1, time_ns, digits, link, data, 0, len(data))


def frames(
    kinds: st.SearchStrategy[tuple[int, int]], latest: int
) -> st.SearchStrategy[list[Frame]]:
    """Frames of ``(link, digits)``, numbered from 1, with times that their digits can hold."""

    def number(rows: list[tuple[tuple[int, int], int, bytes, int]]) -> list[Frame]:
        made = []
        for count, ((link, digits), time, data, more) in enumerate(rows, 1):
            unit = 10 ** (9 - digits)
            wire = max(len(data) + more, 1)
            made.append(Frame(count, time // unit * unit, digits, link, data, 0, wire))
        return made

    row = st.tuples(kinds, st.integers(0, latest), st.binary(max_size=40), st.integers(0, 9))
    return st.lists(row, max_size=8).map(number)


PCAP_END = 2**32 * 10**9 - 1


@given(data=st.data(), big_endian=st.booleans(), nanoseconds=st.booleans())
def test_reading_a_written_pcap_gives_the_frames(
    data: st.DataObject, big_endian: bool, nanoseconds: bool
) -> None:
    digits = 9 if nanoseconds else 6
    made = data.draw(frames(st.just((113, digits)), PCAP_END))
    written = write_pcap(made, link=113, nanoseconds=nanoseconds, big_endian=big_endian)
    assert placeless(read_all(PcapReader(), written)) == made


def test_a_pcap_file_is_written_as_the_format_says() -> None:
    made = [frame(b"abc", time_ns=5_000_000_007, digits=9, link=101)]
    data = write_pcap(made, link=101, nanoseconds=True, big_endian=True, snaplen=96)
    head = pcap_header(">", magic=NANO, snaplen=96, link=101)
    assert data == head + pcap_record(b"abc", ">", time=(5, 7))


def test_a_file_in_microseconds_rounds_times_down() -> None:
    data = write_pcap([frame(time_ns=1_999_999_999)], link=1)
    assert placeless(read_all(PcapReader(), data)) == [frame(time_ns=1_999_999_000)]


def test_a_pcap_file_holds_one_link_type() -> None:
    with pytest.raises(ValueError, match="frame 1 has link type 7, not 1"):
        write_pcap([frame(link=7)], link=1)


@pytest.mark.parametrize("time_ns", [-1, PCAP_END + 1])
def test_a_pcap_file_holds_the_years_1970_to_2106(time_ns: int) -> None:
    with pytest.raises(ValueError, match="the time of frame 1 does not fit"):
        write_pcap([frame(time_ns=time_ns)], link=1)


KINDS = st.tuples(st.sampled_from([1, 101, 113]), st.sampled_from([0, 3, 6, 9]))


@given(made=frames(KINDS, 2**63 - 1), big_endian=st.booleans(), simple_packets=st.booleans())
def test_reading_a_written_pcapng_gives_the_frames(
    made: list[Frame], big_endian: bool, simple_packets: bool
) -> None:
    written = write_pcapng(made, big_endian=big_endian, simple=simple_packets)
    assert placeless(read_all(PcapngReader(), written)) == made


INTERFACES = (
    Interface(1, 5, 6, 0),
    Interface(1, 0, 12, -400),
    Interface(101, 0, 0x80 | 33, 86400),
    Interface(113, 65535, 3, 10),
)


@given(
    made=frames(st.sampled_from([(i.link, i.digits) for i in INTERFACES]), 10**16),
    big_endian=st.booleans(),
    simple_packets=st.booleans(),
)
def test_clocks_of_interfaces_are_written_and_read_alike(
    made: list[Frame], big_endian: bool, simple_packets: bool
) -> None:
    late = [item._replace(time_ns=item.time_ns + 86400 * 10**9) for item in made]
    written = write_pcapng(
        late, interfaces=INTERFACES, big_endian=big_endian, simple=simple_packets
    )
    assert placeless(read_all(PcapngReader(), written)) == late


@given(parts=st.lists(st.tuples(frames(KINDS, 2**60), st.booleans()), max_size=4))
def test_sections_put_together_are_a_file(parts: list[tuple[list[Frame], bool]]) -> None:
    data = b"".join(write_pcapng(made, big_endian=big) for made, big in parts)
    every = [item for made, _ in parts for item in made]
    expected = [item._replace(number=number) for number, item in enumerate(every, 1)]
    if data:
        assert placeless(read_all(PcapngReader(), data)) == expected


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_pcapng_file_is_written_as_the_format_says(order: str) -> None:
    made = [
        frame(b"abcde", time_ns=0),
        frame(b"abc", time_ns=5_000_007_000),
        frame(b"abcdef", time_ns=0)._replace(wire_length=60),
        frame(b"defg", time_ns=0)._replace(wire_length=60),
    ]
    data = write_pcapng(made, interfaces=[Interface(1, 6)], big_endian=order == ">", simple=True)
    assert data == (
        section(order)
        + interface(order, snaplen=6)
        + simple(b"abcde", order)
        + enhanced(b"abc", order, ticks=5_000_007)
        + simple(b"abcdef", order, wire=60)
        + enhanced(b"defg", order, ticks=0, wire=60)
    )


def test_a_frame_without_an_interface_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no interface for frame 1"):
        write_pcapng([frame(digits=9)], interfaces=[Interface(1)])


@pytest.mark.parametrize(("time_ns", "offset"), [(-1, 0), (10**9, 2), (2**64, 0)])
def test_a_time_that_the_interface_cannot_hold_is_refused(time_ns: int, offset: int) -> None:
    chosen = Interface(1, 0, 9, offset)
    with pytest.raises(ValueError, match="the time of frame 1 does not fit its interface"):
        write_pcapng([frame(time_ns=time_ns, digits=9)], interfaces=[chosen])


def test_names_of_machines_are_a_block_that_readers_of_packets_pass_over() -> None:
    """The records of draft-ietf-opsawg-pcapng, section 4.5, and nrb_record_end."""
    names = PcapngStream.names({"10.0.0.1": "pool01", "2001:db8::1": "gc01"})
    assert names.startswith(struct.pack("<II", 4, len(names)))
    assert struct.pack("<HH", 1, 11) + b"\x0a\0\0\x01pool01\0" in names
    assert struct.pack("<HH", 2, 21) + ip_address("2001:db8::1").packed + b"gc01\0" in names
    data = section() + interface() + names + enhanced(b"abc")
    assert [one.data for one in read_all(PcapngReader(), data) if isinstance(one, Frame)] == [
        b"abc"
    ]
