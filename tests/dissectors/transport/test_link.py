"""The way from the first byte of a frame to its IP header."""

from __future__ import annotations

import struct

import pytest

from dissectors.model import Datagram, Malformed
from dissectors.transport.link import MAX_HEADERS, MAX_LABELS, by_ethertype
from tests.dissectors.transport.encapsulations import EVERY, FRAME, V4
from tests.dissectors.transport.packets import (
    FILE_OFFSET,
    KEY,
    KEY_6,
    MACS,
    PAYLOAD,
    decode,
    ethernet,
    ignored,
    ipv4,
    udp,
)

pytestmark = pytest.mark.usefixtures("each_path")


@pytest.mark.parametrize("name", [name for name in EVERY if "padded" not in name])
def test_a_datagram_is_found_in_every_wrapping(name: str) -> None:
    link, data = EVERY[name]
    at = FILE_OFFSET + data.rindex(PAYLOAD)
    (found,) = decode(data, link)
    assert isinstance(found, Datagram)
    assert found.key in (KEY, KEY_6)
    assert found[4:9] == (PAYLOAD, at, 0, (), False)


def test_padding_of_a_short_frame_is_no_payload() -> None:
    for data in (ethernet(ipv4(udp(b""))) + bytes(18), ethernet(ipv4(udp(b"x"))) + b"junk" * 4):
        (found,) = decode(data)
        assert isinstance(found, Datagram)
        assert found.payload in (b"", b"x")
        assert found.missing == 0


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (ethernet(bytes(46), 0x0806), "ARP"),
        (ethernet(bytes(46), 0x0806, 0x88A8, 0x8100), "ARP"),
        (ethernet(bytes(46), 0x88CC), "LLDP"),
        (ethernet(bytes(46), 0x88E5), "MACsec"),
        (ethernet(bytes(46), 0x1234), "EtherType 0x1234"),
        (ethernet(b"\x42\x42\x03" + bytes(43), 46), "STP"),
        (ethernet(b"\x44\x44\x03" + bytes(43), 46), "LLC SAP 0x44"),
        (ethernet(b"\xaa\xaa\x03\0\0\x0c\x20\0" + bytes(38), 46), "SNAP of a vendor"),
        (ethernet(b"\xaa\xaa\x03\0\0\0\0\x05" + bytes(38), 46), "SNAP 0x0005"),
        (ethernet(bytes.fromhex("110000010004c0210101"), 0x8864), "PPP control"),
        (ethernet(bytes.fromhex("110000010004002b0101"), 0x8864), "PPP 0x002b"),
        (ethernet(bytes.fromhex("0006414010000000"), 0x8847), "MPLS associated channel"),
        (ethernet(bytes(4 * MAX_LABELS + 4), 0x8847), "too many MPLS labels"),
        (ethernet(V4, 0x0800, *[0x8100] * MAX_HEADERS), "too many tags"),
    ],
)
def test_what_is_neither_ipv4_nor_ipv6_is_named(data: bytes, name: str) -> None:
    assert ignored(data) == [name]


@pytest.mark.parametrize(
    ("link", "data", "name"),
    [
        (160, bytes(60), "unknown link type 160"),
        (101, bytes(60), "neither IPv4 nor IPv6"),
        (0, b"\x07\0\0\0" + bytes(40), "another address family"),
        (113, bytes(14) + b"\0\x0c" + bytes(40), "SLL protocol 0x000c"),
        (276, b"\0\x0c" + bytes(60), "SLL protocol 0x000c"),
        (258, struct.pack("<III", 12, 1, 160) + FRAME, "unknown link type in PKTAP"),
        (258, struct.pack("<III", 12, 1, 258) * 9 + FRAME, "unknown link type in PKTAP"),
        (104, b"\x0f\0\x80\x35" + bytes(20), "RARP"),
        (9, b"\xff\x03\xc0\x21" + bytes(20), "PPP control"),
    ],
)
def test_other_links_name_what_they_carry(link: int, data: bytes, name: str) -> None:
    assert ignored(data, link) == [name]


def test_a_ppp_header_behind_null_is_read() -> None:
    (found,) = decode(b"\xff\x03\0\x21" + V4, 0)
    assert isinstance(found, Datagram)


def test_a_pseudowire_without_control_word_is_told_by_its_first_nibble() -> None:
    (found,) = decode(ethernet(bytes.fromhex("00064140") + b"\xf2" + FRAME[1:], 0x8847))
    assert isinstance(found, Datagram)


@pytest.mark.parametrize("name", EVERY)
def test_a_frame_that_ends_inside_its_headers_is_damaged_unless_it_was_cut(name: str) -> None:
    link, data = EVERY[name]
    for size in range(len(data) - len(PAYLOAD)):
        # Cut by the snap length: nobody's fault
        assert all(isinstance(found, Datagram) for found in decode(data[:size], link, wire=9999))
        for found in decode(data[:size], link):
            if isinstance(found, Malformed):
                assert found.layer in ("link", "ip", "udp")
                assert found.raw in data[:size]


def test_a_frame_shorter_than_its_link_header_is_damage_of_the_link_layer() -> None:
    (found,) = decode(MACS)
    assert found == Malformed("link", "ends inside a header", 1, raw=MACS)


def test_following_ethertypes_comes_to_an_end() -> None:
    tags = bytes.fromhex("00648100") * 1000
    assert by_ethertype(tags, 0x8100, 0)[0] == "too many tags"
