"""Lanes: who speaks with whom, by role rather than by address.

A client capture shows one connection, to the front end; the dialogs on it lead on to the lookup and
the Channel service. An arrow goes to the service that the dialog is with and passes the front end.
With every hop shown, arrows are those of the connections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.ladder.values import LANE_ORDER, Lane
from analyzer.lazy import once
from analyzer.narrative.names import names_of
from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.ladder.scene import Place, Scene
    from analyzer.ladder.values import LaneKind

Key = tuple[str, ...]
"""What tells lanes apart; the first part is the kind."""
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


class Ends(NamedTuple):
    """Where an arrow goes."""

    source: Key
    target: Key
    via: tuple[Key, ...] = ()


class _Known:
    """What is known of a lane while a ladder is made."""

    def __init__(self, kind: LaneKind, uri: str | None) -> None:
        self.kind: LaneKind = kind
        self.uri = uri
        self.addresses: dict[str, None] = {}


class Lanes:
    """The lanes of one ladder."""

    def __init__(self, scene: Scene, aliases: Mapping[str, str]) -> None:
        """``aliases``: name by host, ``host:port``, user or URI, as people call them."""
        self._scene = scene
        self._aliases = {_plain(known): name for known, name in aliases.items()}
        self._known: dict[Key, _Known] = {}
        self._ends: dict[str, Key] = {}
        """Key by ``ip:port``, of clients and front ends."""
        self._hosts: dict[str, Key] = {}

    def path(self, way: Sequence[int]) -> Ends:
        """Return the ends of a message, given its sightings on one way."""
        place = self._scene.places.get(way[0])
        if place is None:
            return self.leg(way[0], way)
        keys = self._keys(place, self._chain(way), proxied=self._proxied(place))
        if not self._scene.from_client(way[0]):
            keys.reverse()
        return Ends(keys[0], keys[-1], tuple(keys[1:-1]))

    def leg(self, row: int, way: Sequence[int]) -> Ends:
        """Return the ends of one sighting of a message: the hosts of its connection."""
        stream = self._scene.trace.streams[self._scene.rows.stream[row]]
        place = self._scene.places.get(row)
        known: dict[str, Key] = {}
        if place is not None:
            chain, proxied = self._chain(way), self._proxied(place)
            keys = self._keys(place, chain, proxied=proxied)
            known = dict(zip(chain, keys[1:] if proxied else keys, strict=False))
        source = known.get(stream.src) or self._host(stream.src)
        return Ends(source, known.get(stream.dst) or self._host(stream.dst))

    def _proxied(self, place: Place) -> bool:
        dialog = place.dialog
        return dialog is not None and not self._inner(place) and self._scene.proxied(dialog)

    @staticmethod
    def _inner(place: Place) -> bool:
        """Say whether a dialog is a branch that a proxy made: the client has no part in it."""
        return place.dialog is not None and place.dialog.index in place.view.branches

    def _keys(self, place: Place, chain: Sequence[str], *, proxied: bool) -> list[Key]:
        """Return the lanes of a message's way from the client to the service."""
        inner = self._inner(place)
        keys: list[Key] = []
        servers = list(chain) if proxied or inner else list(chain[1:])
        if not inner:
            keys.append(self._client(place, None if proxied else chain[0]))
        role = "" if place.dialog is None else place.dialog.role
        if role not in SERVICES:
            return keys + [self._server(place, one, first=not at) for at, one in enumerate(servers)]
        proxies = servers[:-1] or servers
        keys += [self._server(place, one, first=not at) for at, one in enumerate(proxies)]
        keys.append(self._service(place, role, servers[-1] if len(servers) > 1 else None))
        return keys

    def _chain(self, way: Sequence[int]) -> list[str]:
        """Return the addresses of a message's way, from the client on.

        A proxy adds a Via to a request and takes one from a response (RFC 3261 section 16).
        """
        rows, streams = self._scene.rows, self._scene.trace.streams
        out = self._scene.from_client(way[0])
        asks = out == (rows.status[way[0]] < 0)
        seen = sorted(way, key=rows.vias.__getitem__, reverse=not asks)
        hops = [streams[rows.stream[row]] for row in seen]
        ends = [(one.src, one.dst) if out else (one.dst, one.src) for one in hops]
        return [ends[0][0], *dict.fromkeys(end for _, end in ends)]

    def other(self, kind: LaneKind, address: str) -> Key:
        """Return the lane of something that is no SIP: DNS, a Web service."""
        key = (kind, address.rpartition(":")[0].lower())
        self._note(key, kind, None, address)
        return key

    def client_of(self, place: Place, address: str) -> Key:
        """Return the lane of a session's client."""
        return self._client(place, address)

    def _note(self, key: Key, kind: LaneKind, uri: str | None, address: str | None) -> None:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known(kind, uri)
        if address is not None:
            known.addresses[address] = None

    def _client(self, place: Place, address: str | None) -> Key:
        """Return the lane of a session's client; None: where it is was not captured."""
        host = (address or "").rpartition(":")[0]
        key = ("client", plain_uri(place.view.user or "") or address or "", host)
        self._note(key, "client", place.view.user, address)
        if address is not None:
            self._ends[address] = key
        return key

    def _server(self, place: Place, address: str, *, first: bool) -> Key:
        """Return the lane of a SIP server; the first one that a client speaks to is its front end.

        One that redirected its client is a Director.
        """
        host = address.rpartition(":")[0]
        kind: LaneKind = "front-end" if first else "server"
        if first and host in self._directors and self._redirects(place):
            kind = "director"
        key = self._hosts.get(host) if kind == "server" else (kind, host)
        key = (kind, host) if key is None else key
        self._note(key, kind, None, address)
        self._ends.setdefault(address, key)
        if kind != "director":
            self._hosts.setdefault(host, key)
        return key

    @once
    def _directors(self) -> set[str]:
        """Hosts that redirected a registration."""
        found = set()
        for view in self._scene.views:
            for one in view.registrations:
                if one.redirected:
                    stream = view.trace.streams[view.trace.rows.stream[one.dialog.rows[0]]]
                    found.add(stream.dst.rpartition(":")[0])
        return found

    @staticmethod
    def _redirects(place: Place) -> bool:
        return any(
            one.redirected and one.dialog is place.dialog for one in place.view.registrations
        )

    def _service(self, place: Place, role: str, address: str | None) -> Key:
        dialog = place.dialog
        uri = (dialog.service if dialog is not None else None) or ""
        kind: LaneKind = "lookup" if role == "lookup" else "channel"
        key: Key = (kind, plain_uri(uri))
        if self._inner(place) and address is not None:
            key = (*key, address)  # another instance than the one that answered first
        self._note(key, kind, uri or None, address)
        return key

    def _host(self, address: str) -> Key:
        known = self._ends.get(address) or self._hosts.get(address.rpartition(":")[0])
        if known is None:
            known = ("unknown", address.rpartition(":")[0])
            self._note(known, "unknown", None, address)
        return known

    def person(self, user: str | None) -> str:
        """Return what a user is called."""
        return self._aliases.get(_plain(user or "")) or self._people.person(user)

    def finished(self, used: Iterable[Key]) -> tuple[tuple[Lane, ...], dict[Key, int]]:
        """Return the lanes that are used, from left to right, and their numbers by key."""
        order = {key: at for at, key in enumerate(dict.fromkeys(used))}
        kinds = {key: self._known[key].kind for key in order}
        keys = sorted(order, key=lambda key: (LANE_ORDER.index(kinds[key]), order[key]))
        titles = self._titles(keys)
        counts: dict[str, int] = {}
        lanes = []
        for key, (title, aliased) in zip(keys, titles, strict=True):
            kind = kinds[key]
            counts[kind] = counts.get(kind, 0) + 1
            subtitle = self._subtitle(self._known[key], aliased=aliased)
            lanes.append(Lane(f"{kind}-{counts[kind]}", kind, title, subtitle))
        return tuple(lanes), {key: at for at, key in enumerate(keys)}

    def _titles(self, keys: Sequence[Key]) -> list[tuple[str, bool]]:
        """Return the name of each lane, numbered where several have the same."""
        found = [self._title(key) for key in keys]
        plain = [title for title, _ in found]
        counts: dict[str, int] = {}
        titles = []
        for title, aliased in found:
            if plain.count(title) > 1:
                counts[title] = counts.get(title, 0) + 1
                titles.append((f"{title} {counts[title]}", aliased))
            else:
                titles.append((title, aliased))
        return titles

    def _title(self, key: Key) -> tuple[str, bool]:
        known = self._known[key]
        hosts = [one.rpartition(":")[0] for one in known.addresses]
        if known.kind == "client":  # on one machine with its server it is not the machine
            hosts = [host for host in hosts if host not in self._hosts]
        for one in (known.uri, *known.addresses, *hosts):
            alias = self._aliases.get(_plain(one)) if one else None
            if alias is not None:
                return alias, True
        if known.kind == "client":
            return (self._people.person(known.uri), False) if known.uri else ("Client", False)
        return TITLES[known.kind], False

    @once
    def _people(self) -> _Names:
        return names_of(self._scene.views)

    @staticmethod
    def _subtitle(known: _Known, *, aliased: bool) -> str:
        parts = [TITLES[known.kind]] if aliased else []
        if known.uri:
            parts.append(known.uri)
        hosts = list(dict.fromkeys(map(_host, known.addresses)))
        parts += hosts[:SHOWN_ADDRESSES]
        if len(hosts) > SHOWN_ADDRESSES:
            parts.append(f"and {len(hosts) - SHOWN_ADDRESSES} more")
        return ", ".join(parts)


def _host(address: str) -> str:
    """Return the host of an ``ip:port``, IPv6 without its brackets."""
    return address.rpartition(":")[0].strip("[]")


def _plain(name: str) -> str:
    """Return a host, user or URI as aliases compare."""
    return plain_uri(name).removeprefix("sip:").removeprefix("sips:").strip("[]")


if TYPE_CHECKING:
    from analyzer.narrative.names import Names as _Names
