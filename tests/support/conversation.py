"""A TCP connection written down as it goes, and what became of it in the reassembler.

    talk = Conversation()
    talk.handshake()
    talk.client.sends(b"REGISTER ...")
    talk.client.loses(700)            # sent, but not captured
    talk.server.sends(b"SIP/2.0 ...")
    talk.client.fin()

``talk.packets`` is the capture: a plain list, to be cut, repeated and put into another order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.model import (
    ACK,
    FIN,
    PSH,
    RST,
    SYN,
    Chunk,
    Conflict,
    Gap,
    Opened,
    Segment,
    StreamEnd,
)
from dissectors.transport.reassembly import Reassembler
from tests.support.packets import Tcp, segments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.transport.direction import StreamEvent

CLIENT, SERVER = "10.0.0.1:50000", "10.0.0.2:5060"
MASK = 0xFFFFFFFF


class Side:
    """One side of a connection; ``position`` counts the bytes that it has sent."""

    def __init__(self, packets: list[Tcp], src: str, dst: str, isn: int) -> None:
        self._packets = packets
        self._src = src
        self._dst = dst
        self.isn = isn
        self.position = 0

    def syn(self, data: bytes = b"", *, ack: bool = False) -> None:
        """Send a SYN, with data where it is a fast open (RFC 7413)."""
        self._add(self.isn, SYN | (ACK if ack else 0), data)
        self.position += len(data)

    def sends(self, data: bytes, *, at: int | None = None, missing: int = 0) -> None:
        """Send data, or send it again where ``at`` names its place in the stream."""
        place = self.position if at is None else at
        self._add(self.sequence(place), ACK | PSH, data, missing)
        self.position = max(self.position, place + len(data) + missing)

    def loses(self, length: int) -> None:
        """Send bytes that nobody captured."""
        self.position += length

    def fin(self, data: bytes = b"") -> None:
        """Say that nothing more will come."""
        self._add(self.sequence(self.position), FIN | ACK, data)
        self.position += len(data)

    def rst(self) -> None:
        """Break the connection."""
        self._add(self.sequence(self.position), RST, b"")

    def sequence(self, position: int) -> int:
        """Return the sequence number of a place in the stream."""
        return self.isn + 1 + position & MASK

    def _add(self, seq: int, flags: int, data: bytes, missing: int = 0) -> None:
        self._packets.append(Tcp(self._src, self._dst, seq, flags, data, missing))


class Conversation:
    """Two sides, and the list of packets that both write to."""

    def __init__(
        self,
        client: str = CLIENT,
        server: str = SERVER,
        *,
        isns: tuple[int, int] = (1000, 900_000),
        packets: list[Tcp] | None = None,
    ) -> None:
        """``packets``: go on with those of an earlier conversation."""
        self.packets: list[Tcp] = [] if packets is None else packets
        self.client = Side(self.packets, client, server, isns[0])
        self.server = Side(self.packets, server, client, isns[1])

    def handshake(self) -> None:
        """Open the connection."""
        self.client.syn()
        self.server.syn(ack=True)

    def close(self) -> None:
        """Close it in both directions."""
        self.client.fin()
        self.server.fin()


@dataclass
class Outcome:
    """What the reassembler made of packets. Streams are numbered as it numbers them."""

    data: dict[int, bytes] = field(default_factory=dict)
    opened: list[Opened] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    ends: dict[int, str] = field(default_factory=dict)
    retransmissions: int = 0

    def take(self, event: StreamEvent) -> None:
        """Note an event; the order that consumers rely on is checked on the way."""
        if isinstance(event, Opened):
            assert event.connection not in [one.connection for one in self.opened[-100:]]
            self.opened.append(event)
            return
        assert event.stream not in self.ends, f"{event} after the end of its stream"
        match event:
            case Chunk():
                assert event.data
                self.chunks.append(event)
                self.data[event.stream] = self.data.get(event.stream, b"") + event.data
            case Gap():
                assert event.length >= 0
                self.gaps.append(event)
            case Conflict():
                self.conflicts.append(event)
            case StreamEnd():
                self.ends[event.stream] = event.how


def reassemble(packets: Sequence[Tcp], *, batch: int | None = None) -> Outcome:
    """Run packets through a reassembler, ``batch`` at a time (None: all at once)."""
    return reassemble_segments(segments(packets), batch=batch)


def reassemble_segments(given: Sequence[Segment], *, batch: int | None = None) -> Outcome:
    """Run segments through a reassembler."""
    machine, outcome = Reassembler(), Outcome()
    size = batch or max(len(given), 1)
    for start in range(0, len(given), size):
        for event in machine.feed(list(given[start : start + size])):
            outcome.take(event)
    for event in machine.close():
        outcome.take(event)
    outcome.retransmissions = machine.retransmissions
    for opened in outcome.opened:
        assert {2 * opened.connection, 2 * opened.connection + 1} <= set(outcome.ends)
    return outcome
