"""Aliases: what people call their hosts, users and services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_NAME = 200


class Aliases:
    """Finds the alias of a host, address, user or URI; case does not matter."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """``names``: by host, ``host:port``, user or URI, as people write them."""
        self._names = {_plain(known): name for known, name in names.items()}

    def of(self, name: str | None) -> str | None:
        """Return the alias of a host or URI; of a URI without one that of its user."""
        if not name or not self._names:
            return None
        plain = _plain(name)
        found = self._names.get(plain)
        return found or (self._names.get(plain.partition("@")[0]) if "@" in plain else None)

    def of_address(self, address: str) -> str | None:
        """Return the alias of ``ip:port``, else that of the host."""
        return self.of(address) or self.of(address.rpartition(":")[0])


def _plain(name: str) -> str:
    """Return a host, user or URI as aliases compare."""
    plain = plain_uri(name).removeprefix("sip:").removeprefix("sips:")
    # An IPv6 address is the same with brackets and without; one with a port needs them.
    return plain[1:-1] if plain[:1] == "[" and plain[-1:] == "]" else plain


def parse_alias(text: str) -> tuple[str, str]:
    """Read ``10.0.0.5=fe1``: an address, ``address:port``, user or URI, and what it is called.

    Raises ValueError with one line for people.
    """
    known, equals, name = text.partition("=")
    if not (equals and known.strip() and name.strip()):
        raise ValueError(f"{text!r} is no alias; one is written as 10.0.0.5=fe1")
    return known.strip(), name.strip()[:MAX_NAME]


def parse_aliases(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Read a file of aliases: one a line, ``10.0.0.5 = fe1``, or as in ``/etc/hosts``.

    Of several names of a host the first is taken, as it is its own. What follows ``#`` is a remark.
    Raises ValueError naming the line.
    """
    for number, line in enumerate(lines, 1):
        plain = line.partition("#")[0].strip()
        if not plain:
            continue
        known, equals, name = plain.partition("=")
        if not equals or len(known.split()) > 1:
            known, _, names = plain.replace("\t", " ").partition(" ")
            name = names.strip().partition(" ")[0]
        if not (known.strip() and name.strip()):
            raise ValueError(f"line {number} is no alias: {plain[:60]!r}")
        yield known.strip(), name.strip()[:MAX_NAME]
