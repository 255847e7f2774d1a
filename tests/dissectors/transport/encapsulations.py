"""The same datagram in every wrapping that is known: name, LINKTYPE_ number, frame."""

from __future__ import annotations

import struct

from tests.dissectors.transport.packets import MACS, ethernet, ipv4, ipv6, udp

V4, V6 = ipv4(), ipv6()
FRAME, FRAME_6 = ethernet(V4), ethernet(V6, 0x86DD)
SNAP = b"\xaa\xaa\x03\0\0\0"
LLC = SNAP + b"\x08\0"


def _udp_tunnel(port: int, header: bytes, inside: bytes) -> bytes:
    ports = struct.pack("!HH", 50000, port)
    return ethernet(ipv4(udp(header + inside, ports=ports)))


def _gre(flags: int, kind: int, rest: bytes) -> bytes:
    return ethernet(ipv4(struct.pack("!HH", flags, kind) + rest, 47))


def _wlan(kind: int, flags: int, head: bytes = b"") -> bytes:
    return bytes((kind, flags, 0, 0)) + MACS + MACS[:6] + b"\x10\0" + head + LLC + V4


def _length_framed(data: bytes) -> bytes:
    return MACS + struct.pack("!H", len(data)) + data


ETHERNET: dict[str, bytes] = {
    "plain": FRAME,
    "padded": ethernet(ipv4(udp(b""))) + bytes(18),
    "ipv6": FRAME_6,
    "802.1Q": ethernet(V4, 0x0800, 0x8100),
    "802.1Q ipv6": ethernet(V6, 0x86DD, 0x8100),
    "802.1ad": ethernet(V4, 0x0800, 0x88A8, 0x8100),
    "QinQ 9100": ethernet(V4, 0x0800, 0x9100, 0x8100),
    "QinQ same": ethernet(V4, 0x0800, 0x8100, 0x8100, 0x8100),
    "802.1ah": ethernet(b"\0\0\0\1" + FRAME, 0x88E7),
    "E-TAG": ethernet(bytes(6) + b"\x08\0" + V4, 0x893F),
    "VN-Tag": ethernet(bytes(4) + b"\x08\0" + V4, 0x8926),
    "MetaData": ethernet(bytes.fromhex("0101000100640800") + V4, 0x8909),
    "LLC SNAP": _length_framed(LLC + V4),
    "LLC SNAP 802.1H": _length_framed(b"\xaa\xaa\x03\0\0\xf8\x86\xdd" + V6),
    "PPPoE": ethernet(struct.pack("!BBHHH", 0x11, 0, 1, len(V4) + 2, 0x0021) + V4, 0x8864),
    "PPPoE ipv6": ethernet(struct.pack("!BBHHH", 0x11, 0, 1, len(V6) + 2, 0x57) + V6, 0x8864),
    "MPLS": ethernet(bytes.fromhex("00064040") + bytes.fromhex("000c8140") + V4, 0x8847),
    "MPLS ipv6": ethernet(bytes.fromhex("00064140") + V6, 0x8847),
    "MPLS multicast": ethernet(bytes.fromhex("00064140") + V4, 0x8848),
    "MPLS pseudowire": ethernet(bytes.fromhex("00064140") + bytes(4) + FRAME, 0x8847),
    "IP in IP": ethernet(ipv4(V4, 4)),
    "6in4": ethernet(ipv4(V6, 41)),
    "4in6": ethernet(ipv6(V4, 4), 0x86DD),
    "IPv6 in IPv6": ethernet(ipv6(V6, 41), 0x86DD),
    "EtherIP": ethernet(ipv4(b"\x30\0" + FRAME, 97)),
    "MPLS in IP": ethernet(ipv4(bytes.fromhex("00064140") + V4, 137)),
    "GRE": _gre(0, 0x0800, V4),
    "GRE ipv6": _gre(0, 0x86DD, V6),
    "GRE checksum": _gre(0x8000, 0x0800, bytes(4) + V4),
    "GRE key": _gre(0x2000, 0x0800, bytes(4) + V4),
    "GRE sequence": _gre(0x1000, 0x0800, bytes(4) + V4),
    "GRE all": _gre(0xB000, 0x0800, bytes(12) + V4),
    "GRE Ethernet": _gre(0x2000, 0x6558, bytes(4) + FRAME),
    "GRE MPLS": _gre(0, 0x8847, bytes.fromhex("00064140") + V4),
    "GRE MetaData": _gre(0, 0x8909, bytes.fromhex("0800010100010000") + V4),
    "ERSPAN I": _gre(0, 0x88BE, FRAME),
    "ERSPAN II": _gre(0x1000, 0x88BE, bytes(4) + bytes.fromhex("1001000000000000") + FRAME),
    "ERSPAN III": _gre(0x1000, 0x22EB, bytes(4) + bytes.fromhex("2001") + bytes(10) + FRAME),
    "VXLAN": _udp_tunnel(4789, bytes.fromhex("0800000000006400"), FRAME),
    "VXLAN ipv6 VLAN": _udp_tunnel(
        4789, bytes.fromhex("0800000000006400"), ethernet(V6, 0x86DD, 0x8100)
    ),
    "Geneve": _udp_tunnel(6081, bytes.fromhex("0000655800006400"), FRAME),
    "Geneve options": _udp_tunnel(
        6081, bytes.fromhex("0200655800006400") + bytes.fromhex("0000010100000000"), FRAME
    ),
    "Geneve ip": _udp_tunnel(6081, bytes.fromhex("0000080000006400"), V4),
    "GTP-U": _udp_tunnel(2152, struct.pack("!BBHI", 0x30, 255, len(V4), 1), V4),
    "GTP-U sequence": _udp_tunnel(
        2152, struct.pack("!BBHIHBB", 0x32, 255, len(V6) + 4, 1, 5, 0, 0), V6
    ),
    "GTP-U extensions": _udp_tunnel(
        2152,
        struct.pack("!BBHIHBB", 0x34, 255, len(V4) + 12, 1, 0, 0, 0x85)
        + bytes.fromhex("01001085")
        + bytes.fromhex("01000900"),
        V4,
    ),
    "GRE in VXLAN": _udp_tunnel(
        4789, bytes.fromhex("0800000000006400"), _gre(0, 0x0800, ipv4(V6, 41))
    ),
}

