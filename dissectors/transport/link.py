"""Link layers: from the first byte of a frame to its IP header.

Two tables: ``LINKS`` by LINKTYPE_ number (tcpdump.org/linktypes.html), ``SHIMS`` by EtherType. A
reader returns the EtherType ``IPV4`` or ``IPV6`` and where that header begins, or, in place of the
EtherType, the name of what the frame carries instead. The one rule: a reader does not ask whether
the bytes suffice; it lets ``IndexError`` and ``struct.error`` pass, because only its caller knows
whether the frame was cut or is damaged.

dpkt is used for 802.11 alone (``link_wireless``). For the other layers its objects decode as deep
as they can and raise for what lies inside, and they do not say where in the frame a payload lies,
which every value here has to know; each is a few lines of this table.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from dissectors.transport.link_wireless import payload_start

if TYPE_CHECKING:
    from collections.abc import Callable

Found = tuple[int | str, int]
"""EtherType and start of an IP header, or the name of something else and any number."""

IPV4, IPV6 = 0x0800, 0x86DD
VLAN = 0x8100
MPLS, MPLS_UPSTREAM = 0x8847, 0x8848
ETHERNET = 1  # LINKTYPE_
SMALLEST_ETHERTYPE = 0x0600  # below it stands a length (IEEE 802.3 clause 3.2.6)

# Four tags is the most that equipment stacks; more is a loop in a hostile file.
MAX_HEADERS = 16
# RFC 3032 sets no limit; hardware pushes about ten.
MAX_LABELS = 32

_U16 = Struct("!H").unpack_from
_U32_LITTLE, _U32_BIG = Struct("<I").unpack_from, Struct(">I").unpack_from
_PKTAP = Struct("<I4xI").unpack_from

# Tags: bytes between their own EtherType and the next one.
TAGS = {
    VLAN: 2,  # IEEE 802.1Q
    0x88A8: 2,  # IEEE 802.1ad
    0x9100: 2,  # QinQ before 802.1ad
    0x9200: 2,
    0x8909: 6,  # Cisco MetaData (security group tag)
    0x893F: 6,  # IEEE 802.1BR E-TAG
    0x8926: 4,  # VN-Tag
}

# What a frame may carry that has neither TCP nor UDP for us; the rest is named by its number.
OTHERS = {
    0x0806: "ARP",
    0x8035: "RARP",
    0x8137: "IPX",
    0x8809: "LACP",
    0x8863: "PPPoE discovery",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x88E5: "MACsec",
    0x88F7: "PTP",
    0x9000: "loopback test",
}
SAPS = {0x42: "STP", 0xE0: "IPX", 0xF0: "NetBIOS", 0xFE: "OSI", 0xFF: "IPX"}

_PPP = {0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS, 0x0283: MPLS_UPSTREAM}
# AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on
# macOS, and the number stands in the byte order of the host that captured.
_FAMILIES = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}


def ip_by_version(data: bytes, start: int = 0) -> Found:
    """Find an IP header by its version field, where nothing else says which it is."""
    version = data[start] >> 4
    if version == 4:
        return IPV4, start
    return (IPV6, start) if version == 6 else ("neither IPv4 nor IPv6", start)


def ethernet(data: bytes, start: int = 0) -> Found:
    """Read an Ethernet header, tags included."""
    return by_ethertype(data, _U16(data, start + 12)[0], start + 14)


def by_ethertype(data: bytes, kind: int | str, start: int) -> Found:
    """Follow tags and shims from the payload of an EtherType to an IP header."""
    for _ in range(MAX_HEADERS):
        if isinstance(kind, str) or kind in (IPV4, IPV6):
            return kind, start
        if kind in TAGS:
            start += TAGS[kind]
            kind = _U16(data, start)[0]
            start += 2
        elif kind < SMALLEST_ETHERTYPE:
            kind, start = llc(data, start)
        elif kind in SHIMS:
            kind, start = SHIMS[kind](data, start)
        else:
            return OTHERS.get(kind) or f"EtherType 0x{kind:04x}", start
    return "too many tags", start


def llc(data: bytes, start: int) -> Found:
    """Read an IEEE 802.2 header, with SNAP (RFC 1042) where it has one; no tags after it."""
    dsap, control = data[start], data[start + 2]
    if dsap != 0xAA or control != 3:
        return SAPS.get(dsap) or f"LLC SAP 0x{dsap:02x}", start
    # 00-00-F8 is the bridge-tunnel encapsulation of IEEE 802.1H
    if data[start + 3 : start + 6] not in (b"\0\0\0", b"\0\0\xf8"):
        return "SNAP of a vendor", start
    kind = _U16(data, start + 6)[0]
    return kind if kind >= SMALLEST_ETHERTYPE else f"SNAP 0x{kind:04x}", start + 8


def ppp(data: bytes, start: int = 0) -> Found:
    """Read a PPP header (RFC 1661, RFC 1662), with or without address and control bytes."""
    if data[start] == 0xFF and data[start + 1] == 3:
        start += 2
    if data[start] & 1:  # protocol field compressed to one byte (RFC 1661 section 6.5)
        protocol = data[start]
        start += 1
    else:
        protocol = _U16(data, start)[0]
        start += 2
    if protocol in _PPP:
        return by_ethertype(data, _PPP[protocol], start)
    return "PPP control" if protocol >= 0x8000 else f"PPP 0x{protocol:04x}", start


def mpls(data: bytes, start: int) -> Found:
    """Read a label stack (RFC 3032); what follows is told by its first nibble (RFC 4928)."""
    for _ in range(MAX_LABELS):
        bottom = data[start + 2] & 1
        start += 4
        if bottom:
            break
    else:
        return "too many MPLS labels", start
    first = data[start]
    if 0x45 <= first <= 0x4F:
        return IPV4, start
    if first >> 4 == 6:
        return IPV6, start
    if first >> 4 == 1:
        return "MPLS associated channel", start  # RFC 4385 section 5
    # A pseudowire; a zero nibble begins the control word of RFC 4448 section 4.6.
    return ethernet(data, start if first >> 4 else start + 4)


SHIMS: dict[int, Callable[[bytes, int], Found]] = {
    MPLS: mpls,
    MPLS_UPSTREAM: mpls,
    0x8864: lambda data, start: ppp(data, start + 6),  # PPPoE session, RFC 2516 section 4
    0x88E7: lambda data, start: ethernet(data, start + 4),  # IEEE 802.1ah
}


def _cooked(data: bytes, kind: int, start: int) -> Found:
    """Read after a header of Linux "cooked" capture, whose small protocol numbers are Linux's."""
    if kind == 4:  # LINUX_SLL_P_802_2
        return by_ethertype(data, *llc(data, start))
    if kind < SMALLEST_ETHERTYPE:
        return f"SLL protocol 0x{kind:04x}", start
    return by_ethertype(data, kind, start)


