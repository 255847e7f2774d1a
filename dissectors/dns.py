"""DNS, as far as a client asks it for its pool: SRV records and the hosts with fixed names.

The names are those that clients try (``_sipinternaltls._tcp``, ``sip.``, ``lyncdiscover.``), the
records those of RFC 1035 and RFC 2782. Everything else that DNS carries is left alone, and so is
dpkt's reader: loading it takes longer than reading a small capture.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dissectors.model import Datagram

PORT = (53).to_bytes(2, "big")
MARKS = (b"sip", b"lyncdiscover")
"""One of them is in every name that matters; DNS software sends names as they were typed."""
MAX_TARGETS = 32
"""Answers of one message that are kept; a pool has a handful."""
_SERVICES = ("_sipinternaltls.", "_sipinternal.", "_sip.", "_sipfederationtls.")
_HOSTS = ("sip.", "sipinternal.", "sipexternal.", "lyncdiscover.", "lyncdiscoverinternal.")
_SRV = 33
_KINDS = {1: "A", 28: "AAAA", _SRV: "SRV"}
_HEAD, _HEAD_LENGTH = struct.Struct(">4H"), 12
_ANSWER, _RCODE = 0x8000, 0x000F
_WORD = struct.Struct(">H")
_RECORD = struct.Struct(">2HIH")
_SRV_HEAD = struct.Struct(">3H")
_POINTER = 0xC0
MAX_LABEL, MAX_NAME = 63, 255  # RFC 1035 2.3.4
NXDOMAIN = 3


class Target(NamedTuple):
    """Where an SRV record points to (RFC 2782)."""

    host: str
    port: int


class NameQuery(NamedTuple):
    """A question for a SIP service or host, or the answer to it."""

    frame: int
    time_ns: int
    key: bytes
    """Addresses and ports, as of its datagram."""
    id: int
    name: str
    """In lower case, without the last dot."""
    kind: str
    """``SRV``, ``A`` or ``AAAA``."""
    answered: bool
    """It is an answer."""
    rcode: int
    """RFC 1035 4.1.1: 0 is success, 3 says that there is no such name."""
    targets: tuple[Target, ...]
    """Of an answer with SRV records, in the order of the message."""


def is_dns(key: bytes) -> bool:
    """Tell whether the key of a datagram has the port of DNS on either side."""
    return key[-4:-2] == PORT or key[-2:] == PORT


def may_concern(payload: bytes) -> bool:
    """Tell whether a datagram of port 53 may ask for, or give, a name that matters."""
    return any(mark in payload for mark in MARKS)


def read_query(datagram: Datagram) -> NameQuery | None:
    """Return what a datagram asks DNS, or answers; None for other names and what cannot be read."""
    payload = datagram.payload
    try:
        number, flags, questions, answers = _HEAD.unpack_from(payload)
        if not questions:
            return None
        name, at = _name(payload, _HEAD_LENGTH)
        kind = _KINDS.get(_WORD.unpack_from(payload, at)[0])
        if kind is None or not name.startswith(_SERVICES if kind == "SRV" else _HOSTS):
            return None
        # Questions after the first are asked by nobody; behind one, answers are not looked for.
        found = _targets(payload, at + 4, answers) if questions == 1 else ()
    except (struct.error, ValueError):
        return None
    return NameQuery(
        *(datagram.frame, datagram.time_ns, datagram.key, number, name, kind),
        *(bool(flags & _ANSWER), flags & _RCODE, found),
    )


def _targets(payload: bytes, at: int, count: int) -> tuple[Target, ...]:
    """Return where the SRV records among the answers point to; those before damage."""
    found: list[Target] = []
    try:
        for _ in range(min(count, MAX_TARGETS)):
            _, at = _name(payload, at)
            kind, _, _, length = _RECORD.unpack_from(payload, at)
            at += _RECORD.size
            if kind == _SRV and length > _SRV_HEAD.size:
                _, _, port = _SRV_HEAD.unpack_from(payload, at)
                found.append(Target(_name(payload, at + _SRV_HEAD.size)[0], port))
            at += length
    except (struct.error, ValueError):
        pass
    return tuple(found)


def _name(payload: bytes, at: int) -> tuple[str, int]:
    """Return a name in lower case, and where it ends (RFC 1035 3.1 and 4.1.4)."""
    labels: list[str] = []
    end, low, left = 0, at, MAX_NAME
    while True:
        if at >= len(payload):
            raise ValueError
        length = payload[at]
        if length >= _POINTER:
            at_pointer = _WORD.unpack_from(payload, at)[0] & 0x3FFF
            end = end or at + 2
            if at_pointer >= low:  # back only: a loop would go forward once
                raise ValueError
            at = low = at_pointer
            continue
        at += 1
        if not length:
            return ".".join(labels), end or at
        left -= length + 1
        if length > MAX_LABEL or left < 0 or at + length > len(payload):
            raise ValueError
        labels.append(payload[at : at + length].decode("latin-1").lower())
        at += length
