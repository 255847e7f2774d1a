"""Plain captures as the text traces that servers and clients would have written of them.

The layouts follow the excerpts that are public (Cisco's and Microsoft's pages for the SIP stack,
msxfaq.de for UCCAPI, the source and the real log of SIPE), not what the readers take. S4 is known
from recollection alone.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from random import Random  # noqa: TID251
from typing import TYPE_CHECKING, NamedTuple

from dissectors.capture.text.lines import TextDecoder
from dissectors.capture.text.values import Line
from dissectors.notes import HOLE, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.trace import Trace
    from dissectors.capture.text.values import Record, TextReader
    from dissectors.model import Malformed

FORMS = ("ocslogger", "cls", "snooper-copy", "uccapi", "s4", "sipe")
CLIENTS = ("uccapi", "sipe")
"""Forms that a client writes."""
MASK = "****MESSAGE BODY DELETED****"


class Seen(NamedTuple):
    """A message as the machine saw it that writes the trace."""

    time_ns: int
    outgoing: bool
    local: str
    peer: str
    transport: str
    raw: bytes

    @property
    def head(self) -> bytes:
        """With the empty line."""
        return self.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    @property
    def body(self) -> bytes:
        """What follows the empty line."""
        return self.raw.partition(b"\r\n\r\n")[2]

    def lines(self) -> list[str]:
        """Return the head's lines."""
        return text(self.head[:-4]).split("\n")

    def field(self, name: str) -> str:
        """Return the first value of a header field, or nothing."""
        for line in self.lines()[1:]:
            key, _, value = line.partition(":")
            if key.strip().lower() == name:
                return value.strip()
        return ""

    def is_hidden(self) -> bool:
        """Tell whether a masking trace hides its body: what people say is text/plain."""
        return bool(self.body) and self.field("content-type").startswith("text/plain")


def text(raw: bytes) -> str:
    """Return bytes as a log writes them: lines, and bytes that are no UTF-8 kept."""
    return raw.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


def server_of(trace: Trace) -> str:
    """Return ``ip:port`` of the server: the end of most messages' connections that was called."""
    counts: Counter[str] = Counter()
    for row in range(len(trace)):
        stream = trace.streams[trace.rows.stream[row]]
        counts[stream.dst if stream.from_opener else stream.src] += 1
    return counts.most_common(1)[0][0]


def view(trace: Trace, form: str) -> Callable[[str], bool]:
    """Return which ends are the machine that writes: a front end, or a client of it."""
    server = server_of(trace)
    host = server.rpartition(":")[0]
    if form not in CLIENTS:
        return lambda end: end == server
    hosts: Counter[str] = Counter()
    for stream in trace.streams:
        if stream.dst == server:
            hosts[stream.src.rpartition(":")[0]] += 1
    client = hosts.most_common(1)[0][0] if hosts else host
    if client == host:
        return lambda end: end != server
    return lambda end: end.rpartition(":")[0] == client


def seen(trace: Trace, form: str, host_of: Callable[[str], bool] | None = None) -> list[Seen]:
    """Return the messages that one machine has seen, in the order of the capture.

    Those that the capture has in part are left out: a program logs what it has.
    """
    own = host_of or view(trace, form)
    found = []
    for row in range(len(trace)):
        stream = trace.streams[trace.rows.stream[row]]
        outgoing, incoming = own(stream.src), own(stream.dst)
        if outgoing == incoming or trace.rows.notes[row] & (TRUNCATED | HOLE):
            continue
        local, peer = stream.src, stream.dst
        if incoming:
            local, peer = peer, local
        time_ns = trace.rows.time[row]
        found.append(Seen(time_ns, outgoing, local, peer, stream.transport, trace.raw(row)))
    return found


