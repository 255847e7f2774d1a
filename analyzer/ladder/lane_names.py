"""What lanes are called: by alias, by role, by user; and what stands below their names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.lazy import once
from analyzer.narrative.names import Names, names_of
from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.ladder.aliases import Aliases
    from analyzer.ladder.values import LaneKind
    from analyzer.sessions.view import SessionView

SERVICES = {"lookup": "Lookup service", "channel": "Channel service"}
TITLES: dict[LaneKind, str] = {
    "client": "Client",
    "dns": "DNS",
    "director": "Director",
    "front-end": "Front End",
    "lookup": "Lookup service",
    "channel": "Channel service",
    "web": "Web service",
    "server": "Server",
    "unknown": "Host",
}
SHOWN_ADDRESSES = 3
"""Addresses that stand below a lane's name."""


class Known:
    """What is known of a lane while a ladder is made."""

    def __init__(self, kind: LaneKind, uri: str | None, name: str | None = None) -> None:
        """``name``: of a host that nothing else is known of."""
        self.kind: LaneKind = kind
        self.uri = uri
        self.name = name
        self.addresses: dict[str, None] = {}

    @property
    def hosts(self) -> list[str]:
        """The hosts of its addresses, each once."""
        return list(dict.fromkeys(map(host_of, self.addresses)))

    @property
    def called(self) -> set[str]:
        """What it may be called besides its title: URI, addresses, hosts."""
        uri = plain_uri(self.uri or "")
        names = {uri, uri.partition(":")[2], *self.addresses, *self.hosts}
        return {name.casefold() for name in names if name}


class LaneNames:
    """Names the lanes of one ladder."""

    def __init__(self, views: Sequence[SessionView], aliases: Aliases) -> None:
        self._views = views
        self._aliases = aliases

    def person(self, user: str | None) -> str:
        """Return what a user is called."""
        return self._aliases.of(user) or self._people.person(user)

    @once
    def _people(self) -> Names:
        return names_of(self._views)

    def titles(self, lanes: Sequence[Known]) -> list[tuple[str, bool]]:
        """Return the name of each lane, numbered where several have the same; is it an alias?"""
        hosts = Counter(host for known in lanes for host in known.hosts)
        shared = {host for host, count in hosts.items() if count > 1}
        found = [self._title(known, shared) for known in lanes]
        plain = Counter(title for title, _ in found)
        numbers: Counter[str] = Counter()
        titles, taken = [], set(plain)
        for title, aliased in found:
            name = title
            while plain[title] > 1 and name in taken:
                numbers[title] += 1
                name = f"{title} {numbers[title]}"
            taken.add(name)
            titles.append((name, aliased))
        return titles

    def _title(self, known: Known, shared: set[str]) -> tuple[str, bool]:
        """Return the name of a lane, and whether it is an alias.

        Of a machine that several share only its server has the name of the machine.
        """
        personal = known.kind == "client" or known.kind in SERVICES
        hosts = [host for host in known.hosts if not (personal and host in shared)]
        for one in (known.uri, *known.addresses, *hosts):
            alias = self._aliases.of(one)
            if alias is not None:
                return alias, True
        if known.kind == "client":
            return (self._people.person(known.uri), False) if known.uri else ("Client", False)
        return known.name or TITLES[known.kind], False

    def subtitle(self, known: Known, title: str, *, aliased: bool) -> str:
        """Return what stands below a lane's title."""
        parts = [TITLES[known.kind]] if aliased else []
        if known.uri:
            parts.append(known.uri)
        for host in known.hosts[:SHOWN_ADDRESSES]:
            alias = self._aliases.of(host)
            if host != title:
                parts.append(f"{alias} ({host})" if alias not in {None, title} else host)
        if len(known.hosts) > SHOWN_ADDRESSES:
            parts.append(f"and {len(known.hosts) - SHOWN_ADDRESSES} more")
        return ", ".join(parts)


def host_of(address: str) -> str:
    """Return the host of an ``ip:port``, IPv6 without its brackets."""
    return address.rpartition(":")[0].strip("[]")
