"""Copies: who got which post, when, and of whom that cannot be told."""

from __future__ import annotations

import time

import pytest

from tests.analyzer.flows.room_stories import ROOM, Person, chanib, chat, runs_of, statuses
from tests.analyzer.stories import MS, Story, rpl, uri


def told(run: object) -> list[tuple[str | None, bool, int | None, bool]]:
    """Return user, echo, row and whether it would be seen, of each copy."""
    return [(one.user, one.echo, one.row, one.captured) for one in run.copies]  # type: ignore[attr-defined]


def two() -> tuple[Story, Person, Person]:
    """Return a story with two people in a room."""
    story = Story()
    ann, bob = Person(story, "ann"), Person(story, "bob")
    bob.joins(present="bob")
    ann.joins(present="ann bob")
    return story, ann, bob


def test_every_member_has_a_row_the_author_first() -> None:
    story, ann, bob = two()
    post = ann.posts("hello")
    copy, echo = bob.gets("hello", "ann"), ann.gets("hello", "ann")
    (run,) = runs_of(story)
    assert told(run) == [(uri("ann"), True, echo, True), (uri("bob"), False, copy, True)]
    assert run.row == post
    assert [one.latency_ms for one in run.copies] == [(echo - post) * 1.0, (copy - post) * 1.0]
    assert [one.status for one in run.copies] == [200, 200]
    assert statuses(run) == "not-applicable ok not-applicable ok ok"


def test_a_member_without_a_copy_is_named() -> None:
    story, ann, bob = two()
    eva = Person(story, "eva")
    eva.joins(present="ann bob eva")
    ann.posts("hello")
    bob.gets("hello", "ann")
    (run,) = runs_of(story)
    assert told(run)[1:] == [(uri("eva"), False, None, True)]
    assert run.steps[4].status == "missing"
    assert uri("eva") in run.steps[4].detail
    assert run.outcome == "incomplete"


@pytest.mark.parametrize("how", ["part", "bye", "closed", "never"])
def test_who_is_not_in_the_room_needs_no_copy(how: str) -> None:
    story, ann, bob = two()
    if how == "part":
        bob.asks("part", chanib(), chanib())
    elif how == "bye":
        said = bob.wire.asks("BYE", "bob", "svc", call=bob.call, cseq=90, to_tag="s")
        bob.wire.answered(said, 200)
    elif how == "closed":
        bob.wire.ends = ("fin", "fin")
    else:
        story = Story()
        ann, bob = Person(story, "ann"), Person(story, "bob")
        ann.joins(present="ann")
        bob.joins("ma-chan://example.com/2", present="bob")
    story.wait(10_000)
    ann.posts("hello")
    (run,) = runs_of(story)
    assert run.copies == ()
    assert run.outcome == "complete"


def test_a_hole_in_the_connection_of_a_member_hides_a_copy() -> None:
    story, ann, bob = two()
    ann.posts("hello")
    story.hole(bob.wire, up=False)
    bob.gets("later", "ann")
    (run,) = runs_of(story)
    assert told(run) == [(uri("bob"), False, None, False)]
    assert run.steps[4].status == "not-captured"


def test_the_end_of_the_capture_hides_a_copy() -> None:
    story, ann, _ = two()
    story.quiet_after_ms = 100
    ann.posts("hello")
    (run,) = runs_of(story)
    assert [one.captured for one in run.copies] == [False]
    assert run.steps[4].status == "not-captured"


def test_a_member_since_before_the_capture_is_known_by_what_came() -> None:
    story = Story()
    bob, ann = Person(story, "bob", late=True), Person(story, "ann")
    ann.joins(present="ann bob")
    ann.posts("one")
    bob.gets("one", "ann")
    ann.posts("two")
    first, second = runs_of(story)
    assert first.steps[4].status == "ok"
    assert told(second) == [(uri("bob"), False, None, True)]


def test_without_another_connection_the_capture_cannot_tell() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.joins(present="ann bob")
    ann.posts("hello")
    ann.gets("hello", "ann")
    (run,) = runs_of(story)
    assert [one.echo for one in run.copies] == [True]
    assert run.steps[4].status == "not-captured"


def test_alone_in_a_room_there_is_nobody_to_get_a_copy() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.joins(present="ann")
    ann.posts("hello")
    (run,) = runs_of(story)
    assert run.steps[4].status == "not-applicable"


