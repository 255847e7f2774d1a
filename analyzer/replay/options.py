"""What whoever starts a play decides: timing, values, users, patience, polite defaults.

The rule: options say nothing about sockets; addresses and TLS are the carrier's. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 10.0
"""Patience with a turn of the peer: twice what a busy Front End takes to answer (timer F is 32 s,
which nobody wants to wait for each of a script's turns)."""
RETRIES = 3
"""How often a request is sent again after 503; a loop of a peer that is down ends."""
RETRY_AFTER_LIMIT = 30.0
"""A Retry-After that is longer is taken for this: hours would only look as if nothing happened."""
REALM = "SIP Communications Service"
"""The realm of a Front End's challenges (MS-SIPAE 3.2)."""

Timing = Literal["recorded", "fast"]
"""``recorded``: no turn is said before its time in the recording, scaled. ``fast``: as soon as what
it depends on is there."""
AuthenticationScheme = Literal["NTLM", "Digest"]
ClientScheme = Literal["NTLM", "Kerberos", "Digest"]
NOTHING: Mapping[str, str] = MappingProxyType({})


class User(NamedTuple):
    """Who plays a client."""

    user: str
    """Address of record, ``name@domain``, without the scheme; empty: the one of the script."""
    password: str | None = None
    login: str | None = None
    """``DOMAIN\\name`` or ``name@domain`` of the account; None: the address of record."""
    slots: Mapping[str, str] = NOTHING
    """Slots of the script that this user sets: ``{"text1": "hello"}``."""

    def __repr__(self) -> str:
        """Return it without the password: texts of errors and logs hold none."""
        secret = "None" if self.password is None else "'***'"
        return f"User({self.user!r}, password={secret}, login={self.login!r})"


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How a script is played, by either end."""

    timing: Timing = "fast"
    scale: float = 1.0
    """With ``recorded``: 2.0 takes twice as long, 0.5 half as long."""
    timeout: float = TIMEOUT
    """How long a turn of the peer may be overdue before it is ``missing``."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Values of slots that the user set; they win over the recorded ones and over those learned."""
    users: tuple[User, ...] = ()
    """Client: the first plays ``client1``, the second ``client2`` ... Server: who may sign in."""
    schemes: tuple[ClientScheme, ...] = ("Kerberos", "NTLM", "Digest")
    """What a client may answer a challenge with, the first that is offered and possible."""
    retries: int = RETRIES
    retry_after_limit: float = RETRY_AFTER_LIMIT
    default_status: int = 200
    """What a server answers a request that the script has no answer for."""
    default_reply_code: str = "501"
    """The ``resp/@code`` of the reply to a command that the script has no reply for."""
    authenticate: AuthenticationScheme | None = None
    """What a server demands."""
    realm: str = REALM
    target_name: str | None = None
    """``targetname`` of the challenges; None: the host of the script's server."""
    seed: int | None = None
    """Of fresh identifiers; None: each play has its own."""
    keep_alive: float | None = None
    """Seconds between keep-alives (CRLF CRLF) of a client; None: none."""
    session_timers: bool = True
    """Refresh sessions and registrations that outlive their expiry (RFC 4028)."""
    once: bool = False
    """A server ends when every client of the script has come and gone."""
    limit: float | None = None
    """Seconds after which the play is ended, politely; None: not before its end."""
