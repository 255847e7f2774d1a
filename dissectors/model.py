"""The value types that the reading stages hand on, one per stage.

``Frame`` (a record of a capture file) becomes ``Segment`` or ``Datagram`` (what one frame carries
of TCP or UDP), these become ``Chunk`` and ``Gap`` (bytes of one direction of one connection, in
stream order), and these become framed SIP messages (``dissectors.sip.framed``).

The per-frame types are named tuples, not frozen dataclasses: both are immutable, but a named tuple
is built in a fifth of the time, and a large capture makes millions of them.

No value keeps a reference to its file. Bytes are found again by ``Piece``: which frame, and where
in the source they lie, so that whoever holds the source can read them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Piece(NamedTuple):
    """Where a run of bytes came from."""

    frame: int
    """Number of the frame, counted from 1 over the whole capture (all sections of a pcapng)."""
    offset: int
    """Offset of the first byte in the (decompressed) capture file."""
    length: int


class Frame(NamedTuple):
    """One record of a capture file."""

    number: int
    """Counted from 1."""
    time_ns: int
    """Nanoseconds since 1970-01-01 UTC; 0 where the record has no time (pcapng simple packet)."""
    digits: int
    """Decimal digits of a second that the file's time stamps carry (6 for microseconds)."""
    link: int
    """LINKTYPE_ number of the interface, see tcpdump.org/linktypes.html."""
    data: bytes
    """The captured bytes."""
    offset: int
    """Offset of ``data`` in the (decompressed) capture file."""
    wire_length: int
    """Length on the wire; larger than ``len(data)`` where a snap length cut the frame."""


# TCP flags (RFC 9293 section 3.1)
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10


class Segment(NamedTuple):
    """One TCP segment."""

    frame: int
    time_ns: int
    digits: int
    key: bytes
    """Source address, destination address, source port, destination port, as on the wire:
    12 bytes for IPv4, 36 for IPv6."""
    seq: int
    ack: int
    flags: int
    payload: bytes
    """The captured payload (link-layer padding removed)."""
    offset: int
    """Offset of ``payload`` in the capture file; meaningless when ``fragments`` is not empty."""
    missing: int
    """Payload bytes that were on the wire after ``payload`` but not captured (snap length)."""
    fragments: tuple[Piece, ...] = ()
    """Where the payload's bytes lie when the segment was put together from IP fragments."""


class Datagram(NamedTuple):
    """A message that came without the stream that carried it; the fields are those of ``Segment``.

    One UDP datagram; or what an exported PDU or a HEP packet holds of UDP, TCP or TLS.
    """

    frame: int
    time_ns: int
    digits: int
    key: bytes
    payload: bytes
    offset: int
    missing: int
    fragments: tuple[Piece, ...] = ()
    quoted: bool = False
    """Quoted inside an ICMP error: ``key`` then runs from the sender of the error (with the port
    that the datagram was sent to) to the sender of the datagram."""
    transport: str = "udp"
    """How the message travelled: ``udp``, ``tcp`` or ``tls``."""
    whole: bool = True
    """``payload`` is one message and nothing else; False where it is the next bytes of a stream, of
    which it is not known where they lie in it."""


class Opened(NamedTuple):
    """A connection that has not been seen before, or its ports used again."""

    connection: int
    key: bytes
    """From the side that opened it to the other; a guess where no SYN was captured."""
    syn_seen: bool
    frame: int
    time_ns: int


class Chunk(NamedTuple):
    """New bytes of one direction of one connection, in stream order, without overlap."""

    stream: int
    """Number of the direction: ``2 * connection`` from the side that opened it, ``+ 1`` back."""
    data: bytes
    frame: int
    time_ns: int
    digits: int
    offset: int
    fragments: tuple[Piece, ...] = ()


class Gap(NamedTuple):
    """Bytes of a direction that the capture does not have."""

    stream: int
    length: int
    """Number of bytes that are missing; 0 where it cannot be known."""
    frame: int
    """The first frame after the gap."""


class Conflict(NamedTuple):
    """A retransmission whose bytes differ from those seen first; the first ones are used."""

    stream: int
    frame: int
    length: int
    """Number of bytes that both cover."""


class StreamEnd(NamedTuple):
    """No more bytes will come in this direction."""

    stream: int
    how: str
    """``fin``, ``rst``, ``reused`` (the same ports opened again) or ``end`` (of the capture)."""
    frame: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """What could not be decoded, and why; the rest goes on."""

    layer: str
    """``capture``, ``link``, ``ip``, ``tcp``, ``udp``, ``sip`` or ``xccos``."""
    reason: str
    """In words for the engineer, without the frame number."""
    frame: int | None = None
    offset: int | None = None
    """Offset in the capture file, where that helps more than a frame number."""
    raw: bytes = b""


def address_text(key: bytes) -> tuple[str, str]:
    """Return ``("ip:port", "ip:port")``, source and destination, for a segment or datagram key.

    IPv6 addresses stand in brackets, in the compressed form of RFC 5952.
    """
    if len(key) == 12:
        return (
            f"{key[0]}.{key[1]}.{key[2]}.{key[3]}:{key[8] << 8 | key[9]}",
            f"{key[4]}.{key[5]}.{key[6]}.{key[7]}:{key[10] << 8 | key[11]}",
        )
    import ipaddress  # most captures have no IPv6, and the import costs 3 ms

    return (
        f"[{ipaddress.IPv6Address(key[:16])}]:{key[32] << 8 | key[33]}",
        f"[{ipaddress.IPv6Address(key[16:32])}]:{key[34] << 8 | key[35]}",
    )


def reversed_key(key: bytes) -> bytes:
    """Return the key of the opposite direction."""
    half = (len(key) - 4) // 2
    return key[half : 2 * half] + key[:half] + key[-2:] + key[-4:-2]
