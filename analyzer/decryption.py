"""A further pass over a capture, for its TLS connections: what tshark decrypts becomes rows.

The one rule: what could not be read is said. A capture whose TLS stays closed, or breaks off, must
not look like one in which nothing was said.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.parallel import merge
from analyzer.reading import Reading
from analyzer.row_writer import RowWriter
from analyzer.sources import tls
from analyzer.sources.beside import key_log_beside
from analyzer.sources.files import SourceError
from analyzer.sources.spool import Spool
from dissectors.model import Chunk, reversed_key
from dissectors.sip.scan import HeadScanner
from dissectors.sip.stream import StreamReader
from dissectors.transport.services import service_of

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.flow import Flow
    from analyzer.reading import TlsConnection
    from analyzer.sources.files import Source
    from dissectors.sip.framed import Framed

HANDSHAKE, CLIENT_HELLO = 22, 1  # RFC 8446 5.1 and 4
_RANDOM = slice(11, 43)
# Frames in a sentence.
SHOWN = 8
# RFC 5246 6.2.3; with its head. Whatever waits longer for the end of a record waits in vain.
LARGEST_RECORD = 5 + 16_384 + 2_048


class _Side:
    """One direction."""

    __slots__ = ("fin", "lost", "reader", "started", "unread", "waiting")

    def __init__(self, scanner: HeadScanner) -> None:
        self.reader = StreamReader(scanner, whole=True)
        self.started = False
        """Something of it was decrypted."""
        self.waiting = 0
        """Bytes since the last whole record."""
        self.lost = 0
        """The first frame after bytes that were missing, while no record was completed since."""
        self.unread = 0
        """The first frame with application data that was not decrypted, while none was since."""
        self.fin = False

    @property
    def breaks_off(self) -> bool:
        """Tell at its end whether there is more in it than was decrypted."""
        return bool(self.unread or self.lost or self.waiting > LARGEST_RECORD)


class _Session:
    """What becomes of one TLS connection."""

    def __init__(self, connection: TlsConnection, scanner: HeadScanner) -> None:
        self.flow: Flow = connection.flow
        hello = connection.hello
        self.handshake = hello[:1] != b"\x17"
        """It begins with something else than application data."""
        is_hello = len(hello) > 5 and (hello[0], hello[5]) == (HANDSHAKE, CLIENT_HELLO)
        self.random = hello[_RANDOM] if is_hello and len(hello) >= _RANDOM.stop else None
        """Of the client; None where its hello is not at hand."""
        self.sides = (_Side(scanner), _Side(scanner))
        self.service: str | None = None
        """What it carries, where that is known not to be SIP."""
        self.records = 0

    @property
    def started(self) -> bool:
        """Something of it was decrypted."""
        return self.sides[0].started or self.sides[1].started

    @property
    def empty(self) -> bool:
        """All of it was seen, and it had nothing to tell."""
        whole = not any(side.breaks_off for side in self.sides)
        return bool(self.records) and not self.started and whole


class _Pass:
    """Takes the frames of tshark; ``reading`` is what they become."""

    def __init__(self, reading: Reading, plaintext: Spool, *, items: bool) -> None:
        self.reading = Reading()
        self.problem: str | None = None
        self.broken: list[int] = []
        """For each direction that breaks off, the frame from which on nothing was decrypted."""
        self._digits = reading.digits
        self._plaintext = plaintext
        self._writer = RowWriter(self.reading.rows, items=items)
        scanner = HeadScanner(self.reading.rows.strings, self.reading.rows.cseqs)
        self.sessions = [_Session(connection, scanner) for connection in reading.tls]
        self._by_key: dict[bytes, list[_Session]] = {}
        for session in sorted(self.sessions, key=lambda one: one.flow.first):
            self._by_key.setdefault(session.flow.key, []).append(session)

    def take(self, frame: tls.TlsFrame) -> None:
        """Take the next frame."""
        found = self._find(frame)
        if found is None:
            return
        session, number = found
        side, flow = session.sides[number], session.flow
        side.fin = side.fin or frame.fin
        flow.last = max(flow.last, frame.frame)
        flow.times[1] = max(flow.times[1], frame.time_ns)
        if frame.records:
            side.waiting = side.lost = 0
        elif frame.length and not frame.repeated:
            side.waiting += frame.length
            if frame.lost and not side.lost:
                side.lost = frame.frame
        session.records += frame.records
        for digits in frame.plain:
            if session.service is None and self.problem is None:
                self._record(session, number, frame, bytes.fromhex(digits.decode()))
        if frame.unread:
            side.unread = side.unread or frame.frame

    def close(self) -> None:
        """Say that no more frames will come."""
        for session in self.sessions:
            for number, side in enumerate(session.sides):
                if session.started and session.service is None and side.breaks_off:
                    # To the end of the connection: no answer in it would be seen.
                    self.broken.append(side.unread or side.lost or session.flow.last)
                    self._gap(session, number, session.flow.last)
                self._messages(session, number, side.reader.close())
                if side.reader.found:
                    self.reading.stream_counters["bytes between messages"] += side.reader.junk
                if side.fin and session.flow.ends[number] == "end":
                    session.flow.ends[number] = "fin"
        self.reading.rows.flush()

    def _find(self, frame: tls.TlsFrame) -> tuple[_Session, int] | None:
        """Return the connection that a frame belongs to, and its side."""
        for key in frame.keys:
            for number, wanted in enumerate((key, reversed_key(key))):
                known = self._by_key.get(wanted, ())
                for session in reversed(known):  # the same ports may have been used again
                    if session.flow.first <= frame.frame:
                        return session, number
        return None

    def _record(self, session: _Session, number: int, frame: tls.TlsFrame, data: bytes) -> None:
        side = session.sides[number]
        if not session.started:
            session.service = service_of(data)
        side.started = True
        if session.service is not None:
            return
        if side.unread:
            self._gap(session, number, frame.frame)
            side.unread = 0
        offset = tls.PLAINTEXT + self._plaintext.length
        self.problem = self._plaintext.write(data)
        if self.problem is not None:
            return
        chunk = Chunk(0, data, frame.frame, frame.time_ns, self._digits, offset)
        self._messages(session, number, side.reader.feed(chunk))
        if side.reader.hopeless:
            session.service = "unknown"

    def _gap(self, session: _Session, number: int, frame: int) -> None:
        side = session.sides[number]
        session.flow.holes += 1
        self._messages(session, number, side.reader.gap(0))
        if session.flow.number >= 0:
            self.reading.holes.append((2 * session.flow.number + number, frame, 0))

    def _messages(self, session: _Session, number: int, framed: list[Framed]) -> None:
        if not framed:
            return
        flow = session.flow
        if flow.number < 0:
            flow.transport = "tls"
            flow.number = len(self.reading.flows)
            self.reading.flows.append(flow)
        flow.note(number, framed)
        self._writer.write([(2 * flow.number + number, framed)])


def read_tls(
    reading: Reading, source: Source, keys: tls.KeyLog | None, *, items: bool = True
) -> Spool | None:
    """Add to ``reading`` what its TLS connections carry, and say what they keep to themselves.

    Args:
        reading: of the ordinary pass, settled; it is settled again.
        source: read to its end.
        keys: None where there are none at hand.
        items: scan bodies for XCCOS.

    Returns:
        What was decrypted, to be closed by the caller: ``DecryptedSource`` reads it.
    """
    if keys is None:
        _closed(reading, reading.services["TLS"], _NO_KEYS)
        return None
    if tls.tshark_path() is None:
        _closed(reading, reading.services["TLS"], _NO_TSHARK)
        return None
    try:
        plaintext = Spool()
    except OSError as error:
        _closed(
            reading, reading.services["TLS"], f"no temporary file can be made ({error.strerror})"
        )
        return None
    try:
        run = _Pass(reading, plaintext, items=items)
        randoms = {one.random for one in run.sessions if one.random is not None}
        covered, more = keys.known(randoms)
        unnamed = any(one.random is None and one.handshake for one in run.sessions)
        problem = _run(run, reading, source, keys) if covered or more or unnamed else None
        _tally(reading, run, covered, problem)
        merge(reading, run.reading)
        reading.settle()
    except BaseException:
        plaintext.close()
        raise
    return plaintext


def _run(run: _Pass, reading: Reading, source: Source, keys: tls.KeyLog) -> str | None:
    """Let tshark run over the capture; return what went wrong."""
    counts = Counter(int.from_bytes(session.flow.key[-2:], "big") for session in run.sessions)
    ports = [port for port, _ in counts.most_common()]
    try:
        with tls.Tshark(source.fileno(), keys, ports) as tshark:
            for frame in tshark:
                run.take(frame)
                if run.problem is not None:
                    break
    except OSError as error:
        return f"tshark cannot be run: {error.strerror}"
    run.close()
    # Of a damaged capture tshark complains too, after all that can be read of it.
    return run.problem or (None if reading.damaged else tshark.problem)


_NO_KEYS = "no key log (give one with --keylog, or put NAME.keylog beside the capture)"
_NO_TSHARK = "tshark is not installed (Debian: apt install tshark)"
_NO_HANDSHAKE = "their handshake was not captured, or not as a whole"
_NO_SECRETS = "the key log has no secrets for these connections"
_NO_FIT = "none of the keys fits"


def _closed(reading: Reading, count: int, why: str) -> None:
    if count:
        reading.notes.append(f"{_amount(count, 'TLS connection')} cannot be read: {why}.")


def _amount(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _tally(reading: Reading, run: _Pass, covered: set[bytes], problem: str | None) -> None:
    """Count what was read and what was not, and say why not."""
    reasons: Counter[str] = Counter()
    services = reading.services
    for session in run.sessions:
        if not session.started and not session.empty:
            reasons[problem or _reason(session, covered)] += 1
            continue
        services["TLS"] -= 1
        if session.started:
            reading.counters["decrypted tls connections"] += 1
        if session.flow.number < 0:
            carried = session.service or "unknown"
            services[f"{carried} in TLS" if session.started else "TLS without data"] += 1
    beyond = services["TLS"] - reasons.total()
    if beyond > 0:
        reasons[f"only the first {len(run.sessions):,} are looked at"] = beyond
    reading.services = +services
    for why, count in sorted(reasons.items()):
        _closed(reading, count, why)
    if problem is not None and not reasons:
        reading.notes.append(f"TLS may not have been read to its end: {problem}.")
    _breaks(reading, run.broken)


def _breaks(reading: Reading, frames: list[int]) -> None:
    """Name the places where directions break off."""
    if frames:
        where = ", ".join(map(str, sorted(frames)[:SHOWN]))
        more = ", ..." if len(frames) > SHOWN else ""
        reading.notes.append(
            f"{_amount(len(frames), 'direction')} of TLS connections cannot be read to the end "
            f"(frame {where}{more}): behind missing bytes nothing can be decrypted."
        )


def _reason(session: _Session, covered: set[bytes]) -> str:
    if not session.handshake:
        return _NO_HANDSHAKE
    if session.random is not None and session.random not in covered:
        return _NO_SECRETS
    unread = any(side.unread for side in session.sides)
    return _NO_FIT if unread or not session.records else _NO_HANDSHAKE


def key_log_of(path: str | Path, reading: Reading) -> tls.KeyLog | None:
    """Return the key log beside a capture, else the one in it; None where there is neither."""
    try:
        found = key_log_beside(path)
        if found is not None:
            return tls.open_key_log(found)
        return tls.embedded(reading.secrets) if reading.secrets else None
    except SourceError as error:
        reading.notes.append(f"{error}.")
        return None