def write_trace(
    trace: Trace,
    form: str,
    *,
    seed: int = 0,
    encoding: str = "utf-8",
    newline: str = "\r\n",
    masked: bool = False,
    host_of: Callable[[str], bool] | None = None,
) -> bytes:
    """Return the trace that one machine of a capture would have written.

    Args:
        trace: the capture.
        form: one of ``FORMS``.
        seed: of what stands between the messages.
        encoding: ``utf-16`` has a byte-order mark.
        newline: line end of the log, whatever the messages had.
        masked: what people say is not in it (``uccapi``: left out; others: a placeholder).
        host_of: tells of an ``ip:port`` whether it is of the machine.
    """
    return encoded(
        written(seen(trace, form, host_of), form, seed, masked=masked), encoding, newline
    )


def written(
    messages: Iterable[Seen], form: str, seed: int = 0, *, masked: bool = False
) -> list[str]:
    """Return the lines of the trace of these messages."""
    writer = {"uccapi": Uccapi, "s4": S4, "sipe": Sipe}.get(form, Sipstack)
    return list(writer(form, Random(seed), masked=masked).lines(messages))


def encoded(lines: Iterable[str], encoding: str, newline: str) -> bytes:
    """Return lines as a file."""
    joined = "".join(line + newline for line in lines)
    if encoding == "utf-8":
        return joined.encode("utf-8", "surrogateescape")
    return joined.encode(encoding)


def records(reader: TextReader, lines: Iterable[str]) -> list[Record | Malformed]:
    """Return what a reader makes of the lines of a trace."""
    numbered = [Line(number, line, 0) for number, line in enumerate(lines, 1)]
    return [*reader.feed(numbered), *reader.close()]


def read_trace(
    data: bytes, make: Callable[[], TextReader], sizes: Iterable[int] = ()
) -> list[Record | Malformed]:
    """Return what a reader makes of a file that comes in pieces of these sizes, and the rest."""
    decoder, reader = TextDecoder(), make()
    found: list[Record | Malformed] = []
    at = 0
    for size in [*sizes, len(data)]:
        found += reader.feed(decoder.feed(data[at : at + size]))
        at += size
    return [*found, *reader.feed(decoder.close()), *reader.close()]


def _moment(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // 10**9, UTC).replace(
        microsecond=time_ns // 1000 % 10**6
    )


class Writer:
    """A log; ``chance`` decides about everything that is no message."""

    def __init__(self, form: str, chance: Random, *, masked: bool) -> None:
        self.form = form
        self.chance = chance
        self.masked = masked
        self.process = f"{chance.randrange(0x400, 0x4000):04X}"
        self.threads = [f"{chance.randrange(0x400, 0x4000):04X}" for _ in range(4)]
        self.time_ns = 0

    def lines(self, messages: Iterable[Seen]) -> Iterator[str]:
        """Yield the log line by line."""
        for one in messages:
            self.time_ns = one.time_ns
            yield from self.noise(self.chance.randrange(3))
            yield from self.message(one)
            yield from self.behind(one)
        yield from self.noise(2)

    def noise(self, count: int) -> Iterator[str]:
        """Yield lines of components."""
        raise NotImplementedError

    def message(self, one: Seen) -> Iterator[str]:
        """Yield a message."""
        raise NotImplementedError

    def behind(self, one: Seen) -> Iterator[str]:  # noqa: ARG002
        """Yield what the component says of a message."""
        yield from ()

    def shown(self, one: Seen, placeholder: str) -> str:
        """Return the body as it is shown."""
        return placeholder if self.masked and one.is_hidden() else text(one.body)


