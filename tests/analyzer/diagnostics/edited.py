"""Captures of the corpus edited message by message, and what a rule finds in them.

    findings = found("GC302", tmp_path, "r2-signin-full", resaid("rpl:getinv", b'"200"', b'"500"'))

An edit gets the messages of the capture in order and gives those of the new one. TCP connections
with SIP are written anew, every message in a segment of its own; all other frames stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from analyzer.diagnostics.table import DEFAULTS, RULES, diagnose
from analyzer.trace import open_capture
from dissectors.capture.detect import reader_for
from dissectors.capture.writer import write_pcap
from dissectors.model import ACK, PSH, SYN, Frame, Malformed
from tests.analyzer.truths import CAPTURES, FLOWS, named
from tests.support.packets import Tcp, frames

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.diagnostics.rule import Finding
    from analyzer.diagnostics.thresholds import Thresholds

MS = 1_000_000
SECOND = 1000 * MS


@dataclass(frozen=True)
class Said:
    """A message of a capture."""

    raw: bytes
    time: int
    src: str
    dst: str
    connection: int
    items: tuple[str, ...]
    """Ids of its XCCOS items: ``cmd:join``, ``grpchat`` ..."""
    status: int | None
    method: str
    answers: tuple[str, ...] = field(default=())
    """Of an answer: the ids of the items in the request."""

    @property
    def up(self) -> bool:
        """It is from a client: a port that is nobody's service."""
        return not self.src.endswith((":5060", ":5061"))

    @property
    def first(self) -> str:
        """The first item, or nothing."""
        return self.items[0] if self.items else ""

    def later(self, milliseconds: float) -> Said:
        """Return it later (or earlier)."""
        return replace(self, time=self.time + round(milliseconds * MS))

    def sub(self, old: bytes, new: bytes) -> Said:
        """Return it with a pattern replaced, Content-Length right again."""
        raw, count = re.subn(old, new, self.raw)
        assert count, f"{old!r} is not in the message"
        return replace(self, raw=measured(raw))

    def body(self, body: bytes) -> Said:
        """Return it with another body."""
        return replace(self, raw=measured(self.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body))


Edit = Callable[[list[Said]], list[Said]]


def measured(raw: bytes) -> bytes:
    """Return a message with the Content-Length that its body has."""
    head, _, body = raw.partition(b"\r\n\r\n")
    length = b"Content-Length: %d" % len(body)
    head = re.sub(rb"(?i)content-length: *\d+", length, head)
    return head + b"\r\n\r\n" + body


def path_of(name: str) -> Path:
    """Return the capture of a name."""
    return named([*FLOWS, *CAPTURES], name)


@cache
def frames_of(path: Path) -> tuple[Frame, ...]:
    """Return the frames of a capture."""
    data = path.read_bytes()
    reader = reader_for(data[:512])
    assert not isinstance(reader, Malformed)
    found = [*reader.feed(data), *reader.close()]
    return tuple(one for one in found if isinstance(one, Frame))


@cache
def messages_of(path: Path) -> tuple[tuple[Said, ...], frozenset[int]]:
    """Return the messages of a capture, and the ports of its SIP connections' openers."""
    with open_capture(path, index=False) as trace:
        rows, value, found = trace.rows, trace.rows.strings.values, []
        analysis = trace.analysis()
        for row in range(len(rows)):
            stream = trace.streams[rows.stream[row]]
            index = analysis.transaction_of.get(row)
            request = None if index is None else analysis.transactions[index].request
            asked = () if request is None else tuple(one.id or "" for one in rows.xccos(request))
            found.append(
                Said(
                    trace.raw(row), rows.time[row], stream.src, stream.dst, stream.connection,
                    tuple(one.id or "" for one in rows.xccos(row)),
                    None if rows.status[row] < 0 else rows.status[row],
                    value[rows.method[row]] or "",
                    asked if rows.status[row] >= 0 else (),
                )
            )  # fmt: skip
        ports = {int(one.opener.rpartition(":")[2]) for one in trace.connections}
    return tuple(found), frozenset(ports)


