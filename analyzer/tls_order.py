"""The records of both sides of a TLS connection, in an order in which they can have been said.

A capture may have the sides out of step: two taps, two receive queues, two clocks. Whoever
decrypts reads the handshake as a talk, though, and is lost when the answer comes before the
question. So a record waits while the other side must have spoken first (RFC 5246 section 7.3, RFC
8446 section 2). When both have changed to their keys the sides do not depend on one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.tls_handshake import ALERT, CLIENT_HELLO, HANDSHAKE

if TYPE_CHECKING:
    from analyzer.tls_handshake import Handshake
    from analyzer.tls_records import Record

# What is kept back while a side waits for the other: a handshake in full, several times.
MAX_HELD = 512 << 10
_HEAD = 5

Said = tuple[int, "Record"]
"""A side, and a record of it."""


class Order:
    """Takes records as captured; gives them as said. ``handshake`` has heard all that was given."""

    def __init__(self, handshake: Handshake) -> None:
        self.handshake = handshake
        self._held: list[Said] = []
        self._size = 0
        self._free = False
        """Nothing waits any more."""

    def take(self, side: int, record: Record) -> list[Said]:
        """Take the next record of a side; return what need not wait."""
        if self._free:
            self._hear(side, record)
            return [(side, record)]
        self._held.append((side, record))
        self._size += len(record.data)
        if self._size > MAX_HELD:
            return self.close()
        return self._ready()

    def close(self) -> list[Said]:
        """Return what still waits, as it was captured: what it waits for does not come."""
        held, self._held, self._free = self._held, [], True
        for side, record in held:
            self._hear(side, record)
        return held

    def _ready(self) -> list[Said]:
        given: list[Said] = []
        while (at := self._next()) is not None:
            side, record = self._held.pop(at)
            self._size -= len(record.data)
            self._hear(side, record)
            given.append((side, record))
        heard = self.handshake
        if heard.is_tls13 or all(heard.changed):
            given += self.close()
        return given

    def _next(self) -> int | None:
        """Return the place of the first record that may be given; those of a side stay in order."""
        waiting: set[int] = set()
        for at, (side, record) in enumerate(self._held):
            if side in waiting:
                continue
            if self._may_speak(side, record):
                return at
            waiting.add(side)
            if len(waiting) == 2:
                break
        return None

    def _may_speak(self, side: int, record: Record) -> bool:
        heard = self.handshake
        if record.kind == ALERT:
            return True
        if heard.client is None:
            return _begins(record) or heard.within(side)
        if side == heard.client:
            return not heard.awaiting or heard.early or heard.within(side)
        if heard.within(heard.client) or heard.asked_again:
            return False
        # What the client's key opens comes after that key (RFC 5246 section 7.3).
        return not heard.done or heard.changed[heard.client]

    def _hear(self, side: int, record: Record) -> None:
        if record.kind:
            self.handshake.take(side, record.kind, record.data[_HEAD:])
        else:
            self.handshake.take_old_hello(side, record.data)


def _begins(record: Record) -> bool:
    """Tell whether a record has the beginning of a ClientHello."""
    if not record.kind:
        return True
    return record.kind == HANDSHAKE and record.data[_HEAD : _HEAD + 1] == bytes((CLIENT_HELLO,))
