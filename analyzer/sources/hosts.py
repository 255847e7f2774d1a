"""Names of machines as addresses: what a text trace calls by name needs an address in a capture.

The one rule: nobody may take such an address for a real one. Class E (240.0.0.0/4, RFC 1112
section 4) is never on a wire; where the other side has an IPv6 address, a unique local one
(RFC 4193) stands in. The same name gives the same address in every trace, so that traces can be
joined.
"""

from __future__ import annotations

import ipaddress
from zlib import crc32

_CLASS_E = 0xF0000000
_ROOM = 0x0FFFFFFE
"""Addresses of class E without 255.255.255.255, which is the broadcast address."""
_LOCAL = bytes.fromhex("fd786363 6f730000 00000000".replace(" ", ""))
"""``fd78:6363:6f73::/48``, and four more bytes of zeros."""
MAX_HOSTS = 1 << 16
"""Names of one trace; a server sees its pool and its clients."""
_OVERFLOW = "other hosts"
MAX_PORT = 65_535


class Hosts:
    """The addresses of one trace."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        """Names by the addresses that stand for them, as text without port."""
        self._numbers: dict[str, int] = {}
        self._taken: set[int] = set()

    def key(self, source: str, target: str) -> bytes:
        """Return the key of a direction (see ``dissectors.model.Segment``).

        Each side is ``host:port``, host a name or an address, IPv6 in brackets.
        """
        hosts, ports = zip(*(split(text) for text in (source, target)), strict=True)
        known = [_address(host) for host in hosts]
        version = 6 if any(one is not None and one.version == 6 for one in known) else 4
        packed = [self._packed(host, one, version) for host, one in zip(hosts, known, strict=True)]
        return b"".join((*packed, *(port.to_bytes(2, "big") for port in ports)))

    def _packed(
        self, host: str, known: ipaddress.IPv4Address | ipaddress.IPv6Address | None, version: int
    ) -> bytes:
        if known is not None and known.version == version:
            return known.packed
        # An IPv4 address that talks to an IPv6 one was translated on its way: it keeps its name.
        number = self._number(host or "unknown")
        packed = (
            (_CLASS_E + number).to_bytes(4, "big")
            if version == 4
            else _LOCAL + number.to_bytes(4, "big")
        )
        self.names[str(ipaddress.ip_address(packed))] = host or "unknown"
        return packed

    def _number(self, host: str) -> int:
        name = host.lower()
        if name not in self._numbers:
            if len(self._numbers) >= MAX_HOSTS:
                name = _OVERFLOW
            number = crc32(name.encode("utf-8", "surrogatepass")) % _ROOM
            while number in self._taken and name not in self._numbers:
                number = (number + 1) % _ROOM
            self._taken.add(number)
            self._numbers.setdefault(name, number)
        return self._numbers[name]


def split(endpoint: str) -> tuple[str, int]:
    """Return host and port of ``host:port``; the port is 0 where there is none that fits."""
    host, colon, digits = endpoint.strip().rpartition(":")
    if not colon or "]" in digits or (":" in host and not host.startswith("[")):
        host, digits = endpoint.strip(), ""
    port = int(digits[:6]) if digits.isascii() and digits.isdecimal() else 0
    return host.strip("[]"), port if port <= MAX_PORT else 0


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
