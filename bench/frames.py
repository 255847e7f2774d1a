"""Ethernet, IPv4, IPv6, TCP and UDP frames into a pcap file, and TCP connections that misbehave.

Checksums are zero, as in captures of hosts that leave them to the network card.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from typing import BinaryIO

SYN, ACK, PSH, FIN = 0x02, 0x10, 0x08, 0x01
MSS = 1460
MIN_ETHERNET = 60  # shorter frames are padded, and a reader must not take the padding for payload
START_US = 1_760_000_000_000_000
MEAN_GAP_US = 40

RECORD = struct.Struct("<IIII")
IPV4 = struct.Struct("!BBHHHBBH4s4s")
IPV6 = struct.Struct("!IHBB16s16s")
TCP = struct.Struct("!HHIIBBHHH")
UDP = struct.Struct("!HHHH")


class Peer(NamedTuple):
    """One end of a flow."""

    address: bytes
    """4 or 16 bytes."""
    port: int


@dataclass(slots=True)
class Truth:
    """What a reader must find."""

    packets: int = 0
    conns: int = 0
    msgs: int = 0
    requests: int = 0
    responses: int = 0
    xccos: int = 0
    dialogs: int = 0
    """Call-IDs."""
    retrans: int = 0
    ooo: int = 0
    bytes: int = 24
    methods: dict[str, int] = field(default_factory=dict)


class PcapWriter:
    """Append frames to a pcap file with microseconds, at times that only go forward."""

    def __init__(self, file: BinaryIO, rng: random.Random) -> None:
        self.rng = rng
        self.truth = Truth()
        self._file = file
        self._time = START_US
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))

    def write(self, frame: bytes) -> None:
        """Append one Ethernet frame."""
        self._time += 1 + int(self.rng.random() * 2 * MEAN_GAP_US)
        seconds, micros = divmod(self._time, 1_000_000)
        self._file.write(RECORD.pack(seconds, micros, len(frame), len(frame)) + frame)
        self.truth.packets += 1
        self.truth.bytes += RECORD.size + len(frame)


def ethernet(src: bytes, dst: bytes, protocol: int, payload: bytes, *, vlan: bool = False) -> bytes:
    """Return a frame with an IPv4 or IPv6 packet, by the length of the addresses."""
    tag = b"\x81\x00\x00\x64" if vlan else b""
    macs = b"\x02\x00" + dst[-4:] + b"\x02\x00" + src[-4:]
    if len(src) == 4:
        head = IPV4.pack(0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0, src, dst)
        return (macs + tag + b"\x08\x00" + head + payload).ljust(MIN_ETHERNET, b"\x00")
    head = IPV6.pack(6 << 28, len(payload), protocol, 64, src, dst)
    return macs + tag + b"\x86\xdd" + head + payload


def datagram(src: Peer, dst: Peer, payload: bytes) -> bytes:
    """Return a frame with one UDP datagram."""
    head = UDP.pack(src.port, dst.port, 8 + len(payload), 0)
    return ethernet(src.address, dst.address, 17, head + payload)


class Connection:
    """A TCP connection between two peers; direction 0 goes from the first, which opens it.

    ``start`` is the first sequence number both ways; without it they are random.
    """

    # Shares of the segments that are sent again (whole or in part), and that change places with
    # the next of their direction: what a bad day on a local network looks like.
    RETRANSMITTED = 0.01
    REORDERED = 0.01

    def __init__(
        self,
        out: PcapWriter,
        ends: tuple[Peer, Peer],
        *,
        vlan: bool = False,
        start: int | None = None,
    ) -> None:
        self._out, self._ends, self._vlan = out, ends, vlan
        chosen = [out.rng.getrandbits(32), out.rng.getrandbits(32)]
        self._next = chosen if start is None else [start, start]
        self._held: list[tuple[int, bytes] | None] = [None, None]
        self._unacknowledged = [0, 0]

    def open(self) -> None:
        """Write the three-way handshake."""
        self._out.truth.conns += 1
        self._segment(0, SYN)
        self._next[0] += 1
        self._segment(1, SYN | ACK)
        self._next[1] += 1
        self._segment(0, ACK)

    def send(self, direction: int, data: bytes) -> None:
        """Write data in segments of at most MSS bytes, and the acknowledgements that it gets."""
        for start in range(0, len(data), MSS):
            payload = data[start : start + MSS]
            seq = self._next[direction]
            self._next[direction] += len(payload)
            if self._held[direction] is None and self._out.rng.random() < self.REORDERED:
                self._held[direction] = (seq, payload)
                self._out.truth.ooo += 1
                continue
            self._segment(direction, ACK | PSH, seq, payload)
            self._release(direction)
            self._repeat(direction, seq, payload)
            self._acknowledge(direction)

    def close(self) -> None:
        """Write what is still held back, and a FIN each way."""
        for direction in (0, 1):
            self._release(direction)
        for direction in (0, 1):
            self._segment(direction, FIN | ACK)
            self._next[direction] += 1
        self._segment(0, ACK)

    def _release(self, direction: int) -> None:
        held = self._held[direction]
        if held is not None:
            self._held[direction] = None
            self._segment(direction, ACK | PSH, *held)

    def _repeat(self, direction: int, seq: int, payload: bytes) -> None:
        rng = self._out.rng
        if rng.random() < self.RETRANSMITTED:
            self._out.truth.retrans += 1
            length = len(payload) if rng.random() < 0.7 else len(payload) // 2 + 1
            self._segment(direction, ACK | PSH, seq, payload[:length])

    def _acknowledge(self, direction: int) -> None:
        self._unacknowledged[direction] += 1
        if self._unacknowledged[direction] == 2:
            self._unacknowledged[direction] = 0
            self._segment(1 - direction, ACK)

    def _segment(
        self, direction: int, flags: int, seq: int | None = None, payload: bytes = b""
    ) -> None:
        src, dst = self._ends[direction], self._ends[1 - direction]
        number = (self._next[direction] if seq is None else seq) & 0xFFFFFFFF
        answered = self._next[1 - direction] & 0xFFFFFFFF if flags & ACK else 0
        head = TCP.pack(src.port, dst.port, number, answered, 0x50, flags, 64240, 0, 0)
        packet = head + payload
        self._out.write(ethernet(src.address, dst.address, 6, packet, vlan=self._vlan))
