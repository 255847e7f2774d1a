"""The twin of ``dissectors.transport.decoder``: from a frame to its TCP or UDP payload, compiled.

The one rule: it takes a subset of what the reference's ``plain`` takes (Ethernet with at most one
tag, loopback, raw IP, Linux "cooked" capture; IPv4 without options, IPv6 without extension headers;
whole packets alone) and gives exactly the same for it. All else, and every doubt, is left to the
reference.

Every read stands behind a comparison with the captured bytes; every length of a header with what
holds that header.
"""

from __future__ import annotations

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from dissectors._speedups.capture cimport big16, big32, fill_record, little32
from dissectors._speedups.packet cimport Packet, Record

from dissectors.model import Datagram, Segment
from dissectors.transport import decoder

cdef object new_tuple = tuple.__new__  # builds a named tuple in half the time of calling its class

cdef enum:  # LINKTYPE_
    NULL_LOOPBACK = 0
    ETHERNET = 1
    RAW_12 = 12
    RAW_14 = 14
    RAW = 101
    LOOP = 108
    LINUX_SLL = 113
    LINK_IPV4 = 228
    LINK_IPV6 = 229
    LINUX_SLL2 = 276

cdef enum:  # EtherTypes; 0 is none
    IPV4 = 0x0800
    VLAN = 0x8100
    IPV6 = 0x86DD

cdef enum:
    TCP = 6
    UDP = 17
    CONTROL = 0x07  # FIN, SYN, RST

# What the reference reads at once behind a link layer: an IP header and 14 bytes of the next one.
# A packet that has less is left to it.
cdef enum:
    WITH_IPV4 = 20 + 14
    WITH_IPV6 = 40 + 14

# The reference's TUNNEL_PORTS: what is on them may be a tunnel.
cdef enum:
    GTP_USER = 2152
    VXLAN = 4789
    GENEVE = 6081


cdef int plain(const Record *record, Packet *packet) noexcept nogil:
    cdef Py_ssize_t start = 0
    cdef uint32_t kind
    if record.size < record.wire:
        return 0  # cut by the snap length
    kind = network_layer(record, &start)
    if kind == IPV4:
        return ipv4(record, start, packet)
    if kind == IPV6:
        return ipv6(record, start, packet)
    return 0


# Find the EtherType and the start of an IP header; 0 when it is for the reference to find.
cdef inline uint32_t network_layer(const Record *record, Py_ssize_t *start) noexcept nogil:
    cdef const uint8_t *data = record.data
    cdef Py_ssize_t size = record.size
    cdef int link = record.link
    if link == ETHERNET:
        return tagged(record, 12, 14, start)
    if link == LINUX_SLL:
        return tagged(record, 14, 16, start)
    if link == LINUX_SLL2:
        return tagged(record, 0, 20, start)
    if link == NULL_LOOPBACK or link == LOOP:
        start[0] = 4
        return family(data) if size >= 4 else 0
    if link == RAW or link == RAW_12 or link == RAW_14:
        return version(data[0]) if size >= 1 else 0
    if link == LINK_IPV4:
        return IPV4
    return IPV6 if link == LINK_IPV6 else 0


# Read the EtherType at ``place``, and the one behind a single IEEE 802.1Q tag at ``behind``.
cdef inline uint32_t tagged(
    const Record *record, Py_ssize_t place, Py_ssize_t behind, Py_ssize_t *start
) noexcept nogil:
    cdef uint32_t kind
    if record.size < behind + 4:
        return 0
    kind = big16(record.data + place)
    if kind == VLAN:
        kind = big16(record.data + behind + 2)
        behind += 4
    start[0] = behind
    return kind


# Read the address family of a loopback header, in either byte order. AF_INET is 2 everywhere,
# AF_INET6 has the numbers of Linux, NetBSD and OpenBSD, FreeBSD, macOS.
cdef inline uint32_t family(const uint8_t *data) noexcept nogil:
    cdef uint32_t number = little32(data)
    if number > 0xFFFF:
        number = big32(data)
    if number == 2:
        return IPV4
    if number == 10 or number == 24 or number == 28 or number == 30:
        return IPV6
    return 0


cdef inline uint32_t version(uint8_t first) noexcept nogil:
    if first >> 4 == 4:
        return IPV4
    return IPV6 if first >> 4 == 6 else 0


