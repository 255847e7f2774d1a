"""Captures of Microsoft Network Monitor: ``.cap`` of version 2.0 to 2.3, and of version 1.

The one rule: a table at the end of the file says where each frame lies. It is believed entry by
entry, so that holes and frames out of order are no damage; where it is missing, the frames are
read one after the other.

Layouts and meanings are those of ``STRUCT.H`` in Microsoft's Bhfile.zip and of the help of Network
Monitor 3, as Wireshark reads them (wiretap, netmon.c).

Times of versions before 2.3 count from a start time in the file header, which is local to the
machine that captured and does not say its time zone. Wireshark takes the zone of the machine that
reads; here it is handed in, and UTC where nobody knows it, so that a file means the same
everywhere. Version 2.3 has the time of each frame in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from dissectors.capture.netmon_media import carried
from dissectors.capture.pcap import COMMON_SNAPLEN, NANOSECONDS
from dissectors.capture.records import MAX_FRAME
from dissectors.model import Frame, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

MAGIC = b"GMBU"
MAGIC_1 = b"RTSS"
HEADER_LENGTH = 128
"""What the file header is padded to; the first frame stands behind it, or later."""
MAX_BAD_ENTRIES = 100
"""Frames that cannot be read and are reported one by one; more are counted."""

# Bytes read at a time where frames follow one another, and where they do not: one Ethernet frame.
_AHEAD, _ALONE = 1 << 18, 1 << 11
_ENTRY = 4  # bytes
_ENTRIES = 1 << 14  # of the frame table that are read at a time

# Magic number, version (minor, major), network type; then the start: year, month, day of the week,
# day, hour, minute, second, millisecond; then offset and length of the frame table, of user data
# and of comments, offset and number of processes, offset and length of the networks.
_HEADER = Struct("<4sBB9H10I")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_FILETIME_START = -11_644_473_600 * NANOSECONDS  # 1601-01-01, from which a FILETIME counts
_LAST_TIME = 2**63 - 1
_FIRST_TIME = -(2**63 // NANOSECONDS) * NANOSECONDS


class _Layout(NamedTuple):
    """What the version of a file says about its records."""

    record: Struct
    """Time since the start, length on the wire, captured length."""
    unit: int
    """Nanoseconds in a unit of that time."""
    digits: int
    trailer: int
    """Bytes behind the frame: network type (2.1), process (2.2), time in UTC, its zone (2.3)."""


_VERSION_1 = _Layout(Struct("<IHH"), 1_000_000, 3, 0)
_RECORD = Struct("<QII")
_VERSION_2 = tuple(
    _Layout(_RECORD, 1000, digits, trailer) for digits, trailer in ((6, 0), (6, 2), (6, 6), (7, 15))
)
_UTC_AT = 6  # in the trailer of version 2.3
_WITH_UTC = _VERSION_2[3].trailer


class _Record(NamedTuple):
    """One record and where the next one would be; ``reason`` says why there is no frame."""

    frame: Frame | None
    end: int
    reason: str = ""


class NetmonReader:
    """The frames of one file, which can be read at any place."""

    def __init__(
        self, read: Callable[[int, int], bytes], size: int, zone: tzinfo | None = None
    ) -> None:
        """Read the file header.

        Args:
            read: gives bytes by offset and length, fewer where the file ends.
            size: bytes of the file.
            zone: of the machine that captured; UTC where nobody knows it.
        """
        self._read = read
        self._size = size
        self._ahead = b""  # bytes of the file
        self._ahead_at = 0
        self._next = 0  # where the last record ended
        self._layout = _VERSION_1
        self._network = 0  # of all frames, where they do not say it themselves
        self._start = 0  # nanoseconds
        self._table = 0, 0  # offset and length
        self._parts: frozenset[int] = frozenset()  # where anything else begins
        self._fatal: Malformed | None = None
        self._odd: Malformed | None = None
        self.local_times = False
        """The times are local to the machine that captured: they rest on ``zone``."""
        self._file_header(zone or UTC)

    def frames(self) -> Iterator[Frame | Malformed]:
        """Yield the frames; their numbers are those of the frame table, from 1.

        The number of a frame that cannot be read goes to a ``Malformed``. What Network Monitor
        added itself (events, filters, names that it looked up) has a number and a frame as well,
        with a link type that carries nothing. Works as often as it is called.
        """
        if self._fatal is not None:
            yield self._fatal
            return
        if self._odd is not None:
            yield self._odd
        offset, length = self._table
        reason = self._doubt(offset, length)
        if reason is None:
            yield from self._by_table(offset, length // _ENTRY)
            return
        reason = f"{reason}; the frames are read one after the other"
        yield Malformed("capture", reason, offset=offset)
        yield from self._in_sequence()

    def _file_header(self, zone: tzinfo) -> None:
        header = self._read(0, _HEADER.size)
        if not header.startswith((MAGIC, MAGIC_1)):
            reason = "the file does not start with a magic number of Network Monitor"
            self._fatal = Malformed("capture", reason if header else "the file is empty", offset=0)
            return
        if len(header) < _HEADER.size:
            there = f"{len(header)} of {_HEADER.size} bytes"
            reason = f"the file ends inside the file header ({there})"
            self._fatal = Malformed("capture", reason, offset=0)
            return
        _magic, minor, major, self._network, *fields = _HEADER.unpack(header)
        if major not in (1, 2):
            reason = f"the file is of Network Monitor version {major}.{minor}, which is not known"
            self._fatal = Malformed("capture", reason, offset=4)
            return
        # What comes after 2.3 is read like it, as Wireshark does.
        self._layout = _VERSION_1 if major == 1 else _VERSION_2[min(minor, len(_VERSION_2) - 1)]
        self.local_times = self._layout.trailer != _WITH_UTC
        self._table = fields[8], fields[9]
        self._parts = frozenset(fields[8:18:2]) - {HEADER_LENGTH}
        self._set_start(fields[:8], zone)

    def _set_start(self, fields: list[int], zone: tzinfo) -> None:
        year, month, _weekday, day, hour, minute, second, millisecond = fields
        try:
            start = datetime(year, month, day, hour, minute, second, tzinfo=zone)
            self._start = (start - _EPOCH) // _SECOND * NANOSECONDS + millisecond * 1_000_000
        except (ValueError, OverflowError):
            if self.local_times:
                reason = "the start time in the file header is no date; times count from 1970"
                self._odd = Malformed("capture", reason, offset=8)

    # The frame table

    def _doubt(self, offset: int, length: int) -> str | None:
        """Say why the frame table cannot be used; None where it can."""
        if not length or not offset:
            return "the file has no frame table: the capture was not ended properly"
        if offset < HEADER_LENGTH or length % _ENTRY:
            return "the frame table is damaged"
        if offset + length > self._size:
            return "the frame table is cut off"
        # One entry in two that is possible: the others are lost frames. Fewer: it is no table.
        entries = self._entries(offset, length // _ENTRY)
        possible = sum(map(self._is_possible, entries))
        return None if 2 * possible * _ENTRY >= length else "the frame table is damaged"

    def _entries(self, offset: int, number: int) -> Iterator[int]:
        """Yield the offsets that the frame table holds."""
        for first in range(0, number, _ENTRIES):
            many = min(_ENTRIES, number - first)
            data = self._read(offset + first * _ENTRY, many * _ENTRY)
            yield from Struct(f"<{len(data) // _ENTRY}I").unpack(data[: len(data) & -_ENTRY])

    def _is_possible(self, at: int) -> bool:
        return HEADER_LENGTH <= at <= self._size - self._layout.record.size

    def _by_table(self, offset: int, number: int) -> Iterator[Frame | Malformed]:
        bad = passed = 0
        for frame, at in enumerate(self._entries(offset, number), 1):
            record = self._record(at, frame, MAX_FRAME)
            if record.frame is not None:
                # Each record is named once, so all of them are no longer than the file.
                passed += record.end - at
                if passed > self._size:
                    reason = "the frame table names the same bytes again and again"
                    yield Malformed("capture", f"{reason}; reading stopped there", frame, at)
                    break
                yield record.frame
                continue
            bad += 1
            if bad <= MAX_BAD_ENTRIES:
                yield Malformed("capture", record.reason, frame, at)
        if bad > MAX_BAD_ENTRIES:
            yield Malformed("capture", f"{bad - MAX_BAD_ENTRIES} more frames could not be read")

    def _in_sequence(self) -> Iterator[Frame | Malformed]:
        """Yield frames as long as one follows the other: to another part, or the end."""
        at = HEADER_LENGTH
        for number in count(1):
            if at >= self._size or at in self._parts:
                return
            record = self._record(at, number, COMMON_SNAPLEN)
            if record.frame is None:
                yield Malformed("capture", f"{record.reason}; reading stopped there", number, at)
                return
            yield record.frame
            at = record.end

    # A record

    def _record(self, at: int, number: int, limit: int) -> _Record:
        """Read the record at an offset; of more than ``limit`` captured bytes it is no record."""
        layout = self._layout
        size = layout.record.size
        if not self._is_possible(at):
            if HEADER_LENGTH <= at < self._size:
                return _Record(None, at, f"the file ends inside the header of record {number}")
            return _Record(None, at, f"the frame table has it at byte {at}, where none can be")
        ahead = _AHEAD if self._next <= at < self._next + _AHEAD else _ALONE
        head = self._bytes(at, size, ahead)
        if not any(head):
            return _Record(None, at, f"the record header at byte {at} is all zeros")
        if len(head) < size:  # the file shrank
            return _Record(None, at, f"the file ends inside the header of record {number}")
        time, wire, captured = layout.record.unpack(head)
        if captured > limit:
            return _Record(
                None, at, f"the record header at byte {at} claims {captured} captured bytes"
            )
        start = at + size
        end = start + captured + layout.trailer
        body = self._bytes(start, end - start, ahead) if end <= self._size else b""
        if len(body) < end - start:
            there = max(self._size - at, 0)
            reason = f"the file ends inside record {number} ({there} of {end - at} bytes)"
            return _Record(None, at, reason)
        self._next = end
        data, trailer = body[:captured], body[captured:]
        network = int.from_bytes(trailer[:2], "little") if trailer else self._network
        link, packet, skipped = carried(network, data)
        beyond = max(wire - captured, 0)
        moment = self._time(time, trailer)
        frame = Frame(
            number, moment, layout.digits, link, packet, start + skipped, len(packet) + beyond
        )
        return _Record(frame, end)

    def _time(self, since: int, trailer: bytes) -> int:
        """Return nanoseconds since 1970."""
        utc = int.from_bytes(trailer[_UTC_AT : _UTC_AT + 8], "little")
        if utc:
            time = _FILETIME_START + utc * 100
        elif self._layout is _VERSION_1:
            time = self._start + since * self._layout.unit
        else:
            # Unsigned microseconds, of which ten times as many are signed: frames may be older
            # than the start (Wireshark, from Microsoft's words).
            tenths = since * 10 & 2**64 - 1
            time = self._start + (tenths - 2**64 if tenths >> 63 else tenths) * 100
        return min(max(time, _FIRST_TIME), _LAST_TIME)

    def _bytes(self, at: int, length: int, ahead: int) -> bytes:
        """Return bytes of the file; ``ahead`` of them are read at a time."""
        begin = at - self._ahead_at
        if begin < 0 or begin + length > len(self._ahead):
            self._ahead = self._read(at, max(length, ahead))
            self._ahead_at, begin = at, 0
        return self._ahead[begin : begin + length]
