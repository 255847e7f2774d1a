"""What a play hears, message by message, without losing a byte of what is between.

The rule: the pieces joined are the bytes that came. Where framing is lost, all that follows passes
as it comes, and no rule hits it any more.
"""

from __future__ import annotations

from typing import NamedTuple

from analyzer.replay.inbound import Inbound
from dissectors.model import Malformed

_BLANK = b"\r\n"


class Unit(NamedTuple):
    """Some bytes of a stream."""

    data: bytes
    whole: bool
    """A whole message; else keep-alives, or what cannot be framed."""


class Framing:
    """One direction of one connection."""

    def __init__(self) -> None:
        self._inbound = Inbound()
        self._held = bytearray()
        self.lost = False
        """Something came that is no message."""

    def feed(self, data: bytes) -> list[Unit]:
        """Return what these bytes complete."""
        if self.lost:
            return [Unit(data, whole=False)]
        self._held += data
        units: list[Unit] = []
        for arrival in self._inbound.feed(data):
            if isinstance(arrival, Malformed):
                self.lost = True
                break
            if isinstance(arrival, bytes):
                units += self._between()
                del self._held[: len(arrival)]
                units.append(Unit(arrival, whole=True))
        return units + (self.rest() if self.lost else self._between())

    def rest(self) -> list[Unit]:
        """Return what is held of a message that is not whole."""
        data = bytes(self._held)
        self._held.clear()
        return [Unit(data, whole=False)] if data else []

    def _between(self) -> list[Unit]:
        """Return the line ends before the next message."""
        length = len(self._held) - len(self._held.lstrip(_BLANK))
        data = bytes(self._held[:length])
        del self._held[:length]
        return [Unit(data, whole=False)] if data else []
