"""UCCAPI logs (``*.uccapilog``), which Communicator, Lync and Skype for Business clients write.

The one rule: a log line says what was written to a connection or read from it, which need not be
one message. Such a packet lies between its opening line and its ``End of`` line, and the number of
bytes in both is what was on the wire::

    04/16/2013|03:17:30.168 1F68:C14 INFO :: Sending Packet - 10.0.0.9:5061 (From Local Address:
        10.0.0.7:20323) 1503 bytes:
    04/16/2013|03:17:30.168 1F68:C14 INFO :: INFO sip:ocschannel01@contoso.com SIP/2.0
    Via: SIP/2.0/TLS 10.0.0.7:20323
    ...
    04/16/2013|03:17:30.168 1F68:C14 INFO :: End of Sending Packet - 10.0.0.9:5061 (From Local
        Address: 10.0.0.7:20323) 1503 bytes

(each of these on one line). The ``End of`` lines are evidenced; whether SIP follows the opening
line at once or behind one more prefix is not, and both are read. Times are of the wall clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.capture.text.dates import CLOCK, DATE, time_ns
from dissectors.capture.text.diagnostics import TraceLine, line_annotation
from dissectors.capture.text.encoding import message_bytes
from dissectors.capture.text.packets import Unfinished, packet_bytes
from dissectors.capture.text.raw_sip import (
    MAX_RECORD,
    Rebuilt,
    is_start_line,
    messages_in,
    topmost_via,
)
from dissectors.capture.text.values import TextMessage
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.capture.text.values import Line, Record

MAX_THREADS = 1024
"""Threads of a log whose last lines are kept; a client has some dozens."""
MAX_CONNECTIONS = 4096
"""Connections of which is kept what they still owe."""
MAX_ANNOTATIONS = 10_000
"""Errors and warnings of one log; a client whose calendar fails writes one a second."""
KEEP_ALIVE = 4
"""Bytes of CRLFCRLF (RFC 5626 section 3.5.1), which is a packet, but no message."""
DIGITS = 3

PREFIX = re.compile(
    rf"\s{{0,64}}{DATE}[|\sT-]\s?{CLOCK}\s+"
    r"([0-9A-Fa-f]{1,8}:[0-9A-Fa-f]{1,8})\s+([A-Za-z]{3,16})\s*::\s?(.*)",
    re.DOTALL,
)
_MARKER = re.compile(
    r"(End of )?(Sending Packet|Data Received)\s*-\s*(\S{1,300})\s+"
    r"\((?:From|To) Local Address:\s*([^)]{1,300}?)\s*\)\s+(\d{1,9}) bytes\b"
)


@dataclass(slots=True)
class _Packet:
    """Bytes of a connection, from the opening line to the ``End of`` line."""

    line: int
    time_ns: int
    ends: tuple[str, str, bool]
    """Local and other side, and whether it was sent."""
    length: int
    lines: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        """Take a line of its text."""
        self.size += len(text) + 1
        if self.size <= MAX_RECORD:
            self.lines.append(text)


@dataclass(slots=True)
class _Thread:
    """A thread of the client, as it writes."""

    packet: _Packet | None = None
    taking: bool = True
    """Lines without a prefix are text of the packet."""
    loose: _Packet | None = None
    """Text that no opening line stood before."""


class UccapiReader:
    """Reads the log of a client; see ``dissectors.capture.text.values.TextReader``."""

    name = "UCCAPI log (Communicator, Lync, Skype for Business)"
    experimental = False

    def __init__(self) -> None:
        self._start = _Thread()
        self._current = self._start
        self._threads: dict[str, _Thread] = {}
        self._owed: dict[tuple[str, str, bool], Unfinished] = {}
        self._out: list[Record | Malformed] = []
        self._annotations = 0
        self._time_ns = 0

    def feed(self, lines: Sequence[Line]) -> list[Record | Malformed]:
        """Take the next lines; return what they complete."""
        for line in lines:
            text = line.text
            found = PREFIX.match(text) if "::" in text[:160] else None
            moment = None if found is None else _time(found)
            if found is None or moment is None:
                self._text(line.number, text)
            else:
                self._time_ns = moment
                self._prefixed(line, found)
        out, self._out = self._out, []
        return out

    def close(self) -> list[Record | Malformed]:
        """Return what the end of the log cuts off."""
        self._forget()
        out, self._out = self._out, []
        return out

    def _forget(self) -> None:
        for thread in self._threads.values():
            if thread.packet is not None:
                self._finish(thread.packet, ended=False)
        self._threads.clear()
        self._current = self._start

    def _text(self, number: int, text: str) -> None:
        """Take a line without a prefix."""
        thread = self._current
        if thread.packet is not None and thread.taking:
            thread.packet.add(text)
        elif thread.packet is None:
            if thread.loose is None:
                thread.loose = _Packet(number, self._time_ns, ("", "", False), 0)
            thread.loose.add(text)

    def _prefixed(self, line: Line, found: re.Match[str]) -> None:
        identity, level, text = found[7].upper(), found[8].upper(), found[9]
        thread = self._threads.get(identity)
        if thread is None:
            if len(self._threads) >= MAX_THREADS:
                self._forget()
            thread = self._threads[identity] = _Thread()
        self._current = thread
        marker = _MARKER.search(text[:1024]) if " bytes" in text else None
        if marker is None:
            self._said(line, thread, level, text)
        elif marker[1]:
            self._end(thread, _packet(marker, line.number, self._time_ns))
        else:
            if thread.packet is not None:
                self._finish(thread.packet, ended=False)
            thread.packet, thread.loose, thread.taking = (
                _packet(marker, line.number, self._time_ns), None, True,
            )  # fmt: skip

    def _said(self, line: Line, thread: _Thread, level: str, text: str) -> None:
        """Take a line with a prefix: the first one of a packet's text, or a remark."""
        remark = level.startswith(("ERR", "WARN", "FATAL"))
        if thread.packet is not None and not remark:
            thread.taking = not thread.packet.lines or is_start_line(text)
            if thread.taking:
                thread.packet.add(text)
            return
        thread.taking, thread.loose = False, None
        if is_start_line(text):
            thread.loose = _Packet(line.number, self._time_ns, ("", "", False), 0)
            thread.loose.add(text)
        elif remark and self._annotations < MAX_ANNOTATIONS:
            said = TraceLine(line.number, level, "", "", "", self._time_ns, DIGITS, -1, text)
            annotation = line_annotation(said)
            if annotation is not None and (annotation.code or annotation.call_id):
                self._annotations += 1
                self._out.append(annotation)

    def _end(self, thread: _Thread, end: _Packet) -> None:
        """Take an ``End of`` line."""
        packet, thread.packet = thread.packet, None
        loose = thread.loose or self._start.loose
        thread.loose = self._start.loose = None
        thread.taking = False
        if packet is not None:
            self._finish(packet, ended=packet.ends == end.ends)
            if packet.ends == end.ends:
                return
        if loose is not None and self._is_all(loose, end):
            end.line = loose.line
            end.lines, end.size = loose.lines, loose.size
            self._finish(end, ended=True)
        else:
            self._malformed(end.line, f"the beginning of {_named(end)} is not in the log")

    def _is_all(self, loose: _Packet, end: _Packet) -> bool:
        """Tell whether text that no opening line stood before is the whole packet."""
        found = messages_in(loose.lines, several=True)
        said = sum(len(one.data) + one.missing for one in found)
        return bool(found) and (said == end.length or all(not one.missing for one in found))

    def _finish(self, packet: _Packet, *, ended: bool) -> None:
        """Say what a packet was."""
        if packet.size > MAX_RECORD:
            self._malformed(packet.line, f"the text of {_named(packet)} is longer than is read")
        elif not any(text.strip() for text in packet.lines):
            if packet.ends in self._owed and packet.length <= KEEP_ALIVE:
                self._show(packet, ended=ended)
            elif packet.length > KEEP_ALIVE:
                self._owed.pop(packet.ends, None)
                self._malformed(packet.line, f"the log does not show {_named(packet)}")
        else:
            self._show(packet, ended=ended)

    def _show(self, packet: _Packet, *, ended: bool) -> None:
        found = messages_in(packet.lines, several=True, ended=ended)
        owed = self._owed.get(packet.ends, Unfinished())
        whole = _are_whole(found, packet, ended=ended) and not owed.goes_on(packet.lines[0])
        if whole or (found and not ended and not owed):
            if owed:  # the log lacks what was to come
                self._part(packet, b"", owed.body or 1)
            self._owed.pop(packet.ends, None)
            self._out += [self._message(packet, one, ended=ended) for one in found if one.data]
        else:
            self._parts(packet, owed)
        if not (whole or ended):
            self._malformed(packet.line, f"the log ends, or goes on, inside {_named(packet)}")

    def _message(self, packet: _Packet, one: Rebuilt, *, ended: bool) -> TextMessage:
        local, peer, outgoing = packet.ends
        masked = one.notice or (one.absent and ended)
        missing = one.missing
        if one.headless and not ended and packet.length <= MAX_RECORD:
            missing = max(packet.length - len(one.data), missing)
        return TextMessage(
            packet.time_ns, DIGITS, False, packet.line, outgoing, local, peer,  # noqa: FBT003
            topmost_via(one.data)[0], one.data, missing=missing, masked=masked,
        )  # fmt: skip

    def _parts(self, packet: _Packet, owed: Unfinished) -> None:
        """Hand on a packet that is part of a message, or the end of one and the next."""
        data = packet_bytes(packet.lines, packet.length, owed)
        if data is None:
            data = b"\r\n".join(map(message_bytes, packet.lines))
        lost = max(packet.length - len(data), 0) if packet.length <= MAX_RECORD else 0
        if len(self._owed) >= MAX_CONNECTIONS:
            self._owed.clear()
        self._owed.pop(packet.ends, None)
        if after := owed.after(data, lost):
            self._owed[packet.ends] = after
        self._part(packet, data, lost)

    def _part(self, packet: _Packet, data: bytes, missing: int) -> None:
        part = Rebuilt(data, missing)
        self._out.append(self._message(packet, part, ended=False)._replace(whole=False))

    def _malformed(self, line: int, reason: str) -> None:
        self._out.append(Malformed("capture", reason, frame=line))


