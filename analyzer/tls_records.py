"""The bytes of one direction to TLS records, each with the frame that completes it.

Behind a hole the next record is looked for: while nothing is encrypted yet no more is lost than the
hole has. Records of an encrypted direction are numbered by both ends (RFC 5246 section 6.2.3, RFC
8446 section 5.3): whether one behind a hole can be decrypted depends on the suite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dissectors.model import Chunk

HEAD = 5
# RFC 5246 section 6.2.3: 2^14 bytes, and up to 2^11 of expansion; RFC 8446 allows less.
LARGEST = 16_384 + 2_048
_KINDS = frozenset((20, 21, 22, 23))
_HANDSHAKE = 22
# ChangeCipherSpec comes before what is encrypted (RFC 5246 section 7.1); application data is.
_SECRET = (20, 23)


class Record(NamedTuple):
    """A whole record."""

    kind: int
    """Its content type; 0 for the ClientHello of SSL 2."""
    data: bytes
    """With its head."""
    frame: int
    """The frame after which all bytes up to its last one are there."""
    time_ns: int
    digits: int


class RecordReader:
    """One direction. ``feed`` gives the records that become whole."""

    __slots__ = (
        "_begun", "_digits", "_frame", "_held", "_seeking", "_time", "broken", "encrypted",
    )  # fmt: skip

    def __init__(self) -> None:
        self._held = b""
        self._frame = self._time = self._digits = 0
        self._seeking = False
        self._begun = False
        self.broken = 0
        """The frame from which on there is no record to be seen; 0 where all is well."""
        self.encrypted = False
        """The side has changed to its keys."""

    @property
    def waiting(self) -> int:
        """Bytes of a record that is not whole."""
        return len(self._held)

    def feed(self, chunk: Chunk) -> list[Record]:
        """Take the next bytes."""
        if chunk.frame > self._frame:
            self._frame, self._time = chunk.frame, chunk.time_ns
        self._digits = chunk.digits
        self._held += b"" if self.broken else chunk.data
        found: list[Record] = []
        at = 0
        while True:
            if self._seeking:
                at = self._sought(at)
            end = self._end(at)
            if end == 0 or end > len(self._held):
                break
            data = self._held[at:end]
            kind = 0 if data[0] & 0x80 else data[0]
            found.append(Record(kind, data, self._frame, self._time, chunk.digits))
            at, self._begun = end, True
            self.encrypted = self.encrypted or kind in _SECRET
        self._held = self._held[at:]
        return found

    def gap(self) -> list[Record]:
        """Take note that bytes are missing; return what of a record before them is of use.

        Those are whole messages of a handshake: SChannel puts a ServerHello, of a hundred bytes,
        into one record with certificates of thousands.
        """
        held, self._held = self._held, b""
        self._seeking = self._begun = True
        if self.encrypted or held[:1] != bytes((_HANDSHAKE,)):
            return []
        end = HEAD
        while end + 4 <= len(held):
            after = end + 4 + int.from_bytes(held[end + 1 : end + 4], "big")
            if after > len(held):
                break
            end = after
        if end == HEAD:
            return []
        data = held[:3] + (end - HEAD).to_bytes(2, "big") + held[HEAD:end]
        return [Record(_HANDSHAKE, data, self._frame, self._time, self._digits)]

    def _end(self, at: int) -> int:
        """Return where a record ends; 0 where its head is not there, or is none."""
        head = self._held[at : at + HEAD]
        if len(head) < HEAD or self._seeking:
            return 0
        if not self._begun and head[0] & 0x80 and head[2] == 1:
            return at + 2 + ((head[0] & 0x7F) << 8 | head[1])
        if not is_head(head):
            self.broken = self._frame
            self._held = b""
            return 0
        return at + HEAD + (head[3] << 8 | head[4])

    def _sought(self, at: int) -> int:
        """Return where a record seems to begin; the end where none does."""
        held = self._held
        while at + HEAD <= len(held):
            if is_head(held[at : at + HEAD]):
                after = at + HEAD + (held[at + 3] << 8 | held[at + 4])
                if after == len(held) or is_head(held[after : after + HEAD]):
                    self._seeking = False
                    return at
                if after + HEAD > len(held):
                    return at  # that it is one is known when the next one begins
            at += 1
        return at


def is_head(data: bytes) -> bool:
    """Tell whether bytes are the head of a record."""
    return (
        len(data) >= HEAD
        and data[0] in _KINDS
        and data[1] == 3
        and data[2] <= 4
        and 0 < (data[3] << 8 | data[4]) <= LARGEST
    )
