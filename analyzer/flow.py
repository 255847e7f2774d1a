"""What is known of one TCP connection or UDP flow while a capture is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.rows import Connection
from dissectors.model import address_text

if TYPE_CHECKING:
    from dissectors.sip.framed import Framed
    from dissectors.sip.stream import StreamReader


class Flow:
    """State of both directions; side 0 comes from the opener."""

    __slots__ = (
        "conflicts", "connection", "cut", "ends", "first", "gaps", "holes", "key", "last",
        "messages", "number", "open", "readers", "service", "syn", "times", "transport",
    )  # fmt: skip

    def __init__(self, key: bytes, transport: str, *, syn: bool, frame: int, time_ns: int) -> None:
        self.key = key
        """From the opener to the other side."""
        self.transport = transport
        self.connection = -1
        """Number that the reassembler gave."""
        self.number = -1
        """Number in the trace, given with the first SIP message."""
        self.open = 2
        """Directions that have not ended."""
        self.syn = syn
        self.cut = [not syn, not syn]
        """Of each side, whether its beginning is missing."""
        self.first = self.last = frame
        self.times = [time_ns, time_ns]
        self.readers: list[StreamReader | None] = [None, None]
        self.service: str | None = None
        """What it carries, where that is not SIP."""
        self.messages = [0, 0]
        self.ends = ["end", "end"]
        self.holes = 0
        self.gaps: list[tuple[int, int, int]] = []
        """(side, frame after it, bytes) before the first SIP message of either side."""
        self.conflicts: list[tuple[int, int, int]] = []
        """The same of retransmissions that differed."""

    def note(self, side: int, framed: list[Framed]) -> None:
        """Count messages of one side."""
        self.messages[side] += len(framed)
        for one in framed:
            if one.frame > self.last:
                self.last = one.frame
                self.times[1] = one.time_ns

    def row(self) -> Connection:
        """Return what a trace keeps of it."""
        opener, responder = address_text(self.key)
        return Connection(
            self.number, opener, responder, self.transport, self.syn, self.first, self.last,
            self.times[0], self.times[1], (self.ends[0], self.ends[1]), self.holes,
            (self.messages[0], self.messages[1]),
        )  # fmt: skip
