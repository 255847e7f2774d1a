"""Posting: the five steps against the written truth, and what one change makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from analyzer.flows.posting import POSTING, posting_runs
from analyzer.meaning import outline
from analyzer.trace import open_capture
from tests.analyzer.flows.cuts import edited
from tests.analyzer.flows.room_stories import (
    ROOM,
    TOKEN_URI,
    Person,
    chanib,
    chanid,
    runs_of,
    statuses,
)
from tests.analyzer.stories import Story, cmd, rpl, uri
from tests.analyzer.truths import CAPTURES, FLOWS, name_of, named, truth_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.flows.values import FlowRun
    from analyzer.rows import Rows
    from analyzer.sessions.view import SessionView

TOLERANCE_MS = 0.2
OTHER = "ma-chan://example.com/2"
POSTED = [path for path in FLOWS if truth_of(path)["expects"]["postings"]]
SEARCH = '<qib qtype="BYNAME" criteria="" extended="false"/>'


def read(path: Path) -> tuple[list[FlowRun], Rows]:
    """Return the runs of a capture."""
    with open_capture(path) as trace:
        views = cast("Sequence[SessionView]", outline(trace).sessions)
        return posting_runs(trace, views), trace.rows


def frames_of(run: FlowRun) -> set[int]:
    """Return the frames that a run names."""
    return {frame for step in run.steps for frame in step.frames}


def matching(runs: list[FlowRun], truth: dict[str, Any]) -> FlowRun:
    """Return the run that a row of the truth is about, and take it away."""
    evidence = set(truth["evidence_frames"])
    for run in runs:
        if (run.user, run.room) == (truth["user"], truth["room"]) and evidence & frames_of(run):
            runs.remove(run)
            return run
    raise AssertionError(f"no run for {truth}")


@pytest.mark.parametrize("path", FLOWS, ids=name_of)
def test_the_steps_are_those_of_the_truth(path: Path) -> None:
    runs, _ = read(path)
    for truth in truth_of(path)["expects"]["postings"]:
        run = matching(runs, truth)
        assert run.outcome in {truth["outcome"], *truth["outcome_also"]}
        for step in run.steps:
            right = {truth["steps"][step.id], *truth["steps_also"].get(step.id, [])}
            assert step.status in right, step
    assert runs == []


@pytest.mark.parametrize("path", POSTED, ids=name_of)
def test_the_copies_are_those_of_the_truth(path: Path) -> None:
    runs, rows = read(path)
    for truth in truth_of(path)["expects"]["postings"]:
        run = matching(runs, truth)
        copies = {(one.user, one.echo): one for one in run.copies}
        assert len(copies) == len(run.copies) == len(truth["copies"])
        for expected in truth["copies"]:
            copy = copies[expected["user"], expected["echo"]]
            frame = None if copy.row is None else rows.frame[copy.row]
            assert frame == expected["copy_frame"]
            assert run.row is not None
            assert rows.frame[run.row] == expected["post_frame"]
            if expected["sent"]:
                assert copy.latency_ms == pytest.approx(expected["latency_ms"], abs=TOLERANCE_MS)


def test_two_users_get_every_post_of_each_other() -> None:
    runs, _ = read(named(CAPTURES, "twousers-post"))
    assert len(runs) == 2
    for run in runs:
        assert run.outcome == "complete"
        assert [one.echo for one in run.copies] == [True, False]
        assert all(one.row is not None and one.status == 200 for one in run.copies)


def test_a_refused_post_is_named_with_its_frame_and_the_next_one_is_delivered() -> None:
    runs, _ = read(named(CAPTURES, "fault-503"))
    assert [run.outcome for run in runs] == ["failed", "complete"]
    assert runs[0].steps[3].status == "failed"
    assert 57 in runs[0].steps[3].frames
    assert "503 Service Unavailable in frame 59" in runs[0].steps[3].detail
    assert runs[0].copies == ()
    assert runs[1].copies[0].echo


def test_an_unanswered_history_and_an_unacknowledged_post_are_missing() -> None:
    runs, _ = read(named(CAPTURES, "fault-no-reply"))
    assert statuses(runs[0]) == "ok ok missing missing missing"
    assert statuses(runs[1]).startswith("ok ok missing ok")
    assert 54 in runs[0].steps[3].frames
    assert [run.outcome for run in runs] == ["incomplete", "incomplete"]


def test_all_of_a_batch_is_used() -> None:
    (run,), rows = read(named(CAPTURES, "batch-mixed"))
    assert run.outcome == "complete"
    frames = [rows.frame[one.row] for one in run.copies if one.row is not None]
    assert sorted(frames) == [108, 110]


def test_two_users_of_one_call_id_are_not_mixed() -> None:
    runs, _ = read(named(CAPTURES, "callid-collision"))
    assert [run.outcome for run in runs] == ["complete", "complete"]
    assert [[one.user for one in run.copies] for run in runs] == [
        ["sip:user1@contoso.com", "sip:user2@contoso.com"],
        ["sip:user2@contoso.com", "sip:user1@contoso.com"],
    ]


def test_the_flow_is_the_document() -> None:
    assert [step.id for step in POSTING.steps] == ["1", "2", "3", "4", "5"]
    assert [step.phase for step in POSTING.steps] == [1, 2, 3, 4, 5]
    assert [need.step for step in POSTING.steps for need in step.needs] == ["1", "2", "2", "4"]


# one change at a time


def subscribed(story: Story) -> Person:
    """Return somebody who searched for a room, joined it and read its history."""
    ann = Person(story, "ann")
    ann.asks("chansrch", SEARCH, chanib())
    ann.joins(present="ann")
    ann.asks("bccontext", chanib(), chanib())
    return ann


def test_a_room_that_was_searched_joined_and_read() -> None:
    story = Story()
    subscribed(story).posts("hello")
    (run,) = runs_of(story)
    assert statuses(run) == "ok ok ok ok not-applicable"
    assert run.outcome == "complete"
    assert run.steps[0].time == run.started


def test_a_second_post_is_a_run_of_its_own_that_begins_with_itself() -> None:
    story = Story()
    ann = subscribed(story)
    ann.posts("one")
    ann.posts("two")
    first, second = runs_of(story)
    assert statuses(second) == statuses(first)
    assert first.started == first.steps[0].time
    assert second.started == second.steps[3].time


def test_a_room_joined_at_sign_in_needs_no_steps() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.signs_in_to(ROOM, OTHER, present="ann")
    ann.posts("hello")
    (run,) = runs_of(story)
    assert statuses(run) == "not-applicable not-applicable not-applicable ok not-applicable"


def test_a_join_before_the_capture_is_not_captured() -> None:
    story = Story()
    Person(story, "ann", late=True).posts("hello")
    (run,) = runs_of(story)
    assert statuses(run).startswith("not-captured not-captured not-captured ok")
    assert run.outcome == "complete"


def test_a_post_into_a_room_that_was_never_joined_lacks_its_join() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.joins(OTHER)
    ann.posts("hello")
    (run,) = runs_of(story)
    assert run.steps[1].status == "missing"


@pytest.mark.parametrize("wait", [500, 55_000])
def test_a_refused_post_that_is_repeated_is_one_run(wait: int) -> None:
    story = Story()
    ann = subscribed(story)
    refused = ann.posts("hello", status=503)
    story.wait(wait)
    ann.posts("hello")
    echo = ann.gets("hello", "ann")
    (run,) = runs_of(story)
    assert run.steps[3].status == "retried"
    assert run.outcome == "complete"
    assert refused + 1 in run.steps[3].frames
    assert [one.row for one in run.copies] == [echo]


def test_the_same_words_long_after_are_another_post() -> None:
    story = Story()
    ann = subscribed(story)
    ann.posts("hello", status=503)
    story.wait(61_000)
    ann.posts("hello")
    assert [run.outcome for run in runs_of(story)] == ["failed", "complete"]


def test_a_post_refused_every_time_is_one_failure() -> None:
    story = Story()
    ann = subscribed(story)
    for _ in range(3):
        ann.posts("hello", status=503)
    (run,) = runs_of(story)
    assert statuses(run) == "ok ok ok failed missing"
    assert run.outcome == "failed"


def test_the_same_words_twice_on_purpose_are_two_posts() -> None:
    story = Story()
    ann = subscribed(story)
    ann.posts("hello")
    ann.posts("hello")
    assert [run.outcome for run in runs_of(story)] == ["complete", "complete"]


def test_a_post_that_the_capture_does_not_see_answered_is_not_captured() -> None:
    story = Story()
    story.quiet_after_ms = 10
    subscribed(story).posts("hello", status=None)
    (run,) = runs_of(story)
    assert run.steps[3].status == "not-captured"
    assert run.outcome == "not-captured"


def test_a_post_whose_answer_is_lost_is_well_where_copies_came() -> None:
    story = Story()
    story.quiet_after_ms = 10
    ann = subscribed(story)
    ann.posts("hello", status=None)
    ann.gets("hello", "ann")
    (run,) = runs_of(story)
    assert run.steps[3].status == "ok"
    assert "copies of it came" in run.steps[3].detail


@pytest.mark.parametrize(("wait", "search"), [(10, "not-captured"), (40_000, "not-applicable")])
def test_a_search_may_lie_before_a_capture_that_begins_with_the_join(
    wait: int, search: str
) -> None:
    story = Story()
    ann = Person(story, "ann", late=True)
    ann.asks("getinv")
    story.wait(wait)
    ann.joins(present="ann")
    ann.posts("hello")
    (run,) = runs_of(story)
    assert statuses(run) == f"{search} ok not-applicable ok not-applicable"


@pytest.mark.parametrize("lost", [(120,), (120, 121)])
def test_a_copy_that_lies_in_a_hole_is_not_missing(lost: tuple[int, ...], tmp_path: Path) -> None:
    path = named(CAPTURES, "twousers-post")
    with edited(tmp_path, path, lambda frame: frame.number not in lost) as trace:
        views = cast("Sequence[SessionView]", outline(trace).sessions)
        run = next(run for run in posting_runs(trace, views) if run.user == "sip:user1@contoso.com")
    assert run.outcome == "complete"
    assert statuses(run) == "ok ok ok ok not-captured"
    assert [one.captured for one in run.copies if one.row is None] == [False] * len(lost)


def test_copies_of_a_repeated_post_may_be_of_either_attempt() -> None:
    story = Story()
    ann, bob = subscribed(story), Person(story, "bob")
    bob.joins(present="ann bob")
    ann.posts("hello", status=None)
    story.wait(2000)
    ann.posts("hello")
    copy = bob.gets("hello", "ann")
    (run,) = runs_of(story)
    assert run.steps[3].status == "retried"
    assert [one.row for one in run.copies] == [copy]


def test_a_join_that_was_refused_is_told_without_a_post() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.asks("chansrch", SEARCH, chanib())
    ann.asks("join", chanid(), "", code="403")
    (run,) = runs_of(story)
    assert statuses(run) == "ok failed missing missing missing"
    assert (run.outcome, run.room, run.row) == ("failed", ROOM, None)


def test_a_join_that_sip_refused_is_failed_with_its_answer() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.says(cmd("join", data=chanid()), status=603)
    (run,) = runs_of(story)
    assert run.steps[1].status == "failed"
    assert "603" in run.steps[1].detail


def test_a_room_refused_in_a_good_reply_is_failed() -> None:
    story = Story()
    ann = Person(story, "ann")
    refused = '<fib key="OPERATION_FAILED" domain="example.com" value="1"/>'
    ann.asks("join", chanid(), refused)
    (run,) = runs_of(story)
    assert run.steps[1].status == "failed"
    assert "OPERATION_FAILED" in run.steps[1].detail


def test_a_join_that_succeeds_when_tried_again_is_retried() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.says(cmd("join", data=chanid()), status=503)
    ann.joins(present="ann")
    ann.posts("hello")
    (run,) = runs_of(story)
    assert run.steps[1].status == "retried"
    assert run.outcome == "complete"


def test_reading_a_room_without_posting_is_no_run() -> None:
    story = Story()
    subscribed(story)
    assert runs_of(story) == []


def test_a_search_that_was_never_answered_is_told() -> None:
    story = Story()
    Person(story, "ann").asks("chansrch", SEARCH, None)
    (run,) = runs_of(story)
    assert statuses(run) == "missing missing missing missing missing"
    assert run.outcome == "incomplete"


def test_a_search_for_another_room_is_not_that_of_this_one() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.asks("chansrch", SEARCH, chanib(OTHER))
    ann.joins(present="ann")
    ann.posts("hello")
    (run,) = runs_of(story)
    assert statuses(run).startswith("not-applicable ok")


def test_a_slow_history_is_slow() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.joins(present="ann")
    envid = ann.says(cmd("bccontext", data=chanib()))
    story.wait(3500)
    ann.hears(rpl("bccontext", (envid, "1"), chanib()))
    ann.posts("hello")
    (run,) = runs_of(story)
    assert statuses(run) == "not-applicable ok slow ok not-applicable"
    assert run.steps[2].latency_ms == pytest.approx(3500, abs=10)


def test_a_post_before_the_join_was_answered_is_out_of_order() -> None:
    story = Story()
    ann = Person(story, "ann")
    envid = ann.says(cmd("join", data=chanid()))
    ann.posts("hello")
    ann.hears(rpl("join", (envid, "1"), chanib(present="ann")))
    (run,) = runs_of(story)
    assert run.steps[3].status == "out-of-order"
    assert run.outcome == "complete"


def test_a_token_that_was_refused_fails_the_step_though_the_post_went() -> None:
    story = Story()
    ann = subscribed(story)
    ann.asks("getfutok", f'<ftdb channelUri="{ROOM}" fileUrl="a.txt"/>', "", code="500")
    ann.posts("see ma-filelink://example.com/1/a.txt")
    (run,) = runs_of(story)
    assert statuses(run) == "ok ok ok failed not-applicable"
    assert run.outcome == "incomplete"


def test_a_token_that_never_came_is_told_without_a_post() -> None:
    story = Story()
    subscribed(story).gets_token(None)
    (run,) = runs_of(story)
    assert statuses(run) == "ok ok ok missing missing"


def test_a_token_and_no_upload_is_missing() -> None:
    story = Story()
    ann = subscribed(story)
    ann.gets_token()
    ann.posts("see ma-filelink://example.com/1/a.txt")
    (run,) = runs_of(story)
    assert run.steps[3].status == "missing"
    assert "no connection to web.example.com" in run.steps[3].detail
    assert run.outcome == "incomplete"


def test_a_token_and_no_upload_in_a_capture_with_holes_is_not_missing() -> None:
    story = Story()
    ann = subscribed(story)
    ann.gets_token(TOKEN_URI)
    story.hole(ann.wire)
    ann.posts("see ma-filelink://example.com/1/a.txt")
    (run,) = runs_of(story)
    assert run.steps[3].status == "ok"


def test_the_user_is_the_author_as_the_client_says() -> None:
    story = Story()
    subscribed(story).posts("hello")
    (run,) = runs_of(story)
    assert run.user == uri("ann")
    assert run.room == ROOM
