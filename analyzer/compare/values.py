"""What comparing two sessions gives: aligned rows, divergences, and what a capture cannot tell.

The sides are called A and B and nothing else: which of them is the bad one is not known here. A
comparison the other way round is the same with the sides exchanged (``mirrored``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from analyzer.flows.values import StepStatus

SideName = Literal["A", "B"]
Weight = Literal["major", "minor", "trivial"]
"""``major``: how it went differs: an error, something lost or refused, a step that is slow or
missing. ``minor``: both went well, but not alike. ``trivial``: what other people or the length of
the capture decide; it is counted and not shown unless asked for."""
Kind = Literal[
    "variant",
    "outcome",
    "one-sided",
    "step",
    "rooms",
    "copies",
    "order",
    "challenge",
    "latency",
    "ending",
    "clock",
    "header",
    "body",
]
"""``variant``: of the client. ``outcome``: SIP status, ms-diagnostics, code of the reply, or no
answer. ``one-sided``: an exchange that only one side has. ``step``: the status of a flow's step,
where no single message shows it. ``rooms``: joined and refused. ``copies``: of a post. ``order``:
one after the other here, the other way round there. ``challenge``: rounds of authentication.
``latency``: both slower by a factor and by an amount. ``ending``: who ended a dialog. ``clock``: of
a server, against that of its capture. ``header`` and ``body``: one field."""
KINDS: tuple[Kind, ...] = (
    *("variant", "outcome", "one-sided", "step", "rooms", "copies", "order", "challenge"),
    *("latency", "ending", "clock", "header", "body"),
)
WEIGHTS: tuple[Weight, ...] = ("major", "minor", "trivial")


class Thresholds(NamedTuple):
    """From where on numbers differ."""

    latency_factor: float = 3.0
    """The slower one took so many times as long: two runs of one scenario differ by two easily."""
    latency_ms: float = 500.0
    """And so much longer: what nobody waits for is no matter. Half a second is felt."""
    expires_factor: float = 2.0
    """Servers spread lifetimes at random, by less than that."""
    clock_s: float = 60.0
    """A clock further off breaks Kerberos only at 300 s, but a minute shows in histories."""


DEFAULTS = Thresholds()


class StepKey(NamedTuple):
    """A step of a flow."""

    flow: str
    id: str
    """The document's number."""
    title: str


class Sight(NamedTuple):
    """A message of an exchange."""

    row: int
    frame: int
    time: int
    up: bool
    """From the client."""
    part: str
    """Its place in the exchange: ``request``, ``final``, ``ack``, ``reply 1``, ``reply 1 final``,
    ``round 1 request``, ``round 1 final``."""
    label: str
    status: int | None


class Outcome(NamedTuple):
    """What became of an exchange."""

    well: bool
    known: bool
    """False: the capture cannot tell; then ``words`` say why."""
    key: tuple[str, ...]
    """Compares: status, id of ms-diagnostics, codes of the replies."""
    words: str
    """``answered 200 OK``"""
    frames: tuple[int, ...]
    """Of the message that decides."""


class Rooms(NamedTuple):
    """Rooms that a join entered and was refused, by name, else by the end of the URI."""

    joined: tuple[str, ...]
    refused: tuple[str, ...]


