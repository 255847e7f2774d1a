"""A further pass, for what HEP agents sent over TCP, or compressed: packets become rows.

The one rule: a message has the addresses, the transport and the time that the agent saw, as where
HEP came over UDP; its frame is the one of the capture that completed it. What is of no use is said.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.apart import Apart, note_times
from analyzer.compression_source import FROM_AGENTS, UnpackedSource
from analyzer.parallel import merge
from analyzer.reading import Reading
from analyzer.row_writer import RowWriter
from analyzer.sources.spool import Spool
from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.model import Chunk, Datagram, Frame, Gap, Malformed, Segment
from dissectors.sip.scan import HeadScanner
from dissectors.transport.hep import MAGIC, PACKED, payload_of
from dissectors.transport.hep_packed import PackedHep
from dissectors.transport.hep_stream import HepStream
from dissectors.transport.reassembly import Reassembler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.sources.files import Source
    from analyzer.sources.tls import DecryptedSource
    from dissectors.sip.datagram import Joined
    from dissectors.transport.direction import StreamEvent
    from dissectors.transport.hep_stream import Packet

    Read = Callable[[int, int], bytes]

_CHUNK = 1 << 16
_DIGITS = 6
MAX_RATIO = 64
"""Bytes that are kept for a byte of the capture: signalling shrinks to a tenth at best, zlib allows
1000, which makes a small file a large one."""
SLACK = 1 << 26  # bytes, before the ratio is asked for
# Reasons that are told one by one.
SHOWN = 3
SERVICE = "HEP"
_SWOLLEN = f"HEP packet, where all before it grew more than {MAX_RATIO} times"


def from_agents(
    source: Source | DecryptedSource, reading: Reading, *, items: bool = True
) -> Source | DecryptedSource:
    """Read what agents sent over TCP, or compressed; return where the bytes of all rows are.

    Args:
        source: read to its end.
        reading: of it, settled; it is settled again.
        items: scan bodies for XCCOS.
    """
    if not reading.services[SERVICE] and not reading.ignored.get(PACKED):
        return source
    try:
        spool = Spool()
    except OSError as error:
        why = f"no temporary file can be made ({error.strerror})"
        reading.notes.append(f"HEP over TCP, or compressed, cannot be read: {why}.")
        return source
    try:
        run = _Pass(spool, items=items, streams=bool(reading.services[SERVICE]))
        for frames in _frames(source.read):
            run.frames(frames)
        run.close()
        _finish(reading, run)
    except BaseException:
        spool.close()
        raise
    return UnpackedSource(source, spool, FROM_AGENTS)


def _frames(read: Read) -> Iterator[list[Frame]]:
    """Read the capture once more."""
    reader = reader_for(read(0, HEAD_LENGTH))
    if isinstance(reader, Malformed):
        return
    offset = 0
    while not reader.stopped and (data := read(offset, _CHUNK)):
        offset += len(data)
        yield [one for one in reader.feed(data) if isinstance(one, Frame)]
    yield [one for one in reader.close() if isinstance(one, Frame)]


class _Pass:
    """Takes frames; ``reading`` is what comes of them."""

    def __init__(self, spool: Spool, *, items: bool, streams: bool) -> None:
        """``streams``: look at TCP, too."""
        self.reading = Reading()
        self.unused: Counter[str] = Counter()
        """Packets that were of no use, by what was wrong with them."""
        self.packed = 0
        """Compressed packets over UDP that were read."""
        self.connections: set[int] = set()
        self.times: tuple[int, int] | None = None
        """First and last of the times that agents said."""
        self.lost = 0
        """Bytes of connections that belong to no packet, or are missing."""
        rows = self.reading.rows
        self._spool, self._taken = spool, 0
        self._layers = PackedHep()
        self._reassembler = Reassembler() if streams else None
        self._streams: dict[int, HepStream] = {}
        self._writer = RowWriter(rows, items=items)
        self._apart = Apart(HeadScanner(rows.strings, rows.cseqs))

    def frames(self, frames: list[Frame]) -> None:
        """Take the next frames."""
        for frame in frames:
            self._taken += len(frame.data)
            found = self._layers.decode(frame)
            for one in self._layers.packed:
                if isinstance(one, str):
                    self.unused[one] += 1
                else:
                    self._message(one)
            self.packed += len(self._layers.packed)
            self._layers.packed.clear()
            if self._reassembler is not None:
                segments = [one for one in found if isinstance(one, Segment)]
                self._events(self._reassembler.events(segments))

    def close(self) -> None:
        """End all connections, and what was begun."""
        if self._reassembler is not None:
            self._events(self._reassembler.close())
        self.lost += sum(one.held + one.unused for one in self._streams.values())
        self._write(self._apart.close(self.reading))
        self.reading.rows.flush()

    def _events(self, events: Iterable[StreamEvent]) -> None:
        for event in events:
            if isinstance(event, Chunk):
                self._chunk(event)
            elif isinstance(event, Gap) and event.stream in self._streams:
                self.lost += event.length
                self._streams[event.stream].gap()

    def _chunk(self, chunk: Chunk) -> None:
        assert self._reassembler is not None
        stream = chunk.stream
        known = self._streams.get(stream)
        if known is None:
            if not chunk.data.startswith(MAGIC):
                self._reassembler.drop(stream)
                return
            known = self._streams[stream] = HepStream()
            self.connections.add(stream >> 1)
            self._reassembler.expect_more(stream >> 1)
        for packet in known.feed(chunk):
            self._packet(packet)

    def _packet(self, packet: Packet) -> None:
        hep, chunk = packet.hep, packet.chunk
        payload = payload_of(hep, packet.data)
        if isinstance(payload, str):
            self.unused[payload] += 1
            return
        time_ns, digits = (hep.time_ns, _DIGITS) if hep.time_ns else (chunk.time_ns, chunk.digits)
        self._message(
            Datagram(
                chunk.frame, time_ns, digits, hep.key, payload, 0, 0,
                transport=hep.transport, whole=hep.transport == "udp",
            )
        )  # fmt: skip

    def _message(self, datagram: Datagram) -> None:
        """Keep what an agent saw, and read the messages in it."""
        if datagram.whole and b"SIP/" not in datagram.payload:
            return
        offset = FROM_AGENTS + self._spool.length
        swollen = self._spool.length > SLACK + MAX_RATIO * self._taken
        problem = _SWOLLEN if swollen else self._spool.write(datagram.payload)
        if problem is not None:
            self.unused[problem] += 1
            return
        if datagram.time_ns:
            first, last = self.times or (datagram.time_ns, datagram.time_ns)
            self.times = min(first, datagram.time_ns), max(last, datagram.time_ns)
        self._write(self._apart.read(datagram._replace(offset=offset)))

    def _write(self, found: list[Joined]) -> None:
        flows = self.reading.flows
        for transport, key, framed in found:
            flow, side = self._apart.flow(transport, key, framed[0])
            if flow.number < 0:
                flow.number = len(flows)
                flows.append(flow)
            flow.note(side, framed)
            self._writer.write([(2 * flow.number + side, framed)])


def _finish(reading: Reading, run: _Pass) -> None:
    """Add what was read, and take back that it was not."""
    merge(reading, run.reading)
    note_times(reading, run.times)
    reading.services[SERVICE] -= len(run.connections)
    reading.services = +reading.services
    if run.packed:
        reading.ignored = {name: n for name, n in reading.ignored.items() if name != PACKED}
    reading.settle()
    reading.notes += [
        f"{count:,} × {reason}: not read." for reason, count in run.unused.most_common(SHOWN)
    ]
    if run.lost:
        reading.notes.append(
            f"{run.lost:,} bytes of HEP over TCP are missing from the capture, or are no HEP: "
            "messages may be missing that an agent saw."
        )
