"""IPv4 and IPv6 headers, and the packet that the layers hand to one another.

The one rule: lengths that a header claims are cut to what holds the header (``Packet.length``), and
what the capture lacks of that is never invented: a packet knows its length on the wire apart from
its captured bytes.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from dissectors.model import Piece

# RFC 8200 allows each extension header once (destination options twice); twice as many is a loop.
MAX_EXTENSIONS = 16
# Without a length field (segmentation offload) a packet ends with its frame; Linux "BIG TCP" builds
# up to 512 KiB (GSO_MAX_SIZE), and a frame's claimed length must not make up a gap beyond that.
MAX_OFFLOADED = 524_288

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
FRAGMENT, AUTHENTICATION = 44, 51
# Hop-by-hop, routing, destination options, mobility, HIP, shim6: all laid out alike (RFC 6564).
_OPTIONS = frozenset((0, 43, 60, 135, 139, 140))
EXTENSIONS = _OPTIONS | {FRAGMENT, AUTHENTICATION}

_IPV4 = struct.Struct("!BxH2sHxB2x8s").unpack_from
_IPV6 = struct.Struct("!B3xHBx32s").unpack_from
_FRAGMENT = struct.Struct("!BxH4s").unpack_from


class Packet(NamedTuple):
    """The bytes of one layer, and where they lie in the capture."""

    frame: int
    time_ns: int
    digits: int
    data: bytes
    """The captured bytes, nothing after the end that the layer below states."""
    offset: int
    """Of ``data`` in the capture file; meaningless when ``pieces`` is not empty."""
    length: int
    """On the wire; larger than ``len(data)`` where the capture was cut."""
    pieces: tuple[Piece, ...] = ()
    """Where the bytes lie when they were put together from fragments."""

    def part(self, start: int, end: int) -> Packet:
        """Return the bytes from ``start`` to ``end`` (not beyond this packet's length)."""
        data = self.data[start:end]
        pieces = _part_of(self.pieces, start, len(data)) if self.pieces else ()
        offset = pieces[0].offset if pieces else self.offset + start
        length = max(0, min(end, self.length) - start)
        return Packet(self.frame, self.time_ns, self.digits, data, offset, length, pieces)

    def where(self) -> tuple[Piece, ...]:
        """Return where the captured bytes lie, in their order."""
        if self.pieces or not self.data:
            return self.pieces
        return (Piece(self.frame, self.offset, len(self.data)),)


def _part_of(pieces: tuple[Piece, ...], skip: int, length: int) -> tuple[Piece, ...]:
    found: list[Piece] = []
    for frame, offset, size in pieces:
        if not length:
            break
        if skip >= size:
            skip -= size
            continue
        take = min(size - skip, length)
        found.append(Piece(frame, offset + skip, take))
        length -= take
        skip = 0
    return tuple(found)


class Fragment(NamedTuple):
    """What a header says of the fragment that it begins."""

    key: bytes
    """What all fragments of one datagram share (RFC 791 section 3.2, RFC 8200 section 4.5)."""
    offset: int
    more: bool


class Header(NamedTuple):
    """What an IP header says; ``start`` and ``end`` delimit its payload in the packet."""

    protocol: int
    addresses: bytes
    """Source and destination, 8 or 32 bytes."""
    start: int
    end: int
    fragment: Fragment | None


def ipv4(packet: Packet) -> Header | str:
    """Read an IPv4 header (RFC 791), or say why it is damaged.

    Raises:
        struct.error: The bytes end inside the header.
    """
    first, total, ident, flags, protocol, addresses = _IPV4(packet.data)
    start = (first & 15) * 4
    if first >> 4 != 4:
        return "an IPv4 header of another version"
    if start < 20:
        return "IPv4 header length below 20 bytes"
    if start > len(packet.data):
        raise struct.error("IPv4 options")
    # Hosts that leave segmentation to the adapter capture packets whose length is not filled in.
    end = total or start + MAX_OFFLOADED
    if end < start:
        return "IPv4 total length below the header length"
    fragment = None
    if flags & 0x3FFF:
        key = addresses + bytes((protocol,)) + ident
        fragment = Fragment(key, (flags & 0x1FFF) * 8, bool(flags & 0x2000))
    return Header(protocol, addresses, start, min(end, packet.length), fragment)


def ipv6(packet: Packet) -> Header | str:
    """Read the fixed IPv6 header (RFC 8200 section 3), or say why it is damaged.

    A payload length of 0 (jumbogram, segmentation offload) means up to the end of the frame; the
    length that a jumbo payload option states is not read.

    Raises:
        struct.error: The bytes end inside the header.
    """
    first, length, protocol, addresses = _IPV6(packet.data)
    if first >> 4 != 6:
        return "an IPv6 header of another version"
    end = min(40 + (length or MAX_OFFLOADED), packet.length)
    return Header(protocol, addresses, 40, end, None)


def extensions(packet: Packet, protocol: int, addresses: bytes) -> Header | str:
    """Pass over the extension headers that begin a packet, up to the first fragment header.

    ``protocol`` is the number of the first of them. An atomic fragment (RFC 6946) is none.

    Raises:
        IndexError, struct.error: The bytes end inside a header.
    """
    data = packet.data
    start = 0
    for _ in range(MAX_EXTENSIONS):
        if protocol == FRAGMENT:
            protocol, flags, ident = _FRAGMENT(data, start)
            start += 8
            if flags & 0xFFF9:
                fragment = Fragment(addresses + ident, flags & 0xFFF8, bool(flags & 1))
                return Header(protocol, addresses, start, packet.length, fragment)
            continue
        if protocol == AUTHENTICATION:
            size = (data[start + 1] + 2) * 4  # RFC 4302 section 2.2
        elif protocol in _OPTIONS:
            size = (data[start + 1] + 1) * 8
        else:
            return Header(protocol, addresses, start, packet.length, None)
        protocol = data[start]
        start += size
    return "too many IPv6 extension headers"
