"""What a reading is worth: what is missing, what could not be read, what else is in it.

The one rule: read this before believing that something is absent. Absent from the capture is not
absent from the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dissectors.capture.pdu_writer import UPPER_PDU
from dissectors.model import address_text

if TYPE_CHECKING:
    from analyzer.others import Beginning, Head
    from analyzer.reading import Reading
    from analyzer.sources.conversion import Conversion
    from analyzer.tls_reasons import TlsConnectionTold
    from dissectors.capture.text.values import Annotation
    from dissectors.dns import NameQuery
    from dissectors.model import Malformed


@dataclass(frozen=True, slots=True)
class Hole:
    """Bytes of a SIP connection that the capture does not have."""

    stream: int
    frame: int
    """The first frame after the hole."""
    length: int
    """0 where it cannot be known."""


@dataclass(frozen=True, slots=True)
class ConflictingOverlap:
    """A retransmission whose bytes differed from those seen first (which were used)."""

    stream: int
    frame: int
    length: int


class OtherConnection(NamedTuple):
    """A TCP connection that carries TLS or HTTP, as far as its beginning tells."""

    opener: str
    """``ip:port``"""
    responder: str
    service: str
    """``TLS`` or ``HTTP``."""
    heads: tuple[Head, ...]
    """The first bytes of each side; of a SOAP service those of its requests and responses."""

    @property
    def time(self) -> int:
        """Of the first bytes; nanoseconds since 1970 UTC."""
        return self.heads[0].time_ns

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames of the heads."""
        return tuple(head.frame for head in self.heads)

    @property
    def sent(self) -> bytes:
        """First bytes from the opener, at most 512."""
        return next(iter(self.said(0)), b"")

    @property
    def answered(self) -> bytes:
        """First bytes to it."""
        return next(iter(self.said(1)), b"")

    def said(self, side: int) -> tuple[bytes, ...]:
        """Return the heads of a side: 0 from the opener, 1 to it."""
        return tuple(head.data for head in self.heads if head.side == side)


@dataclass(frozen=True, slots=True)
class Quality:
    """What the capture is worth: read this before believing that something is absent."""

    frames: int
    first_time: int | None
    """Nanoseconds since 1970 UTC."""
    last_time: int | None
    digits: int
    """Decimal digits of a second that the time stamps carry."""
    link_types: tuple[int, ...]
    problems: tuple[Malformed, ...]
    """What could not be decoded, the first ones word by word."""
    counters: dict[str, int]
    """Counts by short names: ``cut frames``, ``retransmitted segments``, ``malformed ip`` ..."""
    ignored: dict[str, int]
    """Frames that carry neither TCP nor UDP, by what they are."""
    services: dict[str, int]
    """TCP connections that carry something else than SIP, by protocol (``TLS``, ``HTTP`` ...)."""
    holes: tuple[Hole, ...]
    conflicts: tuple[ConflictingOverlap, ...]
    damaged: bool
    """The file is damaged or cut, or is no capture: not everything in it could be read."""
    notes: tuple[str, ...] = ()
    """Sentences for people, about TLS that could not be read."""
    others: tuple[OtherConnection, ...] = ()
    """TCP connections with TLS or HTTP, by their first frame; at most 8192."""
    queries: tuple[NameQuery, ...] = ()
    """Questions to DNS for a pool, and the answers."""
    kind: str = ""
    """What the input is, where it is no pcap or pcapng: ``SIPStack trace (OCSLogger)``."""
    unit: str = "frame"
    """What the numbers of places in the input count: ``frame`` or ``line``."""
    tls: tuple[TlsConnectionTold, ...] = ()
    """TLS connections, whether they could be read, and why not; at most 65,536."""
    annotations: tuple[Annotation, ...] = ()
    """What the machine that wrote a text trace says beside the messages."""


def quality_of(
    reading: Reading, ended: Malformed | None, conversion: Conversion | None = None
) -> Quality:
    """Return what a settled reading is worth.

    Args:
        reading: settled.
        ended: why its bytes ended early, if they did.
        conversion: what its bytes were converted from, if they were.
    """
    problems = [*reading.problems, *([] if ended is None else [ended])]
    if conversion is not None:
        problems += conversion.problems
    return Quality(
        frames=reading.frames,
        first_time=reading.first_time,
        last_time=reading.last_time,
        digits=reading.digits,
        link_types=tuple(sorted(reading.links)),
        problems=tuple(problems),
        counters=_counters(reading),
        ignored=reading.ignored,
        services=dict(reading.services),
        holes=tuple(Hole(*hole) for hole in reading.holes),
        conflicts=tuple(ConflictingOverlap(*conflict) for conflict in reading.conflicts),
        damaged=len(problems) > len(reading.problems) or reading.damaged,
        notes=(*reading.notes, *(() if conversion is None else conversion.notes)),
        others=tuple(map(_other, reading.others)),
        queries=tuple(reading.queries),
        kind="" if conversion is None else conversion.kind,
        tls=tuple(reading.tls_told),
        unit="frame" if conversion is None else conversion.unit,
        annotations=() if conversion is None else tuple(conversion.annotations),
    )


def _other(one: Beginning) -> OtherConnection:
    opener, responder = address_text(one.key)
    return OtherConnection(opener, responder, one.service, tuple(one.heads))


def _counters(reading: Reading) -> dict[str, int]:
    counters = +reading.counters + reading.stream_counters
    if reading.links == {UPPER_PDU}:
        del counters["cut frames"]  # what a trace leaves out is said in its own words
    return dict(counters)
