"""TCP reassembly: segments of all connections, in any order, to the bytes of each direction.

The rule that matters: what is handed on does not depend on how the bytes were cut into segments,
how often they were sent, or (within the limits of ``direction``) in which order they were captured.
Missing bytes become a ``Gap`` only when waiting any longer is pointless: at the end of the capture
or of the connection, or at a limit.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from dissectors.model import ACK, FIN, RST, SYN, Chunk, Opened, Segment, StreamEnd, reversed_key
from dissectors.transport.direction import (
    FAR,
    HISTORY_BYTES,
    HISTORY_SEGMENTS,
    MASK,
    MAX_PENDING,
    MAX_PENDING_OTHER,
    Budget,
    Direction,
    StreamEvent,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Closed connections that are kept for segments captured late, and what is remembered after that.
KEEP_CLOSED = 1024
KEEP_TOMBSTONES = 1 << 16
MAX_CONNECTIONS = 1 << 20

# A guess of who opened a connection whose SYN was not captured.
SERVER_PORTS = frozenset((5060, 5061, 5062, 443, 80, 8080, 8443))

_frame = attrgetter("frame")
_new = tuple.__new__  # builds a named tuple in half the time of calling its class


class _Connection:
    __slots__ = ("a", "b", "key", "number", "reset")

    def __init__(self, number: int, key: bytes, budget: Budget) -> None:
        self.number = number
        self.key = key
        self.a = Direction(2 * number, budget)
        self.b = Direction(2 * number + 1, budget)
        self.reset = False


class Reassembler:
    """Feed it segments in capture order; it gives the events of all connections."""

    def __init__(self) -> None:
        self._flows: dict[bytes, Direction] = {}
        self._count = 0
        self._connections: dict[int, _Connection] = {}
        self._closed: dict[int, _Connection] = {}
        self._tombstones: dict[bytes, int] = {}
        self._budget = Budget()

    @property
    def retransmissions(self) -> int:
        """Segments that brought nothing new."""
        return self._budget.retransmissions

    def feed(self, segments: Iterable[Segment]) -> list[StreamEvent]:
        """Return the events that these segments cause, in order."""
        return list(self.events(segments))

    def events(self, segments: Iterable[Segment]) -> Iterator[StreamEvent]:  # noqa: C901  (hot)
        """Yield the events that these segments cause, in order.

        What is asked for meanwhile (``drop``, ``expect_more``) holds from the next segment on, so
        that it does not matter how many of them are fed at a time.
        """
        rare: list[StreamEvent] = []
        new, flow = _new, self._flows.get
        for segment in segments:
            frame, time_ns, digits, key, seq, _, flags, payload, offset, missing, pieces = segment
            direction = flow(key)
            if direction is None:
                if flags & SYN or ((payload or missing) and not flags & RST):
                    self._unknown(segment, rare)
            elif flags & (SYN | FIN | RST):
                self._control(direction, segment, rare)
            elif direction.dropped or not (payload or missing):
                continue
            elif (
                seq == direction.next
                and not direction.pending
                and not missing
                and direction.fin is None
            ):
                size = len(payload)
                position = direction.position
                direction.next = seq + size & MASK
                direction.position = position + size
                if size <= HISTORY_BYTES:
                    history = direction.history
                    history.append((position, payload))
                    if len(history) > HISTORY_SEGMENTS:
                        del history[0]
                yield new(
                    Chunk, (direction.stream, payload, frame, time_ns, digits, offset, pieces)
                )
                continue
            else:
                self._data(direction, segment, rare)
            if rare:
                yield from rare
                rare.clear()

    def oldest_waiting(self) -> int | None:
        """Return the lowest frame of a segment that is kept back; None where none is."""
        if not self._budget.pending:
            return None
        directions = (one for pair in self._connections.values() for one in (pair.a, pair.b))
        return min((frame for one in directions for frame in one.waiting_frames()), default=None)

    def close(self) -> list[StreamEvent]:
        """Return what is left at the end of the capture."""
        out: list[StreamEvent] = []
        while self._connections:  # segments that fitted nowhere open connections of their own
            for connection in list(self._connections.values()):
                if connection.number in self._connections:  # not ended by what came before
                    self._end(connection, "end", 0, out)
        return out

    def expect_more(self, connection: int) -> None:
        """Let a connection wait longer at a hole: it is known to carry SIP."""
        known = self._connections.get(connection)
        if known is not None:
            known.a.limit = known.b.limit = MAX_PENDING

    def drop(self, stream: int) -> None:
        """Hand on nothing more of this direction: it is known to carry something else."""
        known = self._connections.get(stream >> 1)
        if known is not None:
            (known.b if stream & 1 else known.a).drop()

    # connections

    def _unknown(self, segment: Segment, out: list[StreamEvent]) -> None:
        """Take the first segment of a connection."""
        key, flags = segment.key, segment.flags
        if flags & SYN:
            opener = reversed_key(key) if flags & ACK else key
        else:
            end = self._tombstones.get(key)
            if end is not None and 0 < (end - segment.seq) & MASK <= FAR:
                self._budget.retransmissions += 1
                return
            opener = key if _looks_like_client(key) else reversed_key(key)
        self._open(opener, segment, out)
        if flags & (SYN | FIN | RST):
            self._control(self._flows[key], segment, out)
        else:
            self._data(self._flows[key], segment, out)

    def _open(self, opener: bytes, segment: Segment, out: list[StreamEvent]) -> _Connection:
        if len(self._connections) >= MAX_CONNECTIONS:
            oldest = next(iter(self._connections.values()))
            self._end(oldest, "end", segment.frame, out)
        connection = _Connection(self._count, opener, self._budget)
        self._count += 1
        self._connections[connection.number] = connection
        for key, direction in ((opener, connection.a), (reversed_key(opener), connection.b)):
            self._flows[key] = direction
            self._tombstones.pop(key, None)
        syn = bool(segment.flags & SYN)
        out.append(Opened(connection.number, opener, syn, segment.frame, segment.time_ns))
        return connection

    def _reopen(self, direction: Direction, segment: Segment, out: list[StreamEvent]) -> Direction:
        """The same ports are used again: end the old connection, begin a new one."""
        old = self._connections[direction.stream >> 1]
        self._end(old, "reused", segment.frame, out)
        opener = old.key
        if segment.flags & SYN:
            opener = reversed_key(segment.key) if segment.flags & ACK else segment.key
        self._open(opener, segment, out)
        return self._flows[segment.key]

    def _end(self, connection: _Connection, how: str, frame: int, out: list[StreamEvent]) -> None:
        del self._connections[connection.number]
        self._closed.pop(connection.number, None)
        strays: list[Segment] = []
        for key, direction in (
            (connection.key, connection.a),
            (reversed_key(connection.key), connection.b),
        ):
            if self._flows.get(key) is direction:
                del self._flows[key]
            direction.flush(out)
            self._maybe_fin(direction, frame, out)
            if not direction.closed:
                out.append(StreamEnd(direction.stream, "rst" if connection.reset else how, frame))
            if direction.next is not None:
                self._tombstones[key] = direction.next
            strays += direction.take_strays()
        while len(self._tombstones) > KEEP_TOMBSTONES:
            del self._tombstones[next(iter(self._tombstones))]
        if strays:
            self._take_strays(strays, out)

    def _take_strays(self, strays: list[Segment], out: list[StreamEvent]) -> None:
        """Take segments that fitted nowhere as a connection whose SYN was not captured."""
        for segment in sorted(strays, key=_frame):
            direction = self._flows.get(segment.key)
            if direction is None:
                self._tombstones.pop(segment.key, None)
                self._unknown(segment, out)
            elif not direction.dropped:
                self._data(direction, segment, out)

    # SYN, FIN, RST

    def _control(self, direction: Direction, segment: Segment, out: list[StreamEvent]) -> None:
        if segment.flags & SYN:
            direction = self._syn(direction, segment, out)
            segment = segment._replace(seq=segment.seq + 1 & MASK)  # SYN counts as one
        if segment.flags & RST:  # its text is for people (RFC 9293 3.5.3), not part of the stream
            self._connections[direction.stream >> 1].reset = True
            self._close_later(direction, segment.frame, out)
            return
        if (segment.payload or segment.missing) and not direction.dropped:
            direction = self._data(direction, segment, out)
        if segment.flags & FIN:
            self._fin(direction, segment, out)

    def _syn(self, direction: Direction, segment: Segment, out: list[StreamEvent]) -> Direction:
        isn = segment.seq
        if direction.isn is not None:
            again = direction.isn != isn
        else:
            # A SYN captured after the data that followed it is no new connection.
            first = direction.first_known
            lead = 0 if first is None else signed(first - isn - 1)
            again = direction.closed or not 0 <= lead <= MAX_PENDING_OTHER
        if again:
            direction = self._reopen(direction, segment, out)
        connection = self._connections[direction.stream >> 1]
        if connection.reset:  # what was refused is tried again
            connection.reset = False
            self._closed.pop(connection.number, None)
        direction.isn = isn
        if direction.next is None:
            direction.begin(isn + 1 & MASK, out)
            self._maybe_fin(direction, segment.frame, out)
        return direction

    def _fin(self, direction: Direction, segment: Segment, out: list[StreamEvent]) -> None:
        at = segment.seq + len(segment.payload) + segment.missing & MASK
        direction.end_at(at, segment.frame)
        self._maybe_fin(direction, segment.frame, out)
        connection = self._connections[direction.stream >> 1]
        if connection.a.fin_seq is not None and connection.b.fin_seq is not None:
            self._close_later(direction, segment.frame, out)

    def _maybe_fin(self, direction: Direction, frame: int, out: list[StreamEvent]) -> None:
        # Bytes beyond it say that a FIN was none of this connection.
        due = direction.fin is not None and direction.position == direction.fin
        if due and not direction.closed and not direction.pending:
            direction.closed = True
            direction.history = []
            out.append(StreamEnd(direction.stream, "fin", frame))

    def _close_later(self, direction: Direction, frame: int, out: list[StreamEvent]) -> None:
        """Keep a closed connection a while: its last segments may be captured out of order."""
        connection = self._connections[direction.stream >> 1]
        self._closed.setdefault(connection.number, connection)
        if len(self._closed) > KEEP_CLOSED:
            self._end(next(iter(self._closed.values())), "end", frame, out)

    # data

    def _data(self, direction: Direction, segment: Segment, out: list[StreamEvent]) -> Direction:
        """Take a segment that is not simply the next one; return the direction that took it."""
        if direction.next is not None:
            delta = signed(segment.seq - direction.next)
            if not -FAR < delta < FAR or (direction.closed and delta >= 0):
                return self._far(direction, segment, out)
            if direction.closed:
                self._budget.retransmissions += 1
                return direction
        direction.take(segment, out)
        self._maybe_fin(direction, segment.frame, out)
        return direction

    def _far(self, direction: Direction, segment: Segment, out: list[StreamEvent]) -> Direction:
        """Take a segment that does not fit: the ports used again without a SYN, or forged bytes.

        One that stands alone is kept until the end of the connection; with a second one near it,
        or once the connection was closed, it begins a new connection.
        """
        distances = [abs(signed(segment.seq - stray.seq)) for stray in direction.strays]
        if 0 in distances:  # the same again
            self._budget.retransmissions += 1
            return direction
        connection = self._connections[direction.stream >> 1]
        if connection.number in self._closed or any(near < MAX_PENDING for near in distances):
            strays = connection.a.take_strays() + connection.b.take_strays()
            direction = self._reopen(direction, segment, out)
            for stray in sorted(strays, key=_frame):
                self._data(self._flows[stray.key], stray, out)
            return self._data(self._flows[segment.key], segment, out)
        direction.keep_stray(segment)
        return direction


def _looks_like_client(key: bytes) -> bool:
    """Guess, without a SYN, whether the source opened the connection: servers have known ports."""
    source, target = int.from_bytes(key[-4:-2], "big"), int.from_bytes(key[-2:], "big")
    if (source in SERVER_PORTS) != (target in SERVER_PORTS):
        return target in SERVER_PORTS
    return source >= target