def test_posts_with_the_same_words_have_a_copy_each_in_order() -> None:
    story, ann, bob = two()
    ann.posts("ok")
    ann.posts("ok")
    copies = [bob.gets("ok", "ann"), bob.gets("ok", "ann")]
    assert [run.copies[0].row for run in runs_of(story)] == copies


def test_a_copy_after_a_lost_one_is_of_the_later_post() -> None:
    story, ann, bob = two()
    ann.posts("ok")
    story.wait(20_000)
    ann.posts("ok")
    copy = bob.gets("ok", "ann")
    assert [run.copies[0].row for run in runs_of(story)] == [None, copy]


def test_several_copies_in_one_message_are_all_used() -> None:
    story, ann, bob = two()
    texts = ["one", "two &amp; a half", "three"]
    for text in texts:
        ann.posts(text)
    row = bob.hears(
        rpl("bccontext", ("5", "1"), chanib()),
        *(chat(text.replace("&amp;", "&#38;"), "ann") for text in texts),
    )
    runs = runs_of(story)
    assert [run.copies[0].row for run in runs] == [row] * 3
    assert [run.steps[4].status for run in runs] == ["ok"] * 3


def test_the_words_of_others_and_of_other_rooms_are_no_copies() -> None:
    story, ann, bob = two()
    ann.posts("hello")
    bob.gets("hello", "eva")
    bob.gets("hello", "ann", room="ma-chan://example.com/2")
    (run,) = runs_of(story)
    assert told(run) == [(uri("bob"), False, None, True)]


def test_line_breaks_and_entities_are_compared_as_what_they_stand_for() -> None:
    story, ann, bob = two()
    ann.posts("a &lt; b\r\nsecond &#x20AC; line")
    copy = bob.gets("a &#60; b&#13;\nsecond € line", "ANN")
    (run,) = runs_of(story)
    assert run.copies[0].row == copy


def test_an_obsolete_dialog_counts_for_nothing_where_the_user_has_a_new_one() -> None:
    story, ann, bob = two()
    again = Person(story, "bob", 2)
    again.joins(present="ann bob")
    ann.posts("hello")
    bob.gets("hello", "ann", status=487)
    copy = again.gets("hello", "ann")
    (run,) = runs_of(story)
    assert [(one.row, one.status) for one in run.copies] == [(copy, 200)]
    assert run.steps[4].status == "ok"


def test_a_copy_that_its_receiver_refused_is_a_failure() -> None:
    story, ann, bob = two()
    ann.posts("hello")
    bob.gets("hello", "ann", status=481)
    (run,) = runs_of(story)
    assert run.steps[4].status == "failed"
    assert "481" in run.steps[4].detail


def test_a_late_copy_makes_the_step_slow() -> None:
    story, ann, bob = two()
    ann.posts("hello")
    story.wait(2500)
    bob.gets("hello", "ann")
    (run,) = runs_of(story)
    assert run.steps[4].status == "slow"
    assert run.outcome == "complete"


def test_an_author_without_an_echo_has_a_row_where_others_have_one() -> None:
    story, ann, bob = two()
    ann.posts("hello")
    bob.gets("hello", "ann")
    bob.posts("hi")
    ann.gets("hi", "bob")
    bob.gets("hi", "bob")
    first = next(run for run in runs_of(story) if run.user == uri("ann"))
    assert told(first)[0] == (uri("ann"), True, None, True)
    assert first.steps[4].status == "ok"


@pytest.mark.untraced
def test_the_same_words_again_and_again_take_no_time() -> None:
    story = Story(step_ms=0)
    people = [Person(story, chr(ord("a") + at)) for at in range(8)]
    for person in people:
        person.joins(present="a b")
    for _ in range(250):
        people[0].posts("ok")
        for person in people[1:]:
            person.gets("ok", "a", status=None)
        story.now += MS
    before = time.process_time()
    runs = runs_of(story)
    assert time.process_time() - before < 5
    assert sum(one.row is not None for run in runs for one in run.copies) == 250 * 7


def test_a_notice_tells_of_a_member_that_joined_before_the_capture() -> None:
    story = Story()
    bob, ann = Person(story, "bob", late=True), Person(story, "ann")
    ann.joins(present="ann")
    bob.asks("getinv")
    value = ROOM.rpartition("/")[2]
    ann.hears(
        f'<ntc id="ntc:join" seqid="1"><data><uib uri="{uri("bob")}" id="0">'
        f'<aib key="3984" domain="example.com" value="{value}"/></uib></data></ntc>'
    )
    ann.posts("hello")
    (run,) = runs_of(story)
    assert told(run) == [(uri("bob"), False, None, True)]
