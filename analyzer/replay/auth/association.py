"""Security associations of MS-SIPAE: what a handshake agrees on, and how messages are signed then.

The rule: a signature covers the identity of a message (Call-ID, CSeq, From, To, Expires, status),
never its body or route. Whoever changes one of those signs again.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from analyzer.replay.auth.field import quoted
from dissectors.sip.fields import parse_name_addrs

if TYPE_CHECKING:
    from analyzer.replay.auth.field import AuthField
    from dissectors.sip.messages import SipMessage

OLDEST, NEWEST = 2, 4
"""Versions of the protocol. A header without one speaks version 2 (MS-SIPAE 2.2.1)."""
TO_URI = 3
"""From this version on the To URI and the asserted identities are signed."""
SIGNED_HANDSHAKE = 4
"""From this version on the last message of the handshake is signed as well."""

_NUMBER_RE = re.compile(r"[0-9]{1,10}")


class Session(Protocol):
    """The keys that a handshake left on one side."""

    def sign(self, text: bytes) -> bytes:
        """Return the signature of what this side sends."""
        ...

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Say whether the other side made the signature."""
        ...


class Agreed(NamedTuple):
    """What both sides know of an association."""

    scheme: str
    realm: str
    targetname: str
    opaque: str
    version: int

    def params(self) -> list[tuple[str, str]]:
        """Return the parameters that name the association."""
        return [
            ("qop", quoted("auth")),
            ("opaque", quoted(self.opaque)),
            ("realm", quoted(self.realm)),
            ("targetname", quoted(self.targetname)),
        ]

    def version_param(self) -> list[tuple[str, str]]:
        """Return the parameter of the version, which version 2 does not have."""
        return [("version", str(self.version))] if self.version > OLDEST else []


class Window:
    """Which of the other side's numbers were seen; messages may overtake one another a little."""

    __slots__ = ("_highest", "_seen")

    WIDTH = 256
    """Numbers behind the highest that are still told apart; older ones count as seen."""

    def __init__(self) -> None:
        self._highest = 0
        self._seen = 0

    def is_new(self, number: int) -> bool:
        """Say whether a number may still come."""
        behind = self._highest - number
        return behind < 0 or (behind < self.WIDTH and not self._seen >> behind & 1)

    def add(self, number: int) -> None:
        """Take note of a number."""
        ahead = number - self._highest
        if ahead > 0:
            mask = (1 << self.WIDTH) - 1
            self._seen = (self._seen << min(ahead, self.WIDTH)) & mask | 1
            self._highest = number
        elif -ahead < self.WIDTH:
            self._seen |= 1 << -ahead


def version_of(field: AuthField, newest: int = NEWEST) -> int:
    """Return the version a header speaks, at most the newest that we speak."""
    text = field.get("version")
    return max(OLDEST, min(int(text), newest)) if _NUMBER_RE.fullmatch(text) else OLDEST


def number_of(text: str) -> int | None:
    """Return a ``cnum`` or ``snum``; None when it is no number."""
    return int(text) if _NUMBER_RE.fullmatch(text) else None


def signature_of(text: str) -> bytes:
    """Return the bytes of a ``response`` or ``rspauth``; empty when they are not hexadecimal."""
    try:
        return binascii.unhexlify(text.encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        return b""


def text_to_sign(message: SipMessage, agreed: Agreed, rand: str, num: str) -> bytes:
    """Return what is signed of a message (MS-SIPAE, "generating the buffer to sign")."""
    headers = message.headers
    sender, to, cseq = message.from_, message.to, message.cseq
    parts = [agreed.scheme, rand, num, agreed.realm, agreed.targetname, message.call_id or ""]
    parts += [str(cseq.number), cseq.method] if cseq else ["", ""]
    parts += [sender.uri, sender.tag or ""] if sender else ["", ""]
    if agreed.version >= TO_URI:
        parts.append(to.uri if to else "")
    parts.append((to.tag or "") if to else "")
    if agreed.version >= TO_URI:
        parts += _identities(message)
    parts.append(headers.first("Expires") or "")
    if message.status is not None:
        parts.append(str(message.status))
    return "".join(f"<{part}>" for part in parts).encode()


def _identities(message: SipMessage) -> list[str]:
    """Return the SIP and the tel URI that a message asserts its sender by; empty without."""
    headers = message.headers
    values = headers.all("P-Asserted-Identity") or headers.all("P-Preferred-Identity")
    uris = [address.uri for value in values for address in parse_name_addrs(value)]
    return [next((uri for uri in uris if uri.startswith(kind)), "") for kind in ("sip:", "tel:")]
