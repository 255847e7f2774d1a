"""A further pass, for connections on which NEGOTIATE agreed on compression: packets become rows.

The one rule: what could not be read is said, and is a hole of its direction. No answer is missing
that may lie in bytes that stayed compressed. What the ordinary pass made of those bytes is
forgotten: its rows of these connections, and the bytes that it found between messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compression_agreed import METHOD, Agreement, agreements, compression_agreed
from analyzer.compression_side import Side
from analyzer.compression_source import UNPACKED, UnpackedSource
from analyzer.parallel import merge
from analyzer.reading import Reading, renumber
from analyzer.row_writer import RowWriter
from analyzer.rows import Rows
from analyzer.sources.spool import Spool
from analyzer.sources.tls import PLAINTEXT
from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.model import Chunk, Frame, Gap, Malformed, Opened, Segment, StreamEnd, reversed_key
from dissectors.sip.scan import HeadScanner
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.reassembly import Reassembler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.compression_side import Keep
    from analyzer.flow import Flow
    from analyzer.sources.files import Source
    from analyzer.sources.tls import DecryptedSource
    from dissectors.sip.framed import Framed
    from dissectors.transport.direction import StreamEvent

    Read = Callable[[int, int], bytes]

_CHUNK = 1 << 16
# Directions that are named one by one.
SHOWN = 8


class RecordLog:
    """Of TLS connections that begin with NEGOTIATE, where the records lie; by flow."""

    def __init__(self) -> None:
        self._events: dict[int, list[tuple[int, Chunk | None]]] = {}
        self._heard: set[int] = set()

    def note(self, flow: Flow, side: int, chunk: Chunk) -> None:
        """Remember a record: not its bytes, which are in the spool."""
        known = id(flow)
        if known not in self._heard:
            self._heard.add(known)
            if chunk.data.startswith(METHOD.encode()):
                self._events[known] = []
        if known in self._events:
            length = len(chunk.data).to_bytes(4, "big")
            self._events[known].append((side, chunk._replace(data=length)))

    def gap(self, flow: Flow, side: int) -> None:
        """Remember that bytes are missing."""
        if id(flow) in self._events:
            self._events[id(flow)].append((side, None))

    def has(self, flow: Flow) -> bool:
        """Tell whether the records of a connection are known."""
        return id(flow) in self._events

    def events(self, flow: Flow, read: Read) -> Iterator[tuple[int, Chunk | None]]:
        """Give sides and records, None for a hole."""
        for side, chunk in self._events.get(id(flow), ()):
            if chunk is None:
                yield side, None
            else:
                length = int.from_bytes(chunk.data, "big")
                yield side, chunk._replace(data=read(chunk.offset, length))


class _Pass:
    """Unpacks some connections; ``reading`` is what they become."""

    def __init__(self, keep: Keep, *, items: bool) -> None:
        self.reading = Reading()
        self.agreed: list[Agreement] = []
        self.sides: list[tuple[Side, Side]] = []
        rows = self.reading.rows
        self._keep = keep
        self._writer = RowWriter(rows, items=items)
        self._scanner = HeadScanner(rows.strings, rows.cseqs)
        self._last: list[int] = []

    def open(self, one: Agreement) -> int:
        """Begin a connection, of which all bytes follow; return its number."""
        flow, number = one.flow, len(self.agreed)
        self.agreed.append(one)
        self.reading.flows.append(flow)
        self._last.append(flow.last)
        # Messages are noted anew, and the last of them gives the time.
        flow.number, flow.messages = number, [0, 0]
        flow.last, flow.times[1] = flow.first, flow.times[0]
        first, second = (
            Side(
                self._scanner,
                self._keep,
                one.scheme,
                last,
                whole=flow.transport == "tls" or not cut,
            )
            for last, cut in zip(one.ends, flow.cut, strict=True)
        )
        self.sides.append((first, second))
        return number

    def feed(self, number: int, side: int, chunk: Chunk) -> None:
        """Take bytes of a connection, by its place among those agreed on."""
        self._write(number, side, self.sides[number][side].feed(chunk))

    def gap(self, number: int, side: int, length: int) -> None:
        """Take note that bytes are missing."""
        self._write(number, side, self.sides[number][side].gap(length))

    def end(self, number: int, side: int) -> None:
        """Take note that a direction ends."""
        self._write(number, side, self.sides[number][side].close())

    def close(self) -> None:
        """End all directions; a hole is noted where one was not read to its end."""
        for number, sides in enumerate(self.sides):
            flow = self.agreed[number].flow
            for at in (0, 1):
                self.end(number, at)
            flow.last = max(flow.last, self._last[number])
            for at, side in enumerate(sides):
                if side.why is not None:
                    flow.holes += 1
                    # To the end of the connection: no answer in it would be seen.
                    self.reading.holes.append((2 * number + at, flow.last, 0))
        self.reading.rows.flush()

    def _write(self, number: int, side: int, framed: list[Framed]) -> None:
        if framed:
            self.agreed[number].flow.note(side, framed)
            self._writer.write([(2 * number + side, framed)])


def decompressed(
    source: Source | DecryptedSource, reading: Reading, *, items: bool = True
) -> Source | DecryptedSource:
    """Unpack what connections without TLS compressed; return where the bytes of all rows are.

    Args:
        source: read to its end; with what was decrypted of it.
        reading: of it, settled; it is settled again.
        items: scan bodies for XCCOS.
    """
    if not compression_agreed(reading):
        return source
    agreed = [one for one in agreements(reading, source.read) if one.flow.transport == "tcp"]
    if not agreed:
        return source
    try:
        spool = Spool()
    except OSError as error:
        why = f"no temporary file can be made ({error.strerror})"
        reading.notes.append(f"Compressed SIP cannot be read: {why}.")
        return source
    try:
        run = _Pass(_keeping(spool, UNPACKED), items=items)
        _read_again(agreed, source.read, run)
        _finish(reading, reading, run)
        reading.settle()
    except BaseException:
        spool.close()
        raise
    return UnpackedSource(source, spool)


def tell_compressed(reading: Reading, read: Read) -> None:
    """Say what is compressed, where messages were given away before that was known."""
    count = len(agreements(reading, read)) if compression_agreed(reading) else 0
    if count:
        reading.notes.append(
            f"On {count:,} connection{'' if count == 1 else 's'} SIP may be compressed by "
            "MS-SIPCOMP, and is not unpacked here."
        )


def _keeping(spool: Spool, base: int) -> Keep:
    """Return what appends bytes and gives their offset, or why that was not possible."""

    def keep(data: bytes) -> int | str:
        at = base + spool.length
        problem = spool.write(data)
        return at if problem is None else problem

    return keep


def _read_again(agreed: list[Agreement], read: Read, run: _Pass) -> None:
    """Hand the bytes of some connections on; those that are no TCP in the capture stay out."""
    known = {(one.flow.key, one.flow.first): one for one in agreed}
    numbers: dict[int, int] = {}
    reassembler = Reassembler()
    for event in _events(read, {one.flow.key for one in agreed}, reassembler):
        if isinstance(event, Opened):
            one = known.pop((event.key, event.frame), None)
            if one is not None:
                numbers[event.connection] = run.open(one)
                reassembler.expect_more(event.connection)
        elif isinstance(event, (Chunk, Gap, StreamEnd)) and event.stream >> 1 in numbers:
            _hand_on(run, numbers[event.stream >> 1], event)


def _hand_on(run: _Pass, number: int, event: Chunk | Gap | StreamEnd) -> None:
    side = event.stream & 1
    if isinstance(event, Chunk):
        run.feed(number, side, event)
    elif isinstance(event, Gap):
        run.gap(number, side, event.length)
    else:
        run.end(number, side)


def read_compressed_records(
    reading: Reading, spool: Spool, log: RecordLog, report: Reading, *, items: bool = True
) -> None:
    """Unpack what was compressed before it was encrypted.

    Args:
        reading: of the TLS pass, not yet merged.
        spool: what was decrypted; plain bytes are added to it.
        log: where the records lie.
        report: the reading that gets the notes.
        items: scan bodies for XCCOS.
    """

    def read(offset: int, length: int) -> bytes:
        return spool.read(offset - PLAINTEXT, length)

    if not compression_agreed(reading):
        return
    run = _Pass(_keeping(spool, PLAINTEXT), items=items)
    for one in agreements(reading, read):
        if not log.has(one.flow):
            continue
        number = run.open(one)
        for side, chunk in log.events(one.flow, read):
            if chunk is None:
                run.gap(number, side, 0)
            else:
                run.feed(number, side, chunk)
    _finish(reading, report, run)


class _Keys:
    """The connections to look at, for the decoder of frames."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = set(keys)
        self.known: dict[bytes, bool] = {}

    def has(self, key: bytes) -> bool:
        """Tell whether a connection is one of them."""
        return key in self._keys or reversed_key(key) in self._keys


