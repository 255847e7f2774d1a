"""What a capture can tell: whether an answer that is not in it would have been in it.

Absent from the capture is not absent from the wire. A hole, a capture that ends, a direction that was
not tapped must never be reported as a server that did not answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.times import SECOND

if TYPE_CHECKING:
    from analyzer.trace import Trace

REPLY_GRACE_NS = 5 * SECOND
"""A reply comes within milliseconds; five seconds without one are long enough to call it missing."""
CLOSED = ("fin", "rst", "reused")


class Visibility:
    """Answers about one trace; frames and rows as the trace numbers them."""

    def __init__(self, trace: Trace) -> None:
        self._rows = trace.rows
        self._connections = trace.connections
        self._holes: dict[int, list[int]] = {}
        for hole in trace.quality.holes:
            self._holes.setdefault(hole.stream >> 1, []).append(hole.frame)
        self._last: dict[int, int] = {}
        for row, stream in enumerate(self._rows.stream):
            self._last[stream] = row
        times = self._rows.time
        self._end = trace.quality.last_time or (max(times) if len(times) else 0)

    def hole_after(self, row: int) -> int | None:
        """Return the frame after a hole that lies behind a message on its connection, or None."""
        frame = self._rows.frame[row]
        holes = self._holes.get(self._rows.stream[row] >> 1, ())
        return next((hole for hole in holes if hole >= frame), None)

    def hole_within(self, connection: int, first: int, last: int) -> int | None:
        """Return the frame after a hole of a connection between two frames, or None."""
        holes = self._holes.get(connection, ())
        return next((hole for hole in holes if first <= hole <= last), None)

    def holes(self, connection: int) -> tuple[int, ...]:
        """Return the frames after the holes of a connection."""
        return tuple(self._holes.get(connection, ()))

    def one_way(self, connection: int) -> bool:
        """Say whether only one direction of a connection brought messages."""
        return not all(self._connections[connection].messages)

    def late_start(self, connection: int) -> bool:
        """Say whether a connection was open before the capture began."""
        return not self._connections[connection].syn_seen

    def closed(self, connection: int) -> bool:
        """Say whether a side closed a connection in the capture."""
        return any(end in CLOSED for end in self._connections[connection].ends)

    def later_answer_side(self, row: int) -> bool:
        """Say whether the other side of the connection said anything after a message."""
        return self._last.get(self._rows.stream[row] ^ 1, -1) > row

    def time_left(self, row: int) -> int:
        """Return the nanoseconds from a message to the end of the capture."""
        return self._end - self._rows.time[row]

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
        regular = (ended is not None and ended > row) or "fin" in self._connections[connection].ends
        if regular and self.later_answer_side(row):
            return None
        return "the capture ends too soon after it"
