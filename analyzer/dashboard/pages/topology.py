"""The page ``topology``: clients, front ends, services and rooms, and what went between them.

Follows the session; a click on a node of the picture shows what is known of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from analyzer.dashboard.topology.graph import drawn_of, graph_of
from analyzer.dashboard.topology.tables import edge_table, edges_of, member_table, node_facts
from analyzer.markup import add, say
from analyzer.topology.values import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Element
    from analyzer.topology.build import Graph
    from analyzer.topology.values import Kind

NAMES: dict[Kind, tuple[str, str]] = {
    "client": ("client", "clients"),
    "front end": ("front end", "front ends"),
    "server": ("server behind it", "servers behind them"),
    "lookup": ("lookup service", "lookup services"),
    "channel": ("channel service", "channel services"),
    "room": ("room", "rooms"),
}
"""One of each kind, and several."""


def show(desk: Desk) -> None:
    """Draw the page."""
    session = desk.selection.session
    graph = graph_of(desk.case, session)
    whole = [kind for kind in KINDS if kind in desk.selection.more.get("all", "").split(",")]
    drawn = drawn_of(desk.case, session, whole)
    head = etree.Element("div")
    head.set("class", "topology")
    _told(head, desk, graph)
    if not len(graph):
        desk.draw(head, "topology-head")
        return
    _cut(head, desk, graph, drawn, whole)
    desk.draw(head, "topology-head")
    _picture(desk, drawn)
    below = etree.Element("div")
    below.set("class", "topology")
    _below(below, desk, graph, drawn)
    desk.draw(below, "topology-below")


def _told(parent: Element, desk: Desk, graph: Graph) -> None:
    add(parent, "h1", text="Topology")
    line = add(parent, "p")
    if not len(graph):
        say(line, "No SIP message is in this capture: nobody talked to anybody. ")
        add(line, "a", "", "What is in it instead", href=desk.href(view="overview"))
        return
    counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
    for _, data in graph.nodes(data=True):
        counts[data["node"].kind] += 1
    parts = [f"{count:,} {NAMES[kind][count > 1]}" for kind, count in counts.items() if count]
    session = desk.selection.session
    where = "" if session is None else f" of session {session + 1}"
    say(line, f"What is seen{where}: {', '.join(parts)}. ")
    if session is not None and len(desk.case.views) > 1:
        add(line, "a", "", "all sessions", href=desk.href(session=None, node=None, page=None))


def _cut(parent: Element, desk: Desk, graph: Graph, drawn: Graph, whole: Collection[Kind]) -> None:
    """Say what is drawn as groups, and offer to draw it one by one."""
    hidden: dict[Kind, int] = {}
    for _, data in drawn.nodes(data=True):
        node = data["node"]
        if node.members:
            hidden[node.kind] = hidden.get(node.kind, 0) + len(node.members)
    for kind, count in hidden.items():
        total = sum(data["node"].kind == kind for _, data in graph.nodes(data=True))
        text = f"{count:,} of {total:,} {NAMES[kind][1]} are drawn as groups"
        line = add(parent, "p", "cut", f"{text}: those with the fewest errors and messages. ")
        if kind not in whole:
            more = ",".join((*whole, kind))
            add(line, "a", "", "draw them one by one", href=desk.href(all=more, page=None))
        else:
            say(line, "A picture has no room for more; click a group to list them.")
    if whole:
        line = add(parent, "p", "cut")
        add(line, "a", "", "draw groups again", href=desk.href(all=None, page=None))


def _picture(desk: Desk, drawn: Graph) -> None:
    from analyzer.dashboard.charts.clicks import clickable
    from analyzer.dashboard.topology.chart import picture

    def clicked(data: Sequence[Any]) -> None:
        if isinstance(data[0], str) and data[0] in drawn:
            desk.go(node=data[0], page=None)

    clickable(picture(drawn, desk.selection.more.get("node")), "topology-chart", clicked)


def _below(parent: Element, desk: Desk, graph: Graph, drawn: Graph) -> None:
    """Add the facts of what is selected, then the table that says what the picture shows."""
    add(
        parent,
        "p",
        "soft",
        "Click a node for its facts. A dashed line had errors, and says how many; a dotted one is "
        "a proxied leg or a connection that was not captured; wide ones carried more messages.",
    )
    chosen = desk.selection.more.get("node")
    if chosen is None:
        add(parent, "h2", text="The same as a table")
        edge_table(parent, desk, drawn, edges_of(drawn))
        return
    if chosen in graph:
        node_facts(parent, desk, graph, graph.nodes[chosen]["node"])
        edge_table(parent, desk, graph, edges_of(graph, [chosen]))
    elif chosen in drawn:
        node = drawn.nodes[chosen]["node"]
        node_facts(parent, desk, drawn, node)
        member_table(parent, desk, graph, node)
    else:
        line = add(parent, "p", "", "The node in the address is not in this picture. ")
        add(line, "a", "", "all of it", href=desk.href(node=None, page=None))
