"""What a wrapper still has to do: later messages, endings, and messages that wait for the next.

The rule: what is due at the same time is done in the order in which it was put here.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.replay.actions import Close
from analyzer.replay.faults.rules import Cut, Split

if TYPE_CHECKING:
    from analyzer.replay.actions import Ended
    from analyzer.replay.faults.rules import Direction

MAX_BYTES = 64 << 20
"""Bytes that wait: what a peer sends must not fill the memory because it is delayed."""


class Lane(NamedTuple):
    """One direction of one connection, as the wrapped end sees it."""

    connection: int
    direction: Direction


class Shut:
    """Connections that a fault has ended."""

    def __init__(self) -> None:
        self.gone: set[int] = set()
        """Cut; the play was told."""
        self.mute: set[int] = set()
        """Cut by half."""

    def reopen(self, connection: int) -> None:
        """Forget what became of an earlier connection of that number."""
        self.gone.discard(connection)
        self.mute.discard(connection)

    def has(self, lane: Lane) -> bool:
        """Return whether nothing can pass a lane any more."""
        mute = lane.direction == "said" and lane.connection in self.mute
        return mute or lane.connection in self.gone


class Passing(NamedTuple):
    """Bytes on their way: a message, or a piece of one."""

    data: bytes
    turn: str | None = None
    split: Split | None = None
    """In which pieces it is to be written."""
    joined: Literal["", "inside", "last"] = ""
    """A later piece of a message: nothing may come between it and the first."""


class EndOfPeer(NamedTuple):
    """The peer's end of the connection, which must not overtake its last bytes."""

    how: Ended


class Release:
    """A message was held back for the next one long enough."""


Later = Passing | EndOfPeer | Release | Close | Cut


@dataclass(slots=True)
class Entry:
    """One thing to be done."""

    at: float
    lane: Lane
    what: Later
    alive: bool = True

    @property
    def length(self) -> int:
        """Bytes that it keeps."""
        return len(self.what.data) if isinstance(self.what, Passing) else 0


class Pending:
    """Entries by time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Entry]] = []
        self._put = 0
        self._lanes: dict[Lane, list[Entry]] = {}
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._lanes)

    @property
    def due(self) -> float | None:
        """When the first of them is due."""
        while self._heap and not self._heap[0][2].alive:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def has_room(self, length: int) -> bool:
        """Return whether so many more bytes may wait."""
        return self._bytes + length <= MAX_BYTES

    def put(self, entry: Entry) -> Entry:
        """Keep something until it is due."""
        heapq.heappush(self._heap, (entry.at, self._put, entry))
        self._put += 1
        self._lanes.setdefault(entry.lane, []).append(entry)
        self._bytes += entry.length
        return entry

    def drop(self, entry: Entry) -> None:
        """Forget something that was done, or is not to be done."""
        if not entry.alive:
            return
        entry.alive = False
        self._bytes -= entry.length
        lane = self._lanes[entry.lane]
        lane.remove(entry)
        if not lane:
            del self._lanes[entry.lane]

    def drop_lane(self, lane: Lane) -> int:
        """Forget what a direction still has; return how many messages that were."""
        entries = list(self._lanes.get(lane, ()))
        for entry in entries:
            self.drop(entry)
        return sum(isinstance(entry.what, Passing) for entry in entries)

    def drop_all(self) -> int:
        """Forget everything; return how many messages that were."""
        return sum(self.drop_lane(lane) for lane in list(self._lanes))

    def last(self, lane: Lane) -> float | None:
        """Return when the last bytes of a direction are due."""
        entries = self._lanes.get(lane, ())
        return max((one.at for one in entries if isinstance(one.what, Passing)), default=None)

    def take(self, now: float) -> Entry | None:
        """Return the next thing that is due, and forget it."""
        due = self.due
        if due is None or due > now:
            return None
        entry = heapq.heappop(self._heap)[2]
        self.drop(entry)
        return entry
