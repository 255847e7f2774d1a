"""Capture files put together field by field from the specifications, without the writer under test.

``read_all`` reads a file whole, ``read_in_pieces`` in pieces of a given length.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING

from dissectors.model import Frame, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dissectors.capture.records import RecordReader

Item = Frame | Malformed

MICRO, NANO, KUZNETZOV = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34


def pcap_header(
    order: str = "<",
    *,
    magic: int = MICRO,
    version: tuple[int, int] = (2, 4),
    snaplen: int = 65535,
    link: int = 1,
) -> bytes:
    return struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link)


def pcap_record(
    data: bytes,
    order: str = "<",
    *,
    time: tuple[int, int] = (1, 2),
    captured: int | None = None,
    wire: int | None = None,
) -> bytes:
    captured = len(data) if captured is None else captured
    wire = captured if wire is None else wire
    return struct.pack(order + "IIII", *time, captured, wire) + data


def block(kind: int, body: bytes, order: str = "<", *, second_length: int | None = None) -> bytes:
    body += bytes(-len(body) % 4)
    length = 12 + len(body)
    last = length if second_length is None else second_length
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", last)


def section(order: str = "<", version: tuple[int, int] = (1, 0), length: int = -1) -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, *version, length), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(
    order: str = "<",
    *,
    link: int = 1,
    snaplen: int = 0,
    resolution: int | None = None,
    offset: int | None = None,
    more: bytes = b"",
) -> bytes:
    body = struct.pack(order + "HHI", link, 0, snaplen)
    if resolution is not None:
        body += option(9, bytes([resolution]), order)
    if offset is not None:
        body += option(14, struct.pack(order + "q", offset), order)
    return block(1, body + more, order)


def enhanced(
    data: bytes,
    order: str = "<",
    *,
    number: int = 0,
    ticks: int = 1_000_000,
    captured: int | None = None,
    wire: int | None = None,
    more: bytes = b"",
) -> bytes:
    captured = len(data) if captured is None else captured
    wire = captured if wire is None else wire
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, captured, wire)
    return block(6, head + data + bytes(-len(data) % 4) + more, order)


def obsolete(data: bytes, order: str = "<", *, number: int = 0, ticks: int = 1_000_000) -> bytes:
    drops = 7
    head = struct.pack(
        order + "HHIIII", number, drops, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)
    )
    return block(2, head + data, order)


def simple(data: bytes, order: str = "<", *, wire: int | None = None) -> bytes:
    return block(3, struct.pack(order + "I", len(data) if wire is None else wire) + data, order)


def read_all(reader: RecordReader, data: bytes) -> list[Item]:
    return [*reader.feed(data), *reader.close()]


def read_in_pieces(reader: RecordReader, data: bytes, cuts: Iterable[int]) -> list[Item]:
    """Feed ``data`` cut at the offsets ``cuts``."""
    places = sorted({0, len(data), *cuts})
    items: list[Item] = []
    for start, end in pairwise(places):
        items += reader.feed(data[start:end])
    return items + reader.close()


def frames_of(items: Sequence[Item]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


def problems_of(items: Sequence[Item]) -> list[Malformed]:
    return [item for item in items if isinstance(item, Malformed)]
