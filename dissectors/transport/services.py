"""What a TCP stream carries when it is not SIP, told from its first bytes.

Used to leave such streams alone early, and to say what a capture without SIP holds instead.
"""

from __future__ import annotations

import re

_HTTP = re.compile(rb"(?:[A-Z]{3,16} [^\r\n ]{1,8000} HTTP/1\.[01]\r?\n|HTTP/1\.[01] \d\d\d)")
_PREFIXES = (
    (b"SSH-", "SSH"),
    (b"HEP3", "HEP"),  # of an agent and its collector; `xccos listen` takes their place
    (b"PRI * HTTP/2.0", "HTTP/2"),
    (b"220 ", "SMTP or FTP"),
    (b"+OK ", "POP3"),
    (b"* OK ", "IMAP"),
    (b"RFB 00", "VNC"),
)
_TLS_CONTENT = frozenset((20, 21, 22, 23))
# RFC 8446 5.1 and 5.2: a record holds 2^14 bytes, and up to 2^11 of expansion in older versions.
_TLS_LARGEST = 16_384 + 2_048


def is_tls(data: bytes) -> bool:
    """Tell whether ``data`` begins with a TLS record (or an SSL 2 hello that offers TLS)."""
    if len(data) < 5:
        return False
    if data[0] in _TLS_CONTENT and data[1] == 3 and data[2] <= 4:
        return 0 < (data[3] << 8 | data[4]) <= _TLS_LARGEST
    return data[0] & 0x80 != 0 and data[2] == 1 and data[3] == 3 and data[4] <= 3


def service_of(data: bytes) -> str | None:
    """Return the name of the protocol that a stream begins with, or None when it may be SIP."""
    if is_tls(data):
        return "TLS"
    if _HTTP.match(data):
        return "HTTP"
    if data[4:8] in (b"\xffSMB", b"\xfeSMB"):
        return "SMB"
    for prefix, name in _PREFIXES:
        if data.startswith(prefix):
            return name
    return None
