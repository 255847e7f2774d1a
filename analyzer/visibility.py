"""What a capture can tell: whether an answer that is not in it would have been in it.

Absent from the capture is not absent from the wire. A hole, a capture that ends, a direction that
was not tapped must never be reported as a server that did not answer.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from analyzer.lazy import once
from analyzer.times import SECOND
from dissectors.notes import TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.trace import Trace

REPLY_GRACE_NS = 5 * SECOND
"""A reply comes within milliseconds: after five seconds without one it is missing."""
OVERTAKEN_NS = SECOND // 2
"""On a connection that was then closed: an answer was overdue where the other side still spoke so
long after the message. What is sent just before closing often stays without one."""
CLOSED = ("fin", "rst", "reused")


class Visibility:
    """Answers about one trace; frames and rows as the trace numbers them."""

    def __init__(self, trace: Trace) -> None:
        self._rows = trace.rows
        self._connections = trace.connections
        self._holes: dict[int, list[int]] = {}
        for hole in trace.quality.holes:
            self._holes.setdefault(hole.stream >> 1, []).append(hole.frame)
        for frames in self._holes.values():
            frames.sort()
        self._seen_until = trace.seen_until
        self._has_lines = trace.has_lines

    @once
    def _last_row(self) -> dict[int, int]:
        """The last message of each direction."""
        return dict(zip(self._rows.stream, range(len(self._rows)), strict=True))

    def hole_after(self, row: int) -> int | None:
        """Return the frame after a hole that lies behind a message on its connection, or None."""
        frame = self._rows.frame[row]
        holes = self._holes.get(self._rows.stream[row] >> 1, [])
        at = bisect_right(holes, frame)
        return holes[at] if at < len(holes) else None

    def holes(self, connection: int) -> tuple[int, ...]:
        """Return the frames after the holes of a connection, ascending."""
        return tuple(self._holes.get(connection, ()))

    def one_way(self, connection: int) -> bool:
        """Say whether only one direction of a connection brought messages."""
        return not all(self._connections[connection].messages)

    def hidden(self, rows: Iterable[int]) -> str | None:
        """Return why what messages say may be unknown though they are there, or None."""
        if not self._has_lines:
            return None
        notes, items = self._rows.notes, self._rows.items
        for row in rows:
            if notes[row] & TRUNCATED and not items[row]:
                return f"bodies are not in the trace, from frame {self._rows.frame[row]} on"
        return None

    def closed(self, connection: int) -> bool:
        """Say whether a side closed a connection in the capture."""
        return any(end in CLOSED for end in self._connections[connection].ends)

    def time_left(self, row: int) -> int:
        """Return the nanoseconds from a message to the end of the capture."""
        return self._seen_until(self._rows.stream[row] >> 1) - self._rows.time[row]

    def why_unknown(self, row: int, ended: int | None = None) -> str | None:
        """Return why an answer to a message may exist unseen; None when it would have been seen.

        ``ended`` is the row of the BYE that ended its dialog, where there is one.
        """
        connection = self._rows.stream[row] >> 1
        if self.one_way(connection):
            return "only one direction of the connection was captured"
        hole = self.hole_after(row)
        if hole is not None:
            return f"frames are missing from the capture before frame {hole}"
        if self.time_left(row) >= REPLY_GRACE_NS:
            return None
        heard = self._last_row.get(self._rows.stream[row] ^ 1, -1)
        if heard > row:
            if ended is not None and ended > row:
                return None
            closed = "fin" in self._connections[connection].ends
            if closed and self._rows.time[heard] - self._rows.time[row] >= OVERTAKEN_NS:
                return None
        return "the capture ends too soon after it"
