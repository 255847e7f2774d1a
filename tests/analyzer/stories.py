"""Traces made of messages written down in a test, without a capture file.

    story = Story()
    ann = story.connect("10.0.0.1:50000")
    invite = ann.asks("INVITE", "ann", "ocschat", call="c1")
    ann.answered(invite, 200, to_tag="s1")
    ann.told("INFO", "ocschat", "ann", call="c1", body=rpl("requri", ("7", "1")))

Rows are written from the bytes of the messages; ``trace()`` gives what ``analyse`` takes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partialmethod
from typing import TYPE_CHECKING, cast
from zlib import crc32

from analyzer.quality import Hole
from analyzer.rows import Connection, Rows, Stream
from dissectors.model import Malformed
from dissectors.sip.parse import parse_message
from dissectors.xccos.reader import read_document
from dissectors.xccos.scan import scan_items

if TYPE_CHECKING:
    from analyzer.quality import OtherConnection
    from analyzer.trace import Trace
    from dissectors.dns import NameQuery
    from dissectors.sip.messages import SipMessage
    from dissectors.xccos.messages import XccosDocument

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000
FRONT_END = "10.0.0.9:5060"


def uri(name: str) -> str:
    """Return the URI of a user or service; what is a URI already stays as it is."""
    return name if ":" in name else f"sip:{name}@example.com"


@dataclass(frozen=True)
class Quality:
    """The part of a trace's quality that meaning looks at."""

    holes: tuple[Hole, ...]
    last_time: int
    others: tuple[OtherConnection, ...] = ()
    queries: tuple[NameQuery, ...] = ()
    annotations: tuple[()] = ()


@dataclass
class Said:
    """A message as it was said: what its answer needs."""

    row: int
    method: str
    headers: dict[str, str]
    vias: list[str]
    up: bool


@dataclass
class Wire:
    """A connection: its opener ``asks``, and is ``told``."""

    story: Story
    number: int
    opener: str
    responder: str
    transport: str = "tcp"
    syn_seen: bool = True
    ends: tuple[str, str] = ("end", "end")
    messages: list[int] = field(default_factory=lambda: [0, 0])

    def asks(
        self,
        method: str,
        sender: str,
        recipient: str,
        *,
        up: bool = True,
        call: str,
        cseq: int = 1,
        from_tag: str | None = "a",
        to_tag: str | None = None,
        via: list[str] | None = None,
        epid: str | None = None,
        body: str = "",
        headers: dict[str, str] | None = None,
    ) -> Said:
        """Send a request from the opener."""
        tag = f";tag={from_tag}" if from_tag else ""
        fields = {
            "From": f"<{uri(sender)}>{tag}" + (f";epid={epid}" if epid else ""),
            "To": f"<{uri(recipient)}>" + (f";tag={to_tag}" if to_tag else ""),
            "Call-ID": call,
            "CSeq": f"{cseq} {method}",
        }
        fields |= headers or {}
        vias = ["SIP/2.0/TCP 10.0.0.1:50000"] if via is None else via
        start = f"{method} {uri(recipient)} SIP/2.0"
        row = self.story.say(self, start, vias, fields, body, up)
        return Said(row, method, fields, vias, up)

    told = partialmethod(asks, up=False)
    """Send a request to the opener."""

    def answered(
        self,
        said: Said,
        status: int,
        reason: str = "OK",
        *,
        to_tag: str | None = None,
        vias: list[str] | None = None,
        wire: Wire | None = None,
        **headers: str,
    ) -> int:
        """Answer a request, on another connection if ``wire`` says so; return the row."""
        fields = dict(said.headers)
        if to_tag is not None and ";tag=" not in fields["To"]:
            fields["To"] += f";tag={to_tag}"
        for name in ("User-Agent", "Expires"):
            fields.pop(name, None)
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        start = f"SIP/2.0 {status} {reason}"
        wire = wire or self
        return wire.story.say(wire, start, vias or said.vias, fields, "", not said.up)


