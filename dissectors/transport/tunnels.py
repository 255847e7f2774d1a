"""Tunnels: from the payload of IP or UDP to the packet inside.

Two tables, by IP protocol number and by UDP port; a reader is one of ``dissectors.transport.link``
(same result, same way of failing). The one rule: a UDP port proves nothing, so a reader returns
None for a datagram that does not look like its tunnel.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from dissectors.transport.link import (
    IPV4,
    IPV6,
    MPLS,
    SMALLEST_ETHERTYPE,
    Found,
    by_ethertype,
    ethernet,
    ip_by_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# Transparent Ethernet bridging (RFC 1701), ERSPAN types I/II and III
_BRIDGED, _ERSPAN_2, _ERSPAN_3 = 0x6558, 0x88BE, 0x22EB
_METADATA = 0x8909  # Cisco MetaData
# TS 29.281 defines a handful of extension headers; a packet has one or two.
MAX_GTP_EXTENSIONS = 16

_GRE = Struct("!HH").unpack_from
_U16 = Struct("!H").unpack_from


def gre(data: bytes) -> Found:
    """Read a GRE header (RFC 2784, RFC 2890)."""
    flags, kind = _GRE(data)
    if flags & 7:
        return "PPTP", 0  # version 1, RFC 2637: PPP inside
    if flags & 0x4000:
        return "GRE with source routing", 0  # RFC 1701; RFC 2784 withdrew it
    sequence = flags & 0x1000
    start = 4 + 4 * ((flags >> 15) + (flags >> 13 & 1) + (flags >> 12 & 1))
    if kind == _BRIDGED:
        return ethernet(data, start)
    if kind == _ERSPAN_2:  # type I has neither sequence number nor ERSPAN header
        return ethernet(data, start + 8 if sequence else start)
    if kind == _ERSPAN_3:
        platform = 8 if data[start + 11] & 1 else 0
        return ethernet(data, start + 12 + platform)
    if kind == _METADATA:  # here the EtherType of what follows stands first
        return by_ethertype(data, _U16(data, start)[0], start + 8)
    if kind < SMALLEST_ETHERTYPE:
        return "GRE keepalive" if kind == 0 else f"GRE protocol 0x{kind:04x}", 0
    return by_ethertype(data, kind, start)


def vxlan(data: bytes) -> Found | None:
    """Read a VXLAN header (RFC 7348 section 5): the I flag set, the last byte reserved."""
    if len(data) < 22 or not data[0] & 0x08 or data[7]:
        return None
    return ethernet(data, 8)


def geneve(data: bytes) -> Found | None:
    """Read a Geneve header (RFC 8926 section 3.4) of version 0 with a payload that we know."""
    if len(data) < 8 or data[0] >> 6:
        return None
    kind = _U16(data, 2)[0]
    start = 8 + (data[0] & 0x3F) * 4
    if kind == _BRIDGED:
        return ethernet(data, start)
    return (kind, start) if kind in (IPV4, IPV6) else None


def gtp_user(data: bytes) -> Found | None:
    """Read a G-PDU of GTP-U version 1 (3GPP TS 29.281 section 5) with an IP packet inside."""
    if len(data) < 9 or data[0] & 0xF0 != 0x30 or data[1] != 255:
        return None
    start = 8
    if data[0] & 7:  # any of these flags brings all of: sequence, N-PDU number, next extension
        extension = data[11] if data[0] & 4 else 0
        start = 12
        for _ in range(MAX_GTP_EXTENSIONS):
            if not extension:
                break
            size = data[start] * 4
            if not size:
                return None
            start += size
            extension = data[start - 1]
        else:
            return None
    kind, start = ip_by_version(data, start)
    return None if isinstance(kind, str) else (kind, start)


IP_TUNNELS: dict[int, Callable[[bytes], Found]] = {
    4: lambda _: (IPV4, 0),  # RFC 2003
    41: lambda _: (IPV6, 0),  # RFC 4213
    47: gre,
    97: lambda data: ethernet(data, 2),  # EtherIP, RFC 3378
    137: lambda data: by_ethertype(data, MPLS, 0),  # RFC 4023
}
UDP_TUNNELS: dict[int, Callable[[bytes], Found | None]] = {
    2152: gtp_user,
    4789: vxlan,
    6081: geneve,
}
TUNNEL_PORTS = frozenset(port.to_bytes(2, "big") for port in UDP_TUNNELS)
"""The ports of ``UDP_TUNNELS`` as they stand on the wire."""