OTHER_LINKS: dict[str, tuple[int, bytes]] = {
    "NULL little": (0, b"\2\0\0\0" + V4),
    "NULL big": (0, b"\0\0\0\2" + V4),
    "NULL ipv6 BSD": (0, b"\x18\0\0\0" + V6),
    "NULL ipv6 FreeBSD": (0, b"\x1c\0\0\0" + V6),
    "NULL ipv6 macOS": (0, b"\x1e\0\0\0" + V6),
    "NULL HDLC": (0, b"\x0f\0\x08\0" + V4),
    "LOOP": (108, b"\0\0\0\2" + V4),
    "LOOP ipv6": (108, b"\0\0\0\x18" + V6),
    "PPP": (9, b"\xff\x03\0\x21" + V4),
    "PPP bare": (9, b"\0\x57" + V6),
    "PPP compressed": (9, b"\x21" + V4),
    "PPP MPLS": (9, b"\xff\x03\x02\x81" + bytes.fromhex("00064140") + V4),
    "RAW 12": (12, V4),
    "RAW 14": (14, V6),
    "RAW": (101, V4),
    "RAW ipv6": (101, V6),
    "PPP HDLC": (50, b"\xff\x03\0\x21" + V4),
    "PPP as Cisco HDLC": (50, b"\x0f\0\x08\0" + V4),
    "PPP_ETHER": (51, struct.pack("!BBHHH", 0x11, 0, 1, len(V4) + 2, 0x0021) + V4),
    "PPP direction": (204, b"\0\xff\x03\0\x21" + V4),
    "Cisco HDLC": (104, b"\x0f\0\x86\xdd" + V6),
    "802.11 data": (105, _wlan(0x08, 0x01)),
    "802.11 from AP": (105, _wlan(0x08, 0x02)),
    "802.11 QoS": (105, _wlan(0x88, 0x02, b"\0\0")),
    "802.11 QoS HT": (105, _wlan(0x88, 0x82, bytes(6))),
    "802.11 bridge": (105, _wlan(0x08, 0x03, MACS[:6])),
    "radiotap": (127, b"\0\0\x08\0\0\0\0\0" + _wlan(0x08, 0x01)),
    "radiotap FCS": (
        127,
        b"\0\0\x09\0\x02\0\0\0\x10" + _wlan(0x08, 0x01) + bytes.fromhex("00000000"),
    ),
    "SLL": (113, b"\0\0\0\1\0\6" + MACS[:8] + b"\x08\0" + V4),
    "SLL ipv6": (113, b"\0\0\0\1\0\6" + MACS[:8] + b"\x86\xdd" + V6),
    "SLL VLAN": (113, b"\0\0\0\1\0\6" + MACS[:8] + b"\x81\0\0\x64\x08\0" + V4),
    "SLL 802.2": (113, b"\0\0\0\1\0\6" + MACS[:8] + b"\0\4" + LLC + V4),
    "SLL2": (276, b"\x08\0" + bytes(6) + b"\0\1\0\6" + MACS[:8] + V4),
    "SLL2 ipv6": (276, b"\x86\xdd" + bytes(6) + b"\0\1\0\6" + MACS[:8] + V6),
    "IPV4": (228, V4),
    "IPV6": (229, V6),
    "PKTAP": (
        258,
        struct.pack("<III", 108, 1, 1) + b"en0".ljust(24, b"\0") + bytes(72) + FRAME,
    ),
}

EVERY: dict[str, tuple[int, bytes]] = {
    **{f"Ethernet, {name}": (1, data) for name, data in ETHERNET.items()},
    **OTHER_LINKS,
}
