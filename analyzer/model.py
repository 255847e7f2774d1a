"""The values that carry meaning: transactions, dialogs, command pairs, sessions.

They refer to messages by row index (``Trace.message(i)`` reads one back), never hold bodies, and
are never written to after they were made. Times are nanoseconds since 1970 UTC, latencies
milliseconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.lazy import once

if TYPE_CHECKING:
    from collections.abc import Sequence

Outcome = Literal["answered", "accepted", "rejected", "unanswered", "unknown"]
PairedBy = Literal["commandid", "order", "none"]
Role = Literal["registration", "subscription", "service", "lookup", "channel", "other"]
DialogState = Literal["early", "confirmed", "terminated", "failed"]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A request on one connection with everything that answers it there (RFC 3261 section 17).

    Matched by Call-ID, CSeq and tags, and the branch where both sides have one: Microsoft clients
    often send none.
    """

    index: int
    connection: int
    method: str
    request: int | None
    """Row of the first request; None when only answers were captured."""
    retransmissions: tuple[int, ...]
    """Rows of the same request sent again on the same connection."""
    provisional: tuple[int, ...]
    final: int | None
    """Row of the first final response."""
    repeated_finals: tuple[int, ...]
    copy_of: int | None
    """Index of the transaction of which this is a copy on a further hop (proxied leg)."""
    expects_answer: bool
    """False for ACK and BENOTIFY."""
    status: int | None
    latency_ms: float | None
    """Request to final response."""
    acks: tuple[int, ...] = ()
    """Rows of the ACKs to a final response other than 2xx: they are part of the INVITE's
    transaction (RFC 3261 section 17.1.1.3). The ACK of a 2xx is a transaction of its own."""


@dataclass(frozen=True, slots=True)
class Dialog:
    """A dialog (RFC 3261 section 12), or a registration, which has a Call-ID but no dialog."""

    index: int
    role: Role
    evidence: str
    """Why it has this role, in words."""
    call_id: str
    caller: str | None
    """URI of the side that began it (From of the first request)."""
    callee: str | None
    caller_tag: str | None
    callee_tag: str | None
    client: str | None
    """URI of the person's side: user, not service."""
    service: str | None
    """URI of the service's side, where it is one."""
    method: str
    """Method of the request that began it; of a dialog that began before the capture the best
    guess (INVITE when INFO is seen in it)."""
    state: DialogState
    ended_by: str | None
    """``BYE from client``, ``BYE from service``, ``481``, ``487`` (the client regards it as
    obsolete), ``Expires 0``, ``Subscription-State terminated``; of a failed one the answer
    (``404 Not Found``). Else ``connection closed`` or ``not captured``, which leave the state as it
    was."""
    began_in_capture: bool
    connection: int
    """The connection nearest to the client."""
    legs: tuple[int, ...]
    """Every connection that carried it (hop copies)."""
    rows: tuple[int, ...]
    """Its messages on the connection nearest to the client."""
    copies: tuple[int, ...]
    """The copies of them on further hops."""
    started: int
    ended: int
    session: int | None
    """Index of the session that it belongs to."""


class Reply(NamedTuple):
    """One ``rpl`` element."""

    row: int
    item: int
    """Position among the items of its envelope, from 0."""
    id: str
    code: str | None
    text: str | None
    latency_ms: float | None
    """From the command's frame; None where the command is not in the capture."""


@dataclass(frozen=True, slots=True)
class CommandPair:
    """A command (or a post) with its two levels of answer.

    The first is the SIP outcome of the INFO that carried it, the second the ``rpl`` that a later
    INFO brought. Of a message seen on several hops, the rows are those of the copy seen first.
    """

    index: int
    kind: Literal["cmd", "grpchat"]
    command: str
    """``join``, ``getpref`` ... lower case, without prefix; ``grpchat`` for a post."""
    row: int | None
    """Row of the command; None for a reply whose command is not in the capture."""
    item: int
    envid: str | None
    seqid: str | None
    call_id: str
    dialog: int | None
    user: str | None
    rooms: tuple[str, ...]
    transaction: int | None
    sip_status: int | None
    sip_latency_ms: float | None
    replies: tuple[Reply, ...]
    outcome: Outcome
    """``answered``: a reply came. ``accepted``: the INFO got 2xx and no reply is due (a post).
    ``rejected``: the INFO got another final answer. ``unanswered``: accepted, and no reply came
    though the capture goes on long enough to have it. ``unknown``: the capture cannot tell."""
    paired_by: PairedBy
    detail: str
    """One sentence for people."""
    name_mismatch: bool = False
    """The reply's name does not fit the command's."""


class Post(NamedTuple):
    """A chat message that a client sent into a room."""

    pair: int
    row: int
    user: str | None
    room: str | None


class Room(NamedTuple):
    """A room as one session saw it."""

    uri: str
    name: str | None
    joined: int | None
    """Row of the reply that let the user in."""
    refused: int | None
    """Row of the reply that did not, or of the command that SIP refused; None once joined."""
    left: int | None
    """Row of the reply to ``part``."""
    posts: int
    received: int


