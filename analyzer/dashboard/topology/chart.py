"""The topology as a picture: layers from clients to rooms, nodes that can be clicked.

The rule: an edge with errors is dashed and says so in words; the table beneath says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from analyzer.dashboard.charts.text import plain
from analyzer.topology.layout import placed
from analyzer.topology.values import KINDS, LAYERS
from analyzer.views.numbers import amount, size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.topology.build import Graph
    from analyzer.topology.values import Kind, Node, Volume

    Places = dict[str, tuple[float, float]]
    Edge = tuple[str, str, Volume]
    Text = dict[str, Any]

SIGNS: dict[Kind, tuple[str, str]] = {
    "client": ("circle", "#2f7fd0"),
    "front end": ("square", "#7c5cd6"),
    "server": ("square-open", "#7c5cd6"),
    "lookup": ("diamond-open", "#0e8a6d"),
    "channel": ("diamond", "#0e8a6d"),
    "room": ("hexagon", "#b0741a"),
}
"""How each kind is drawn: shape first, colour second."""
BAD, LINE = "#d23b45", "rgba(128,140,160,0.75)"
ROW = 30
"""Pixels of a node with its name."""
TIGHT = 5
"""Pixels of a node where there are too many for names."""
NAMED = 60
"""Nodes in a layer up to which each has its name beside it."""
SAID_ERRORS = 30
"""Edges whose errors are written beside them; of more, those with the most."""
MIN_HEIGHT, MAX_HEIGHT = 320, 3_000
WIDTHS = ((1_000, 1.2), (10_000, 2.2), (1 << 62, 3.4))
"""Messages up to which an edge is so wide."""
LABEL = 34
"""Characters of a name in the picture."""
LAYER_NAMES = {0: "clients", 1: "front ends", 2: "servers behind", 3: "services", 4: "rooms"}


def picture(graph: Graph, selected: str | None = None) -> go.Figure:
    """Return the picture of a topology; a node's customdata is its id."""
    places = placed(graph)
    figure = go.Figure()
    edges: list[Edge] = [(near, far, data["volume"]) for near, far, data in graph.edges(data=True)]
    _lines(figure, places, edges)
    _middles(figure, graph, places, edges)
    texts = [*_errors(places, edges)]
    counts = _counts(places)
    last = max(counts, default=0)
    for kind in KINDS:
        texts += _nodes(figure, graph, places, kind, counts)
    if selected in places:
        x, y = places[selected]
        _ring(figure, x, y)
    most = max(counts.values(), default=1)
    row = ROW if most <= NAMED else TIGHT
    figure.update_layout(
        height=min(max(MIN_HEIGHT, 110 + row * most), MAX_HEIGHT),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"visible": False, "range": [-0.75, last + 0.75]},
        yaxis={"visible": False, "range": [-(most + 1.2) / 2, (most + 1.6) / 2]},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="closest",
        clickmode="event+select",
        dragmode="pan",
        uirevision="kept",
    )
    texts += _heads(graph, places, most)
    figure.update_layout(annotations=texts)  # at once: each one added copies all before it
    return figure


def _counts(places: Places) -> dict[int, int]:
    found: dict[int, int] = {}
    for x, _ in places.values():
        found[round(x)] = found.get(round(x), 0) + 1
    return found


def _look(volume: Volume) -> tuple[str, str, float]:
    """Return colour, dash and width of an edge."""
    width = next(wide for most, wide in WIDTHS if volume.messages <= most)
    if volume.errors:
        return BAD, "dash", width
    if volume.way in ("proxied leg", "not captured"):
        return LINE, "dot", width
    return LINE, "solid", width


def _lines(figure: go.Figure, places: Places, edges: Iterable[Edge]) -> None:
    looks: dict[tuple[str, str, float], list[Edge]] = {}
    for edge in edges:
        looks.setdefault(_look(edge[2]), []).append(edge)
    named: set[str] = set()
    for (colour, dash, width), those in sorted(looks.items()):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for near, far, _ in those:
            xs += [places[near][0], places[far][0], None]
            ys += [places[near][1], places[far][1], None]
        name = {"dash": "with errors", "dot": "proxied leg, or not captured"}.get(dash, "")
        figure.add_trace(
            go.Scatter(
                x=xs,
                y=ys,
                mode="lines",
                line={"color": colour, "dash": dash, "width": width},
                hoverinfo="skip",
                name=name or "messages",
                showlegend=bool(name) and name not in named,
            )
        )
        named.add(name)


def _middle(places: Places, near: str, far: str, share: float) -> tuple[float, float]:
    (ax, ay), (bx, by) = places[near], places[far]
    return ax + (bx - ax) * share, ay + (by - ay) * share


