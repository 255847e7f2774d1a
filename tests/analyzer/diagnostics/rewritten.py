"""Captures of the corpus read message by message, changed in a few places, and written again.

    script = Script(named(FLOWS, "r2-signin-full"))
    script.refuse(script.at("INVITE sip:ocschat"), "480 Temporarily Unavailable")
    with script.opened(tmp_path) as trace:
        ...

Each message becomes a TCP segment of its own, on the addresses and at the time that it had.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer.diagnostics.table import RULES, diagnose
from analyzer.trace import open_capture
from dissectors.capture.writer import write_pcap
from dissectors.model import ACK, FIN, PSH, SYN
from tests.support.packets import Tcp, Udp, frames

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.diagnostics.rule import Finding
    from analyzer.diagnostics.thresholds import Thresholds
    from analyzer.trace import Trace

MS = 1_000_000
SECOND = 1000 * MS


@dataclass(frozen=True)
class Message:
    """One SIP message, as it lies on its connection."""

    raw: bytes
    time: int
    src: str
    dst: str

    @property
    def text(self) -> str:
        return self.raw.decode("utf-8", "replace")

    def header(self, name: str) -> str:
        found = re.search(rf"(?im)^{name}[ \t]*:[ \t]*([^\r\n]*)", self.text)
        return found[1] if found else ""


class Script:
    """The messages of a capture in order, to be changed; 60 s of silence follow them."""

    def __init__(self, path: Path) -> None:
        with open_capture(path, index=False) as trace:
            streams, rows = trace.streams, trace.rows
            self.messages = [
                Message(
                    trace.raw(row),
                    rows.time[row],
                    streams[rows.stream[row]].src,
                    streams[rows.stream[row]].dst,
                )
                for row in range(len(rows))
            ]
        self.quiet_s = 60.0
        self.closed_by: list[str] = []
        """Addresses that close their connections at the end, after the silence."""

    def at(self, *parts: str, after: int = -1) -> int:
        """Return the first message after another that has all of these parts."""
        return next(
            k
            for k in range(after + 1, len(self.messages))
            if all(part in self.messages[k].text for part in parts)
        )

    def final_of(self, request: int) -> int:
        """Return the final answer to a request."""
        asked = self.messages[request]
        return next(
            k
            for k in range(request + 1, len(self.messages))
            if re.match(r"SIP/2.0 [2-6]", self.messages[k].text)
            and self.messages[k].src == asked.dst
            and all(self.messages[k].header(n) == asked.header(n) for n in ("Call-ID", "CSeq"))
        )

    def cut(self, end: int) -> None:
        """Leave out this message and all that follow."""
        del self.messages[end:]

    def drop(self, *gone: int) -> None:
        """Leave out some messages."""
        self.messages = [one for k, one in enumerate(self.messages) if k not in gone]

    def change(self, at: int, old: str, new: str) -> None:
        """Replace a text in a message; the declared length of its body is set right."""
        text = self.messages[at].text
        assert old in text
        head, _, body = text.replace(old, new).partition("\r\n\r\n")
        length = len(body.encode())
        head = re.sub(r"(?im)^(Content-Length:) *\d+", rf"\1 {length}", head)
        self.messages[at] = replace(self.messages[at], raw=f"{head}\r\n\r\n{body}".encode())

    def change_all(self, old: str, new: str) -> None:
        """Replace a text in all messages that have it."""
        for at, message in enumerate(self.messages):
            if old in message.text:
                self.change(at, old, new)

    def answer(self, request: int, status: str, *headers: str) -> Message:
        """Return an answer to a message, 10 ms after it."""
        asked = self.messages[request]
        kept = [
            line
            for line in asked.text.partition("\r\n\r\n")[0].split("\r\n")[1:]
            if line.lower().startswith(("via:", "from:", "to:", "call-id:", "cseq:"))
        ]
        kept = [f"{k};tag=made" if k.startswith("To:") and ";tag=" not in k else k for k in kept]
        lines = [f"SIP/2.0 {status}", *kept, *headers, "Content-Length: 0", "", ""]
        raw = "\r\n".join(lines).encode()
        return Message(raw, asked.time + 10 * MS, asked.dst, asked.src)

    def refuse(self, request: int, status: str, *headers: str, stop: bool = True) -> None:
        """Let a request get another final answer; unless told otherwise nothing follows it."""
        final = self.final_of(request)
        made = self.answer(request, status, *headers)
        self.messages[final] = replace(made, time=self.messages[final].time)
        if stop:
            self.cut(final + 1)

    def add(self, raw: str, like: int, *, after_ms: float = 10) -> int:
        """Append a message on the connection and in the direction of another."""
        last, model = self.messages[-1], self.messages[like]
        time = last.time + round(after_ms * MS)
        data = raw.replace("\n", "\r\n").encode()
        self.messages.append(Message(data, time, model.src, model.dst))
        return len(self.messages) - 1

    def again(self, like: int, *, after_ms: float = 10, **headers: str) -> int:
        """Append a copy of a message with other headers."""
        text = self.messages[like].text
        for name, value in headers.items():
            shown = name.replace("_", "-")
            text = re.sub(rf"(?im)^{shown}: [^\r\n]*", f"{shown}: {value}", text)
        time = self.messages[-1].time + round(after_ms * MS)
        self.messages.append(replace(self.messages[like], raw=text.encode(), time=time))
        return len(self.messages) - 1

    def tried_before(self, request: int, status: str) -> list[Message]:
        """Return an earlier attempt at a request, under another Call-ID, and its answer."""
        model = self.messages[request]
        raw = re.sub(rb"(?i)(call-id: )", rb"\1first", model.raw)
        asked = replace(model, raw=raw, time=model.time - 3 * MS)
        call = f"Call-ID: first{model.header('Call-ID')}"
        answer = re.sub(r"Call-ID: [^\r\n]*", call, self.answer(request, status).text)
        return [asked, Message(answer.encode(), model.time - 2 * MS, model.dst, model.src)]

    def respond(self, request: int, status: str, *headers: str) -> int:
        """Append an answer."""
        made = self.answer(request, status, *headers)
        self.messages.append(replace(made, time=self.messages[-1].time + 10 * MS))
        return len(self.messages) - 1

    def opened(self, place: Path) -> Trace:
        """Write the capture and open it."""
        made = place / "rewritten.pcap"
        made.write_bytes(self.pcap())
        return open_capture(made, index=False)

    def pcap(self) -> bytes:
        """Return the bytes of the capture."""
        packets: list[Tcp | Udp] = []
        times: list[int] = []
        position: dict[tuple[str, str], int] = {}
        for one in sorted(self.messages, key=lambda message: message.time):
            way = (one.src, one.dst)
            if way not in position:
                position[way] = position[way[::-1]] = 1
                packets += [Tcp(*way, 0, SYN), Tcp(one.dst, one.src, 0, SYN | ACK)]
                times += [one.time - 2 * MS, one.time - MS]
            packets.append(Tcp(*way, position[way], ACK | PSH, one.raw))
            times.append(one.time)
            position[way] += len(one.raw)
        end = times[-1] + round(self.quiet_s * SECOND)
        for way, at in position.items():
            if way[0] in self.closed_by:
                packets.append(Tcp(*way, at, FIN | ACK))
                times.append(end)
        packets.append(Udp("192.0.2.1:9", "192.0.2.2:9", b"\0"))
        times.append(end)
        made = [
            frame._replace(time_ns=time) for frame, time in zip(frames(packets), times, strict=True)
        ]
        return write_pcap(made, link=1)

    def found(self, place: Path, thresholds: Thresholds | None = None) -> list[Finding]:
        """Return what the rules find in the changed capture."""
        with self.opened(place) as trace:
            if thresholds is None:
                return diagnose(trace)
            return diagnose(trace, thresholds)


def about(findings: list[Finding], *rules: str) -> list[Finding]:
    """Return the findings of some rules, of which each must exist."""
    assert set(rules) <= set(RULES)
    return [one for one in findings if one.rule in rules]


def ids(findings: list[Finding]) -> list[str]:
    """Return the ids of the rules that found something beyond a note, each once."""
    return sorted({one.rule for one in findings if one.severity != "note"})
