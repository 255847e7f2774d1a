"""Debug logs of SIPE, the plug-in by which Pidgin and other clients speak to these servers.

The one rule: a message is what stands between ``MESSAGE START`` and the ``MESSAGE END`` that names
the same time and connection. Both stand at the beginning of a line, because the plug-in hands the
whole record to the log at once (``sipe_utils_message_debug``)::

    (19:54:23) sipe:
    MESSAGE START >>>>>>>>>> SIP(0x55d0c0) - 2017-03-02T18:54:23.372143Z
    REGISTER sip:contoso.com SIP/2.0
    ...
    MESSAGE END >>>>>>>>>> SIP(0x55d0c0) - 2017-03-02T18:54:23.372143Z

CRLF has become LF, and a line end was added to the message. Older versions do not write
``(0x55d0c0)``, the connection. Without ``--unsafe-debug`` newer ones write only
``MESSAGE >>>>>>>>>> SIP(0x55d0c0)``. The first ones wrote ``sending - Thu Mar  2 18:54:23 2017``
(local time) and the message between lines of ``######``, of received ones the head alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dissectors.capture.text.raw_sip import MAX_RECORD, messages_in, topmost_via
from dissectors.capture.text.sipe_ends import Ends
from dissectors.capture.text.values import TextMessage
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.capture.text.values import Line, Record

# What clients put before a line: "(12:34:56) sipe: ", or a time in brackets.
_BEFORE = r"(?:[(\[][^()\[\]]{1,40}[)\]]\s+(?:\d\s+)?[\w-]{1,32}:\s*)?"
_MARK = re.compile(
    _BEFORE
    + r"MESSAGE (START|END)\s+(>{3,}|<{3,})\s+([A-Za-z]{2,8})(?:\((0x[0-9A-Fa-f]{1,16}|\(nil\))\))?"
    r"\s+-\s+(\S.{0,60})"
)
_HIDDEN = re.compile(_BEFORE + r"MESSAGE (?:>{3,}|<{3,})\s+SIP\b")
_OLD = re.compile(_BEFORE + r"(sending|received) - ((?:\w{3} ){2}[ \d]\d \d\d:\d\d:\d\d \d{4})\s*$")
_FENCE = re.compile(r"#{6,7}$")
_ISO = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.(\d{1,9}))?(Z?)\s*$")
_SECOND = 1_000_000_000
_MICROSECONDS = 6  # GLib leaves the fraction out where it is zero
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(slots=True)
class _Open:
    """A message whose end has not been seen."""

    line: int
    mark: tuple[str, ...]
    """What its end has to say again."""
    outgoing: bool
    connection: str
    time: tuple[int, int, bool]
    """Nanoseconds, digits, and whether it is UTC."""
    fenced: bool = False
    """It ends, or has not yet begun, at a line of ``######``."""
    began: bool = True
    lines: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        """Take a line of its text."""
        self.size += len(text) + 1
        if self.size <= MAX_RECORD:
            self.lines.append(text)