def write(place: Path, path: Path, edit: Edit, more: Sequence[Frame] = ()) -> Path:
    """Write an edited capture, with some frames more, and return its path."""
    said, ports = messages_of(path)
    messages = sorted(edit(list(said)), key=lambda one: one.time)
    packets: list[tuple[int, Tcp]] = []
    sent: dict[tuple[int, str], int] = {}
    for one in messages:
        if (one.connection, one.src) not in sent:
            sent[one.connection, one.src] = sent[one.connection, one.dst] = 1001
            opener, other = (one.src, one.dst) if one.up else (one.dst, one.src)
            packets.append((one.time - 2, Tcp(opener, other, 1000, SYN)))
            packets.append((one.time - 1, Tcp(other, opener, 1000, SYN | ACK)))
        seq = sent[one.connection, one.src]
        packets.append((one.time, Tcp(one.src, one.dst, seq, ACK | PSH, one.raw)))
        sent[one.connection, one.src] = seq + len(one.raw)
    made = frames([packet for _, packet in packets])
    whole = [frame._replace(time_ns=time) for frame, (time, _) in zip(made, packets, strict=True)]
    whole += [frame for frame in frames_of(path) if not ports & _ports(frame)]
    whole += more
    whole.sort(key=lambda frame: frame.time_ns)
    target = place / f"{path.stem}.pcap"
    target.write_bytes(write_pcap(whole, link=1))
    return target


def _ports(frame: Frame) -> set[int]:
    """Return the ports of a frame: Ethernet, IPv4 without options."""
    data = frame.data
    return {int.from_bytes(data[34:36], "big"), int.from_bytes(data[36:38], "big")}


def of_capture(rule: str, path: Path, thresholds: Thresholds = DEFAULTS) -> list[Finding]:
    """Return what a rule finds in a capture."""
    with open_capture(path, index=False) as trace:
        return diagnose(trace, thresholds, rules=[RULES[rule]])


def told(path: Path, rules: Sequence[str]) -> list[str]:
    """Return the ids of those of some rules that find anything in a capture."""
    with open_capture(path, index=False) as trace:
        return [one.rule for one in diagnose(trace, rules=[RULES[rule] for rule in rules])]


def found(
    rule: str, place: Path, name: str, *edits: Edit, thresholds: Thresholds = DEFAULTS
) -> list[Finding]:
    """Return what a rule finds in a capture of the corpus after some edits."""

    def all_of(messages: list[Said]) -> list[Said]:
        for edit in edits:
            messages = edit(messages)
        return messages

    path = path_of(name)
    return of_capture(rule, write(place, path, all_of) if edits else path, thresholds)


def changed(is_meant: Callable[[Said], bool], change: Callable[[Said], Said]) -> Edit:
    """Return an edit that changes the messages that are meant; there must be some."""

    def edit(messages: list[Said]) -> list[Said]:
        assert any(is_meant(one) for one in messages)
        return [change(one) if is_meant(one) else one for one in messages]

    return edit


def resaid(item: str, old: bytes, new: bytes) -> Edit:
    """Return an edit that replaces a pattern in the messages whose first item has an id."""
    return changed(lambda one: one.first == item, lambda one: one.sub(old, new))


def without(is_meant: Callable[[Said], bool]) -> Edit:
    """Return an edit that leaves out the messages that are meant; there must be some."""

    def edit(messages: list[Said]) -> list[Said]:
        assert any(is_meant(one) for one in messages)
        return [one for one in messages if not is_meant(one)]

    return edit


def answered(item: str, status: str, *headers: str) -> Edit:
    """Return an edit that makes the SIP answer to an item a refusal, and drops its replies."""
    more = "".join(f"{header}\r\n" for header in headers).encode()

    def refuse(one: Said) -> Said:
        if one.status is None:
            return one
        raw = one.raw.replace(b"200 OK", status.encode(), 1)
        start, end, rest = raw.partition(b"\r\n")
        return replace(one, raw=start + end + more + rest)

    return changed(lambda one: item in one.answers and not one.up, refuse)


def silence(name: str = "") -> Callable[[Said], bool]:
    """Return a test for replies of a name."""
    return lambda one: one.first == f"rpl:{name}"