class Sipstack(Writer):
    """OCSLogger (the number of a processor), CLS (pool and server), and a numbered copy."""

    sequence = 0x1000

    def lines(self, messages: Iterable[Seen]) -> Iterator[str]:
        lines = super().lines(messages)
        if self.form != "snooper-copy":
            return lines
        return (f"{number}. {line}" for number, line in enumerate(lines, 1))

    def prefix(self, level: str, flag: str, place: str) -> str:
        """Return what a line begins with."""
        self.sequence += 1
        bracket = r"[pool01\fe01]" if self.form == "cls" else f"[{self.chance.randrange(4)}]"
        now = _moment(self.time_ns)
        stamp = f"{now:%m/%d/%Y-%H:%M:%S}.{now.microsecond // 1000:03}.{self.sequence:08x}"
        thread = self.chance.choice(self.threads)
        number = f"[{self.chance.randrange(2**32)}] " if self.form == "cls" else ""
        return f"TL_{level}({flag}) {bracket}{self.process}.{thread}::{stamp} ({place}){number}"

    def noise(self, count: int) -> Iterator[str]:
        for _ in range(count):
            place = "SIPStack,CRecvContext::ProcessCompletion:RecvContext.cpp(311)"
            yield f"{self.prefix('INFO', 'TF_COMPONENT', place)}( 0000000008A39D40 ) Exit"

    def message(self, one: Seen) -> Iterator[str]:
        start, *fields = one.lines()
        place = "SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(125)"
        yield self.prefix("INFO", "TF_PROTOCOL", place) + "$$begin_record"
        yield f"Trace-Correlation-Id: {self.chance.randrange(2**32)}"
        yield f"Instance-Id: {self.chance.randrange(2**24):08X}"
        edge = self.chance.choice(["", ';source="internal edge";destination="external edge"'])
        yield f"Direction: {'outgoing' if one.outgoing else 'incoming'}{edge}"
        yield f"Peer: {one.peer}"
        yield f"Message-Type: {'response' if start.startswith('SIP/2.0 ') else 'request'}"
        yield f"Start-Line: {start}"
        yield from fields
        yield from f"Message-Body: {self.shown(one, MASK) or '-'}".split("\n")
        yield "$$end_record"

    def behind(self, one: Seen) -> Iterator[str]:
        start = one.lines()[0]
        if not start.startswith(("SIP/2.0 403", "SIP/2.0 404", "SIP/2.0 5")):
            return
        place = "SIPStack,SIPAdminLog::TraceDiagRecord:SIPAdminLog.cpp(143)"
        yield self.prefix("ERROR", "TF_DIAG", place) + "$$begin_record"
        yield "Severity: error"
        yield "Text: The request was refused"
        yield "Result-Code: 0xc3e93c5e SIPPROXY_E_ROUTING"
        yield f"SIP-Start-Line: {start}"
        yield f"SIP-Call-ID: {one.field('call-id')}"
        yield f"SIP-CSeq: {one.field('cseq')}"
        yield f"Peer: {one.peer}"
        yield 'Data: destination="pool01.contoso.com";hop="1"'
        yield "$$end_record"


class S4(Sipstack):
    """What a UCMA application writes."""

    def noise(self, count: int) -> Iterator[str]:
        for _ in range(count):
            place = "S4,SipTransaction.ChangeState:siptransaction.cs(2213)"
            yield f"{self.prefix('VERBOSE', 'TF_COMPONENT', place)}[1] state changed"

    def message(self, one: Seen) -> Iterator[str]:
        place = "S4,SipMessage.DataLoggingHelper:sipmessage.cs(686)"
        yield f"{self.prefix('INFO', 'TF_PROTOCOL', place)}[{self.chance.randrange(2**32)}]"
        kind = {"tls": "Tls", "udp": "Udp"}.get(one.transport, "Tcp")
        way, arrow, sign = ("Outgoing", "->", ">") if one.outgoing else ("Incoming", "<-", "<")
        connection = f"c=[<Sip{kind}Connection_{one.local.rpartition(':')[2]}>]"
        yield f"{sign * 12}{way} SipMessage {connection}, {one.local}{arrow}{one.peer}"
        yield from text(one.head).removesuffix("\n").split("\n")
        if one.body:
            yield from self.shown(one, MASK).split("\n")
        yield f"------------EndOf{way} SipMessage"

    def behind(self, one: Seen) -> Iterator[str]:
        if one.lines()[0].startswith("SIP/2.0 5"):
            place = "S4,SipTransaction.OnError:siptransaction.cs(99)"
            prefix = self.prefix("ERROR", "TF_COMPONENT", place)
            yield f"{prefix}failed 0x80131500 Call-ID: {one.field('call-id')}"


