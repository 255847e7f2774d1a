"""A further pass over a capture, for its TLS connections: what tshark decrypts becomes rows.

The one rule: what could not be read is said. A capture whose TLS stays closed, or breaks off, must
not look like one in which nothing was said.

The connections are read once more and written down anew, record by record; tshark opens the
records, and what it finds is framed as if it had come over TCP. Segments, their order and what is
missing are thus judged by the same code as all else in the capture.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from analyzer.compression import RecordLog, read_compressed_records
from analyzer.parallel import merge
from analyzer.reading import Reading
from analyzer.row_writer import RowWriter
from analyzer.sources import tls
from analyzer.sources.spool import Spool
from analyzer.sources.tls_keys import found_keys, left_alone
from analyzer.tls_capture import PORT, CleanCapture
from analyzer.tls_reasons import Judge, breaks, tell
from analyzer.tls_sessions import Session, gather
from analyzer.tls_suites import garbled, is_ephemeral
from dissectors.model import Chunk
from dissectors.sip.scan import HeadScanner
from dissectors.transport.services import service_of

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.others import Beginning
    from analyzer.sources.files import Source
    from analyzer.sources.tls_keys import Keys, Secrets
    from dissectors.sip.framed import Framed


class _Pass:
    """Takes what tshark gives; ``reading`` is what it becomes."""

    def __init__(self, reading: Reading, plaintext: Spool | None, *, items: bool) -> None:
        self.reading = Reading()
        self.problem: str | None = None
        self.broken: list[int] = []
        """For each direction that breaks off, the frame from which on nothing was decrypted."""
        self.behind_holes = False
        """What comes is behind holes, of connections that survive them, and nothing else counts."""
        self._plaintext = plaintext
        self._writer = RowWriter(self.reading.rows, items=items)
        scanner = HeadScanner(self.reading.rows.strings, self.reading.rows.cseqs)
        self.sessions = _sessions(reading, scanner)
        self.log = RecordLog()

    def take(self, frame: tls.TlsFrame, clean: CleanCapture) -> None:
        """Take what became of the next record."""
        at = frame.number - 1
        if not 0 <= at < len(clean):
            return
        session, number = self.sessions[clean.session[at]], clean.side[at]
        behind = session.sides[number].behind
        later = behind is not None and at >= behind and session.survives_holes
        if later != self.behind_holes or (later and not session.started):
            return
        session.records += 1
        for digits in frame.plain:
            if session.service is None and self.problem is None:
                self._record(session, number, at, clean, bytes.fromhex(digits.decode()))
        if frame.unread:
            side = session.sides[number]
            side.unread = side.unread or clean.frame[at]

    @property
    def may_go_on(self) -> bool:
        """Tell whether there is more behind holes that can be read."""
        return any(
            session.started and session.survives_holes and session.service is None
            for session in self.sessions
            if any(side.holes for side in session.sides)
        )

    def close(self) -> None:
        """Say that no more will come."""
        for session in self.sessions:
            for number, side in enumerate(session.sides):
                if session.started and session.service is None and side.breaks_off:
                    # To the end of the connection: no answer in it would be seen.
                    self.broken.append(side.broken_at)
                    self._gap(session, number, session.flow.last)
                self._messages(session, number, side.reader.close())
                if side.reader.found:
                    self.reading.stream_counters["bytes between messages"] += side.reader.junk
        self.reading.rows.flush()

    def _record(
        self, session: Session, number: int, at: int, clean: CleanCapture, data: bytes
    ) -> None:
        side = session.sides[number]
        if not session.started:
            session.service = service_of(data)
        side.started = True
        if session.service is not None or self._plaintext is None:
            return
        passed = [hole for hole in side.holes if hole <= at]
        if side.unread or passed:
            self._gap(session, number, clean.frame[at])
            side.unread = 0
            del side.holes[: len(passed)]
        if passed and session.handshake.suite is not None:
            data = data[garbled(session.handshake.suite, session.handshake.version) :]
        if not data:
            return
        offset = tls.PLAINTEXT + self._plaintext.length
        self.problem = self._plaintext.write(data)
        if self.problem is not None:
            return
        chunk = Chunk(0, data, clean.frame[at], clean.time[at], clean.digits[at], offset)
        self.log.note(session.flow, number, chunk)
        self._messages(session, number, side.reader.feed(chunk))
        if side.reader.hopeless:
            session.service = "unknown"

    def _gap(self, session: Session, number: int, frame: int) -> None:
        side = session.sides[number]
        session.flow.holes += 1
        self.log.gap(session.flow, number)
        self._messages(session, number, side.reader.gap(0))
        if session.flow.number >= 0:
            self.reading.holes.append((2 * session.flow.number + number, frame, 0))

    def _messages(self, session: Session, number: int, framed: list[Framed]) -> None:
        if not framed:
            return
        flow = session.flow
        if flow.number < 0:
            flow.transport = "tls"
            flow.number = len(self.reading.flows)
            self.reading.flows.append(flow)
        flow.note(number, framed)
        self._writer.write([(2 * flow.number + number, framed)])


def _sessions(reading: Reading, scanner: HeadScanner) -> list[Session]:
    """Return the TLS connections, with what is at hand of their handshakes."""
    beginnings: dict[bytes, list[Beginning]] = {}
    for one in reading.others:
        if one.heads:
            beginnings.setdefault(one.key, []).append(one)
    found = []
    for number, connection in enumerate(reading.tls):
        session = Session(number, connection, scanner)
        first = connection.flow.first  # the same ports may have been used again
        known = beginnings.get(connection.flow.key, ())
        beginning = next((one for one in known if one.heads[0].frame >= first), None)
        if beginning is not None:
            session.peek(beginning)
        found.append(session)
    return found


def read_tls(
    reading: Reading,
    source: Source,
    keys: Keys | None,
    *,
    items: bool = True,
    path: str | Path = "-",
) -> Spool | None:
    """Add to ``reading`` what its TLS connections carry, and say what they keep to themselves.

    Args:
        reading: of the ordinary pass, settled; it is settled again.
        source: read to its end.
        keys: all that are at hand (``keys_for``); None where there are none.
        items: scan bodies for XCCOS.
        path: of the capture; a key log near it that was not used is pointed out.

    Returns:
        What was decrypted, to be closed by the caller: ``DecryptedSource`` reads it.
    """
    judge = Judge(keys or None)
    plaintext = _room(judge) if keys else None
    run = _Pass(reading, plaintext, items=items)
    if plaintext is None or not keys:
        tell(reading, run.sessions, judge)
        _point_out(reading, path, keys, judge)
        return None
    try:
        _open(run, source, keys, judge)
        tell(reading, run.sessions, judge)
        if run.broken:
            reading.notes.append(breaks(run.broken))
        _point_out(reading, path, keys, judge)
        read_compressed_records(run.reading, plaintext, run.log, reading, items=items)
        merge(reading, run.reading)
        reading.settle()
    except BaseException:
        plaintext.close()
        raise
    return plaintext


def _room(judge: Judge) -> Spool | None:
    """Return where decrypted bytes go; None where there is no use in trying."""
    if tls.tshark_path() is None:
        judge.problem = tls.no_tshark()
        return None
    try:
        return Spool()
    except OSError as error:
        judge.problem = f"no temporary file can be made ({error.strerror})"
        return None


def _open(run: _Pass, source: Source, keys: Keys, judge: Judge) -> None:
    """Let tshark open what the keys may open; the judge hears what went wrong."""
    randoms = {one.random or one.handshake.random for one in run.sessions}
    try:
        with closing(keys.gathered({one for one in randoms if one is not None})) as secrets:
            judge.secrets = secrets
            chosen = [one for one in run.sessions if _may_open(one, secrets, keys)]
            if chosen:
                with closing(Spool()) as spool:
                    clean = CleanCapture(spool)
                    gather(chosen, source, clean)
                    judge.problem = clean.problem or _run(run, clean, secrets, keys)
    except OSError as error:
        judge.problem = f"no temporary file can be made ({error.strerror})"
    run.close()


def _may_open(session: Session, secrets: Secrets, keys: Keys) -> bool:
    """Tell whether there may be a key for a connection: trying costs as much as reading it."""
    handshake = session.handshake
    random = session.random or handshake.random
    if random is None:
        return session.begins
    if random in secrets.known or secrets.unnamed:
        return True
    if handshake.is_tls13:
        return False
    # A session that is resumed has the secret of the connection that it began with.
    if handshake.may_resume or not handshake.answered:
        return bool(secrets.lines or keys.rsa)
    return bool(keys.rsa) and handshake.suite is not None and not is_ephemeral(handshake.suite)


def _run(run: _Pass, clean: CleanCapture, secrets: Secrets, keys: Keys) -> str | None:
    """Let tshark read what was written down anew; return what went wrong."""
    problem = _run_once(run, clean, secrets, keys)
    if problem is None and run.may_go_on:
        run.behind_holes = True
        problem = _run_once(run, clean, secrets, keys)
    return problem


def _run_once(run: _Pass, clean: CleanCapture, secrets: Secrets, keys: Keys) -> str | None:
    try:
        with tls.Tshark(
            clean.spool.fileno(), secrets.file, keys.rsa, port=PORT, behind_holes=run.behind_holes
        ) as tshark:
            for frame in tshark:
                run.take(frame, clean)
                if run.problem is not None:
                    break
    except OSError as error:
        return f"tshark cannot be run: {error.strerror}"
    return run.problem or tshark.problem


def _point_out(reading: Reading, path: str | Path, keys: Keys | None, judge: Judge) -> None:
    """Name a key log that was left alone, where another is needed."""
    if judge.problem is not None or not reading.services.get("TLS"):
        return
    found = left_alone(path, keys)
    if found is not None:
        reading.notes.append(f"There is a key log that TLS was not tried with: {found} (--keylog).")


def keys_for(path: str | Path, reading: Reading, given: Keys | None) -> Keys:
    """Return all keys for a capture, to be closed: what is given, beside it and in it.

    A key log that is given takes the place of one beside the capture. It stays open.
    """
    beside = given is None or not given.logs
    found = found_keys(path, reading.secrets, reading.notes, beside=beside)
    return found if given is None else found.joined(given)
