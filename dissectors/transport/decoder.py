"""Frames to TCP segments and UDP datagrams: the fast path, and what it counts.

The one rule: the fast path takes only what needs no decision (a whole, unfragmented packet with
nothing between the link layer and TCP or UDP) and gives exactly what ``layers`` gives for it;
whatever is unusual in any way goes there.

Checksums are not verified: hosts leave them to the adapter, so that captures taken on a host are
full of wrong ones in packets that were received well.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Protocol

from dissectors.model import FIN, RST, SYN, Datagram, Malformed, Segment
from dissectors.transport.hep import FIRST_BYTES
from dissectors.transport.ip import TCP, UDP
from dissectors.transport.layers import Item, Layers
from dissectors.transport.link import ETHERNET, IPV4, IPV6, LINKS, VLAN
from dissectors.transport.tunnels import TUNNEL_PORTS

if TYPE_CHECKING:
    from dissectors.model import Frame

# An IPv4 header of 20 bytes and the first 14 of TCP in one call: version and length, total length,
# fragment field, protocol, addresses and ports (which lie together), sequence and acknowledgement
# number, data offset (upper half of a byte), flags. Of UDP the upper half of "sequence" is its
# length.
_IPV4 = struct.Struct("!BxH2xHxB2x12sIIBB").unpack_from
# With the Ethernet header before it: EtherType first.
_ETHERNET_IPV4 = struct.Struct("!12xHBxH2xHxB2x12sIIBB").unpack_from
# The same for IPv6: version, payload length, next header, addresses and ports, ...
_IPV6 = struct.Struct("!B3xHBx36sIIBB").unpack_from
_U16 = struct.Struct("!H").unpack_from
_CONTROL = SYN | FIN | RST
_new = tuple.__new__  # builds a named tuple in half the time of calling its class


class Wanted(Protocol):
    """Some of the connections, told by the key of either direction."""

    known: dict[bytes, bool]
    """Answers given before."""

    def has(self, key: bytes) -> bool:
        """Tell whether a connection is wanted."""


class FrameDecoder:
    """Turn frames into segments and datagrams; a batch in, a list out, in the order of frames."""

    def __init__(self, wanted: Wanted | None = None, *, bare: bool = True) -> None:
        """Begin.

        Args:
            wanted: decode only these connections; damage is reported whoever it belongs to.
            bare: give segments that only acknowledge, too.
        """
        self._wanted = wanted
        self._bare = bare
        self._layers = Layers()
        self.frames = 0
        """Frames taken."""
        self.cut_frames = 0
        """Frames of which the capture has less than was on the wire (snap length)."""
        self.ignored: dict[str, int] = self._layers.ignored
        """Frames that carry neither TCP nor UDP, by what they carry instead."""
        self.malformed: dict[tuple[str, str], int] = self._layers.malformed
        """Damaged packets by layer and reason, also those beyond the bound on ``Malformed``."""

    def feed(self, frames: list[Frame]) -> list[Item]:  # noqa: C901, PLR0915  (once a frame)
        """Return what the frames carry; a datagram in fragments comes with its last frame."""
        items: list[Item] = []
        append = items.append
        unpack, new, bare = _ETHERNET_IPV4, _new, self._bare
        wanted = self._wanted
        known = None if wanted is None else wanted.known.get
        self.frames += len(frames)
        for frame in frames:
            number, time_ns, digits, link, data, offset, wire = frame
            size = len(data)
            # 48 bytes: what `unpack` reads. Inlined for the commonest frame: a call costs a tenth.
            if link == ETHERNET and 48 <= size >= wire:
                kind, first, total, fragment, protocol, key, seq, ack, words, flags = unpack(data)
                if (
                    kind == IPV4
                    and first == 0x45
                    and protocol == TCP
                    and not fragment & 0x3FFF
                    and words >= 0x50
                ):
                    start = 34 + (words >> 2 & 0x3C)
                    end = 14 + total
                    if start <= end <= size:
                        if start == end and not bare and not flags & _CONTROL:
                            continue
                        if known is not None:
                            ours = known(key)
                            if ours is None:
                                ours = wanted.has(key)  # type: ignore[union-attr]
                            if not ours:
                                continue
                        payload = data[start:end]
                        at = offset + start
                        append(
                            new(
                                Segment,
                                (number, time_ns, digits, key, seq, ack, flags, payload, at, 0, ()),
                            )
                        )
                        continue
            if size < wire:
                self.cut_frames += 1
                item = None
            else:
                item = plain(frame)
            found = self._layers.decode(frame) if item is None else [item]
            items += found if wanted is None else [one for one in found if _is_wanted(one, wanted)]
        return items

    @property
    def times(self) -> tuple[int, int] | None:
        """First and last of the times that stand inside of packets, not before their frames."""
        return self._layers.times

    def close(self) -> list[Item]:
        """Return what was held back, and report missing fragments, at the end of the capture."""
        found, wanted = self._layers.close(), self._wanted
        return found if wanted is None else [one for one in found if _is_wanted(one, wanted)]

    def oldest_waiting(self) -> int | None:
        """Return the first frame whose item is held back."""
        return self._layers.oldest_waiting()


def _is_wanted(item: Item, wanted: Wanted) -> bool:
    return isinstance(item, Malformed) or wanted.has(item.key)


def plain(frame: Frame) -> Segment | Datagram | None:
    """Return what a frame carries if that needs no decision, None otherwise."""
    data = frame.data
    link = frame.link
    try:
        if link == ETHERNET:
            kind: int | str = _U16(data, 12)[0]
            start = 14
            if kind == VLAN:
                kind = _U16(data, 16)[0]
                start = 18
        elif link in LINKS:
            kind, start = LINKS[link](data)
        else:
            return None
        if kind == IPV4:
            return _plain_ipv4(frame, data, start)
        if kind == IPV6:
            return _plain_ipv6(frame, data, start)
    except (struct.error, IndexError):
        pass  # too short for the fixed part of the headers
    return None


def _plain_ipv4(frame: Frame, data: bytes, start: int) -> Segment | Datagram | None:
    first, total, fragment, protocol, key, seq, ack, words, flags = _IPV4(data, start)
    end = start + total
    if first != 0x45 or fragment & 0x3FFF or end > len(data):
        return None
    return _plain(frame, protocol, start + 20, end, (key, seq, ack, words, flags))


def _plain_ipv6(frame: Frame, data: bytes, start: int) -> Segment | Datagram | None:
    first, total, protocol, key, seq, ack, words, flags = _IPV6(data, start)
    end = start + 40 + total
    if first >> 4 != 6 or not total or end > len(data):
        return None
    return _plain(frame, protocol, start + 40, end, (key, seq, ack, words, flags))


def _plain(
    frame: Frame, protocol: int, start: int, end: int, header: tuple[bytes, int, int, int, int]
) -> Segment | Datagram | None:
    """Go on behind an IP header, whose packet ends at ``end``, with what its ``Struct`` read."""
    number, time_ns, digits, _, data, offset, _ = frame
    key, seq, ack, words, flags = header
    if protocol == TCP and words >= 0x50:
        start += words >> 2 & 0x3C
        if start > end:
            return None
        payload = data[start:end]
        at = offset + start
        return _new(Segment, (number, time_ns, digits, key, seq, ack, flags, payload, at, 0, ()))
    if protocol == UDP and key[-2:] not in TUNNEL_PORTS and key[-4:-2] not in TUNNEL_PORTS:
        size = seq >> 16  # the third and fourth byte after the ports of UDP are its length
        if not 8 <= size <= end - start or data[start + 8] in FIRST_BYTES:
            return None
        payload = data[start + 8 : start + size]
        return _new(
            Datagram,
            (number, time_ns, digits, key, payload, offset + start + 8, 0, (), False, "udp", True),
        )
    return None
