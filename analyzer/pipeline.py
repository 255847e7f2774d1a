"""The only place where the stages are chained: bytes of a capture in, rows out.

One pass, a chunk at a time. What is kept of a stream is what its unfinished message needs; what is
kept of a message is its row.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING

from analyzer.apart import Apart, note_times
from analyzer.flow import Flow
from analyzer.others import Others
from analyzer.reading import MAX_TLS, Reading, TlsConnection
from analyzer.row_writer import RowWriter
from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.dns import is_dns, may_concern
from dissectors.model import (
    Chunk,
    Conflict,
    Datagram,
    Frame,
    Gap,
    Malformed,
    Opened,
    Segment,
    StreamEnd,
)
from dissectors.sip.scan import HeadScanner
from dissectors.sip.stream import StreamReader
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.reassembly import Reassembler
from dissectors.transport.services import service_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.rows import Rows
    from analyzer.share import Share
    from dissectors.capture.pcap import PcapReader
    from dissectors.capture.pcapng import PcapngReader
    from dissectors.sip.datagram import Joined
    from dissectors.sip.framed import Framed
    from dissectors.transport.direction import StreamEvent

# Heads of the TLS record and of the ClientHello in it, version, and random.
HELLO_LENGTH = 5 + 4 + 2 + 32
# Gaps and conflicts of a connection that has not shown any SIP yet: most never will.
MAX_EARLY = 100
# Problems that are kept word by word; the rest is counted.
MAX_PROBLEMS = 200


class Pipeline:
    """Feed it the bytes of a capture; ``close`` returns what was read."""

    def __init__(
        self, share: Share | None = None, *, items: bool = True, streaming: bool = False
    ) -> None:
        """Begin.

        Args:
            share: read only some of the connections.
            items: scan the bodies for XCCOS; without it the rows have no items.
            streaming: messages are only listed: no other connections are remembered.
        """
        self._reading = Reading()
        self._writer = RowWriter(self._reading.rows, items=items)
        self._head = b""
        self._reader: PcapReader | PcapngReader | Malformed | None = None
        self._decoder = FrameDecoder(share, bare=False)
        self._reassembler = Reassembler()
        self._scanner = HeadScanner(self._reading.rows.strings, self._reading.rows.cseqs)
        self._tcp: dict[int, Flow] = {}
        self._batch: list[tuple[int, list[Framed]]] = []
        self._others = Others(self._reading.others, 0 if streaming else None)

    @property
    def reading(self) -> Reading:
        """What was read so far."""
        return self._reading

    @property
    def secrets(self) -> list[bytes]:
        """TLS key logs that the capture carries, as far as it was read."""
        return list(getattr(self._reader, "secrets", ()))

    @cached_property
    def _apart(self) -> Apart:
        return Apart(self._scanner)

    @property
    def stopped(self) -> bool:
        """No more bytes are of use: the file is no capture, or too damaged to go on."""
        reader = self._reader
        return reader is not None and (isinstance(reader, Malformed) or reader.stopped)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the (decompressed) capture file."""
        reader = self._reader
        if reader is None:
            self._head += data
            if len(self._head) < HEAD_LENGTH:
                return
            data, reader = self._head, self._start()
        if not isinstance(reader, Malformed):
            self._records(reader.feed(data))

    @property
    def waiting(self) -> int:
        """Rows that wait to be taken."""
        return self._reading.rows.message_table.length

    @property
    def began(self) -> int | None:
        """The lowest time so far."""
        note_times(self._reading, self._decoder.times)
        return self._reading.first_time

    def take(self, rows: Rows, *, everything: bool = False) -> bool:
        """Move the rows that no other can precede any more into ``rows``; tell if there are any.

        Those of the reading itself have them already.
        """
        mine = self._reading.rows
        mine.finish()
        if rows is mine:
            return len(mine) > 0
        count = len(mine)
        for stage in () if everything else (self._reassembler, self._decoder, self._apart):
            oldest = stage.oldest_waiting()
            if oldest is not None:
                count = min(count, bisect_left(mine.frame, oldest))
        if count:
            mine.move(rows, count)
            self._writer.restart()
        return count > 0

    def stream_keys(self, known: int) -> list[tuple[bytes, str, bool]]:
        """Return (key, transport, SYN seen) of the connections from number ``known`` on."""
        return [(flow.key, flow.transport, flow.syn) for flow in self._reading.flows[known:]]

    def close(self) -> Reading:
        """Return what was read: the capture ends here. ``Reading.settle`` is still to be called."""
        reader = self._reader
        if reader is None:
            data, reader = self._head, self._start()
            if not isinstance(reader, Malformed):
                self._records(reader.feed(data))
        if not isinstance(reader, Malformed):
            self._records(reader.close())
        self._packets(self._decoder.close())
        self._events(self._reassembler.close())
        reading = self._reading
        self._joined(self._apart.close(reading))
        note_times(reading, self._decoder.times)
        reading.counters["cut frames"] += self._decoder.cut_frames
        reading.stream_counters["retransmitted segments"] += self._reassembler.retransmissions
        reading.ignored = dict(self._decoder.ignored)
        reading.secrets = self.secrets
        reading.rows.flush()
        return reading

    def _start(self) -> PcapReader | PcapngReader | Malformed:
        reader = self._reader = reader_for(self._head)
        self._head = b""
        if isinstance(reader, Malformed):
            self._problem(reader)
        return reader

    def _records(self, records: list[Frame | Malformed]) -> None:
        frames = [record for record in records if type(record) is Frame]
        if len(frames) != len(records):
            for record in records:
                if isinstance(record, Malformed):
                    self._problem(record)
        if frames:
            self._reading.note_frames(frames)
            self._packets(self._decoder.feed(frames))

    def _packets(self, packets: list[Segment | Datagram | Malformed]) -> None:
        """Hand TCP to the reassembler in batches, the rest to the readers of messages."""
        segments = [packet for packet in packets if type(packet) is Segment]
        if len(segments) != len(packets):
            for packet in packets:
                if type(packet) is Datagram:
                    self._datagram(packet)
                elif isinstance(packet, Malformed):
                    self._problem(packet)
        if segments:
            self._events(self._reassembler.events(segments))

    def _events(self, events: Iterable[StreamEvent]) -> None:  # noqa: C901  (once a segment)
        tcp, batch = self._tcp, self._batch
        for event in events:
            if type(event) is Chunk:
                stream = event[0]
                flow = tcp[stream >> 1]
                side = stream & 1
                reader = flow.readers[side]
                if reader is None:
                    reader = self._first_bytes(flow, event)
                    if reader is None:
                        continue
                framed = reader.feed(event)
                if framed:
                    if flow.number < 0:
                        self._number(flow)
                    flow.note(side, framed)
                    batch.append((2 * flow.number + side, framed))
                elif not reader.found and reader.hopeless:
                    self._reassembler.drop(stream)
            else:
                self._rare_event(event)
        if batch:
            self._writer.write(batch)
            batch.clear()

    def _rare_event(self, event: StreamEvent) -> None:
        if isinstance(event, Opened):
            flow = self._tcp[event.connection] = Flow(
                event.key, "tcp", syn=event.syn_seen, frame=event.frame, time_ns=event.time_ns
            )
            flow.connection = event.connection
        elif isinstance(event, Gap):
            self._gap(event)
        elif isinstance(event, Conflict):
            flow, side = self._tcp[event.stream >> 1], event.stream & 1
            if flow.number >= 0:
                stream = 2 * flow.number + side
                self._reading.conflicts.append((stream, event.frame, event.length))
            elif len(flow.conflicts) < MAX_EARLY:
                flow.conflicts.append((side, event.frame, event.length))
        elif isinstance(event, StreamEnd):
            self._stream_end(event)

    def _first_bytes(self, flow: Flow, chunk: Chunk) -> StreamReader | None:
        """Decide whether a direction may carry SIP; give it a reader if so."""
        # Bytes that look like something else are none where the other side was SIP.
        service = flow.service or (service_of(chunk.data) if flow.number < 0 else None)
        if service is not None:
            if flow.service is None:
                flow.service = service
                self._reading.services[service] += 1
                if service == "TLS" and len(self._reading.tls) < MAX_TLS:
                    self._reading.tls.append(TlsConnection(flow, chunk.data[:HELLO_LENGTH]))
                self._others.remember(flow.connection, flow.key, service)
            self._other_service(flow, chunk)
            return None
        side = chunk.stream & 1
        reader = flow.readers[side] = StreamReader(self._scanner, whole=not flow.cut[side])
        return reader

    def _other_service(self, flow: Flow, chunk: Chunk) -> None:
        """Look at no more of something else than SIP than is wanted of it."""
        stream, side = chunk.stream, chunk.stream & 1
        wanted = self._others.take(
            flow.connection, side, chunk.data, chunk.frame, chunk.time_ns,
            alone=flow.readers[side ^ 1] is not None,
        )  # fmt: skip
        for one, more in zip((stream, stream ^ 1), wanted, strict=True):
            if not more:
                self._reassembler.drop(one)

    def _gap(self, gap: Gap) -> None:
        flow, side = self._tcp[gap.stream >> 1], gap.stream & 1
        if flow.service is not None:
            return
        reader = flow.readers[side]
        flow.holes += 1
        if reader is None:
            flow.cut[side] = True
        else:
            self._messages(flow, side, reader.gap(gap.length))
        if flow.number >= 0:
            self._reading.holes.append((2 * flow.number + side, gap.frame, gap.length))
        elif len(flow.gaps) < MAX_EARLY:
            flow.gaps.append((side, gap.frame, gap.length))

    def _stream_end(self, end: StreamEnd) -> None:
        flow, side = self._tcp[end.stream >> 1], end.stream & 1
        flow.ends[side] = end.how
        reader = flow.readers[side]
        if reader is not None:
            self._messages(flow, side, reader.close())
            if reader.found:
                self._reading.stream_counters["bytes between messages"] += reader.junk
            flow.readers[side] = None
        flow.last = max(flow.last, end.frame)
        flow.open -= 1
        if not flow.open:
            del self._tcp[end.stream >> 1]
            self._others.forget(end.stream >> 1)

    def _datagram(self, datagram: Datagram) -> None:
        if not datagram.whole or b"SIP/" in datagram.payload:
            self._joined(self._apart.read(datagram))
        elif is_dns(datagram.key) and may_concern(datagram.payload):
            self._reading.note_query(datagram)

    def _joined(self, found: list[Joined]) -> None:
        for transport, key, framed in found:
            self._messages(*self._apart.flow(transport, key, framed[0]), framed)

    def _messages(self, flow: Flow, side: int, framed: list[Framed]) -> None:
        if framed:
            stream = 2 * self._number(flow) + side
            flow.note(side, framed)
            self._batch.append((stream, framed))
            if flow.connection < 0:
                self._writer.write(self._batch)
                self._batch.clear()

    def _number(self, flow: Flow) -> int:
        """Return the number of a flow that carries SIP, giving it one."""
        if flow.number < 0:
            flow.number = len(self._reading.flows)
            reading = self._reading
            reading.flows.append(flow)
            for early, noted in (
                (flow.gaps, reading.holes),
                (flow.conflicts, reading.conflicts),
            ):
                noted += [(2 * flow.number + side, frame, size) for side, frame, size in early]
                early.clear()
            self._reassembler.expect_more(flow.connection)
        return flow.number

    def _problem(self, problem: Malformed) -> None:
        self._reading.counters[f"malformed {problem.layer}"] += 1
        if problem.layer == "capture":
            self._reading.damaged = True
        if len(self._reading.problems) < MAX_PROBLEMS:
            self._reading.problems.append(problem)
