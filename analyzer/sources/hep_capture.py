"""HEP that was received, as a capture: a pcapng of exported PDUs, one for each message.

The one rule: a packet that cannot be used is counted, and the first of a kind is kept to be told;
it never ends anything.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING

from analyzer.pieces import Pieces
from dissectors.capture.pdu_writer import UPPER_PDU, pdu
from dissectors.capture.writer import PcapngStream
from dissectors.model import Datagram, Frame
from dissectors.sip.scan import HeadScanner
from dissectors.transport.hep import CUT_SHORT, payload_of, read_hep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.sources.hep import Received

MAX_KINDS = 32
"""Kinds of packets that are counted apart; the others together."""
_DIGITS = 6


class HepCapture:
    """Turns packets into the bytes of a capture."""

    def __init__(self, program: str) -> None:
        """Begin; ``program`` is who writes."""
        self._stream = PcapngStream()
        self._program = program
        self._scanner = HeadScanner()
        self._pieces = Pieces(self._scanner)
        self.packets = 0
        """Packets that came."""
        self.frames = 0
        """Messages that were written."""
        self.unused: Counter[str] = Counter()
        """Packets that were of no use, by what was wrong with them."""
        self._first: dict[str, str] = {}

    def header(self) -> bytes:
        """Return the beginning of the capture."""
        return self._stream.header(self._program, "received as HEP")

    def take(self, packets: list[Received], now_ns: int) -> bytes:
        """Return the frames that packets become; ``now_ns`` is the time of those that say none."""
        return b"".join(part for one in packets for part in self._one(one, now_ns))

    def close(self) -> bytes:
        """Return what can still be used of unfinished messages."""
        return b"".join(
            self._frame(transport, key, message.raw, message.time_ns)
            for transport, key, framed in self._pieces.close()
            for message in framed
        )

    def complaint(self) -> str | None:
        """Return what to say of the packets that were of no use; None where there are none."""
        if not self.unused:
            return None
        told = ", ".join(
            f"{count:,} × {reason} (first from {self._first[reason]})"
            for reason, count in self.unused.most_common(3)
        )
        more = ", ..." if len(self.unused) > 3 else ""
        return f"{self.unused.total():,} of {self.packets:,} packets were passed over: {told}{more}"

    def _one(self, received: Received, now_ns: int) -> Iterator[bytes]:
        self.packets += 1
        try:
            found = read_hep(received.data)
        except (struct.error, IndexError):
            found = CUT_SHORT
        if found is None:
            found = "no HEP"
        payload = found if isinstance(found, str) else payload_of(found, received.data)
        if isinstance(payload, str) or isinstance(found, str):
            self._pass_over(str(payload), received.peer)
            return
        time_ns = found.time_ns or now_ns
        if found.transport == "udp":
            yield self._frame("udp", found.key, payload, time_ns)
            return
        piece = Datagram(
            self.packets, time_ns, _DIGITS, found.key, payload, 0, 0,
            transport=found.transport, whole=False,
        )  # fmt: skip
        for transport, key, framed in self._pieces.read(piece):
            for message in framed:
                yield self._frame(transport, key, message.raw, message.time_ns)

    def _pass_over(self, reason: str, peer: str) -> None:
        if reason not in self.unused and len(self.unused) >= MAX_KINDS:
            reason = "other packets"
        self.unused[reason] += 1
        self._first.setdefault(reason, peer)

    def _frame(self, transport: str, key: bytes, message: bytes, time_ns: int) -> bytes:
        self.frames += 1
        data = pdu(message, key, transport)
        frame = Frame(self.frames, time_ns, _DIGITS, UPPER_PDU, data, 0, len(data))
        return self._stream.frame(frame)
