"""How connections begin that carry TLS or HTTP: what tells later whether a file was uploaded.

Of each side the first bytes are kept, and the heads of every SOAP message; no more of a connection
is looked at. Both reading paths use this, so that it is the same in both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

# Connections that are remembered, at about a kilobyte each: a capture with more of them is one of
# web servers, in which uploads are not looked for.
MAX_OTHERS = 1 << 13
# Bytes of each head: a SOAP request's own, or the name in a ClientHello.
FIRST_BYTES = 512
REMEMBERED = ("TLS", "HTTP")
# Requests and responses of a SOAP service: an upload has few, before and behind its chunks.
MAX_HEADS = 16
WEB_SERVICE = b".asmx"
HTTP_STARTS = (b"POST ", b"HTTP/1.")


class Head(NamedTuple):
    """What a packet of something else than SIP begins with."""

    side: int
    """0 from the opener, 1 to it."""
    frame: int
    time_ns: int
    data: bytes


@dataclass(slots=True)
class Beginning:
    """How a connection begins that carries something else than SIP."""

    key: bytes
    """From the opener to the other side."""
    service: str
    heads: list[Head] = field(default_factory=list)
    """The first bytes of each side; of the file Web service's SOAP those of every message."""

    def take(self, side: int, data: bytes, frame: int, time_ns: int) -> bool:
        """Look at bytes of one side; tell whether more of them are of use."""
        heads = self.heads
        if not self.heard(side) or data.startswith(HTTP_STARTS):
            heads.append(Head(side, frame, time_ns, data[:FIRST_BYTES]))
        return self.service == "HTTP" and len(heads) < MAX_HEADS and WEB_SERVICE in heads[0].data

    def heard(self, side: int) -> bool:
        """Say whether anything of a side was seen."""
        return any(one.side == side for one in self.heads)


class Others:
    """Takes the bytes of such connections while a capture is read.

    ``who`` is whatever stands for a connection where it is read.
    """

    def __init__(self, kept: list[Beginning], most: int | None = None) -> None:
        """Keep what is found, ``most`` connections of it, in ``kept``."""
        self._kept = kept
        self._most = MAX_OTHERS if most is None else most
        self._begun: dict[object, Beginning] = {}
        """Those of which more is wanted."""

    def remember(self, who: object, key: bytes, service: str) -> None:
        """Begin to keep what a connection begins with, if it is of use."""
        if service in REMEMBERED and len(self._kept) < self._most:
            beginning = self._begun[who] = Beginning(key, service)
            self._kept.append(beginning)

    def take(
        self, who: object, side: int, data: bytes, frame: int, time_ns: int, *, alone: bool
    ) -> tuple[bool, bool]:
        """Look at bytes of one side; tell whether more is wanted of it, and of the other side.

        ``alone``: the other side may be SIP for all that is known, and nothing of it is wanted.
        """
        beginning = self._begun.get(who)
        if beginning is None:
            return False, False
        if beginning.take(side, data, frame, time_ns):
            return True, True
        wanted = not alone and not beginning.heard(side ^ 1)
        if not wanted:
            del self._begun[who]
        return False, wanted

    def forget(self, who: object) -> None:
        """Note that a connection ended."""
        self._begun.pop(who, None)


def begun_at(one: Beginning) -> tuple[int, bytes]:
    """Return a place among others that depends on the capture alone."""
    return one.heads[0].frame, one.key
