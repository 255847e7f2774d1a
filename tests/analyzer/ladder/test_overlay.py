"""Groups and brackets over the events of a ladder."""

from __future__ import annotations

from analyzer.ladder.overlay import _as_one
from analyzer.ladder.selection import Choice
from analyzer.ladder.values import Bracket, Note
from tests.analyzer.ladder.drawn import (
    HOPS,
    MODEL,
    POST,
    RECORDED,
    TWO,
    drawn,
    ends,
    frame,
    group_of,
)
from tests.paths import SAMPLES


def test_the_steps_of_a_sign_in_are_groups_in_order() -> None:
    groups = drawn(MODEL).groups
    assert [one.step for one in groups] == [str(number) for number in range(1, 11)]
    assert {one.flow for one in groups} == {"sign-in"}
    assert not any(one.continued for one in groups)
    assert (groups[3].title, groups[3].status) == ("INVITE to Lookup", "ok")
    assert groups[3].detail.startswith("200 OK; ")


def test_the_questions_to_dns_begin_the_first_group() -> None:
    ladder = drawn(MODEL)
    first = ladder.groups[0]
    shown = [one.kind for one in ladder.arrows[first.first : first.last + 1]]
    assert shown == ["connection"] * 4 + ["request", "response"] * 3


def test_a_step_that_others_interrupt_is_continued() -> None:
    groups = drawn(RECORDED).groups
    found = [(one.step, one.continued) for one in groups if one.flow == "sign-in"]
    assert found[2:5] == [("4", False), ("2", True), ("3", False)]
    seen = [step for step, continued in found if not continued]
    assert seen == sorted(set(seen), key=seen.index)


def test_what_belongs_to_no_step_ends_a_group() -> None:
    ladder = drawn(RECORDED)
    assert group_of(ladder, frame(ladder, 66)) is None
    assert group_of(ladder, frame(ladder, 73)) is None


def test_a_note_within_a_step_stays_within_its_group() -> None:
    ladder = drawn(SAMPLES / "reconnect.pcap")
    for group in ladder.groups:
        assert not isinstance(ladder.events[group.first], Note)
        assert not isinstance(ladder.events[group.last], Note)


def test_flows_of_several_users_name_their_user_and_those_of_one_do_not() -> None:
    assert {one.flow for one in drawn(HOPS).groups} == {"sign-in", "posting"}
    assert {one.flow for one in drawn(TWO).groups} == {
        *("sign-in of user1", "sign-in of user2"),
        *("posting of user1", "posting of user2"),
    }
    assert {one.flow for one in drawn(TWO, Choice(sessions=(0,))).groups} == {
        *("sign-in", "posting"),
    }


def test_the_flow_of_a_user_with_an_alias_goes_by_it() -> None:
    flows = {one.flow for one in drawn(TWO, aliases={"user1": "ann"}).groups}
    assert "sign-in of ann" in flows


# Brackets


def test_a_batch_and_its_replies_are_one_bracket_with_how_many_and_the_longest_wait() -> None:
    ladder = drawn(MODEL)
    (found,) = [one for one in ladder.brackets if ends(ladder, one) == (64, 71)]
    assert found.label == "getpref ×11 185 ms"


def test_several_replies_to_one_command_are_one_bracket_of_the_last() -> None:
    ladder = drawn(MODEL)
    (found,) = [one for one in ladder.brackets if ends(ladder, one) == (75, 80)]
    assert found.label == "bjoin 268 ms"
    unfolded = drawn(MODEL, fold=False)
    waits = [one.label for one in unfolded.brackets if one.label.startswith("bjoin")]
    assert waits == ["bjoin 86.8 ms", "bjoin 174 ms", "bjoin 268 ms"]


def test_an_echo_and_a_copy_are_told_apart() -> None:
    ladder = drawn(TWO)
    found = {ends(ladder, one): one.label for one in ladder.brackets if one.kind == "copy"}
    assert found[117, 121].startswith("echo 1.02 ms")
    assert found[117, 120].startswith("copy 0.98 ms")


def test_a_copy_in_another_session_is_bracketed_where_both_are_shown() -> None:
    both = drawn(POST, Choice(flows=("posting",)))
    assert (353, 378) in {ends(both, one) for one in both.brackets if one.kind == "copy"}
    other = drawn(POST, Choice(users=("hiro",)))
    assert not [one for one in other.brackets if one.kind == "copy"]


def test_with_every_hop_drawn_brackets_stay_on_the_connection_of_the_client() -> None:
    each = drawn(HOPS, hops=True, fold=False)
    merged = drawn(HOPS, fold=False)
    assert {ends(each, one) for one in each.brackets} == {
        ends(merged, one) for one in merged.brackets
    }


def test_a_bracket_of_many_commands_names_the_first_and_counts_the_others() -> None:
    brackets = [Bracket("reply", 0, 1, name, wait) for name, wait in (("a", 1.0), ("b", None))]
    assert _as_one(brackets).label == "a, b 1.00 ms"
    assert (
        _as_one([*brackets, Bracket("reply", 0, 1, "c", 7.0)]).label == "a, b, and 1 more 7.00 ms"
    )
    assert _as_one(brackets[1:]).label == "b"