def _events(read: Read, keys: set[bytes], reassembler: Reassembler) -> Iterator[StreamEvent]:
    """Read the capture once more, for some connections."""
    reader = reader_for(read(0, HEAD_LENGTH))
    if isinstance(reader, Malformed):
        return
    decoder = FrameDecoder(_Keys(keys), bare=False)
    offset = 0
    while not reader.stopped and (data := read(offset, _CHUNK)):
        offset += len(data)
        frames = [one for one in reader.feed(data) if isinstance(one, Frame)]
        packets = decoder.feed(frames) if frames else []
        yield from reassembler.events([one for one in packets if isinstance(one, Segment)])
    last = [one for one in reader.close() if isinstance(one, Frame)]
    packets = [*decoder.feed(last), *decoder.close()]
    yield from reassembler.events([one for one in packets if isinstance(one, Segment)])
    yield from reassembler.close()


def _finish(reading: Reading, report: Reading, run: _Pass) -> None:
    """Put what was unpacked in the place of what was read before."""
    run.close()
    if not run.agreed:
        return
    _forget(reading, run)
    reading.stream_counters["bytes between messages"] += sum(
        side.junk - side.ordinary_junk for sides in run.sides for side in sides
    )
    merge(reading, run.reading)
    lines: list[str] = []
    for one, sides in zip(run.agreed, run.sides, strict=True):
        report.counters["decompressed connections"] += any(side.given for side in sides)
        lines += [
            f"{side.unread:,} bytes of frames {side.frames[0]} to {side.frames[1]} are SIP "
            f"compressed by MS-SIPCOMP ({one.scheme}), which could not be read: {side.why}."
            for side in sides
            if side.why is not None
        ]
    report.notes += lines[:SHOWN]
    if len(lines) > SHOWN:
        report.notes.append(f"{len(lines) - SHOWN:,} more directions with compressed SIP likewise.")