class SipeReader:
    """Reads the log of a client; see ``dissectors.capture.text.values.TextReader``."""

    name = "SIPE debug log (Pidgin)"
    experimental = False

    def __init__(self) -> None:
        self._open: _Open | None = None
        self._ends = Ends()
        self._out: list[Record | Malformed] = []
        self._hidden: list[int] = []
        self._hidden_count = 0
        self.skipped = 0
        """HTTP messages, which are not of this trade."""

    def feed(self, lines: Sequence[Line]) -> list[Record | Malformed]:
        """Take the next lines; return what they complete."""
        for line in lines:
            if "MESSAGE " in line.text and self._marked(line):
                continue
            if self._open is not None:
                self._inside(self._open, line.text)
            else:
                self._outside(line)
        return self._taken(self._ends.ready())

    def close(self) -> list[Record | Malformed]:
        """Return what the end of the log cuts off."""
        self._finish(ended=False)
        if self._hidden_count:
            count = self._hidden_count
            reason = (
                f"{count:,} {'message is' if count == 1 else 'messages are'} named and not shown: "
                "the client has to be started with --unsafe-debug"
            )
            self._out.append(Malformed("capture", reason, frame=self._hidden[0]))
            self._hidden_count = 0
        return self._taken(self._ends.close())

    def _taken(self, messages: list[TextMessage]) -> list[Record | Malformed]:
        out, self._out = self._out, []
        return [*messages, *out]

    def _marked(self, line: Line) -> bool:
        """Take a line that begins or ends a message."""
        found = _MARK.match(line.text)
        if found is None:
            if self._open is None and _HIDDEN.match(line.text):
                self._hidden_count += 1
                self._hidden = self._hidden or [line.number]
                return True
            return False
        edge, way, kind, connection, time = found.groups()
        mark = (way[0], kind.upper(), connection or "", time.strip())
        if edge == "START":
            self._finish(ended=False)
            outgoing, name = way[0] == ">", mark[2]
            self._open = _Open(line.number, mark, outgoing, name, _time(mark[3]))
        elif self._open is None:
            reason = "the beginning of a message is not in the log"
            self._out.append(Malformed("capture", reason, frame=line.number))
        elif self._open.mark == mark:
            self._finish(ended=True)
        else:
            return False
        return True

    def _inside(self, record: _Open, text: str) -> None:
        if not (record.fenced and _FENCE.match(text)):
            if record.began:
                record.add(text)
            elif text.strip():
                self._open = None  # no message follows
            return
        if record.began:
            self._finish(ended=True)
        else:
            record.began = True

    def _outside(self, line: Line) -> None:
        text = line.text
        if " - " in text:
            found = _OLD.match(text)
            if found is not None:
                time = _old_time(found[2])
                record = _Open(line.number, (), found[1] == "sending", "", time, fenced=True)
                record.began = False
                self._open = record
                return
        self._ends.said(text)

    def _finish(self, *, ended: bool) -> None:
        """Say what the open message was."""
        record, self._open = self._open, None
        if record is None or not any(text.strip() for text in record.lines):
            return  # a keep-alive
        if record.mark and record.mark[1] != "SIP":
            self.skipped += 1
            return
        if record.size > MAX_RECORD:
            self._malformed(record, "a message is longer than is read")
        found = messages_in(record.lines, ended=ended)
        if not found:
            self._malformed(record, "a message does not begin with a start line")
            return
        one = found[0]
        if not ended and (one.missing or one.headless):
            self._malformed(record, "a message is not in the log to its end")
        time_ns, digits, utc = record.time
        masked = one.notice or (one.absent and ended and not record.fenced)
        message = TextMessage(
            time_ns, digits, utc, record.line, record.outgoing, "", "",
            topmost_via(one.data)[0], one.data,
            missing=one.missing, masked=masked, connection=record.connection,
        )  # fmt: skip
        self._ends.add(message)

    def _malformed(self, record: _Open, reason: str) -> None:
        self._out.append(Malformed("capture", reason, frame=record.line))


def _time(text: str) -> tuple[int, int, bool]:
    found = _ISO.match(text)
    if found is None:
        return _old_time(text)
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    seconds = _seconds(year, month, day, hour * 3600 + minute * 60 + second)
    fraction = found[7] or ""
    nanoseconds = seconds * _SECOND + int(fraction.ljust(9, "0"))
    return nanoseconds, len(fraction) or _MICROSECONDS, found[8] == "Z"


def _old_time(text: str) -> tuple[int, int, bool]:
    """Return the time that ``ctime`` writes, of the wall clock."""
    parts = text.split()
    if len(parts) != 5 or parts[1] not in _MONTHS or parts[3].count(":") != 2:
        return 0, 0, False
    numbers = [*parts[3].split(":"), parts[2], parts[4]]
    if not all(number.isascii() and number.isdecimal() and len(number) < 5 for number in numbers):
        return 0, 0, False
    hour, minute, second, day, year = map(int, numbers)
    month = _MONTHS.index(parts[1]) + 1
    return _seconds(year, month, day, hour * 3600 + minute * 60 + second) * _SECOND, 0, False


def _seconds(year: int, month: int, day: int, seconds: int) -> int:
    try:
        return max(int(datetime(year, month, day, tzinfo=UTC).timestamp()) + seconds, 0)
    except ValueError:
        return 0