def _are_whole(found: list[Rebuilt], packet: _Packet, *, ended: bool) -> bool:
    """Tell whether the messages of a packet are complete, or lack only what the log hides.

    A packet that is as long as the heads in it had no bodies: those come in the next one. One that
    is longer than its messages has more than what was taken for them.
    """
    hidden = any(one.notice or one.absent for one in found)
    length = sum(len(one.data) + one.missing for one in found)
    if ended and (length > packet.length or (length < packet.length and not hidden)):
        return False
    return bool(found) and all(_is_whole(one, ended=ended) for one in found)


def _is_whole(one: Rebuilt, *, ended: bool) -> bool:
    if one.longer or (one.headless and not ended):
        return False
    return one.notice or (one.absent and ended) or not one.missing


def _packet(marker: re.Match[str], line: int, time_ns: int) -> _Packet:
    ends = (marker[4], marker[3], marker[2].startswith("Sending"))
    return _Packet(line, time_ns, ends, int(marker[5]))


def _named(packet: _Packet) -> str:
    local, peer, outgoing = packet.ends
    way = f"from {local} to {peer}" if outgoing else f"from {peer} to {local}"
    return f"a packet of {packet.length} bytes {way}"


def _time(found: re.Match[str]) -> int | None:
    return time_ns(found[1], (found[2], found[3], found[4], found[5], found[6]))
