"""RSA keys of servers, from the files in which people have them: PEM, DER and PKCS#12.

The one rule: a key is kept for one run, shown to nobody, and overwritten when it is closed, as far
as Python allows: its library holds copies that only end with the process. What is wrong with a
file, or with its password, is said in one line, which is no complaint about the capture.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

from analyzer.sources.files import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[[str], str | None]

# A chain of certificates with its key has some kilobytes; the largest stores have some hundred.
MAX_KEY_FILE = 1 << 20
MAX_NAME = 255
_PEM = re.compile(
    rb"-----BEGIN (?P<kind>(?:[A-Z0-9]+ ){0,3}?PRIVATE KEY)-----.*?-----END (?P=kind)-----",
    re.DOTALL,
)
_KINDS = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_JAVA_STORE = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
_SEQUENCE = 0x30
_INTEGER, _PFX_VERSION = 0x02, 3
EXTRA = "tls"
"""The extra that brings ``cryptography``."""


class KeyFileError(SourceError):
    """A key file is of no use; the text is one line for the user."""


class RsaKey:
    """A private key, to be closed. Its text never says more than the name of the file."""

    def __init__(self, name: str, modulus: int, pem: bytearray) -> None:
        self.name = name
        self.modulus = modulus
        self._pem = pem

    def __repr__(self) -> str:
        return f"RsaKey({self.name!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pem(self) -> bytearray:
        """Return the key itself as PEM (PKCS#1), without a password; not a copy."""
        return self._pem

    def close(self) -> None:
        """Overwrite the key."""
        self._pem[:] = bytes(len(self._pem))
        self._pem.clear()


def read_rsa_key(path: str | Path, ask: Ask | None = None) -> RsaKey:
    """Read the RSA key in a file.

    Args:
        path: PEM (PKCS#1, PKCS#8), DER or PKCS#12 (``.p12``, ``.pfx``).
        ask: gives the password of a file that has one, by its name; None where there is none to
            give. It may raise ``KeyFileError`` itself.

    Raises:
        KeyFileError: the file cannot be read, has no RSA key, or does not open with that password.
        MissingExtra: the library for it is not installed.
    """
    return _RsaKeyFile(str(path), ask).key()


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server showed of itself."""

    name: str
    """The common name of its subject, else the whole subject."""
    modulus: int | None
    """Of its RSA key; None where it has a key of another kind."""


def read_certificate(der: bytes) -> Certificate | None:
    """Read a certificate (DER); None where it is damaged, or the library is not installed."""
    import warnings

    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.x509 import load_der_x509_certificate
        from cryptography.x509.oid import NameOID

        with warnings.catch_warnings():  # of what is old in it: old ones are what it is for
            warnings.simplefilter("ignore")
            found = load_der_x509_certificate(der)
            names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            name = str(names[-1].value) if names else found.subject.rfc4514_string()
            key = found.public_key()
    except Exception:  # noqa: BLE001  (it came over the wire, and the library has many errors)
        return None
    modulus = key.public_numbers().n if isinstance(key, RSAPublicKey) else None
    return Certificate(name[:MAX_NAME], modulus)


class _RsaKeyFile:
    def __init__(self, name: str, ask: Ask | None) -> None:
        self._name = name
        self._ask = ask
        self._data = self._read()

    def key(self) -> RsaKey:
        try:
            from cryptography.hazmat.primitives.asymmetric import rsa
            from cryptography.hazmat.primitives.serialization import (
                Encoding,
                NoEncryption,
                PrivateFormat,
            )
        except ImportError:
            from analyzer.extras import MissingExtra

            raise MissingExtra("cryptography, which reads RSA keys,", EXTRA) from None
        found = self._load()
        if not isinstance(found, rsa.RSAPrivateKey):
            self._fail(
                f"it has {_kind_of(found)} key, and only RSA keys can decrypt: with others the "
                "secrets of a connection are never sent, a key log is needed"
            )
        text = found.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return RsaKey(self._name, found.public_key().public_numbers().n, bytearray(text))

    def _fail(self, why: str) -> NoReturn:
        raise KeyFileError(f"the key file {self._name} cannot be used: {why}")

    def _read(self) -> bytes:
        try:
            if not Path(self._name).is_file():
                self._fail("it is not a file" if Path(self._name).exists() else "there is no such")
            with Path(self._name).open("rb") as file:
                data = file.read(MAX_KEY_FILE + 1)
        except OSError as error:
            self._fail(str(error.strerror))
        except ValueError:
            self._fail("there is no such")
        if len(data) > MAX_KEY_FILE:
            self._fail(f"it has more than {MAX_KEY_FILE:,} bytes")
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # PowerShell writes text so
            data = data.decode("utf-16", "ignore").encode("ascii", "ignore")
        return data

    def _load(self) -> object:
        data = self._data
        if not data.strip(b"\0 \r\n\t"):
            self._fail("it is empty")
        if b"-----BEGIN " in data:
            return self._pem()
        if data.startswith(_JAVA_STORE):
            self._fail("it is a Java key store (convert it: keytool -importkeystore to PKCS12)")
        length = _der_length(data)
        if length is None:
            self._fail("it is neither PEM nor PKCS#12")
        if length > len(data):
            self._fail("it is damaged: cut short")
        return self._pkcs12() if _is_pkcs12(data) else self._der()

    def _pem(self) -> object:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        found = _PEM.search(self._data)
        if found is None:
            self._fail(_why_no_key(_KINDS.findall(self._data)))
        if found["kind"] == b"OPENSSH PRIVATE KEY":
            self._fail("it is an OpenSSH key (convert it: ssh-keygen -p -m PEM)")
        block = found[0] + b"\n"
        if found["kind"].startswith(b"ENCRYPTED") or b"Proc-Type: 4,ENCRYPTED" in block:
            return self._opened(lambda password: load_pem_private_key(block, password))
        return self._loaded(lambda: load_pem_private_key(block, None))

    def _der(self) -> object:
        from cryptography.hazmat.primitives.serialization import load_der_private_key

        if read_certificate(self._data) is not None:
            self._fail(_CERTIFICATE)
        try:
            return self._loaded(lambda: load_der_private_key(self._data, None))
        except TypeError:  # it is encrypted
            return self._opened(lambda password: load_der_private_key(self._data, password))

    def _pkcs12(self) -> object:
        from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

        found: object = None
        for password in (None, b""):  # as some are exported
            with suppress(Exception):
                found = load_pkcs12(self._data, password)
                break
        if found is None:
            found = self._opened(lambda password: load_pkcs12(self._data, password))
        key = getattr(found, "key", None)
        if key is None:
            self._fail("it has no private key in it: it was exported without (certlm.msc asks)")
        return key

    def _loaded(self, load: Callable[[], object]) -> object:
        from cryptography.exceptions import UnsupportedAlgorithm

        try:
            return load()
        except UnsupportedAlgorithm:
            self._fail("it is of a kind that is not supported here (openssl pkey converts it)")
        except ValueError:
            self._fail("it is damaged")

    def _opened(self, load: Callable[[bytes], object]) -> object:
        from cryptography.exceptions import UnsupportedAlgorithm

        password = None if self._ask is None else self._ask(self._name)
        if password is None:
            self._fail("it needs a password")
        try:
            return load(password.encode())
        except UnsupportedAlgorithm:
            self._fail("its encryption is not supported here (openssl pkcs12 -legacy converts it)")
        except (ValueError, TypeError):
            self._fail("the password is wrong, or the file is damaged")


_CERTIFICATE = "it is a certificate, and the private key that belongs to it is needed"


def _why_no_key(kinds: list[bytes]) -> str:
    if any(kind.endswith(b"PRIVATE KEY") for kind in kinds):
        return "it is damaged: cut short"
    if any(kind.endswith(b"CERTIFICATE") for kind in kinds):
        return _CERTIFICATE
    if any(kind.endswith(b"PUBLIC KEY") for kind in kinds):
        return "it is a public key, and the private one is needed"
    return "it has no private key in it"


def _kind_of(key: object) -> str:
    name = type(key).__name__.replace("PrivateKey", "").strip("_")
    return {"EllipticCurve": "an EC", "EC": "an EC", "DSA": "a DSA"}.get(name, f"an {name}")


def _der_length(data: bytes) -> int | None:
    """Return how long the outermost sequence is, with its head; None where there is none."""
    if len(data) < 2 or data[0] != _SEQUENCE:
        return None
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big") if 0 < count <= 4 else None


def _is_pkcs12(data: bytes) -> bool:
    """Tell a PFX, which begins with version 3 (RFC 7292 section 4), from a key by itself."""
    start = 2 if data[1] < 0x80 else 2 + (data[1] & 0x7F)
    version = data[start : start + 3] == bytes((_INTEGER, 1, _PFX_VERSION))
    return version and data[start + 3 : start + 4] == bytes((_SEQUENCE,))
