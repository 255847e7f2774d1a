"""The ladder: lanes, and in order of time what went between them. It knows nothing of drawing.

Lanes and events refer to one another by number: a lane by its place in ``Ladder.lanes``, an event
by its place in ``Ladder.events``. Times are nanoseconds since 1970 UTC, latencies milliseconds.
Every text may hold anything that a capture can hold; a renderer escapes it for its format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from analyzer.flows.values import StepStatus

LaneKind = Literal[
    "client", "dns", "director", "front-end", "lookup", "channel", "web", "server", "unknown"
]
LANE_ORDER: tuple[LaneKind, ...] = (
    *("client", "dns", "director", "front-end", "lookup", "channel", "server", "web", "unknown"),
)
"""From left to right."""
ArrowKind = Literal["request", "response", "connection"]
"""``connection``: something that is no SIP message, a DNS question or an upload."""
Tone = Literal["plain", "good", "bad", "doubtful"]
Heat = Literal["quick", "slow", "very-slow"]
"""``slow`` from ``SLOW_MS`` on, ``very-slow`` from ``VERY_SLOW_MS`` on. A renderer shows it by a
sign or a word too, never by colour alone."""
SLOW_MS = 500.0
"""Half a second is felt as a wait; below it a person takes a system for immediate."""
VERY_SLOW_MS = 2000.0
"""The default threshold of slow commands in the rules (GC302)."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One column: a client, a service or a host."""

    key: str
    """Stable and unique within a ladder, ASCII: ``client-1``, ``front-end-1``."""
    kind: LaneKind
    title: str
    """What people call it: the alias that they gave it, ``user1``, ``Front End``."""
    subtitle: str = ""
    """Its role (of a lane with an alias), URI and addresses, as far as they are known."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One further sighting of a message, on another connection of a proxied path."""

    row: int
    frame: int
    source: str
    """``ip:port``, or the alias of the host with the port."""
    target: str
    time: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The final SIP response that was folded into the arrow of its request."""

    row: int
    frame: int
    status: int
    text: str
    """``200 OK``"""
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class Arrow:
    """A message, or several like ones, from one lane to another."""

    source: int
    target: int
    kind: ArrowKind
    label: str
    """Short: ``REGISTER``, ``401 Unauthorized``, ``INFO join``, ``INFO rpl:join 200``,
    ``INFO getpref ×11``. Cut by the renderer where it must be."""
    text: str
    """The whole of it in words, for a tooltip and a screen reader, without the time."""
    time: int
    frame: int
    """That completes the message; of folded ones the first."""
    rows: tuple[int, ...]
    """The message and those folded with it, without hop copies; empty for a ``connection``."""
    frames: tuple[int, ...]
    """All frames behind it, ascending, those of hops and of a folded answer too."""
    via: tuple[int, ...] = ()
    """Lanes that it passed on its way, in that order: a proxy between source and target."""
    status: int | None = None
    """Of a response."""
    code: str | None = None
    """Of the worst reply that it carries: ``resp@code``."""
    tone: Tone = "plain"
    """``bad``: an error or something lost. ``doubtful``: slow, retried, or something unsure."""
    latency_ms: float | None = None
    """Of a response since its request, of a reply since its command, of a copy since its post."""
    latency_of: str = ""
    """What that is measured from: ``REGISTER in frame 4``, ``join in frame 46``."""
    heat: Heat = "quick"
    marks: tuple[str, ...] = ()
    """Words to show beside it: ``retransmission``, ``retry``, ``never answered``, ``lost``,
    ``duplicate``, ``cut``, ``quoted in ICMP``."""
    count: int = 1
    """How many like arrows, one after the other, it stands for."""
    until: int | None = None
    """Time of the last of these."""
    hops: tuple[Hop, ...] = ()
    """Merged copies on further connections, in order of time."""
    answer: Answer | None = None
    session: int | None = None
    call_id: str | None = None
    method: str | None = None
    """SIP method, of a response that of its request."""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark between arrows: a hole in the capture, a keep-alive that failed, a finding."""

    kind: Literal["hole", "finding", "remark"]
    lanes: tuple[int, ...]
    """That it lies over: from the first to the last of them; empty: over all."""
    label: str
    text: str
    time: int
    frames: tuple[int, ...]
    tone: Tone = "doubtful"


Event = Arrow | Note


@dataclass(frozen=True, slots=True)
class Group:
    """Events one after the other that belong to one step of a flow."""

    first: int
    """Number of its first event."""
    last: int
    """Number of its last event, inclusive."""
    flow: str
    step: str
    """The document's number."""
    title: str
    status: StepStatus
    detail: str
    continued: bool = False
    """An earlier group is of the same step: events of other steps came between."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """What belongs together over a distance: a command and its reply, a post and its copies."""

    kind: Literal["reply", "copy"]
    first: int
    """Number of the event with the command or post."""
    last: int
    """Number of the event with the reply or copy."""
    label: str
    """``join 1.05 ms``"""
    latency_ms: float | None
    heat: Heat = "quick"


@dataclass(frozen=True, slots=True)
class Ladder:
    """A ladder diagram."""

    title: str
    """``Sign-in of hiro``"""
    subtitle: str
    """The capture's name, time and what was chosen of it."""
    lanes: tuple[Lane, ...]
    events: tuple[Event, ...]
    """In order of time."""
    groups: tuple[Group, ...] = ()
    """In order; they do not overlap, and not every event is in one."""
    brackets: tuple[Bracket, ...] = ()
    """In order of their last event."""
    began: int = 0
    """Relative times count from here."""
    digits: int = 6
    """Decimal digits of a second that the times carry."""
    left_out: tuple[str, ...] = ()
    """What is not shown and how to see it, a sentence each."""
    dated: bool = True
    """False: times are spans since a beginning of their own, as of two sessions side by side."""

    @property
    def arrows(self) -> tuple[Arrow, ...]:
        """The arrows alone, in order."""
        return tuple(event for event in self.events if isinstance(event, Arrow))
