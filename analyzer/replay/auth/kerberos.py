"""Kerberos for a client that has a ticket at hand: the system's, through pyspnego and gssapi.

The rule: nothing here asks for a password. Where there is no ticket, or the library is absent, one
sentence says so and another scheme may serve. Getting a ticket for the service may ask the KDC.
"""

from __future__ import annotations

import spnego
from spnego.exceptions import SpnegoError


class NoTicketError(Exception):
    """There is no usable ticket; the text says why."""


class KerberosSession:
    """A client's context for one service; ``token`` is what the server is shown.

    Raises:
        NoTicketError: There is no ticket, no such library, or the target is not a service's name.
    """

    def __init__(self, targetname: str) -> None:
        service, slash, host = targetname.partition("/")
        if not slash or not host:
            raise NoTicketError(f"Kerberos: {targetname[:80]!r} does not name a service")
        try:
            # No mutual authentication: SIP has one token, and the context must be ready with it.
            self._context = spnego.client(
                hostname=host,
                service=service,
                protocol="kerberos",
                context_req=spnego.ContextReq.integrity,
            )
            self.token = self._context.step() or b""
        except ImportError as error:
            raise NoTicketError(
                "Kerberos needs the Python package gssapi (pip install pyspnego[kerberos])"
            ) from error
        except (SpnegoError, OSError, ValueError) as error:
            said = " ".join(str(error).split())[:160]
            raise NoTicketError(f"Kerberos: no ticket for {targetname[:80]}: {said}") from error

    def sign(self, text: bytes) -> bytes:
        """Return the signature of what the client sends."""
        return self._context.sign(text)

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Say whether the server made the signature."""
        try:
            self._context.verify(text, signature)
        except (SpnegoError, ValueError):
            return False
        return True
