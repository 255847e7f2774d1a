"""From a trace to its topology: a directed graph from clients to rooms.

The rule: what is drawn was seen. A connection has the messages that the capture has of it; a
service and a room have those of the dialogs that lead to them, counted nearest to the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from analyzer.ladder.scene import Scene
from analyzer.lazy import once
from analyzer.narrative.names import names_of, short_room
from analyzer.roles import plain_uri
from analyzer.sessions.rooms import is_good
from analyzer.topology.values import Node, Volume, host_of
from analyzer.transaction_table import CHALLENGES, FAILURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.commands import Command
    from analyzer.dialogs import DialogDraft
    from analyzer.model import Room
    from analyzer.sessions.view import SessionView
    from analyzer.topology.values import Kind, Way
    from analyzer.trace import Trace

    Graph = nx.DiGraph[str]

NO_ERRORS = frozenset({*CHALLENGES, 487})
"""Answers that are no error: a client signs anew, a branch of a fork is given up."""
STEP = 4_096
"""Messages between two steps."""
FAR = 8
"""Legs that a dialog is followed over: proxies loop no longer than Max-Forwards lets them."""


def topology_of(trace: Trace, sessions: Sequence[int] | None = None) -> Graph:
    """Return the topology of a trace, or of some of its sessions; the capture must be open.

    Nodes have ``node`` (a ``Node``), edges ``volume`` (a ``Volume``).
    """
    return topology_in(Scene(trace, sessions))


def topology_in(scene: Scene, step: Callable[[], object] = lambda: None) -> Graph:
    """Return the topology of a scene; ``step`` is called every few milliseconds, and may raise."""
    return _Builder(scene, step).graph()


class _Builder:
    """Makes one graph."""

    def __init__(self, scene: Scene, step: Callable[[], object]) -> None:
        self._scene, self._step = scene, step
        self._trace = scene.trace
        self._rows = scene.rows
        self._graph: Graph = nx.DiGraph()
        self._names = names_of(scene.views)
        self._services: dict[int, str] = {}
        """Node of the service that each dialog leads to."""
        self._volumes: dict[int, Volume] = {}
        """What went between that service and the machine before it."""
        self._connections: dict[int, Volume] = {}
        self._fronts: set[str] = set()
        """Hosts that clients are connected to."""
        self._behind: set[str] = set()
        """Those of them whose connections to clients were not captured."""
        self._hosts: dict[int, str] = {}
        """Host of the client of each session; not of those behind a proxy."""

    def graph(self) -> Graph:
        self._count()
        for view in self._scene.views:
            self._step()
            self._client(view)
        self._legs()
        for view in self._scene.views:
            self._step()
            self._dialogs(view)
            self._rooms(view)
        return self._graph

    # machines

    def _count(self) -> None:
        """Count the messages of each connection."""
        rows = self._rows
        wanted = range(len(rows)) if self._scene.whole else sorted(self._scene.places)
        for row in wanted:
            number = rows.stream[row] >> 1
            volume = self._connections.get(number)
            if volume is None:
                volume = self._connections[number] = Volume("connection")
            self._add(volume, row)
            if not row % STEP:
                self._step()

    def _add(self, volume: Volume, row: int) -> None:
        volume.add(self._rows.length[row])
        status = self._rows.status[row]
        if status >= FAILURE and status not in NO_ERRORS:
            volume.fail(row)

    def _client(self, view: SessionView) -> None:
        """Add the client of a session, with its connections."""
        host = host_of(view.client_address)
        user = plain_uri(view.user or "")
        behind = any(self._scene.proxied(one) for one in view.dialogs)
        place = "" if behind else host
        identifier = f"client:{user}@{place}" if user else f"client:@{host}"
        name = self._names.person(view.user) if view.user else f"a client at {host}"
        node = self._node(identifier, "client", name, place)
        node.user = view.user or ""
        node.sessions[view.index] = None
        if behind:
            front = self._machine(host, "front end")
            self._graph.nodes[front]["node"].sessions[view.index] = None
            self._fronts.add(host)
            self._behind.add(host)
            self._edge(identifier, front, "not captured")
            return
        self._hosts[view.index] = host
        for number in view.connections:
            other = self._other_end(number, host)
            volume = self._connections.get(number)
            if other is None or volume is None:
                continue
            self._fronts.add(other)
            front = self._machine(other, "front end")
            self._graph.nodes[front]["node"].sessions[view.index] = None
            self._edge(identifier, front, "connection").join(self._share(view, number))

    def _share(self, view: SessionView, number: int) -> Volume:
        """Return what a connection carried of a session: several may share one."""
        owners = self._owners.setdefault(number, {})
        if len(owners) < 2:
            return self._connections[number]
        return owners[view.index]

    @once
    def _owners(self) -> dict[int, dict[int, Volume]]:
        """What each connection carried of each session."""
        known: dict[int, dict[int, Volume]] = {}
        stream = self._rows.stream
        for row, place in self._scene.places.items():
            mine = known.setdefault(stream[row] >> 1, {})
            volume = mine.get(place.view.index)
            if volume is None:
                volume = mine[place.view.index] = Volume("connection")
            self._add(volume, row)
            if not row % STEP:
                self._step()
        return known

    def _other_end(self, number: int, host: str) -> str | None:
        """Return the other end of a connection; None where this host is no end of it."""
        stream = self._trace.streams[2 * number]
        ends = host_of(stream.src), host_of(stream.dst)
        if host not in ends:
            return None
        return ends[1] if ends[0] == host else ends[0]

    def _legs(self) -> None:
        """Add the connections that no session knows as its own: between servers, or of nobody."""
        clients = {number for view in self._scene.views for number in self._of_client(view)}
        for number, volume in self._connections.items():
            if number in clients:
                continue
            stream = self._trace.streams[2 * number]
            near, far = host_of(stream.src), host_of(stream.dst)
            if far in self._fronts and near not in self._fronts:
                near, far = far, near
            if number in self._copied or near in self._behind:
                ends = [self._machine(end, self._kind(end)) for end in (near, far)]
                self._edge(ends[0], ends[1], "proxied leg").join(volume)
                continue
            if near in self._fronts:
                near, far = far, near
            node = self._node(f"client:@{near}", "client", near, near)
            front = self._machine(far, "front end")
            self._edge(node.id, front, "connection").join(volume)

    def _kind(self, host: str) -> Kind:
        return "front end" if host in self._fronts else "server"

    @once
    def _copied(self) -> frozenset[int]:
        """Connections that carried what was seen on another one too."""
        stream, copies = self._rows.stream, self._scene.analysis.copy_of
        return frozenset(stream[row] >> 1 for pair in copies.items() for row in pair)

    def _of_client(self, view: SessionView) -> Iterator[int]:
        host = self._hosts.get(view.index)
        if host is not None:
            yield from (one for one in view.connections if self._other_end(one, host) is not None)

    # services and rooms

    def _dialogs(self, view: SessionView) -> None:
        """Add the services that the dialogs of a session lead to."""
        for dialog in view.dialogs:
            if dialog.role not in {"lookup", "channel"}:
                continue
            kind: Kind = "lookup" if dialog.role == "lookup" else "channel"
            uri = plain_uri(dialog.service or "")
            title = "Lookup service" if kind == "lookup" else "Channel service"
            identifier = f"{kind}:{uri}"
            service = self._node(identifier, kind, f"{title} {_user(uri)}".strip(), uri)
            service.sessions[view.index] = None
            machine = self._last_machine(view, dialog)
            self._services[dialog.index] = identifier
            volume = self._edge(machine, identifier, "dialogs")
            self._volumes[dialog.index] = volume
            for row in dialog.rows:
                self._add(volume, row)
        for command in view.commands:
            failure = _failure(view, command)
            if failure is not None and command.dialog in self._volumes:
                self._volumes[command.dialog].fail(failure)

    def _last_machine(self, view: SessionView, dialog: DialogDraft) -> str:
        """Return the machine at the end of the legs that carried a dialog."""
        stream = self._rows.stream
        legs = dict.fromkeys(stream[row] >> 1 for row in (*dialog.rows, *dialog.copies))
        at = self._hosts.get(view.index) or host_of(view.client_address)
        if all(self._other_end(number, at) is None for number in legs):
            at = host_of(self._trace.streams[stream[dialog.rows[0]]].src)
        been = {at}
        for _ in range(FAR):
            others = {self._other_end(number, at): number for number in legs}
            step = next((host for host in others if host and host not in been), None)
            if step is None:
                break
            been.add(step)
            at = step
        return self._machine(at, self._kind(at))

    def _rooms(self, view: SessionView) -> None:
        """Add the rooms that a session spoke of."""
        for command in view.commands:
            service = self._services.get(command.dialog)
            if service is not None:
                self._spoken_of(view, command, service)
        for dialog in view.dialogs:
            service = self._services.get(dialog.index)
            if service is not None:
                self._deliveries(view, dialog, service)
        for room in view.rooms:
            if f"room:{room.uri}" in self._graph:
                self._entered(room)

    def _spoken_of(self, view: SessionView, command: Command, service: str) -> None:
        failure = _failure(view, command)
        for uri in view.outcomes.rooms(command):
            volume = self._room(service, uri, view)
            volume.add(self._rows.length[command.first()[0]])
            if failure is not None:
                volume.fail(failure)

    def _entered(self, room: Room) -> None:
        """Take in the name of a room, and that somebody was not let in."""
        identifier = f"room:{room.uri}"
        if room.name:
            self._graph.nodes[identifier]["node"].name = room.name
        if room.refused is not None:
            service = next(iter(self._graph.predecessors(identifier)))
            self._graph.edges[service, identifier]["volume"].fail(room.refused)

    def _deliveries(self, view: SessionView, dialog: DialogDraft, service: str) -> None:
        elements, reader = view.material.elements, view.material.reader
        tag = dialog.client_side.tag
        for element in elements.of(dialog.index):
            if elements.what[element][0] != "grpchat" or elements.sender_tag(element) == tag:
                continue
            row = elements.row[element]
            for uri in reader.facts(row, elements.position(element)).rooms[:1]:
                self._room(service, uri, view).add(self._rows.length[row])

    def _room(self, service: str, uri: str, view: SessionView) -> Volume:
        node = self._node(f"room:{uri}", "room", short_room(uri), uri)
        node.sessions[view.index] = None
        return self._edge(service, node.id, "room")

    # the graph

    def _machine(self, host: str, kind: Kind) -> str:
        identifier = f"host:{host}"
        self._node(identifier, kind, host, host)
        return identifier

    def _node(self, identifier: str, kind: Kind, name: str, address: str) -> Node:
        if identifier not in self._graph:
            self._graph.add_node(identifier, node=Node(identifier, kind, name, address))
        found: Node = self._graph.nodes[identifier]["node"]
        return found

    def _edge(self, near: str, far: str, way: Way) -> Volume:
        if not self._graph.has_edge(near, far):
            self._graph.add_edge(near, far, volume=Volume(way))
        found: Volume = self._graph.edges[near, far]["volume"]
        return found


def _failure(view: SessionView, command: Command) -> int | None:
    """Return the row of a command without a reply, or of a reply that refuses it.

    What SIP refused is counted as an error answer.
    """
    if command.outcome == "unanswered":
        return command.row
    code = view.outcomes.code
    return next((one.row for one in command.answers if not is_good(code(one))), None)


def _user(uri: str) -> str:
    return uri.partition(":")[2].partition("@")[0]