def _middles(figure: go.Figure, graph: Graph, places: Places, edges: Sequence[Edge]) -> None:
    """Draw small points on the edges, that say what the edge carried."""
    spots = [_middle(places, near, far, 0.62) for near, far, _ in edges]
    figure.add_trace(
        go.Scatter(
            x=[x for x, _ in spots],
            y=[y for _, y in spots],
            mode="markers",
            marker={"size": 5, "color": [BAD if one.errors else LINE for _, _, one in edges]},
            text=[
                "<br>".join(
                    (
                        plain(f"{_name(graph, near)} to {_name(graph, far)}"),
                        plain(said(volume)),
                    )
                )
                for near, far, volume in edges
            ],
            customdata=[[min(edge[:2], key=graph.degree)] for edge in edges],
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    )


def said(volume: Volume) -> str:
    """Return what an edge carried, in words."""
    if volume.way == "not captured":
        return "connection not captured"
    parts = [amount(volume.messages, "message"), size_text(volume.size)]
    parts += [amount(volume.errors, "error")] if volume.errors else []
    return ", ".join([*parts, volume.way] if volume.way == "proxied leg" else parts)


def _errors(places: Places, edges: Iterable[Edge]) -> Iterator[Text]:
    """Yield how many errors edges had; annotations, because a click lets other texts fade."""
    bad = sorted((one for one in edges if one[2].errors), key=lambda one: -one[2].errors)
    for near, far, volume in bad[:SAID_ERRORS]:
        x, y = _middle(places, near, far, 0.45)
        yield _text(x, y, f"✕ {amount(volume.errors, 'error')}", yanchor="bottom")


def _text(x: float, y: float, text: str, **where: float | str) -> Text:
    return {"x": x, "y": y, "text": plain(text), "showarrow": False, "font": {"size": 12}, **where}


def _nodes(
    figure: go.Figure, graph: Graph, places: Places, kind: Kind, counts: dict[int, int]
) -> list[Text]:
    """Draw the nodes of a kind; return their names, where there is room for them."""
    ids = [one for one in places if graph.nodes[one]["node"].kind == kind]
    if not ids:
        return []
    nodes: list[Node] = [graph.nodes[one]["node"] for one in ids]
    layer = round(places[ids[0]][0])
    few = counts[layer] <= NAMED
    sign, colour = SIGNS[kind]
    figure.add_trace(
        go.Scatter(
            x=[places[one][0] for one in ids],
            y=[places[one][1] for one in ids],
            mode="markers",
            name=kind,
            customdata=[[one] for one in ids],
            hovertext=[_told(one) for one in nodes],
            hovertemplate="%{hovertext}<extra></extra>",
            marker={
                "symbol": [f"{sign}-dot" if one.members else sign for one in nodes],
                "size": [22 if one.members else 15 if few else 5 for one in nodes],
                "color": colour,
                "opacity": 1,  # else edges shine through
                "line": {"width": 1.5, "color": colour},
            },
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    )
    if not few:
        return []
    side = _side(layer, max(counts))
    return [_text(*places[one], _label(node), **side) for one, node in zip(ids, nodes, strict=True)]


def _side(layer: int, last: int) -> dict[str, Any]:
    """Return on which side of its node a name stands."""
    if layer == 0:
        return {"xanchor": "right", "xshift": -10}
    if layer == last:
        return {"xanchor": "left", "xshift": 10}
    return {"yanchor": "bottom", "yshift": 8}


def _told(node: Node) -> str:
    parts = [node.name, node.kind, node.address, amount(len(node.sessions), "session")]
    if node.members:
        parts[1] = f"a group of {len(node.members):,}; click it to see them"
    return "<br>".join(plain(part) for part in dict.fromkeys(parts) if part)


def _ring(figure: go.Figure, x: float, y: float) -> None:
    """Draw a ring around what is selected."""
    figure.add_trace(
        go.Scatter(
            x=[x],
            y=[y],
            mode="markers",
            hoverinfo="skip",
            name="selected",
            marker={
                "symbol": "circle-open",
                "size": 30,
                "line": {"width": 3},
                "color": "#e07b00",
            },
        )
    )


def _heads(graph: Graph, places: Places, most: int) -> Iterator[Text]:
    """Yield what each layer is above it."""
    top = (most + 1.2) / 2
    heads: dict[int, set[int]] = {}
    for one, (x, _) in places.items():
        heads.setdefault(round(x), set()).add(LAYERS[graph.nodes[one]["node"].kind])
    for x, layers in heads.items():
        yield _text(x, top, ", ".join(LAYER_NAMES[layer] for layer in sorted(layers)))


def _name(graph: Graph, node: str) -> str:
    name: str = graph.nodes[node]["node"].name
    return _short(name)


def _label(node: Node) -> str:
    if node.members:
        return f"{amount(len(node.members), 'more ' + node.kind)}"
    return _short(node.name)


def _short(name: str) -> str:
    return name if len(name) <= LABEL else f"{name[: LABEL - 1]}…"
