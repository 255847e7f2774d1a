"""The only place where the stages are chained: bytes of a capture in, rows out.

One pass, a chunk at a time. What is kept of a stream is what its unfinished message needs; what is
kept of a message is its row.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.row_writer import RowWriter
from analyzer.rows import Connection, Stream
from dissectors.capture.detect import HEAD_LENGTH, reader_for
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
    address_text,
    reversed_key,
)
from dissectors.sip.datagram import read_datagram
from dissectors.sip.scan import HeadScanner
from dissectors.sip.stream import StreamReader
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.reassembly import Reassembler
from dissectors.transport.services import service_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.capture.pcap import PcapReader
    from dissectors.capture.pcapng import PcapngReader
    from dissectors.sip.framed import Framed

# Problems of one layer that are kept word by word; the rest is counted.
MAX_PROBLEMS = 200


class _Flow:
    """What is known of one connection or UDP flow while it is read."""

    __slots__ = (
        "connection", "ends", "first", "holes", "key", "last", "messages", "number", "open",
        "readers", "service", "syn", "times", "transport",
    )  # fmt: skip

    def __init__(self, key: bytes, transport: str, *, syn: bool, frame: int, time_ns: int) -> None:
        self.key = key
        self.connection = -1  # number of the reassembler
        self.open = 2  # directions that have not ended
        self.transport = transport
        self.syn = syn
        self.first = self.last = frame
        self.times = [time_ns, time_ns]
        self.number = -1  # given with the first SIP message
        self.readers: list[StreamReader | None] = [None, None]
        self.service: str | None = None
        self.messages = [0, 0]
        self.ends = ["end", "end"]
        self.holes = 0

    def connection_row(self) -> Connection:
        """Return what a trace keeps of this flow."""
        opener, responder = address_text(self.key)
        return Connection(
            self.number, opener, responder, self.transport, self.syn, self.first, self.last,
            self.times[0], self.times[1], (self.ends[0], self.ends[1]), self.holes,
            (self.messages[0], self.messages[1]),
        )  # fmt: skip


class Pipeline:
    """Feed it the bytes of a capture; ``rows`` and the rest are complete after ``close``."""

    def __init__(self) -> None:
        self._writer = RowWriter()
        self.rows = self._writer.rows
        self.flows: list[_Flow] = []
        self.problems: list[Malformed] = []
        self.counters: Counter[str] = Counter()
        self.services: Counter[str] = Counter()
        self.links: set[int] = set()
        self.frames = 0
        self.first_time: int | None = None
        self.last_time: int | None = None
        self.digits = 6
        self.conflicts: list[tuple[int, int, int]] = []
        """(stream of ``Trace.streams``, frame, bytes) where a retransmission differed."""
        self.holes: list[tuple[int, int, int]] = []
        """(stream of ``Trace.streams``, frame after it, bytes or 0)"""
        self.damaged = False
        self._head = b""
        self._reader: PcapReader | PcapngReader | Malformed | None = None
        self._decoder = FrameDecoder()
        self._reassembler = Reassembler()
        self._scanner = HeadScanner()
        self._tcp: dict[int, _Flow] = {}
        self._udp: dict[bytes, tuple[_Flow, int]] = {}

    # input

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

    def close(self) -> None:
        """The capture ends here."""
        reader = self._reader
        if reader is None:
            data, reader = self._head, self._start()
            if not isinstance(reader, Malformed):
                self._records(reader.feed(data))
        if not isinstance(reader, Malformed):
            self._records(reader.close())
        self._packets(self._decoder.close())
        self._events(self._reassembler.close())
        self.counters["cut frames"] += self._decoder.cut_frames
        self.counters["retransmitted segments"] += self._reassembler.retransmissions
        self.rows.finish()

    def _start(self) -> PcapReader | PcapngReader | Malformed:
        reader = self._reader = reader_for(self._head)
        self._head = b""
        if isinstance(reader, Malformed):
            self._problem(reader)
        return reader

    # stages

    def _records(self, records: list[Frame | Malformed]) -> None:
        frames: list[Frame] = []
        for record in records:
            if type(record) is Frame:
                frames.append(record)
            elif isinstance(record, Malformed):
                self._problem(record)
        if frames:
            self._note_frames(frames)
            self._packets(self._decoder.feed(frames))

    def _note_frames(self, frames: list[Frame]) -> None:
        self.frames += len(frames)
        times = [frame.time_ns for frame in frames if frame.time_ns]
        if times:
            low, high = min(times), max(times)
            self.first_time = low if self.first_time is None else min(self.first_time, low)
            self.last_time = high if self.last_time is None else max(self.last_time, high)
        self.digits = frames[0].digits
        self.links.update({frame.link for frame in frames})

    def _packets(self, packets: list[Segment | Datagram | Malformed]) -> None:
        """Hand TCP to the reassembler in batches, UDP to the message reader."""
        segments: list[Segment] = []
        for packet in packets:
            if type(packet) is Segment:
                segments.append(packet)
            elif type(packet) is Datagram:
                if b"SIP/" in packet.payload:
                    self._datagram(packet)
            elif isinstance(packet, Malformed):
                self._problem(packet)
        if segments:
            self._events(self._reassembler.feed(segments))

    def _events(self, events: Iterable[Chunk | Conflict | Gap | Opened | StreamEnd]) -> None:
        tcp = self._tcp
        for event in events:
            if type(event) is Chunk:
                stream = event.stream
                flow = tcp[stream >> 1]
                reader = flow.readers[stream & 1]
                if reader is None:
                    reader = self._first_bytes(flow, event)
                    if reader is None:
                        continue
                framed = reader.feed(event)
                if framed:
                    self._messages(flow, stream & 1, framed)
                elif not reader.found and reader.hopeless:
                    self._reassembler.drop(stream)
            else:
                self._rare_event(event)

    def _rare_event(self, event: Conflict | Gap | Opened | StreamEnd | Chunk) -> None:
        if isinstance(event, Opened):
            flow = self._tcp[event.connection] = _Flow(
                event.key, "tcp", syn=event.syn_seen, frame=event.frame, time_ns=event.time_ns
            )
            flow.connection = event.connection
        elif isinstance(event, Gap):
            self._gap(event)
        elif isinstance(event, Conflict):
            flow = self._tcp[event.stream >> 1]
            if flow.number >= 0:
                stream = 2 * flow.number + (event.stream & 1)
                self.conflicts.append((stream, event.frame, event.length))
        elif isinstance(event, StreamEnd):
            self._stream_end(event)

    def _first_bytes(self, flow: _Flow, chunk: Chunk) -> StreamReader | None:
        """Decide whether a direction may carry SIP; give it a reader if so."""
        service = flow.service or service_of(chunk.data)
        if service is not None:
            if flow.service is None:
                flow.service = service
                self.services[service] += 1
            self._reassembler.drop(chunk.stream & ~1)
            self._reassembler.drop(chunk.stream | 1)
            return None
        reader = StreamReader(self._scanner, whole=flow.syn)
        flow.readers[chunk.stream & 1] = reader
        return reader

    def _gap(self, gap: Gap) -> None:
        flow = self._tcp[gap.stream >> 1]
        side = gap.stream & 1
        reader = flow.readers[side]
        if reader is None:
            flow.syn = False  # the beginning is missing
            return
        flow.holes += 1
        found = reader.found
        framed = reader.gap(gap.length)
        if framed:
            self._messages(flow, side, framed)
        if found or flow.number >= 0:
            self.holes.append((2 * self._number(flow) + side, gap.frame, gap.length))

    def _stream_end(self, end: StreamEnd) -> None:
        flow = self._tcp.get(end.stream >> 1)
        if flow is None:
            return
        side = end.stream & 1
        flow.ends[side] = end.how
        reader = flow.readers[side]
        if reader is not None:
            framed = reader.close()
            if framed:
                self._messages(flow, side, framed)
            if reader.found:
                self.counters["bytes between messages"] += reader.junk
            flow.readers[side] = None
        flow.last = max(flow.last, end.frame)
        flow.open -= 1
        if not flow.open:
            del self._tcp[end.stream >> 1]

    def _datagram(self, datagram: Datagram) -> None:
        framed = read_datagram(datagram, self._scanner)
        if framed is None:
            return
        known = self._udp.get(datagram.key)
        if known is None:
            flow = _Flow(
                datagram.key, "udp", syn=False, frame=datagram.frame, time_ns=datagram.time_ns
            )
            known = self._udp[datagram.key] = (flow, 0)
            self._udp.setdefault(reversed_key(datagram.key), (flow, 1))
        self._messages(known[0], known[1], [framed])

    # rows

    def _number(self, flow: _Flow) -> int:
        if flow.number < 0:
            flow.number = len(self.flows)
            self.flows.append(flow)
        return flow.number

    def _messages(self, flow: _Flow, side: int, framed: list[Framed]) -> None:
        if flow.number < 0:
            self._number(flow)
            if flow.transport == "tcp":
                self._reassembler.expect_more(flow.connection)
        stream = 2 * flow.number + side
        flow.messages[side] += len(framed)
        last = framed[-1]
        flow.last = max(flow.last, last.frame)
        flow.times[1] = max(flow.times[1], last.time_ns)
        self._writer.write(stream, framed)

    # what went wrong

    def _problem(self, problem: Malformed) -> None:
        self.counters[f"malformed {problem.layer}"] += 1
        if problem.layer == "capture":
            self.damaged = True
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def streams(self) -> list[Stream]:
        """Return both directions of every connection that carried SIP, by number."""
        found = []
        for flow in self.flows:
            ends = address_text(flow.key)
            for from_opener, (src, dst) in ((True, ends), (False, ends[::-1])):
                found.append(Stream(src, dst, flow.transport, flow.number, from_opener, flow.syn))
        return found

    def connections(self) -> list[Connection]:
        """Return the connections that carried SIP, by number."""
        return [flow.connection_row() for flow in self.flows]

    @property
    def ignored(self) -> dict[str, int]:
        """Frames that carry neither TCP nor UDP, by what they are."""
        return dict(self._decoder.ignored)
