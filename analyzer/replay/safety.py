"""Whom a play may talk to, and how fast: nobody is called by accident.

The rule: loopback and private addresses pass; any other target takes the word of whoever runs the
play that it is his. A name is looked up once: the address that was judged is the one connected to,
so that a name cannot lead elsewhere the second time.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from analyzer.replay.actions import Address
from analyzer.replay.load import MAX_CLIENTS, MAX_RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIP_PORT, SIPS_PORT = 5060, 5061
"""RFC 3261 section 19.1.2."""
MAX_PORT = 65_535
MAX_HOST = 253
"""Characters of a name (RFC 1035 section 2.3.4)."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
"""Loopback, RFC 1918, link-local (RFC 3927, RFC 4291 2.5.6), unique local (RFC 4193). Not all that
``is_private`` means: that has documentation and benchmarking networks, which may be routed."""


class UnsafeError(ValueError):
    """One line for people: who may not be called, and what would allow it."""


def parse_host_port(text: str, port: int) -> Address:
    """Read ``HOST``, ``HOST:PORT``, ``[IPV6]:PORT`` or ``:PORT`` (every local address).

    Args:
        text: as typed; the host may be a name.
        port: where none is given.

    Raises:
        ValueError: with one line for people.
    """
    host, given = _split(text.strip())
    if given and not (given.isascii() and given.isdigit() and int(given[:6]) <= MAX_PORT):
        raise ValueError(f"{text!r}: {given!r} is no port")
    if len(host) > MAX_HOST or any(not sign.isprintable() or sign in " /@?#" for sign in host):
        raise ValueError(f"{text!r} is no HOST:PORT")
    return Address(host, int(given) if given else port)


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ip_of(host) is None:
            raise ValueError(f"{text!r}: an IPv6 address is written as [::1]:5060")
        return host, rest[1:]
    if text.count(":") > 1:  # an IPv6 address without a port
        if ip_of(text) is None:
            raise ValueError(f"{text!r} is no HOST:PORT")
        return text, ""
    host, colon, port = text.partition(":")
    if colon and not port:
        raise ValueError(f"{text!r}: there is no port after the colon")
    return host, port


def ip_of(host: str) -> IpAddress | None:
    """Return the address that a text is; None for a name.

    A mapped IPv4 address is that IPv4 address: ``::ffff:203.0.113.7`` is no way around the rule.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address


def is_private(host: str) -> bool:
    """Return whether an address is loopback, private or link-local; a name is not."""
    address = ip_of(host)
    return address is not None and any(address in network for network in _PRIVATE)


def is_loopback(host: str) -> bool:
    """Return whether an address is that of this machine itself; a name is not."""
    address = ip_of(host)
    return address is not None and address.is_loopback


def allow_target(
    target: Address, *, owned: bool, resolve: Callable[[str], Sequence[str]]
) -> Address:
    """Return the address to connect to.

    Args:
        target: as given, with a name or an address.
        owned: somebody says that the target is his.
        resolve: looks a name up; raises OSError. It is called once, and not for an address.

    Raises:
        UnsafeError: the target is neither loopback nor private, and nobody says that it is his.
        ValueError: there is no such target.
    """
    if not target.host or not target.port:
        raise ValueError(f"{target}: a target has a host and a port")
    address = target.host if ip_of(target.host) is not None else _looked_up(target.host, resolve)
    ip = ip_of(address)
    if ip is None or ip.is_multicast or ip.is_unspecified:
        raise ValueError(f"{target.host}: {address} is nobody's address")
    if not (owned or is_private(address)):
        named = target.host if address == target.host else f"{target.host} ({address})"
        raise UnsafeError(
            f"{named} is neither loopback nor private: "
            "--i-own-this-target says that you may send to it"
        )
    return Address(address, target.port)


def _looked_up(name: str, resolve: Callable[[str], Sequence[str]]) -> str:
    try:
        found = resolve(name)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"{name}: {reason}") from None
    if not found:
        raise ValueError(f"{name} has no address")
    return found[0]


def allow_listen(address: Address, *, anywhere: bool) -> Address:
    """Return the address to listen at; no host means every address of this machine.

    Raises:
        UnsafeError: others than this machine could connect, and nobody says that they may.
        ValueError: it is a name other than ``localhost``: what it means depends on who asks.
    """
    host = {"": "0.0.0.0", "*": "0.0.0.0", "localhost": "127.0.0.1"}.get(address.host, address.host)  # noqa: S104  (what was asked for, and refused below)
    if ip_of(host) is None:
        raise ValueError(f"{address.host}: give an address of this machine, as in 127.0.0.1:5060")
    if not (anywhere or is_loopback(host)):
        raise UnsafeError(
            f"{host} can be reached by others: --listen-anywhere says that they may connect"
        )
    return Address(host, address.port)


def allow_rate(clients: int, rate: float, *, unlimited: bool) -> None:
    """Raise UnsafeError where so many clients, or so many a second, take ``--no-limits``."""
    if unlimited:
        return
    if clients > MAX_CLIENTS:
        raise UnsafeError(
            f"{clients:,} clients are more than {MAX_CLIENTS:,}: --no-limits has them"
        )
    if rate > MAX_RATE:
        raise UnsafeError(f"{rate:g} clients a second are more than {MAX_RATE:g}: --no-limits")
