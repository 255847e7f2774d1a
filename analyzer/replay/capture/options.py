"""What a regenerated capture is to be like, and what became of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Format = Literal["pcap", "pcapng"]

DEFAULT_MSS = 1460
"""What Ethernet leaves of 1500 bytes for TCP over IPv4; over IPv6 it is 20 less."""
MIN_MSS = 48
"""The least that Linux lets a peer ask for (``TCP_MIN_SND_MSS``)."""
MAX_MSS = 65_495
"""An IPv4 packet has 65,535 bytes at most, of which 40 are headers."""
MAX_VLAN = 4094
"""4095 is reserved (IEEE 802.1Q 9.6)."""
MAX_SCALE = 10_000.0
"""A second becomes three hours: beyond that nobody waits, and times run out of the format."""
MAX_SENTENCE = 400
"""Characters of an error or a note; the names in it are those of the script."""


class CaptureError(ValueError):
    """A script or an option of which no capture can be made; the message is one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(one_line(reason))


class ScriptFaultError(CaptureError):
    """A script of which no capture can be made, whatever the options."""


def one_line(text: str) -> str:
    """Return a text with ``?`` for what cannot be printed: scripts choose their own names."""
    return "".join(one if one.isprintable() else "?" for one in text[:MAX_SENTENCE])


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """How a script is written as a capture.

    Raises:
        CaptureError: A number is out of its range.
    """

    format: Format = "pcapng"
    """Both in nanoseconds."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Other addresses: a party's id, ``ip:port`` or ``ip`` of the recording to ``ip`` or
    ``ip:port``; the first of these three that fits is used."""
    macs: Mapping[str, str] = field(default_factory=dict)
    """Ethernet addresses by a party's id or the IP addresses that are written; of others one is
    made up."""
    vlan: int | None = None
    """IEEE 802.1Q id, 1 to 4094."""
    mss: int = DEFAULT_MSS
    scale: float = 1.0
    """Of the times between turns: 2.0 takes twice as long."""
    start_ns: int | None = None
    """When the first turn is; nanoseconds since 1970 UTC. None: as recorded."""
    fresh: bool = False
    """Make new identifiers (Call-IDs, tags, branches, envids, endpoint ids, tokens)."""
    seed: int = 0
    """Of fresh identifiers and of sequence numbers: the same seed gives the same file."""
    comments: bool = False
    """Say in a comment of the last frame of each message which turn it is (pcapng only)."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Values of slots, before all others."""

    def __post_init__(self) -> None:
        if not MIN_MSS <= self.mss <= MAX_MSS:
            raise CaptureError(f"MSS {self.mss} is not between {MIN_MSS} and {MAX_MSS}")
        if self.vlan is not None and not 1 <= self.vlan <= MAX_VLAN:
            raise CaptureError(f"VLAN {self.vlan} is not between 1 and {MAX_VLAN}")
        if not (math.isfinite(self.scale) and 0 < self.scale <= MAX_SCALE):
            raise CaptureError(f"times cannot be scaled by {self.scale}")


class CaptureSummary(NamedTuple):
    """What was written."""

    frames: int
    turns: int
    """Of a live play: pieces of data."""
    connections: int
    first_ns: int | None
    last_ns: int | None
    notes: tuple[str, ...]
    """Sentences: what is not as in the recording, and why."""


def format_of(name: str) -> Format:
    """Return the format that the name of a file asks for: pcap for ``.pcap``, else pcapng."""
    return "pcap" if name.lower().endswith((".pcap", ".cap")) else "pcapng"
