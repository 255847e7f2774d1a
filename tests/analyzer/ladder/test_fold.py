"""Folding: what says the same many times stands once, and nothing of it is lost."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.ladder.fold import fold_answers, fold_repeats, kept, worst
from analyzer.ladder.values import Arrow, Event, Hop, Note
from tests.analyzer.ladder.drawn import HOPS, MODEL, RECORDED, drawn, frame, labels, opened
from tests.analyzer.truths import FLOWS, named

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBERS = count()
MS = 1_000_000


def arrow(label: str, **more: object) -> Arrow:
    number = next(NUMBERS)
    status = int(label[:3]) if label[:3].isdigit() else None
    given = {
        "kind": "request" if status is None else "response",
        "status": status,
        "rows": (number,),
        "frames": (number + 100,),
        **more,
    }
    return Arrow(
        source=0,
        target=1,
        label=label,
        text=label,
        time=number * MS,
        frame=number + 100,
        **given,  # type: ignore[arg-type]
    )


def repeats(events: Sequence[Event], steps: Sequence[object] = ()) -> list[str]:
    """Return the labels of what is left after folding."""
    found = fold_repeats(events, dict(enumerate(steps)))
    assert len(found) == len(events)
    return [one.label for _, one in kept(found)]


def test_like_arrows_that_follow_one_another_become_one() -> None:
    events = [arrow("A"), arrow("A"), arrow("A"), arrow("B"), arrow("A")]
    assert repeats(events) == ["A ×3", "B", "A"]


def test_a_folded_arrow_has_all_rows_frames_and_hops_and_the_longest_wait() -> None:
    def hop(row: int) -> Hop:
        return Hop(row, row, "a:1", "b:2", row)

    events = [
        arrow("A", hops=(hop(51),), latency_ms=2.0, latency_of="x in frame 1"),
        arrow("A", hops=(hop(50),), latency_ms=9.0, latency_of="x in frame 2"),
        arrow("A"),
    ]
    (folded, *rest) = fold_repeats(events, {})
    assert isinstance(folded, Arrow)
    assert rest == [None, None]
    assert folded.rows == tuple(row for one in events for row in one.rows)
    assert folded.frames == tuple(number for one in events for number in one.frames)
    assert folded.hops == (hop(50), hop(51))
    assert (folded.latency_ms, folded.latency_of) == (9.0, "x in frame 2")
    assert (folded.count, folded.time, folded.until) == (3, events[0].time, events[2].time)
    assert folded.text == "3 times, the first: A"


def test_exchanges_of_two_to_four_are_folded_each_message_with_its_likes() -> None:
    for width in (2, 3, 4):
        exchange = "ABCD"[:width]
        found = repeats([arrow(label) for label in exchange * 3])
        assert found == [f"{label} ×3" for label in exchange]
    assert repeats([arrow(label) for label in "ABCDE" * 2]) == list("ABCDE" * 2)


def test_what_differs_in_anything_that_is_shown_is_not_folded() -> None:
    plain = arrow("A")
    others = [
        arrow("A", via=(2,)),
        arrow("A", session=3),
        arrow("A", heat="slow"),
        arrow("A", status=200, kind="response"),
    ]
    for other in others:
        assert repeats([plain, other]) == ["A", "A"]
    assert repeats([plain, arrow("A")], ["step 1", "step 2"]) == ["A", "A"]


def test_what_is_notable_stays_alone() -> None:
    for more in ({"tone": "bad"}, {"tone": "doubtful"}, {"marks": ("retry",)}):
        assert repeats([arrow("A", **more), arrow("A", **more)]) == ["A", "A"]
    assert repeats([arrow("401 Unauthorized"), arrow("401 Unauthorized")]) == [
        *("401 Unauthorized", "401 Unauthorized")
    ]


def test_a_note_between_likes_keeps_them_apart() -> None:
    note = Note("hole", (), "hole", "", 0, ())
    assert repeats([arrow("A"), note, arrow("A")]) == ["A", "hole", "A"]


def test_arrows_of_several_dialogs_have_no_call_id() -> None:
    same = fold_repeats([arrow("A", call_id="1"), arrow("A", call_id="1")], {})[0]
    other = fold_repeats([arrow("A", call_id="1"), arrow("A", call_id="2")], {})[0]
    assert isinstance(same, Arrow)
    assert isinstance(other, Arrow)
    assert (same.call_id, other.call_id) == ("1", None)


@settings(max_examples=80, deadline=None)
@given(st.text("ABC", max_size=40))
def test_folding_loses_nothing_and_keeps_order(text: str) -> None:
    events = [arrow(label) for label in text]
    found = [one for _, one in kept(fold_repeats(events, {})) if isinstance(one, Arrow)]
    assert sorted(row for one in found for row in one.rows) == [one.rows[0] for one in events]
    assert [one.time for one in found] == sorted(one.time for one in found)
    assert all(one.count == len(one.rows) for one in found)


def test_a_long_run_of_nearly_alike_exchanges_takes_no_longer_for_each() -> None:
    events = [arrow("ABB"[at % 3]) for at in range(6000)]
    assert len(repeats(events)) == 4000


# Answers


def test_a_success_goes_into_its_request_with_its_rows_frames_and_hops() -> None:
    hop = Hop(70, 70, "a:1", "b:2", 70)
    asked, other = arrow("INFO"), arrow("BYE")
    answer = arrow("200 OK", latency_ms=1.5, hops=(hop,))
    found = fold_answers([asked, other, answer], lambda _: asked.rows[0])
    assert found[1:] == [other, None]
    folded = found[0]
    assert isinstance(folded, Arrow)
    assert folded.answer is not None
    assert (folded.answer.status, folded.answer.text) == (200, "200 OK")
    assert (folded.answer.row, folded.answer.latency_ms) == (answer.rows[0], 1.5)
    assert folded.rows == (*asked.rows, *answer.rows)
    assert folded.frames == (*asked.frames, *answer.frames)
    assert folded.hops == (hop,)


def test_what_is_notable_about_an_answer_stays_visible() -> None:
    asked = arrow("INFO")
    for answer in (
        arrow("503 Busy"),
        arrow("100 Trying"),
        arrow("200 OK", heat="slow"),
        arrow("200 OK", marks=("repeated answer",)),
    ):
        assert fold_answers([asked, answer], lambda _: asked.rows[0]) == [asked, answer]


def test_an_answer_without_its_request_stays() -> None:
    answer = arrow("200 OK")
    assert fold_answers([answer], lambda _: None) == [answer]
    assert fold_answers([answer], lambda _: 10_000) == [answer]


def test_only_the_first_of_two_answers_is_folded() -> None:
    asked, first, second = arrow("INFO"), arrow("200 OK"), arrow("200 OK")
    found = fold_answers([asked, first, second], lambda _: asked.rows[0])
    assert found[1:] == [None, second]


def test_the_worst_of_tones_is_told() -> None:
    assert worst("good", "plain") == "good"
    assert worst("plain", "bad", "doubtful") == "bad"


# In captures


def test_repeated_replies_of_a_capture_are_folded_and_can_be_seen_one_by_one() -> None:
    assert "INFO rpl:bjoin 200 ×3" in labels(drawn(MODEL))
    assert labels(drawn(MODEL, fold=False)).count("INFO rpl:bjoin 200") == 3


def test_all_successes_of_a_capture_go_into_their_requests() -> None:
    for path in (RECORDED, MODEL, HOPS):
        plain = drawn(path, fold_answers=True, fold=False)
        left = [one for one in plain.arrows if one.status in range(200, 300)]
        assert [one for one in left if one.heat == "quick"] == []
        assert frame(plain, 4).kind == "request" or path == MODEL


def test_exchanges_that_repeat_are_folded_once_their_answers_are() -> None:
    path = named(FLOWS, "overload-503-burst")
    unfolded = drawn(path, fold=False, fold_answers=True)
    folded = drawn(path, fold_answers=True)
    assert len(folded.arrows) <= len(unfolded.arrows)
    assert len([one for one in folded.arrows if one.status == 503]) == 6
    assert len(opened(path).rows) == sum(len(one.rows) for one in folded.arrows)
