"""MPPC, the compression of [MS-SIPCOMP]: one packet at a time, against the history before it.

The encoding is that of RFC 2118 section 4 (8 KiB of history) and, for 64 KiB, of [MS-RDPBCGR]
3.1.8.4.2. The rule: what a packet refers to must have been there. A history that was never written
is not referred to (RFC 2118 3.1, note 2 on bit B), so that bytes which are no MPPC soon show it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

KIB_8, KIB_64 = 1 << 13, 1 << 16


class BadPacketError(ValueError):
    """A packet that is not what RFC 2118 allows; the text says why."""


# RFC 2118 4.1: a literal below 0x80 is a zero and its seven bits, that is, itself: a run of them is
# bytes, wherever in a byte it begins. 4.2.1: how far back a copy is taken from. 4.2.2: the length
# of a match is so many ones, a zero, and one bit more than there were ones; a zero alone is 3.
_TOKEN_8K = re.compile(
    r"(?P<run>(?:0[01]{7})+)|10(?P<high>[01]{7})"
    r"|(?:1111(?P<near>[01]{6})|1110(?P<mid>[01]{8})|110(?P<far>[01]{13}))(?P<ones>1{0,11})0"
)
# [MS-RDPBCGR] 3.1.8.4.2.2.1 and 3.1.8.4.2.2.2
_TOKEN_64K = re.compile(
    r"(?P<run>(?:0[01]{7})+)|10(?P<high>[01]{7})"
    r"|(?:11111(?P<near>[01]{6})|11110(?P<mid>[01]{8})|1110(?P<fair>[01]{11})|110(?P<far>[01]{16}))"
    r"(?P<ones>1{0,14})0"
)
_TOKENS = {KIB_8: _TOKEN_8K, KIB_64: _TOKEN_64K}
# What is added to the bits of an offset.
_BASES = {
    KIB_8: {"near": 0, "mid": 64, "far": 320},
    KIB_64: {"near": 0, "mid": 64, "fair": 320, "far": 2368},
}
_TOO_MUCH = "it holds more than the history buffer does, or than it says"
_NO_CODE = "it ends inside a code, or has one that does not exist"
_NOT_SENT = "it refers to what was not sent"
_SHORTEST_TOKEN = 8  # bits; what is left when there are fewer fills the last byte


class Expanded(NamedTuple):
    """What a packet holds."""

    data: bytes
    used: int
    """Bytes of the packet that it took."""


class History:
    """The history buffer of one direction ([MS-SIPCOMP] 3.2.1; RFC 2118 section 4)."""

    __slots__ = ("_buffer", "_offset", "_written", "size")

    def __init__(self, size: int) -> None:
        """``size``: ``KIB_8`` or ``KIB_64``."""
        self.size = size
        self._buffer = bytearray(size)
        self._offset = 0
        self._written = 0

    def copy(self) -> History:
        """Return one in the same state."""
        other = History(0)
        other.size, other._buffer = self.size, bytearray(self._buffer)
        other._offset, other._written = self._offset, self._written
        return other

    def clear(self) -> None:
        """Forget everything ([MS-SIPCOMP] 3.2.5.2, PACKET_FLUSHED)."""
        self._buffer = bytearray(self.size)
        self._offset = self._written = 0

    def to_front(self) -> None:
        """Go on at the beginning of the buffer ([MS-SIPCOMP] 3.2.5.2, PACKET_AT_FRONT)."""
        self._offset = 0

    def expand(self, packet: bytes, length: int | None = None) -> Expanded:
        """Decompress a packet.

        Args:
            packet: without its header.
            length: plain bytes that it holds, where that is known; ``packet`` may then go on
                behind it.

        Raises:
            BadPacketError: the history is then of no more use.
        """
        if not packet:
            raise BadPacketError("it is empty")
        bits = bin(int.from_bytes(b"\1" + packet))[3:]
        start, at, end = self._offset, 0, len(bits)
        stop = self.size if length is None else start + length
        if stop > self.size:
            raise BadPacketError(_TOO_MUCH)
        token = _TOKENS[self.size].match
        while end - at >= _SHORTEST_TOKEN and (length is None or self._offset < stop):
            found = token(bits, at)
            if found is None:
                raise BadPacketError(_NO_CODE)
            at = found.end()
            kind = found.lastgroup
            if kind == "run":
                at -= self._literals(found[0], stop, cut=length is not None)
            elif kind == "high":
                self._put(bytes([0x80 | int(found["high"], 2)]), stop)
            else:
                at = self._match(found, bits, at, stop)
        if length is not None and self._offset < stop:
            raise BadPacketError("it holds less than it says")
        return Expanded(bytes(self._buffer[start : self._offset]), (at + 7) >> 3)

    def _literals(self, run: str, stop: int, *, cut: bool) -> int:
        """Take a run of literals, or its beginning; return the bits that were not taken."""
        data = int(run, 2).to_bytes(len(run) >> 3)
        over = max(0, self._offset + len(data) - stop) if cut else 0
        self._put(data[: len(data) - over], stop)
        return over << 3

    def _match(self, found: re.Match[str], bits: str, at: int, stop: int) -> int:
        """Copy what a tuple refers to; return where the next code begins."""
        back = 0
        for name, base in _BASES[self.size].items():
            if found[name] is not None:
                back = int(found[name], 2) + base
        ones = len(found["ones"])
        count, more = 3, 0
        if ones:
            more = ones + 1
            if at + more > len(bits):
                raise BadPacketError(_NO_CODE)
            count = (1 << more) + int(bits[at : at + more], 2)
        self._copy(back, count, stop)
        return at + more

    def _put(self, data: bytes, stop: int) -> None:
        end = self._offset + len(data)
        if end > stop:
            raise BadPacketError(_TOO_MUCH)
        self._buffer[self._offset : end] = data
        self._offset = end
        self._written = max(self._written, end)

    def _copy(self, back: int, count: int, stop: int) -> None:
        source = (self._offset - back) % self.size
        # Behind the place that is written to lies what an earlier packet left there.
        own = source < self._offset
        if not back or back >= self.size or source >= self._written:
            raise BadPacketError(_NOT_SENT)
        there = self._offset - source if own else self._written - source
        if own:  # a match may run into what it makes itself
            piece = bytes(self._buffer[source : source + min(count, there)])
            self._put((piece * (count // len(piece) + 1))[:count], stop)
        elif count > there:
            raise BadPacketError(_NOT_SENT)
        else:
            self._put(bytes(self._buffer[source : source + count]), stop)
