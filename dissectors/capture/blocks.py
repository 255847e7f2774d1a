"""The blocks of a pcapng file (draft-ietf-opsawg-pcapng): numbers, options, interfaces.

The one rule: link type, snap length and the unit of the time stamps belong to an interface, never
to the file.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION_HEADER = 0x0A0D0D0A  # the same in both byte orders
INTERFACE_DESCRIPTION = 1
OBSOLETE_PACKET = 2
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6
SYSTEMD_JOURNAL = 9
DECRYPTION_SECRETS = 10
CUSTOM = 0x00000BAD
CUSTOM_DO_NOT_COPY = 0x40000BAD

BYTE_ORDERS: dict[bytes, str] = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
"""Byte-order magic of a section header, and the prefix of ``struct`` that it means."""

END_OF_OPTIONS = 0
IF_TSRESOL = 9
IF_TSOFFSET = 14

TLS_KEY_LOG = 0x544C534B
"""Secrets type "TLSK": the text of an NSS key log."""

SECTION_HEADER_BODY = 16
INTERFACE_BODY = 8

_NANOSECONDS = 10**9
_INT64 = 2**63


class Interface(NamedTuple):
    """What an interface description says about its frames."""

    link: int
    snaplen: int = 0
    """0: no limit."""
    resolution: int = 6
    """``if_tsresol`` as written: the unit is 10^-n seconds, or 2^-n where bit 7 is set."""
    offset: int = 0
    """``if_tsoffset``: seconds to add to every time stamp."""

    @property
    def ticks(self) -> int:
        """Units in a second."""
        power = self.resolution & 0x7F
        return 1 << power if self.resolution & 0x80 else int(10**power)

    @property
    def digits(self) -> int:
        """Decimal digits of a second that tell two ticks apart; at most the 9 that are kept."""
        return min(len(str(self.ticks - 1)) if self.ticks > 1 else 0, 9)

    @property
    def scale(self) -> tuple[int, int]:
        """``(m, d)`` such that ``ticks * m // d`` are nanoseconds; ``d`` is 1 where it can be."""
        ticks = self.ticks
        if _NANOSECONDS % ticks == 0:
            return _NANOSECONDS // ticks, 1
        return _NANOSECONDS, ticks

    @property
    def shift(self) -> int:
        """``offset`` in nanoseconds, kept within 64 bits."""
        return max(-_INT64, min(self.offset * _NANOSECONDS, _INT64 - 1))


def options(order: str, data: bytes) -> Iterator[tuple[int, bytes] | None]:
    """Yield ``(code, value)`` of each option; None, as the last, where one runs over the block."""
    head = Struct(order + "HH")
    at = 0
    while at + 4 <= len(data):
        code, length = head.unpack_from(data, at)
        if code == END_OF_OPTIONS:
            return
        if at + 4 + length > len(data):
            yield None
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + (length + 3 & ~3)


def read_interface(order: str, body: bytes) -> tuple[Interface, bool]:
    """Read the body of an interface description (8 bytes or more).

    Returns the interface, and whether its options could be read to their end.
    """
    link, _, snaplen = Struct(order + "HHI").unpack_from(body)
    found: dict[int, bytes] = {}
    whole = True
    for option in options(order, body[8:]):
        if option is None:
            whole = False
        else:
            found.setdefault(*option)
    interface = Interface(link, snaplen)
    if len(resolution := found.get(IF_TSRESOL, b"")) == 1:
        interface = interface._replace(resolution=resolution[0])
    if len(offset := found.get(IF_TSOFFSET, b"")) == 8:
        interface = interface._replace(offset=Struct(order + "q").unpack(offset)[0])
    return interface, whole


class Packet(NamedTuple):
    """What the head of a packet block says, whatever its type."""

    interface: int
    ticks: int | None
    """None: a simple packet, which has no time."""
    captured: int | None
    """None: a simple packet, whose captured length follows from the snap length."""
    wire: int
    start: int
    """Where the captured bytes begin in the body."""


def read_packet(kind: int, order: str, body: bytes) -> Packet | None:
    """Read the head of a packet block; None when the body is too short for it."""
    if kind == SIMPLE_PACKET:
        if len(body) < 4:
            return None
        return Packet(0, None, None, Struct(order + "I").unpack_from(body)[0], 4)
    if len(body) < 20:
        return None
    # The obsolete block has 16 bits of interface and 16 bits of dropped packets in the first word.
    head = Struct(order + ("IIIII" if kind == ENHANCED_PACKET else "HxxIIII"))
    interface, high, low, captured, wire = head.unpack_from(body)
    return Packet(interface, high << 32 | low, captured, wire, 20)
