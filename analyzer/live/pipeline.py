"""The stages of reading, for bytes that keep coming: the pure pipeline, with patience and memory.

Two things differ from a capture that has an end. What is missing is not waited for until the end,
but for some seconds: a connection of which one packet was lost would else stay dark for hours. And
the bytes of messages are kept apart, because the capture that they came in may be a ring whose
beginning is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.live.tables import ForgetfulTable
from analyzer.pipeline import Pipeline
from analyzer.row_writer import RowWriter
from dissectors.capture.detect import MAGIC_LENGTH, READERS
from dissectors.model import Malformed, Piece
from dissectors.sip.scan import HeadScanner
from dissectors.transport.reassembly import Reassembler

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from analyzer.rows import Rows
    from analyzer.sources.spool import Spool
    from dissectors.sip.framed import Framed
    from dissectors.transport.direction import Direction, StreamEvent


class PatientReassembler(Reassembler):
    """Gives up waiting for bytes when it is told to, and not only at the end of the capture."""

    def give_up(self, before: int) -> list[StreamEvent]:
        """Return the events of what waits since before a time: holes, and what lies behind them.

        A direction whose beginning was not captured begins with what is there.
        """
        out: list[StreamEvent] = []
        if not self._budget.pending:
            return out
        for connection in list(self._connections.values()):
            for direction in (connection.a, connection.b):
                if _waits_since(direction, before):
                    frame = direction.pending[-1][2].frame
                    direction.flush(out)
                    self._maybe_fin(direction, frame, out)
        return out


def _waits_since(direction: Direction, before: int) -> bool:
    waiting = direction.pending
    return bool(waiting) and min(segment.time_ns for _, _, segment in waiting) < before


class KeepingWriter(RowWriter):
    """Writes rows whose pieces lie in a store of messages, one after the other."""

    __slots__ = ("problem", "store")

    def __init__(self, rows: Rows, store: Spool) -> None:
        """Write to ``rows``, and the bytes of messages to ``store``."""
        super().__init__(rows)
        self.store = store
        self.problem: str | None = None
        """Why a message could not be kept."""

    def write(self, batch: list[tuple[int, list[Framed]]]) -> None:
        """Write the rows of messages, given by stream."""
        super().write([(stream, [self._kept(one) for one in found]) for stream, found in batch])

    def _kept(self, message: Framed) -> Framed:
        at = self.store.length
        self.problem = self.store.write(message.raw) or self.problem
        pieces, left = [], len(message.raw)
        for piece in message.pieces:
            length = min(piece.length, left)
            pieces.append(Piece(piece.frame, at, length))
            at, left = at + length, left - length
        return message._replace(pieces=tuple(pieces))


class LivePipeline(Pipeline):
    """Feed it the bytes of a capture as they come; rows can be taken at any time."""

    def __init__(self, store: Spool) -> None:
        """Begin; ``store`` gets the bytes of messages."""
        super().__init__()
        rows = self._reading.rows
        self.strings: ForgetfulTable[str] = ForgetfulTable("")
        self.cseqs: ForgetfulTable[tuple[int, str]] = ForgetfulTable((-1, ""))
        rows.strings, rows.cseqs = self.strings, self.cseqs
        self.writer = KeepingWriter(rows, store)
        self._writer = self.writer
        self._scanner = HeadScanner(rows.strings, rows.cseqs)
        self._patient = PatientReassembler()
        self._reassembler = self._patient

    def feed(self, data: bytes) -> None:
        """Take the next bytes; the first four tell what they are, and more are not waited for."""
        if self._reader is None:
            data, self._head = self._head + data, b""
            if data[:MAGIC_LENGTH] in READERS:
                self._head = data
                self._start()
        super().feed(data)

    @property
    def foreign(self) -> bool:
        """What comes is neither pcap nor pcapng."""
        return isinstance(self._reader, Malformed)

    def give_up(self, before: int) -> None:
        """Stop waiting for bytes that are missing since before a time."""
        self._events(self._patient.give_up(before))

    @property
    def counters(self) -> dict[str, int]:
        """What else ``close`` counts."""
        return {
            "cut frames": self._decoder.cut_frames,
            "retransmitted segments": self._reassembler.retransmissions,
        }

    @property
    def ignored(self) -> dict[str, int]:
        """Frames that carry neither TCP nor UDP so far."""
        return dict(self._decoder.ignored)

    def forget(self, strings: AbstractSet[int], cseqs: AbstractSet[int]) -> None:
        """Forget all strings but these; what was learnt of header lines is learnt anew."""
        # Readers of connections hold the scanner: it stays, and begins again.
        HeadScanner.__init__(self._scanner, self.strings, self.cseqs)
        self.strings.forget_all_but(strings)
        self.cseqs.forget_all_but(cseqs)
