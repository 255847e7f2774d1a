"""TLS of a play: settings, contexts, and one session over bytes that someone else moves.

The rule: the session has no socket. Ciphertext goes in and comes out, so that a connection behaves
alike with and without TLS: half-closed, broken, cut inside a record.
"""

from __future__ import annotations

import ssl
import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from analyzer.replay.transport.errors import TransportError

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.transport.identity import Identity

Version = Literal["1.0", "1.1", "1.2", "1.3"]
_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_OLD = frozenset({"1.0", "1.1"})
PIECE = 1 << 16
"""Bytes that are taken from a session at once: four records (RFC 8446 5.1)."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How TLS is spoken; a server needs an identity, a client whom to trust."""

    identity: Identity | None = None
    """What a server shows (or a client, when it is asked)."""
    ca: Path | None = None
    """Client: PEM of whom to trust instead of the system's authorities."""
    insecure: bool = False
    """Client: trust everybody."""
    server_name: str | None = None
    """Client: who it must be, and what is asked for; None: the address of the target."""
    minimum: Version = "1.2"
    keylog: Path | None = None
    """Append the session's secrets to this file, for Wireshark."""


def client_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return the context of a client; TransportError for files that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        _trust(context, settings.ca)
    return _finish(context, settings)


def server_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return the context of a server; TransportError without an identity."""
    if settings.identity is None:
        raise TransportError("a TLS server needs a certificate")
    return _finish(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), settings)


def _trust(context: ssl.SSLContext, ca: Path | None) -> None:
    if ca is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return
    try:
        context.load_verify_locations(cafile=ca)
    except ssl.SSLError as error:
        raise TransportError(f"{ca}: no certificate in PEM") from error
    except OSError as error:
        raise TransportError(f"cannot read {ca}: {error.strerror}") from error


def _finish(context: ssl.SSLContext, settings: TlsSettings) -> ssl.SSLContext:
    context.options |= ssl.OP_NO_RENEGOTIATION  # a peer's way to make us work; nobody needs it
    if settings.minimum in _OLD:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # SHA-1 signatures are refused otherwise
    with warnings.catch_warnings():  # the library dislikes what the user asked for
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[settings.minimum]
    if settings.identity is not None:
        settings.identity.load_into(context)
    if settings.keylog is not None:
        _log_keys(context, settings.keylog)
    return context


def _log_keys(context: ssl.SSLContext, path: Path) -> None:
    try:
        path.touch(mode=0o600)  # whoever reads it reads the session
        context.keylog_filename = str(path)
    except OSError as error:
        raise TransportError(f"cannot write {path}: {error.strerror}") from error


def reason_of(error: ssl.SSLError) -> str:
    """Return in a few words why TLS failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    return (error.reason or "protocol error").replace("_", " ").lower()


class TlsSession:
    """One session: ``feed`` what came, ``encrypt`` what is to go, write what ``take`` returns."""

    def __init__(
        self, context: ssl.SSLContext, *, server_side: bool, server_name: str | None = None
    ) -> None:
        self.ready = False
        """The handshake is through."""
        self.ended = False
        """The peer sends no more (close_notify)."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name
        )

    def feed(self, data: bytes) -> bytes:
        """Take ciphertext and return the plaintext in it; SSLError when it is none."""
        if data:
            self._incoming.write(data)
        if not self.ready and not self._shake_hands():
            return b""
        pieces: list[bytes] = []
        try:
            while piece := self._object.read(PIECE):
                pieces.append(piece)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        return b"".join(pieces)

    def _shake_hands(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.ready = True
        return True

    def encrypt(self, data: bytes) -> None:
        """Make records of plaintext."""
        view = memoryview(data)
        while view:  # a call makes one record
            view = view[self._object.write(view) :]

    def shut(self) -> None:
        """Say close_notify; the peer may go on."""
        with suppress(ssl.SSLError):  # the peer's own is awaited by reading on
            self._object.unwrap()

    def take(self) -> bytes:
        """Return ciphertext that is to be written."""
        return self._outgoing.read()
