"""IPv4 and IPv6 headers, whole and damaged."""

from __future__ import annotations

import pytest

from dissectors.model import Datagram, Malformed, Piece, Segment
from dissectors.transport.ip import MAX_EXTENSIONS, MAX_OFFLOADED, Packet
from tests.dissectors.transport.packets import (
    DESTINATION,
    DESTINATION_6,
    KEY,
    KEY_6,
    PAYLOAD,
    SOURCE,
    SOURCE_6,
    decode,
    ethernet,
    fragment_header,
    ignored,
    ipv4,
    ipv6,
    tcp,
    udp,
)

pytestmark = pytest.mark.usefixtures("each_path")


OPTIONS_8 = bytes((0, 1, 4, 0, 0, 0, 0))  # of an extension header of 8 bytes, after its first


def _only_payload(data: bytes) -> bytes:
    (found,) = decode(data)
    assert isinstance(found, Segment | Datagram)
    assert found.missing == 0
    return found.payload


def test_options_of_ipv4_are_passed_over() -> None:
    data = ipv4(b"\x01" * 8 + udp(), _v_hl=0x47)
    assert _only_payload(ethernet(data)) == PAYLOAD


def test_a_total_length_of_zero_means_the_whole_frame() -> None:
    assert _only_payload(ethernet(ipv4(tcp(), 6, len=0))) == PAYLOAD
    assert _only_payload(ethernet(ipv6(tcp(), 6, length=0), 0x86DD)) == PAYLOAD


def test_a_length_beyond_the_frame_is_cut_to_the_frame() -> None:
    assert _only_payload(ethernet(ipv4(tcp(), 6, len=1000))) == PAYLOAD
    assert _only_payload(ethernet(ipv6(tcp(), 6, length=1000), 0x86DD)) == PAYLOAD


def test_the_claimed_length_of_a_frame_makes_up_no_endless_gap() -> None:
    (found,) = decode(ethernet(ipv4(tcp(), 6, len=0)), wire=0xFFFFFFFF)
    assert isinstance(found, Segment)
    assert found.missing < MAX_OFFLOADED


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ethernet(ipv4(_v_hl=0x65)), "an IPv4 header of another version"),
        (ethernet(ipv4(_v_hl=0x44)), "IPv4 header length below 20 bytes"),
        (ethernet(ipv4(len=19)), "IPv4 total length below the header length"),
        (ethernet(ipv4(_v_hl=0x4F, len=60)[:40]), "ends inside a header"),
        (ethernet(ipv4(), 0x86DD), "an IPv6 header of another version"),
        (ethernet(ipv6()[:39], 0x86DD), "ends inside a header"),
    ],
)
def test_a_damaged_header_is_reported(data: bytes, reason: str) -> None:
    assert decode(data) == [
        Malformed("ip", reason, 1, raw=data[14:] if "ends" not in reason else data)
    ]


@pytest.mark.parametrize(
    ("protocol", "name"),
    [(2, "IGMP"), (50, "ESP"), (132, "SCTP"), (200, "IP protocol 200"), (0, "IP protocol 0")],
)
def test_other_protocols_are_named(protocol: int, name: str) -> None:
    assert ignored(ethernet(ipv4(bytes(40), protocol))) == [name]


def test_extension_headers_are_passed_over() -> None:
    chain = bytes((43,)) + OPTIONS_8 + bytes((60,)) + OPTIONS_8 + bytes((6,)) + OPTIONS_8
    assert _only_payload(ethernet(ipv6(chain + tcp(), 0), 0x86DD)) == PAYLOAD


def test_an_extension_header_says_its_length() -> None:
    chain = bytes((17, 2)) + bytes(22)
    assert _only_payload(ethernet(ipv6(chain + udp(), 60), 0x86DD)) == PAYLOAD


def test_an_authentication_header_is_passed_over_in_both_versions() -> None:
    header = bytes((17, 4)) + bytes(22)
    assert _only_payload(ethernet(ipv4(header + udp(), 51))) == PAYLOAD
    assert _only_payload(ethernet(ipv6(header + udp(), 51), 0x86DD)) == PAYLOAD


def test_an_atomic_fragment_is_a_whole_packet() -> None:
    data = ethernet(ipv6(fragment_header(17, 0, more=False) + udp(), 44), 0x86DD)
    (found,) = decode(data)
    assert isinstance(found, Datagram)
    assert (found.key, found.payload, found.fragments) == (KEY_6, PAYLOAD, ())


def test_a_chain_of_extension_headers_is_bounded() -> None:
    chain = (bytes((60,)) + OPTIONS_8) * MAX_EXTENSIONS
    (found,) = decode(ethernet(ipv6(chain + udp(), 60), 0x86DD))
    assert isinstance(found, Malformed)
    assert found.reason == "too many IPv6 extension headers"


def test_a_packet_without_upper_layer_is_named() -> None:
    assert ignored(ethernet(ipv6(b"", 59), 0x86DD)) == ["no next header"]
    assert ignored(ethernet(ipv6(bytes((59,)) + OPTIONS_8, 60), 0x86DD)) == ["no next header"]


def test_the_key_holds_addresses_and_ports_as_on_the_wire() -> None:
    (four,) = decode(ethernet(ipv4()))
    (six,) = decode(ethernet(ipv6(), 0x86DD))
    assert isinstance(four, Datagram)
    assert isinstance(six, Datagram)
    assert four.key == KEY == SOURCE + DESTINATION + KEY[8:]
    assert six.key == KEY_6 == SOURCE_6 + DESTINATION_6 + KEY[8:]


def test_a_part_of_a_packet_knows_where_its_bytes_lie() -> None:
    pieces = (Piece(1, 100, 4), Piece(2, 200, 4), Piece(3, 300, 4))
    packet = Packet(3, 0, 6, b"abcdefghijkl", 100, 20, pieces)
    part = packet.part(3, 9)
    assert part.data == b"defghi"
    assert part.pieces == (Piece(1, 103, 1), Piece(2, 200, 4), Piece(3, 300, 1))
    assert part.length == 6
    assert packet.part(10, 99).length == 10
    assert packet.part(30, 99).data == b""
    assert packet.part(30, 99).length == 0
    plain = Packet(3, 0, 6, b"abcd", 100, 4)
    assert plain.part(1, 3).where() == (Piece(3, 101, 2),)
    assert plain.part(4, 4).where() == ()
