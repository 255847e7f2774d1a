"""DNS, as far as a client asks it for its pool: SRV records and the hosts with fixed names.

The names are those that clients try (``_sipinternaltls._tcp``, ``sip.``, ``lyncdiscover.``), the
records those of RFC 1035 and RFC 2782. Everything else that DNS carries is left alone.
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
_KINDS = {1: "A", 28: "AAAA", 33: "SRV"}
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
    from dpkt import UnpackError, dns  # most captures have none of it

    try:
        message = dns.DNS(datagram.payload)
    except (UnpackError, struct.error, IndexError, ValueError):
        return None
    if not message.qd:
        return None
    name, kind = message.qd[0].name.lower().rstrip("."), _KINDS.get(message.qd[0].type)
    if kind is None or not name.startswith(_SERVICES if kind == "SRV" else _HOSTS):
        return None
    targets = tuple(
        Target(one.srvname.lower(), one.port)
        for one in message.an[:MAX_TARGETS]
        if one.type == dns.DNS_SRV and hasattr(one, "srvname")
    )
    return NameQuery(
        *(datagram.frame, datagram.time_ns, datagram.key, message.id, name, kind),
        *(message.qr == dns.DNS_R, message.rcode, targets),
    )
