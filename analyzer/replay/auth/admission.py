"""What a server decides about a request, and who its users are.

The rule: an unknown user and a wrong password look alike from outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.replay.auth.association import NEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analyzer.replay.auth.field import Header


class Challenge(NamedTuple):
    """Answer with a 401 and these headers."""

    status: int
    headers: tuple[Header, ...]
    problem: str | None = None
    """What was wrong with the credentials; None where there were none, or a handshake goes on."""


class Admitted(NamedTuple):
    """Go on with the request."""

    user: str
    """As the users were given; empty where nobody may be asked (ACK, CANCEL)."""
    headers: tuple[Header, ...] = ()
    """For the final response to this request (Digest), besides those of ``sign``."""


class Refused(NamedTuple):
    """Answer with this status for good."""

    status: int
    reason: str
    headers: tuple[Header, ...]
    problem: str = ""
    """Why, in one sentence."""


class Dialect(NamedTuple):
    """What servers of different ages and makes do differently."""

    version: int = NEWEST
    """Of MS-SIPAE: 2 (Live Communications Server) to 4."""
    algorithm: Literal["MD5", "SHA-256"] = "MD5"
    """Of Digest."""
    clock: Callable[[], float] | None = None
    """Seconds since 1970 UTC: challenges then tell the time, as Microsoft's do."""


PLAIN = Dialect()
"""A current server."""


class Users:
    r"""Names and passwords. A name is ``name``, ``name@domain`` or ``DOMAIN\name``, in any case."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._passwords = dict(users)
        self._exact = {user.casefold(): user for user in users}
        bare: dict[str, list[str]] = {}
        for user in users:
            bare.setdefault(_bare(user), []).append(user)
        self._bare = {
            name: known[0]
            for name, known in bare.items()
            if len({self._passwords[one] for one in known}) == 1
        }

    def find(self, name: str, domain: str = "") -> str | None:
        """Return the user whom a client means; None for nobody.

        A name with a domain also means the user who was given without one, and a name without a
        domain the only user of that name, or several with one password: scripts move between
        domains.
        """
        written = [f"{domain}\\{name}", f"{name}@{domain}"] if domain else [name]
        for form in written:
            if form.casefold() in self._exact:
                return self._exact[form.casefold()]
        return self._bare.get(_bare(name))

    def password(self, user: str) -> str:
        """Return the password of a user that was found."""
        return self._passwords[user]


def _bare(user: str) -> str:
    return user.rpartition("\\")[2].partition("@")[0].casefold()
