"""Lanes: who speaks with whom, by role rather than by address.

A client capture shows one connection, to the front end; the dialogs on it lead on to the lookup and
the Channel service. An arrow goes to the service that the dialog is with and passes the front end.
With every hop shown, arrows are those of the connections.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.ladder.lane_names import SERVICES, Known, LaneNames, host_of
from analyzer.ladder.values import LANE_ORDER, Lane
from analyzer.lazy import once
from analyzer.roles import plain_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.ladder.aliases import Aliases
    from analyzer.ladder.scene import Place, Scene
    from analyzer.ladder.values import LaneKind
    from analyzer.sessions.view import SessionView

Key = tuple[str, ...]
"""What tells lanes apart; the first part is the kind."""
TRYING = 100


class Ends(NamedTuple):
    """Where an arrow goes."""

    source: Key
    target: Key
    via: tuple[Key, ...] = ()


class Lanes:
    """The lanes of one ladder."""

    def __init__(self, scene: Scene, aliases: Aliases) -> None:
        self._scene = scene
        self._names = LaneNames(scene.views, aliases)
        self._known: dict[Key, Known] = {}
        self._ends: dict[str, Key] = {}
        """Key by ``ip:port``, of clients and front ends."""
        self._hosts: dict[str, Key] = {}

    def path(self, way: Sequence[int]) -> Ends:
        """Return the ends of a message, given its sightings on one way."""
        place = self._scene.places.get(way[0])
        if place is None:
            return self._between_hosts(way)
        if self._hop_by_hop(way[0]):
            return self.leg(way[0], way)
        chain = self._chain(way)
        keys = self._keys(place, chain, proxied=self._proxied(place, chain))
        if not self._scene.from_client(way[0]):
            keys.reverse()
        return Ends(keys[0], keys[-1], tuple(keys[1:-1]))

    def _hop_by_hop(self, row: int) -> bool:
        """Say whether a message goes no further than the next server, which never forwards it.

        That is so of 100, of CANCEL with its answer and of the ACK of what is no 2xx (RFC 3261
        sections 16.7, 9.2 and 17.1.1.3).
        """
        rows = self._scene.rows
        if rows.status[row] == TRYING or rows.strings.values[rows.method[row]] == "CANCEL":
            return True
        transaction = self._scene.transaction(row)
        return transaction is not None and row in transaction.acks

    def _between_hosts(self, way: Sequence[int]) -> Ends:
        """Return the ends of a message that is in no session: where it was seen first and last."""
        legs = [self.leg(row, way) for row in way]
        keys = [legs[0].source]
        for leg in legs:
            if leg.source != keys[-1]:
                break  # nobody saw how it came from there to here
            keys.append(leg.target)
        return Ends(keys[0], keys[-1], tuple(keys[1:-1]))

    def leg(self, row: int, way: Sequence[int]) -> Ends:
        """Return the ends of one sighting of a message: the hosts of its connection."""
        stream = self._scene.trace.streams[self._scene.rows.stream[row]]
        place = self._scene.places.get(row)
        known: dict[str, Key] = {}
        if place is not None:
            chain = self._chain(way)
            proxied = self._proxied(place, chain)
            keys = self._keys(place, chain, proxied=proxied)
            known = dict(zip(chain, keys[1:] if proxied else keys, strict=False))
        ends = (stream.src, stream.dst)
        found = [
            known.get(one) or self._ends.get(one) or self._hosts.get(host_of(one)) for one in ends
        ]
        # Two ends on one machine that nothing is known of are told apart by their ports.
        apart = found == [None, None] and host_of(stream.src) == host_of(stream.dst)
        keys = [key or self._other(one, apart=apart) for key, one in zip(found, ends, strict=True)]
        return Ends(keys[0], keys[1])

    def _proxied(self, place: Place, chain: Sequence[str]) -> bool:
        """Say whether a way begins behind the front end: nearer to the client it was not seen.

        That may be so of a whole dialog, or of a message alone, of which a hole took the rest.
        """
        dialog = place.dialog
        if dialog is None or self._inner(place):
            return False
        first, server = host_of(chain[0]), host_of(place.view.front_end or "")
        behind = first == server != host_of(place.view.client_address)
        return behind or self._scene.proxied(dialog)

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
            keys.append(self._client(place, self._away(place) if proxied else chain[0]))
        role = "" if place.dialog is None else place.dialog.role
        if role not in SERVICES:
            return keys + [self._server(place, one, first=not at) for at, one in enumerate(servers)]
        proxies = servers[:-1] or servers
        keys += [self._server(place, one, first=not at) for at, one in enumerate(proxies)]
        keys.append(self._service(place, role, servers[-1] if len(servers) > 1 else None))
        return keys

    def _away(self, place: Place) -> str | None:
        """Return the address of a client that is not on a message's way, if it was captured."""
        view = place.view
        known = view.registrations[-1].dialog if view.registrations else view.dialogs[0]
        return None if self._scene.proxied(known) else view.client_address

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
        key = (kind, host_of(address).lower())
        self._note(key, kind, None, address)
        return key

    def client_of(self, place: Place, address: str) -> Key:
        """Return the lane of a session's client."""
        return self._client(place, address)

    def _note(self, key: Key, kind: LaneKind, uri: str | None, address: str | None) -> None:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Known(kind, uri)
        if address is not None:
            known.addresses[address] = None

    def _client(self, place: Place, address: str | None) -> Key:
        """Return the lane of a session's client; None: where it is was not captured."""
        host = host_of(address or "")
        key = ("client", plain_uri(place.view.user or "") or address or "", host)
        self._note(key, "client", place.view.user, address)
        if address is not None:
            self._ends[address] = key
        return key

    def _server(self, place: Place, address: str, *, first: bool) -> Key:
        """Return the lane of a SIP server; the first one that a client speaks to is its front end.

        One that redirected its client is a Director.
        """
        host = host_of(address)
        kind: LaneKind = "front-end" if first else "server"
        if first and host in self._directors and self._redirects(place):
            kind = "director"
        key: Key = (kind, host)
        if kind == "server":
            key = self._user_at(address) or self._hosts.get(host) or key
        self._note(key, kind, None, address)
        self._ends.setdefault(address, key)
        if kind != "director":
            self._hosts.setdefault(host, key)
        return key

    def _user_at(self, address: str) -> Key | None:
        """Return the lane of the client at an address: what a proxy sends may go to another."""
        view = self._users.get(address)
        place = None if view is None else self._scene.places.get(view.dialogs[0].rows[0])
        return None if place is None else self._client(place, address)

    @once
    def _users(self) -> dict[str, SessionView]:
        return {view.client_address: view for view in self._scene.views}

    @once
    def _directors(self) -> set[str]:
        """Hosts that redirected a registration."""
        found = set()
        for view in self._scene.views:
            for one in view.registrations:
                if one.redirected:
                    stream = view.trace.streams[view.trace.rows.stream[one.dialog.rows[0]]]
                    found.add(host_of(stream.dst))
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

    def _other(self, address: str, *, apart: bool) -> Key:
        """Return the lane of a host that nothing is known of but its address."""
        key = ("unknown", address if apart else host_of(address))
        self._known.setdefault(key, Known("unknown", None, key[1])).addresses[address] = None
        return key

    def person(self, user: str | None) -> str:
        """Return what a user is called."""
        return self._names.person(user)

    def finished(self, used: Iterable[Key]) -> tuple[tuple[Lane, ...], dict[Key, int]]:
        """Return the lanes that are used, from left to right, and their numbers by key."""
        order = {key: at for at, key in enumerate(dict.fromkeys(used))}
        kinds = {key: self._known[key].kind for key in order}
        keys = sorted(order, key=lambda key: (LANE_ORDER.index(kinds[key]), order[key]))
        found = [self._known[key] for key in keys]
        counts: Counter[str] = Counter()
        lanes = []
        for known, (title, aliased) in zip(found, self._names.titles(found), strict=True):
            counts[known.kind] += 1
            subtitle = self._names.subtitle(known, title, aliased=aliased)
            lanes.append(Lane(f"{known.kind}-{counts[known.kind]}", known.kind, title, subtitle))
        return tuple(lanes), {key: at for at, key in enumerate(keys)}

    def names(self, key: Key) -> set[str]:
        """Return what a lane may be called besides its title."""
        return self._known[key].called
