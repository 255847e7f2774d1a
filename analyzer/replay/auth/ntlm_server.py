"""The server's side of NTLM after MS-SIPAE, for one connection.

The rule: an association is found by the ``opaque`` that the server gave it; whose it is was proved
by the handshake, and messages of the server are signed for whom they are addressed to.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.auth.association import (
    SIGNED_HANDSHAKE,
    Agreed,
    Window,
    number_of,
    signature_of,
    text_to_sign,
    version_of,
)
from analyzer.replay.auth.field import AuthField, quoted, write_field
from analyzer.replay.auth.ntlm import NtlmAnswer, NtlmError, NtlmSession, make_challenge, nt_hash

if TYPE_CHECKING:
    from random import Random  # noqa: TID251  (only its type)

    from analyzer.replay.auth.admission import Dialect, Users
    from dissectors.sip.messages import SipMessage

MAX_HANDSHAKES = 256
"""Handshakes under way on one connection; behind a proxy many clients share it."""
MAX_ASSOCIATIONS = 4096
"""Associations of one connection, for the same reason; the oldest goes."""

SCHEME = "NTLM"


class Wrong(NamedTuple):
    """Credentials that are not accepted; whether they count as a guess at a password."""

    problem: str
    guess: bool = False


@dataclass(slots=True)
class Association:
    """A security association of the server."""

    agreed: Agreed
    session: NtlmSession
    user: str
    window: Window = field(default_factory=Window)
    count: int = 0


class Pending(NamedTuple):
    """A challenge that waits for its answer."""

    token: bytes
    version: int


class NtlmServer:
    """What all connections have in common: users, names, and a source of chance."""

    def __init__(self, users: Users, names: tuple[str, str], rng: Random, dialect: Dialect) -> None:
        """``names`` are realm and targetname."""
        self.users = users
        self.realm, self.targetname = names
        self.rng = rng
        self.version = dialect.version
        self._clock = dialect.clock
        self._hashes: dict[str, bytes] = {}

    def secret(self, user: str) -> bytes:
        """Return the NT hash of a user's password."""
        if user not in self._hashes:
            self._hashes[user] = nt_hash(self.users.password(user))
        return self._hashes[user]

    def token(self) -> bytes:
        """Return a new challenge message."""
        domain = self.targetname.partition(".")[2] or self.targetname
        now = self._clock() if self._clock else None
        return make_challenge(self.rng, (self.targetname, domain), now)

    def offer(self) -> str:
        """Return the challenge that only names the scheme."""
        agreed = Agreed(SCHEME, self.realm, self.targetname, "", self.version)
        return write_field(SCHEME, agreed.params()[2:] + agreed.version_param())


class NtlmPeer:
    """The handshakes and associations of one connection."""

    def __init__(self, server: NtlmServer) -> None:
        self._server = server
        self._pending: dict[str, Pending] = {}
        self._associations: dict[str, Association] = {}
        self._by_address: dict[str, Association] = {}

    def challenge(self, asked: AuthField) -> str:
        """Return a challenge with a nonce, in the version that the client speaks."""
        opaque = self._server.rng.randbytes(4).hex().upper()
        pending = Pending(self._server.token(), version_of(asked, self._server.version))
        self._pending[opaque] = pending
        if len(self._pending) > MAX_HANDSHAKES:
            del self._pending[next(iter(self._pending))]
        agreed = self._agreed(opaque, pending.version)
        params = agreed.params()[1:]
        params.append(("gssapi-data", quoted(base64.b64encode(pending.token).decode())))
        return write_field(SCHEME, params + agreed.version_param())

    def establish(self, said: AuthField, request: SipMessage) -> str | Wrong:
        """Check the last message of a handshake; return the user, or what is wrong."""
        pending = self._pending.pop(said.get("opaque"), None)
        if pending is None:
            return Wrong("an NTLM answer to no challenge of ours")
        try:
            answer = NtlmAnswer(base64.b64decode(said.get("gssapi-data"), validate=True))
        except (NtlmError, binascii.Error, ValueError) as error:
            return Wrong(f"{error}" if isinstance(error, NtlmError) else "NTLM data not Base64")
        server = self._server
        user = server.users.find(answer.name, answer.domain)
        session = answer.accept(pending.token, server.secret(user)) if user is not None else None
        if user is None or session is None:
            return Wrong("an unknown user or a wrong password (NTLM)", guess=True)
        agreed = self._agreed(said.get("opaque"), min(pending.version, version_of(said)))
        made = Association(agreed, session, user)
        if agreed.version >= SIGNED_HANDSHAKE:
            wrong = _check(made, said, request, ("crand", "cnum", "response"))
            if wrong is not None:
                return Wrong(wrong)
        self._add(made, request)
        return user

    def check(self, said: AuthField, message: SipMessage) -> str | Wrong:
        """Check the signature of a message; return the user, or what is wrong."""
        found = self._associations.get(said.get("opaque"))
        if found is None:
            return Wrong("a signature under no association of ours")
        wrong = _check(found, said, message, ("crand", "cnum", "response"))
        return found.user if wrong is None else Wrong(wrong)

    def sign(self, message: SipMessage) -> str | None:
        """Return what signs a message of the server; None where nobody has an association."""
        addressed = message.to if message.status is None else message.from_
        found = self._by_address.get(_address(addressed.uri)) if addressed else None
        if found is None and len(self._associations) == 1:
            (found,) = self._associations.values()
        if found is None:
            return None
        found.count += 1
        rand, num = f"{self._server.rng.getrandbits(32):08x}", str(found.count)
        signature = found.session.sign(text_to_sign(message, found.agreed, rand, num))
        params = [
            ("rspauth", quoted(signature.hex())),
            ("srand", quoted(rand)),
            ("snum", quoted(num)),
        ]
        params += found.agreed.params() + found.agreed.version_param()
        return write_field(SCHEME, params)

    def _agreed(self, opaque: str, version: int) -> Agreed:
        return Agreed(SCHEME, self._server.realm, self._server.targetname, opaque, version)

    def _add(self, made: Association, request: SipMessage) -> None:
        sender = request.from_
        address = _address(sender.uri) if sender else ""
        before = self._by_address.pop(address, None)
        if before is not None:
            self._associations.pop(before.agreed.opaque, None)
        self._associations[made.agreed.opaque] = made
        self._by_address[address] = made
        if len(self._by_address) > MAX_ASSOCIATIONS:
            oldest = self._by_address.pop(next(iter(self._by_address)))
            self._associations.pop(oldest.agreed.opaque, None)


def _check(
    found: Association, said: AuthField, message: SipMessage, names: tuple[str, str, str]
) -> str | None:
    """Check a client's signature; return what is wrong, or None."""
    rand, num, signature = (said.get(name) for name in names)
    number = number_of(num)
    if number is None or not signature:
        return "a message without the signature of its association"
    text = text_to_sign(message, found.agreed, rand, num)
    if not found.session.verify(text, signature_of(signature)):
        return f"a wrong signature (cnum {number})"
    if not found.window.is_new(number):
        return f"a signature that was used before (cnum {number})"
    found.window.add(number)
    return None


def _address(uri: str) -> str:
    """Return the address of record in a URI, without parameters."""
    return uri.partition(";")[0].casefold()
