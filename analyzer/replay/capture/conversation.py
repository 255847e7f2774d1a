"""A TCP connection as two well-behaved hosts would have it: nothing lost, nothing sent twice.

The rule: sides are 0 (who opened it) and 1. Each segment acknowledges all that its sender has
received; where nothing takes the acknowledgement along, it is sent alone (RFC 9293 3.8.6.3).
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from dpkt.tcp import TH_ACK, TH_FIN, TH_PUSH, TH_RST, TH_SYN

from analyzer.replay.capture.frames import TcpHead

if TYPE_CHECKING:
    from analyzer.replay.actions import Address
    from analyzer.replay.capture.medium import Medium

MASK = 0xFFFF_FFFF
WINDOW, SCALE = 1026, 8
"""What Windows offers: 1026 * 2 ** 8 bytes."""
IN_FLIGHT = WINDOW << SCALE - 1
"""Bytes without an acknowledgement after which one is sent at once: half of the window."""
SYN_WINDOW = 64_240
"""Of a SYN the window is not scaled (RFC 7323 2.2)."""
DELAY_NS = 40_000_000
"""How long an acknowledgement waits for data to go with it."""
EVERY, SECOND_NS = 2, 20_000
"""Every second segment is acknowledged without waiting (RFC 5681 4.2), so soon."""
SEGMENT_NS = 12_000
"""What a full segment takes on a link of 1 Gbit/s."""
APART = 64_000
"""Between the sequence numbers of a connection and the next one of the same ports (RFC 6528)."""


class _Side:
    """What one side has sent and owes."""

    __slots__ = ("address", "segments", "seq", "ticket", "unacked")

    def __init__(self, address: Address, isn: int) -> None:
        self.address = address
        self.seq = isn
        """Of the next byte."""
        self.unacked = 0
        """Bytes received that were not acknowledged yet."""
        self.segments = 0
        """Segments that they came in."""
        self.ticket = 0
        """Of the acknowledgement that is due; 0 without one."""


class Conversation:
    """A connection."""

    def __init__(
        self, medium: Medium, opener: Address, responder: Address, mss: int, *, seed: str
    ) -> None:
        """Sequence numbers begin where ``seed`` and the addresses say."""
        self._medium = medium
        # The header of IPv6 is 20 bytes longer (RFC 6691 2).
        self._mss = mss - 20 if ":" in opener.host else mss
        digest = hashlib.sha256(
            f"{seed} {opener} {responder}".encode("utf-8", "backslashreplace")
        ).digest()
        isns = struct.unpack("!II", digest[:8])
        ends = (medium.ends.get((opener, responder)), medium.ends.get((responder, opener)))
        first, second = (
            isn if end is None else end + APART for isn, end in zip(isns, ends, strict=True)
        )
        self.sides = (_Side(opener, first + 1 & MASK), _Side(responder, second + 1 & MASK))

    def handshake(self, at: int, step: int) -> None:
        """Open it: SYN at a time, the two others ``step`` nanoseconds after one another."""
        options = self._syn_options()
        for side, flags, when in ((0, TH_SYN, at), (1, TH_SYN | TH_ACK, at + step)):
            self._medium.advance(when)
            own, other = self.sides[side], self.sides[1 - side]
            ack = other.seq if flags & TH_ACK else 0
            head = TcpHead(own.seq - 1 & MASK, ack, flags, SYN_WINDOW, options)
            self._put(side, head, when)
        self.acknowledge(0, at + 2 * step)

    def send(self, side: int, data: bytes, at: int, comment: str = "") -> None:
        """Send bytes; the last of their segments at a time, those before it just before."""
        mss, medium = self._mss, self._medium
        pieces = [data[begin : begin + mss] for begin in range(0, len(data), mss)]
        at = max(at, medium.clock)
        steps = len(pieces) - 1
        span = min(steps * SEGMENT_NS, at - medium.clock)
        for number, piece in enumerate(pieces):
            when = at - span + (span * number // steps if steps else 0)
            medium.advance(when)
            last = number == steps
            self._data(side, piece, when, comment if last else "", push=last)

    def acknowledge(self, side: int, at: int) -> None:
        """Send an acknowledgement and nothing else."""
        self._segment(side, TH_ACK, at)

    def owes(self, side: int, ticket: int) -> bool:
        """Tell whether the acknowledgement of a ticket was not sent otherwise."""
        return self.sides[side].ticket == ticket

    def finish(self, side: int, at: int) -> None:
        """Say that a side sends no more."""
        self._medium.advance(at)
        self._segment(side, TH_FIN | TH_ACK, at)
        own, other = self.sides[side], self.sides[1 - side]
        own.seq = own.seq + 1 & MASK
        other.ticket = self._medium.owe(self, 1 - side, self._medium.clock + SECOND_NS)
        self._remember()

    def reset(self, side: int, at: int) -> None:
        """Break it."""
        self._medium.advance(at)
        self._segment(side, TH_RST | TH_ACK, at, window=0)
        for one in self.sides:
            one.ticket = one.unacked = one.segments = 0
        self._remember()

    def _data(self, side: int, piece: bytes, at: int, comment: str, *, push: bool) -> None:
        other = self.sides[1 - side]
        self._segment(side, TH_ACK | (TH_PUSH if push else 0), at, piece, comment)
        other.unacked += len(piece)
        other.segments += 1
        now = self._medium.clock
        if other.unacked >= IN_FLIGHT:
            self.acknowledge(1 - side, now)
        elif other.segments <= EVERY:
            delay = SECOND_NS if other.segments == EVERY else DELAY_NS
            other.ticket = self._medium.owe(self, 1 - side, now + delay)

    def _segment(
        self, side: int, flags: int, at: int, data: bytes = b"", comment: str = "",
        *, window: int = WINDOW,
    ) -> None:  # fmt: skip
        own = self.sides[side]
        head = TcpHead(own.seq, self.sides[1 - side].seq, flags, window)
        self._put(side, head, at, data, comment)
        own.seq = own.seq + len(data) & MASK
        own.ticket = own.unacked = own.segments = 0

    def _put(self, side: int, head: TcpHead, at: int, data: bytes = b"", comment: str = "") -> None:
        medium = self._medium
        source, target = self.sides[side].address, self.sides[1 - side].address
        medium.put(at, medium.framer.tcp(source, target, head, data), comment)

    def _syn_options(self) -> bytes:
        """Return maximum segment size, window scale and SACK permitted, as Windows orders them."""
        return struct.pack("!BBHBBBBBBBB", 2, 4, self._mss, 1, 3, 3, SCALE, 1, 1, 4, 2)

    def _remember(self) -> None:
        """Note where it ended, for the next one of the same ports."""
        opener, responder = self.sides
        self._medium.ends[opener.address, responder.address] = opener.seq
        self._medium.ends[responder.address, opener.address] = responder.seq


class Datagrams:
    """SIP over UDP between two hosts: a message is a datagram."""

    def __init__(self, medium: Medium, opener: Address, responder: Address) -> None:
        """Nothing is sent before there is something to say."""
        self._medium = medium
        self._addresses = (opener, responder)

    def send(self, side: int, data: bytes, at: int, comment: str = "") -> None:
        """Send a datagram; raise ``CaptureError`` for one that is too long."""
        medium = self._medium
        medium.advance(at)
        source, target = self._addresses[side], self._addresses[1 - side]
        medium.put(at, medium.framer.udp(source, target, data), comment)
