"""Keys and certificates for tests, made once."""

from __future__ import annotations

import datetime
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

NAME = "ocs.contoso.com"


@cache
def rsa_key(number: int) -> RSAPrivateKey:
    """Return a key; another for each number."""
    return rsa.generate_private_key(65537, 1024 if number else 2048)


@cache
def certificate(number: int, name: str) -> x509.Certificate:
    """Return a certificate of that key, signed by itself."""
    key = rsa_key(number)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begins = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7 + number)
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=9999))
        .sign(key, hashes.SHA256())
    )


def der(number: int = 0, name: str = NAME) -> bytes:
    """Return the certificate as it travels."""
    return certificate(number, name).public_bytes(Encoding.DER)


def pem(number: int = 0) -> bytes:
    """Return the key without a password, as PKCS#8."""
    return rsa_key(number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
