"""The server's side of Digest: nonces that it remembers, counts that it has not seen.

The rule: a nonce that is not known any more costs the client a round (``stale``), no refusal.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.auth.association import Window
from analyzer.replay.auth.digest import Hashed, algorithm_of, digest_response
from analyzer.replay.auth.field import INFO, AuthField, Header, quoted, write_field

if TYPE_CHECKING:
    from random import Random  # noqa: TID251  (only its type)

    from analyzer.replay.auth.admission import Users
    from dissectors.sip.messages import SipMessage

MAX_NONCES = 10_000
"""Nonces that are remembered: twenty for each of the clients of a large run."""

_COUNT_RE = re.compile(r"[0-9A-Fa-f]{8}")


class Checked(NamedTuple):
    """What became of credentials."""

    user: str | None
    """None: not admitted."""
    info: tuple[Header, ...] = ()
    problem: str = ""
    stale: bool = False
    """The password is right, only the nonce is not."""


class DigestServer:
    """Challenges and checks for one realm."""

    def __init__(self, users: Users, realm: str, rng: Random, algorithm: str) -> None:
        self._users = users
        self._realm = realm
        self._rng = rng
        self._algorithm = algorithm
        self._nonces: dict[str, Window] = {}

    def challenge(self, *, stale: bool = False) -> str:
        """Return a new challenge."""
        nonce = self._rng.randbytes(16).hex()
        self._nonces[nonce] = Window()
        while len(self._nonces) > MAX_NONCES:
            del self._nonces[next(iter(self._nonces))]
        params = [
            ("realm", quoted(self._realm)),
            ("nonce", quoted(nonce)),
            ("qop", quoted("auth")),
            ("algorithm", self._algorithm),
        ]
        return write_field("Digest", [*params, ("stale", "true")] if stale else params)

    def check(self, field: AuthField, request: SipMessage) -> Checked:
        """Check the credentials of a request."""
        if field.get("realm") != self._realm or algorithm_of(field) != self._algorithm:
            return Checked(None, problem="Digest credentials for another realm or algorithm")
        if field.get("uri") != (request.uri or "") or field.get("qop").lower() != "auth":
            return Checked(None, problem="Digest credentials that are not for this request")
        user = self._users.find(field.get("username"))
        password = self._users.password(user) if user is not None else ""
        hashed = self._hashed(field)
        expected = digest_response(hashed, password, request.method or "")
        said = field.get("response").lower().encode("utf-8", "replace")
        if user is None or not hmac.compare_digest(expected.encode(), said):
            return Checked(None, problem="an unknown user or a wrong password (Digest)")
        return self._count(user, password, hashed)

    def _hashed(self, field: AuthField) -> Hashed:
        names = (field.get("username"), self._realm, field.get("nonce"), field.get("cnonce"))
        return Hashed(self._algorithm, *names, field.get("nc"), "auth", field.get("uri"))

    def _count(self, user: str, password: str, hashed: Hashed) -> Checked:
        window = self._nonces.get(hashed.nonce)
        count = int(hashed.nc, 16) if _COUNT_RE.fullmatch(hashed.nc) else 0
        if window is None or not window.is_new(count):
            known = "a Digest count that was used before" if window else "a Digest nonce not known"
            return Checked(None, problem=known, stale=True)
        window.add(count)
        params = [
            ("qop", "auth"),
            ("rspauth", quoted(digest_response(hashed, password, ""))),
            ("cnonce", quoted(hashed.cnonce)),
            ("nc", hashed.nc),
        ]
        return Checked(user, ((INFO[0], write_field("", params)),))
