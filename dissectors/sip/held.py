"""The bytes of a stream that are still looked at, and where in the capture they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.notes import RESYNC
from dissectors.sip.framed import Framed, anchors_from, gather
from dissectors.sip.overreach import LOOK_BACK, NOTHING
from dissectors.sip.resume import MAX_START_LINE

if TYPE_CHECKING:
    from dissectors.model import Chunk
    from dissectors.sip.overreach import Behind
    from dissectors.sip.scan import Head

# A direction without any start line in so many bytes carries something else.
MAX_SEARCH = 1 << 20


class Held:
    """What is held of one direction; ``StreamReader`` frames it."""

    __slots__ = (
        "_anchors", "_behind", "_buffer", "_need", "_resync", "_searched", "_synced", "found",
        "junk",
    )  # fmt: skip

    def __init__(self, *, synced: bool) -> None:
        self._buffer = bytearray()
        self._anchors: list[tuple[int, Chunk]] = []  # offset in the buffer where a chunk begins
        self._behind: Behind = NOTHING
        self._need = 0  # look again when so many bytes are there
        self._synced = synced
        self._resync = 0  # notes for the next message
        self._searched = 0
        self.found = 0
        """Messages so far."""
        self.junk = 0
        """Bytes that belong to no message (keep-alives not counted)."""

    @property
    def hopeless(self) -> bool:
        """No message in so many bytes that the stream must be something else."""
        return not self.found and self._searched > MAX_SEARCH

    def _token_in(self, data: bytes) -> bool:
        """Whether these bytes, with those kept, can hold a start line."""
        return b"SIP/" in data or (bool(self._buffer) and b"SIP/" in self._buffer + data[:3])

    def _discard(self, chunk: Chunk) -> None:
        """Keep of bytes without any token of SIP what may be the beginning of a start line."""
        data = chunk.data
        self._need = 0
        line = data.rfind(b"\n") + 1
        if line or not self._buffer:
            kept = max(line, len(data) - MAX_START_LINE)
            self._note_junk(len(self._buffer) + kept)
            self._anchors = [(0, chunk)]
            self._keep(data, kept)
            return
        self._anchors.append((len(self._buffer), chunk))
        self._buffer += data
        if len(self._buffer) > 2 * MAX_START_LINE:  # not at every byte
            excess = len(self._buffer) - MAX_START_LINE
            self._note_junk(excess)
            self._keep(bytes(self._buffer), excess)

    def _wait(self, size: int, need: int) -> None:
        """Look again when ``need`` bytes are there; where that is not known, an eighth more.

        An eighth: looking through all that is held at every chunk would take quadratic time.
        """
        self._need = need if need > size else size + size // 8 + 1

    def _lost(self, start: int, onward: int) -> int:
        """What stands at ``start`` is no message, and none begins before ``onward``."""
        self._synced = False
        self._behind = NOTHING
        self._note_junk(onward - start)
        return -onward

    def _note_junk(self, count: int) -> None:
        if count:
            self.junk += count
            self._searched += count
            self._resync |= RESYNC

    def _keep(self, data: bytes, position: int) -> None:
        """Keep ``data`` from ``position`` on."""
        if position >= len(data):
            self._buffer.clear()
            self._anchors = []
            return
        if position:
            self._anchors = anchors_from(self._anchors, position)
        self._buffer = bytearray(memoryview(data)[position:])

    def _emit(
        self, data: bytes, span: tuple[int, int, int], head: Head, notes: int, out: list[Framed]
    ) -> None:
        start, body, end = span
        pieces, last = gather(self._anchors, start, end)
        self.found += 1
        out.append(
            Framed(
                head, data[start:end], body - start, head.notes | notes | self._resync,
                last.frame, last.time_ns, last.digits, pieces,
            )
        )  # fmt: skip
        self._resync = 0
        first = max(body, end - LOOK_BACK)
        self._behind = (anchors_from(self._anchors, first), 0, end - first)