def _forget(reading: Reading, run: _Pass) -> None:
    """Take some connections out of a reading; their holes and conflicts go with them."""
    gone = {id(one.flow): number for number, one in enumerate(run.agreed)}
    streams: list[int] = []
    kept: list[Flow] = []
    moved: dict[int, int] = {}
    for old, flow in enumerate(reading.flows):
        if id(flow) in gone:
            moved |= {2 * old + side: 2 * gone[id(flow)] + side for side in (0, 1)}
            streams += [0, 0]
        else:
            streams += [2 * len(kept), 2 * len(kept) + 1]
            flow.number = len(kept)
            kept.append(flow)
    reading.flows = kept
    rows = reading.rows
    rows.finish()
    out = [row for row, stream in enumerate(rows.stream) if stream in moved]
    left = [row for row, stream in enumerate(rows.stream) if stream not in moved]
    rows.message_table.permute(out + left)
    rows.move(Rows(), len(out))
    renumber(rows.message_table.columns, ("stream",), streams)
    rows.finish()
    for mine, theirs in (
        (reading.holes, run.reading.holes),
        (reading.conflicts, run.reading.conflicts),
    ):
        theirs += [(moved[at], frame, size) for at, frame, size in mine if at in moved]
        mine[:] = [(streams[at], frame, size) for at, frame, size in mine if at not in moved]
