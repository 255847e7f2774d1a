"""The wire between two ends in memory: connections as over TCP, in virtual time.

The rule: bytes of a direction arrive in the order in which they were written. ``half`` ends one
direction, ``fin`` closes (what still comes is dropped unread), ``rst`` ends both, and each end is
told once how the other one ended it.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict

from analyzer.replay.actions import Address, WireEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analyzer.replay.actions import Action, Ended, Play

    _Item = bytes | Ended | Literal["opened"]

CLIENT_HOST = "127.0.0.1"
SERVER_ADDRESS = Address("127.0.0.1", 5060)
FIRST_PORT = 49152
"""Of the client's connections: where dynamic ports begin (RFC 6335 6)."""
PORTS = 65536 - FIRST_PORT
MAX_WAITING = 64 << 20
"""Bytes on their way or unread on one direction; beyond it the connection is broken."""
SECOND = 1_000_000_000

Side = Literal["client", "server"]


class Simulated(TypedDict, total=False):
    """How a play in memory is; all of it may be left out."""

    latency: float
    """Seconds from one end to the other (0)."""
    limit_seconds: float
    """Of virtual time, then the client is aborted (an hour)."""
    start_ns: int
    """Since 1970 UTC: the time of the first event, for ``observe`` (0)."""
    observe: Callable[[WireEvent], None] | None
    """Told of everything on the wire as the client's host sees it."""
    segment: Callable[[bytes], list[bytes]] | None
    """Cuts what has arrived, writes joined, into the pieces that are received."""


class Stage(Protocol):
    """Who has the clock and the plays."""

    now: float
    """Seconds."""

    @property
    def plays(self) -> Mapping[Side, Play]:
        """The ends."""
        ...

    def tell(self, side: Side, event: Callable[[float], list[Action]]) -> None:
        """Tell a play what happened, unless it is through."""
        ...


@dataclass(slots=True, eq=False)
class End:
    """One end of a connection: what comes to it, and how far it is closed."""

    side: Side
    number: int
    local: Address
    remote: Address
    wire: int
    """Number of the connection in what is observed."""
    peer: End | None = None
    queue: deque[tuple[float, _Item]] = field(default_factory=deque)
    """What is on its way here, with the time of its arrival."""
    waiting: int = 0
    """Bytes in it."""
    agreed: bool = False
    """A delivery is in the agenda."""
    stalled_until: float = 0.0
    silent: bool = False
    """It writes no more."""
    deaf: bool = False
    """It hears no more: it closed, or was told that the peer ended."""
    closed: bool = False
    """Nothing that it does reaches the peer any more."""


