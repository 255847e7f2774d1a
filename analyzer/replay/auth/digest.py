"""Digest: what is hashed (RFC 7616 section 3.4, RFC 8760 for SIP), and the client's side of it.

The rule: a password goes into a hash with a nonce or nowhere. ``auth-int`` is not spoken: it would
have to know the body before the length and the credentials are written.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.auth.field import AuthField, quoted
from dissectors.sip.fields import split_list

if TYPE_CHECKING:
    from random import Random  # noqa: TID251  (only its type)

    from dissectors.sip.messages import SipMessage

ALGORITHMS = ("SHA-256", "SHA-256-sess", "MD5", "MD5-sess")
"""Those that are spoken."""
MAX_PENDING = 256
"""Answers of the server that are still awaited: more requests are never under way at once."""

_NC_DIGITS = 8


class Hashed(NamedTuple):
    """What a response is made of, besides the password."""

    algorithm: str
    username: str
    realm: str
    nonce: str
    cnonce: str
    nc: str
    """Eight hexadecimal digits; empty without quality of protection."""
    qop: str
    """``auth``, or empty (RFC 2069)."""
    uri: str


def algorithm_of(field: AuthField) -> str | None:
    """Return the algorithm of a challenge as we write it; None for one that is not spoken."""
    named = (field.get("algorithm") or "MD5").lower()
    return next((known for known in ALGORITHMS if known.lower() == named), None)


def digest_response(hashed: Hashed, password: str, method: str) -> str:
    """Return the response of a request; with an empty method the ``rspauth`` of its answer."""
    name = hashed.algorithm.removesuffix("-sess")
    secret = _hash(name, f"{hashed.username}:{hashed.realm}:{password}")
    if hashed.algorithm.endswith("-sess"):
        secret = _hash(name, f"{secret}:{hashed.nonce}:{hashed.cnonce}")
    asked = _hash(name, f"{method}:{hashed.uri}")
    if not hashed.qop:
        return _hash(name, f"{secret}:{hashed.nonce}:{asked}")
    between = f"{hashed.nonce}:{hashed.nc}:{hashed.cnonce}:{hashed.qop}"
    return _hash(name, f"{secret}:{between}:{asked}")


def _hash(name: str, text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    if name == "SHA-256":
        return hashlib.sha256(data).hexdigest()
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def speaks_auth(field: AuthField) -> bool:
    """Say whether a challenge can be answered without looking at the body."""
    offered = [one.lower() for one in split_list(field.get("qop"))]
    return not offered or "auth" in offered


class DigestSession:
    """A client's use of one nonce: every request counts it up."""

    def __init__(self, field: AuthField, username: str, password: str, rng: Random) -> None:
        self._algorithm = algorithm_of(field) or "MD5"
        self._named = field.params.has("algorithm")
        self._realm, self._nonce = field.get("realm"), field.get("nonce")
        self._opaque = field.params.get("opaque")
        self._qop = "auth" if field.get("qop") else ""
        self._username, self._password = username, password
        self._cnonce = rng.randbytes(8).hex()
        self._count = 0
        self._awaited: dict[str, str] = {}

    @property
    def nonce(self) -> str:
        """The nonce of the server."""
        return self._nonce

    def credentials(self, request: SipMessage) -> list[tuple[str, str]]:
        """Return the parameters that answer the challenge for one request."""
        self._count += 1
        count = f"{self._count:0{_NC_DIGITS}x}" if self._qop else ""
        hashed = self._hashed(count, request.uri or "")
        response = digest_response(hashed, self._password, request.method or "")
        params = [
            ("username", quoted(self._username)),
            ("realm", quoted(self._realm)),
            ("nonce", quoted(self._nonce)),
            ("uri", quoted(hashed.uri)),
            ("response", quoted(response)),
        ]
        params += [("algorithm", self._algorithm)] if self._named else []
        params += [("opaque", quoted(self._opaque))] if self._opaque is not None else []
        if self._qop:
            params += [("qop", "auth"), ("nc", count), ("cnonce", quoted(self._cnonce))]
            self._await(count, hashed.uri)
        return params

    def verify(self, info: AuthField) -> str | None:
        """Return what is wrong with what a server says after a request; None when it is right."""
        rspauth, count = info.get("rspauth"), info.get("nc").lower()
        if not rspauth:
            return None
        uri = self._awaited.pop(count, None)
        if uri is None or info.get("cnonce") != self._cnonce:
            return "Digest: the server's answer is not to a request of ours"
        expected = digest_response(self._hashed(count, uri), self._password, "")
        if not hmac.compare_digest(expected.encode(), rspauth.encode("utf-8", "replace")):
            return "Digest: the server does not know the password (rspauth is wrong)"
        return None

    def _hashed(self, count: str, uri: str) -> Hashed:
        names = (self._algorithm, self._username, self._realm, self._nonce)
        return Hashed(*names, self._cnonce if self._qop else "", count, self._qop, uri)

    def _await(self, count: str, uri: str) -> None:
        self._awaited[count] = uri
        while len(self._awaited) > MAX_PENDING:
            del self._awaited[next(iter(self._awaited))]
