"""Who a server is under TLS: a certificate and its key, given or made for one run.

The rule: a key that was made here is never written to a place that outlives the moment in which the
TLS library reads it. The certificate may be kept, so that a client can trust it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from analyzer.extras import MissingExtra
from analyzer.replay.transport.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography.x509 import GeneralName

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
DAYS = 30
"""A run is over sooner; clients of the time of the protocol refuse nothing that is this short."""
KEY_BITS = 2048
"""RSA, because Office Communicator and its kind accept no elliptic curves."""
PUBLIC_EXPONENT = 65537
MAX_PEM_BYTES = 1 << 20
"""A chain is a few KiB."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate chain and its private key, both PEM."""

    chain: bytes
    key: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the certificate as people compare it: ``AB:CD:...``."""
        der = ssl.PEM_cert_to_DER_cert(_first(self.chain))
        return sha256(der).digest().hex(":").upper()

    def write_certificate(self, path: Path) -> None:
        """Write the certificate, never the key; OSError becomes a TransportError."""
        try:
            path.write_bytes(self.chain)
        except OSError as error:
            raise TransportError(f"cannot write {path}: {error.strerror}") from error

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let a context show it; the library reads files only, so they exist for that moment."""
        with TemporaryDirectory(prefix="xccos-") as name:
            chain, key = Path(name, "chain.pem"), Path(name, "key.pem")
            chain.write_bytes(self.chain)
            key.touch(mode=0o600)
            key.write_bytes(self.key)
            try:
                context.load_cert_chain(chain, key, password=_refuse_password)
            except ssl.SSLError as error:
                reason = (error.reason or "not understood").replace("_", " ").lower()
                raise TransportError(f"the certificate or its key: {reason}") from error


def _refuse_password() -> bytes:
    """Refuse: the library would ask on the terminal."""
    raise TransportError("the key is encrypted: give one that is not")


def _first(chain: bytes) -> str:
    text = chain.decode("ascii", "replace")
    start, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    if start not in text or end not in text:
        raise TransportError("there is no certificate in PEM")
    return start + text.split(start, 1)[1].split(end, 1)[0] + end


def read_identity(certificate: Path, key: Path | None = None) -> Identity:
    """Read a chain and its key from PEM files; ``key`` None: both are in one file."""
    chain = _read(certificate)
    _first(chain)
    return Identity(chain, chain if key is None else _read(key))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PEM_BYTES + 1)
    except OSError as error:
        raise TransportError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_PEM_BYTES:
        raise TransportError(f"{path}: too large for a certificate")
    return data


def make_identity(names: Iterable[str] = (), *, now: datetime) -> Identity:
    """Make a self-signed identity for this host and further host names or IP addresses."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError as error:
        missing = MissingExtra(error.name or "cryptography", "replay")
        raise TransportError(f"{missing}, or give a certificate with --cert") from error

    key = rsa.generate_private_key(PUBLIC_EXPONENT, KEY_BITS)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, LOCAL_NAMES[0])])
    begin = now - timedelta(hours=1)  # clocks differ
    alternatives = [_alternative(name) for name in dict.fromkeys((*LOCAL_NAMES, *names))]
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        # It is its own authority for whoever is told to trust it (RFC 5280 4.2.1).
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return Identity(builder.sign(key, hashes.SHA256()).public_bytes(pem), secret)


def _alternative(name: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name)
    except ValueError as error:  # it wants ASCII, as DNS has it
        raise TransportError(f"no host name: {name!r}") from error
