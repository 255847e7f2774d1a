"""TCP packets written anew, with valid lengths and checksums, in the manner of captured ones.

The one rule: everything that need not change stays: link header, addresses, TTL, window, the
options that do not name sequence numbers. What was inside a tunnel is written without it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import dpkt

from dissectors.model import ACK, SYN, Frame
from dissectors.transport.link import ETHERNET, IPV4, IPV6, LINKS, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.export.resequence import Packet

RAW = 101
"""LINKTYPE_RAW: for packets whose link header cannot be kept."""
# Options (RFC 9293, RFC 7323, RFC 2018) that stay true: maximum segment size, window scale, SACK
# permitted, timestamps. A SACK block names sequence numbers.
_KEPT_OPTIONS = frozenset((2, 3, 4, 8))
_END, _NO_OPERATION, _TIMESTAMPS = 0, 1, 8
_HEAD = struct.Struct("!4sIIBBH")
_WINDOW = 65_535
"""Where the captured header is not at hand."""
_IPV4_KEPT = struct.Struct("!BB2xHHB")


def rewritten(packet: Packet, frame: Frame, payload: bytes) -> Frame:
    """Return the frame of a packet, in the manner of the captured ``frame`` that it stands for."""
    window, options = _tcp_head(packet, frame)
    if packet.flags & SYN == 0:
        options = _without(options, keep=frozenset((_TIMESTAMPS,)))
    whole = payload + bytes(packet.missing)
    segment = dpkt.tcp.TCP(
        sport=int.from_bytes(packet.key[-4:-2], "big"),
        dport=int.from_bytes(packet.key[-2:], "big"),
        seq=packet.seq,
        ack=packet.ack if packet.flags & ACK else 0,
        off=5 + len(options) // 4,
        flags=packet.flags & 0xFF,
        win=window,
        opts=options,
        data=whole,
    )
    version = 4 if len(packet.key) == 12 else 6
    link, header, start = _link_head(frame, IPV4 if version == 4 else IPV6)
    old = frame.data[start:] if start else b""
    data = header + (
        _ipv4(packet.key, segment, old) if version == 4 else _ipv6(packet.key, segment)
    )
    captured = data[: len(data) - packet.missing] if packet.missing else data
    return frame._replace(link=link, data=captured, offset=0, wire_length=len(data))


def _ipv4(key: bytes, segment: dpkt.tcp.TCP, old: bytes) -> bytes:
    """Return an IPv4 packet; type of service, identification and TTL are those of the old one."""
    packet = dpkt.ip.IP(src=key[:4], dst=key[4:8], p=dpkt.ip.IP_PROTO_TCP, ttl=64, data=segment)
    if len(old) >= 20 and old[0] >> 4 == 4 and old[12:20] == key[:8]:
        _, packet.tos, packet.id, fragment, packet.ttl = _IPV4_KEPT.unpack_from(old)
        packet.df = int(bool(fragment & 0x4000))
    packet.len = len(packet)
    return bytes(packet)


def _ipv6(key: bytes, segment: dpkt.tcp.TCP) -> bytes:
    packet = dpkt.ip6.IP6(
        src=key[:16], dst=key[16:32], nxt=dpkt.ip.IP_PROTO_TCP, hlim=64, data=segment
    )
    packet.plen = len(segment)
    return bytes(packet)


def _link_head(frame: Frame, kind: int) -> tuple[int, bytes, int]:
    """Return link type, link header for an IP packet of a kind, and where the old IP header is."""
    try:
        found, start = LINKS[frame.link](frame.data)
    except (KeyError, struct.error, IndexError):
        return RAW, b"", 0
    if frame.link == ETHERNET:
        tags = _tags(frame.data)
        if start == len(tags) + 14 and found == kind:
            return frame.link, frame.data[:start], start
        # A tunnel, or a header that has a length: the addresses and tags of the outermost one.
        return frame.link, frame.data[:12] + tags + kind.to_bytes(2, "big"), 0
    if found == kind:
        return frame.link, frame.data[:start], start
    return RAW, b"", 0


def _tags(data: bytes) -> bytes:
    """Return the VLAN tags of an Ethernet frame."""
    at = 12
    while (size := TAGS.get(int.from_bytes(data[at : at + 2], "big"))) is not None:
        at += 2 + size
    return data[12:at]


def _tcp_head(packet: Packet, frame: Frame) -> tuple[int, bytes]:
    """Return window and options of the captured TCP header, found by where it ends."""
    end = packet.head - frame.offset
    for size in range(20, 64, 4):
        at = end - size
        if at < 0 or end > len(frame.data):
            break
        ports, _, _, words, _, window = _HEAD.unpack_from(frame.data, at)
        if ports == packet.key[-4:] and words >> 2 & 0x3C == size:
            return window, _without(frame.data[at + 20 : end], keep=_KEPT_OPTIONS)
    return _WINDOW, b""


def _without(options: bytes, *, keep: frozenset[int]) -> bytes:
    """Return some of the options of a TCP header, padded to whole words."""
    kept = b"".join(option for option in _options(options) if option[0] in keep)
    return kept + bytes([_NO_OPERATION]) * (-len(kept) % 4)


def _options(options: bytes) -> Iterator[bytes]:
    """Yield each option with its kind and length (RFC 9293 section 3.1); damage ends it."""
    at = 0
    while at < len(options) and options[at] != _END:
        if options[at] == _NO_OPERATION:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2 or at + size > len(options):
            return
        yield options[at : at + size]
        at += size
