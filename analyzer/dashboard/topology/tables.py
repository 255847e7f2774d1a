"""The topology as tables and facts: the same as the picture, for who does not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.dashboard.filtering.words import word
from analyzer.dashboard.topology.chart import said
from analyzer.dashboard.verdict.paging import pager, part_of, ways
from analyzer.dashboard.verdict.places import way
from analyzer.markup import Column, add, badge, badged, facts, say, table
from analyzer.topology.grouping import ranked
from analyzer.views.numbers import amount, size_text
from analyzer.views.told import VERDICT_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Cell, Element
    from analyzer.topology.build import Graph
    from analyzer.topology.values import Node, Volume

    Edge = tuple[str, str, Volume]

SHOWN = 100
"""Edges, or members of a group, on one page of a table."""
SESSIONS = 20
"""Sessions of a node that are listed."""
COLUMNS = (
    *(Column("from", "wide"), Column("to", "wide"), Column("what")),
    *(Column("messages", "num"), Column("bytes", "num"), Column("errors")),
)
WAYS = {
    "connection": "connection",
    "proxied leg": "proxied leg",
    "not captured": "connection not captured",
    "dialogs": "dialogs with the service",
    "room": "messages that name the room",
}


def edges_of(graph: Graph, nodes: Iterable[str] | None = None) -> list[Edge]:
    """Return the edges of some nodes, or all: most errors first, then most messages."""
    pairs = (
        graph.edges()
        if nodes is None
        else (edge for one in nodes for edge in (*graph.in_edges(one), *graph.out_edges(one)))
    )
    found: list[Edge] = [(near, far, graph.edges[near, far]["volume"]) for near, far in pairs]
    return sorted(found, key=lambda one: (-one[2].errors, -one[2].messages, one[0], one[1]))


def edge_table(parent: Element, desk: Desk, graph: Graph, edges: Sequence[Edge]) -> None:
    """Add a page of edges."""
    part = part_of(desk.selection.more.get("page"), len(edges), SHOWN)
    pager(parent, desk, part, "connection")
    rows = (_edge(desk, graph, *one) for one in edges[part.first : part.last])
    table(parent, "Who talked to whom", COLUMNS, rows, "topology-edges")
    pager(parent, desk, part, "connection")


def _edge(desk: Desk, graph: Graph, near: str, far: str, volume: Volume) -> Sequence[Cell]:
    unseen = volume.way == "not captured"
    return (
        *(_named(desk, graph.nodes[one]["node"]) for one in (near, far)),
        WAYS[volume.way],
        "" if unseen else f"{volume.messages:,}",
        "" if unseen else size_text(volume.size),
        _errors(desk, volume),
    )


def _named(desk: Desk, node: Node) -> Cell:
    def fill(cell: Element) -> None:
        add(cell, "a", "", node.name, href=desk.href(node=node.id, page=None))
        say(cell, " ")
        add(cell, "span", "soft", node.kind)

    return fill


def _errors(desk: Desk, volume: Volume) -> Cell:
    if not volume.errors:
        return badged("ok", "none") if volume.messages else ""

    def fill(cell: Element) -> None:
        badge(cell, "error", amount(volume.errors, "error"))
        if volume.error_row is not None:
            say(cell, " ")
            href = desk.href(view="messages", message=volume.error_row)
            add(cell, "a", "", "the first", href=href)

    return fill


def node_facts(parent: Element, desk: Desk, graph: Graph, node: Node) -> None:
    """Add what is known of a node, and the ways on from it."""
    add(parent, "h2", text=node.name)
    edges = edges_of(graph, [node.id])
    errors = sum(one.errors for _, _, one in edges)
    facts(
        parent,
        (
            ("what", node.kind if not node.members else f"a group of {node.kind}s"),
            ("address", node.address),
            ("user", node.user.removeprefix("sip:")),
            ("members", f"{len(node.members):,}" if node.members else ""),
            ("errors", badged("error", f"{errors:,}") if errors else badged("ok", "none")),
            ("sessions", _sessions(desk, [*node.sessions])),
        ),
    )
    ways(parent, _ways(desk, node))


def _ways(desk: Desk, node: Node) -> Iterator[tuple[str, str | None]]:
    text = filter_of(node)
    if text:
        yield "its messages", desk.href(view="messages", filter=text, message=None)
        yield "its ladder", desk.href(view="ladder", filter=text, message=None)
    if node.kind == "room" and not node.members:
        yield "who was in it, who wrote", desk.href(view="rooms", room=node.address)
    yield "close", desk.href(node=None, page=None)


def filter_of(node: Node) -> str:
    """Return the filter that shows the messages of a node; nothing for groups."""
    if node.members:
        return ""
    if node.kind == "room":
        return word("room", node.address)
    if node.kind in ("lookup", "channel"):
        return word("user", node.address) if node.address else ""
    parts = [word("user", node.user)] if node.user else []
    parts += [word("host", node.address.strip("[]"))] if node.address else []
    return " ".join(parts)


def _sessions(desk: Desk, indexes: Sequence[int]) -> Cell:
    if not indexes:
        return ""

    def fill(cell: Element) -> None:
        for number, index in enumerate(indexes[:SESSIONS]):
            say(cell, ", " if number else "")
            verdict = desk.case.verdict(index)
            link = add(cell, "a", "", f"{index + 1}", href=desk.href(session=index, node=None))
            link.set("title", f"session {index + 1}: {VERDICT_WORDS[verdict]}")
        if len(indexes) > SESSIONS:
            say(cell, f" and {len(indexes) - SESSIONS:,} more")

    return fill


def member_table(parent: Element, desk: Desk, graph: Graph, node: Node) -> None:
    """Add the members of a group, a page of them; ``graph`` has them all."""
    found = ranked(graph, node.members)
    part = part_of(desk.selection.more.get("page"), len(found), SHOWN)
    pager(parent, desk, part, node.kind)
    columns = (Column(node.kind, "wide"), Column("address", "mono"), Column("what", "wide"))
    rows = (_member(desk, graph, one) for one in found[part.first : part.last])
    table(parent, f"The {len(found):,} of this group", columns, rows, "topology-members")
    pager(parent, desk, part, node.kind)


def _member(desk: Desk, graph: Graph, identifier: str) -> Sequence[Cell]:
    node = graph.nodes[identifier]["node"]
    told = "; ".join(said(volume) for _, _, volume in edges_of(graph, [identifier]))
    return way(node.name, desk.href(node=identifier, page=None)), node.address, told
