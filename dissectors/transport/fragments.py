"""IP fragments back to datagrams (RFC 791 section 3.2, RFC 8200 section 4.5).

The one rule: where fragments overlap, the bytes that came first stay. RFC 5722 has IPv6 receivers
drop such a datagram; an analyzer shows what there is.

Everything is bounded, because a hostile capture opens datagrams that it never completes. What is
given up is reported, not forgotten (``Fragments.lost``).
"""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dissectors.model import Piece
    from dissectors.transport.ip import Fragment, Packet

# Both lengths are fields of 16 bits; a fragment that ends beyond is an attack ("ping of death").
MAX_DATAGRAM = 65_535
# Linux keeps 4 MiB of incomplete datagrams for a whole host, a capture may hold many hosts.
MAX_BYTES = 16 * 1024 * 1024
# What keeping a fragment costs besides its bytes.
FRAGMENT_COST = 512
# Identifications of 16 bits come round; RFC 8200 gives up after 60 seconds.
MAX_AGE_NS = 60 * 10**9
# The same where frames have no time: a host that sends 65,536 datagrams has used all its numbers.
MAX_AGE_FRAMES = 500_000
# A mirror port shows each frame twice, a few frames apart.
MAX_COMPLETED = 64

_start = itemgetter(0)


class Whole(NamedTuple):
    """A datagram put together; ``packet`` is what follows the IP headers of its fragments."""

    packet: Packet
    protocol: int


class Lost(NamedTuple):
    """A datagram given up."""

    frame: int
    """Of the fragment that came first."""
    data: bytes
    """The captured bytes of one of its fragments."""


class _Open:
    """A datagram some of whose fragments have come."""

    __slots__ = ("cost", "covered", "frame", "parts", "protocol", "time_ns", "total")

    def __init__(self, packet: Packet) -> None:
        self.frame = packet.frame
        self.time_ns = packet.time_ns
        self.parts: list[tuple[int, Packet]] = []  # by start, without overlap
        self.covered = 0
        self.cost = FRAGMENT_COST
        self.total: int | None = None
        self.protocol: int | None = None

    def is_older_than(self, packet: Packet) -> bool:
        """Tell whether this is too old to have anything to do with a new fragment."""
        return (
            abs(packet.time_ns - self.time_ns) > MAX_AGE_NS
            or packet.frame - self.frame > MAX_AGE_FRAMES
        )

    def close_at(self, total: int) -> None:
        """Take the end of the last fragment as the end of the datagram, once."""
        if self.total is not None:
            return
        self.total = total
        while self.parts and self.parts[-1][0] + self.parts[-1][1].length > total:
            start, part = self.parts.pop()
            self.covered -= part.length
            if start < total:
                self._keep(start, part.part(0, total - start))

    def insert(self, start: int, packet: Packet) -> None:
        """Add a fragment, as far as its bytes have not come before."""
        end = start + packet.length
        if self.total is not None:
            end = min(end, self.total)
        at = start
        # Fragments without overlap are at least 8 bytes apart, so that this stays short
        first = max(0, bisect_left(self.parts, start, key=_start) - 1)
        last = bisect_left(self.parts, end, key=_start)
        for held_start, held in self.parts[first:last]:
            if held_start > at:
                self._keep(at, packet.part(at - start, held_start - start))
            at = max(at, held_start + held.length)
        if at < end:
            self._keep(at, packet.part(at - start, end - start))

    def _keep(self, start: int, part: Packet) -> None:
        self.parts.insert(bisect_left(self.parts, start, key=_start), (start, part))
        self.covered += part.length
        self.cost += len(part.data) + FRAGMENT_COST

    def whole(self, last: Packet) -> Whole | None:
        """Return the datagram as of the frame of ``last`` if all fragments have come."""
        if self.covered != self.total or self.protocol is None:
            return None
        found: list[bytes] = []
        pieces: list[Piece] = []
        for _, part in self.parts:
            found.append(part.data)
            pieces += part.pieces
            if len(part.data) < part.length:
                break  # cut by the snap length: what follows would not join on
        packet = last._replace(
            data=b"".join(found),
            offset=pieces[0].offset if pieces else last.offset,
            length=self.total,
            pieces=tuple(pieces),
        )
        return Whole(packet, self.protocol)


class Fragments:
    """The datagrams of a capture that are not complete yet."""

    def __init__(self) -> None:
        self.lost: list[Lost] = []
        """Datagrams given up; whoever reads the list empties it."""
        self._open: dict[bytes, _Open] = {}
        self._completed: dict[bytes, Packet] = {}
        self._cost = 0

    def add(self, packet: Packet, protocol: int, fragment: Fragment) -> Whole | str | None:
        """Take what follows the IP headers of a fragment.

        Returns the datagram that it completes, a reason why it is damaged, or None.
        """
        key, start, more = fragment
        if start + packet.length > MAX_DATAGRAM:
            return "an IP fragment beyond 65,535 bytes"
        packet = packet._replace(pieces=packet.where())
        held = self._datagram(key, start, packet)
        if held is None:
            return None
        cost = held.cost
        if start == 0:
            held.protocol = protocol if held.protocol is None else held.protocol
        held.insert(start, packet)
        if not more:
            held.close_at(start + packet.length)
        self._cost += held.cost - cost
        whole = held.whole(packet)
        if whole is None:
            self._make_room()
        else:
            self._complete(key, whole.packet)
        return whole

    def close(self) -> None:
        """Give up every datagram that is not complete."""
        for key in list(self._open):
            self._give_up(key)

    def _datagram(self, key: bytes, start: int, packet: Packet) -> _Open | None:
        """Return the datagram that a fragment belongs to, None if it was complete before."""
        oldest = next(iter(self._open), None)
        if oldest is not None and self._open[oldest].is_older_than(packet):
            self._give_up(oldest)
        held = self._open.get(key)
        if held is not None and held.is_older_than(packet):
            self._give_up(key)
            held = None
        if held is None:
            if self._is_repeated(key, start, packet):
                return None
            held = self._open[key] = _Open(packet)
            self._cost += held.cost
        return held

    def _is_repeated(self, key: bytes, start: int, packet: Packet) -> bool:
        whole = self._completed.get(key)
        return (
            whole is not None
            and whole.data[start : start + packet.length] == packet.data
            and start + packet.length <= whole.length
        )

    def _complete(self, key: bytes, packet: Packet) -> None:
        self._cost -= self._open.pop(key).cost
        self._completed.pop(key, None)
        self._completed[key] = packet
        if len(self._completed) > MAX_COMPLETED:
            del self._completed[next(iter(self._completed))]

    def _make_room(self) -> None:
        while self._cost > MAX_BYTES:
            self._give_up(next(iter(self._open)))

    def _give_up(self, key: bytes) -> None:
        held = self._open.pop(key)
        self._cost -= held.cost
        self.lost.append(Lost(held.frame, held.parts[0][1].data if held.parts else b""))
