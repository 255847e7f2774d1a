"""The twin of ``dissectors.transport.reassembly`` with the methods of the reference, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dissectors._speedups.reassembly import Reassembler
from dissectors.model import Segment
from dissectors.transport.direction import StreamEvent

class EventReassembler(Reassembler):
    """The twin with the methods of the reference; for segments of which the payloads are at hand.

    It keeps all payloads: what reads a capture subclasses ``Reassembler`` and reads them back.
    """

    def feed(self, segments: Iterable[Segment]) -> list[StreamEvent]:
        """Return the events that these segments cause, in order."""

    def events(self, segments: Iterable[Segment]) -> Iterator[StreamEvent]:
        """Yield the events that these segments cause, in order."""

    def oldest_waiting(self) -> int | None:
        """Return the lowest frame of a segment that is kept back; None where none is."""

    def close(self) -> list[StreamEvent]:
        """Return what is left at the end of the capture."""

    def expect_more(self, connection: int) -> None:
        """Let a connection wait longer at a hole: it is known to carry SIP."""

    def drop(self, stream: int) -> None:
        """Hand on nothing more of this direction: it is known to carry something else."""