class Story:
    """What was said, in the order of capture; every message takes ``step_ms``."""

    def __init__(self, step_ms: int = 1) -> None:
        self.step_ms = step_ms
        self.now = START_NS
        self.rows = Rows()
        self.wires: list[Wire] = []
        self.raws: list[bytes] = []
        self.holes: list[Hole] = []
        self._items = 0
        self.quiet_after_ms = 60_000
        """How long the capture goes on after the last message."""

    def connect(
        self,
        opener: str = "10.0.0.1:50000",
        responder: str = FRONT_END,
        *,
        transport: str = "tcp",
        syn_seen: bool = True,
        ends: tuple[str, str] = ("end", "end"),
    ) -> Wire:
        """Open a connection."""
        number = len(self.wires)
        wire = Wire(self, number, opener, responder, transport, syn_seen, ends)
        self.wires.append(wire)
        return wire

    def wait(self, milliseconds: int) -> None:
        """Let time go by."""
        self.now += milliseconds * MS

    def hole(self, wire: Wire, *, up: bool = True) -> None:
        """Lose bytes of a connection before the next message."""
        self.holes.append(Hole(2 * wire.number + (0 if up else 1), len(self.raws) + 1, 100))

    def say(
        self, wire: Wire, start: str, vias: list[str], fields: dict[str, str], body: str, up: bool
    ) -> int:
        """Write one message and its row; return the row."""
        data = body.encode()
        lines = [start, *(f"Via: {via}" for via in vias)]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        lines += [f"Content-Length: {len(data)}", "", ""]
        raw = "\r\n".join(lines).encode() + data
        self.wait(self.step_ms)
        self.raws.append(raw)
        wire.messages[0 if up else 1] += 1
        self._row(raw, 2 * wire.number + (0 if up else 1))
        return len(self.raws) - 1

    def _row(self, raw: bytes, stream: int) -> None:
        message = parse_message(raw, stream=True)
        assert not isinstance(message, Malformed)
        string = self.rows.strings.id
        sender, recipient, vias = message.from_, message.to, message.vias
        scanned = scan_items(message.body, message.content_type)
        items = scanned[0] if scanned is not None else []
        values: dict[str, int] = {
            "time": self.now,
            "digits": 6,
            "frame": len(self.raws),
            "stream": stream,
            "status": -1 if message.status is None else message.status,
            "method": string(message.cseq_method),
            "reason": string(message.reason),
            "uri": string(message.uri),
            "call_id": string(message.call_id),
            "cseq": self.rows.cseqs.id(message.cseq),
            "from_uri": string(sender.uri if sender else None),
            "from_tag": string(sender.tag if sender else None),
            "to_uri": string(recipient.uri if recipient else None),
            "to_tag": string(recipient.tag if recipient else None),
            "content_type": string(message.content_type),
            "content_length": -1 if message.content_length is None else message.content_length,
            "length": len(raw),
            "notes": message.notes,
            "branch": crc32((vias[0].branch or "").encode()) if vias else 0,
            "vias": len(vias),
            "item": self._items,
            "items": len(items),
        }
        names = [name for name, _ in self.rows.MESSAGE]
        self.rows.message_table.append(tuple(values.get(name, 0) for name in names))
        for element, id_, seqid, envid, command, code, text in items:
            of = command or (None, None)
            texts = (element, id_, seqid, envid, *of)
            self.rows.item_table.append(
                (*map(string, texts), command is not None, string(code), string(text))
            )
        self._items += len(items)

    def trace(self) -> Trace:
        """Return the trace."""
        self.rows.finish()
        return cast("Trace", StoryTrace(self))


class StoryTrace:
    """As much of a ``Trace`` as meaning uses."""

    def __init__(self, story: Story) -> None:
        self._raws = story.raws
        self.rows = story.rows
        self.streams: list[Stream] = []
        self.connections: list[Connection] = []
        for wire in story.wires:
            ends = (wire.opener, wire.responder)
            for up, (src, dst) in ((True, ends), (False, ends[::-1])):
                self.streams.append(
                    Stream(src, dst, wire.transport, wire.number, up, wire.syn_seen)
                )
            self.connections.append(
                Connection(
                    *(wire.number, *ends, wire.transport, wire.syn_seen, 1, len(story.raws)),
                    *(START_NS, story.now, wire.ends, 0, (wire.messages[0], wire.messages[1])),
                )
            )
        self.quality = Quality(tuple(story.holes), story.now + story.quiet_after_ms * MS)

    inputs: tuple[()] = ()
    has_lines = False

    def seen_until(self, _: int) -> int:
        """Return when the capture ends."""
        return self.quality.last_time

    def unseen(self, _: int) -> tuple[int, ...]:
        """Return nothing: there is one input."""
        return ()

    def raw(self, row: int) -> bytes:
        """Return the bytes of a message."""
        return self._raws[row]

    def message(self, row: int) -> SipMessage | Malformed:
        """Return a message, parsed."""
        return parse_message(self._raws[row], stream=True)

    def document(self, row: int) -> XccosDocument | Malformed | None:
        """Return the XCCOS document of a message."""
        message = self.message(row)
        assert not isinstance(message, Malformed)
        return read_document(message.body, message.content_type)


def envelope(envid: str, *items: str) -> str:
    """Return an XCCOS document."""
    inside = "".join(items)
    return f'<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="{envid}">{inside}</xccos>'


def cmd(name: str, seqid: str = "1", data: str = "") -> str:
    """Return a command."""
    return f'<cmd id="cmd:{name}" seqid="{seqid}"><data>{data}</data></cmd>'


def rpl(
    name: str, to: tuple[str, str] | None = None, data: str = "", code: str | None = "200"
) -> str:
    """Return a reply to the command ``(envid, seqid)``; without one it names none."""
    command = "" if to is None else f'<commandid seqid="{to[1]}" envid="{to[0]}"/>'
    resp = "" if code is None else f'<resp code="{code}">TEXT</resp>'
    return f'<rpl id="rpl:{name}" seqid="1">{command}{resp}<data>{data}</data></rpl>'


def post(room: str = "ma-chan://example.com/1", author: str = "ann") -> str:
    """Return a chat message."""
    return (
        f'<grpchat id="grpchat" seqid="1" chanUri="{room}" author="{uri(author)}" '
        'ts="2026-11-22T07:20:06Z"><chat>hello</chat></grpchat>'
    )
