"""What the values of each kind of slot look like.

The rule: a value that does not fit would make messages that no parser takes, so that whoever sets
one is told at once; what a recording had is only remarked upon.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.script import SlotKind

MAX_PORT = 65535
MAX_CSEQ = 1 << 31
"""RFC 3261 8.1.1.5: less than this."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BLANK = re.compile(r"\s")
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*")
_FREE: frozenset[SlotKind] = frozenset({"text", "opaque"})
"""Words of people may have line breaks; of what is only passed on nothing is known."""


def misfit(kind: SlotKind, value: str) -> str | None:
    """Return why a value is none of a kind, as ``is no port``; None where it is one."""
    if kind in _FREE:
        return None
    if _CONTROL.search(value):
        return "has a control character"
    if not value:
        return "is empty"
    judge = _JUDGES.get(kind)
    return None if judge is None else judge(value)


def host_and_port(text: str) -> tuple[str, int] | None:
    """Return the parts of ``host:port`` or ``[address]:port``; None where it is something else."""
    host, colon, port = text.rpartition(":")
    if not colon or not _is_number(port, MAX_PORT + 1):
        return None
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return (host, int(port)) if host and not _BLANK.search(host) else None


def is_ip(text: str) -> bool:
    """Tell whether a text is an IP address, IPv6 with or without brackets."""
    try:
        ipaddress.ip_address(text[1:-1] if text.startswith("[") else text)
    except ValueError:
        return False
    return True


def _is_number(text: str, below: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < below


def _user(value: str) -> str | None:
    name, at, domain = value.rpartition("@")
    good = at and name and domain and not _BLANK.search(value) and ":" not in name
    return None if good else "is no name@domain"


def _domain(value: str) -> str | None:
    return None if _DOMAIN.fullmatch(value) or is_ip(value) else "is no domain"


def _address(value: str) -> str | None:
    return None if host_and_port(value) else "is no host:port"


def _port(value: str) -> str | None:
    return None if _is_number(value, MAX_PORT + 1) else "is no port"


def _cseq(value: str) -> str | None:
    return None if _is_number(value, MAX_CSEQ) else "is no CSeq number"


def _expiry(value: str) -> str | None:
    return None if _is_number(value, 10**20) else "is no number of seconds"


def _word(value: str) -> str | None:
    return "has a blank" if _BLANK.search(value) else None


def _time(value: str) -> str | None:
    return None if _ISO.fullmatch(value) else "is no time as in 2026-11-22T07:20:06Z"


_JUDGES: dict[SlotKind, Callable[[str], str | None]] = {
    "user": _user,
    "domain": _domain,
    "address": _address,
    "port": _port,
    "cseq": _cseq,
    "expiry": _expiry,
    "time": _time,
    "call-id": _word,
    "tag": _word,
    "branch": _word,
    "envid": _word,
    "seqid": _word,
    "epid": _word,
    "instance": _word,
    "host": _word,
    "room": _word,
    "token": _word,
}
