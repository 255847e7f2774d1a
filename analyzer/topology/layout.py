"""Where the nodes of a topology are drawn: in layers, the same each time.

Nodes of a layer are in the order in which their neighbours are (the barycentre method), so that few
lines cross; equals are in the order of their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.topology.values import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analyzer.topology.build import Graph

SWEEPS = 4
"""Times that the layers are ordered from left to right and back: more changes nothing to speak of.
"""

WIDE = 3.0
"""Times the distance of the nodes in the largest layer that others may have."""
CROWD = 20
"""Nodes of a layer so large that its nodes are drawn close: the others are spread further."""


def placed(graph: Graph) -> dict[str, tuple[float, float]]:
    """Return x (the layer, from 0, without gaps) and y (0 is the middle) of each node."""
    layers = _layers(graph)
    for sweep in range(SWEEPS):
        order = layers if sweep % 2 == 0 else layers[::-1]
        for layer in order[1:]:
            _order(graph, layer, _heights(layers))
    height = _heights(layers)
    return {one: (x, height[one]) for x, layer in enumerate(layers) for one in layer}


def _order(graph: Graph, layer: list[str], height: Mapping[str, float]) -> None:
    layer.sort(key=lambda one: (_centre(graph, one, height), _name(graph, one)))


def _layers(graph: Graph) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for one in sorted(graph, key=lambda one: _name(graph, one)):
        found.setdefault(LAYERS[graph.nodes[one]["node"].kind], []).append(one)
    return [found[number] for number in sorted(found)]


def _name(graph: Graph, node: str) -> tuple[bool, str, str]:
    found = graph.nodes[node]["node"]
    return bool(found.members), found.name.casefold(), node


def _heights(layers: Iterable[list[str]]) -> dict[str, float]:
    """Return y of each node: a layer of few nodes is spread, in the middle of the others."""
    found: dict[str, float] = {}
    known = [*layers]
    most = max(map(len, known), default=0)
    for layer in known:
        gap = min(max(most / (len(layer) + 1), 1.0), max(WIDE, most / CROWD))
        middle = (len(layer) - 1) / 2
        found |= {one: (middle - number) * gap for number, one in enumerate(layer)}
    return found


def _centre(graph: Graph, node: str, height: Mapping[str, float]) -> float:
    """Return the mean height of the neighbours, downwards."""
    near = [height[one] for one in (*graph.predecessors(node), *graph.successors(node))]
    return -sum(near) / len(near) if near else 0.0
