"""Frames to capture files: the inverse of the readers.

The one rule: ``read(write(frames)) == frames`` in everything but the offsets, as far as the format
can say it: times that the unit of the file cannot hold are rounded down.

Frames that a format cannot hold at all raise ``ValueError``: unlike what is read, what is written
is in the caller's hands.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from dissectors.capture import blocks
from dissectors.capture.blocks import Interface
from dissectors.capture.pcap import COMMON_SNAPLEN, FILE_HEADER, NANOSECONDS, VARIANTS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dissectors.model import Frame

_UINT32 = 2**32
_UINT64 = 2**64


def write_pcap(
    frames: Iterable[Frame],
    *,
    link: int,
    nanoseconds: bool = False,
    big_endian: bool = False,
    snaplen: int = COMMON_SNAPLEN,
) -> bytes:
    """Return a pcap file of ``frames``, in microseconds unless ``nanoseconds``.

    Raises ``ValueError`` for a frame of another link type, or a time outside of 1970 to 2106.
    """
    order, digits = "<>"[big_endian], 9 if nanoseconds else 6
    magic, variant = next(
        (magic, variant)
        for magic, variant in VARIANTS.items()
        if variant.order == order and variant.digits == digits
    )
    header = Struct(order + FILE_HEADER)
    pack, unit = Struct(order + variant.record).pack, 10 ** (9 - digits)
    parts = [magic + header.pack(0, *VERSION, 0, 0, snaplen, link)[4:]]
    for frame in frames:
        if frame.link != link:
            raise ValueError(f"frame {frame.number} has link type {frame.link}, not {link}")
        seconds, fraction = divmod(frame.time_ns, NANOSECONDS)
        if not 0 <= seconds < _UINT32:
            raise ValueError(f"the time of frame {frame.number} does not fit into a pcap file")
        parts.append(pack(seconds, fraction // unit, len(frame.data), frame.wire_length))
        parts.append(frame.data)
    return b"".join(parts)


def write_pcapng(
    frames: Iterable[Frame],
    *,
    interfaces: Sequence[Interface] | None = None,
    big_endian: bool = False,
    simple: bool = False,
) -> bytes:
    """Return a pcapng file of one section; several of them put together are a file as well.

    A frame goes to the first of ``interfaces`` that has its link type and digits; by default there
    is one for each such pair. With ``simple``, frames of the first interface that have no time
    become simple packet blocks, where the snap length explains their captured length.

    Raises ``ValueError`` for a frame that fits no interface, or whose time does not fit.
    """
    frames = list(frames)
    if interfaces is None:
        pairs = dict.fromkeys((frame.link, frame.digits) for frame in frames)
        interfaces = [Interface(link, 0, digits) for link, digits in pairs]
    order = "<>"[big_endian]
    parts = [
        _block(order, blocks.SECTION_HEADER, Struct(order + "IHHq").pack(0x1A2B3C4D, 1, 0, -1)),
        *(_interface(order, interface) for interface in interfaces),
    ]
    numbers: dict[tuple[int, int], int] = {}
    for number, interface in enumerate(interfaces):
        numbers.setdefault((interface.link, interface.digits), number)
    for frame in frames:
        chosen = numbers.get((frame.link, frame.digits))
        if chosen is None:
            raise ValueError(f"there is no interface for frame {frame.number}")
        interface = interfaces[chosen]
        if simple and chosen == 0 and _fits_simple(frame, interface):
            parts.append(_simple_packet(order, frame))
        else:
            parts.append(_enhanced_packet(order, frame, chosen, interface))
    return b"".join(parts)


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    pack = Struct(order + "I").pack
    length = pack(12 + len(body))
    return pack(kind) + length + body + length


def _interface(order: str, interface: Interface) -> bytes:
    body = Struct(order + "HHI").pack(interface.link, 0, interface.snaplen)
    written = b""
    if interface.resolution != Interface(0).resolution:
        head = Struct(order + "HHB3x").pack(blocks.IF_TSRESOL, 1, interface.resolution)
        written += head
    if interface.offset:
        written += Struct(order + "HHq").pack(blocks.IF_TSOFFSET, 8, interface.offset)
    if written:
        written += bytes(4)  # the end of options
    return _block(order, blocks.INTERFACE_DESCRIPTION, body + written)


def _fits_simple(frame: Frame, interface: Interface) -> bool:
    captured = min(frame.wire_length, interface.snaplen or frame.wire_length)
    return frame.time_ns == 0 and len(frame.data) == captured


def _simple_packet(order: str, frame: Frame) -> bytes:
    body = Struct(order + "I").pack(frame.wire_length) + frame.data
    return _block(order, blocks.SIMPLE_PACKET, body)


def _enhanced_packet(order: str, frame: Frame, number: int, interface: Interface) -> bytes:
    ticks = _ticks(frame.time_ns - interface.shift, interface)
    if not 0 <= ticks < _UINT64:
        raise ValueError(f"the time of frame {frame.number} does not fit its interface")
    head = Struct(order + "IIIII").pack(
        number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame.data), frame.wire_length
    )
    return _block(order, blocks.ENHANCED_PACKET, head + frame.data)


def _ticks(time_ns: int, interface: Interface) -> int:
    """Return the tick that a reader turns back into ``time_ns``, or the last one before it."""
    ticks = interface.ticks
    if ticks < NANOSECONDS:
        return time_ns * ticks // NANOSECONDS
    # Finer than nanoseconds: the first tick of that nanosecond, since readers round down.
    return -(-time_ns * ticks // NANOSECONDS)
