"""The client's side of authentication: answers challenges, signs what is sent, checks what came.

The rule: a password is given to nobody but a hash. Basic is never answered, TLS-DSK (a certificate
from a web service of the server) is not done.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from analyzer.replay.auth.digest import DigestSession, algorithm_of, speaks_auth
from analyzer.replay.auth.field import (
    CHALLENGE,
    CREDENTIALS,
    INFO,
    AuthField,
    Header,
    fields_of,
    write_field,
)
from analyzer.replay.auth.handshake import ClientAssociation, Handshake
from analyzer.replay.auth.kerberos import KerberosSession, NoTicketError
from analyzer.replay.auth.ntlm import Account, NtlmError, nt_hash

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random  # noqa: TID251  (only its type)

    from dissectors.sip.fields import CSeq
    from dissectors.sip.messages import SipMessage

SCHEMES = ("Kerberos", "NTLM", "Digest")
"""In order of preference: a ticket first, then what proves both sides to one another."""
MAX_ROUNDS = 8
"""Challenges to one Call-ID without a success between them: NTLM needs two, a new start more."""
MAX_REFUSALS = 2
"""Proofs that may be refused: the second is no accident."""
MAX_UNDER_WAY = 256
"""Requests that may be under way at once, and calls in a handshake."""

_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")
_NO_CREDENTIALS = frozenset({"ACK", "CANCEL"})
"""Nobody may challenge them (RFC 3261 22.1), so Digest does not spend a count on them."""


class _Impossible(Exception):  # noqa: N818  (no error: an outcome, which ``problem`` tells)
    """There is no way on; the text says why."""


class ClientAuth:
    r"""Authenticates one client on one connection.

    Args:
        user: The address of record, ``name@domain``, with or without ``sip:``.
        login: ``DOMAIN\\name``, ``name@domain`` or ``name``, where it is not the user's name.
        password: None where there is none; then only a Kerberos ticket serves.
        rng: What nonces and keys are drawn from.
        schemes: Those that may be used, the best first.
        clock: Seconds since 1970 UTC, for servers that do not tell the time in their challenge;
            without one the Date of their response serves.
    """

    def __init__(
        self,
        user: str,
        login: str | None,
        password: str | None,
        *,
        rng: Random,
        schemes: tuple[str, ...] = SCHEMES,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.problem: str | None = None
        """Why ``answer`` gave up, in one sentence."""
        self._login = login or user.removeprefix("sip:")
        self._digest_name = login or user.removeprefix("sip:").partition("@")[0]
        self._password = password
        self._rng = rng
        self._schemes = schemes
        self._clock = clock
        self._rounds: dict[str, int] = {}
        self._refusals = 0
        self._handshakes: dict[str, Handshake] = {}
        self._association: ClientAssociation | None = None
        self._digests: dict[bool, DigestSession] = {}
        self._proofs: dict[tuple[str, CSeq | None], str] = {}
        """By request: the association or nonce that it was sent under."""

    @property
    def scheme(self) -> str | None:
        """The scheme in use, once a challenge was answered."""
        if self._association is not None:
            return self._association.agreed.scheme
        return "Digest" if self._digests else None

    def answer(self, request: SipMessage, response: SipMessage) -> list[Header] | None:
        """Return the credentials that a challenged request is sent again with.

        Args:
            request: As it goes out again, with its new CSeq: version 4 of MS-SIPAE signs it.
            response: The 401 or 407; its Call-ID and CSeq tell which request was refused.

        Returns:
            One header; it takes the place of the request's of that name. None when there is no way
            on: ``problem`` says why.
        """
        call_id = request.call_id or ""
        try:
            self._count(call_id)
            return [self._answer(request, response, call_id)]
        except (_Impossible, NtlmError) as reason:
            self.problem = f"{reason}."[:1].upper() + f"{reason}."[1:]
            return None

    def sign(self, message: SipMessage) -> list[Header]:
        """Return the credentials of any other message that is sent; none before a challenge.

        Sign a message last, as it goes out: Call-ID, CSeq, From, To and Expires are signed.
        """
        found = self._association
        if found is not None:
            self._remember(message, found.agreed.opaque)
            scheme = found.agreed.scheme
            return [(CREDENTIALS[found.proxy], write_field(scheme, found.credentials(message)))]
        if message.status is not None or message.method in _NO_CREDENTIALS:
            return []
        said = []
        for proxy, digest in self._digests.items():
            self._remember(message, digest.nonce)
            said.append((CREDENTIALS[proxy], write_field("Digest", digest.credentials(message))))
        return said

    def verify(self, message: SipMessage) -> str | None:
        """Return what is wrong with a message of the server in one sentence; None when it is right.

        Provisional responses and challenges need no signature (MS-SIPAE), nor does anything before
        the server has signed its first message.
        """
        status = message.status
        if status is not None and (status < 200 or status in (401, 407)):
            return None
        problem = self._verify(message)
        if status is not None and problem is None:
            self._forget_rounds(message.call_id or "")
        return problem

    def _forget_rounds(self, call_id: str) -> None:
        self._rounds.pop(call_id, None)
        self._handshakes.pop(call_id, None)
        if self._association is not None and self._association.confirmed:
            self._refusals = 0

    def _verify(self, message: SipMessage) -> str | None:
        infos = [field for name in INFO for field in fields_of(message, name)]
        found = self._association
        if found is None:
            digests = self._digests.values()
            digest_infos = [info for info in infos if info.scheme.lower() in ("", "digest")]
            wrong = (one.verify(info) for one in digests for info in digest_infos)
            return next((problem for problem in wrong if problem), None)
        for info in infos:
            if info.is_of(found.agreed.scheme) and info.params.has("rspauth"):
                return found.verify(message, info)
        if not found.confirmed:
            return None
        what = f"{message.status} to {message.cseq_method}" if message.status else message.method
        return f"{found.agreed.scheme}: the server did not sign its {what}"

    def _remember(self, message: SipMessage, proof: str) -> None:
        if message.status is None:
            self._proofs[message.call_id or "", message.cseq] = proof
            _trim(self._proofs)

    def _proof(self, response: SipMessage) -> str | None:
        """Return the association or nonce that a refused request was sent under."""
        return self._proofs.get((response.call_id or "", response.cseq))

    def _count(self, call_id: str) -> None:
        rounds = self._rounds.pop(call_id, 0) + 1
        self._rounds[call_id] = rounds
        _trim(self._rounds)
        if rounds > MAX_ROUNDS:
            raise _Impossible(f"the server asked for credentials {rounds} times")

    def _answer(self, request: SipMessage, response: SipMessage, call_id: str) -> Header:
        proxy = response.status == 407
        offered = fields_of(response, CHALLENGE[proxy])
        why: list[str] = []
        for scheme in self._order(call_id):
            for field in offered:
                if not field.is_of(scheme):
                    continue
                try:
                    params = self._by_scheme(scheme, field, request, response)
                except NoTicketError as reason:
                    why.append(str(reason))
                    continue
                if params is not None:
                    return CREDENTIALS[proxy], write_field(scheme, params)
        raise _Impossible(self._nothing_serves(response, offered, why))

    def _order(self, call_id: str) -> tuple[str, ...]:
        """Return the schemes to try: a handshake that has begun is gone on with."""
        under_way = self._handshakes.get(call_id)
        return (under_way.scheme,) if under_way is not None else self._schemes

    def _by_scheme(
        self, scheme: str, field: AuthField, request: SipMessage, response: SipMessage
    ) -> list[tuple[str, str]] | None:
        """Return the parameters that answer one challenge; None where it cannot be answered."""
        if scheme == "Kerberos":
            return self._by_ticket(field, request, response)
        if self._password is None:
            return None
        if scheme == "NTLM":
            return self._by_ntlm(field, request, response)
        if scheme == "Digest" and algorithm_of(field) and speaks_auth(field):
            return self._by_digest(field, request, response)
        return None

    def _by_ticket(
        self, field: AuthField, request: SipMessage, response: SipMessage
    ) -> list[tuple[str, str]]:
        again = self._again(request, response)
        if again is not None:
            return again
        handshake = self._handshake("Kerberos", response)
        session = KerberosSession(field.get("targetname"))
        params, self._association = handshake.prove_by_ticket(field, request, session)
        self._remember(request, self._association.agreed.opaque)
        self._keep(handshake, request)
        return params

    def _by_ntlm(
        self, field: AuthField, request: SipMessage, response: SipMessage
    ) -> list[tuple[str, str]]:
        if not field.get("gssapi-data"):
            again = self._again(request, response)
            if again is not None:
                return again
            handshake = self._handshake("NTLM", response)
            self._keep(handshake, request)
            return handshake.begin(field)
        found = self._handshakes.get(request.call_id or "")
        if found is None or found.answered:
            found = self._handshake("NTLM", response)
        made = found.prove_by_password(field, request, self._account(), self._now(response))
        params, self._association = made
        self._remember(request, self._association.agreed.opaque)
        self._keep(found, request)
        return params

    def _again(self, request: SipMessage, response: SipMessage) -> list[tuple[str, str]] | None:
        """Sign with an association that was made after the request was refused."""
        found = self._association
        if found is None or (response.call_id or "") in self._handshakes:
            return None
        if self._proof(response) == found.agreed.opaque:
            return None
        self._remember(request, found.agreed.opaque)
        return found.credentials(request)

    def _handshake(self, scheme: str, response: SipMessage) -> Handshake:
        """Start a handshake; whatever stood before was refused or is lost."""
        before = self._handshakes.pop(response.call_id or "", None)
        if before is not None and before.answered:
            self._refuse(scheme)
        self._association = None
        return Handshake(scheme, self._rng, proxy=response.status == 407)

    def _keep(self, handshake: Handshake, request: SipMessage) -> None:
        self._handshakes[request.call_id or ""] = handshake
        _trim(self._handshakes)

    def _refuse(self, scheme: str) -> None:
        self._refusals += 1
        if self._refusals >= MAX_REFUSALS:
            what = "ticket" if scheme == "Kerberos" else "password"
            raise _Impossible(f"the server did not accept the {what} of {self._login} ({scheme})")

    def _now(self, response: SipMessage) -> float:
        if self._clock is not None:
            return self._clock()
        try:
            return parsedate_to_datetime(response.headers.first("Date") or "").timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            return 0.0

    def _account(self) -> Account:
        domain, backslash, name = self._login.partition("\\")
        secret = nt_hash(self._password or "")
        return Account(name, domain, secret) if backslash else Account(self._login, "", secret)

    def _by_digest(
        self, field: AuthField, request: SipMessage, response: SipMessage
    ) -> list[tuple[str, str]]:
        proxy = response.status == 407
        before = self._digests.get(proxy)
        known = before is not None and self._proof(response) == before.nonce
        if known and field.get("stale").lower() != "true":
            self._refuse("Digest")
        fresh = DigestSession(field, self._digest_name, self._password or "", self._rng)
        self._digests[proxy] = fresh
        self._remember(request, fresh.nonce)
        return fresh.credentials(request)

    def _nothing_serves(
        self, response: SipMessage, offered: tuple[AuthField, ...], why: list[str]
    ) -> str:
        if not offered:
            return f"the {response.status} offers no way to authenticate"
        names = list(dict.fromkeys(field.scheme[:40] for field in offered))
        known = any(field.is_of(scheme) for field in offered for scheme in ("NTLM", "Digest"))
        if known and self._password is None:
            why.append("no password was given")
        if [name.lower() for name in names] == ["tls-dsk"]:
            why.append("certificates from the server's web service (TLS-DSK) are not done")
        told = f": {'; '.join(why)}" if why else ""
        return f"the server offers {', '.join(names)}, none of which can be used{told}"


def _trim(kept: dict[_Key, _Kept]) -> None:
    while len(kept) > MAX_UNDER_WAY:
        del kept[next(iter(kept))]
