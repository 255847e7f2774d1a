"""The critical path: an unbroken chain of waits that adds up to the whole sign-in."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from analyzer.causes.path import Path as CriticalPath
from analyzer.causes.path import critical_path
from tests.analyzer.causes.told import flow, opened, sign_in
from tests.analyzer.truths import FLOWS, PLAIN, name_of

if TYPE_CHECKING:
    from pathlib import Path


def path_of(path: Path) -> CriticalPath:
    trace, views, _ = opened(path)
    return critical_path(trace, views[0], sign_in(path))


@pytest.mark.parametrize("path", [*FLOWS, *PLAIN], ids=name_of)
def test_the_waits_follow_one_another_and_add_up(path: Path) -> None:
    found = path_of(path)
    waits = found.waits
    assert waits
    assert all(before.to_frame == after.from_frame for before, after in pairwise(waits))
    assert sum(wait.ms for wait in waits) == pytest.approx(found.ms)
    assert sum(wait.share for wait in waits) == pytest.approx(1.0)
    largest = [wait for wait in waits if wait.largest]
    assert largest
    assert all(wait.ms == max(one.ms for one in waits) for wait in largest)


@pytest.mark.parametrize("path", FLOWS, ids=name_of)
def test_a_path_begins_with_the_first_register_unless_the_capture_has_gaps(path: Path) -> None:
    _, views, _ = opened(path)
    view, found = views[0], path_of(path)
    assert found.whole is (not view.late and view.gaps is None)
    if found.whole:
        assert found.started == view.registrations[0].dialog.started


def test_a_path_goes_back_to_a_hole_and_no_further() -> None:
    found = path_of(flow("hole-in-the-middle"))
    assert not found.whole
    assert found.waits[0].from_frame > 53


def test_a_slow_answer_is_the_largest_wait_with_its_share() -> None:
    found = path_of(flow("slow-signin"))
    (largest,) = [wait for wait in found.waits if wait.largest]
    assert (largest.party, largest.what) == ("lookup", "requri: rpl:requri")
    assert largest.ms > 9000
    assert 0.8 < largest.share < 0.95
    assert (largest.from_frame, largest.to_frame) == (40, 44)


def test_the_pause_before_a_repetition_is_the_clients() -> None:
    found = path_of(flow("retry-503-succeeds"))
    (largest,) = [wait for wait in found.waits if wait.largest]
    assert (largest.party, largest.what) == ("client", "before bjoin")
    assert any(wait.what == "bjoin: 503 Service Unavailable" for wait in found.waits)


def test_a_path_ends_where_the_sign_in_stopped() -> None:
    found = path_of(flow("lookup-404"))
    assert found.waits[-1].what == "INVITE to Lookup: 404 Not Found"
    assert found.waits[-1].party == "lookup"
    assert not found.done


def test_a_path_of_a_late_capture_begins_with_its_first_message() -> None:
    found = path_of(flow("late-start"))
    assert not found.whole
    assert found.waits[0].from_frame == 1


def test_a_sign_in_of_which_nothing_is_captured_has_no_path() -> None:
    path = flow("lookup-404")
    trace, views, _ = opened(path)
    run = sign_in(path)
    bare = tuple(step._replace(frames=()) for step in run.steps)
    found = critical_path(trace, views[0], replace(run, steps=bare))
    assert found == CriticalPath(None, 0.0, (), whole=False, done=False)
