"""Packets of a script to segments, frames and capture files.

A script is a list of ``Tcp`` and ``Udp`` packets in the order of capture. ``segments`` gives what
the reassembler takes, ``frames`` whole Ethernet frames, ``pcap`` the bytes of a capture file.
Checksums are left 0: in captures of the sending host they are wrong too, because the network card
computes them.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import TYPE_CHECKING, NamedTuple

from dissectors.capture.writer import write_pcap
from dissectors.model import ACK, Frame, Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

START_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000
# Segments that were made without a file lie at ``frame * FILE_STEP``.
FILE_STEP = 1_000_000
_MACS = bytes.fromhex("020000000002020000000001")


class Tcp(NamedTuple):
    """One TCP segment; addresses are ``ip:port`` or ``[ip]:port``."""

    src: str
    dst: str
    seq: int
    flags: int = ACK
    payload: bytes = b""
    missing: int = 0
    """Bytes of the payload's end that the snap length cut off; they are not in ``payload``."""


class Udp(NamedTuple):
    """One UDP datagram."""

    src: str
    dst: str
    payload: bytes


Packet = Tcp | Udp


def key(packet: Packet) -> bytes:
    """Return the key of a packet's direction, see ``dissectors.model.Segment``."""
    (source, source_port), (target, target_port) = _address(packet.src), _address(packet.dst)
    return source + target + struct.pack("!HH", source_port, target_port)


def segments(packets: Sequence[Tcp], *, first: int = 1) -> list[Segment]:
    """Return the segments of TCP packets, as frames from ``first`` on."""
    return [
        Segment(
            number, START_NS + number * STEP_NS, 6, key(packet), packet.seq, 0, packet.flags,
            packet.payload, number * FILE_STEP, packet.missing,
        )
        for number, packet in enumerate(packets, first)
    ]  # fmt: skip


def frames(packets: Sequence[Packet]) -> list[Frame]:
    """Return the Ethernet frames of packets, one millisecond apart."""
    found = []
    for number, packet in enumerate(packets, 1):
        data, missing = _ethernet(packet), packet.missing if isinstance(packet, Tcp) else 0
        found.append(Frame(number, START_NS + number * STEP_NS, 6, 1, data, 0, len(data) + missing))
    return found


def pcap(packets: Sequence[Packet]) -> bytes:
    """Return a capture file of packets."""
    return write_pcap(frames(packets), link=1)


def _address(text: str) -> tuple[bytes, int]:
    host, _, port = text.rpartition(":")
    return ipaddress.ip_address(host.strip("[]")).packed, int(port)


def _ethernet(packet: Packet) -> bytes:
    (source, source_port), (target, target_port) = _address(packet.src), _address(packet.dst)
    ports = struct.pack("!HH", source_port, target_port)
    if isinstance(packet, Tcp):
        protocol, missing = 6, packet.missing
        rest = struct.pack("!IIBBHHH", packet.seq, 0, 0x50, packet.flags, 0xFFFF, 0, 0)
    else:
        protocol, missing = 17, 0
        rest = struct.pack("!HH", 8 + len(packet.payload), 0)
    data = ports + rest + packet.payload
    length = len(data) + missing
    if len(source) == 16:
        head = struct.pack("!IHBB", 0x60000000, length, protocol, 64)
        return _MACS + b"\x86\xdd" + head + source + target + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, protocol, 0)
    return _MACS + b"\x08\x00" + head + source + target + data
