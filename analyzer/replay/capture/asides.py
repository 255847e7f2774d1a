"""What a capture has besides SIP, as bytes: DNS questions and answers, HTTP heads, TLS hellos.

The rule: as much as an analysis rests on, in messages that are valid; no more is known, and nothing
is made up. What one side says (``Aside.exchanges``):

- dns: the opener ``SRV _sipinternaltls._tcp.contoso.com`` (a type and a name), the responder its
  targets ``fe01.contoso.com:5061``, addresses, or ``NXDOMAIN``, in any number of words or lines.
- http: the lines of the head, and behind an empty line what is left of the body (a fault).
- tls: the opener the server's name, or nothing; the responder nothing, or ``alert 40``.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import struct
from typing import NamedTuple

from dpkt.dns import DNS, DNS_A, DNS_AA, DNS_AAAA, DNS_QR, DNS_RA, DNS_RD, DNS_SRV

MAX_TEXT = 1 << 14
"""Characters of one side's words that are written: a head is kept, no body."""
MAX_NAME, MAX_LABEL = 253, 63
"""Of a name in DNS (RFC 1035 2.3.4, without the last dot)."""
MAX_TARGETS = 32
"""Answers to one question; a pool has a handful."""
DNS_TTL = 3600
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
TYPES = {"A": DNS_A, "AAAA": DNS_AAAA, "SRV": DNS_SRV}
_TARGET = re.compile(r"([\w.-]{1,255}):(\d{1,5})")
_RCODE = re.compile(r"rcode[= ]?(\d{1,2})", re.IGNORECASE)
_ALERT = re.compile(r"alert\s+(\d{1,3})", re.IGNORECASE)

TLS_1_0, TLS_1_2 = 0x0301, 0x0303
ALERT, HANDSHAKE = 21, 22
CLIENT_HELLO, SERVER_HELLO = 1, 2
FATAL = 2
CIPHERS = (0xC02F, 0xC030, 0x009C, 0x002F)
"""ECDHE-RSA and RSA with AES, as every host of the last decade offers."""
SERVER_NAME, GROUPS, POINT_FORMATS, SIGNATURES = 0, 10, 11, 13


class Question(NamedTuple):
    """What a host asks DNS."""

    kind: str
    name: str


def dns_question(text: str) -> Question:
    """Read a question; the type is SRV unless said otherwise."""
    words = text[:MAX_TEXT].split()
    kind = next((word.upper() for word in words if word.upper() in TYPES), "SRV")
    name = next((word for word in words if word.upper() not in TYPES), "")
    return Question(kind, name.rstrip("."))


def dns_query(question: Question, number: int) -> bytes:
    """Return the question as a message with an id."""
    return bytes(DNS(id=number, op=DNS_RD, qd=[_asked(question)]))


def dns_answer(question: Question, text: str, number: int) -> bytes:
    """Return the answer as a message with the id of its question."""
    words = text[:MAX_TEXT].split()
    rcodes = [RCODES[word.upper()] for word in words if word.upper() in RCODES]
    rcodes += [int(found) & 0xF for found in _RCODE.findall(text[:MAX_TEXT])]
    answers = [] if any(rcodes) else [one for word in words for one in _answers(question, word)]
    flags = DNS_QR | DNS_AA | DNS_RD | DNS_RA | (rcodes[0] if rcodes else 0)
    return bytes(DNS(id=number, op=flags, qd=[_asked(question)], an=answers[:MAX_TARGETS]))


def _asked(question: Question) -> DNS.Q:
    return DNS.Q(name=_name(question.name), type=TYPES[question.kind])


def _answers(question: Question, word: str) -> list[DNS.RR]:
    record = DNS.RR(name=_name(question.name), type=TYPES[question.kind], ttl=DNS_TTL)
    if question.kind == "SRV":
        target = _TARGET.fullmatch(word)
        if target is None or int(target[2]) >= 1 << 16:
            return []
        record.priority, record.weight = 0, 0
        record.port, record.srvname = int(target[2]), _name(target[1])
        return [record]
    try:
        record.rdata = ipaddress.ip_address(word).packed
    except ValueError:
        return []
    return [record] if len(record.rdata) == (4 if question.kind == "A" else 16) else []


def _name(text: str) -> str:
    """Return a name that DNS can say: what is too long is cut, an empty label left out."""
    ascii_only = text[:MAX_NAME].encode("ascii", "replace").decode()
    return ".".join(label[:MAX_LABEL] for label in ascii_only.split(".") if label)


def http_message(text: str) -> bytes:
    """Return an HTTP message with CRLF line ends and the true Content-Length."""
    head, _, body = re.sub("\r\n?", "\n", text[:MAX_TEXT]).partition("\n\n")
    rest = body.encode("utf-8", "replace")
    lines = [
        line
        for line in head.strip("\n").split("\n")
        if not re.match("content-length|transfer-encoding", line, re.IGNORECASE)
    ]
    lines.append(f"Content-Length: {len(rest)}")
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + rest


def tls_message(text: str, *, opener: bool, seed: str) -> bytes:
    """Return a record: of the opener its ClientHello, of the responder ServerHello or an alert."""
    alert = _ALERT.search(text[:MAX_TEXT])
    if alert is not None:
        return _record(ALERT, TLS_1_2, bytes((FATAL, min(int(alert[1]), 255))))
    random = hashlib.sha256(f"{seed} {opener}".encode("utf-8", "backslashreplace")).digest()
    if opener:
        ciphers = struct.pack(f"!H{len(CIPHERS)}H", 2 * len(CIPHERS), *CIPHERS)
        hello = ciphers + b"\x01\x00" + _extensions(_name(text.strip()))
        return _record(HANDSHAKE, TLS_1_0, _handshake(CLIENT_HELLO, random, hello))
    chosen = struct.pack("!HB", CIPHERS[0], 0)
    return _record(HANDSHAKE, TLS_1_2, _handshake(SERVER_HELLO, random, chosen))


def _extensions(name: str) -> bytes:
    """Return the extensions of a ClientHello (RFC 6066 3, RFC 8422 5.1, RFC 5246 7.4.1.4.1)."""
    found: list[tuple[int, bytes]] = []
    if name:
        host = name.encode("ascii")
        found.append((SERVER_NAME, struct.pack("!HBH", len(host) + 3, 0, len(host)) + host))
    found.append((GROUPS, struct.pack("!HHH", 4, 23, 24)))
    found.append((POINT_FORMATS, b"\x01\x00"))
    found.append((SIGNATURES, struct.pack("!HHH", 4, 0x0401, 0x0201)))
    return _sized(b"".join(struct.pack("!H", kind) + _sized(value) for kind, value in found))


def _sized(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def _handshake(kind: int, random: bytes, rest: bytes) -> bytes:
    """Return a hello: version, random, an empty session id, and the rest (RFC 5246 7.4.1)."""
    hello = struct.pack("!H", TLS_1_2) + random + b"\x00" + rest
    return bytes((kind,)) + len(hello).to_bytes(3, "big") + hello


def _record(kind: int, version: int, data: bytes) -> bytes:
    return struct.pack("!BH", kind, version) + _sized(data)
