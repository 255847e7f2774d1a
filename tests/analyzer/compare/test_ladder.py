"""The ladder of a comparison: A left, B right, matched messages in step, gaps and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.compare.ladder import detail_of, diff_ladder, row_of
from analyzer.ladder.look import Look
from analyzer.ladder.renderers import renderer_of
from analyzer.ladder.values import Arrow, Note
from tests.analyzer.compare.sides import of_corpus, opened
from tests.paths import require_shared

if TYPE_CHECKING:
    from analyzer.ladder.values import Ladder

require_shared()


def drawn(a: str = "r2-signin-full", b: str = "lookup-404") -> Ladder:
    return diff_ladder(of_corpus(a, b))


def notes(ladder: Ladder, kind: str) -> list[Note]:
    return [one for one in ladder.events if isinstance(one, Note) and one.kind == kind]


def test_each_side_has_a_client_and_its_servers() -> None:
    assert [(one.key, one.kind) for one in drawn().lanes] == [
        ("a-client", "client"),
        ("a-server", "server"),
        ("b-client", "client"),
        ("b-server", "server"),
    ]


def test_matched_messages_stand_one_below_the_other() -> None:
    arrows = [one for one in drawn().events if isinstance(one, Arrow)]
    assert [(one.source, one.target, one.label) for one in arrows[:4]] == [
        (0, 1, "REGISTER"),
        (2, 3, "REGISTER"),
        (1, 0, "401 Unauthorized"),
        (3, 2, "401 Unauthorized"),
    ]


def test_a_message_is_drawn_once_however_many_commands_it_carries() -> None:
    ladder = drawn("r2-signin-full", "missing-reply")
    labels = [one.label for one in ladder.arrows if "getpref" in one.label]
    assert labels == ["INFO getpref ×11"] * 2 + ["INFO rpl:getpref ×11"] * 2
    rows = [row for one in ladder.arrows for row in one.rows]
    assert len(rows) == len(set(rows))


def test_the_first_divergence_is_written_below_its_messages() -> None:
    ladder = drawn()
    first = notes(ladder, "finding")[0]
    assert first.label == "First divergence: step 4 INVITE to Lookup"
    assert first.text.startswith("A answered 200 OK after 50.6 ms (frame 38), B answered 404")
    assert first.tone == "bad"
    before = ladder.events[ladder.events.index(first) - 3]
    assert isinstance(before, Arrow)
    assert (before.label, before.tone, before.marks) == ("404 Not Found", "bad", ("differs",))


def test_what_only_one_side_has_faces_a_remark() -> None:
    ladder = drawn()
    alone = next(one for one in ladder.arrows if one.label == "INVITE Channel service")
    assert (alone.source, alone.marks, alone.tone) == (0, ("only in A",), "doubtful")
    remark = next(one for one in notes(ladder, "remark") if "INVITE" in one.label)
    assert (remark.lanes, remark.label) == ((2, 3), "no INVITE Channel service")
    assert remark.text == "B not reached after step 4"


def test_a_part_that_never_came_faces_a_remark() -> None:
    ladder = drawn("r2-signin-full", "missing-reply")
    remark = next(one for one in notes(ladder, "remark") if one.label == "no INFO rpl:bjoin")
    assert remark.lanes == (2, 3)


def test_what_the_other_capture_cannot_tell_is_a_hole() -> None:
    ladder = drawn("r2-signin-full", "late-start")
    holes = notes(ladder, "hole")
    assert {one.lanes for one in holes} == {(2, 3)}
    assert holes[0].text == "B: the session was going on before the capture began"
    assert any("steps 1 to 6" in text for text in ladder.left_out)


def test_steps_group_the_rows_and_tell_both_statuses() -> None:
    ladder = drawn()
    groups = {one.step: one for one in ladder.groups}
    assert (groups["4"].status, groups["4"].detail) == ("failed", "A ok, B failed")
    assert all(
        one.last < other.first for one, other in zip(ladder.groups, ladder.groups[1:], strict=False)
    )


def test_replies_are_tied_to_their_commands() -> None:
    ladder = drawn("r2-signin-full", "slow-signin")
    labels = [one.label for one in ladder.brackets]
    assert {"requri 132 ms", "requri 9.41 s"} <= set(labels)
    slow = next(one for one in ladder.brackets if one.label == "requri 9.41 s")
    assert slow.heat == "very-slow"
    last = ladder.events[slow.last]
    assert isinstance(last, Arrow)
    assert last.label == "INFO rpl:requri"


def test_times_count_from_the_beginning_of_each_session() -> None:
    ladder = drawn()
    first, second = ladder.arrows[:2]
    assert (ladder.began, first.time, second.time) == (0, 0, 0)
    assert first.text == "A: REGISTER, client to front end, at 2010-03-27T13:51:44.324758Z"


def test_a_message_is_read_back_from_its_own_capture() -> None:
    detail = detail_of(opened("r2-signin-full"), opened("lookup-404"))
    ladder = drawn()
    assert (
        detail(ladder.arrows[0].rows[0])["start_line"] == "REGISTER sip:emea.adatum.example SIP/2.0"
    )
    assert (
        detail(ladder.arrows[1].rows[0])["start_line"] == "REGISTER sip:northwind.example SIP/2.0"
    )
    assert (row_of("A", 3), row_of("B", 3)) == (6, 7)


@pytest.mark.parametrize("name", ["txt", "svg", "mmd", "puml"])
def test_every_renderer_draws_it(name: str) -> None:
    (page, *_) = renderer_of(name)(drawn(), Look(times="relative"))
    assert b"404" in page
