"""Text traces as captures: each message becomes a frame that carries it whole.

The one rule: bytes of a message are those that were on the wire, as far as the trace has them; how
many it lacks stands in the frame (its length on the wire). Which line a frame came from is kept.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.rows import Interned
from analyzer.sources.conversion import Conversion
from analyzer.sources.hosts import Hosts, split
from analyzer.sources.zones import corrected
from dissectors.capture.pdu_writer import pdu
from dissectors.capture.text.lines import TextDecoder
from dissectors.capture.text.values import Annotation, TextMessage
from dissectors.capture.writer import PcapngStream
from dissectors.model import Chunk, Frame, Malformed
from dissectors.sip.scan import HeadScanner
from dissectors.sip.stream import StreamReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from dissectors.capture.text.values import Record, TextReader
    from dissectors.sip.framed import Framed

EXPORTED_PDU = 252  # LINKTYPE_WIRESHARK_UPPER_PDU
MAX_ANNOTATIONS = 10_000
"""Diagnostic records that are kept; the rest is counted."""
MAX_WAITING = 256
"""Messages that are looked at for the name of the machine that wrote the trace."""
MAX_CONNECTIONS = 1 << 14
"""Of which a part of a message is held."""
_SIP, _SIPS = 5060, 5061  # RFC 3261 section 19.1.2


class TextConversion(Conversion):
    """A trace of one of the formats of ``dissectors.capture.text``."""

    unit = "line"

    def __init__(self, reader: TextReader, zone: tzinfo | None) -> None:
        super().__init__()
        self.kind = reader.name
        self._reader = reader
        self._zone = zone
        self._hosts = Hosts()
        self.hosts = self._hosts.names
        self._parts = Parts()
        self._counts: Counter[str] = Counter()
        self._number = 0
        self._last: int | None = None
        self._stream = PcapngStream()

    def pieces(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the pcapng."""
        yield self._stream.header()
        decoder = TextDecoder()
        local = Local()
        for data in raw:
            records = self._reader.feed(decoder.feed(data))
            yield from self.written(self._stream, self._frames(local.named(self._kept(records))))
        records = self._reader.feed(decoder.close()) + self._reader.close()
        rest = [*local.named(self._kept(records)), *local.close()]
        yield from self.written(self._stream, self._frames(rest))
        yield from self.written(self._stream, self._rest())
        for problem in decoder.malformed:
            self.problem(problem)
        if decoder.wrapped:
            self.notes.append(
                "Long lines of this trace were broken, as mail programs do; they are put together."
            )
        self._say()

    def _kept(self, records: Iterable[Record | Malformed]) -> Iterator[TextMessage]:
        """Keep annotations and problems; yield the messages."""
        for record in records:
            if isinstance(record, TextMessage):
                yield record
            elif isinstance(record, Malformed):
                self.problem(record)
            elif len(self.annotations) < MAX_ANNOTATIONS:
                self.annotations.append(self._dated(record))
            else:
                self._counts["annotations"] += 1

    def _dated(self, record: Annotation) -> Annotation:
        from dataclasses import replace

        return replace(record, time_ns=corrected(record.time_ns, self._zone))

    def _frames(self, messages: Iterable[TextMessage]) -> Iterator[Frame]:
        for message in messages:
            self._counts["masked"] += message.masked
            self._counts["cut"] += message.missing > 0 and not message.masked
            self._counts["local"] += not message.utc
            whole = (message,) if message.whole else self._parts.feed(message)
            self.machine = split(message.local)[0] if message.utc else ""
            self.machines.add(self.machine)
            for one in whole:
                yield self._frame(one)

    def _rest(self) -> Iterator[Frame]:
        for message in self._parts.close():
            yield self._frame(message)

    def _frame(self, message: TextMessage) -> Frame:
        local, peer = with_ports(message)
        ends = (local, peer) if message.outgoing else (peer, local)
        key = self._hosts.key(*ends)
        self._number += 1
        self.places.append(message.line)
        data = pdu(message.data, key, message.transport or "tcp", frame=message.line)
        time_ns = message.time_ns
        if not message.utc:
            time_ns = self._last = corrected(time_ns, self._zone, self._last)
        return Frame(
            self._number, time_ns, message.digits, EXPORTED_PDU, data, 0,
            len(data) + message.missing,
        )  # fmt: skip

    def _say(self) -> None:
        """Say what the trace as a whole lacks."""
        counts, notes = self._counts, self.notes
        if not (self._number or self.problems):
            notes.append(
                f"{self.kind} without a SIP message: what logs messages was not "
                "turned on, or did not get that far."
            )
        if counts["masked"]:
            notes.append(
                f"{_amount(counts['masked'], 'message body', 'message bodies')} of this trace "
                f"{'is' if counts['masked'] == 1 else 'are'} masked: what XCCOS said in them "
                "cannot be seen, and is not missing from the wire."
            )
        if counts["cut"]:
            notes.append(
                f"{_amount(counts['cut'], 'message', 'messages')} of this trace "
                f"{'is' if counts['cut'] == 1 else 'are'} not in it to the end."
            )
        if counts["local"] and self._zone is None:
            notes.append(
                "The times of this trace do not say their zone and are taken as UTC "
                "(--tz gives another one)."
            )
        if counts["annotations"]:
            notes.append(
                f"{_amount(counts['annotations'], 'diagnostic record', 'diagnostic records')} "
                f"beyond the first {MAX_ANNOTATIONS:,} are not shown."
            )
        if self._reader.experimental:
            notes.append(
                f"Reading of this format ({self.kind}) is experimental: its layout is known from "
                "descriptions alone."
            )


