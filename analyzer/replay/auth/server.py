"""The server's side of authentication: asks who is there, admits or refuses, signs what it says.

The rule: nobody is refused for the first mistake, and nobody gets more than a few. Everything here
is about one connection at a time; ``forget`` it when it ends.
"""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING, Literal

from analyzer.replay.auth.admission import PLAIN, Admitted, Challenge, Dialect, Refused, Users
from analyzer.replay.auth.digest_server import DigestServer
from analyzer.replay.auth.field import (
    CHALLENGE,
    CREDENTIALS,
    INFO,
    AuthField,
    Header,
    fields_of,
    quoted,
)
from analyzer.replay.auth.ntlm_server import NtlmPeer, NtlmServer, Wrong

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from random import Random  # noqa: TID251  (only its type)

    from dissectors.sip.messages import SipMessage

REALM = "SIP Communications Service"
"""The realm of every Microsoft front end (MS-SIPAE)."""
TARGETNAME = "pool01.contoso.com"
MAX_FAILURES = 2
"""Failures of one sender on one connection: after the first he is asked again, then refused."""
MAX_PEERS = 10_000
"""Connections that are remembered; the oldest goes. A server forgets each when it ends."""
MAX_SENDERS = 1000
"""Senders of one connection whose failures are counted."""

# Nobody may challenge them, there is no way to answer (RFC 3261 22.1).
_NEVER_ASKED = frozenset({"ACK", "CANCEL"})


class _Peer:
    """What is known of one connection."""

    def __init__(self, ntlm: NtlmPeer) -> None:
        self.ntlm = ntlm
        self.failures: dict[str, int] = {}


class ServerAuth:
    r"""Authenticates the clients of a server.

    Args:
        users: Passwords by user: ``name``, ``name@domain`` or ``DOMAIN\name``.
        scheme: What is demanded.
        realm: As clients are shown it.
        targetname: The server's name; NTLM signs it, and both sides must write it alike.
        rng: What nonces are drawn from.
        dialect: What kind of server this is.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        scheme: Literal["NTLM", "Digest"],
        realm: str = REALM,
        targetname: str = TARGETNAME,
        rng: Random,
        dialect: Dialect = PLAIN,
    ) -> None:
        known = Users(users)
        self._scheme = scheme
        self._targetname = targetname
        self._dialect = dialect
        self._ntlm = NtlmServer(known, (realm, targetname), rng, dialect)
        self._digest = DigestServer(known, realm, rng, dialect.algorithm)
        self._peers: dict[Hashable, _Peer] = {}

    def admit(self, key: Hashable, request: SipMessage) -> Challenge | Admitted | Refused:
        """Decide about a request.

        Args:
            key: The connection it came on; it keeps its handshakes and associations.
            request: As it came. A repetition that was answered before must not come here: its
                signature was used.
        """
        said = self._said(request)
        if request.method in _NEVER_ASKED:
            return self._admit_unasked(key, request, said)
        if not said:
            return self._ask(None)
        if self._scheme == "Digest":
            return self._admit_digest(key, request, said[0])
        return self._admit_ntlm(key, request, said[0])

    def verify(self, key: Hashable, response: SipMessage) -> str | None:
        """Return what is wrong with the signature of a client's response; None when it is right.

        Only NTLM signs responses, and provisional ones may go without. Requests are ``admit``'s.
        """
        if self._scheme == "Digest" or (response.status or 0) < 200 or key not in self._peers:
            return None
        said = self._said(response)
        if not said:
            return f"a {response.status} without a signature"
        found = self._peers[key].ntlm.check(said[0], response)
        return found.problem if isinstance(found, Wrong) else None

    def sign(self, key: Hashable, message: SipMessage) -> list[Header]:
        """Return the headers that sign a final response or a request of the server.

        None without an association, for provisional responses, challenges, and under Digest. Sign a
        message last, as it goes out: Call-ID, CSeq, From, To and Expires are signed.
        """
        status = message.status
        peer = self._peers.get(key)
        unsigned = status is not None and (status < 200 or status in (401, 407))
        if self._scheme == "Digest" or peer is None or unsigned:
            return []
        value = peer.ntlm.sign(message)
        return [] if value is None else [(INFO[0], value)]

    def forget(self, key: Hashable) -> None:
        """Forget a connection that has ended."""
        self._peers.pop(key, None)

    def _said(self, message: SipMessage) -> list[AuthField]:
        """Return the credentials; Communicator writes Proxy-Authorization whoever asked."""
        fields = [field for name in CREDENTIALS for field in fields_of(message, name)]
        return [field for field in fields if field.is_of(self._scheme)]

    def _peer(self, key: Hashable) -> _Peer:
        peer = self._peers.get(key)
        if peer is None:
            peer = self._peers[key] = _Peer(NtlmPeer(self._ntlm))
            if len(self._peers) > MAX_PEERS:
                del self._peers[next(iter(self._peers))]
        return peer

    def _admit_unasked(self, key: Hashable, request: SipMessage, said: list[AuthField]) -> Admitted:
        peer = self._peers.get(key)
        if self._scheme == "Digest" or peer is None or not said:
            return Admitted("")
        found = peer.ntlm.check(said[0], request)
        return Admitted("" if isinstance(found, Wrong) else found)

    def _admit_ntlm(
        self, key: Hashable, request: SipMessage, said: AuthField
    ) -> Challenge | Admitted | Refused:
        peer = self._peer(key)
        if said.get("gssapi-data"):
            found = peer.ntlm.establish(said, request)
        elif said.params.has("response"):
            found = peer.ntlm.check(said, request)
        else:
            return self._ask(None, peer.ntlm.challenge(said))
        if isinstance(found, str):
            peer.failures.pop(_sender(request), None)
            return Admitted(found)
        if found.guess:
            return self._failed(peer, request, found.problem)
        return self._ask(found.problem)

    def _admit_digest(
        self, key: Hashable, request: SipMessage, said: AuthField
    ) -> Challenge | Admitted | Refused:
        peer = self._peer(key)
        found = self._digest.check(said, request)
        if found.user is not None:
            peer.failures.pop(_sender(request), None)
            return Admitted(found.user, found.info)
        if found.stale:
            return self._ask(found.problem, self._digest.challenge(stale=True))
        return self._failed(peer, request, found.problem)

    def _failed(self, peer: _Peer, request: SipMessage, problem: str) -> Challenge | Refused:
        sender = _sender(request)
        failures = peer.failures.pop(sender, 0) + 1
        peer.failures[sender] = failures
        if len(peer.failures) > MAX_SENDERS:
            del peer.failures[next(iter(peer.failures))]
        if failures < MAX_FAILURES:
            return self._ask(problem)
        return Refused(403, "Forbidden", (self._diagnostics(),), problem)

    def _ask(self, problem: str | None, value: str | None = None) -> Challenge:
        if value is None:
            value = self._digest.challenge() if self._scheme == "Digest" else self._ntlm.offer()
        headers = [(CHALLENGE[0], value)]
        if self._dialect.clock is not None:
            headers.append(("Date", formatdate(self._dialect.clock(), usegmt=True)))
        if problem is not None and self._scheme == "NTLM":
            headers.append(self._diagnostics())
        return Challenge(401, tuple(headers), problem)

    def _diagnostics(self) -> Header:
        source = quoted(self._targetname)
        return "ms-diagnostics", f'1000;reason="Final handshake failed";source={source}'


def _sender(request: SipMessage) -> str:
    sender = request.from_
    return sender.uri[:256] if sender else ""
