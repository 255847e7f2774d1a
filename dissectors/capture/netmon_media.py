"""What the frames of a Network Monitor capture carry, by their network type.

The one rule: what carries IP becomes a frame of a link type that everybody knows; anything else
stays there with one that carries nothing (``NO_LINK``), so that the numbers of the others stay.

A network type is the medium of the adapter (NDIS, plus one), a number of libpcap (0xE000 and up),
or says that Network Monitor or Message Analyzer wrote the record itself. Packets may then be inside
an event of Windows: ``netsh trace``, opened and saved as ``.cap``, holds nothing else.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

NO_LINK = 147
"""LINKTYPE_USER0: for private use, so that nobody takes it for a protocol."""
ETHERNET, RAW, WIRELESS = 1, 101, 105  # LINKTYPE_
TOKEN_RING, FDDI = 6, 10

WIRELESS_WITH_METADATA = 6
EVENT = 0xFFE0
_LIBPCAP, _LIBPCAP_MASK = 0xE000, 0xF000

# Wireshark takes 0 for Ethernet: captures of VPN connections have it. 7 to 9 are tunnels, mobile
# broadband and raw IP since version 2.1. Message Analyzer writes 0xE080 for Wi-Fi.
MEDIA: dict[int, int] = {
    0: ETHERNET,
    1: ETHERNET,
    2: TOKEN_RING,
    3: FDDI,
    7: RAW,
    8: RAW,
    9: RAW,
    0xE080: WIRELESS,
}
# Other numbers above 0xE000 that are not those of libpcap: Message Analyzer, WFP with addresses
# of IPv4 or IPv6, without and with the identity of a flow.
_WFP = {0xE083: (4, 0), 0xE084: (16, 0), 0xE085: (4, 8), 0xE086: (16, 8)}
_MESSAGE_ANALYZER = range(0xE080, 0xE08B)

# EVENT_HEADER of evntcons.h (80 bytes), ETW_BUFFER_CONTEXT (4), count of the extended items, length
# of the data, and one byte that says whether the event was put together.
_PROVIDER = slice(24, 40)
_EVENT = Struct("<40xHxxxxxxQ")  # event id, keywords
_EVENT_LENGTHS = Struct("<84xHHx")
_EXTENDED = Struct("<6xH")
MAX_EXTENDED = 64
"""Extended items of one event; Windows knows about a dozen kinds."""

# Microsoft-Windows-NDIS-PacketCapture, {2ed6006e-4729-4609-b423-3ee7bcd678ef}
_NDIS = bytes.fromhex("6e00d62e29470946b4233ee7bcd678ef")
_PACKET_FRAGMENT = 1001
_FRAGMENT = Struct("<8xI")  # interfaces above and below; length
_FIRST_AND_LAST = 0xC000_0000  # keywords of an event that holds a whole packet
_RAW_MEDIA, _NATIVE_WIRELESS = 0x200 | 0x8000, 0x10000  # keywords: mobile broadband, tunnel
# Microsoft-PEF-WFP-MessageProvider, {c22d1b14-c242-49de-9f17-1d76b8b9c458}
_WFP_PROVIDER = bytes.fromhex("141b2dc242c2de499f171d76b8b9c458")
_WFP_EVENTS = {60011: (4, 0), 60012: (4, 8), 60021: (16, 0), 60022: (16, 8)}

_IPV4 = Struct("!BBHHHBBH")
_IPV6 = Struct("!IHBB")
_HOPS = 128  # the default of Windows


class Carried(NamedTuple):
    """A packet inside of a record."""

    link: int
    """LINKTYPE_ number."""
    data: bytes
    start: int
    """Where it begins in the record."""


def carried(network: int, data: bytes) -> Carried:
    """Return what a record of this network type carries."""
    if network == WIRELESS_WITH_METADATA:
        return _without_metadata(data)
    if network == EVENT:
        return _in_event(data) or Carried(NO_LINK, data, 0)
    if network in _WFP:
        return _of_wfp(data, 0, *_WFP[network]) or Carried(NO_LINK, data, 0)
    return Carried(_link(network), data, 0)


def _link(network: int) -> int:
    link = MEDIA.get(network)
    if link is None and network & _LIBPCAP_MASK == _LIBPCAP and network not in _MESSAGE_ANALYZER:
        return network & ~_LIBPCAP_MASK
    return NO_LINK if link is None else link


def _without_metadata(data: bytes) -> Carried:
    """Leave out what Network Monitor puts before a Wi-Fi frame: version, length, radio."""
    length = int.from_bytes(data[1:3], "little")
    if not 3 <= length <= len(data):
        return Carried(NO_LINK, data, 0)
    return Carried(WIRELESS, data[length:], length)


def _in_event(data: bytes) -> Carried | None:
    """Find the packet that an event of Windows tells of."""
    if len(data) < _EVENT_LENGTHS.size:
        return None
    event, keywords = _EVENT.unpack_from(data)
    items, length = _EVENT_LENGTHS.unpack_from(data)
    at = _EVENT_LENGTHS.size
    if items > MAX_EXTENDED:
        return None
    for _ in range(items):
        if at + _EXTENDED.size > len(data):
            return None
        at += _EXTENDED.size + _EXTENDED.unpack_from(data, at)[0]
    whole = data[: at + length]
    provider = data[_PROVIDER]
    if provider == _NDIS and event == _PACKET_FRAGMENT:
        return _of_ndis(whole, at, keywords)
    if provider == _WFP_PROVIDER and event in _WFP_EVENTS:
        return _of_wfp(whole, at, *_WFP_EVENTS[event])
    return None


def _of_ndis(data: bytes, at: int, keywords: int) -> Carried | None:
    """Take the packet out of an event of the capture driver; a part of one is left alone."""
    start = at + _FRAGMENT.size
    if start > len(data) or keywords & _FIRST_AND_LAST != _FIRST_AND_LAST:
        return None
    length = _FRAGMENT.unpack_from(data, at)[0]
    link = ETHERNET
    if keywords & _NATIVE_WIRELESS:
        link = WIRELESS
    elif keywords & _RAW_MEDIA:
        link = RAW
    return Carried(link, data[start : start + length], start)


def _of_wfp(data: bytes, at: int, width: int, flow: int) -> Carried | None:
    """Put an IP header before the segment that the Windows Filtering Platform saw.

    Addresses, protocol, identity of the flow, length; what follows begins with the TCP header.
    """
    start = at + 2 * width + 1 + flow + 2
    if start > len(data):
        return None
    addresses, protocol = data[at : at + 2 * width], data[at + 2 * width]
    segment = data[start:]
    length = len(segment)
    if width == 16:
        header = _IPV6.pack(6 << 28, min(length, 0xFFFF), protocol, _HOPS)
    else:
        # A checksum of 0 stands in every packet that the adapter was to fill in.
        total = min(length + 20, 0xFFFF)
        header = _IPV4.pack(0x45, 0, total, 0, 0, _HOPS, protocol, 0)
    return Carried(RAW, header + addresses + segment, start)
