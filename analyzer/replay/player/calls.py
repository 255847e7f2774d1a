"""Dialogs as a user agent keeps them (RFC 3261 section 12), registrations and single requests too.

The rule: identifiers on the wire come from here, never from the recording.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors.sip.fields import parse_name_addr, split_list

if TYPE_CHECKING:
    from analyzer.replay.heard import Heard
    from analyzer.replay.player.progress import Ready
    from dissectors.sip.messages import SipMessage

DIALOG_METHODS = ("INVITE", "SUBSCRIBE", "REFER")
"""Requests whose 2xx makes a dialog (RFC 3261 section 12.1, RFC 6665 section 4.4.1)."""
MAX_ANSWERED = 64
"""Responses that are kept: a repetition follows its request within seconds."""
OWN_CSEQ = ("ACK", "CANCEL")
"""They have the number of the request that they belong to (RFC 3261 sections 9.1 and 13.2.2.4)."""


@dataclass
class Asked:
    """A request of ours that waits for its final response."""

    method: str
    turn: str | None
    raw: bytes
    at: float
    attempts: int = 0
    """How often it was sent again after a 503."""
    rounds: int = 0
    """How often it was sent again with credentials."""
    provisional: bool = False


@dataclass
class Call:
    """One Call-ID of one client, from our side."""

    dialog: str
    """Of the script; empty for one that the script does not have."""
    client: str
    call_id: str
    connection: int
    local: str = ""
    """Value of From in our requests, with its tag."""
    remote: str = ""
    """Value of To in our requests, with its tag once it is known."""
    target: str | None = None
    """The remote target: the URI that requests go to."""
    route: tuple[str, ...] = ()
    cseq: int = 0
    """Number of our last request."""
    method: str = ""
    """Of the request that began it."""
    established: bool = False
    confirmed: bool = False
    """An ACK came or went."""
    ended: bool = False
    proxied: bool = False
    """The peer's requests came through a proxy."""
    asked: dict[tuple[int, str], Asked] = field(default_factory=dict)
    answered: dict[tuple[int, str], bytes] = field(default_factory=dict)
    """The latest requests of the peer, by CSeq and method, with their final responses."""
    held: list[Ready] = field(default_factory=list)
    """Turns of ours that wait for the ACK."""
    invite: Heard | None = None
    """The peer's INVITE, while it has no final answer."""
    ack: tuple[int, bytes] | None = None
    """The ACK of a 2xx, by the number of its INVITE: it is due again when the 2xx comes again."""
    bound: bytes | None = None
    """The REGISTER that the registrar accepted, while the registration holds."""
    identity: str = ""
    """Address of record of the person."""

    @property
    def is_session(self) -> bool:
        """Return whether an INVITE began it."""
        return self.method == "INVITE"

    def remember(self, key: tuple[int, str], response: bytes) -> None:
        """Keep a final response for repetitions of its request (RFC 3261 section 17.2.1)."""
        self.answered[key] = response
        if len(self.answered) > MAX_ANSWERED:
            del self.answered[next(iter(self.answered))]

    @property
    def routed(self) -> tuple[str, tuple[str, ...]]:
        """Return the Request-URI and the values of Route (RFC 3261 section 12.2.1.1)."""
        target = self.target or self.remote
        if not self.route:
            return target, ()
        first = parse_name_addr(self.route[0])
        if first is None or ";lr" in first.uri.lower():
            return target, self.route
        return first.uri, (*self.route[1:], f"<{target}>")  # a strict router of RFC 2543

    def next_cseq(self) -> int:
        """Return the number of a new request."""
        self.cseq += 1
        return self.cseq

    def learn_response(self, message: SipMessage) -> None:
        """Take what a response to our dialog-forming request says (RFC 3261 section 12.1.2)."""
        to = message.headers.first("to")
        if to and (self.method in DIALOG_METHODS) and "tag=" in to:
            self.remote = to
        contacts = message.contacts
        if contacts and self.method in DIALOG_METHODS:
            self.target = contacts[0].uri
        routes = record_route(message)
        if not self.established:
            self.route = tuple(reversed(routes))

    def learn_request(self, message: SipMessage) -> None:
        """Take what a request of the peer says (RFC 3261 sections 12.1.1 and 12.2.2)."""
        contacts = message.contacts
        if contacts and message.method in (*DIALOG_METHODS, "REGISTER", "UPDATE"):
            self.target = contacts[0].uri
        if len(message.vias) > 1:
            self.proxied = True
        if not self.established:
            self.route = record_route(message)


def record_route(message: SipMessage) -> tuple[str, ...]:
    """Return the values of Record-Route, in order."""
    return tuple(one for value in message.headers.all("record-route") for one in split_list(value))


def tag_of(value: str) -> str | None:
    """Return the tag of a From or To value."""
    address = parse_name_addr(value)
    return None if address is None else address.tag


def with_tag(value: str, tag: str) -> str:
    """Return a From or To value with a tag, where it has none."""
    return value if tag_of(value) is not None or not tag else f"{value};tag={tag}"


def uri_of(value: str) -> str:
    """Return the URI of a From or To value."""
    address = parse_name_addr(value)
    return "" if address is None else address.uri


def person_of(value: str) -> str:
    """Return ``user@host`` of a From or To value, as it is written."""
    uri = uri_of(value).partition(";")[0]
    scheme, colon, rest = uri.partition(":")
    return rest if colon and scheme.lower() in ("sip", "sips") else uri


def aor_of(value: str) -> str:
    """Return ``user@host`` in lower case of a From or To value: people are compared by it."""
    return person_of(value).lower()
