"""HEP over TCP: packets stand one behind the other, each with its length.

The one rule: where a packet should begin and does not, or bytes are missing, reading goes on where
the next one begins; what lies before it is counted, and so is a damaged packet, by its length.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from dissectors.transport.hep import HEAD, MAGIC, length_of, read_hep

if TYPE_CHECKING:
    from dissectors.model import Chunk
    from dissectors.transport.hep import Hep


class Packet(NamedTuple):
    """A packet, and where it was complete."""

    hep: Hep
    data: bytes
    chunk: Chunk
    """With its last byte."""


class HepStream:
    """One direction of a connection. ``feed`` it chunks in order; packets come out.

    It holds less than a packet, which has 64 KiB at most.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._need = 0  # bytes, before which there is nothing to be decided
        self.unused = 0
        """Bytes that belong to no packet that could be read."""

    @property
    def held(self) -> int:
        """Bytes of a packet that is not complete."""
        return len(self._buffer)

    def feed(self, chunk: Chunk) -> list[Packet]:
        """Return the packets that a chunk completes."""
        self._buffer += chunk.data
        if len(self._buffer) < self._need:
            return []
        found: list[Packet] = []
        data, at, self._need = bytes(self._buffer), 0, 0
        while len(data) - at >= HEAD:
            length = length_of(data[at : at + HEAD])
            if not data.startswith(MAGIC, at) or length < HEAD:
                at = self._next(data, at)
                continue
            if len(data) - at < length:
                self._need = length
                break
            packet = data[at : at + length]
            hep = _read(packet)
            at += length
            if hep is None:
                self.unused += length
            else:
                found.append(Packet(hep, packet, chunk))
        del self._buffer[:at]
        return found

    def gap(self) -> None:
        """Take note that bytes are missing."""
        self.unused += len(self._buffer)
        self._buffer.clear()
        self._need = 0

    def _next(self, data: bytes, at: int) -> int:
        """Return where the next packet may begin."""
        there = data.find(MAGIC, at + 1)
        if there < 0:  # its first bytes may be the last ones here
            there = max(at + 1, len(data) - len(MAGIC) + 1)
        self.unused += there - at
        return there


def _read(packet: bytes) -> Hep | None:
    try:
        found = read_hep(packet)
    except (struct.error, IndexError):
        return None
    return None if isinstance(found, str) else found