Token = tuple[str, ...]
"""What makes exchanges of two sessions the same: direction, method, role of the other side, event
package, XCCOS id."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with all that answers it: a SIP transaction, or a command with its replies."""

    token: Token
    family: str
    """Its name without particulars: ``getpref``."""
    subject: str
    """In words: ``INVITE to Channel service``, ``getpref kedzie.Options``."""
    step: StepKey | None
    role: str
    """Of its dialog: ``lookup``, ``channel`` ...; ``front-end`` for anything else."""
    up: bool
    """The client began it."""
    sights: tuple[Sight, ...]
    """Its messages in order."""
    outcome: Outcome
    began: int
    """Nanoseconds since 1970 UTC."""
    ended: int
    latency_ms: float | None = None
    """From the request to what decided."""
    rounds: int = 0
    """Challenges and redirects before the last attempt."""
    dialog: int = -1
    item: tuple[int, int] | None = None
    """Row and place of the XCCOS item that began it."""
    replies: tuple[tuple[int, int], ...] = ()
    """The same of its replies."""
    rooms: Rooms | None = None
    """Of a join with a reply."""
    room: str | None = None
    """URI of the one room that it is about."""
    count: int = 1
    """How many like it this stands for, where rows were folded."""

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames of its messages, ascending."""
        return tuple(sorted({one.frame for one in self.sights})) or self.outcome.frames


class Told(NamedTuple):
    """What one side has to a divergence."""

    text: str
    """Follows the name of the side: ``answered 200 OK after 53.1 ms``."""
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Divergence:
    """One thing in which two sessions differ."""

    kind: Kind
    weight: Weight
    step: StepKey | None
    subject: str
    a: Told
    b: Told
    row: int
    """Number of the aligned row that it is of; -1 where it is of the session as a whole."""
    field: str | None = None
    """Name of the header, or path in the XCCOS body."""
    count: int = 1
    """How many like it were folded."""
    follows: bool = False
    """It follows from an earlier one: a step that was not reached."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What cannot be compared, because one capture does not have it."""

    side: SideName
    """Whose capture cannot tell."""
    what: str
    """``steps 1 to 6``, ``INVITE to Lookup``"""
    reason: str
    frames: tuple[int, ...]
    """Of the other side."""
    row: int = -1


@dataclass(frozen=True, slots=True)
class AlignedRow:
    """Two exchanges that are the same by step and command, or one without a counterpart."""

    subject: str
    step: StepKey | None
    a: Exchange | None
    b: Exchange | None
    moved: bool = False
    """They stand in another order on the two sides."""
    unseen: str | None = None
    """Why the capture of the side without it cannot tell."""
    weight: Weight | None = None
    """Of its heaviest divergence; None without."""


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two sessions."""

    file: str
    session: int
    """Its index in its capture."""
    user: str | None
    variant: str
    variant_words: str
    user_agent: str | None
    server: str | None
    started: int
    ended: int
    digits: int
    """Decimal digits of a second that times have."""
    outcome: str
    """Of its first sign-in."""
    verdict: str
    exchanges: int
    doubts: tuple[str, ...]
    """Why its capture may not show all of it."""


class StepSeen(NamedTuple):
    """What became of a step on one side."""

    status: StepStatus
    latency_ms: float | None
    detail: str
    frames: tuple[int, ...]


class StepPair(NamedTuple):
    """A step of a sign-in on both sides."""

    sign_in: int
    """Which sign-in of the sessions, from 0."""
    step: StepKey
    a: StepSeen
    b: StepSeen


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sessions, aligned."""

    a: Party
    b: Party
    why: str
    """Why these two were compared."""
    steps: tuple[StepPair, ...]
    """Of the sign-ins that both have."""
    rows: tuple[AlignedRow, ...]
    divergences: tuple[Divergence, ...]
    """In the order of the flow."""
    doubts: tuple[Doubt, ...]
    cut: tuple[str, ...] = ()
    """What was left out because of a limit, a sentence each."""

    @property
    def meaningful(self) -> tuple[Divergence, ...]:
        """The divergences that are not trivial."""
        return tuple(one for one in self.divergences if one.weight != "trivial")

    @property
    def first(self) -> Divergence | None:
        """The first major one, else the first minor one."""
        for weight in ("major", "minor"):
            for one in self.divergences:
                if one.weight == weight:
                    return one
        return None


def mirrored(found: Comparison) -> Comparison:
    """Return a comparison with its sides exchanged: what comparing B with A gives."""
    other: dict[SideName, SideName] = {"A": "B", "B": "A"}
    return replace(
        found,
        a=found.b,
        b=found.a,
        steps=tuple(one._replace(a=one.b, b=one.a) for one in found.steps),
        rows=tuple(replace(one, a=one.b, b=one.a) for one in found.rows),
        divergences=tuple(replace(one, a=one.b, b=one.a) for one in found.divergences),
        doubts=tuple(replace(one, side=other[one.side]) for one in found.doubts),
    )
