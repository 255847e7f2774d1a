"""HEP: what a capture agent of HOMER saw of a packet, sent on to a collector.

Version 3 is a list of chunks (HEP3 network protocol specification, sections 4 and 5): vendor, type,
length with these six bytes, value. Versions 1 and 2 are one fixed header each.

The one rule: addresses, ports, transport and time are those that the agent saw; the packets that
carry HEP are of no interest. What HEP does not say is taken from nowhere: a zero address, and the
time of the frame.
"""

from __future__ import annotations

import zlib
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

MAGIC = b"HEP3"
HEAD = 6
"""Bytes of the head of version 3: magic and total length."""
FIRST_BYTES = b"H\x01\x02"
"""What a packet of any version may begin with."""

# Types of chunks of vendor 0 (section 5)
FAMILY, IP_PROTOCOL = 1, 2
IPV4_SOURCE, IPV4_TARGET, IPV6_SOURCE, IPV6_TARGET = 3, 4, 5, 6
SOURCE_PORT, TARGET_PORT = 7, 8
SECONDS, MICROSECONDS = 9, 10
PROTOCOL, AGENT = 11, 12
PAYLOAD, COMPRESSED = 15, 16
_SIZES = {IPV4_SOURCE: 4, IPV4_TARGET: 4, IPV6_SOURCE: 16, IPV6_TARGET: 16, SOURCE_PORT: 2,
          TARGET_PORT: 2, SECONDS: 4, MICROSECONDS: 4, PROTOCOL: 1, IP_PROTOCOL: 1}  # fmt: skip

SIP = 1
"""Value of ``PROTOCOL``."""
_OTHERS = {0: "reserved", 2: "XMPP", 3: "SDP", 4: "RTP", 5: "RTCP", 6: "MGCP", 32: "JSON",
           34: "RTP report", 53: "DNS", 100: "log"}  # fmt: skip

MAX_INFLATED = 1 << 20
"""Bytes of a payload that came compressed: a body of SIP is far smaller."""
PACKED = "HEP packet with a compressed payload"
"""How it is counted where it is not read."""
CUT_SHORT = "HEP packet that is cut short"

# The specification has twenty types; vendors add some of their own.
MAX_CHUNKS = 256

_LENGTH = Struct("!H").unpack_from
_CHUNK = Struct("!HHH").unpack_from
_OLD = Struct("!BBBB4s").unpack_from
_OLD_TIME = Struct("<II").unpack_from  # in the order of the host: all that run agents are little
_TCP = 6
_UDP = 17
# AF_INET is 2 everywhere; AF_INET6 as in dissectors.transport.link
_OLD_FAMILIES = {2: 4, 10: 16, 24: 16, 28: 16, 30: 16}
_SECOND = 10**9


class Hep(NamedTuple):
    """One packet."""

    key: bytes
    """As in ``dissectors.model.Segment``."""
    transport: str
    """``tcp`` or ``udp``. An agent does not tell TLS from TCP."""
    time_ns: int
    """0 where none is said."""
    start: int
    """Where the payload begins."""
    end: int
    other: str
    """What it is, where that is not SIP; else empty."""
    compressed: bool = False


def read_hep(data: bytes) -> Hep | str | None:
    """Read a packet, say why it is damaged, or return None where it is none.

    Raises:
        IndexError, struct.error: The bytes end before the packet does.
    """
    if data.startswith(MAGIC):
        return _read_3(data)
    return _read_old(data) if data[:1] in (b"\x01", b"\x02") else None


def payload_of(found: Hep, data: bytes) -> bytes | str:
    """Return the payload of a packet that was read from ``data``, or why it is of no use."""
    if found.end > len(data):
        return CUT_SHORT
    if found.other:
        return f"HEP {found.other}"
    payload = data[found.start : found.end]
    return inflated(payload) if found.compressed else payload


