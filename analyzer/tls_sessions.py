"""TLS connections of a capture: read once more, record by record, with what each said of itself.

The one rule: a record counts where the capture has it. Its frame is the one that completes it, in
whatever order the segments came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.tls_handshake import HANDSHAKE, Handshake, is_old_hello
from analyzer.tls_order import Order
from analyzer.tls_records import RecordReader
from analyzer.tls_suites import survives_holes
from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.model import (
    Chunk,
    Frame,
    Gap,
    Malformed,
    Opened,
    Segment,
    StreamEnd,
    reversed_key,
)
from dissectors.sip.stream import StreamReader
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.reassembly import Reassembler

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.flow import Flow
    from analyzer.others import Beginning
    from analyzer.reading import TlsConnection
    from analyzer.sources.files import Source
    from analyzer.tls_capture import CleanCapture
    from analyzer.tls_order import Said
    from dissectors.sip.scan import HeadScanner
    from dissectors.transport.direction import StreamEvent

_CHUNK = 1 << 16
_RANDOM = slice(11, 43)
_CLIENT_HELLO = 1


class Side:
    """One direction."""

    __slots__ = ("behind", "holes", "lost", "reader", "records", "started", "unread")

    def __init__(self, scanner: HeadScanner) -> None:
        self.records = RecordReader()
        self.reader = StreamReader(scanner, whole=True)
        self.started = False
        """Something of it was decrypted."""
        self.holes: list[int] = []
        """How many records of all connections stood before each hole in what is encrypted."""
        self.behind: int | None = None
        """The first of these."""
        self.lost = 0
        """The first frame behind the first of these holes."""
        self.unread = 0
        """The first frame with application data that was not decrypted, while none was since."""

    @property
    def breaks_off(self) -> bool:
        """Tell at its end whether there is more in it than was decrypted."""
        return bool(self.unread or self.holes or self.records.broken)

    @property
    def broken_at(self) -> int:
        """Return the frame from which on nothing was decrypted."""
        places = (self.unread, self.lost, self.records.broken)
        return min((frame for frame in places if frame), default=0)


class Session:
    """What becomes of one TLS connection."""

    def __init__(self, number: int, connection: TlsConnection, scanner: HeadScanner) -> None:
        self.number = number
        self.flow: Flow = connection.flow
        hello = connection.hello
        self.begins = hello[:1] != b"\x17"
        """It begins with something else than application data."""
        is_hello = len(hello) > 5 and (hello[0], hello[5]) == (HANDSHAKE, _CLIENT_HELLO)
        self.random = hello[_RANDOM] if is_hello and len(hello) >= _RANDOM.stop else None
        """Of the client; None where its hello is not at hand."""
        self.handshake = Handshake()
        self.order: Order | None = None
        """While it is read once more."""
        self.sides = (Side(scanner), Side(scanner))
        self.service: str | None = None
        """What it carries, where that is known not to be SIP."""
        self.records = 0
        """Of those that were tried."""

    @property
    def started(self) -> bool:
        """Something of it was decrypted."""
        return self.sides[0].started or self.sides[1].started

    @property
    def empty(self) -> bool:
        """All of it was seen, and it had nothing to tell."""
        whole = not any(side.breaks_off for side in self.sides)
        return bool(self.records) and not self.started and whole

    @property
    def survives_holes(self) -> bool:
        """Tell whether what comes behind a hole can be decrypted."""
        suite = self.handshake.suite
        return suite is not None and survives_holes(suite, self.handshake.version)

    def peek(self, beginning: Beginning) -> None:
        """Look at the first bytes of both sides, until more of them is at hand."""
        for head in sorted(beginning.heads, key=lambda one: _is_hello(one.data), reverse=True):
            self.handshake.peek(head.side, head.data)

    def begin(self) -> None:
        """Say that all of it will come."""
        self.handshake = Handshake()
        self.order = Order(self.handshake)

    def take(self, side: int, chunk: Chunk) -> list[Said]:
        """Take the next bytes; return the records that can be read now."""
        flow = self.flow
        flow.last = max(flow.last, chunk.frame)
        flow.times[1] = max(flow.times[1], chunk.time_ns)
        order, records = self.order, self.sides[side].records.feed(chunk)
        if order is None:
            return []
        return [said for record in records for said in order.take(side, record)]

    def close(self) -> list[Said]:
        """Return what waited for the other side to the end."""
        return [] if self.order is None else self.order.close()

    def gap(self, side: int, gap: Gap, before: int) -> list[Said]:
        """Take note that bytes are missing, behind so many records of all connections."""
        mine = self.sides[side]
        if mine.records.encrypted:
            mine.holes.append(before)
            mine.behind = mine.holes[0]
            mine.lost = mine.lost or gap.frame
        order, records = self.order, mine.records.gap()
        if order is None:
            return []
        return [said for record in records for said in order.take(side, record)]

    def end(self, side: int, end: StreamEnd) -> None:
        """Take note that a direction ends."""
        self.flow.last = max(self.flow.last, end.frame)
        if end.how == "fin" and self.flow.ends[side] == "end":
            self.flow.ends[side] = "fin"


def _is_hello(data: bytes) -> bool:
    plain = len(data) > 5 and (data[0], data[5]) == (HANDSHAKE, _CLIENT_HELLO)
    return plain or is_old_hello(data)


class Sessions:
    """Some of the TLS connections of a capture, found by their addresses."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.known: dict[bytes, bool] = {}
        self._by_key: dict[bytes, list[Session]] = {}
        for session in sorted(sessions, key=lambda one: one.flow.first):
            self._by_key.setdefault(session.flow.key, []).append(session)

    def has(self, key: bytes) -> bool:
        """Tell whether a connection is one of them; for the decoder of frames."""
        return key in self._by_key or reversed_key(key) in self._by_key

    def find(self, key: bytes, frame: int) -> tuple[Session, int] | None:
        """Return the session that a connection is, and its side that has this key.

        ``frame`` is the first one of the connection: the same ports may have been used again.
        """
        for number, wanted in enumerate((key, reversed_key(key))):
            for session in reversed(self._by_key.get(wanted, ())):
                if session.flow.first <= frame:
                    return session, number
        return None


