"""Where a packet of [MS-SIPCOMP] ends: what its header may look like, and the proof of a guess.

The text of [MS-SIPCOMP] that is at hand names the flags of the packet header, not its other fields.
Hence the rule: no header is believed. All that could stand before the first SIP message are tried,
and one is right when messages end, by their own Content-Length, where its packets do.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# [MS-SIPCOMP] 3.2.5.1.1: bits A, B and C of RFC 2118 3.1. They are the first four bits of the first
# byte (Ixia, "Linking via ATI Lync 2013", 2014).
FLUSHED, AT_FRONT, COMPRESSED = 0x8, 0x4, 0x2
# FLUSHED stands alone, AT_FRONT never does ([MS-SIPCOMP] 3.2.5.1.1). No flag at all is how RDP
# sends what it did not compress ([MS-RDPBCGR] 3.1.8.2.1).
ALLOWED = frozenset({0, COMPRESSED, COMPRESSED | AT_FRONT, FLUSHED})

# One byte of flags and a length have two bytes at least; twelve hold flags, a count, and two
# lengths of four bytes.
HEADER_SIZES = range(2, 13)
_WIDTHS = (2, 3, 4)
PAYLOAD, PACKET, PLAIN = "payload", "packet", "plain"


class Layout(NamedTuple):
    """A guess at the header."""

    size: int
    """Bytes of the header."""
    at: int
    """Offset of the length in it; 0 where the length shares its first byte with the flags."""
    width: int
    little: bool
    """Least significant byte first."""
    counts: str
    """What the length counts: ``payload``, ``packet`` (with the header) or ``plain`` bytes."""
    low: bool
    """The flags are the low four bits of the first byte."""

    def flags(self, header: bytes) -> int:
        """Return the flags."""
        return header[0] & 0xF if self.low else header[0] >> 4

    def length(self, header: bytes) -> int:
        """Return what the length field says, of the payload where it counts the packet."""
        field = header[self.at : self.at + self.width]
        value = int.from_bytes(field, "little" if self.little else "big")
        if self.at == 0:
            value &= (1 << (8 * self.width - 4)) - 1
        return value - self.size if self.counts == PACKET else value


def layouts(size: int) -> list[Layout]:
    """Return all guesses at a header of ``size`` bytes."""
    fields = [(0, 2, False)]  # as RFC 2118 3.1 has it: four flags and twelve bits
    fields += [
        (at, width, little)
        for width in _WIDTHS
        for at in range(1, size - width + 1)
        for little in (False, True)
    ]
    return [
        Layout(size, at, width, little, counts, low)
        for at, width, little in fields
        for counts in (PAYLOAD, PACKET, PLAIN)
        for low in (False, True)
        if at or not low
    ]


# The first message is not compressed, whatever the flags say, until its first repetition: the
# header ends where it begins. Methods of RFC 3261 and its extensions and of [MS-SIP]; the longer
# name first, so that a BENOTIFY is no NOTIFY.
_METHODS = (
    rb"REGISTER|SUBSCRIBE|BENOTIFY|NOTIFY|INVITE|OPTIONS|MESSAGE|SERVICE|INFO|ACK|BYE|CANCEL|UPDATE"
    rb"|REFER|PRACK|PUBLISH|NEGOTIATE"
)
BEGINNING = re.compile(rb"(?:SIP/2\.0 [1-6]|(?:" + _METHODS + rb") [A-Za-z])")
LONGEST_BEGINNING = 16

_START_LINE = re.compile(
    rb"(?:SIP/2\.0 [1-6][0-9][0-9] [^\r\n\0]*|[A-Z]{2,32} [!-~]+ SIP/2\.0)\Z", re.IGNORECASE
)
_HEADER_LINE = re.compile(rb"(?:[!-9;-~]+[ \t]*:|[ \t])")
_CONTROL = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LENGTH = re.compile(
    rb"\r\n(?:Content-Length|l)[ \t]*:[ \t]*([0-9]{1,9})[ \t]*(?:\r\n|\Z)", re.IGNORECASE
)
# As the framing has it: no SIP head is longer.
MAX_HEAD = 1 << 16


class Messages:
    """Judge whether plain bytes are SIP messages one behind the other, each as long as it says."""

    __slots__ = ("_body", "_head", "wrong")

    def __init__(self) -> None:
        self.wrong = False
        self._head = bytearray()
        self._body = 0

    def copy(self) -> Messages:
        """Return one in the same state."""
        other = Messages()
        other.wrong, other._head, other._body = self.wrong, self._head[:], self._body
        return other

    @property
    def between(self) -> bool:
        """All that came are whole messages."""
        return not (self.wrong or self._head or self._body)

    def feed(self, data: bytes) -> None:
        """Take more; ``wrong`` is then set where they are none."""
        while data and not self.wrong:
            if self._body:
                taken = min(self._body, len(data))
                self._body -= taken
                data = data[taken:]
            else:
                data = self._more_head(data)

    def _more_head(self, data: bytes) -> bytes:
        """Take what belongs to a head; return the rest."""
        head = self._head
        before = max(0, len(head) - 3)
        head += data
        if not before:
            del head[: len(head) - len(head.lstrip(b"\r\n"))]  # keep-alive (RFC 5626 3.5.1)
        end = head.find(b"\r\n\r\n", before)
        if end < 0:
            self.wrong = len(head) > MAX_HEAD or _CONTROL.search(head, before) is not None
            return b""
        rest, lines = bytes(head[end + 4 :]), bytes(head[:end])
        head.clear()
        first, *others = lines.split(b"\r\n")
        found = _LENGTH.search(lines)
        self._body = int(found[1]) if found else 0
        self.wrong = (
            _CONTROL.search(lines) is not None
            or not _START_LINE.match(first)
            or not all(map(_HEADER_LINE.match, others))
        )
        return rest
