"""NTLMv2 as SIP uses it: datagrams, so the server speaks first and every signature has number 100.

The rule: pyspnego makes and reads the messages and has the ciphers of MS-NLMP; its contexts are for
connections (running numbers, a NEGOTIATE message, users in a file), so the two steps stand here.
"""

from __future__ import annotations

import hmac
import struct
from typing import TYPE_CHECKING, NamedTuple

from spnego._ntlm_raw.crypto import hmac_md5, md5, ntowfv2, rc4init, rc4k, sealkey, signkey
from spnego._ntlm_raw.md4 import md4
from spnego._ntlm_raw.messages import (
    Authenticate,
    AvFlags,
    AvId,
    Challenge,
    NegotiateFlags,
    TargetInfo,
    Version,
)
from spnego._ntlm_raw.security import sign

if TYPE_CHECKING:
    from random import Random  # noqa: TID251  (only its type)

REQUIRED = (
    NegotiateFlags.unicode
    | NegotiateFlags.ntlm
    | NegotiateFlags.extended_session_security
    | NegotiateFlags.sign
    | NegotiateFlags.datagram
)
"""Without these there is no signature of a single message."""
FLAGS = (
    REQUIRED
    | NegotiateFlags.always_sign
    | NegotiateFlags.identity
    | NegotiateFlags.key_exch
    | NegotiateFlags.key_128
    | NegotiateFlags.key_56
    | NegotiateFlags.request_target
    | NegotiateFlags.target_info
    | NegotiateFlags.version
)
"""What both of our sides speak."""
SEQUENCE = 100
"""The number of every signature: SIP orders its messages itself (MS-SIPAE)."""
MAX_TOKEN = 16 * 1024
"""Bytes of a message of the handshake: three names of 64 kB do not occur, real ones have 500."""

_FILETIME_EPOCH = 116444736000000000  # 1970 in units of 100 ns since 1601 (MS-DTYP 2.3.3)
_PROOF = 16
_CLIENT_CHALLENGE_HEAD = 28  # MS-NLMP 2.2.2.7: versions, time, challenge, reserved
# The version is for debugging only (MS-NLMP 2.2.2.10); this one is known to be taken.
_VERSION = Version(major=5, minor=1, build=2600)
# What pyspnego raises on messages that are not what they should be.
_UNREADABLE = (ValueError, KeyError, IndexError, TypeError, OverflowError, struct.error)


class NtlmError(Exception):
    """A message of the handshake that cannot be read or is not acceptable; the text says why."""


class Account(NamedTuple):
    """Who signs in."""

    name: str
    domain: str
    """Empty when the name says it (``name@domain``)."""
    secret: bytes
    """The NT hash of the password."""


