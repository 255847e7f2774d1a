"""The compiled readers against the reference: the same of any file, however cut or damaged."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.capture import pcap, pcapng
from dissectors.capture.pcap import PcapReader
from dissectors.capture.pcapng import PcapngReader
from dissectors.model import Frame
from tests.dissectors.capture.layouts import (
    KUZNETZOV,
    MICRO,
    NANO,
    Item,
    block,
    enhanced,
    interface,
    obsolete,
    option,
    pcap_header,
    pcap_record,
    read_in_pieces,
    section,
    simple,
)

pytestmark = pytest.mark.usefixtures("each_path")

ORDERS = st.sampled_from("<>")
WORDS = st.one_of(st.integers(0, 300), st.integers(0, 2**32 - 1))
PAYLOADS = st.binary(max_size=60)
# Units that divide a second, that do not, and those whose divisor needs more than 64 bits
RESOLUTIONS = st.one_of(st.none(), st.integers(0, 255), st.sampled_from([0, 6, 9, 12, 0x94, 0xC0]))
OFFSETS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-(2**34), 2**34))
TICKS = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 2**51))


@st.composite
def pcap_files(draw: st.DrawFn) -> bytes:
    order = draw(ORDERS)
    magic = draw(st.sampled_from([MICRO, NANO, KUZNETZOV]))
    version = draw(st.sampled_from([(2, 4), (2, 3), (543, 0), (3, 1)]))
    snaplen, link = draw(WORDS), draw(WORDS)
    data = pcap_header(order, magic=magic, version=version, snaplen=snaplen, link=link)
    for payload in draw(st.lists(PAYLOADS, max_size=8)):
        time = draw(WORDS), draw(WORDS)
        wire = draw(st.one_of(st.none(), WORDS))
        captured = draw(st.one_of(st.none(), st.none(), st.none(), WORDS))
        record = pcap_record(payload, order, time=time, captured=captured, wire=wire)
        extra = draw(st.binary(min_size=8, max_size=8)) if magic == KUZNETZOV else b""
        data += record[:16] + extra + record[16:]
    return data


@st.composite
def packets(draw: st.DrawFn, order: str) -> bytes:
    payload, ticks = draw(PAYLOADS), draw(TICKS)
    number = draw(st.one_of(st.integers(0, 2), st.integers(0, 2**16 - 1)))
    match draw(st.sampled_from(["enhanced"] * 4 + ["lying", "simple", "obsolete", "other"])):
        case "enhanced":
            more = option(1, b"a comment", order) if draw(st.booleans()) else b""
            wire = draw(st.one_of(st.none(), WORDS))
            return enhanced(payload, order, number=number, ticks=ticks, wire=wire, more=more)
        case "lying":
            return enhanced(payload, order, number=number, ticks=ticks, captured=draw(WORDS))
        case "simple":
            return simple(payload, order, wire=draw(st.one_of(st.none(), WORDS)))
        case "obsolete":
            return obsolete(payload, order, number=number, ticks=ticks)
        case _:
            return block(draw(st.sampled_from([2, 3, 5, 6, 9, 10, 0xBAD])), payload, order)


@st.composite
def pcapng_files(draw: st.DrawFn) -> bytes:
    data = b""
    for order in draw(st.lists(ORDERS, min_size=1, max_size=3)):
        data += section(order)
        for _ in range(draw(st.integers(0, 3))):
            data += interface(
                order,
                link=draw(st.integers(0, 2**16 - 1)),
                snaplen=draw(WORDS),
                resolution=draw(RESOLUTIONS),
                offset=draw(OFFSETS),
            )
            data += b"".join(draw(st.lists(packets(order), max_size=4)))
    return data


@st.composite
def damaged(draw: st.DrawFn, files: st.SearchStrategy[bytes]) -> bytes:
    """Draw a file, or one of which bytes are changed and the end is lost."""
    data = bytearray(draw(files))
    if draw(st.booleans()):
        places = st.integers(0, len(data) - 1)
        changes = st.tuples(places, st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 255])))
        for place, value in draw(st.lists(changes, max_size=5)):
            data[place] = value
        del data[draw(st.integers(1, len(data))) :]
    return bytes(data)


CUTS = st.lists(st.integers(0, 700), max_size=12)


def see_that_they_agree(
    reader: PcapReader | PcapngReader,
    reference: PcapReader | PcapngReader,
    data: bytes,
    cuts: list[int],
) -> list[Item]:
    """Read ``data`` in the same pieces with both; return what they gave."""
    cuts = [cut for cut in cuts if cut <= len(data)]
    expected = read_in_pieces(reference, data, cuts)
    found = read_in_pieces(reader, data, cuts)
    assert found == expected
    assert [list(map(type, item)) for item in found if isinstance(item, Frame)] == [
        [int, int, int, int, bytes, int, int] for item in expected if isinstance(item, Frame)
    ]
    assert reader.stopped is reference.stopped
    return found


@given(data=damaged(pcap_files()), cuts=CUTS)
@example(data=pcap_header(version=(2, 3)) + pcap_record(b"abc", captured=60, wire=3), cuts=[30])
@example(data=pcap_header(magic=KUZNETZOV) + bytes(16) + b"\1" + bytes(7), cuts=[])
@example(data=pcap_header(magic=KUZNETZOV) + bytes(24), cuts=[41])
@example(data=pcap_header() + pcap_record(b"", time=(2**32 - 1, 2**32 - 1), wire=5), cuts=[])
def test_any_pcap_file_gives_the_same(data: bytes, cuts: list[int]) -> None:
    see_that_they_agree(PcapReader(), pcap.PcapReader(), data, cuts)


@given(data=damaged(pcapng_files()), cuts=CUTS)
def test_any_pcapng_file_gives_the_same(data: bytes, cuts: list[int]) -> None:
    reader, reference = PcapngReader(), pcapng.PcapngReader()
    see_that_they_agree(reader, reference, data, cuts)
    assert reader.secrets == reference.secrets


@given(
    resolution=st.integers(0, 255),
    offset=OFFSETS,
    ticks=st.lists(TICKS, min_size=1, max_size=4),
    order=ORDERS,
)
@example(resolution=0, offset=None, ticks=[2**64 - 1], order="<")
@example(resolution=0, offset=-(2**63), ticks=[0, 1, 9223372037, 2**64 - 1], order="<")
@example(resolution=9, offset=2**63 - 1, ticks=[0, 1, 2**64 - 1], order=">")
@example(resolution=9, offset=-1, ticks=[2**63 - 1, 2**63 + 999_999_999, 2**64 - 1], order="<")
@example(resolution=19, offset=5, ticks=[0, 2**64 - 1], order="<")
@example(resolution=20, offset=5, ticks=[0, 2**64 - 1], order="<")
@example(resolution=0x80 | 63, offset=None, ticks=[2**63 - 1, 2**63, 2**64 - 1], order="<")
@example(resolution=0x80 | 64, offset=None, ticks=[2**63 - 1, 2**63, 2**64 - 1], order="<")
def test_times_are_those_of_numbers_without_bounds(
    resolution: int, offset: int | None, ticks: list[int], order: str
) -> None:
    data = section(order) + interface(order, resolution=resolution, offset=offset)
    data += b"".join(enhanced(b"a", order, ticks=each) for each in ticks)
    items = see_that_they_agree(PcapngReader(), pcapng.PcapngReader(), data, [])
    assert len(items) == len(ticks)


def test_interfaces_may_be_described_between_packets_and_in_great_number() -> None:
    data = b""
    for order in "<><":
        data += section(order)
        for number in range(50):
            data += interface(order, link=number, resolution=number % 10)
            data += enhanced(b"a", order, number=number) + enhanced(b"b", order, number=number // 2)
    items = see_that_they_agree(PcapngReader(), pcapng.PcapngReader(), data, [1000, 1001, 5000])
    assert len(items) == 300


@pytest.mark.parametrize("kind", [2, 3, 6])
@pytest.mark.parametrize("length", [12, 16, 20, 28, 31, 32, 33, 36, 2**31, 2**32 - 4, 2**32 - 1])
def test_any_length_of_a_packet_block_gives_the_same(kind: int, length: int) -> None:
    head = section() + interface() + enhanced(b"abc")
    for captured in (0, 1, 4, 2**31, 2**32 - 1):
        body = struct.pack("<IIIII", 0, 0, 5, captured, captured) + b"abcd"
        packet = bytearray(block(kind, body))
        struct.pack_into("<I", packet, 4, length)
        struct.pack_into("<I", packet, min(max(length - 4, 8), len(packet) - 4), length)
        data = head + bytes(packet) + enhanced(b"d")
        items = see_that_they_agree(PcapngReader(), pcapng.PcapngReader(), data, [90])
        assert items != []
