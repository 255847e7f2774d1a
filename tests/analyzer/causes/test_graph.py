"""The causal graph: what each kind of edge joins, and that nothing is caused by what came later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast, get_args

import pytest

from analyzer.causes import graph as graphs
from analyzer.causes.graph import EdgeKind, causes_of, receivers
from analyzer.meaning import analyse
from tests.analyzer.causes.told import flow, opened
from tests.analyzer.stories import Story, Wire
from tests.analyzer.truths import FLOWS, name_of
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.causes.graph import Graph
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

every_flow = pytest.mark.parametrize("path", FLOWS, ids=name_of)


def graph_of(path: Path, session: int = 0) -> tuple[Trace, Graph]:
    trace, views, runs = opened(path)
    return trace, causes_of(trace, views[session], runs)


def edges(graph: Graph, kind: EdgeKind) -> list[tuple[str, str]]:
    """Return the edges of a kind, by the texts of what they join."""
    nodes = graph.nodes
    return [
        (nodes[effect]["text"], nodes[cause]["text"])
        for effect, cause, data in graph.edges(data=True)
        if data["kind"] == kind
    ]


@every_flow
def test_nothing_is_caused_by_what_came_later(path: Path) -> None:
    trace, views, runs = opened(path)
    for view in views:
        graph = causes_of(trace, view, runs)
        kinds = {data["kind"] for _, _, data in graph.edges(data=True)}
        assert kinds <= set(get_args(EdgeKind))
        assert {"answer", "sequence"} <= kinds
        assert all(data["wait_ms"] >= 0 for _, _, data in graph.edges(data=True))
        nodes = graph.nodes
        assert all(trace.rows.frame[row] == nodes[row]["frame"] for row in graph if row >= 0)


@every_flow
def test_every_final_answer_leads_to_its_request(path: Path) -> None:
    trace, views, _ = opened(path)
    view = views[0]
    graph = causes_of(trace, view)
    finals = [
        row
        for row in graph
        if trace.rows.status[row] >= 200 and view.found.request[view.found.of[row]] >= 0
    ]
    assert finals
    for row in finals:
        leaving = graph.out_edges(row, data=True)
        asked = [to for _, to, data in leaving if data["kind"] == "answer"]
        assert asked == [view.found.request[view.found.of[row]]]


def test_a_reply_leads_to_its_command() -> None:
    _, graph = graph_of(flow("r2-signin-full"))
    replies = edges(graph, "reply")
    assert ("rpl:requri", "requri") in replies
    assert ("rpl:getserverinfo", "getserverinfo") in replies or (
        "rpl:getservinfo",
        "getserverinfo",
    ) in replies
    assert sum(asked == "bjoin" for _, asked in replies) == 3


def test_a_request_signed_anew_is_a_retry_of_the_challenged_one() -> None:
    _, graph = graph_of(flow("r2-signin-full"))
    assert edges(graph, "retry") == [("REGISTER", "REGISTER")] * 2


def test_a_repeated_command_is_a_retry_of_the_refused_one() -> None:
    _, graph = graph_of(flow("retry-503-succeeds"))
    assert edges(graph, "retry").count(("bjoin", "bjoin")) == 1


def test_the_channel_invite_comes_from_what_requri_brought() -> None:
    _, graph = graph_of(flow("r2-signin-full"))
    learned = edges(graph, "learned")
    assert ("INVITE to Channel", "rpl:requri") in learned
    assert any(effect == "bjoin" and "rpl:getpref" in cause for effect, cause in learned)


def test_without_lookup_the_channel_invite_comes_from_provisioning() -> None:
    trace, graph = graph_of(flow("lync2013-signin"))
    (told,) = [
        to
        for effect, to, data in graph.edges(data=True)
        if data["kind"] == "learned" and graph.nodes[effect]["text"] == "INVITE to Channel"
    ]
    assert b"PersistentChatPoolUri" in trace.raw(told)


def test_a_post_leads_to_what_named_the_room_and_to_its_copies() -> None:
    path = flow("r2-post-full")
    truth = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    (posting,) = truth["expects"]["postings"]
    trace, graph = graph_of(path, session=1)
    assert ("join", "rpl:chansrch") in edges(graph, "learned")
    post = next(row for row in graph if trace.rows.frame[row] == posting["copies"][0]["post_frame"])
    found = [(user, trace.rows.frame[row]) for user, row, _ in receivers(graph, post)]
    assert found == [(copy["user"], copy["copy_frame"]) for copy in posting["copies"]]
    waits = [wait for _, _, wait in receivers(graph, post)]
    assert waits == pytest.approx([copy["latency_ms"] for copy in posting["copies"]], abs=0.2)


def test_an_upload_comes_from_its_token() -> None:
    trace, graph = graph_of(flow("r2-post-full"), session=1)
    (upload,) = [node for node in graph if graph.nodes[node]["kind"] == "connection"]
    (token,) = graph.successors(upload)
    assert upload == -graph.nodes[upload]["frame"]
    assert graph.nodes[token]["text"] == "rpl:getftok"
    assert graph.edges[upload, token]["kind"] == "learned"
    assert trace.rows.time[token] <= graph.nodes[upload]["time"]


def test_of_a_message_on_two_hops_only_the_one_near_the_client_is_a_node() -> None:
    trace, views, _ = opened(SAMPLES / "fe-two-hops.pcapng")
    view = views[0]
    graph = causes_of(trace, view)
    copies = {row for dialog in view.dialogs for row in dialog.copies}
    assert copies
    assert not copies & set(graph)
    assert ("rpl:bjoin", "bjoin") in edges(graph, "reply")


def test_a_redirected_register_comes_from_the_redirect() -> None:
    story = Story()
    director, pool = story.connect(), story.connect("10.0.0.1:50001", "10.0.0.8:5060")
    first = director.asks("REGISTER", "ann", "ann", call="r1", epid="e1")
    director.answered(first, 301, "Moved", Contact="<sip:10.0.0.8:5060;transport=tcp>")
    _registered(pool, "r2")
    trace = story.trace()
    (view,) = cast("tuple[SessionView, ...]", analyse(trace).sessions)
    graph = causes_of(trace, view)
    assert edges(graph, "redirect") == [("REGISTER", "301 Moved (REGISTER)")]


def _registered(wire: Wire, call: str) -> None:
    said = wire.asks("REGISTER", "ann", "ann", call=call, epid="e1", from_tag="b")
    wire.answered(said, 200, to_tag="s")


def test_a_graph_is_bounded_and_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    trace, views, _ = opened(flow("r2-signin-full"))
    whole = causes_of(trace, views[0])
    monkeypatch.setattr(graphs, "MAX_MESSAGES", 10)
    cut = causes_of(trace, views[0])
    assert whole.graph["cut"] == 0
    assert (len(cut), cut.graph["cut"]) == (10, len(whole) - 10)
