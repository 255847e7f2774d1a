"""Messages that came apart from the stream that carried them: datagrams, exported PDUs, HEP.

Both reading paths use this, so that it is the same in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.flow import Flow
from dissectors.model import reversed_key
from dissectors.sip.datagram import DatagramReader

if TYPE_CHECKING:
    from analyzer.pieces import Pieces
    from analyzer.reading import Reading
    from dissectors.model import Datagram
    from dissectors.sip.datagram import Joined
    from dissectors.sip.framed import Framed
    from dissectors.sip.scan import HeadScanner


class Apart:
    """Feed it datagrams; it gives the messages in them, by direction."""

    def __init__(self, scanner: HeadScanner) -> None:
        self._whole = DatagramReader(scanner)
        self._scanner = scanner
        self._pieces: Pieces | None = None
        self._flows: dict[tuple[str, bytes], tuple[Flow, int]] = {}

    def read(self, datagram: Datagram) -> list[Joined]:
        """Return the messages that this one carries or completes."""
        if datagram.whole:
            return self._whole.read(datagram)
        if self._pieces is None:
            from analyzer.pieces import Pieces  # few captures need it

            self._pieces = Pieces(self._scanner)
        return self._pieces.read(datagram)

    def flow(self, transport: str, key: bytes, first: Framed) -> tuple[Flow, int]:
        """Return the flow and the side of messages of which ``first`` is the first one."""
        known = self._flows.get((transport, key))
        if known is None:
            flow = Flow(key, transport, syn=False, frame=first.frame, time_ns=first.time_ns)
            known = self._flows[transport, key] = (flow, 0)
            self._flows.setdefault((transport, reversed_key(key)), (flow, 1))
        return known

    def oldest_waiting(self) -> int | None:
        """Return the first frame of which a message may still come."""
        return self._whole.oldest_waiting()

    def close(self, reading: Reading) -> list[Joined]:
        """Return what can still be used at the end of the capture, and count what was not."""
        found = self._whole.close()
        if self._pieces is not None:
            found += self._pieces.close()
            reading.stream_counters["retransmitted segments"] += self._pieces.repeated
            reading.stream_counters["bytes between messages"] += self._pieces.junk
        return found


def note_times(reading: Reading, times: tuple[int, int] | None) -> None:
    """Note the first and the last time that stand inside of packets."""
    if times is not None:
        first, last = reading.first_time, reading.last_time
        reading.first_time = times[0] if first is None else min(first, times[0])
        reading.last_time = times[1] if last is None else max(last, times[1])