# Read an IPv4 header (RFC 791) of 20 bytes of a whole packet.
cdef inline int ipv4(const Record *record, Py_ssize_t start, Packet *packet) noexcept nogil:
    cdef const uint8_t *header = record.data + start
    cdef Py_ssize_t left = record.size - start
    cdef Py_ssize_t total
    if left < WITH_IPV4 or header[0] != 0x45 or big16(header + 6) & 0x3FFF:
        return 0
    total = big16(header + 2)
    if total > left:
        return 0
    packet.key_size = 12
    memcpy(packet.key, header + 12, 12)  # addresses and ports lie together
    return transport_layer(record, header[9], header + 20, total - 20, packet)


# Read the fixed IPv6 header (RFC 8200 section 3). A payload length of 0 needs a decision.
cdef inline int ipv6(const Record *record, Py_ssize_t start, Packet *packet) noexcept nogil:
    cdef const uint8_t *header = record.data + start
    cdef Py_ssize_t left = record.size - start
    cdef Py_ssize_t length
    if left < WITH_IPV6 or header[0] >> 4 != 6:
        return 0
    length = big16(header + 4)
    if length == 0 or length > left - 40:
        return 0
    packet.key_size = 36
    memcpy(packet.key, header + 8, 36)
    return transport_layer(record, header[6], header + 40, length, packet)


# Go on behind an IP header, of whose payload ``length`` bytes are there: it may be negative. 14
# bytes can be read in any case, be they of this packet or of what is behind it.
cdef inline int transport_layer(
    const Record *record, uint8_t protocol, const uint8_t *header, Py_ssize_t length, Packet *packet
) noexcept nogil:
    cdef Py_ssize_t start, end
    packet.udp = protocol == UDP
    if protocol == TCP:  # RFC 9293 section 3.1
        start, end = header[12] >> 2 & 0x3C, length
        if start < 20 or start > end:
            return 0
        packet.seq, packet.ack = big32(header + 4), big32(header + 8)
        packet.flags = header[13]
    elif protocol == UDP:  # RFC 768
        start, end = 8, big16(header + 4)
        if end < start or end > length:
            return 0
        if is_tunnel(big16(header)) or is_tunnel(big16(header + 2)):
            return 0
        if header[8] == b"H" or header[8] == 1 or header[8] == 2:  # it may be HEP
            return 0
        packet.seq, packet.ack, packet.flags = 0, 0, 0
    else:
        return 0
    packet.frame, packet.time_ns, packet.digits = record.number, record.time_ns, record.digits
    packet.payload = header + start
    packet.size = end - start
    packet.offset = record.offset + <uint64_t>(packet.payload - record.data)
    return 1


cdef inline bint is_tunnel(uint32_t port) noexcept nogil:
    return port == GTP_USER or port == VXLAN or port == GENEVE


# The reference leaves out bare segments in its path for untagged IPv4 over Ethernet alone.
cdef bint is_bare(const Record *record, const Packet *packet) noexcept nogil:
    return (
        packet.size == 0
        and not packet.udp
        and not packet.flags & CONTROL
        and record.link == ETHERNET
        and big16(record.data + 12) == IPV4
    )


cdef object item_of(const Packet *packet):
    key = PyBytes_FromStringAndSize(<const char *>packet.key, packet.key_size)
    payload = PyBytes_FromStringAndSize(<const char *>packet.payload, packet.size)
    at, number, time_ns, digits = packet.offset, packet.frame, packet.time_ns, packet.digits
    if packet.udp:
        return new_tuple(
            Datagram, (number, time_ns, digits, key, payload, at, 0, (), False, "udp", True)
        )
    seq, ack, flags = packet.seq, packet.ack, packet.flags
    return new_tuple(
        Segment, (number, time_ns, digits, key, seq, ack, flags, payload, at, 0, ())
    )


def plain_item(frame):
    """Return what a frame carries if the compiled path takes it, None otherwise."""
    cdef Record record
    cdef Packet packet
    fill_record(frame, &record)
    return item_of(&packet) if plain(&record, &packet) else None


class FrameDecoder(decoder.FrameDecoder):
    """The reference's decoder, which is asked only for what the compiled path does not take."""

    def feed(self, list frames):
        """Return what the frames carry; a datagram in fragments comes with its last frame."""
        cdef Record record
        cdef Packet packet
        cdef bint bare = self._bare
        cdef list items = []
        wanted = self._wanted
        for frame in frames:
            fill_record(frame, &record)
            if not plain(&record, &packet):
                items += super().feed([frame])
                continue
            self.frames += 1
            if not bare and is_bare(&record, &packet):
                continue
            item = item_of(&packet)
            if wanted is None or wanted.has(item.key):
                items.append(item)
        return items
