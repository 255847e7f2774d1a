"""The page of the topology: the picture, the same as a table, and the facts of a node."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.dashboard.topology.chart import picture, said
from analyzer.dashboard.topology.tables import filter_of
from analyzer.topology import grouping
from analyzer.topology.build import topology_of
from analyzer.topology.values import Node, Volume
from analyzer.trace import open_capture
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.dashboard import afresh, drawings, looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

require_shared()
FANOUT = SHARED / "flows" / "fanout-missing.pcapng"
FRONT = "host:10.20.1.14"


def spec(page: AppTest) -> dict[str, Any]:
    """Return the picture as the browser gets it."""
    (chart,) = page.get("plotly_chart")
    found: dict[str, Any] = json.loads(chart.proto.spec)
    return found


def test_a_capture_without_messages_says_so(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes((SAMPLES / "keepalive.pcap").read_bytes()[:24])
    page = looked_at(opened(empty), "topology")
    assert "nobody talked to anybody" in markup(page, "topology-head")
    assert "topology-below" not in drawings(page)


def test_every_edge_of_the_picture_is_a_line_of_the_table() -> None:
    case = opened(FANOUT)
    page = looked_at(case, "topology")
    graph = topology_of(case.trace)
    table = markup(page, "topology-below")
    assert table.count("<tr>") - 1 == graph.number_of_edges()
    for one, data in graph.nodes(data=True):
        assert data["node"].name in table, one
    ids = {
        point[0]
        for trace in spec(page)["data"]
        for point in trace.get("customdata", ())
        if len(trace.get("customdata", ())) and trace.get("name")
    }
    assert ids == set(graph)


def test_an_edge_with_errors_is_dashed_and_says_so_in_words() -> None:
    page = looked_at(opened(SAMPLES / "fault-503.pcap"), "topology")
    dashes = {trace["line"]["dash"]: trace["name"] for trace in spec(page)["data"]
              if trace["mode"] == "lines"}  # fmt: skip
    assert dashes["dash"] == "with errors"
    written = [one["text"] for one in spec(page)["layout"]["annotations"]]
    assert written.count("✕ 1 error") == 2
    table = markup(page, "topology-below")
    assert table.count(">✕</span> 1 error") == 2
    assert "view=messages&amp;message=" in table


def test_a_selected_node_shows_its_facts_and_only_its_edges() -> None:
    page = looked_at(opened(FANOUT), "topology", node=FRONT)
    facts = markup(page, "topology-below")
    assert "<h2>10.20.1.14</h2>" in facts
    assert "filter=host%3A10.20.1.14" in facts
    assert facts.count("10.20.1.14</a>") == 4, "three clients, and the server behind it"
    assert "884f9082" not in facts, "no room is next to a front end"
    assert "selected" in {trace.get("name") for trace in spec(page)["data"]}


def test_a_node_that_is_not_there_is_told() -> None:
    page = looked_at(opened(FANOUT), "topology", node="host:nowhere")
    assert "not in this picture" in markup(page, "topology-below")


def test_a_session_has_a_topology_of_its_own() -> None:
    page = looked_at(opened(FANOUT), "topology", session=1)
    head = markup(page, "topology-head")
    assert "What is seen of session 2: 1 client," in head
    assert "all sessions" in head


def test_many_clients_are_grouped_with_the_offer_to_draw_and_to_list_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = opened(FANOUT)
    monkeypatch.setattr(grouping, "SHOWN", 1)
    with afresh(case, "topology drawn"):
        page = looked_at(case, "topology")
        head = markup(page, "topology-head")
        assert "2 of 3 clients are drawn as groups" in head
        assert "all=client" in head
        assert "2 more clients" in [one["text"] for one in spec(page)["layout"]["annotations"]]
        listed = markup(looked_at(case, "topology", node="more:client:1"), "topology-below")
        assert "The 2 of this group" in listed
        whole = looked_at(case, "topology", all="client,room")
        assert "draw groups again" in markup(whole, "topology-head")
        assert "are drawn as groups" not in markup(whole, "topology-head")


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Node("x", "client", "ann", "10.0.0.1", user="sip:ann@x"), "user:sip:ann@x host:10.0.0.1"),
        (Node("x", "front end", "fe", "[2001:db8::1]"), "host:2001:db8::1"),
        (Node("x", "channel", "c", "sip:chat@x"), "user:sip:chat@x"),
        (Node("x", "lookup", "unknown"), ""),
        (Node("x", "room", "r", 'ma-chan://x/a "b"'), 'room:"ma-chan://x/a \\"b\\""'),
        (Node("x", "client", "2 more", members=("a", "b")), ""),
    ],
)
def test_the_messages_of_a_node_are_a_filter(node: Node, text: str) -> None:
    assert filter_of(node) == text


def test_what_an_edge_carried_is_said_in_words() -> None:
    assert said(Volume("proxied leg", 2, 1500, 1, 3)) == "2 messages, 2 kB, 1 error, proxied leg"
    assert said(Volume("not captured")) == "connection not captured"


def test_names_of_a_capture_are_no_markup_in_the_picture() -> None:
    with open_capture(FANOUT) as trace:
        graph = topology_of(trace)
    graph.nodes[FRONT]["node"].name = "<a href='x'>fe</a>"
    text = picture(graph).to_json()
    assert "<a href" not in text.replace("\\u003c", "<")
