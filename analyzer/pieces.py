"""Streams that come in pieces of which it is not known where they lie: payloads that agents send.

An agent that mirrors packets (HEP) sends the payload of each TCP segment as it is: a message may
need several of them, and one may hold several messages. They are joined in the order in which they
come, each direction on its own. Both reading paths use this, so that it is the same in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.model import Chunk
from dissectors.sip.stream import StreamReader
from dissectors.transport.services import service_of

if TYPE_CHECKING:
    from dissectors.model import Datagram
    from dissectors.sip.datagram import Joined
    from dissectors.sip.framed import Framed
    from dissectors.sip.scan import HeadScanner

# Directions that are joined at a time: an agent before a pool sees some thousands. The oldest one
# is ended where there are more.
MAX_DIRECTIONS = 1 << 14


class _Direction:
    __slots__ = ("last", "reader")

    def __init__(self, reader: StreamReader | None) -> None:
        self.reader = reader
        """None where it carries something else than SIP."""
        self.last = b""
        """The piece before."""


class Pieces:
    """Feed it pieces; it gives the messages in them."""

    def __init__(self, scanner: HeadScanner) -> None:
        self._scanner = scanner
        self._directions: dict[tuple[str, bytes], _Direction] = {}
        self.repeated = 0
        """Pieces that came twice."""
        self.junk = 0
        """Bytes that belong to no message, of directions that had some; known at their end."""

    def read(self, piece: Datagram) -> list[Joined]:
        """Return the messages that a piece completes, and those of a direction that it ends."""
        ended: list[Joined] = []
        who = (piece.transport, piece.key)
        direction = self._directions.get(who)
        if direction is None:
            if len(self._directions) >= MAX_DIRECTIONS:
                ended = self._end(next(iter(self._directions)))
            # How it began is not known: reading begins at the first start line.
            reader = None if service_of(piece.payload) else StreamReader(self._scanner, whole=False)
            direction = self._directions[who] = _Direction(reader)
        if direction.reader is None:
            return ended
        # No two messages are the same bytes (their CSeq differs, or their branch): a packet that
        # was sent again, or that an agent saw twice.
        if piece.payload == direction.last and b"SIP/" in piece.payload:
            self.repeated += 1
            return ended
        direction.last = piece.payload
        framed = _feed(direction.reader, piece)
        if direction.reader.hopeless:
            direction.reader, direction.last = None, b""
        return [*ended, (*who, framed)] if framed else ended

    def close(self) -> list[Joined]:
        """Return what can still be used of unfinished messages: no more pieces come."""
        return [one for who in list(self._directions) for one in self._end(who)]

    def _end(self, who: tuple[str, bytes]) -> list[Joined]:
        reader = self._directions.pop(who).reader
        if reader is None:
            return []
        framed = reader.close()
        if reader.found:
            self.junk += reader.junk
        return [(*who, framed)] if framed else []


def _feed(reader: StreamReader, piece: Datagram) -> list[Framed]:
    framed: list[Framed] = []
    if piece.payload:
        framed = reader.feed(
            Chunk(
                0, piece.payload, piece.frame, piece.time_ns, piece.digits, piece.offset,
                piece.fragments,
            )
        )  # fmt: skip
    return framed + reader.gap(piece.missing) if piece.missing else framed