class MemoryWire:
    """All connections of a play, and the agenda of what arrives when."""

    def __init__(self, stage: Stage, wire: Simulated) -> None:
        self.notes: list[str] = []
        self._stage = stage
        self._ends: dict[tuple[Side, int], End] = {}
        self._agenda: list[tuple[float, int, End]] = []
        self._order = count()
        self._numbers = count(1)
        self._latency = wire.get("latency", 0.0)
        self._start_ns = wire.get("start_ns", 0)
        self._observe = wire.get("observe")
        self._segment = wire.get("segment")

    @property
    def due(self) -> float | None:
        """Return when something arrives next; None: nothing is on its way."""
        return self._agenda[0][0] if self._agenda else None

    def end(self, side: Side, number: int) -> End | None:
        """Return an end of a connection; None when it was never opened."""
        return self._ends.get((side, number))

    def close_all(self, side: Side) -> None:
        """Close what one side has open."""
        for end in [end for (of, _), end in self._ends.items() if of == side]:
            self.close(end, "fin")

    def open(self, side: Side, number: int, *, refused: bool) -> None:
        """Connect: SYN and its answer to here, the acknowledgement to there."""
        if (side, number) in self._ends:
            return
        wire = next(self._numbers)
        local = Address(CLIENT_HOST, FIRST_PORT + (wire - 1) % PORTS)
        end = self._ends[side, number] = End(side, number, local, SERVER_ADDRESS, wire)
        answered = self._stage.now + 2 * self._latency
        if refused:
            end.silent = end.closed = True
            self._post(end, answered, "refused")
            return
        peer = self._ends["server", wire] = End("server", wire, SERVER_ADDRESS, local, wire)
        end.peer, peer.peer = peer, end
        self._post(end, answered, "opened")
        self._post(peer, answered + self._latency, "opened")

    def send(self, end: End, data: bytes) -> None:
        """Write."""
        peer = end.peer
        if end.silent or peer is None or not data:
            return
        self._saw(end, "data", data, outgoing=True)
        self._post(peer, self._arrival(peer), data)
        if peer.waiting > MAX_WAITING:
            self.notes.append(
                f"connection {end.wire}: {MAX_WAITING >> 20} MiB unread by the {peer.side}, broken"
            )
            self._post(end, self._arrival(end), "rst")
            self._break(end)

    def close(self, end: End, how: Literal["fin", "rst", "half"]) -> None:
        """End it; after ``half`` it still hears."""
        end.deaf = end.deaf or how != "half"
        if how == "rst":
            self._break(end)
        elif not end.silent:
            end.silent = True
            self._tell_peer(end, "fin")
        end.closed = end.closed or how != "half"

    def _break(self, end: End) -> None:
        if not end.closed:
            end.silent = end.closed = True
            self._tell_peer(end, "rst")

    def _tell_peer(self, end: End, how: Literal["fin", "rst"]) -> None:
        if end.peer is not None:
            self._saw(end, how, outgoing=True)
            self._post(end.peer, self._arrival(end.peer), how)

    def _arrival(self, end: End) -> float:
        """Return when what is written now arrives: never before what was written earlier."""
        last = end.queue[-1][0] if end.queue else 0.0
        return max(self._stage.now + self._latency, last)

    def _post(self, end: End, moment: float, item: _Item) -> None:
        end.queue.append((moment, item))
        end.waiting += len(item) if isinstance(item, bytes) else 0
        self._agree(end)

    def _agree(self, end: End) -> None:
        if end.queue and not end.agreed:
            end.agreed = True
            moment = max(end.queue[0][0], end.stalled_until)
            heapq.heappush(self._agenda, (moment, next(self._order), end))

    def deliver(self) -> None:
        """Hand over what arrives next, unless that end does not read."""
        end = heapq.heappop(self._agenda)[2]
        end.agreed = False
        if not end.deaf and end.stalled_until > self._stage.now:
            self._agree(end)
            return
        _, item = end.queue.popleft()
        if isinstance(item, bytes):
            self._hand_over(end, self._joined(end, item))
        elif item == "opened":
            self._opened(end)
        else:
            self._ended(end, item)
        self._agree(end)

    def _joined(self, end: End, data: bytes) -> list[bytes]:
        """Return the pieces in which it is received; as it was written, unless they are cut."""
        end.waiting -= len(data)
        if self._segment is None:
            return [data]
        parts = [data]
        while end.queue and isinstance(part := end.queue[0][1], bytes):
            if end.queue[0][0] > self._stage.now:
                break
            end.queue.popleft()
            end.waiting -= len(part)
            parts.append(part)
        return [piece for piece in self._segment(b"".join(parts)) if piece]

    def _hand_over(self, end: End, pieces: list[bytes]) -> None:
        for at, piece in enumerate(pieces):
            if end.stalled_until > self._stage.now and not end.deaf:  # because of the last piece
                left = b"".join(pieces[at:])
                end.queue.appendleft((self._stage.now, left))
                end.waiting += len(left)
                return
            self._saw(end, "data", piece, outgoing=False)
            if not end.deaf:
                receive = self._stage.plays[end.side].receive
                self._stage.tell(end.side, partial(receive, end.number, piece))

    def _opened(self, end: End) -> None:
        if end.deaf:
            return
        self._saw(end, "open", outgoing=True)
        opened, where = self._stage.plays[end.side].opened, (end.number, end.local, end.remote)
        self._stage.tell(end.side, lambda now: opened(*where, secure=False, now=now))

    def _ended(self, end: End, how: Ended) -> None:
        if how == "rst":
            end.silent = end.closed = True
        if how in {"fin", "rst"}:
            self._saw(end, "rst" if how == "rst" else "fin", outgoing=False)
        if not end.deaf:
            end.deaf = True
            self._stage.tell(end.side, partial(self._stage.plays[end.side].ended, end.number, how))

    def _saw(
        self,
        end: End,
        kind: Literal["open", "data", "fin", "rst"],
        data: bytes = b"",
        *,
        outgoing: bool,
    ) -> None:
        if self._observe is None or end.side != "client":
            return
        where = (end.local, end.remote) if kind == "open" else (None, None)
        moment = self._start_ns + round(self._stage.now * SECOND)
        self._observe(WireEvent(moment, end.wire, kind, outgoing, data, *where))
