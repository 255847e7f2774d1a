"""A further pass, for connections on which compression was agreed: packets become rows.

The one rule: what could not be read is said, and is a hole of its direction. No answer is missing
that may lie in bytes that stayed compressed. What the ordinary pass made of those bytes is
forgotten: its rows of these connections, and the bytes that it found between messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compression_again import read_again
from analyzer.compression_agreed import (
    METHOD,
    Agreement,
    agreements,
    compression_agreed,
    may_be_compressed,
)
from analyzer.compression_proof import proved
from analyzer.compression_side import Side
from analyzer.compression_source import UNPACKED, UnpackedSource
from analyzer.parallel import merge
from analyzer.reading import Reading, renumber
from analyzer.row_writer import RowWriter
from analyzer.rows import Rows
from analyzer.sources.spool import Spool
from analyzer.sources.tls import PLAINTEXT
from dissectors.sip.scan import HeadScanner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.compression_side import Keep
    from analyzer.flow import Flow
    from analyzer.sources.files import Source
    from analyzer.sources.tls import DecryptedSource
    from dissectors.model import Chunk
    from dissectors.sip.framed import Framed

    Read = Callable[[int, int], bytes]

# Directions that are named one by one.
SHOWN = 8


class RecordLog:
    """Of TLS connections that begin with NEGOTIATE, or its answer, where the records lie."""

    def __init__(self) -> None:
        self._events: dict[int, list[tuple[int, Chunk | None]]] = {}
        self._heard: set[int] = set()

    def note(self, flow: Flow, side: int, chunk: Chunk) -> None:
        """Remember a record: not its bytes, which are in the spool."""
        known = id(flow)
        if known not in self._heard:
            self._heard.add(known)
            if METHOD.encode() in chunk.data:
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
        first.peer, second.peer = second, first
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
    if not may_be_compressed(reading):
        return source
    known = agreements(reading, source.read)
    agreed = [one for one in known if one.flow.transport == "tcp"]
    agreed += proved(reading, source.read, known)
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
        read_again(agreed, source.read, run)
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
