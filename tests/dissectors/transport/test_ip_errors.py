"""UDP datagrams quoted in ICMP errors."""

from __future__ import annotations

import struct

import pytest

from dissectors.model import Datagram, Malformed
from tests.dissectors.transport.packets import (
    DESTINATION,
    DESTINATION_6,
    FILE_OFFSET,
    PAYLOAD,
    PORTS,
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


ROUTER = b"\x0a\0\0\xfe"
BACK = PORTS[2:] + PORTS[:2]


def _error(quoted: bytes, kind: int = 3, length: int = 0) -> bytes:
    """Build an ICMP error from a router to the sender of what it quotes."""
    message = struct.pack("!BBHBBH", kind, 3, 0, 0, length, 0) + quoted
    return ethernet(ipv4(message, 1, src=ROUTER, dst=SOURCE))


def _error_6(quoted: bytes, kind: int = 1, length: int = 0) -> bytes:
    message = struct.pack("!BBHBBH", kind, 4, 0, length, 0, 0) + quoted
    return ethernet(ipv6(message, 58), 0x86DD)


@pytest.mark.parametrize("kind", [3, 11, 12])
def test_a_quoted_datagram_runs_back_to_its_sender(kind: int) -> None:
    data = _error(ipv4(), kind)
    (found,) = decode(data)
    at = FILE_OFFSET + data.index(PAYLOAD)
    assert found == Datagram(1, 10**6, 6, ROUTER + SOURCE + BACK, PAYLOAD, at, 0, (), quoted=True)


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_a_datagram_quoted_by_icmpv6_runs_back_too(kind: int) -> None:
    for quoted in (ipv6(), ipv6(fragment_header(17, 0, more=False) + udp(), 44)):
        (found,) = decode(_error_6(quoted, kind))
        assert isinstance(found, Datagram)
        # The helper sends the error between the same two addresses
        assert found.key == SOURCE_6 + DESTINATION_6 + BACK
        assert (found.payload, found.missing, found.quoted) == (PAYLOAD, 0, True)


def test_what_the_error_does_not_quote_is_missing() -> None:
    (found,) = decode(_error(ipv4()[: 28 + 10]))
    assert isinstance(found, Datagram)
    assert (found.payload, found.missing) == (PAYLOAD[:10], len(PAYLOAD) - 10)
    (found,) = decode(_error(ipv4()[:28]))
    assert isinstance(found, Datagram)
    assert (found.payload, found.missing) == (b"", len(PAYLOAD))


def test_extensions_behind_the_quotation_are_no_payload() -> None:
    quoted = ipv4(udp(PAYLOAD * 5), len=9999)[:128].ljust(128, b"\0")
    lying = quoted[:24] + struct.pack("!H", 500) + quoted[26:]
    (found,) = decode(_error(lying + b"\x20\0\0\0extension", length=32))
    assert isinstance(found, Datagram)
    assert b"extension" not in found.payload
    assert len(found.payload) == 100
    assert found.missing == 500 - 8 - 100
    quoted = ipv6(udp(PAYLOAD * 5, length=500), length=9999)[:128]
    (found,) = decode(_error_6(quoted + b"\x20\0\0\0extension", length=16))
    assert isinstance(found, Datagram)
    assert b"extension" not in found.payload


@pytest.mark.parametrize(
    "data",
    [
        _error(ipv4(), 8),
        _error(ipv4(), 0),
        _error(ipv4(tcp(), 6)),
        _error(ipv4(_flags_offset=0x2001)),
        _error(ipv4(_v_hl=0x65)),
        _error(ipv4(udp(length=0))),
        _error(ipv4()[:27]),
    ],
)
def test_other_messages_are_ignored(data: bytes) -> None:
    assert ignored(data) == ["ICMP"]


def test_other_messages_of_icmpv6_are_ignored() -> None:
    assert ignored(_error_6(bytes(24), 135)) == ["ICMPv6"]
    quoted = ipv6(fragment_header(17, 800, more=False) + udp(), 44)
    assert ignored(_error_6(quoted)) == ["ICMPv6"]


def test_the_first_of_quoted_fragments_has_the_ports() -> None:
    (found,) = decode(_error(ipv4(udp(length=2000), _flags_offset=0x2000)))
    assert isinstance(found, Datagram)
    assert (found.payload, found.missing) == (PAYLOAD, 2000 - 8 - len(PAYLOAD))


def test_an_error_that_quotes_too_little_is_damaged() -> None:
    (found,) = decode(_error(ipv4()[:12]))
    assert isinstance(found, Malformed)
    assert found.layer == "ip"


def test_each_version_of_icmp_belongs_to_its_version_of_ip() -> None:
    assert ignored(ethernet(ipv4(bytes(40), 58, src=ROUTER, dst=DESTINATION))) == ["ICMPv6"]
    assert ignored(ethernet(ipv6(bytes(40), 1), 0x86DD)) == ["ICMP"]
