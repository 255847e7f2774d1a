"""Large topologies made legible: of many nodes of one kind the most remarkable, the rest in groups.

The rule: nothing goes away. A group says how many it stands for, and has the sum of their volumes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from analyzer.topology.values import KINDS, Node, Volume
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from analyzer.topology.build import Graph
    from analyzer.topology.values import Kind

SHOWN = 20
"""Nodes of one kind that are drawn one by one where there are more."""
MAX_GROUPS = 6
"""Groups of one kind: one for each set of neighbours that is frequent, one for the rest."""
MAX_WHOLE = 400
"""Nodes of one kind that are drawn one by one where somebody asks for all."""


def condensed(graph: Graph, whole: Collection[Kind] = (), shown: int | None = None) -> Graph:
    """Return a graph to be drawn; of the kinds in ``whole`` as many as can be drawn."""
    few = SHOWN if shown is None else shown
    groups = [
        group
        for kind in KINDS
        for group in _groups_of(graph, kind, MAX_WHOLE if kind in whole else few)
    ]
    return _merged(graph, groups) if groups else graph


def _groups_of(graph: Graph, kind: Kind, limit: int) -> list[Node]:
    nodes = [one for one in graph if graph.nodes[one]["node"].kind == kind]
    if len(nodes) <= limit + 1:
        return []
    return _groups(graph, kind, ranked(graph, nodes)[limit:])


def _merged(graph: Graph, groups: Sequence[Node]) -> Graph:
    """Return a graph in which groups stand for their members."""
    into = {member: group.id for group in groups for member in group.members}
    made: Graph = nx.DiGraph()
    made.add_nodes_from((one, data) for one, data in graph.nodes(data=True) if one not in into)
    made.add_nodes_from((group.id, {"node": group}) for group in groups)
    for near, far, data in graph.edges(data=True):
        ends = into.get(near, near), into.get(far, far)
        if not made.has_edge(*ends):
            made.add_edge(*ends, volume=Volume(data["volume"].way))
        made.edges[ends]["volume"].join(data["volume"])
    return made


def ranked(graph: Graph, nodes: Sequence[str]) -> list[str]:
    """Return nodes with the most errors first, then those with the most messages."""
    weight = {one: _weight(graph, one) for one in nodes}
    return sorted(nodes, key=lambda one: (*weight[one], one))


def _weight(graph: Graph, node: str) -> tuple[int, int]:
    volumes = [graph.edges[edge]["volume"] for edge in _edges(graph, node)]
    return -sum(one.errors for one in volumes), -sum(one.messages for one in volumes)


def _edges(graph: Graph, node: str) -> list[tuple[str, str]]:
    return [*graph.in_edges(node), *graph.out_edges(node)]


def _groups(graph: Graph, kind: Kind, rest: Sequence[str]) -> list[Node]:
    """Return the groups of some nodes: those with the same neighbours, and errors or none."""
    alike: dict[tuple[bool, frozenset[str]], list[str]] = {}
    for one in rest:
        near = frozenset((*graph.predecessors(one), *graph.successors(one)))
        alike.setdefault((_weight(graph, one)[0] < 0, near), []).append(one)
    parts = sorted(alike.items(), key=lambda part: (-len(part[1]), part[1]))
    if len(parts) > MAX_GROUPS:
        others = [one for _, those in parts[MAX_GROUPS - 1 :] for one in those]
        parts = [*parts[: MAX_GROUPS - 1], ((False, frozenset()), others)]
    found = []
    for number, ((failed, near), members) in enumerate(parts, 1):
        what = f"{amount(len(members), f'more {kind}')}"
        like = _likeness(graph, near, failed=failed) if near else "of other sorts"
        sessions = dict.fromkeys(
            index for one in members for index in graph.nodes[one]["node"].sessions
        )
        identifier = f"more:{kind}:{number}"
        found.append(
            Node(identifier, kind, f"{what} {like}", sessions=sessions, members=tuple(members))
        )
    return found


def _likeness(graph: Graph, near: frozenset[str], *, failed: bool) -> str:
    if len(near) > 1:
        where = f"of {len(near)} neighbours"
    else:
        where = f"of {graph.nodes[next(iter(near))]['node'].name}"
    return f"{where}, with errors" if failed else f"{where}, without errors"
