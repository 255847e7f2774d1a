"""What a fault is: which messages it hits, and what it does to them, as values.

The rule: one small type for each kind of fault; nothing here does anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Direction = Literal["said", "heard"]
Part = Literal["any", "start", "header", "body"]
How = Literal["fin", "rst", "half"]
Where = Literal["before", "inside", "after"]
Scope = Literal["play", "user", "connection", "dialog"]
"""Of what the messages are counted: of the whole play, or of each user, connection or dialog."""


class Range(NamedTuple):
    """Numbers from ``first`` to ``last`` (None: without end), both included."""

    first: int
    last: int | None

    def has(self, number: int) -> bool:
        """Return whether a number is among them."""
        return self.first <= number and (self.last is None or number <= self.last)


class Items(NamedTuple):
    """An XCCOS item that a message must have."""

    kind: Literal["cmd", "rpl", "ntc", "grpchat"]
    pattern: str
    """Of its name in lower case; ``*`` and ``?`` as in file names."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages. What is None or empty selects nothing out."""

    direction: Direction | None = None
    """As seen by the wrapped end; None: both."""
    method: str | None = None
    """In upper case; of a response the method that it answers."""
    status: Range | None = None
    items: Items | None = None
    """Of a response, where ``status`` is given: what its request carried."""
    to: str | None = None
    """Pattern of the address in To, without ``sip:``, in lower case."""
    user: str | None = None
    """Pattern of the address in From or To."""
    numbers: tuple[Range, ...] = ()
    """Which of the messages that are selected, counted from 1."""
    every: int | None = None
    probability: float | None = None
    scope: Scope = "play"


@dataclass(frozen=True, slots=True)
class Drop:
    """The message is lost."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The message comes later; others overtake it."""

    by: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The message comes again."""

    times: int = 1
    by: float = 0.0
    """Seconds from one to the next."""


@dataclass(frozen=True, slots=True)
class Reorder:
    """The message changes places with the next one of its connection."""

    within: float = 1.0
    """Seconds after which it is no longer held back, should none follow."""


@dataclass(frozen=True, slots=True)
class Merge:
    """The message is written together with the next one of its connection, in one piece."""

    within: float = 1.0


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Bytes are flipped."""

    part: Part = "any"
    count: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends."""

    how: How = "fin"
    where: Where = "after"


@dataclass(frozen=True, slots=True)
class Split:
    """The message is written in pieces."""

    pieces: int = 2
    at: tuple[int, ...] = ()
    """Offsets in bytes; instead of ``pieces``."""
    head: bool = False
    """Between head and body; instead of ``pieces``."""
    gap: float = 0.0
    """Seconds between the pieces; nothing else of the connection comes between."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing is read from the connection for some time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WrongCommandId:
    """A reply names a command that nobody sent."""

    envid: str | None = None
    """What it names; None: a number by the seed."""


@dataclass(frozen=True, slots=True)
class Oversized:
    """The body grows; XML stays well-formed."""

    body: int
    """Bytes that it has then."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A request that is heard gets this answer, and the play never sees it."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...] = ()
    """Besides those that every response has; ``${host}`` stands for the host of the To URI."""


Fault = (
    Drop
    | Delay
    | Duplicate
    | Reorder
    | Merge
    | Corrupt
    | Cut
    | Split
    | Stall
    | WrongCommandId
    | Oversized
    | Answer
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault."""

    fault: Fault
    select: Selection
    text: str
    """As it was given, for people."""
