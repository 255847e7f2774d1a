"""The graph: parties by evidence, volumes that add up, groups that hide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.topology.build import topology_of
from analyzer.topology.grouping import MAX_GROUPS, condensed
from analyzer.topology.layout import placed
from analyzer.topology.values import LAYERS, Volume, host_of
from analyzer.trace import open_capture
from tests.analyzer.flows.room_stories import Person
from tests.analyzer.stories import Story
from tests.paths import SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.topology.build import Graph

require_shared()
FLOWS = SHARED / "flows"
TWO_HOPS = ["SIP/2.0/TLS 10.0.0.10:5061", "SIP/2.0/TLS 10.0.0.1:50000"]


def graph_of(path: Path, sessions: list[int] | None = None) -> Graph:
    """Return the topology of a capture."""
    with open_capture(path) as trace:
        return topology_of(trace, sessions)


def names(graph: Graph) -> dict[str, list[str]]:
    """Return the names of nodes by kind."""
    found: dict[str, list[str]] = {}
    for _, data in graph.nodes(data=True):
        found.setdefault(data["node"].kind, []).append(data["node"].name)
    return {kind: sorted(those) for kind, those in found.items()}


def volume(graph: Graph, near: str, far: str) -> Volume:
    """Return what an edge carried."""
    found: Volume = graph.edges[near, far]["volume"]
    return found


def crowd(count: int) -> Graph:
    """Return the topology of many people of one front end; the third is refused a post."""
    story = Story()
    for number in range(count):
        person = Person(story, f"p{number:03d}", number + 1)
        person.joins(present=f"p{number:03d}")
        person.posts("hello", status=503 if number == 2 else 200)
    return topology_of(story.trace())


def test_a_proxied_path_leads_from_the_client_over_both_machines_to_the_service() -> None:
    graph = graph_of(SAMPLES / "r2-post-full.pcap")
    client = "client:sip:hiro@emea.adatum.example@10.20.2.22"
    assert names(graph) == {
        "client": ["grace.o", "hiro"],
        "front end": ["10.20.1.13"],
        "server": ["10.20.1.18"],
        "lookup": ["Lookup service ocschat"],
        "channel": ["Channel service channelsvc1"],
        "room": sorted(names(graph)["room"]),
    }
    assert volume(graph, client, "host:10.20.1.13").way == "connection"
    assert volume(graph, "host:10.20.1.13", "host:10.20.1.18").way == "proxied leg"
    assert [*graph.predecessors("channel:sip:channelsvc1@emea.adatum.example")] == [
        "host:10.20.1.18"
    ]


@pytest.mark.parametrize(
    "name",
    ["r2-post-full.pcap", "fanout-missing.pcapng", "forked-lookup.pcap", "late-start.pcapng"],
)
def test_every_message_and_byte_of_a_capture_is_on_one_connection_or_leg(name: str) -> None:
    with open_capture(FLOWS / name) as trace:
        graph = topology_of(trace)
        rows = trace.rows
        seen = [
            data["volume"]
            for _, _, data in graph.edges(data=True)
            if data["volume"].way in ("connection", "proxied leg")
        ]
        assert sum(one.messages for one in seen) == len(rows)
        assert sum(one.size for one in seen) == sum(rows.length)


def test_the_branches_of_a_fork_lead_to_machines_of_their_own() -> None:
    graph = graph_of(FLOWS / "forked-lookup.pcap")
    lookup = "lookup:sip:ocschat@northwind.example"
    assert {*graph.predecessors(lookup)} == {
        "host:10.20.1.19",
        "host:10.20.1.31",
        "host:10.20.1.35",
    }
    assert names(graph)["client"] == ["dmitri.v"]


@pytest.mark.parametrize(("status", "errors"), [(401, 0), (407, 0), (487, 0), (404, 1), (503, 1)])
def test_a_challenge_and_a_branch_given_up_are_no_errors(status: int, errors: int) -> None:
    story = Story()
    wire = story.connect("10.0.0.1:50000", "10.0.0.2:5061")
    wire.answered(wire.asks("REGISTER", "ann", "ann", call="r", epid="e"), status, to_tag="x")
    graph = topology_of(story.trace())
    ((_, _, data),) = graph.edges(data=True)
    assert data["volume"].errors == errors


def test_what_was_refused_is_an_error_where_it_was() -> None:
    graph = graph_of(SAMPLES / "fault-503.pcap")
    client = volume(graph, "client:sip:user1@contoso.com@127.0.0.1", "host:127.0.0.1")
    channel = volume(graph, "host:127.0.0.1", "channel:sip:ocschannel01@contoso.com")
    lookup = volume(graph, "host:127.0.0.1", "lookup:sip:ocschat@contoso.com")
    with open_capture(SAMPLES / "fault-503.pcap") as trace:
        refused = [row for row, status in enumerate(trace.rows.status) if status == 503]
    assert (client.errors, client.error_row) == (1, refused[0])
    assert (channel.errors, channel.error_row) == (1, refused[0])
    assert lookup.errors == 0


def test_a_command_that_is_never_answered_is_an_error_of_its_service() -> None:
    graph = graph_of(SAMPLES / "fault-no-reply.pcap")
    errors = {
        far: data["volume"].errors
        for _, far, data in graph.edges(data=True)
        if data["volume"].way == "dialogs"
    }
    with open_capture(SAMPLES / "fault-no-reply.pcap") as trace:
        lost = [pair for pair in trace.analysis().pairs if pair.outcome == "unanswered"]
    assert sorted(errors.values()) == [0, len(lost)]
    assert lost


def test_a_room_that_somebody_was_not_let_into_has_an_error() -> None:
    graph = graph_of(FLOWS / "partial-join.pcap")
    refused = [far for _, far, data in graph.edges(data=True) if data["volume"].errors]
    with open_capture(FLOWS / "partial-join.pcap") as trace:
        rooms = trace.analysis().sessions[0].rooms
    assert refused == [f"room:{room.uri}" for room in rooms if room.refused is not None]


def test_of_one_session_only_its_own_is_seen() -> None:
    graph = graph_of(FLOWS / "fanout-missing.pcapng", [1])
    assert names(graph)["client"] == ["eva"]
    whole = graph_of(FLOWS / "fanout-missing.pcapng")
    leg = ("host:10.20.1.14", "host:10.20.1.17")
    assert 0 < volume(graph, *leg).messages < volume(whole, *leg).messages


def test_a_client_whose_connection_was_not_captured_stands_behind_its_front_end() -> None:
    story = Story()
    wire = story.connect("10.0.0.10:50000", "10.0.0.20:5061")
    said = wire.asks("REGISTER", "ann", "ann", call="r", epid="e", via=TWO_HOPS)
    wire.answered(said, 200, to_tag="x")
    said = wire.asks("INVITE", "ann", "svc", call="c", epid="e", via=TWO_HOPS)
    wire.answered(said, 200, to_tag="s")
    graph = topology_of(story.trace())
    ways = {data["volume"].way for _, _, data in graph.edges(data=True)}
    assert "not captured" in ways
    assert "client:sip:ann@example.com@" in graph
    assert volume(graph, "host:10.0.0.10", "host:10.0.0.20").messages == 4


def test_many_clients_are_drawn_as_groups_that_add_up() -> None:
    graph = crowd(40)
    few = condensed(graph, shown=5)
    clients = [data["node"] for _, data in few.nodes(data=True) if data["node"].kind == "client"]
    groups = [node for node in clients if node.members]
    assert len(clients) - len(groups) == 5
    assert sum(len(node.members) for node in groups) == 35
    assert len(groups) <= MAX_GROUPS
    assert groups[0].name.startswith("35 more clients of ")
    assert "p002" in {node.name for node in clients}, "errors come first"
    for way in ("connection", "dialogs", "room"):
        sums = [
            tuple(
                sum(getattr(data["volume"], field) for _, _, data in one.edges(data=True)
                    if data["volume"].way == way)
                for field in ("messages", "size", "errors")
            )
            for one in (graph, few)
        ]  # fmt: skip
        assert sums[0] == sums[1]
    assert set(condensed(graph, whole=("client", "room"), shown=5)) == set(graph)


def test_a_few_are_never_grouped() -> None:
    graph = crowd(6)
    assert condensed(graph, shown=5) is graph, "one more is no shorter as a group"


def test_nodes_are_placed_in_layers_the_same_each_time_and_not_on_one_another() -> None:
    graph = graph_of(FLOWS / "forked-lookup.pcap")
    places = placed(graph)
    assert places == placed(graph)
    assert len(set(places.values())) == len(places)
    for near, far in graph.edges():
        assert places[near][0] < places[far][0]
    layers = {LAYERS[data["node"].kind] for _, data in graph.nodes(data=True)}
    assert {x for x, _ in places.values()} == set(map(float, range(len(layers))))


def test_a_capture_without_messages_has_no_topology(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes((SAMPLES / "keepalive.pcap").read_bytes()[:24])
    assert len(graph_of(empty)) == 0
    assert placed(graph_of(empty)) == {}


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("10.0.0.1:5061", "10.0.0.1"),
        ("[2001:db8::1]:5061", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("fe1.contoso.com:5061", "fe1.contoso.com"),
        ("fe1", "fe1"),
        ("", ""),
    ],
)
def test_a_machine_is_known_without_its_port(address: str, host: str) -> None:
    assert host_of(address) == host
