"""Credentials: never kept. Each is a slot whose value is a harmless stand-in of the same form.

The rule: whatever a header of authentication has besides names that everybody may know is a secret.
What the analysis reads of it stays readable: the scheme, the type of an NTLM message, counters.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import TYPE_CHECKING

from analyzer.replay.script import Slot

if TYPE_CHECKING:
    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.marks import Marks
    from analyzer.replay.derive.said import Said

CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate"}
    | {"authentication-info", "proxy-authentication-info"}
)
"""Headers of authentication, as they compare."""
OTHER = frozenset({"cookie", "set-cookie", "identity", "p-charging-vector", "x-auth-token"})
"""Headers of which the whole value is one."""
PUBLIC = frozenset(
    {"realm", "targetname", "qop", "version", "cnum", "snum", "nc", "algorithm", "stale", "domain"}
    | {"username", "uri", "sts-uri", "charset", "userhash", "scope", "error"}
)
"""Parameters that are no secret."""
TELLING = frozenset(
    {"nonce", "cnonce", "nextnonce", "opaque", "response", "rspauth", "gssapi-data", "crand"}
    | {"srand", "auts", "ik", "ck", "integrity-protected", "signature", "token", "password"}
)
"""Parameters that are secrets, by whose names their slots are called."""
SCHEMES = frozenset(
    {"basic", "bearer", "digest", "ntlm", "kerberos", "negotiate", "tls-dsk", "hoba", "mutual"}
    | {"oauth", "scram-sha-1", "scram-sha-256", "vapid", "akav1-md5", "akav2-md5"}
)
"""What may stand before credentials; any other word there may be one of them."""
BARE = frozenset({"basic", "bearer"})
"""Schemes of whose credentials nothing is a parameter (RFC 7617 2, RFC 6750 2.1)."""
ANSWERS = frozenset({"authorization", "proxy-authorization"})
# What is never closed reaches to the end: damage must not let a secret pass. A value that is not
# quoted never begins with "=": what stands before "==" is a token (RFC 7235 2.1, token68).
_PARAM = re.compile(
    r"(?<![^\s,;])"
    r'([A-Za-z][\w.-]{0,40})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)(?:"|\\?\Z)|([^\s",;=][^\s",;]*))'
)
_WORD = re.compile(r'[^\s",;=]{6,}(?:=+(?=[\s,;]|\Z))?')
_LOOKS_SO = re.compile(
    r"TlRMTVNT|\b(?:gssapi-data|rspauth|crand|srand|c?nonce|response)[ \t]*=", re.IGNORECASE
)
"""Credentials under whatever name of a header."""
_SECRET_NAME = re.compile(
    r"token|secret|passw|cookie|api[-_]?key|credential|private[-_]?key", re.IGNORECASE
)
"""Names of headers of which the whole value is one."""
_JWT = r"\beyJ[\w-]{6,}\.[\w-]*(?:\.[\w-]*){0,3}"
"""A JSON Web Token: base64url of ``{"`` ... (RFC 7519 3, RFC 7516 3)."""
_IN_HEADER = re.compile(
    rf"({_JWT})|(?:\b|_)(?:password|passwd|pwd|passphrase|secret|token|api[-_]?key|credentials?)"
    r"""[ \t]*=[ \t]*(?:"([^"]+)|'([^']+)|([^\s"',;&>]+))""",
    re.IGNORECASE,
)
"""Secrets in headers that are about something else."""
_SCHEME = re.compile(r"[ \t]*([A-Za-z][\w-]{0,30})[ \t]+")
_TOKEN = re.compile(r'[^\s",;=]+=*(?=[ \t]*(?:,|\Z))')
_HEX = re.compile(r"[0-9A-Fa-f]+")
_IN_BODY = re.compile(
    r"<((?:\w+:)?(?:password|passwd|pwd|secret|ticket|BinarySecurityToken|privatekey))\b[^>]{0,400}>"
    r"([^<]+)<|\binline:([A-Za-z0-9+/=]{8,})|\ba=ice-pwd:(\S+)"
    r"""|\b(?:password|passwd|pwd|secret|gssapi-data|rspauth|c?nonce|response)\s*=\s*["']([^"'\r\n]+)"""
    rf"|(TlRMTVNT[A-Za-z0-9+/=]*)|({_JWT})",
    re.IGNORECASE,
)
NTLM = b"NTLMSSP\0"
_NTLM_HEADS = {1: 32, 2: 48, 3: 64}
"""Bytes of the fixed part of each NTLM message ([MS-NLMP] 2.2.1), without version and MIC."""


class Secrets:
    """Marks credentials."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._count = 0
        self._last: str | None = None

    def mark_header(self, name: str, known: str, marks: Marks, one: Said) -> None:
        """Mark the secrets of a header; ``known`` is its name as it compares."""
        if known in OTHER or _SECRET_NAME.search(known):
            start = len(marks.text) - len(marks.text.lstrip())
            end = len(marks.text.rstrip())
            short = known if known in OTHER else "secret"
            self._claim(marks, (start, end), one, (short, name))
        elif known in CREDENTIALS or _LOOKS_SO.search(marks.text):
            self._credentials(name, known, marks, one)
        for match in _IN_HEADER.finditer(marks.text):
            group = match.lastindex or 0
            self._claim(marks, match.span(group), one, ("secret", name))

    def _credentials(self, name: str, known: str, marks: Marks, one: Said) -> None:
        """Mark a scheme's token, or its parameters, and whatever else is in no form."""
        told = []
        scheme = _SCHEME.match(marks.text)
        if scheme is not None and scheme[1].lower() in SCHEMES:
            told.append(scheme.span())
            bare = scheme[1].lower() in BARE and known in ANSWERS
            token = _TOKEN.match(marks.text, scheme.end())
            if bare or token is not None:
                end = len(marks.text.rstrip()) if bare or token is None else token.end()
                self._claim(marks, (scheme.end(), end), one, ("credentials", name))
        for match in _PARAM.finditer(marks.text):
            group = 2 if match[2] is not None else 3
            short = match[1].lower()
            if short in PUBLIC:
                told += (match.span(1), match.span(group))
                continue
            # The name may be a part of a token, of which nothing must be said anywhere.
            words = (short, f"{name} {match[1]}") if short in TELLING else ("credentials", name)
            told += (match.span(1),) if short in TELLING else ()
            if match[group]:
                self._claim(marks, match.span(group), one, words)
        for match in _WORD.finditer(marks.text):
            public = match[0].lower() in SCHEMES
            if not public and not any(start <= match.start() < end for start, end in told):
                self._claim(marks, match.span(), one, ("credentials", name))

    def mark_body(self, marks: Marks, one: Said) -> None:
        """Mark passwords and keys in a body: relays' credentials, keys of SDP."""
        for match in _IN_BODY.finditer(marks.text):
            group = next(number for number in (2, 3, 4, 5, 6, 7) if match[number] is not None)
            self._claim(marks, match.span(group), one, ("password", "body"))

    def _claim(
        self, marks: Marks, span: tuple[int, int], one: Said, words: tuple[str, str]
    ) -> None:
        value = marks.text[slice(*span)]
        if not marks.is_free(*span):
            return
        short, where = words
        key = ("secret", one.client, short, value)
        name = self._book.find(key)
        if name is None:
            self._count += 1
            made = stand_in(value, self._count)
            slot = Slot("", "secret", made, one.by, one.turn, where)
            # Where there is no room for another slot one is used again: none stays as it was.
            name = self._book.said(key, slot, f"{one.turn}.{short}") or self._last
        self._last = name
        marks.claim(*span, name)


def stand_in(value: str, number: int) -> str:
    """Return a text of the form of a secret that has nothing of it but its form."""
    if _HEX.fullmatch(value):
        digits = f"{number:0{len(value)}x}"[-len(value) :]
        return digits.upper() if value.upper() == value else digits
    blob = _decoded(value)
    if blob is None:
        return f"secret{number}"
    if blob.startswith(NTLM):
        return base64.b64encode(_ntlm(blob)).decode()
    return base64.b64encode(bytes(len(blob))).decode()


def _decoded(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _ntlm(blob: bytes) -> bytes:
    """Return an NTLM message of the same type whose fields are all empty ([MS-NLMP] 2.2.1)."""
    kind = int.from_bytes(blob[8:12], "little")
    length = _NTLM_HEADS.get(kind, len(NTLM) + 4)
    made = bytearray(length)
    made[:12] = NTLM + struct.pack("<I", kind)
    # Empty fields (length, room, offset) still point behind the fixed part.
    fields = {1: (16, 24), 2: (12, 40), 3: (12, 20, 28, 36, 44, 52)}.get(kind, ())
    for at in fields:
        struct.pack_into("<HHI", made, at, 0, 0, length)
    return bytes(made)
