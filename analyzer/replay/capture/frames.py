"""TCP segments and UDP datagrams to Ethernet frames, as a host would send them.

dpkt packs the headers and computes the checksums; what is said here is what stands in them.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

from dpkt.ethernet import ETH_TYPE_IP, ETH_TYPE_IP6, Ethernet, VLANtag8021Q
from dpkt.ip import IP, IP_PROTO_TCP, IP_PROTO_UDP
from dpkt.ip6 import IP6
from dpkt.tcp import TCP
from dpkt.udp import UDP

from analyzer.replay.capture.options import CaptureError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.replay.actions import Address

TTL = 128
"""What Windows sends, of both sides: they are taken to be on one link."""
DONT_FRAGMENT = 0x4000
"""Hosts that find the path's MTU themselves set it in all TCP segments (RFC 1191)."""
MAX_DATAGRAM = 65_507
"""Bytes that UDP over IPv4 has room for."""
LOCAL_MAC = b"\x02\x00"
"""Begins an address that no manufacturer gave: locally administered, unicast (IEEE 802 8.2)."""
_MAC = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}")


class TcpHead(NamedTuple):
    """What the header of a segment says besides the ports."""

    seq: int
    ack: int
    flags: int
    window: int
    options: bytes = b""


class Framer:
    """Makes frames; it counts the packets of each host (the identification of IPv4)."""

    def __init__(self, macs: Mapping[str, str], vlan: int | None) -> None:
        """Raise ``CaptureError`` for an address that is none.

        Args:
            macs: Ethernet addresses by IP address.
            vlan: IEEE 802.1Q id; None for untagged frames.
        """
        self._macs = {_ip(host): _mac(mac) for host, mac in macs.items()}
        self._vlan = vlan
        self._sent: dict[bytes, int] = {}

    def tcp(self, source: Address, target: Address, head: TcpHead, data: bytes = b"") -> bytes:
        """Return a frame with a TCP segment."""
        segment = TCP(
            sport=source.port,
            dport=target.port,
            seq=head.seq,
            ack=head.ack,
            off=5 + len(head.options) // 4,
            flags=head.flags,
            win=head.window,
            opts=head.options,
            data=data,
        )
        return self._frame(source, target, IP_PROTO_TCP, segment)

    def udp(self, source: Address, target: Address, data: bytes) -> bytes:
        """Return a frame with a UDP datagram; raise ``CaptureError`` for one that is too long."""
        if len(data) > MAX_DATAGRAM:
            raise CaptureError(f"{len(data):,} bytes do not fit into one UDP datagram")
        datagram = UDP(sport=source.port, dport=target.port, ulen=8 + len(data), data=data)
        return self._frame(source, target, IP_PROTO_UDP, datagram)

    def _frame(self, source: Address, target: Address, protocol: int, inner: TCP | UDP) -> bytes:
        src, dst = _ip(source.host), _ip(target.host)
        packet: IP | IP6
        if len(src) != len(dst):
            raise CaptureError(f"{source} and {target} are addresses of different IP versions")
        if len(src) == 4:
            flags = DONT_FRAGMENT if protocol == IP_PROTO_TCP else 0
            packet = IP(src=src, dst=dst, p=protocol, ttl=TTL, id=self._count(src), data=inner)
            packet._flags_offset = flags  # noqa: SLF001 - dpkt's name of the field
            kind = ETH_TYPE_IP
        else:
            packet = IP6(src=src, dst=dst, nxt=protocol, hlim=TTL, plen=len(inner), data=inner)
            bytes(packet)  # computes the checksum
            if protocol == IP_PROTO_UDP and not inner.sum:
                inner.sum = 0xFFFF  # RFC 8200 8.1: 0 would say that there is none
            kind = ETH_TYPE_IP6
        frame = Ethernet(src=self._mac(src), dst=self._mac(dst), type=kind, data=packet)
        if self._vlan is not None:
            frame.vlan_tags = [VLANtag8021Q(id=self._vlan)]
        return bytes(frame)

    def _count(self, host: bytes) -> int:
        """Return the identification of a host's next packet."""
        count = self._sent.get(host)
        if count is None:
            count = int.from_bytes(hashlib.sha256(host).digest()[:2], "big")
        self._sent[host] = count = count + 1 & 0xFFFF
        return count

    def _mac(self, host: bytes) -> bytes:
        known = self._macs.get(host)
        if known is None:
            # Of IPv4 the address can be read in it.
            tail = host if len(host) == 4 else hashlib.sha256(host).digest()[:4]
            known = self._macs[host] = LOCAL_MAC + tail
        return known


def _ip(host: str) -> bytes:
    try:
        return ipaddress.ip_address(host).packed
    except ValueError:
        raise CaptureError(f"{host[:60]!r} is not an IP address") from None


def _mac(text: str) -> bytes:
    if not _MAC.fullmatch(text):
        raise CaptureError(f"{text[:60]!r} is not an Ethernet address such as 02:00:0a:14:02:16")
    return bytes.fromhex(re.sub("[:-]", "", text))
