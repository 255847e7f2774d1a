"""Packets to decode, built with dpkt, which shares no code with what is tested."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import dpkt

from dissectors.model import Frame
from dissectors.transport.layers import Layers

if TYPE_CHECKING:
    from dissectors.transport.layers import Item

SOURCE, DESTINATION = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02"
SOURCE_6, DESTINATION_6 = b"\xfd" + bytes(14) + b"\x01", b"\xfd" + bytes(14) + b"\x02"
PORTS = b"\x13\xc4\x13\xce"  # 5060 and 5070
KEY = SOURCE + DESTINATION + PORTS
KEY_6 = SOURCE_6 + DESTINATION_6 + PORTS
PAYLOAD = b"OPTIONS sip:ma-chan@contoso.com SIP/2.0\r\n\r\n"
FILE_OFFSET = 1000
MACS = bytes.fromhex("020000000002020000000001")


def udp(payload: bytes = PAYLOAD, *, length: int | None = None, ports: bytes = PORTS) -> bytes:
    return ports + struct.pack("!HH", len(payload) + 8 if length is None else length, 0) + payload


def tcp(payload: bytes = PAYLOAD, *, options: bytes = b"", words: int | None = None) -> bytes:
    words = 5 + len(options) // 4 if words is None else words
    head = struct.pack("!IIBBHHH", 7, 9, words << 4, 0x18, 1000, 0, 0)
    return PORTS + head + options + payload


def ipv4(data: bytes | None = None, protocol: int = 17, **fields: int | bytes) -> bytes:
    data = udp() if data is None else data
    packet = dpkt.ip.IP(src=SOURCE, dst=DESTINATION, p=protocol, ttl=64)
    packet.data = data
    packet.len = 20 + len(data)
    for name, value in fields.items():
        setattr(packet, name, value)
    return bytes(packet.pack_hdr()) + data


def ipv6(data: bytes | None = None, protocol: int = 17, *, length: int | None = None) -> bytes:
    data = udp() if data is None else data
    length = len(data) if length is None else length
    head = struct.pack("!IHBB", 0x60000000, length, protocol, 64)
    return head + SOURCE_6 + DESTINATION_6 + data


def ethernet(data: bytes, kind: int = 0x0800, *tags: int) -> bytes:
    """Build a frame; each tag is an EtherType, and followed by a tag of 2 bytes."""
    chain = b"".join(struct.pack("!HH", tag, 100) for tag in tags)
    return MACS + chain + struct.pack("!H", kind) + data


def fragment_header(protocol: int, offset: int, more: bool, ident: int = 1) -> bytes:
    return struct.pack("!BBHI", protocol, 0, offset | more, ident)


def frame(data: bytes, link: int = 1, *, number: int = 1, wire: int | None = None) -> Frame:
    """Make the frame of number n begin at ``n * FILE_OFFSET`` in its file."""
    length = len(data) if wire is None else wire
    return Frame(number, number * 10**6, 6, link, data, number * FILE_OFFSET, length)


def decode(data: bytes, link: int = 1, *, wire: int | None = None) -> list[Item]:
    """Decode one frame on the readable path."""
    return Layers().decode(frame(data, link, wire=wire))


def ignored(data: bytes, link: int = 1) -> list[str]:
    """Return what a frame is said to carry, when that is neither TCP nor UDP."""
    layers = Layers()
    assert layers.decode(frame(data, link)) == []
    return list(layers.ignored)
