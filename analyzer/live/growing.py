"""A capture that grows: bytes in as they come, and at any time a trace of what there is.

A snapshot is a ``Trace``: everything that looks at captures looks at it. It ends now, and not with
its last frame: what should have been answered by now and was not is then known to be unanswered,
and what is still on its way is not said to be missing.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from analyzer.flow import Flow
from analyzer.live.pipeline import LivePipeline
from analyzer.live.retention import Let, chosen_rows, columns_of
from analyzer.reading import renumber
from analyzer.rows import Rows
from analyzer.sources.spool import Spool
from analyzer.times import SECOND
from analyzer.trace import Trace

if TYPE_CHECKING:
    from analyzer.reading import Reading
    from analyzer.sources.files import Source
    from dissectors.model import Malformed

PATIENCE_NS = 3 * SECOND
"""Missing bytes are waited for so long. TCP sends again after a second at most in its first three
attempts (RFC 6298: 1 s, doubled); what comes later than that was lost by the capture."""
_NO_FLOW = Flow(b"", "tcp", syn=False, frame=0, time_ns=0)
"""Stands in the place of connections that were let go."""
LATE_NS = SECOND
"""Packets may be on their way so long from where they were captured to here (buffers of dumpcap and
of ssh): what the last second did not bring is not missed yet."""


class Clock:
    """What time it is where the packets are captured, told from when they came.

    A packet comes after it was captured. The least delay that was seen says best by how much that
    clock differs from the one here, whose zero may be anywhere.
    """

    def __init__(self) -> None:
        self._ahead: int | None = None

    def heard(self, captured: int | None, now: int) -> None:
        """Note that a packet captured at a time was there ``now``; both in nanoseconds."""
        if captured is not None:
            ahead = captured - now
            self._ahead = ahead if self._ahead is None else max(self._ahead, ahead)

    def there(self, now: int) -> int | None:
        """Return the time where packets are captured; None before the first of them came."""
        return None if self._ahead is None else now + self._ahead


class _Store:
    """Stands for the file of a snapshot: the bytes of its messages."""

    conversion = None

    def __init__(self, name: str, spool: Spool, problem: Malformed | None) -> None:
        self.name = name
        self.problem = problem
        self.read = spool.read

    def close(self) -> None:
        """Do nothing: the growing capture closes its store itself."""


class Growing:
    """Feed it bytes; ask for a snapshot. Use it as a context manager, or ``close`` it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.clock = Clock()
        self.bytes = 0
        self.let = Let()
        """What was let go so far."""
        self._spool = Spool()
        self._pipeline = LivePipeline(self._spool)
        self._rows = self._new_rows()
        self._gone: set[int] = set()
        """Numbers of connections whose messages were let go."""
        self._beheaded: set[int] = set()
        """Of those that lost messages and go on: they count as begun before the capture."""
        self._closed = False

    def __enter__(self) -> Growing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the temporary file back."""
        self._spool.close()

    def feed(self, data: bytes, now: int) -> None:
        """Take the next bytes; ``now`` is a clock that never goes back, in nanoseconds."""
        self.bytes += len(data)
        self._pipeline.feed(data)
        self.clock.heard(self._pipeline.reading.last_time, now)

    @property
    def foreign(self) -> bool:
        """Tell whether what comes is something else than pcap and pcapng: it is not looked at."""
        return self._pipeline.foreign and self.bytes > 0

    @property
    def stopped(self) -> str | None:
        """Return why no more bytes are of use; None while they are."""
        if self._pipeline.writer.problem is not None:
            return self._pipeline.writer.problem
        if not self._pipeline.stopped or self.foreign:
            return None
        found = next(
            (one for one in self._pipeline.reading.problems if one.layer == "capture"), None
        )
        return "the capture is damaged" if found is None else found.reason

    @property
    def frames(self) -> int:
        """Frames so far."""
        return self._pipeline.reading.frames

    @property
    def messages(self) -> int:
        """SIP messages so far, also those that were let go."""
        return self.let.messages + len(self._rows) + self._pipeline.waiting

    @property
    def dark(self) -> int:
        """Connections under TLS, which are not decrypted while the capture grows."""
        return self._pipeline.reading.services.get("TLS", 0)

    def finish(self) -> None:
        """Say that no more bytes come: what waits is taken as it is."""
        if not self._closed:
            self._closed = True
            self._pipeline.close()

    def snapshot(self, now: int | None = None) -> Trace:
        """Return a trace of what there is. It is good until the next bytes are fed.

        Args:
            now: by the clock of ``feed``. None: the capture ends with its last frame.
        """
        there = None if now is None else self.clock.there(now)
        if there is not None and not self._closed:
            self._pipeline.give_up(there - PATIENCE_NS)
        self._pipeline.take(self._rows, everything=True)
        self._rows.finish()
        reading = self._reading()
        if there is not None:
            reading.last_time = max(reading.last_time or 0, there - LATE_NS)
        return Trace(cast("Source", _Store(self.name, self._spool, None)), reading)

    def let_go(self, trace: Trace, keep: int) -> bool:
        """Let the oldest finished sessions of the newest snapshot go, so that ``keep`` rows stay.

        Returns whether any were; the snapshot is then good no more.
        """
        if len(self._rows) <= keep:
            return False
        rows, self.let = chosen_rows(trace, keep, self.let)
        old, spool = self._rows, Spool()
        lost = set(range(len(old))).difference(rows)
        self._beheaded.update(old.stream[row] >> 1 for row in lost)
        self._rows = self._new_rows()
        problem = columns_of(old, rows, self._rows, self._spool.read, spool)
        self._pipeline.writer.problem = problem
        self._spool.close()
        self._spool = self._pipeline.writer.store = spool
        self._forget_strings()
        self._forget_connections()
        return True

    def _new_rows(self) -> Rows:
        rows = Rows()
        rows.strings, rows.cseqs = self._pipeline.strings, self._pipeline.cseqs
        return rows

    def _reading(self) -> Reading:
        """Return what was read so far as a reading of its own, in its final order."""
        known = self._pipeline.reading
        rows = copy(self._rows)
        rows.message_table = copy(self._rows.message_table)
        rows.message_table.columns = dict(self._rows.message_table.columns)
        counters, streams = Counter(known.counters), Counter(known.stream_counters)
        if not self._closed:
            for name, count in self._pipeline.counters.items():
                (counters if name == "cut frames" else streams)[name] += count
        flows, holes, conflicts = self._connections(rows)
        reading = replace(
            known, rows=rows, flows=flows, holes=holes, conflicts=conflicts, counters=counters,
            stream_counters=streams, ignored=self._pipeline.ignored, queries=list(known.queries),
            others=[one for one in known.others if one.heads], services=Counter(known.services),
        )  # fmt: skip
        reading.settle()
        return reading

    def _connections(
        self, rows: Rows
    ) -> tuple[list[Flow], list[tuple[int, int, int]], list[tuple[int, int, int]]]:
        """Return copies of the connections that are left, their holes and conflicts."""
        known = self._pipeline.reading
        if not self._beheaded:
            return list(map(copy, known.flows)), known.holes, known.conflicts
        streams = [0] * (2 * len(known.flows))
        flows: list[Flow] = []
        for number, flow in enumerate(known.flows):
            if number not in self._gone:
                streams[2 * number], streams[2 * number + 1] = 2 * len(flows), 2 * len(flows) + 1
                flows.append(copy(flow))
                flows[-1].syn = flow.syn and number not in self._beheaded
        renumber(rows.message_table.columns, ("stream",), streams)
        holes, conflicts = (
            [(streams[at], frame, size) for at, frame, size in found if at >> 1 not in self._gone]
            for found in (known.holes, known.conflicts)
        )
        return flows, holes, conflicts

    def _forget_strings(self) -> None:
        messages, items = self._rows.message_table.columns, self._rows.item_columns
        named = ("method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri", "to_tag")
        kept: set[int] = set().union(
            *(messages[name] for name in (*named, "content_type")),
            *(
                items[name]
                for name in ("element", "id", "seqid", "envid", "command_seqid", "command_envid")
            ),
            items["code"],
            items["text"],
        )
        self._pipeline.forget(kept, set(messages["cseq"]))

    def _forget_connections(self) -> None:
        known = self._pipeline.reading
        used = {stream >> 1 for stream in self._rows.stream}
        for number, flow in enumerate(known.flows):
            if not flow.open and number not in used and number not in self._gone:
                self._gone.add(number)
                known.flows[number] = _NO_FLOW
        for found in (known.holes, known.conflicts):
            found[:] = [one for one in found if one[0] >> 1 not in self._gone]
        if self._rows.time:
            # Beginnings of other connections, and questions to DNS, of before what is kept.
            since = min(self._rows.time)
            known.others[:] = [
                one for one in known.others if one.heads and one.heads[-1].time_ns >= since
            ]
            known.queries[:] = [one for one in known.queries if one.time_ns >= since]
