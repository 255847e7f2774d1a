"""Whether a script holds what it must never hold: credentials that were captured.

The rule: what could be somebody's answer to a challenge is refused, wherever it stands. A stand-in
has the form of one and says nothing: one character over and over, or an NTLM message without
responses and keys.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from analyzer.replay.problem import error
from analyzer.replay.template import SLOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.replay.problem import Problem
    from analyzer.replay.script import Script, Turn

NTLM = b"NTLMSSP\0"
NTLM_TEXT = "TlRMTVNTUA"
"""How a message of NTLM begins in base64."""
SECURITY_BUFFERS = {3: (12, 20, 52)}
"""Of NTLM messages by type (MS-NLMP 2.2.1): where the lengths of LM response, NT response and
session key stand."""
CHALLENGE = slice(24, 32)
"""Of a type 2 message (MS-NLMP 2.2.1.2)."""
LITERALS = re.compile(
    r"\b(?P<name>gssapi-data|response|rspauth|nonce|cnonce|crand|srand)\s*=\s*"
    r"\"?(?P<value>[^\",;\s]+)",
    re.IGNORECASE,
)
CREDENTIALS = frozenset({"gssapi-data", "response", "rspauth"})
"""Parameters that prove who one is (MS-SIPAE 3, RFC 7616 3.4); the others are numbers."""
AUTHENTICATION = (
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "proxy-authenticate",
    "authentication-info",
    "proxy-authentication-info",
)
_BLOB = re.compile(NTLM_TEXT + r"[A-Za-z0-9+/=]+")
_BASIC = re.compile(
    r"^\s*(?:Basic|Bearer)\s+(?!\$\{[^{}]*\}\s*$|(?:realm|scope|error|charset)\s*=)\S",
    re.IGNORECASE,
)
"""Credentials that are no slot as a whole; a challenge has parameters (RFC 7617 2, RFC 6750 3)."""
_PLAIN = re.compile(r"secret[0-9]*")
_HEX = re.compile(r"[0-9A-Fa-f]+")
SHORT = 4
"""Characters of a value that is too short to prove anything."""
COUNT = 6
"""Hexadecimal digits behind the zeros of a stand-in: it is a number that tells them apart."""
FEW = 3
"""Different characters that a stand-in has at most: ``0000``, ``AAAA==``."""


def check_secrets(script: Script) -> Iterator[Problem]:
    """Yield every value that looks like captured credentials."""
    for slot in script.slots:
        if slot.kind == "secret" and not is_stand_in(slot.value):
            yield error(
                f"slot {slot.name}",
                "is a secret whose value looks captured; a script has a stand-in, as 0000",
            )
        elif slot.kind != "secret" and _has_ntlm(slot.value):
            yield error(f"slot {slot.name}", "has a captured answer of NTLM")
    for turn in script.turns:
        yield from _turn(turn)


def is_stand_in(value: str) -> bool:
    """Tell whether a value proves nothing: it could be made without knowing any secret."""
    if len(set(value.rstrip("="))) <= FEW or len(value) <= SHORT or _PLAIN.fullmatch(value):
        return True
    if _HEX.fullmatch(value):
        return len(value.lstrip("0")) <= max(len(value) // 2, COUNT)
    data = _decoded(value)
    if data is None:
        return False
    if data.startswith(NTLM):
        return _proves_nothing(data)
    return len(set(data)) <= FEW


def _proves_nothing(data: bytes) -> bool:
    """Tell whether a message of NTLM has no challenge, no responses and no session key."""
    kind = int.from_bytes(data[8:12], "little")
    if kind == 2:
        return not any(data[CHALLENGE])
    for at in SECURITY_BUFFERS.get(kind, ()):
        length = int.from_bytes(data[at : at + 2], "little")
        start = int.from_bytes(data[at + 4 : at + 8], "little")
        if any(data[start : start + length]):
            return False
    return kind in (1, 3) or not any(data[12:])


def _decoded(value: str) -> bytes | None:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _has_ntlm(text: str) -> bool:
    return any(not is_stand_in(blob) for blob in _BLOB.findall(text))


def _turn(turn: Turn) -> Iterator[Problem]:
    place = f"turn {turn.id}"
    if any(_has_ntlm(text) for text in turn.message.texts()):
        yield error(place, "has a captured answer of NTLM")
    for name, value in turn.message.headers:
        if name.lower() in AUTHENTICATION:
            for parameter in _written_out(value):
                yield error(place, f"has captured credentials in {name}: {parameter}")


def _written_out(value: str) -> Iterator[str]:
    """Yield the parameters of a header whose values are credentials and no slots."""
    if _BASIC.match(value):
        yield "a password"
    for match in LITERALS.finditer(value):
        literal = SLOT.sub("", match["value"])
        if match["name"].lower() in CREDENTIALS and literal and not is_stand_in(literal):
            yield match["name"]
