"""S4 traces: how applications on the UCMA platform, chat servers among them, log their SIP.

The one rule: this layout is known from recollection alone, so whatever has its two marks is read,
however its lines begin::

    TL_INFO(TF_PROTOCOL) [0]0B40.1438::09/26/2012-09:51:54.562.000000b6 (S4,SipMessage.
        DataLoggingHelper:sipmessage.cs(686))[2733563912]
    >>>>>>>>>>>>Outgoing SipMessage c=[<SipTlsConnection_2C6A2F0>], 10.0.0.1:5061->10.0.0.2:51000
    INFO sip:ann@contoso.com SIP/2.0
    ...
    ------------EndOfOutgoing SipMessage

(the first two lines are one). The local side stands first, whichever way the arrow points.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.capture.text.diagnostics import TraceLine, line_annotation, trace_line
from dissectors.capture.text.raw_sip import MAX_RECORD, messages_in, topmost_via
from dissectors.capture.text.values import TextMessage
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.capture.text.raw_sip import Rebuilt
    from dissectors.capture.text.values import Line, Record

MAX_ANNOTATIONS = 10_000
"""Of one trace, as of the other formats."""

_BEGIN = re.compile(
    r"(?:>{3,}|<{3,})\s*(Outgoing|Incoming) SipMessage\b(?:\s*c=\[<?([^\]>]{0,255})>?\])?(.{0,600})"
)
_ENDS = re.compile(r"[\s,]*(\S{1,255}?)\s*(?:->|<-)\s*(\S{1,255})")
_END = re.compile(r"-{3,}\s*EndOf(Outgoing|Incoming)(?: SipMessage)?")
_TRANSPORTS = {"tls": "tls", "tcp": "tcp", "udp": "udp"}


@dataclass(slots=True)
class _Open:
    """A message whose end has not been seen."""

    line: int
    prefix: TraceLine | None
    outgoing: bool
    connection: str
    local: str
    peer: str
    lines: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        """Take a line of its text."""
        self.size += len(text) + 1
        if self.size <= MAX_RECORD:
            self.lines.append(text)


class S4Reader:
    """Reads such a trace; see ``dissectors.capture.text.values.TextReader``."""

    name = "S4 trace (UCMA)"
    experimental = True

    def __init__(self) -> None:
        self._prefix: TraceLine | None = None
        self._open: _Open | None = None
        self._out: list[Record | Malformed] = []
        self._annotations = 0
        self._undated = False

    def feed(self, lines: Sequence[Line]) -> list[Record | Malformed]:
        """Take the next lines; return what they complete."""
        for line in lines:
            text = line.text
            place = text.find("TL_", 0, 256)
            prefix = trace_line(text, line.number, place) if place >= 0 else None
            if prefix is not None:
                self._prefixed(prefix)
                text = prefix.rest
            elif "SipMessage" in text:
                text = text.strip()
            # Inside a line, the words may be those of somebody's message.
            look = _BEGIN.match if prefix is None else _BEGIN.search
            if "SipMessage" in text and self._marked(line.number, text, look(text, 0, 1024)):
                continue
            if self._open is not None and prefix is None:
                self._open.add(text)
        out, self._out = self._out, []
        return out

    def close(self) -> list[Record | Malformed]:
        """Return what the end of the trace cuts off."""
        self._finish(ended=False)
        out, self._out = self._out, []
        return out

    def _prefixed(self, prefix: TraceLine) -> None:
        """Take the prefix of a line: it ends a message of the same thread."""
        self._prefix = prefix
        if self._open is not None:
            before = self._open.prefix
            if before is None or before.thread == prefix.thread:
                self._finish(ended=False)
        annotation = line_annotation(prefix) if self._annotations < MAX_ANNOTATIONS else None
        if annotation is not None:
            self._annotations += 1
            self._out.append(annotation)

    def _marked(self, number: int, text: str, begin: re.Match[str] | None) -> bool:
        """Take a line that begins or ends a message."""
        end = _END.match(text)
        if end is not None:
            if self._open is None:
                reason = f"the beginning of an {end[1].lower()} message is not in the trace"
                self._out.append(Malformed("capture", reason, frame=number))
            self._finish(ended=True)
            return True
        if begin is None:
            return False
        self._finish(ended=False)
        ends = _ENDS.match(begin[3])
        local, peer = (ends[1], ends[2]) if ends else ("", "")
        line = self._prefix.number if self._prefix else number
        if self._prefix is None and not self._undated:
            self._undated = True
            reason = "a message without a line that says when it was; others like it are not told"
            self._out.append(Malformed("capture", reason, frame=number))
        outgoing = begin[1] == "Outgoing"
        self._open = _Open(line, self._prefix, outgoing, begin[2] or "", local, peer)
        return True

    def _finish(self, *, ended: bool) -> None:
        """Say what the open message was."""
        record, self._open = self._open, None
        if record is None:
            return
        found = messages_in(record.lines, ended=ended)
        if not found:
            if any(text.strip() for text in record.lines):
                self._malformed(record, "does not begin with a start line")
            return
        if record.size > MAX_RECORD:
            self._malformed(record, "is longer than is read")
        elif not ended and (found[0].missing or found[0].headless):
            self._malformed(record, "is not in the trace to its end")
        self._out.append(_message(record, found[0], ended=ended))

    def _malformed(self, record: _Open, what: str) -> None:
        way = "outgoing" if record.outgoing else "incoming"
        self._out.append(Malformed("capture", f"an {way} message {what}", frame=record.line))


def _message(record: _Open, one: Rebuilt, *, ended: bool) -> TextMessage:
    prefix = record.prefix
    name = record.connection.lower()
    named = next((value for key, value in _TRANSPORTS.items() if key in name), "")
    return TextMessage(
        time_ns=prefix.time_ns if prefix else 0,
        digits=prefix.digits if prefix else 0,
        utc=False,
        line=record.line,
        outgoing=record.outgoing,
        local=record.local,
        peer=record.peer,
        transport=topmost_via(one.data)[0] or named,
        data=one.data,
        missing=one.missing,
        masked=one.notice or (one.absent and ended),
        connection=record.connection,
    )
