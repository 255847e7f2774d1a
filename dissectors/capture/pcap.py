"""The classic capture file, ``pcap`` (draft-ietf-opsawg-pcap), in micro- and nanoseconds.

The one rule: a record is believed until its length cannot be true. There is nothing to find the
next record by, so reading stops at the first lie, and what came before it is used.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from dissectors.capture.records import MAX_FRAME, RecordReader
from dissectors.model import Frame, Malformed

COMMON_SNAPLEN = 262144
"""What tcpdump and Wireshark capture by default. Records may be this long whatever the file header
says: writers are known that leave the snap length 0, or too small."""

VERSION = 2, 4
DG_UX_VERSION = 543, 0  # tcpdump of DG/UX; its records have the two lengths in the old order

NANOSECONDS = 10**9


class Variant(NamedTuple):
    """What the magic number says."""

    order: str
    """``<`` or ``>``, as in ``struct``."""
    digits: int
    record: str
    """Layout of a record header."""


# Seconds, fraction, captured length, length on the wire.
_RECORD = "IIII"
# Alexey Kuznetzov's patch of 1998 adds interface index, protocol and packet type.
_KUZNETZOV = "IIII8x"

VARIANTS: dict[bytes, Variant] = {
    b"\xd4\xc3\xb2\xa1": Variant("<", 6, _RECORD),
    b"\xa1\xb2\xc3\xd4": Variant(">", 6, _RECORD),
    b"\x4d\x3c\xb2\xa1": Variant("<", 9, _RECORD),
    b"\xa1\xb2\x3c\x4d": Variant(">", 9, _RECORD),
    b"\x34\xcd\xb2\xa1": Variant("<", 6, _KUZNETZOV),
    b"\xa1\xb2\xcd\x34": Variant(">", 6, _KUZNETZOV),
}

# Magic, version, two fields that were never used, snap length, link type.
FILE_HEADER = "IHHiIII"
FILE_HEADER_LENGTH = 24
LINK_MASK = 0xFFFF  # the upper bits say how long the frame check sequence is


class PcapReader(RecordReader):
    """Bytes of a pcap file in, frames out."""

    __slots__ = ("_digits", "_limit", "_link", "_old_order", "_record", "_scale")

    def __init__(self) -> None:
        super().__init__()
        self._need = FILE_HEADER_LENGTH
        self._record: Struct | None = None  # None until the file header is read
        self._digits = 6
        self._scale = 1000  # nanoseconds in one unit of the fraction
        self._link = 0
        self._limit = MAX_FRAME
        self._old_order = False

    def _scan(self, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        if self._record is None:
            if len(data) - at < FILE_HEADER_LENGTH:
                return at
            self._file_header(data[at : at + FILE_HEADER_LENGTH], out)
            at += FILE_HEADER_LENGTH
        if self._record is None:
            return at
        return self._records(self._record, data, at, out)

    def _file_header(self, header: bytes, out: list[Frame | Malformed]) -> None:
        variant = VARIANTS.get(header[:4])
        if variant is None:
            self._stop(out, "the file does not start with a pcap magic number", 0)
            return
        fields = Struct(variant.order + FILE_HEADER).unpack(header)
        version, snaplen, link = fields[1:3], fields[5], fields[6]
        if version[0] not in (VERSION[0], DG_UX_VERSION[0]):
            reason = f"the file is of pcap version {version[0]}.{version[1]}; read as 2.4"
            out.append(Malformed("capture", reason, offset=4))
        self._record = Struct(variant.order + variant.record)
        self._digits = variant.digits
        self._scale = 10 ** (9 - variant.digits)
        self._link = link & LINK_MASK
        self._limit = min(max(snaplen, COMMON_SNAPLEN), MAX_FRAME)
        # Before 2.3 the length on the wire stood first, in 2.3 either did (libpcap, sf-pcap.c).
        self._old_order = version < VERSION or version == DG_UX_VERSION

    def _records(self, record: Struct, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        """Read records: the loop runs once a frame, everything that it needs is local."""
        unpack, header = record.unpack_from, record.size
        number, base, limit = self._number, self._base, self._limit
        link, digits, scale = self._link, self._digits, self._scale
        append, new = out.append, tuple.__new__  # Frame(...) takes twice the time
        size = len(data)
        last = size - header
        need = header
        while at <= last:
            seconds, fraction, captured, wire = unpack(data, at)
            if captured > wire:
                captured, wire = self._lengths(captured, wire)
            if not 0 < captured <= limit and self._is_damage(captured, data[at : at + header]):
                self._damage(captured, base + at, out)
                break
            start = at + header
            end = start + captured
            if end > size:
                need = header + captured
                break
            number += 1
            # A fraction of a whole second or more carries into the seconds.
            time = seconds * NANOSECONDS + fraction * scale
            append(new(Frame, (number, time, digits, link, data[start:end], base + start, wire)))
            at = end
        self._number, self._need = number, need
        return at

    def _lengths(self, first: int, second: int) -> tuple[int, int]:
        """Return captured length and length on the wire of a record whose first is the larger."""
        return (second, first) if self._old_order else (first, first)

    def _is_damage(self, captured: int, header: bytes) -> bool:
        """Judge a record that is empty or too long: an empty one is true unless all is zero.

        A frame without time, bytes and length says nothing, but the end of a file that was
        allocated and never written (power loss, full disk) is made of nothing else.
        """
        return captured > self._limit or not any(header)

    def _damage(self, captured: int, offset: int, out: list[Frame | Malformed]) -> None:
        what = f"claims {captured} captured bytes" if captured else "is all zeros"
        self._stop(out, f"the record header at byte {offset} {what}", offset)

    def _unfinished(self) -> str:
        if self._record is None:
            return "the file header"
        if self._need == self._record.size:
            return f"the header of record {self._number + 1}"
        return f"record {self._number + 1}"