def inflated(payload: bytes) -> bytes | str:
    """Unpack a compressed payload (zlib: RFC 1950), or say why it is of no use."""
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(payload, MAX_INFLATED)
    except zlib.error:
        return "HEP packet whose compressed payload is damaged"
    if not unpacking.eof:
        return "HEP packet whose compressed payload is damaged or too large"
    return plain


def length_of(data: bytes) -> int:
    """Return the length that the head of a packet of version 3 states.

    Raises:
        struct.error: The bytes end inside the head.
    """
    length: int = _LENGTH(data, len(MAGIC))[0]
    return length


def _read_3(data: bytes) -> Hep | str:
    total = length_of(data)
    if total < HEAD:
        return "HEP total length below that of its head"
    found: dict[int, tuple[int, int]] = {}
    at = HEAD
    for _ in range(MAX_CHUNKS):
        if at == total:
            return _packet(data, found)
        vendor, kind, length = _CHUNK(data, at)
        if length < HEAD or at + length > total:
            return "HEP chunk length beyond its packet"
        if not vendor and _SIZES.get(kind, length - HEAD) == length - HEAD:
            found.setdefault(kind, (at + HEAD, at + length))
        at += length
    return "more chunks than a HEP packet has"


def _packet(data: bytes, found: dict[int, tuple[int, int]]) -> Hep:
    def value(kind: int) -> bytes:
        start, end = found.get(kind, (0, 0))
        return data[start:end]

    def number(kind: int, default: int = 0) -> int:
        raw = value(kind)
        return int.from_bytes(raw, "big") if raw else default

    compressed = PAYLOAD not in found and COMPRESSED in found
    start, end = found.get(COMPRESSED if compressed else PAYLOAD, (0, 0))
    protocol = number(PROTOCOL, SIP)
    other = "" if protocol == SIP else _OTHERS.get(protocol, f"protocol {protocol}")
    ports = bytes(2 - len(value(SOURCE_PORT))) + value(SOURCE_PORT)
    ports += bytes(2 - len(value(TARGET_PORT))) + value(TARGET_PORT)
    micros = number(MICROSECONDS)
    return Hep(
        _addresses(value) + ports,
        "tcp" if number(IP_PROTOCOL, _UDP) == _TCP else "udp",
        number(SECONDS) * _SECOND + (micros * 1000 if micros < 10**6 else 0),
        start,
        end,
        other if end else "packet without a payload",
        compressed,
    )


def _addresses(value: Callable[[int], bytes]) -> bytes:
    source, target = value(IPV4_SOURCE), value(IPV4_TARGET)
    size = 4
    if not source and not target and (value(IPV6_SOURCE) or value(IPV6_TARGET)):
        source, target, size = value(IPV6_SOURCE), value(IPV6_TARGET), 16
    return (source or bytes(size)) + (target or bytes(size))


def _read_old(data: bytes) -> Hep | None:
    """Read version 1 or 2: version, header length, family, protocol, ports, addresses, [time].

    They have no magic: everything has to fit, and a start line of SIP has to follow.
    """
    if len(data) < 16:
        return None
    version, length, family, protocol, ports = _OLD(data)
    size = _OLD_FAMILIES.get(family, 0)
    # The length leaves out the time (OpenSIPS, Kamailio, sngrep), whatever one thinks of that.
    start = 8 + 2 * size + (12 if version == 2 else 0)
    if not size or length not in (8 + 2 * size, start) or protocol not in (_TCP, _UDP):
        return None
    if b"SIP/2.0" not in data[start:].partition(b"\n")[0]:
        return None
    seconds, micros = _OLD_TIME(data, start - 12) if version == 2 else (0, 0)
    time_ns = seconds * _SECOND + (micros * 1000 if micros < 10**6 else 0)
    transport = "tcp" if protocol == _TCP else "udp"
    return Hep(data[8 : 8 + 2 * size] + ports, transport, time_ns, start, len(data), "")