class _Gathering:
    """Puts the records of some connections into another capture."""

    def __init__(self, wanted: Sessions, reassembler: Reassembler, clean: CleanCapture) -> None:
        self._wanted, self._reassembler, self._clean = wanted, reassembler, clean
        self._places: dict[int, tuple[Session, int]] = {}

    def take(self, event: StreamEvent) -> None:
        """Take what the reassembler gives."""
        if isinstance(event, Opened):
            found = self._wanted.find(event.key, event.frame)
            if found is not None:
                self._places[event.connection] = found
                self._reassembler.expect_more(event.connection)
            return
        place = self._places.get(event.stream >> 1)
        if place is None:
            return
        session, side = place[0], place[1] ^ event.stream & 1
        if isinstance(event, Chunk):
            self.put(session, session.take(side, event))
        elif isinstance(event, Gap):
            self.put(session, session.gap(side, event, len(self._clean)))
        elif isinstance(event, StreamEnd):
            session.end(side, event)

    def put(self, session: Session, said: list[Said]) -> None:
        """Append records."""
        for side, record in said:
            self._clean.add(session.number, side, record, client=session.handshake.client or 0)


def gather(sessions: Sequence[Session], source: Source, clean: CleanCapture) -> None:
    """Read a capture once more, and put the records of some connections into another."""
    for session in sessions:
        session.begin()
    wanted, reassembler = Sessions(sessions), Reassembler()
    gathering = _Gathering(wanted, reassembler, clean)
    for event in _events(source, wanted, reassembler):
        gathering.take(event)
        if clean.problem is not None:
            return
    for session in sessions:
        gathering.put(session, session.close())
    clean.flush()


def _events(source: Source, wanted: Sessions, reassembler: Reassembler) -> Iterator[StreamEvent]:
    reader = reader_for(source.read(0, HEAD_LENGTH))
    if isinstance(reader, Malformed):
        return
    decoder = FrameDecoder(wanted, bare=False)
    offset = 0
    while not reader.stopped and (data := source.read(offset, _CHUNK)):
        offset += len(data)
        frames = [one for one in reader.feed(data) if isinstance(one, Frame)]
        packets = decoder.feed(frames)
        yield from reassembler.events([one for one in packets if isinstance(one, Segment)])
    last = [one for one in reader.close() if isinstance(one, Frame)]
    packets = [*decoder.feed(last), *decoder.close()]
    yield from reassembler.events([one for one in packets if isinstance(one, Segment)])
    yield from reassembler.close()
