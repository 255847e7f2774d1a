"""Tunnels, and what only looks like one."""

from __future__ import annotations

import struct

import pytest

from dissectors.model import Datagram, Malformed
from dissectors.transport.layers import MAX_NESTING
from dissectors.transport.tunnels import UDP_TUNNELS
from tests.dissectors.transport.encapsulations import FRAME, V4
from tests.dissectors.transport.packets import PAYLOAD, decode, ethernet, ignored, ipv4, udp

pytestmark = pytest.mark.usefixtures("each_path")


def _on_port(port: int, payload: bytes) -> bytes:
    return ethernet(ipv4(udp(payload, ports=struct.pack("!HH", 50000, port))))


@pytest.mark.parametrize("port", UDP_TUNNELS)
@pytest.mark.parametrize(
    "payload", [b"", b"\0" * 3, PAYLOAD, b"SIP/2.0 200 OK\r\n\r\n", bytes(40), b"\x30\xff" * 20]
)
def test_a_datagram_on_the_port_of_a_tunnel_may_be_something_else(
    port: int, payload: bytes
) -> None:
    (found,) = decode(_on_port(port, payload))
    assert isinstance(found, Datagram)
    assert found.payload == payload


@pytest.mark.parametrize(
    ("port", "payload"),
    [
        (4789, bytes.fromhex("0000000000006400") + FRAME),  # no I flag
        (4789, bytes.fromhex("0800000000006401") + FRAME),  # reserved byte
        (6081, bytes.fromhex("4000655800006400") + FRAME),  # version 1
        (6081, bytes.fromhex("0000080600006400") + FRAME),  # ARP
        (2152, struct.pack("!BBHI", 0x30, 1, 0, 0) + V4),  # echo request
        (2152, struct.pack("!BBHI", 0x50, 255, len(V4), 1) + V4),  # version 2
        (2152, struct.pack("!BBHI", 0x30, 255, 40, 1) + bytes(40)),  # no IP inside
        (2152, struct.pack("!BBHIHBB", 0x34, 255, 40, 1, 0, 0, 0x85) + bytes(40)),  # no length
        (2152, struct.pack("!BBHIHBB", 0x34, 255, 40, 1, 0, 0, 0x85) + b"\1\0\0\x85" * 99),
    ],
)
def test_a_header_that_is_not_of_the_tunnel_is_payload(port: int, payload: bytes) -> None:
    (found,) = decode(_on_port(port, payload))
    assert isinstance(found, Datagram)
    assert found.payload == payload


def test_a_tunnel_is_known_by_its_source_port_too() -> None:
    header = struct.pack("!BBHI", 0x30, 255, len(V4), 1)
    data = ethernet(ipv4(udp(header + V4, ports=struct.pack("!HH", 2152, 50000))))
    (found,) = decode(data)
    assert isinstance(found, Datagram)
    assert found.payload == PAYLOAD


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("0001880b", "PPTP"),
        ("40000800", "GRE with source routing"),
        ("00000000", "GRE keepalive"),
        ("00000004", "GRE protocol 0x0004"),
        ("00002000", "EtherType 0x2000"),
        ("0000880b", "EtherType 0x880b"),
    ],
)
def test_other_contents_of_gre_are_named(header: str, name: str) -> None:
    assert ignored(ethernet(ipv4(bytes.fromhex(header) + bytes(40), 47))) == [name]


def test_what_a_tunnel_carries_besides_ip_is_named() -> None:
    arp = ethernet(bytes(28), 0x0806)
    assert ignored(_on_port(4789, bytes.fromhex("0800000000006400") + arp)) == ["ARP"]


def test_a_tunnel_header_that_ends_early_is_damaged() -> None:
    (found,) = decode(ethernet(ipv4(bytes.fromhex("b000"), 47)))
    assert isinstance(found, Malformed)
    assert found.layer == "ip"


def test_nesting_is_bounded() -> None:
    data = ipv4()
    for _ in range(MAX_NESTING):
        data = ipv4(data, 4)
    (found,) = decode(ethernet(data))
    assert isinstance(found, Datagram)
    (found,) = decode(ethernet(ipv4(data, 4)))
    assert isinstance(found, Malformed)
    assert found.reason == "tunnels nested too deep"


def test_the_length_of_the_outer_packet_bounds_the_inner_one() -> None:
    (found,) = decode(ethernet(ipv4(ipv4(len=2000), 4)) + b"padding")
    assert isinstance(found, Datagram)
    assert (found.payload, found.missing) == (PAYLOAD, 0)
