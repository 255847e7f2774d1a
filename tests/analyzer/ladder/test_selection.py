"""What each way of choosing finds, and what is said where it finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from analyzer.ladder.selection import Choice, choose
from analyzer.named import MAX_FRAME, parse_frames
from analyzer.query import Query, Selection
from analyzer.times import parse_typed_time
from tests.analyzer.ladder.drawn import HOPS, MODEL, POST, RECORDED, TWO, drawn, opened
from tests.analyzer.truths import FLOWS, named

if TYPE_CHECKING:
    from pathlib import Path

ROOM = "ma-chan://contoso.com/be1f1c53-1f5c-4a9c-9c0e-5c8b1f3d2a11"


def frames(path: Path, **choice: Any) -> set[int]:  # noqa: ANN401  (fields by name)
    """Return the frames that complete the chosen messages."""
    trace = opened(path)
    found = choose(trace, Choice(**choice))
    return {trace.rows.frame[row] for row in found.rows}


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("4", ((4, 4),)),
        ("4, 6 ,8-13", ((4, 4), (6, 6), (8, 13))),
        ("20-", ((20, MAX_FRAME),)),
        ("-7", ((0, 7),)),
        ("9" * 30, ((int("9" * 19), int("9" * 19)),)),
    ],
)
def test_frames_are_numbers_and_spans(text: str, spans: object) -> None:
    assert parse_frames(text) == spans


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no frame is given"),
        (" , ", "no frame is given"),
        ("x", "'x' is not a frame"),
        ("-", "'-' is not a frame"),
        ("4-x", "'4-x' is not a frame"),
        ("9-4", "'9-4' ends before it begins"),
        ("²", "'²' is not a frame"),
    ],
)
def test_what_is_no_frame_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_frames(text)


def test_frames_choose_the_messages_that_they_bring_bytes_of() -> None:
    assert frames(RECORDED, frames=((4, 6), (5, 7), (31, 31))) == {4, 6, 31}
    rows = opened(MODEL).rows
    split = next(row for row in range(len(rows)) if len(rows.frames(row)) > 1)
    first = rows.frames(split)[0]
    assert frames(MODEL, frames=((first, first),)) == {rows.frame[split]}


def test_a_message_is_chosen_by_any_of_its_sightings() -> None:
    assert frames(HOPS, frames=((30, 30),)) == {28}


def test_a_time_without_a_day_is_one_of_the_first_day_of_the_capture() -> None:
    begin, end = parse_typed_time("06:08:21.741"), parse_typed_time("06:08:21.843")
    expected = {37, 39, 40, 42, 46, 48, 49, 51, 52, 53, 55}
    assert frames(RECORDED, from_time=begin, to_time=end) == expected


# Sessions and users


def test_sessions_and_users_narrow_one_another() -> None:
    trace = opened(TWO)
    both = choose(trace, Choice(sessions=(0, 1)))
    assert both.words == ("session 1, 2",)
    assert len(choose(trace, Choice(users=("user1", "user2"))).rows) == len(both.rows)
    assert [view.index for view in choose(trace, Choice(users=("user1",))).scene.views] == [1]
    with pytest.raises(ValueError, match="no session is of user1"):
        choose(trace, Choice(sessions=(0,), users=("user1",)))


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        (Choice(sessions=(7,)), "there is no session 8: the capture has 2"),
        (Choice(users=("carl", "dora")), "no session is of carl, dora"),
        (Choice(dialogs=("nobody",)), "there is no dialog nobody"),
        (Choice(dialogs=("nobody*",)), r"there is no dialog nobody\*"),
        (Choice(dialogs=("#0", "#99")), "there is no dialog #99: there are 12, from #0"),
        (Choice(dialogs=("#²",)), "there is no dialog #²"),
        (Choice(findings=("GC999",)), "there is no finding GC999 here; there are: none"),
        (Choice(findings=("3",)), "there is no finding 3: there are 0"),
        (Choice(flows=("lunch",)), "no flow 'lunch' here; there are: posting, sign-in"),
        (Choice(flows=("posting:9",)), "'posting:9': of posting there are 1 to 2"),
        (Choice(flows=("posting:0",)), "'posting:0': of posting there are 1 to 2"),
        (Choice(flows=("posting:",)), "'posting:': of posting there are 1 to 2"),
        (Choice(flows=("posting:x",)), "'posting:x': of posting there are 1 to 2"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(choice: Choice, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        choose(opened(TWO), choice)
    assert "\n" not in str(error.value)


# Dialogs


def test_a_dialog_is_named_by_call_id_by_its_beginning_or_by_its_number() -> None:
    trace = opened(RECORDED)
    dialog = trace.analysis().dialogs[4]
    expected = {trace.rows.frame[row] for row in dialog.rows}
    assert frames(RECORDED, dialogs=(dialog.call_id,)) == expected
    assert frames(RECORDED, dialogs=(f"{dialog.call_id[:12]}*",)) == expected
    assert frames(RECORDED, dialogs=("#4",)) == expected


def test_the_number_of_a_dialog_tells_apart_what_one_call_id_does_not() -> None:
    path = TWO.with_name("callid-collision.pcap")
    trace = opened(path)
    dialogs = trace.analysis().dialogs
    first = next(one for one in dialogs if one.role == "channel")
    twins = [one for one in dialogs if one.call_id == first.call_id]
    assert len(twins) == 2
    whole = frames(path, dialogs=(first.call_id,))
    parts = [frames(path, dialogs=(f"#{one.index}",)) for one in twins]
    assert parts[0] != parts[1]
    assert parts[0] | parts[1] == whole


def test_a_dialog_of_another_session_is_empty_and_no_error() -> None:
    assert frames(TWO, sessions=(1,), dialogs=("#0",)) == set()


# Flows


def test_a_sign_in_is_all_of_its_session_until_it_was_done() -> None:
    assert frames(RECORDED, flows=("sign-in",)) == {row for row in frames(RECORDED) if row <= 35}


def test_a_post_is_what_led_to_it_and_its_copies_in_other_sessions() -> None:
    found = drawn(POST, Choice(flows=("posting",)), fold=False)
    assert {one.session for one in found.arrows} == {0, 1}
    assert [one.label for one in found.arrows if one.kind == "connection"] == ["upload (HTTPS)"]
    assert found.arrows[0].label == "INFO chansrch"


def test_the_second_of_several_posts_is_chosen_by_its_number() -> None:
    both, first, second = (
        frames(TWO, flows=(one,)) for one in ("posting", "posting:1", "posting:2")
    )
    assert first | second == both
    posts = {117, 127}
    assert (first & posts, second & posts) == ({127}, {117})


def test_a_run_that_was_asked_for_is_known_by_its_number() -> None:
    found = choose(opened(TWO), Choice(flows=("posting:2",)))
    assert found.runs is not None
    (number,) = found.runs
    assert found.book.runs[number].flow == "posting"
    assert choose(opened(TWO), Choice()).runs is None


def test_questions_to_dns_belong_to_the_sign_in_and_to_no_post() -> None:
    path = named(FLOWS, "token-no-upload")
    sign_in, post = (drawn(path, Choice(flows=(one,))) for one in ("sign-in", "posting"))
    assert "dns" in {one.kind for one in sign_in.lanes}
    assert "dns" not in {one.kind for one in post.lanes}


# Rooms


@pytest.mark.parametrize("finding", ["GC409", "gc4", "1"])
def test_a_finding_is_the_dialogs_of_what_it_rests_on(finding: str) -> None:
    path = RECORDED.with_name("fault-503.pcap")
    trace = opened(path)
    dialog = next(one for one in trace.analysis().dialogs if one.role == "channel")
    whole = {trace.rows.frame[row] for row in dialog.rows}
    assert frames(path, findings=(finding,)) == whole
    assert {57, 59} < whole


@pytest.mark.parametrize("room", ["Sales EMEA", "sales", ROOM, ROOM[-12:].upper()])
def test_a_room_is_named_by_uri_name_or_part_in_any_case(room: str) -> None:
    found = frames(RECORDED, rooms=(room,))
    assert {46, 48, 49, 51, 57, 60, 66, 69} <= found
    assert found.isdisjoint({4, 12, 27, 31})


def test_a_room_finds_what_the_query_finds_with_answers_and_replies() -> None:
    trace = opened(HOPS)
    found = choose(trace, Choice(rooms=("Lobby",)))
    said = Selection(trace, Query(rooms=("Lobby",))).messages()
    assert {found.scene.origin(row) for row in said} <= found.rows
    related = {found.scene.origin(row) for row in found.scene.exchanges(said)}
    assert found.rows == related


def test_a_room_that_nobody_speaks_of_is_empty() -> None:
    assert frames(RECORDED, rooms=("cantina",)) == set()


# Several kinds, and many


def test_several_kinds_must_all_be_met() -> None:
    room = frames(RECORDED, rooms=("sales",))
    assert frames(RECORDED, rooms=("sales",), frames=((1, 50),)) == {
        one for one in room if one <= 50
    }
    assert frames(RECORDED, rooms=("sales",), flows=("sign-in",)) == set()


def test_of_too_many_the_first_in_time_are_given_and_the_others_counted() -> None:
    trace = opened(TWO)
    found = choose(trace, Choice(), 10)
    assert (len(found.rows), found.left) == (10, len(trace.rows) - 10)
    assert max(found.rows) == 9
    assert choose(trace, Choice(), 1000).left == 0