class Uccapi(Writer):
    """What Communicator and Lync write."""

    def prefix(self, thread: str, level: str = "INFO") -> str:
        """Return what a line begins with."""
        now = _moment(self.time_ns)
        blanks = " " * self.chance.randrange(1, 3)
        stamp = f"{now:%m/%d/%Y|%H:%M:%S}.{now.microsecond // 1000:03}"
        return f"{stamp} {self.process}:{thread} {level}{blanks}:: "

    def noise(self, count: int) -> Iterator[str]:
        for _ in range(count):
            yield self.prefix(self.chance.choice(self.threads[1:]), "TRACE") + (
                "CUccServerEndpoint::OnTimer - 0x0A9E2C78"
            )

    def message(self, one: Seen) -> Iterator[str]:
        hidden = self.masked and one.is_hidden()
        return self.packet(one, text(one.head if hidden else one.raw), len(one.raw))

    def packet(self, one: Seen, shown: str, length: int) -> Iterator[str]:
        """Yield what was written to a connection or read from it, at once."""
        thread = self.threads[0]
        ends = (
            f"Sending Packet - {one.peer} (From Local Address: {one.local}) {length} bytes"
            if one.outgoing
            else f"Data Received -{one.peer} (To Local Address: {one.local}) {length} bytes"
        )
        yield f"{self.prefix(thread)}{ends}:"
        yield from self.noise(self.chance.randrange(2))
        first, *rest = shown.removesuffix("\n").split("\n")
        yield self.prefix(thread) + first
        yield from rest
        yield from self.noise(self.chance.randrange(2))
        yield f"{self.prefix(thread)}End of {ends}"

    def behind(self, one: Seen) -> Iterator[str]:
        if one.lines()[0].startswith(("SIP/2.0 4", "SIP/2.0 5")):
            yield self.prefix(self.threads[0], "ERROR") + (
                f"SIP_MSG_PROCESSOR::OnResponse - failed 0x80EF01F4 Call-ID: {one.field('call-id')}"
            )


class Sipe(Writer):
    """What Pidgin writes with ``--debug --unsafe-debug``."""

    connections: dict[tuple[str, str], str]

    def prefix(self, category: str = "sipe") -> str:
        """Return what a line begins with."""
        return f"({_moment(self.time_ns):%H:%M:%S}) {category}: "

    def lines(self, messages: Iterable[Seen]) -> Iterator[str]:
        self.connections = {}
        yield "(00:00:00) prefs: Reading /home/ann/.purple/prefs.xml"
        yield from super().lines(messages)

    def noise(self, count: int) -> Iterator[str]:
        for _ in range(count):
            yield f"{self.prefix()}sipe_schedule_allocate timeouts count 1 after addition"

    def message(self, one: Seen) -> Iterator[str]:
        ends = (one.local, one.peer)
        if ends not in self.connections:
            pointer = f"0x5563b352{len(self.connections):04x}"
            self.connections[ends] = pointer
            yield f"{self.prefix()}transport_get_socket_info: {one.local}({pointer})"
            yield f"{self.prefix()}sip_transport_connected: '{one.peer}'({pointer})"
        sign = (">" if one.outgoing else "<") * 10
        now = _moment(one.time_ns)
        fraction = f".{now.microsecond:06}" if now.microsecond else ""
        mark = f"{sign} SIP({self.connections[ends]}) - {now:%Y-%m-%dT%H:%M:%S}{fraction}Z"
        yield self.prefix()
        yield f"MESSAGE START {mark}"
        # One line end after the head's own and one after the body, also after one of no bytes.
        shown = text(one.raw) + "\n" if one.outgoing else f"{text(one.head)}{text(one.body)}\n"
        yield from shown.removesuffix("\n").split("\n")
        yield f"MESSAGE END {mark}"
