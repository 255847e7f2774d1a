"""What a script is: a case as data, that a person can read, edit and keep in a repository.

The rule: a script holds no secret and no socket. Messages are templates whose volatile values are
slots; turns name what must have been said or heard before they are said. Times are milliseconds
after the first turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from analyzer.replay.template import Template

VERSION = 1
"""Of the format. An older one is converted when it is read (``analyzer.replay.versions``)."""

SlotKind = Literal[
    "call-id", "tag", "branch", "cseq", "envid", "seqid", "epid", "instance", "user", "domain",
    "address", "host", "port", "contact", "uri", "room", "text", "time", "date", "expiry", "token",
    "secret", "opaque",
]  # fmt: skip
"""``user``: ``name@domain``. ``address``: ``ip:port``. ``contact``: what a Contact or gruu is told
by. ``uri``: a URI (or its part) learned on the way. ``room``: the id part of a room's URI.
``text``: words of people. ``time``: ISO 8601; ``date``: RFC 1123. ``expiry``: seconds that a server
sets. ``token``: a file token. ``secret``: credentials; its value is never the captured one.
``opaque``: whatever one side says first and the other says again."""
FRESH = frozenset(
    {"call-id", "tag", "branch", "cseq", "envid", "epid", "instance", "address", "host", "port"}
    | {"time", "date", "secret", "token"}
)
"""Kinds of which the speaker makes a new value at every play; of others he says the recorded one
unless told otherwise."""
SERVER = "server"
"""The id of the one party that is everything behind the clients' connections."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A named value."""

    name: str
    kind: SlotKind
    value: str
    """As recorded (or chosen anew since); of a ``secret`` a harmless stand-in."""
    said_by: str | None = None
    """The party that says it first, and thereby decides it; None: it is given to the script."""
    turn: str | None = None
    """Where it is said first."""
    where: str = ""
    """The place there, in words for people: ``From tag``, ``rpl:requri/data/uib/@uri``."""
    part_of: str | None = None
    """Of a ``domain``: the user slot whose domain it is, where it follows from that."""


@dataclass(frozen=True, slots=True)
class Party:
    """Someone who speaks: a client, or the server (``SERVER``), or a host behind it."""

    id: str
    kind: Literal["client", "server", "host"]
    user: str | None = None
    """Name of the slot with its address of record."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection of the recording."""

    id: str
    opener: str
    """Party."""
    responder: str
    opener_address: str
    """``ip:port`` as recorded."""
    responder_address: str
    transport: Literal["tcp", "tls", "udp"] = "tcp"
    live: bool = True
    """A client's connection, which is played; False: between hosts behind the server, only for a
    regenerated capture."""
    opened_ms: float | None = None
    """When its SYN was seen; None: open before the recording began."""
    closed_ms: float | None = None
    closed_by: str | None = None
    """Party that closed it first; None where its end was not seen."""
    closed_how: Literal["fin", "rst"] = "fin"


@dataclass(frozen=True, slots=True)
class Dialog:
    """A dialog, registration or single transaction outside dialogs: all that has one Call-ID."""

    id: str
    client: str
    """Party whose dialog it is."""
    role: str
    """As of ``analyzer.model.Dialog``: ``registration``, ``lookup``, ``channel`` ..."""
    call_id: str
    """Name of its slot."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the listener holds a message against."""

    path: str
    """``method``, ``status``, ``header/NAME``, ``body``, or a place in the XCCOS document:
    ``xccos/cmd:join/data/chanid/@value``, ``xccos/rpl:join/resp/@code`` (items by their id, the
    second of a kind ``rpl:join[2]``; without ``@`` the text). ``analyzer.replay.fields`` reads
    them."""
    equals: str
    """May have slots."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message."""

    id: str
    """``t1``, ``t2`` ... in order of the recording."""
    speaker: str
    listener: str
    connection: str
    dialog: str
    message: Template
    at_ms: float = 0.0
    frame: int | None = None
    """Of the recording: the frame that completed it."""
    answers: str | None = None
    """Of a response: the turn of its request."""
    cause: str | None = None
    """The turn that brings it about: of an ``rpl`` its command, of a copy its post, of a notice the
    join it tells of, of an ACK its response, of a response its request."""
    after: tuple[str, ...] = ()
    """Turns that must have been said or heard before, ``cause`` included."""
    expect: tuple[Expectation, ...] = ()
    optional: bool = False
    """Nobody waits for it (100 Trying, a keep-alive, a repetition)."""
    live: bool = True
    """False: only a regenerated capture has it: a copy on a further hop, a round of authentication,
    which whoever plays live does by himself."""
    copy_of: str | None = None
    """Of a copy on a further hop: the turn seen first."""

    @property
    def is_request(self) -> bool:
        """Return whether it is a request."""
        return self.message.status is None


@dataclass(frozen=True, slots=True)
class Aside:
    """What a capture has besides SIP and the analysis rests on: DNS answers, uploads.

    Only a regenerated capture has it; a body is never kept.
    """

    protocol: Literal["dns", "http", "tls"]
    at_ms: float
    opener_address: str
    responder_address: str
    exchanges: tuple[tuple[float, bool, str], ...] = ()
    """Milliseconds, whether the opener speaks, and what: a line or a name (see the writer)."""


@dataclass(frozen=True, slots=True)
class Script:
    """A case."""

    title: str
    parties: tuple[Party, ...]
    connections: tuple[Connection, ...]
    dialogs: tuple[Dialog, ...]
    slots: tuple[Slot, ...]
    turns: tuple[Turn, ...]
    started: str = ""
    """When the recording began: ISO 8601, UTC."""
    asides: tuple[Aside, ...] = ()
    origin: dict[str, str] = field(default_factory=dict)
    """Name of the capture, what was chosen of it, version of the program."""

    def slot(self, name: str) -> Slot | None:
        """Return a slot by its name."""
        return next((slot for slot in self.slots if slot.name == name), None)

    def turn(self, number: str) -> Turn | None:
        """Return a turn by its id."""
        return next((turn for turn in self.turns if turn.id == number), None)

    @property
    def clients(self) -> tuple[Party, ...]:
        """Return the parties that are clients."""
        return tuple(party for party in self.parties if party.kind == "client")
