"""Several inputs as one trace: one story, told by everyone who saw a part of it.

The one rule: frames are numbered, and times are corrected, as in the file that ``xccos merge``
writes; ``sightings`` says which frame of which input that is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property, cmp_to_key
from typing import TYPE_CHECKING

from analyzer.inputs.connections import Joined
from analyzer.inputs.order import FrameOrder, correction, frame_times
from analyzer.inputs.quality import joined_quality, short
from analyzer.inputs.rows import joined_rows
from analyzer.inputs.store import MAX_INPUTS, Store
from analyzer.sources.files import SourceError
from analyzer.sources.spool import Spool
from analyzer.trace import Seen, Trace
from analyzer.window import Window, streams_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.inputs.values import Clock, Joint

MARGIN_NS = 1_000_000_000
"""An input that ended within a second of a message may just have missed it."""


@dataclass(frozen=True, slots=True)
class Input:
    """One of the inputs."""

    name: str
    """Without its directories."""
    path: str
    kind: str
    """``capture``, or what else it is."""
    unit: str
    """What its numbers count: ``frame`` or ``line``."""
    frames: int
    messages: int
    clock: Clock


class JoinedTrace(Trace):
    """All messages of several inputs, each of them once."""

    def __init__(self, traces: Sequence[Trace], joint: Joint) -> None:
        """Join traces, which are closed with this one.

        Raises ``SourceError`` when there are too many of them.
        """
        if len(traces) > MAX_INPUTS:
            raise SourceError(f"at most {MAX_INPUTS} inputs can be joined")
        self.parts = tuple(traces)
        self.joint = joint
        clocks = joint.clocks
        right = [
            correction(clock, trace.quality.digits)
            for clock, trace in zip(clocks, traces, strict=True)
        ]
        self.order = FrameOrder([frame_times(trace.plain_read) for trace in traces], right)
        self._joined = Joined(traces, joint.matches, clocks)
        found = joined_rows(traces, joint.matches, right, self.order, self._joined)
        self._shown, self._several = found.shown, found.sightings
        self.name = ", ".join(short(trace.name) for trace in traces)
        self.connections = [
            self._joined.connection(number, self.order) for number in range(len(self._joined.home))
        ]
        streams = streams_of(
            (one.opener, one.responder, one.transport, one.syn_seen) for one in self.connections
        )
        self.quality = joined_quality(traces, clocks, self.order, self._joined)
        Window.__init__(
            self, found.rows, streams, Store(traces).read, began=self.quality.first_time
        )
        self._spans: dict[tuple[int, int], tuple[int, int]] = {}

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs, in the order in which they were given."""
        return tuple(
            Input(
                short(trace.name), trace.name, trace.quality.kind or "capture",
                trace.quality.unit, trace.quality.frames, len(trace), clock,
            )
            for trace, clock in zip(self.parts, self.joint.clocks, strict=True)
        )  # fmt: skip

    @property
    def has_lines(self) -> bool:
        """At least one of the inputs is a text trace."""
        return any(trace.has_lines for trace in self.parts)

    def close(self) -> None:
        """Close the inputs."""
        if "_file" in self.__dict__:
            self._file.close()
        for trace in self.parts:
            trace.close()

    @cached_property
    def _file(self) -> Spool:
        """The inputs as one capture, in a temporary file; made when somebody reads it."""
        from analyzer.inputs.merge import merged

        file = Spool()
        for block in merged(self, "xccos-analyzer", ()):
            reason = file.write(block)
            if reason is not None:
                file.close()
                raise SourceError(reason)
        return file

    @property
    def plain_read(self) -> Callable[[int, int], bytes]:
        """Reads the capture that ``xccos merge`` would write, by offset and length."""
        return self._file.read

    def place(self, frame: int) -> int:
        """Return the number that its input gives a frame: its frame, or its line."""
        which, number = self.order.source(frame)
        return self.parts[which].place(number)

    def where(self, frame: int) -> tuple[str, int]:
        """Return the input that a frame came from, and its number there."""
        which, number = self.order.source(frame)
        part = self.parts[which]
        return part.where(number)[0] or short(part.name), part.place(number)

    @property
    def hosts(self) -> dict[str, str]:
        """Names of machines by the addresses that stand for them in any of the inputs."""
        return {address: name for part in self.parts for address, name in part.hosts.items()}

    def input_of(self, frame: int) -> int:
        """Return the number of the input that a frame came from."""
        return self.order.source(frame)[0]

    def sightings(self, row: int) -> tuple[Seen, ...]:
        """Return where a message was seen, the first time first.

        Where the clocks cannot tell which was first, the order is that of the inputs.
        """
        seen = self._several.get(row, (self._shown[row],))
        return tuple(sorted((self._seen(*one) for one in seen), key=cmp_to_key(self._later)))

    def unsure(self, one: Seen, other: Seen) -> int:
        """Return how far the times of two sightings may be wrong against each other."""
        if one.input == other.input:
            return 0
        return sum(self.joint.clocks[which].error_ns for which in (one.input, other.input))

    def _later(self, one: Seen, other: Seen) -> int:
        apart = one.time_ns - other.time_ns
        return apart if abs(apart) > self.unsure(one, other) else one.input - other.input

    def _seen(self, which: int, row: int) -> Seen:
        part = self.parts[which]
        frame = part.rows.frame[row]
        time = self.joint.clocks[which].corrected(part.rows.time[row], frame)
        return Seen(which, part.place(frame), self.order.numbers[which][frame - 1], time)

    def unseen(self, row: int) -> tuple[int, ...]:
        """Return the inputs that saw a message's connection, ran on after it, and do not have it.

        An input with a hole in that direction may have lost it itself, and is left out.
        """
        seen = {which for which, _ in self._several.get(row, (self._shown[row],))}
        stream, time = self.rows.stream[row], self.rows.time[row]
        found = []
        for which, connection in self._joined.members[stream >> 1]:
            if which in seen:
                continue
            side = self._joined.streams[which, 2 * connection] ^ stream
            first, last = self._span(which, 2 * connection + (side & 1))
            unsure = self.joint.clocks[which].error_ns
            if first + unsure < time < last - unsure:
                found.append(which)
        return tuple(found)

    def _span(self, which: int, stream: int) -> tuple[int, int]:
        """Return from when to when an input would have seen a direction, in corrected time."""
        key = which, stream
        if key not in self._spans:
            part = self.parts[which]
            rows = part.rows
            own = [row for row, one in enumerate(rows.stream) if one == stream]
            holes = any(hole.stream == stream for hole in part.quality.holes)
            right = self.joint.clocks[which].corrected
            self._spans[key] = 0, 0
            if own and not holes:
                ran = right(part.quality.last_time or 0) - MARGIN_NS
                last = max(right(rows.time[own[-1]], rows.frame[own[-1]]), ran)
                self._spans[key] = right(rows.time[own[0]], rows.frame[own[0]]), last
        return self._spans[key]

    def seen_until(self, connection: int) -> int:
        """Return when the last of those inputs ends that saw a connection; nanoseconds UTC."""
        ends = [
            self.joint.clocks[which].corrected(self.parts[which].quality.last_time or 0)
            for which, _ in self._joined.members[connection]
        ]
        return max(ends, default=0)

    def messages_of(self, frames: tuple[int, int]) -> range:
        """Return the rows that frames of a span complete."""
        column = self.rows.frame
        return range(bisect_left(column, frames[0]), bisect_right(column, frames[1]))