class Join(NamedTuple):
    """Why a dialog or transaction belongs to a session."""

    dialog: int
    reason: str


class Step(NamedTuple):
    """How far the sign-in got: one line of the documented flow."""

    id: str
    title: str
    status: Literal["ok", "failed", "missing", "not-applicable", "not-captured"]
    frames: tuple[int, ...]
    latency_ms: float | None
    detail: str
    """One sentence; of a step that is done but took long it begins with ``slow``."""


class Session(ABC):
    """Everything one client did, from sign-in to sign-off.

    Equal to another that has the same values. Most are worked out when somebody looks at them.
    """

    index: int
    user: str | None
    epid: str | None

    @property
    @abstractmethod
    def user_agent(self) -> str | None:
        """Of the client."""

    @property
    @abstractmethod
    def server(self) -> str | None:
        """``Server``/``User-Agent`` of the first answer to REGISTER."""

    @property
    @abstractmethod
    def client_address(self) -> str:
        """``ip:port`` of the client."""

    @property
    @abstractmethod
    def front_end(self) -> str | None:
        """``ip:port`` of its front end."""

    @property
    @abstractmethod
    def transport(self) -> str:
        """Between the two."""

    @property
    @abstractmethod
    def connections(self) -> tuple[int, ...]:
        """Those that it used, in order."""

    @property
    @abstractmethod
    def joins(self) -> tuple[Join, ...]:
        """Its dialogs, each with the reason."""

    @property
    @abstractmethod
    def services(self) -> tuple[int, ...]:
        """Transactions outside dialogs (SERVICE, OPTIONS ...)."""

    @property
    @abstractmethod
    def pairs(self) -> tuple[int, ...]:
        """Its commands and posts."""

    @property
    @abstractmethod
    def rooms(self) -> tuple[Room, ...]:
        """In the order in which they are first spoken of."""

    @property
    @abstractmethod
    def posts(self) -> tuple[Post, ...]:
        """What it wrote into rooms."""

    @property
    @abstractmethod
    def signed_in(self) -> int | None:
        """Row of the 200 to REGISTER."""

    @property
    @abstractmethod
    def signed_off(self) -> int | None:
        """Row of the 200 to REGISTER with Expires 0."""

    @property
    @abstractmethod
    def started(self) -> int:
        """Time of its first message."""

    @property
    @abstractmethod
    def ended(self) -> int:
        """Time of its last message."""

    @property
    @abstractmethod
    def steps(self) -> tuple[Step, ...]:
        """The ten of its sign-in."""

    @property
    @abstractmethod
    def verdict(self) -> str:
        """One sentence."""

    @property
    @abstractmethod
    def problems(self) -> tuple[str, ...]:
        """What failed, a sentence each, with frame numbers."""

    @property
    @abstractmethod
    def doubts(self) -> tuple[str, ...]:
        """Why the capture may not show all of it (holes), a sentence each."""

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in SESSION_FIELDS)

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Session) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        values = zip(SESSION_FIELDS, self._values(), strict=True)
        return f"Session({', '.join(f'{name}={value!r}' for name, value in values)})"


SESSION_FIELDS = (
    *("index", "user", "epid", "user_agent", "server", "client_address", "front_end", "transport"),
    *("connections", "joins", "services", "pairs", "rooms", "posts", "signed_in"),
    *("signed_off", "started", "ended", "steps", "verdict", "problems", "doubts"),
)


class Analysis:
    """All meaning of one trace. What nobody has looked at yet is made when somebody does."""

    def __init__(
        self,
        transactions: Sequence[Transaction],
        dialogs: Sequence[Dialog],
        pairs: Sequence[CommandPair],
        sessions: Sequence[Session],
        rows: tuple[Sequence[int], Sequence[int], dict[int, int]],
    ) -> None:
        self.transactions = transactions
        self.dialogs = dialogs
        self.pairs = pairs
        self.sessions = sessions
        self._transaction_of, self._dialog_of, self.copy_of = rows
        """``copy_of``: row to the row seen first, for hop copies."""

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Analysis) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it has dictionaries

    def _values(self) -> tuple[object, ...]:
        return (
            *(tuple(self.transactions), tuple(self.dialogs), tuple(self.pairs)),
            *(tuple(self.sessions), self.transaction_of, self.dialog_of, self.copy_of),
        )

    def complete(self) -> None:
        """Work out all that needs the capture: the rest needs only rows."""
        for values in (self.pairs, self.sessions):
            for value in values:
                hash(value)

    def transaction_number(self, row: int) -> int | None:
        """Return the transaction of one row, without a table of all."""
        index = self._transaction_of[row]
        return index if index >= 0 else None

    @once
    def transaction_of(self) -> dict[int, int]:
        """Row to transaction."""
        return {row: index for row, index in enumerate(self._transaction_of) if index >= 0}

    @once
    def dialog_of(self) -> dict[int, int]:
        """Row to dialog."""
        return {row: index for row, index in enumerate(self._dialog_of) if index >= 0}
