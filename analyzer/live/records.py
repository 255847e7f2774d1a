"""Where records end in the bytes of a pcap or pcapng, as these come.

A ring of files can only begin a new file between two records, and every file needs the head of the
first one: of a pcap its 24 bytes, of a pcapng the section, its interfaces and its TLS secrets.
Sources: pcap and pcapng as of the IETF drafts draft-ietf-opsawg-pcap and -pcapng.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION, INTERFACE, STATISTICS, SECRETS = 0x0A0D0D0A, 1, 5, 10
MAX_RECORD = 64 << 20
"""Bytes of one record: with the largest snap length that libpcap allows (256 KiB; 16 MiB for D-Bus)
and options there is room to spare."""
MAX_HEAD = 1 << 20
"""Bytes of heads that every file of a ring begins with: some interfaces, and the TLS secrets of
some thousand connections."""
_SECTION = b"\n\r\r\n"
_BIG = (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d")
_LITTLE = (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
_PCAP_HEAD, _PCAP_RECORD = 24, 16
_SECTION_MAGIC = 0x1A2B3C4D


class Records:
    """Feed it bytes; it gives them back in pieces, each of which ends where a record does."""

    def __init__(self) -> None:
        self.head = b""
        """What a further file has to begin with."""
        self.broken = False
        """No records can be told any more: all that comes is one piece after the other."""
        self.dropped: dict[int, int] = {}
        """Packets dropped by interface, where the capture says so (pcapng: isb_ifdrop, isb_osdrop).
        """
        self._buffer = b""
        self._ng: bool | None = None
        self._big = False
        self._interfaces = 0

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yield whole records, many at a time, each with whether a file may begin with it.

        What belongs to ``head`` comes alone; but for a new section, no file begins with it.
        """
        if self.broken:
            yield data, False
            return
        data = self._buffer + data
        at = begun = 0
        while (length := self._length(data, at)) and at + length <= len(data):
            record, is_head = data[at : at + length], self._is_head(data, at)
            if is_head:
                if begun < at:
                    yield data[begun:at], True
                begun = at + length
                self._remember(record)
                yield record, record.startswith(_SECTION)
            elif self._ng and self._number(record, 0) == STATISTICS:
                self._statistics(record)
            at += length
        self._buffer = data[at:]
        if begun < at:
            yield data[begun:at], True
        if self.broken:
            yield self._buffer, False
            self._buffer = b""

    def close(self) -> bytes:
        """Return what is left of a record that was cut."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _length(self, data: bytes, at: int) -> int:
        """Return the length of the record at a place; 0 where it is not known yet."""
        if self._ng is None:
            return self._first(data)
        if self._ng:
            return self._block_length(data, at)
        if len(data) - at < _PCAP_RECORD:
            return 0
        return self._plausible(_PCAP_RECORD + self._number(data, at + 8), _PCAP_RECORD)

    def _first(self, data: bytes) -> int:
        if len(data) < _PCAP_HEAD:
            return 0
        magic = data[:4]
        self._ng = magic == _SECTION
        if self._ng:
            return self._block_length(data, 0)
        self._big = magic in _BIG
        self.broken = magic not in _BIG + _LITTLE
        return 0 if self.broken else _PCAP_HEAD

    def _block_length(self, data: bytes, at: int) -> int:
        if len(data) - at < 12:
            return 0
        if data[at : at + 4] == _SECTION:
            self._big = int.from_bytes(data[at + 8 : at + 12], "big") == _SECTION_MAGIC
        return self._plausible(self._number(data, at + 4), 12)

    def _plausible(self, length: int, least: int) -> int:
        self.broken = not least <= length <= MAX_RECORD
        return 0 if self.broken else length

    def _number(self, data: bytes, at: int, size: int = 4) -> int:
        return int.from_bytes(data[at : at + size], "big" if self._big else "little")

    def _is_head(self, data: bytes, at: int) -> bool:
        """Tell whether every file needs the record at a place."""
        if not self._ng:
            return not self.head
        return self._number(data, at) in (SECTION, INTERFACE, SECRETS)

    def _remember(self, record: bytes) -> None:
        if record.startswith(_SECTION):
            self.head, self._interfaces = b"", 0
        elif self._ng and self._number(record, 0) == INTERFACE:
            self._interfaces += 1
        self.head += record
        self.broken = len(self.head) > MAX_HEAD

    def _statistics(self, block: bytes) -> None:
        """Note what an interface statistics block says of dropped packets."""
        interface, at, dropped = self._number(block, 8), 20, 0
        if interface >= self._interfaces:
            return
        while at + 4 <= len(block) - 4:
            code, size = self._number(block, at, 2), self._number(block, at + 2, 2)
            if not code:
                break
            if code in (5, 7) and size == 8:
                dropped += self._number(block, at + 4, 8)
            at += 4 + (size + 3 & ~3)
        self.dropped[interface] = dropped
