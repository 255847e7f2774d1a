"""The verdict in words: what it says of healthy, broken and badly captured sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from analyzer.flows.runs import flows_of
from analyzer.flows.signin import sign_in_runs
from analyzer.flows.values import Copy
from analyzer.meaning import outline
from analyzer.narrative.names import names_of
from analyzer.narrative.posts import delivery, seconds_text
from analyzer.narrative.verdict import summary_of
from tests.analyzer.causes.told import flow, opened
from tests.analyzer.flows.room_stories import Person, traced
from tests.analyzer.flows.sign_in_stories import SignIn
from tests.analyzer.stories import Story
from tests.analyzer.truths import FLOWS, PLAIN, name_of
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView


def told(path: Path) -> list[str]:
    _, views, runs = opened(path)
    names = names_of(views)
    return [summary_of(view, runs, names) for view in views]


def posting(path: Path, at: int = 0) -> FlowRun:
    runs = [run for run in opened(path)[2] if run.flow == "posting" and run.row is not None]
    return runs[at]


def test_a_healthy_sign_in_is_told_with_time_span_and_rooms() -> None:
    assert told(flow("r2-signin-full")) == ["hiro signed in at 13:51:44 in 1.58 s; 5 rooms joined"]


def test_a_refused_room_is_named() -> None:
    (text,) = told(flow("partial-join"))
    assert "; 4 of 5 rooms joined, *0560c303-9dc9-45d6-b571-7c254e63d326* refused" in text
    assert text.count("refused") == 1


def test_a_slow_step_is_told_with_its_time() -> None:
    (text,) = told(flow("slow-signin"))
    assert "in 10.82 s, step 5 (requri: Channel URI) took 9.41 s;" in text


def test_a_retried_step_is_told() -> None:
    (text,) = told(flow("retry-503-succeeds"))
    assert "step 9 (bjoin: rooms joined before) retried; 4 rooms joined" in text


def test_a_sign_in_that_stopped_is_told_with_the_answer_and_what_did_not_follow() -> None:
    (text,) = told(flow("lookup-404"))
    assert "but step 4 (INVITE to Lookup) failed: INVITE to sip:ocschat@northwind.example" in text
    assert "404 Not Found (4005 " in text
    assert "(frame 38)" in text
    assert text.endswith("steps 5 to 10 did not follow")


def test_an_unanswered_join_is_no_joined_room() -> None:
    (text,) = told(flow("missing-reply"))
    assert "step 9 (bjoin: rooms joined before) was not completed" in text
    assert text.endswith("; no room joined")


def test_what_a_late_capture_does_not_have_is_not_captured() -> None:
    (text,) = told(flow("late-start"))
    assert text.startswith(
        "chandra was signed in before the capture began, steps 2 to 6 not captur"
    )
    assert "missing" not in text


def test_holes_are_said_and_no_step_is_called_missing() -> None:
    (text,) = told(flow("hole-in-the-middle"))
    assert "steps 7 and 8 not captured" in text
    assert "not all of it is captured (frames are missing from the capture before frame 53)" in text
    assert "is missing" not in text


def test_a_lost_post_is_told_with_its_frame() -> None:
    (text,) = told(SAMPLES / "fault-503.pcap")
    assert "; 1 post answered 503 and lost (frame 57); 1 post accepted" in text


def test_an_unacknowledged_post_is_told_with_its_frame() -> None:
    (text,) = told(SAMPLES / "fault-no-reply.pcap")
    assert "; 1 post never answered (frame 54);" in text


def test_a_post_that_a_member_did_not_get_is_told_first() -> None:
    text = told(flow("fanout-missing"))[0]
    lost, good = text.split("; ")[2:4]
    assert lost == "1 post accepted, delivered to 1 of 2 members (frame 453)"
    assert good == "1 post accepted, delivered to all 2 members"


def test_an_upload_that_never_came_is_told() -> None:
    (text,) = told(flow("token-no-upload"))
    assert "1 post accepted without the upload of its file" in text


def test_the_end_of_a_dialog_is_told() -> None:
    assert told(flow("session-expired"))[0].endswith("disconnected by the service at 17:10:07")
    assert told(flow("stale-duplicate-dialog"))[0].endswith("lost at 14:23:36 (487)")


def test_a_session_without_runs_claims_nothing() -> None:
    _, views, _ = opened(flow("r2-signin-full"))
    text = summary_of(views[0], (), names_of(views))
    assert text.startswith("hiro was active from 13:51:44")


@pytest.mark.parametrize("path", [*FLOWS, *PLAIN], ids=name_of)
def test_every_session_has_one_short_verdict(path: Path) -> None:
    for text in told(path):
        assert text == text.strip()
        assert "None" not in text
        assert 10 < len(text) < 500


def _copy(*, row: int | None, echo: bool = False, captured: bool = True, ms: float = 1.0) -> Copy:
    latency = None if row is None else ms
    return Copy("sip:bob@example.com", 1, echo, row, latency, captured, 200)


@pytest.mark.parametrize(
    ("copies", "text"),
    [
        ((_copy(row=1), _copy(row=2), _copy(row=None)), "delivered to 2 of 3 members"),
        ((_copy(row=1), _copy(row=None, captured=False)), "delivered to the other member"),
        ((_copy(row=None), _copy(row=None)), "delivered to none of 2 members"),
        ((_copy(row=1, ms=2600.0),), "delivered to the other member (the last after 2.6 s)"),
        ((_copy(row=1), _copy(row=None, echo=True)), "delivered to the other member, no echo"),
        ((_copy(row=1, echo=True),), "echoed to the author, copies to members not captured"),
    ],
)
def test_delivery_counts_only_members_whose_connection_is_captured(
    copies: tuple[Copy, ...], text: str
) -> None:
    run = posting(flow("lync2013-signin"))
    assert ", ".join(delivery(replace(run, copies=copies))) == text


def verdicts(story: Story) -> list[str]:
    trace = traced(story)
    views = cast("Sequence[SessionView]", outline(trace).sessions)
    runs = flows_of(trace)
    return [summary_of(view, runs, names_of(views)) for view in views]


def test_a_post_that_was_refused_and_repeated_is_one_post_with_its_copies() -> None:
    story = Story()
    ann, bob, eve = (Person(story, name) for name in ("ann", "bob", "eve"))
    for one in (ann, bob, eve):
        one.joins(present="ann bob eve")
    ann.posts("hello", status=503)
    story.wait(5000)
    ann.posts("hello")
    ann.gets("hello", "ann")
    bob.gets("hello", "ann")
    (text, *_) = verdicts(story)
    assert "; 1 post answered 503, retried after 5 s, delivered to 1 of 2 members (frame" in text


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ((503, 503), "1 post answered 503, retried after 501 ms, answered 503 again and lost"),
        ((503, None), "1 post answered 503, retried after 501 ms and never answered"),
        ((None, 200), "1 post unanswered at first, retried after 501 ms"),
        ((None,), "1 post never answered"),
        ((200,), "1 post accepted"),
    ],
)
def test_every_attempt_at_a_post_is_told(answers: tuple[int | None, ...], text: str) -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.joins(present="ann")
    for at, status in enumerate(answers):
        if at:
            story.wait(500)
        ann.posts("hello", status=status)
    assert f"; {text}" in verdicts(story)[0]


def test_a_sign_in_that_starts_again_is_told_again() -> None:
    talk = SignIn()
    talk.registers(401)
    talk.looks_up()
    talk.enters()
    talk.commands("getinv", status=481)
    talk.looks_up()
    talk.enters()
    view = talk.view()
    text = summary_of(view, sign_in_runs(view), names_of([view]))
    assert "; started again: connected to Group Chat at " in text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(5_000_000_000, "5 s"), (2_500_000_000, "2.5 s"), (120_000_000, "120 ms")],
)
def test_a_wait_is_said_as_a_person_does(nanoseconds: int, text: str) -> None:
    assert seconds_text(nanoseconds) == text
