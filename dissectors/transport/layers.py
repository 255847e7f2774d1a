"""One frame layer by layer: the readable path, and the reference for the fast one.

The one rule: bytes never raise out of here. Headers are read without asking whether the bytes
suffice; ``Layers.decode`` is the one place that catches what this raises, and there it is known
whether a snap length cut the frame (which is nobody's fault) or the packet is damaged.

Checksums are not verified: hosts leave them to the adapter, so that captures taken on a host are
full of wrong ones in packets that were received well.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING

from dissectors.model import Datagram, Malformed, Segment
from dissectors.transport.fragments import Fragments
from dissectors.transport.hep import PACKED, read_hep
from dissectors.transport.ip import (
    AUTHENTICATION,
    EXTENSIONS,
    ICMP,
    ICMPV6,
    TCP,
    UDP,
    Packet,
    extensions,
    ipv4,
    ipv6,
)
from dissectors.transport.ip_errors import quoted_datagram
from dissectors.transport.link import IPV4, LINKS, Found, ethernet, ip_by_version
from dissectors.transport.pdus import UPPER_PDU, Repeats, read_pdu
from dissectors.transport.tunnels import IP_TUNNELS, UDP_TUNNELS

if TYPE_CHECKING:
    from dissectors.model import Frame
    from dissectors.transport.hep import Hep
    from dissectors.transport.ip import Header
    from dissectors.transport.pdus import Pdu

Item = Segment | Datagram | Malformed

# A tunnel in a tunnel is known (GTP-U in IPsec in VLAN); deeper is made to exhaust somebody.
MAX_NESTING = 8
# Of one kind; more do not help whoever reads them, and a hostile file could have millions.
MAX_MALFORMED = 100
# Names of what is ignored carry numbers from the wire.
MAX_REASONS = 64
# Enough of the bytes to recognise what they are.
MAX_RAW = 128

# What carries neither TCP nor UDP; the rest is named by its number (iana.org/protocol-numbers).
_OTHERS = {
    1: "ICMP",
    2: "IGMP",
    50: "ESP",
    58: "ICMPv6",
    59: "no next header",
    88: "EIGRP",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    132: "SCTP",
}
_REPEATED = "sip.tcp exported PDU, repeated as sip"
# FIN, RST, PSH, ACK: without the handshake a sequence number of an export is a relative one
_EXPORTED_FLAGS = 0x1D
_TCP = struct.Struct("!4sIIBB").unpack_from
_UDP = struct.Struct("!HHH").unpack_from


class Layers:
    """Decode frames one at a time, and count what does not become a value."""

    def __init__(self) -> None:
        self.ignored: Counter[str] = Counter()
        self.malformed: Counter[tuple[str, str]] = Counter()
        """By layer and reason, also those beyond ``MAX_MALFORMED``."""
        self._fragments = Fragments()
        self._repeats = Repeats()
        self.times: tuple[int, int] | None = None
        """First and last of the times that stand inside of packets (HEP)."""
        # For the one place that catches: the layer being read, and whether the snap length cut it
        self._layer = "link"
        self._cut = False

    def decode(self, frame: Frame) -> list[Item]:
        """Return the segment or datagram of a frame, or what is wrong with it."""
        number, time_ns, digits, link, data, offset, wire = frame
        packet = Packet(number, time_ns, digits, data, offset, max(wire, len(data)))
        self._layer = "link"
        self._cut = wire > len(data)
        try:
            item = self._link(packet, link)
        except (struct.error, IndexError):
            item = None
            if not self._cut:
                item = self._refuse(self._layer, "ends inside a header", packet)
        items = self.take_lost() if self._fragments.lost else []
        if link == UPPER_PDU:
            items += self._repeats.take()
        if item is not None:
            items.append(item)
        return items

    def close(self) -> list[Item]:
        """Return what was held back, and report the datagrams whose fragments never came."""
        self._fragments.close()
        return [*self._repeats.take(end=True), *self.take_lost()]

    def oldest_waiting(self) -> int | None:
        """Return the first frame whose item is held back."""
        return self._repeats.oldest

    def take_lost(self) -> list[Item]:
        """Report the datagrams that were given up since the last call."""
        reason = "a datagram some of whose IP fragments are missing"
        found = [self._count("ip", reason, lost.frame, lost.data) for lost in self._fragments.lost]
        self._fragments.lost.clear()
        return [item for item in found if item is not None]

    def _link(self, packet: Packet, link: int) -> Item | None:
        reader = LINKS.get(link)
        if link == UPPER_PDU:
            return self._exported(packet)
        if reader is None:
            self._ignore(f"unknown link type {link}")
            return None
        return self._network(packet, reader(packet.data), 0)

    def _exported(self, packet: Packet) -> Item | None:
        """Read an exported PDU: a message, or the packet or the payload that it holds."""
        pdu = read_pdu(packet.data)
        if isinstance(pdu, str):
            return self._refuse("link", pdu, packet)
        body = packet.part(pdu.start, packet.length)
        if pdu.kind == "ip":
            return self._network(body, ip_by_version(body.data), 0)
        if pdu.kind == "ethernet":
            return self._network(body, ethernet(body.data), 0)
        if pdu.kind == "segment" and pdu.tcp is not None:
            seq, ack, flags = pdu.tcp
            return Segment(
                *body[:3], pdu.key, seq, ack, flags & _EXPORTED_FLAGS, body.data, body.offset,
                body.length - len(body.data),
            )  # fmt: skip
        if pdu.kind == "other":
            self._ignore(f"{pdu.name} exported PDU")
            return None
        return self._exported_message(pdu, body)

    def _exported_message(self, pdu: Pdu, body: Packet) -> Item | None:
        transport = "tcp" if pdu.kind == "segment" else pdu.transport
        item = Datagram(
            *body[:3], pdu.key, body.data, body.offset, body.length - len(body.data),
            transport=transport, whole=pdu.kind != "segment",
        )  # fmt: skip
        repeats = 0
        if pdu.kind == "message":
            item, repeats = self._repeats.message(item)
        elif pdu.kind == "stream":
            repeats = int(self._repeats.stream(item))
        if repeats:
            self.ignored[_REPEATED] += repeats
        return None if pdu.kind == "stream" else item

    def _network(self, packet: Packet, found: Found, depth: int) -> Item | None:
        kind, start = found
        if isinstance(kind, str):
            self._ignore(kind)
            return None
        if depth > MAX_NESTING:
            return self._refuse("ip", "tunnels nested too deep", packet)
        self._layer = "ip"
        packet = packet.part(start, packet.length)
        return self._internet(packet, ipv4(packet) if kind == IPV4 else ipv6(packet), depth)

    def _internet(self, packet: Packet, header: Header | str, depth: int) -> Item | None:
        """Go on behind an IP header or extension headers, through reassembly if need be."""
        if isinstance(header, str):
            return self._refuse("ip", header, packet)
        body = packet.part(header.start, header.end)
        protocol = header.protocol
        if header.fragment:
            whole = self._fragments.add(body, protocol, header.fragment)
            if whole is None:
                return None
            if isinstance(whole, str):
                return self._refuse("ip", whole, packet)
            body, protocol = whole
            self._cut = len(body.data) < body.length
        return self._transport(body, protocol, header.addresses, depth)

    def _transport(
        self, packet: Packet, protocol: int, addresses: bytes, depth: int
    ) -> Item | None:
        if protocol == TCP:
            return self._segment(packet, addresses)
        if protocol == UDP:
            return self._datagram(packet, addresses, depth)
        if protocol == (ICMPV6 if len(addresses) == 32 else ICMP):
            quoted = quoted_datagram(packet, addresses)
            if quoted is None:
                self._ignore(_OTHERS[protocol])
            return quoted
        if protocol in IP_TUNNELS:
            return self._network(packet, IP_TUNNELS[protocol](packet.data), depth + 1)
        if protocol == AUTHENTICATION or (protocol in EXTENSIONS and len(addresses) == 32):
            if depth > MAX_NESTING:  # a fragment of fragments of fragments
                return self._refuse("ip", "tunnels nested too deep", packet)
            return self._internet(packet, extensions(packet, protocol, addresses), depth + 1)
        self._ignore(_OTHERS.get(protocol) or f"IP protocol {protocol}")
        return None

    def _segment(self, packet: Packet, addresses: bytes) -> Item | None:
        """Read a TCP header (RFC 9293 section 3.1)."""
        if packet.length < 20:
            return self._refuse("tcp", "shorter than a TCP header", packet)
        if len(packet.data) < 20:
            return None  # cut
        ports, seq, ack, data_offset, flags = _TCP(packet.data)
        start = (data_offset >> 4) * 4
        if start < 20:
            return self._refuse("tcp", "TCP data offset below 5", packet)
        if start > packet.length:
            return self._refuse("tcp", "TCP data offset beyond the segment", packet)
        body = packet.part(start, packet.length)
        return Segment(
            packet.frame,
            packet.time_ns,
            packet.digits,
            addresses + ports,
            seq,
            ack,
            flags,
            body.data,
            body.offset,
            body.length - len(body.data),
            body.pieces,
        )

    def _datagram(self, packet: Packet, addresses: bytes, depth: int) -> Item | None:
        """Read a UDP header (RFC 768), and the tunnel behind it if it is one."""
        if packet.length < 8:
            return self._refuse("udp", "shorter than a UDP header", packet)
        if len(packet.data) < 8:
            return None  # cut
        source, destination, length = _UDP(packet.data)
        if 0 < length < 8:
            return self._refuse("udp", "UDP length below 8", packet)
        self._layer = "udp"
        # 0 is a jumbogram (RFC 2675) or left to the adapter
        body = packet.part(8, length or packet.length)
        found = self._tunnel(body, source, destination)
        if found is not None:
            return self._network(body, found, depth + 1)
        hep = read_hep(body.data)
        if hep is not None:
            return self._hep(body, hep)
        return Datagram(
            packet.frame,
            packet.time_ns,
            packet.digits,
            addresses + packet.data[:4],
            body.data,
            body.offset,
            body.length - len(body.data),
            body.pieces,
        )

    def _hep(self, body: Packet, hep: Hep | str) -> Item | None:
        """Give what an agent saw as it saw it: its addresses, and its time."""
        if isinstance(hep, str):
            return self._refuse("udp", hep, body)
        if hep.end > body.length:
            return self._refuse("udp", "HEP total length beyond its datagram", body)
        if hep.other or hep.compressed:
            self._ignore(f"HEP {hep.other}" if hep.other else PACKED)
            return None
        payload = body.part(hep.start, hep.end)
        time_ns, digits = body.time_ns, body.digits
        if hep.time_ns:
            time_ns, digits = hep.time_ns, 6
            first, last = self.times or (time_ns, time_ns)
            self.times = min(first, time_ns), max(last, time_ns)
        return Datagram(
            body.frame, time_ns, digits, hep.key, payload.data, payload.offset,
            payload.length - len(payload.data), payload.pieces,
            transport=hep.transport, whole=hep.transport == "udp",
        )  # fmt: skip

    @staticmethod
    def _tunnel(body: Packet, source: int, destination: int) -> Found | None:
        reader = UDP_TUNNELS.get(destination) or UDP_TUNNELS.get(source)
        try:
            return reader(body.data) if reader else None
        except (struct.error, IndexError):
            return None  # too short for the tunnel, so it is not one

    def _ignore(self, reason: str) -> None:
        if reason not in self.ignored and len(self.ignored) >= MAX_REASONS:
            reason = "other"
        self.ignored[reason] += 1

    def _refuse(self, layer: str, reason: str, packet: Packet) -> Malformed | None:
        return self._count(layer, reason, packet.frame, packet.data)

    def _count(self, layer: str, reason: str, frame: int, data: bytes) -> Malformed | None:
        """Count a piece of damage, and return it unless there were too many of its kind."""
        self.malformed[layer, reason] += 1
        if self.malformed[layer, reason] > MAX_MALFORMED:
            return None
        return Malformed(layer, reason, frame, raw=data[:MAX_RAW])
