"""What one pass over a capture gives: rows, connections, and what went wrong."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.others import MAX_OTHERS, begun_at
from analyzer.rows import Rows
from dissectors.dns import NameQuery, read_query
from dissectors.model import Frame
from dissectors.transport.hep import PACKED

if TYPE_CHECKING:
    from analyzer.flow import Flow
    from analyzer.others import Beginning
    from analyzer.tls_reasons import TlsConnectionTold
    from dissectors.model import Datagram, Malformed

_by_frame = itemgetter(1)
_time = itemgetter(Frame._fields.index("time_ns"))
_link = itemgetter(Frame._fields.index("link"))

# TLS connections that are remembered, at about 500 bytes each. A capture with more of them is one
# of a web server, not of signalling.
MAX_TLS = 1 << 16


# Questions to DNS, and answers, that are remembered: a client asks some ten to sign in.
MAX_QUERIES = 1 << 14


class TlsConnection(NamedTuple):
    """A connection that begins with TLS."""

    flow: Flow
    hello: bytes
    """Its first bytes: of a ClientHello, the head and the random (RFC 8446 4.1.2)."""


@dataclass(slots=True)
class Reading:
    """Filled by the pipeline; complete, and in its final order, after ``settle``."""

    rows: Rows = field(default_factory=Rows)
    flows: list[Flow] = field(default_factory=list)
    """Connections that carried SIP, by number."""
    problems: list[Malformed] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    """What concerns the file as a whole."""
    stream_counters: Counter[str] = field(default_factory=Counter)
    """What concerns connections."""
    services: Counter[str] = field(default_factory=Counter)
    """TCP connections that carry something else, by protocol."""
    ignored: dict[str, int] = field(default_factory=dict)
    """Frames that carry neither TCP nor UDP, by what they are."""
    links: set[int] = field(default_factory=set)
    frames: int = 0
    first_time: int | None = None
    last_time: int | None = None
    digits: int = 6
    conflicts: list[tuple[int, int, int]] = field(default_factory=list)
    """(stream, frame, bytes) where a retransmission differed."""
    holes: list[tuple[int, int, int]] = field(default_factory=list)
    """(stream, frame after it, bytes or 0)"""
    damaged: bool = False
    tls: list[TlsConnection] = field(default_factory=list)
    """The first ``MAX_TLS`` connections that carry TLS."""
    others: list[Beginning] = field(default_factory=list)
    """The first ``MAX_OTHERS`` connections with TLS or HTTP."""
    queries: list[NameQuery] = field(default_factory=list)
    """The first ``MAX_QUERIES`` questions to DNS for a pool, and their answers."""
    tls_told: list[TlsConnectionTold] = field(default_factory=list)
    """What became of those connections, when they were tried."""
    secrets: list[bytes] = field(default_factory=list)
    """TLS key logs that the capture itself carries."""
    notes: list[str] = field(default_factory=list)
    """Sentences for people."""

    @property
    def may_give_more(self) -> bool:
        """Some of what the ordinary pass could not use may be messages for a further one."""
        return bool(
            self.stream_counters["bytes between messages"]
            or self.services["HEP"]
            or self.ignored.get(PACKED)
        )

    def note_query(self, datagram: Datagram) -> None:
        """Remember what a datagram asks DNS about a pool, or answers."""
        query = read_query(datagram)
        if query is not None and len(self.queries) < MAX_QUERIES:
            self.queries.append(query)

    def note_frames(self, frames: list[Frame]) -> None:
        """Count frames, and note their times."""
        if not self.frames:
            self.digits = frames[0].digits
        self.frames += len(frames)
        self.links.update(map(_link, frames))
        times = list(map(_time, frames))
        low = min(times)
        if low <= 0:  # records without a time
            times = [time for time in times if time] or [0]
            low = min(times)
        if low:
            first = self.first_time
            self.first_time = low if first is None else min(first, low)
            self.last_time = max(self.last_time or 0, max(times))

    def settle(self) -> None:
        """Number the connections by their first frame, and put everything into order.

        The order then depends on the capture alone, not on how it was read.
        """
        flows = self.flows
        order = sorted(range(len(flows)), key=lambda old: (flows[old].first, flows[old].key))
        streams = [0] * (2 * len(flows))
        for new, old in enumerate(order):
            streams[2 * old], streams[2 * old + 1] = 2 * new, 2 * new + 1
        self.flows = [flows[old] for old in order]
        for number, flow in enumerate(self.flows):
            flow.number = number
        self.holes = sorted(
            ((streams[at], frame, size) for at, frame, size in self.holes), key=_by_frame
        )
        self.conflicts = sorted(
            ((streams[at], frame, size) for at, frame, size in self.conflicts), key=_by_frame
        )
        self.queries.sort()
        self.others.sort(key=begun_at)
        del self.others[MAX_OTHERS:]  # several processes remember more
        if order != list(range(len(order))):
            renumber(self.rows.message_table.columns, ("stream",), streams)
        self.rows.finish()


def renumber(columns: dict[str, array[int]], names: tuple[str, ...], numbers: list[int]) -> None:
    """Replace the numbers in some columns by what stands for them in ``numbers``."""
    for name in names:
        column = columns[name]
        columns[name] = array(column.typecode, map(numbers.__getitem__, column))
