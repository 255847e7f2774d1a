"""What one failed step took down with it, and that healthy captures lose nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.causes.consequences import Loss, consequences_of, steps_graph
from analyzer.flows.posting import POSTING
from analyzer.flows.signin import SIGN_IN
from tests.analyzer.causes.told import flow, opened
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTED = {flow.name: flow for flow in (SIGN_IN, POSTING)}


def losses(path: Path) -> list[Loss]:
    _, views, runs = opened(path)
    return [loss for view in views for loss in consequences_of(view, runs, DOCUMENTED)]


def ids(loss: Loss) -> list[str]:
    return [step.id for step in loss.steps]


def test_steps_build_on_what_they_need() -> None:
    graph = steps_graph(SIGN_IN)
    assert graph.has_edge("5", "6")
    assert not graph.has_edge("6", "5")
    assert set(graph) == {step.id for step in SIGN_IN.steps}


def test_a_refused_lookup_takes_all_that_follows_with_it() -> None:
    (loss,) = losses(flow("lookup-404"))
    assert (loss.flow, loss.step.id) == ("sign-in", "4")
    assert ids(loss) == ["5", "6", "7", "8", "9", "10"]
    trace, _, _ = opened(flow("lookup-404"))
    assert 38 in [trace.rows.frame[row] for row in loss.rows]


def test_refused_preferences_take_the_rooms_with_them() -> None:
    (loss,) = losses(flow("overload-503-burst"))
    assert loss.step.id == "8"
    assert ids(loss) == ["9", "10"]


def test_a_refused_room_is_lost_and_no_step() -> None:
    (loss,) = losses(flow("partial-join"))
    assert (loss.step.id, ids(loss), len(loss.rooms)) == ("9", [], 1)


def test_an_unanswered_join_loses_its_rooms() -> None:
    (loss,) = losses(flow("missing-reply"))
    assert loss.step.id == "9"
    assert loss.rooms


def test_a_post_that_was_refused_is_lost() -> None:
    trace, _, _ = opened(SAMPLES / "fault-503.pcap")
    (loss,) = losses(SAMPLES / "fault-503.pcap")
    assert (loss.flow, loss.step.id) == ("posting", "4")
    assert [trace.rows.frame[row] for row in loss.posts] == [57]


@pytest.mark.parametrize(
    "name",
    ["r2-signin-full", "r2-post-full", "lync2013-signin", "retry-503-succeeds"],
)
def test_what_went_well_in_the_end_lost_nothing(name: str) -> None:
    assert losses(flow(name)) == []