def _amount(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def with_ports(message: TextMessage) -> tuple[str, str]:
    """Return ``host:port`` of the local and the other side.

    A trace that names only its peer does not say on which port it was called: the port of SIP for
    the transport stands in, unless it is the peer's.
    """
    host, port = split(message.local)
    if not port:
        usual = _SIP if message.transport in ("udp", "tcp") else _SIPS
        port = 0 if split(message.peer)[1] in (_SIP, _SIPS) else usual
    return f"{_bracketed(host)}:{port}", message.peer


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class Local:
    """The name of the machine that wrote a trace, where its lines do not give it.

    A request that it sends has its own address in the topmost Via, and so has an answer that it
    gets (RFC 3261 sections 18.1.1 and 18.2.2). The first messages wait until one tells.
    """

    def __init__(self) -> None:
        self._waiting: list[TextMessage] = []
        self._name = ""
        self._settled = False

    def named(self, messages: Iterable[TextMessage]) -> Iterator[TextMessage]:
        """Yield the messages that have a local side now."""
        for message in messages:
            if message.local:
                yield message
                continue
            if not self._settled:
                self._waiting.append(message)
                self._name = own_host(message)
                if self._name or len(self._waiting) >= MAX_WAITING:
                    yield from self.close()
                continue
            yield message._replace(local=self._name)

    def close(self) -> Iterator[TextMessage]:
        """Yield those that waited."""
        self._settled = True
        self._name = self._name or "this-machine"
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            yield message._replace(local=self._name)


def own_host(message: TextMessage) -> str:
    """Return the host of the topmost Via where that is the local one; else an empty text."""
    head = message.data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    answer = head.startswith("SIP/2.0 ")
    if answer == message.outgoing:
        return ""
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() in ("via", "v"):
            sent_by = value.strip().partition(" ")[2].partition(";")[0].partition(",")[0]
            return split(sent_by)[0]
    return ""


class Parts:
    """Messages out of what was read from connections, or written to them, as a client logs it."""

    def __init__(self) -> None:
        strings: Interned[str] = Interned()
        cseqs: Interned[tuple[int, str]] = Interned()
        self._scanner = HeadScanner(strings, cseqs)
        self._readers: dict[tuple[str, str, bool, str], StreamReader] = {}
        self._latest: dict[tuple[str, str, bool, str], TextMessage] = {}
        self._number = 0

    def feed(self, part: TextMessage) -> list[TextMessage]:
        """Return the messages that a part completes."""
        at = (part.local, part.peer, part.outgoing, part.connection)
        reader = self._readers.get(at)
        if reader is None:
            if len(self._readers) >= MAX_CONNECTIONS:
                return []
            reader = self._readers[at] = StreamReader(self._scanner, whole=False)
        self._number += 1
        chunk = Chunk(0, part.data, self._number, part.time_ns, part.digits, 0)
        found = _made(part, reader.feed(chunk))
        if part.missing:
            found += _made(part, reader.gap(part.missing), part.missing)
        self._latest[at] = part
        return found

    def close(self) -> list[TextMessage]:
        """Return what the trace cuts off."""
        found: list[TextMessage] = []
        for at, reader in self._readers.items():
            found += _made(self._latest[at], reader.close())
        return found


def _made(part: TextMessage, framed: Iterable[Framed], missing: int = 0) -> list[TextMessage]:
    """Give messages the line, time and ends of the part that completes them."""
    return [part._replace(data=bytes(one.raw), whole=True, missing=missing) for one in framed]
