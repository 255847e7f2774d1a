"""ICMP errors that quote the UDP datagram which could not be delivered (RFC 792, RFC 4443).

The one rule: the datagram is reported as the sender of the error saw it, so its key runs back from
the sender of the error to the sender of the datagram. Who looks for a conversation finds it there.
"""

from __future__ import annotations

from struct import Struct

from dissectors.model import Datagram
from dissectors.transport.ip import EXTENSIONS, UDP, Header, Packet, extensions, ipv4, ipv6

# Destination unreachable, time exceeded, parameter problem; RFC 4443 has "packet too big" too.
_ERRORS_4 = frozenset((3, 11, 12))
_ERRORS_6 = frozenset((1, 2, 3, 4))
_LENGTH_6 = frozenset((1, 3))  # the ICMPv6 errors that RFC 4884 gave a length
_HEADER_LENGTH = 8
_UDP = Struct("!2s2sH").unpack_from


def quoted_datagram(packet: Packet, addresses: bytes) -> Datagram | None:
    """Return the UDP datagram that an ICMP or ICMPv6 error quotes, None for any other message.

    ``addresses`` are those of the packet that carries the error.

    Raises:
        IndexError, struct.error: The bytes end inside a header.
    """
    quote = _quote(packet, len(addresses) == 32)
    if quote is None or quote[0].protocol != UDP:
        return None
    header, inner = quote
    if header.fragment and header.fragment.offset:
        return None  # the ports are in another fragment
    udp = inner.part(header.start, header.end)
    source, destination, length = _UDP(udp.data)
    if length < 8 or len(udp.data) < 8:
        return None
    body = udp.part(8, length)
    return Datagram(
        packet.frame,
        packet.time_ns,
        packet.digits,
        addresses + destination + source,
        body.data,
        body.offset,
        length - 8 - len(body.data),
        body.pieces,
        quoted=True,
    )


def _quote(packet: Packet, version_6: bool) -> tuple[Header, Packet] | None:  # noqa: FBT001
    """Return the quoted header, behind its extension headers, and the packet it stands in."""
    if packet.data[0] not in (_ERRORS_6 if version_6 else _ERRORS_4):
        return None
    inner = packet.part(_HEADER_LENGTH, _HEADER_LENGTH + _quoted_length(packet, version_6))
    header = ipv6(inner) if version_6 else ipv4(inner)
    if isinstance(header, Header) and version_6 and header.protocol in EXTENSIONS:
        inner = inner.part(header.start, header.end)
        header = extensions(inner, header.protocol, header.addresses)
    return (header, inner) if isinstance(header, Header) else None


def _quoted_length(packet: Packet, version_6: bool) -> int:  # noqa: FBT001
    """Return the length of the quotation; behind it may lie extensions (RFC 4884 section 4)."""
    if version_6:
        stated = packet.data[4] * 8 if packet.data[0] in _LENGTH_6 else 0
    else:
        stated = packet.data[5] * 4
    # RFC 4884 pads the quotation to 128 bytes; older senders leave anything in this byte
    return stated if stated >= 128 else packet.length
