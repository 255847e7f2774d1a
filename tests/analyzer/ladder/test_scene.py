"""Messages with their session, dialog, hop copies and partners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.ladder.scene import Scene
from analyzer.meaning import outline
from tests.analyzer.ladder.drawn import HOPS, RECORDED, TWO, opened
from tests.analyzer.truths import FLOWS, named

if TYPE_CHECKING:
    from analyzer.trace import Trace


def row_of(trace: Trace, frame: int) -> int:
    """Return the first message of a frame."""
    return trace.rows.frame.index(frame)


@pytest.fixture
def hops() -> Scene:
    return Scene(opened(HOPS))


def test_the_sightings_of_a_message_are_told_from_any_of_them(hops: Scene) -> None:
    first, second = row_of(hops.trace, 28), row_of(hops.trace, 30)
    assert (hops.origin(first), hops.origin(second)) == (first, first)
    assert list(hops.seen(first)) == [first, second]
    assert hops.ways(first) == [[first, second]]


def test_of_a_reply_that_passed_the_front_end_the_last_sighting_is_nearest(hops: Scene) -> None:
    inner, outer = row_of(hops.trace, 43), row_of(hops.trace, 44)
    assert hops.origin(outer) == inner
    assert hops.nearest(inner) == outer


def test_the_branches_of_a_forked_invite_are_ways_of_their_own() -> None:
    scene = Scene(opened(named(FLOWS, "forked-lookup")))
    rows = [row_of(scene.trace, frame) for frame in (29, 32, 31, 33)]
    assert scene.ways(rows[0]) == [[rows[0], rows[1]], [rows[2]], [rows[3]]]


def test_a_message_leads_to_its_transaction_and_to_all_hops_of_it(hops: Scene) -> None:
    found = hops.related([row_of(hops.trace, 39)])
    assert sorted({hops.rows.frame[row] for row in found}) == [38, 39, 40, 42]


@pytest.mark.parametrize("frame", [31, 33])
def test_command_and_reply_lead_to_one_another_and_to_their_answers(frame: int) -> None:
    scene = Scene(opened(RECORDED))
    (row,) = [
        row
        for row in range(len(scene.rows))
        if scene.rows.frame[row] == frame and scene.rows.items[row]
    ]
    assert {scene.rows.frame[one] for one in scene.exchanges([row])} == {31, 32, 33, 35}


def test_the_client_sends_requests_and_answers_alike() -> None:
    scene = Scene(opened(RECORDED))
    frames = {4: True, 6: False, 32: False, 33: False, 35: True}
    for frame, sent in frames.items():
        assert scene.from_client(row_of(scene.trace, frame)) is sent


def test_messages_of_one_session_narrow_the_scene_to_it() -> None:
    scene = Scene(opened(TWO))
    mine = [row for row, place in scene.places.items() if place.view.index == 1]
    assert scene.sessions is None
    assert scene.narrowed(scene.places) is scene
    assert scene.narrowed(mine).sessions == [1]
    assert scene.narrowed(()).sessions == []


def test_a_leg_behind_the_front_end_alone_is_known_by_its_vias(hops: Scene) -> None:
    (view,) = outline(hops.trace).sessions
    dialogs = hops.views[view.index].dialogs
    assert not any(hops.proxied(dialog) for dialog in dialogs)
