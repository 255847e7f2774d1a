"""TLS sessions written down from the specifications: what this machine's OpenSSL no longer speaks.

Both ends are one object, so that a session needs no negotiation: RC4, 3DES, hellos of SSL 2,
renegotiation, updated keys, early data. The bytes follow RFC 2246, 4346, 5246 and 8446; a
``Random`` gives all that is random, so that a session is the same every time.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from random import Random  # noqa: TID251  (seeded)
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, TripleDES
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.ciphers import CipherContext

    Write = tuple[bool, bytes]

TLS10, TLS11, TLS12 = 0x0301, 0x0302, 0x0303
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, TICKET, EARLY_END = 0, 1, 2, 4, 5
ENCRYPTED, CERTIFICATE, SERVER_KEY, CERTIFICATE_REQUEST, DONE = 8, 11, 12, 13, 14
VERIFY, CLIENT_KEY, FINISHED, KEY_UPDATE = 15, 16, 20, 24
SNI, SESSION_TICKET, EMS, ETM, VERSIONS, PSK, EARLY_DATA, RENEGOTIATION = (
    0, 35, 23, 22, 43, 41, 42, 0xFF01,
)  # fmt: skip


class Suite(NamedTuple):
    """A suite as IANA numbers it."""

    number: int
    exchange: str
    cipher: str
    key: int
    """Bytes of the key."""
    iv: int
    """Bytes of a block, or of the fixed part of a nonce."""
    mac: str
    """Hash of the MAC, empty where there is none."""
    prf: str = "sha256"


RSA_RC4_MD5 = Suite(0x0004, "RSA", "rc4", 16, 0, "md5")
RSA_RC4_SHA = Suite(0x0005, "RSA", "rc4", 16, 0, "sha1")
RSA_3DES_SHA = Suite(0x000A, "RSA", "3des", 24, 8, "sha1")
RSA_AES128_SHA = Suite(0x002F, "RSA", "aes", 16, 16, "sha1")
RSA_AES256_SHA = Suite(0x0035, "RSA", "aes", 32, 16, "sha1")
RSA_AES128_SHA256 = Suite(0x003C, "RSA", "aes", 16, 16, "sha256")
RSA_AES128_GCM = Suite(0x009C, "RSA", "gcm", 16, 4, "")
RSA_AES256_GCM = Suite(0x009D, "RSA", "gcm", 32, 4, "", "sha384")
DHE_AES128_GCM = Suite(0x009E, "DHE", "gcm", 16, 4, "")
ECDHE_AES256_SHA = Suite(0xC014, "ECDHE", "aes", 32, 16, "sha1")
ECDHE_AES256_GCM = Suite(0xC030, "ECDHE", "gcm", 32, 4, "", "sha384")
ECDHE_CHACHA = Suite(0xCCA8, "ECDHE", "chacha", 32, 12, "")
TLS13_AES128 = Suite(0x1301, "", "gcm", 16, 12, "", "sha256")
TLS13_AES256 = Suite(0x1302, "", "gcm", 32, 12, "", "sha384")
TLS13_CHACHA = Suite(0x1303, "", "chacha", 32, 12, "", "sha256")


def _two(value: bytes | int) -> bytes:
    """Return a value behind its length of two bytes, or a number of two bytes."""
    if isinstance(value, int):
        return value.to_bytes(2, "big")
    return len(value).to_bytes(2, "big") + value


def _one(value: bytes) -> bytes:
    return bytes((len(value),)) + value


def _three(value: bytes) -> bytes:
    return len(value).to_bytes(3, "big") + value


def _message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + _three(body)


def _extensions(extensions: dict[int, bytes]) -> bytes:
    return _two(b"".join(_two(kind) + _two(body) for kind, body in extensions.items()))


def _p_hash(name: str, secret: bytes, seed: bytes) -> Iterator[int]:
    """Yield bytes without end (RFC 5246 section 5)."""
    at = seed
    while True:
        at = hmac.digest(secret, at, name)
        yield from hmac.digest(secret, at + seed, name)


class _State:
    """One direction under one key, TLS 1.0 to 1.2 (RFC 5246 section 6.2.3)."""

    def __init__(self, session: Session, mac: bytes, key: bytes, iv: bytes) -> None:
        self._session, self._mac, self._key, self._iv = session, mac, key, iv
        self._number = 0
        self._stream: CipherContext | None = None
        if session.suite.cipher == "rc4":
            self._stream = Cipher(ARC4(key), None).encryptor()

    def seal(self, kind: int, data: bytes) -> bytes:
        """Return what a record holds."""
        number, self._number = self._number.to_bytes(8, "big"), self._number + 1
        head = number + bytes((kind,)) + _two(self._session.version)
        suite = self._session.suite
        if suite.cipher in ("gcm", "chacha"):
            return self._aead(suite.cipher, number, head + _two(len(data)), data)
        if self._stream is not None:
            mac = hmac.digest(self._mac, head + _two(data), suite.mac)
            return self._stream.update(data + mac)
        if not self._session.etm:
            data += hmac.digest(self._mac, head + _two(data), suite.mac)
        sealed = self._blocks(data)
        if self._session.etm:  # RFC 7366
            sealed += hmac.digest(self._mac, head + _two(sealed), suite.mac)
        return sealed

    def _aead(self, cipher: str, number: bytes, head: bytes, data: bytes) -> bytes:
        if cipher == "gcm":
            return number + AESGCM(self._key).encrypt(self._iv + number, data, head)
        return ChaCha20Poly1305(self._key).encrypt(_xored(self._iv, number), data, head)

    def _blocks(self, data: bytes) -> bytes:
        suite, session = self._session.suite, self._session
        pad = suite.iv - 1 - len(data) % suite.iv
        data += bytes((pad,)) * (pad + 1)
        explicit = session.version > TLS10
        iv = session.chance.randbytes(suite.iv) if explicit else self._iv
        algorithm = AES(self._key) if suite.cipher == "aes" else TripleDES(self._key)
        encryptor = Cipher(algorithm, modes.CBC(iv)).encryptor()
        sealed = encryptor.update(data) + encryptor.finalize()
        self._iv = sealed[-suite.iv :]
        return (iv if explicit else b"") + sealed


def _xored(iv: bytes, number: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(iv, number.rjust(len(iv), b"\0"), strict=True))


@dataclass
class Session:
    """A connection of TLS 1.0 to 1.2; ``writes`` are its bytes, ``log`` the lines of its keys."""

    version: int = TLS12
    suite: Suite = RSA_AES128_SHA
    key: RSAPublicKey | None = None
    certificate: bytes = b""
    """DER of the server's."""
    name: str = "ocs.contoso.com"
    ems: bool = False
    etm: bool = False
    seed: int = 1
    writes: list[Write] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    master: bytes = b""
    session_id: bytes = b""
    ticket: bytes = b""
    fragment: int = 0
    """Records hold at most so many bytes of handshake; 0 where they hold whole messages."""
    old_hello: bool = False
    """The ClientHello has the form of SSL 2, without extensions (RFC 5246 appendix E.2)."""

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self._states: list[_State | None] = [None, None]
        self._heard = b""

    def shake(self, *, client_certificate: bytes | None = None) -> Session:
        """Shake hands in full; once more, it is a renegotiation (RFC 5246 section 7.4.1)."""
        self._heard = b""
        self.session_id = self.chance.randbytes(32)
        hello, answer = self._hellos(b"", b"")
        self._greet(hello)
        wants = [] if client_certificate is None else [
            _message(CERTIFICATE_REQUEST, _one(b"\1") + (
                _two(b"\4\1") if self.version == TLS12 else b"") + _two(b""))
        ]  # fmt: skip
        exchange = [] if self.suite.exchange == "RSA" else [
            _message(SERVER_KEY, self.chance.randbytes(200))
        ]  # fmt: skip
        served = _three(_three(self.certificate)) if self.certificate else _three(b"")
        self._say(
            False, answer, _message(CERTIFICATE, served), *exchange, *wants, _message(DONE, b"")
        )
        if client_certificate is not None:
            mine = _three(_three(client_certificate))
            self._say(True, _message(CERTIFICATE, mine))
        premaster = _two(self.version) + self.chance.randbytes(46)
        self._say(True, _message(CLIENT_KEY, self._key_exchange(premaster)))
        self._derive(premaster)
        if client_certificate is not None:
            self._say(True, _message(VERIFY, b"\4\1" + _two(self.chance.randbytes(256))))
        self._finish(True)
        if self.ticket:
            self._say(False, _message(TICKET, bytes(4) + _two(self.ticket)))
        self._finish(False)
        return self

    def resume(self, other: Session) -> Session:
        """Shake hands in short: the secrets are those of another connection."""
        self.master, self.session_id, ticket = other.master, other.session_id, other.ticket
        self.version, self.suite, self.ems, self.etm = (
            other.version, other.suite, other.ems, other.etm,
        )  # fmt: skip
        self._heard = b""
        hello, answer = self._hellos(ticket, self.session_id)
        self._greet(hello)
        self._say(False, answer)
        self._log()
        self._finish(False)
        self._finish(True)
        return self

    def client(self, data: bytes) -> Session:
        """Let the client write a record."""
        return self.record(True, APPLICATION_DATA, data)

    def server(self, data: bytes) -> Session:
        """Let the server write a record."""
        return self.record(False, APPLICATION_DATA, data)

    def end(self) -> Session:
        """Say good-bye on both sides (close_notify)."""
        return self.record(True, ALERT, b"\1\0").record(False, ALERT, b"\1\0")

    def record(self, from_client: bool, kind: int, data: bytes) -> Session:
        """Write a record."""
        state = self._states[0 if from_client else 1]
        held = data if state is None else state.seal(kind, data)
        self.writes.append((from_client, bytes((kind,)) + _two(self.version) + _two(held)))
        return self

    def _hellos(self, ticket: bytes, wanted: bytes) -> tuple[bytes, bytes]:
        """Return both, the client's with the session that it wants to resume."""
        self.randoms = (self.chance.randbytes(32), self.chance.randbytes(32))
        name = self.name.encode()
        offered = {SNI: _two(b"\0" + _two(name)), SESSION_TICKET: ticket, RENEGOTIATION: b"\0"}
        chosen = {RENEGOTIATION: b"\0"}
        if self.ems:
            offered[EMS] = chosen[EMS] = b""
        if self.etm:
            offered[ETM] = chosen[ETM] = b""
        if self.ticket:
            chosen[SESSION_TICKET] = b""
        hello = _message(
            CLIENT_HELLO,
            _two(self.version)
            + self.randoms[0]
            + _one(wanted)
            + _two(_two(self.suite.number))
            + b"\1\0"
            + _extensions(offered),
        )
        answer = _message(SERVER_HELLO, _two(self.version) + self.randoms[1] + _one(self.session_id)
                          + _two(self.suite.number) + b"\0" + _extensions(chosen))  # fmt: skip
        return hello, answer

    def _greet(self, hello: bytes) -> None:
        if not self.old_hello:
            self._say(True, hello)
            return
        suites = b"\0" + _two(self.suite.number)
        lengths = _two(len(suites)) + _two(0) + _two(32)
        body = b"\1" + _two(self.version) + lengths + suites + self.randoms[0]
        self._heard += body
        self.writes.append((True, (0x8000 | len(body)).to_bytes(2, "big") + body))

    def _key_exchange(self, premaster: bytes) -> bytes:
        if self.suite.exchange != "RSA":
            return _one(self.chance.randbytes(32))
        assert self.key is not None
        return _two(self.key.encrypt(premaster, padding.PKCS1v15()))

    def _derive(self, premaster: bytes) -> None:
        if self.ems:  # RFC 7627
            seed = self._digest()
            self.master = self._prf(premaster, b"extended master secret", seed, 48)
        else:
            self.master = self._prf(premaster, b"master secret", b"".join(self.randoms), 48)
        self._log()

    def _log(self) -> None:
        self.log.append(f"CLIENT_RANDOM {self.randoms[0].hex()} {self.master.hex()}")
        size = hashlib.new(self.suite.mac).digest_size if self.suite.mac else 0
        wanted = (size, self.suite.key, self.suite.iv)
        seed = self.randoms[1] + self.randoms[0]
        block = self._prf(self.master, b"key expansion", seed, 2 * sum(wanted))
        cut: list[list[bytes]] = [[], []]
        for length in wanted:
            for side in (0, 1):
                cut[side].append(block[:length])
                block = block[length:]
        self._next = [_State(self, *cut[side]) for side in (0, 1)]

    def _finish(self, from_client: bool) -> None:
        side = 0 if from_client else 1
        self.record(from_client, CHANGE_CIPHER_SPEC, b"\1")
        self._states[side] = self._next[side]
        label = b"client finished" if from_client else b"server finished"
        verify = self._prf(self.master, label, self._digest(), 12)
        self._say(from_client, _message(FINISHED, verify))

    def _say(self, from_client: bool, *messages: bytes) -> None:
        said = b"".join(messages)
        self._heard += said
        size = self.fragment or len(said)
        for at in range(0, len(said), size):
            self.record(from_client, HANDSHAKE, said[at : at + size])

    def _digest(self) -> bytes:
        if self.version < TLS12:
            return hashlib.md5(self._heard).digest() + hashlib.sha1(self._heard).digest()
        return hashlib.new(self.suite.prf, self._heard).digest()

    def _prf(self, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
        seed = label + seed
        if self.version >= TLS12:
            source = _p_hash(self.suite.prf, secret, seed)
            return bytes(next(source) for _ in range(length))
        half = (len(secret) + 1) // 2
        one, two = _p_hash("md5", secret[:half], seed), _p_hash("sha1", secret[-half:], seed)
        return bytes(next(one) ^ next(two) for _ in range(length))


@dataclass
class Session13:
    """A connection of TLS 1.3; its secrets come from nowhere, as nobody verifies them."""

    suite: Suite = TLS13_AES128
    name: str = "chat.contoso.com"
    psk: bool = False
    early: tuple[bytes, ...] = ()
    """Records that the client writes at once (RFC 8446 section 2.3)."""
    padding: int = 0
    """Zeros behind the data of each record (RFC 8446 section 5.4)."""
    seed: int = 1
    writes: list[Write] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.random = self.chance.randbytes(32)
        self._secrets: list[bytes] = [b"", b""]
        self._numbers = [0, 0]

    def shake(self) -> Session13:
        """Shake hands."""
        self._hellos()
        if self.early:
            self._under("CLIENT_EARLY_TRAFFIC_SECRET", 0)
            for data in self.early:
                self._seal(True, APPLICATION_DATA, data)
        self._answer()
        self.writes.append((False, b"\x14\3\3\0\1\1"))
        early = self._secrets[0], self._numbers[0]
        self._under("CLIENT_HANDSHAKE_TRAFFIC_SECRET", 0)
        mine = self._secrets[0]
        self._under("SERVER_HANDSHAKE_TRAFFIC_SECRET", 1)
        flight = _message(ENCRYPTED, _extensions({EARLY_DATA: b""} if self.early else {}))
        if not self.psk:
            flight += _message(CERTIFICATE, b"\0" + _three(b""))
            flight += _message(VERIFY, b"\x08\x04" + _two(self.chance.randbytes(256)))
        self._seal(False, HANDSHAKE, flight + _message(FINISHED, self._any()))
        self._under("SERVER_TRAFFIC_SECRET_0", 1)
        if self.early:
            self._secrets[0], self._numbers[0] = early
            self._seal(True, HANDSHAKE, _message(EARLY_END, b""))
        self.writes.append((True, b"\x14\3\3\0\1\1"))
        self._secrets[0], self._numbers[0] = mine, 0
        self._seal(True, HANDSHAKE, _message(FINISHED, self._any()))
        self._under("CLIENT_TRAFFIC_SECRET_0", 0)
        return self

    def update(self, from_client: bool) -> Session13:
        """Let one side change its key (RFC 8446 section 4.6.3)."""
        self._seal(from_client, HANDSHAKE, _message(KEY_UPDATE, b"\0"))
        side = 0 if from_client else 1
        self._secrets[side] = self._expand(self._secrets[side], b"traffic upd", len(self._any()))
        self._numbers[side] = 0
        return self

    def ticket(self) -> Session13:
        """Let the server give a ticket, in the midst of everything."""
        body = bytes(8) + _one(b"\0") + _two(self.chance.randbytes(64)) + _two(b"")
        return self._seal(False, HANDSHAKE, _message(TICKET, body))

    def client(self, data: bytes) -> Session13:
        """Let the client write a record."""
        return self._seal(True, APPLICATION_DATA, data)

    def server(self, data: bytes) -> Session13:
        """Let the server write a record."""
        return self._seal(False, APPLICATION_DATA, data)

    def end(self) -> Session13:
        """Say good-bye on both sides (close_notify)."""
        return self._seal(True, ALERT, b"\1\0")._seal(False, ALERT, b"\1\0")

    def _any(self) -> bytes:
        return self.chance.randbytes(hashlib.new(self.suite.prf).digest_size)

    def _hellos(self) -> None:
        offered = {
            SNI: _two(b"\0" + _two(self.name.encode())),
            VERSIONS: _one(b"\3\4"),
            51: _two(_two(29) + _two(self.chance.randbytes(32))),
        }
        if self.early:
            offered[EARLY_DATA] = b""
        if self.psk:
            offered[45] = b"\1\1"
            identity = _two(_two(b"ticket") + bytes(4))
            offered[PSK] = identity + _two(_one(self._any()))
        self._id = self.chance.randbytes(32)
        hello = b"\3\3" + self.random + _one(self._id) + _two(_two(self.suite.number)) + b"\1\0"
        self._plain(True, _message(CLIENT_HELLO, hello + _extensions(offered)))

    def _answer(self) -> None:
        chosen = {VERSIONS: b"\3\4", 51: _two(29) + _two(self.chance.randbytes(32))}
        if self.psk:
            chosen[PSK] = b"\0\0"
        answer = b"\3\3" + self.chance.randbytes(32) + _one(self._id) + _two(self.suite.number)
        self._plain(False, _message(SERVER_HELLO, answer + b"\0" + _extensions(chosen)))

    def _plain(self, from_client: bool, message: bytes) -> None:
        self.writes.append((from_client, b"\x16\3\1" + _two(message)))

    def _under(self, label: str, side: int) -> None:
        self._secrets[side], self._numbers[side] = self._any(), 0
        self.log.append(f"{label} {self.random.hex()} {self._secrets[side].hex()}")

    def _seal(self, from_client: bool, kind: int, data: bytes) -> Session13:
        side = 0 if from_client else 1
        secret, number = self._secrets[side], self._numbers[side].to_bytes(8, "big")
        self._numbers[side] += 1
        key = self._expand(secret, b"key", self.suite.key)
        iv = self._expand(secret, b"iv", 12)
        inner = data + bytes((kind,)) + bytes(self.padding)
        head = b"\x17\3\3" + _two(len(inner) + 16)
        cipher: Callable[[bytes], AESGCM | ChaCha20Poly1305] = (
            AESGCM if self.suite.cipher == "gcm" else ChaCha20Poly1305
        )
        held = cipher(key).encrypt(_xored(iv, number), inner, head)
        self.writes.append((from_client, head + held))
        return self

    def _expand(self, secret: bytes, label: bytes, length: int) -> bytes:
        """HKDF-Expand-Label with an empty context (RFC 8446 section 7.1)."""
        info = _two(length) + _one(b"tls13 " + label) + b"\0"
        return hmac.digest(secret, info + b"\1", self.suite.prf)[:length]