def _loopback(data: bytes) -> Found:
    """Read an address family; what is none is an HDLC header that a program called "null"."""
    for family in (_U32_LITTLE(data)[0], _U32_BIG(data)[0]):
        kind = _FAMILIES.get(family)
        if kind:
            return kind, 4
    if data[:2] == b"\xff\x03":
        return ppp(data)
    kind = _U16(data, 2)[0]
    return (
        by_ethertype(data, kind, 4) if kind >= SMALLEST_ETHERTYPE else ("another address family", 4)
    )


def _hdlc(data: bytes) -> Found:
    """Read Cisco HDLC: address, control, EtherType."""
    return by_ethertype(data, _U16(data, 2)[0], 4)


def _ppp_or_hdlc(data: bytes) -> Found:
    return _hdlc(data) if data[0] in (0x0F, 0x8F) else ppp(data)


def _pktap(data: bytes) -> Found:
    """Read Apple's PKTAP header: its length, and the DLT_ of the frame behind it."""
    length, link = _PKTAP(data)
    reader = LINKS.get(link)
    if reader is None or link == 258:
        return "unknown link type in PKTAP", 0
    kind, start = reader(data[length:])
    return kind, start + length


def _wireless(data: bytes, start: int) -> Found:
    payload = payload_start(data, start)
    if isinstance(payload, str):
        return payload, 0
    return by_ethertype(data, *llc(data, payload))


LINKS: dict[int, Callable[[bytes], Found]] = {
    ETHERNET: ethernet,
    0: _loopback,  # NULL
    108: _loopback,  # LOOP
    9: ppp,
    12: ip_by_version,  # DLT_RAW, as some programs write it
    14: ip_by_version,
    50: _ppp_or_hdlc,
    51: lambda data: ppp(data, 6),  # PPP_ETHER
    101: ip_by_version,  # RAW
    104: _hdlc,  # C_HDLC
    105: lambda data: _wireless(data, 0),  # IEEE802_11
    113: lambda data: _cooked(data, _U16(data, 14)[0], 16),  # LINUX_SLL
    127: lambda data: _wireless(data, data[2] | data[3] << 8),  # IEEE802_11_RADIOTAP
    204: lambda data: ppp(data, 1),  # PPP_WITH_DIR
    228: lambda _: (IPV4, 0),
    229: lambda _: (IPV6, 0),
    258: _pktap,
    276: lambda data: _cooked(data, _U16(data, 0)[0], 20),  # LINUX_SLL2
}
