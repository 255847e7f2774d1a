"""The twin of ``dissectors.transport.reassembly``; a compiled pass subclasses it."""

from __future__ import annotations

class Reassembler:
    """Takes packets and segments in capture order; a subclass says what becomes of the events."""

    @property
    def retransmissions(self) -> int:
        """Segments that brought nothing new."""

    @property
    def pending(self) -> int:
        """Bytes that wait, and what their segments cost, in all directions together."""
