"""The client's side of a handshake of MS-SIPAE: NTLM in three requests, Kerberos in two.

The rule: a handshake belongs to one call of requests (one Call-ID), because servers continue it
there; the association it leaves signs everything on the connection.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from analyzer.replay.auth.association import (
    SIGNED_HANDSHAKE,
    Agreed,
    Session,
    Window,
    number_of,
    signature_of,
    text_to_sign,
    version_of,
)
from analyzer.replay.auth.field import AuthField, quoted
from analyzer.replay.auth.ntlm import NtlmError, answer_challenge

if TYPE_CHECKING:
    from random import Random  # noqa: TID251  (only its type)

    from analyzer.replay.auth.kerberos import KerberosSession
    from analyzer.replay.auth.ntlm import Account
    from dissectors.sip.messages import SipMessage

Params = list[tuple[str, str]]


class ClientAssociation:
    """A security association of a client: signs what it sends, checks what it is sent."""

    def __init__(self, agreed: Agreed, session: Session, rng: Random, *, proxy: bool) -> None:
        self.agreed = agreed
        self.proxy = proxy
        """Whether a proxy asked (407): it decides the names of the headers."""
        self.confirmed = False
        """Whether the server has signed anything yet."""
        self._session = session
        self._rng = rng
        self._count = 0
        self._window = Window()

    def signature(self, message: SipMessage) -> Params:
        """Return the parameters that sign one message."""
        self._count += 1
        rand, num = f"{self._rng.getrandbits(32):08x}", str(self._count)
        signature = self._session.sign(text_to_sign(message, self.agreed, rand, num))
        return [
            ("crand", quoted(rand)),
            ("cnum", quoted(num)),
            ("response", quoted(signature.hex())),
        ]

    def credentials(self, message: SipMessage) -> Params:
        """Return all parameters of a message sent under the association."""
        return [*self.agreed.params(), *self.signature(message)]

    def verify(self, message: SipMessage, info: AuthField) -> str | None:
        """Return what is wrong with the server's signature of a message; None when it is right."""
        number = number_of(info.get("snum"))
        if number is None:
            return f"{self.agreed.scheme}: the server's signature has no number (snum)"
        text = text_to_sign(message, self.agreed, info.get("srand"), info.get("snum"))
        if not self._session.verify(text, signature_of(info.get("rspauth"))):
            return f"{self.agreed.scheme}: the server's signature is wrong (snum {number})"
        if not self._window.is_new(number):
            return f"{self.agreed.scheme}: the server used snum {number} before"
        self._window.add(number)
        self.confirmed = True
        return None


class Handshake:
    """One handshake under way."""

    def __init__(self, scheme: str, rng: Random, *, proxy: bool) -> None:
        self.scheme = scheme
        self.proxy = proxy
        self.answered = False
        """Whether the proof was sent: what is refused now is the proof."""
        self._rng = rng

    def begin(self, field: AuthField) -> Params:
        """Return what asks for a challenge: NTLM's first message is empty (MS-SIPAE)."""
        agreed = _agreed(self.scheme, field)
        params = [("qop", quoted("auth")), *agreed.params()[2:], ("gssapi-data", quoted(""))]
        return params + agreed.version_param()

    def prove_by_password(
        self, field: AuthField, request: SipMessage, account: Account, now: float
    ) -> tuple[Params, ClientAssociation]:
        """Return what answers NTLM's challenge, and the association it proposes.

        Raises:
            NtlmError: The challenge is no use.
        """
        try:
            challenge = base64.b64decode(field.get("gssapi-data"), validate=True)
        except (binascii.Error, ValueError) as error:
            raise NtlmError("an NTLM challenge that is not Base64") from error
        token, session = answer_challenge(challenge, account, self._rng, now)
        return self._prove(field, request, token, session)

    def prove_by_ticket(
        self, field: AuthField, request: SipMessage, session: KerberosSession
    ) -> tuple[Params, ClientAssociation]:
        """Return what shows the server a Kerberos ticket, and the association it proposes."""
        return self._prove(field, request, session.token, session)

    def _prove(
        self, field: AuthField, request: SipMessage, token: bytes, session: Session
    ) -> tuple[Params, ClientAssociation]:
        agreed = _agreed(self.scheme, field)
        association = ClientAssociation(agreed, session, self._rng, proxy=self.proxy)
        self.answered = True
        params = [one for one in agreed.params() if agreed.opaque or one[0] != "opaque"]
        params.append(("gssapi-data", quoted(base64.b64encode(token).decode())))
        params += agreed.version_param()
        if agreed.version >= SIGNED_HANDSHAKE:
            params += association.signature(request)
        return params, association


def _agreed(scheme: str, field: AuthField) -> Agreed:
    names = (field.get("realm"), field.get("targetname"), field.get("opaque"))
    return Agreed(scheme, *names, version_of(field))