class NtlmSession:
    """The keys of one side after the handshake (MS-NLMP 3.4)."""

    def __init__(self, flags: int, key: bytes, *, client: bool) -> None:
        ours, theirs = ("initiate", "accept") if client else ("accept", "initiate")
        self._flags = flags
        self._ours = signkey(flags, key, ours), sealkey(flags, key, ours)
        self._theirs = signkey(flags, key, theirs), sealkey(flags, key, theirs)

    def sign(self, text: bytes) -> bytes:
        """Return the 16 bytes that sign what this side sends."""
        return self._mac(self._ours, text)

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Say whether the other side made the signature."""
        return hmac.compare_digest(self._mac(self._theirs, text), signature)

    def _mac(self, keys: tuple[bytes, bytes], text: bytes) -> bytes:
        # Of datagrams each message has a handle of its own (MS-NLMP 3.4.3).
        handle = rc4init(md5(keys[1] + struct.pack("<I", SEQUENCE)))
        return sign(self._flags, handle, keys[0], SEQUENCE, text)


def nt_hash(password: str) -> bytes:
    """Return NTOWFv1 of a password (MS-NLMP 3.3.1): as good as the password itself."""
    return md4(password.encode("utf-16-le", "surrogatepass"))


def filetime(seconds: float) -> bytes:
    """Return a time, in seconds since 1970 UTC, as MS-NLMP writes it."""
    ticks = _FILETIME_EPOCH + int(seconds * 10_000_000)
    return struct.pack("<Q", min(max(ticks, 0), 2**64 - 1))


def make_challenge(rng: Random, names: tuple[str, str], now: float | None) -> bytes:
    """Return a CHALLENGE_MESSAGE of a server.

    Args:
        rng: What the nonce is drawn from.
        names: The DNS names of the server and of its domain.
        now: Seconds since 1970 UTC; None leaves the time to the client.
    """
    host, domain = names
    short = host.partition(".")[0].upper()[:15], domain.partition(".")[0].upper()[:15]
    info = TargetInfo()
    info[AvId.nb_domain_name] = short[1]
    info[AvId.nb_computer_name] = short[0]
    info[AvId.dns_domain_name] = domain
    info[AvId.dns_computer_name] = host
    if now is not None:
        info[AvId.timestamp] = filetime(now)
    flags = FLAGS | NegotiateFlags.target_type_domain
    made = Challenge(flags, rng.randbytes(8), short[1], info, _VERSION)
    return made.pack()


def answer_challenge(
    token: bytes, account: Account, rng: Random, now: float
) -> tuple[bytes, NtlmSession]:
    """Return a client's AUTHENTICATE_MESSAGE and its keys.

    Raises:
        NtlmError: The challenge cannot be read, or the server does not speak NTLMv2 for datagrams.
    """
    nonce, offered, info = _read_challenge(token)
    missing = REQUIRED & ~offered
    if missing:
        raise NtlmError(f"the server's NTLM challenge lacks the flags {missing:#010x}")
    time = _av_value(info, AvId.timestamp)
    ours = rng.randbytes(8)
    known = time if len(time) == 8 else filetime(now)
    temp = b"\x01\x01" + bytes(6) + known + ours + bytes(4) + info + bytes(4)
    key = ntowfv2(account.name, account.secret, account.domain)
    proof = hmac_md5(key, nonce + temp)
    base = hmac_md5(key, proof)
    # A client that was told the time sends no LM response (MS-NLMP 3.1.5.1.2).
    lm = bytes(24) if time else hmac_md5(key, nonce + ours) + ours
    flags = offered & FLAGS | NegotiateFlags.request_target
    encrypted, exported = b"", base
    if flags & NegotiateFlags.key_exch:
        exported = rng.randbytes(16)
        encrypted = rc4k(base, exported)
    made = Authenticate(
        flags,
        lm,
        proof + temp,
        account.domain,
        account.name,
        encrypted_session_key=encrypted,
        version=_VERSION,
    )
    return made.pack(), NtlmSession(flags, exported, client=True)


class NtlmAnswer:
    """A client's AUTHENTICATE_MESSAGE, read.

    Raises:
        NtlmError: It cannot be read, is not NTLMv2, or asks for less than a signature needs.
    """

    def __init__(self, token: bytes) -> None:
        if len(token) > MAX_TOKEN:
            raise NtlmError(f"an NTLM message of {len(token)} bytes")
        try:
            self._read = Authenticate.unpack(token)
            self.name = self._read.user_name or ""
            self.domain = self._read.domain_name or ""
            self._flags = self._read.flags
            self._response = self._read.nt_challenge_response or b""
            self._encrypted = self._read.encrypted_random_session_key or b""
            self._mic = self._read.mic
        except _UNREADABLE as error:
            raise NtlmError("an NTLM AUTHENTICATE message that cannot be read") from error
        if len(self._response) < _PROOF + _CLIENT_CHALLENGE_HEAD:
            raise NtlmError("an NTLM response of version 1, which is not accepted")
        if REQUIRED & ~self._flags:
            raise NtlmError("an NTLM AUTHENTICATE message without signatures for datagrams")

    def accept(self, challenge: bytes, secret: bytes) -> NtlmSession | None:
        """Return the server's keys when the client knows the secret; None when it does not."""
        nonce = challenge[24:32]  # MS-NLMP 2.2.1.2
        proof, temp = self._response[:_PROOF], self._response[_PROOF:]
        key = ntowfv2(self.name, secret, self.domain)
        if not hmac.compare_digest(hmac_md5(key, nonce + temp), proof):
            return None
        exported = hmac_md5(key, proof)
        if self._flags & NegotiateFlags.key_exch:
            if len(self._encrypted) != len(exported):
                return None
            exported = rc4k(exported, self._encrypted)
        if not self._is_whole(challenge, exported, temp[_CLIENT_CHALLENGE_HEAD:]):
            return None
        return NtlmSession(self._flags, exported, client=False)

    def _is_whole(self, challenge: bytes, key: bytes, info: bytes) -> bool:
        """Check the MIC where the client says that there is one (MS-NLMP 3.2.5.2.2)."""
        flags = _av_value(info, AvId.flags)
        if len(flags) != 4 or not struct.unpack("<I", flags)[0] & AvFlags.mic:
            return True
        if self._mic is None or len(self._mic) != 16:
            return False
        self._read.mic = bytes(16)
        return hmac.compare_digest(hmac_md5(key, challenge + self._read.pack()), self._mic)


def _read_challenge(token: bytes) -> tuple[bytes, int, bytes]:
    """Return the nonce, the flags and the target info, byte for byte as the server wrote it."""
    if len(token) > MAX_TOKEN:
        raise NtlmError(f"an NTLM message of {len(token)} bytes")
    try:
        read = Challenge.unpack(token)
        length, _, offset = struct.unpack_from("<HHI", token, 40)
        flags = read.flags
    except _UNREADABLE as error:
        raise NtlmError("an NTLM challenge that cannot be read") from error
    return token[24:32], flags, token[offset : offset + length] if offset >= 48 else b""


def _av_value(info: bytes, wanted: AvId) -> bytes:
    """Return the value of an attribute of the target info; empty when it is absent."""
    at = 0
    while at + 4 <= len(info):
        kind, length = struct.unpack_from("<HH", info, at)
        if kind == wanted:
            return info[at + 4 : at + 4 + length]
        if kind == AvId.eol:
            break
        at += 4 + length
    return b""
