"""Captures of Solaris ``snoop`` (RFC 1761), and of Shomiti and Finisar Surveyor.

The one rule is that of pcap: a record is believed until its lengths cannot be true. There is
nothing to find the next one by, so reading stops at the first lie, and what came before is used.
"""

from __future__ import annotations

from struct import Struct

from dissectors.capture.pcap import COMMON_SNAPLEN, NANOSECONDS
from dissectors.capture.records import RecordReader
from dissectors.model import Frame, Malformed

MAGIC = b"snoop\0\0\0"
VERSIONS = 2, 3, 4, 5
"""2 is that of the RFC; Surveyor writes 3 to 5 for captures of its own hardware (Wireshark)."""
MAX_PADDING = 1 << 12
"""Bytes between a frame and the next record. RFC 1761 has up to 3, Surveyor a few dozen."""

NO_LINK = 147  # LINKTYPE_USER0: for private use, so that nobody takes it for a protocol
_ETHERNET, _TOKEN_RING, _FDDI, _NULL = 1, 6, 10, 0  # LINKTYPE_
_IP_OVER_FIBRE_CHANNEL, _SUNATM, _IPNET, _IPOIB = 122, 123, 226, 242

LINKS: dict[int, int] = {
    0: _ETHERNET,  # IEEE 802.3
    2: _TOKEN_RING,
    4: _ETHERNET,
    8: _FDDI,
    9: _NULL,  # "other", which is the loopback of UNICOS/mp and Solaris (Wireshark)
    14: _NULL,
    16: _IP_OVER_FIBRE_CHANNEL,
    18: _SUNATM,
    26: _IPOIB,
    0x80000005: _IPNET,
}
"""LINKTYPE_ numbers by the datalink types of the RFC, and those of Solaris' ``dlpi.h``."""
SURVEYOR_LINKS: dict[int, int] = {
    **{kind: LINKS[kind] for kind in (0, 2, 4, 8)},
    **dict.fromkeys((10, 12, 19), _ETHERNET),  # 100 megabits, a gigabit, ten gigabits
    **dict.fromkeys((11, 13, 14), _TOKEN_RING),
}
"""Surveyor uses the numbers that the RFC left open for something else than Solaris does."""

_FILE_HEADER = Struct(">8sII")  # magic number, version, datalink type
# Length on the wire, captured length, length of the record, drops so far, seconds, microseconds.
_RECORD = Struct(">6I")
_SURVEYOR_TRAILER = 16
"""Bytes behind the padding that tell Surveyor: its version 2 is no other than that of the RFC."""


class SnoopReader(RecordReader):
    """Bytes of a snoop file in, frames out."""

    __slots__ = ("_kind", "_link", "dropped")

    def __init__(self) -> None:
        super().__init__()
        self._need = _FILE_HEADER.size
        self._kind: int | None = None  # the datalink type; None until the file header is read
        self._link: int | None = None  # None until the first record has told what it means
        self.dropped = 0
        """Packets that were lost while capturing, as the last record counts them."""

    def _scan(self, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        if self._kind is None:
            if len(data) - at < _FILE_HEADER.size:
                return at
            self._file_header(data[at : at + _FILE_HEADER.size], out)
            at += _FILE_HEADER.size
        return at if self.stopped else self._records(data, at, out)

    def _file_header(self, header: bytes, out: list[Frame | Malformed]) -> None:
        magic, version, self._kind = _FILE_HEADER.unpack(header)
        if magic != MAGIC:
            self._stop(out, "the file does not start with the magic number of snoop", 0)
        elif version not in VERSIONS:
            reason = f"the file is of snoop version {version}; read as 2"
            out.append(Malformed("capture", reason, offset=8))

    def _records(self, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        size = len(data)
        need = _RECORD.size
        while size - at >= _RECORD.size:
            wire, captured, length, drops, seconds, fraction = _RECORD.unpack_from(data, at)
            if reason := self._lie(captured, length, data[at : at + _RECORD.size]):
                where = self._base + at
                self._stop(out, f"the record header at byte {where} {reason}", where)
                break
            if size - at < length:
                need = length
                break
            if self._link is None:
                self._link = self._tell_link(length - captured - _RECORD.size, out)
            start = at + _RECORD.size
            self._number += 1
            self.dropped = drops
            # Microseconds of a whole second or more carry into the seconds.
            time = seconds * NANOSECONDS + fraction * 1000
            packet = data[start : start + captured]
            wire = max(wire, captured)
            out.append(Frame(self._number, time, 6, self._link, packet, self._base + start, wire))
            at += length
        self._need = need
        return at

    @staticmethod
    def _lie(captured: int, length: int, header: bytes) -> str:
        """Say why this cannot be a record; an empty string where it can."""
        if captured > COMMON_SNAPLEN:
            return f"claims {captured} captured bytes"
        if not any(header):
            return "is all zeros"
        if not 0 <= length - captured - _RECORD.size <= MAX_PADDING:
            return f"claims a record of {length} bytes for {captured} captured ones"
        return ""

    def _tell_link(self, padding: int, out: list[Frame | Malformed]) -> int:
        kind = self._kind or 0
        links = SURVEYOR_LINKS if padding >= _SURVEYOR_TRAILER else LINKS
        link = links.get(kind)
        if link is None:
            reason = f"the frames are of snoop datalink type {kind}, which is not known"
            out.append(Malformed("capture", reason, offset=12))
        return NO_LINK if link is None else link

    def _unfinished(self) -> str:
        if self._kind is None:
            return "the file header"
        if self._need == _RECORD.size:
            return f"the header of record {self._number + 1}"
        return f"record {self._number + 1}"
