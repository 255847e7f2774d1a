"""How people, rooms and steps are called in sentences."""

from __future__ import annotations

import pytest

from analyzer.flows.values import FlowStep
from analyzer.model import Room
from analyzer.narrative.names import Names, listed, room_names, room_text, short_room, steps_text

ROOM = Room("ma-chan://example.com/1", "Sales", 1, None, None, 0, 0)


def test_a_person_is_called_by_the_part_before_the_at() -> None:
    names = Names(["sip:ann@example.com", "sip:bob@example.com", None])
    assert names.person("sip:Ann@example.com;opaque=x") == "ann"
    assert names.person(None) == "a client"


def test_two_of_one_name_are_told_apart() -> None:
    names = Names(["sip:ann@example.com", "sip:ann@example.org", "sip:ann@example.com"])
    assert names.person("sip:ann@example.org") == "ann@example.org"


def test_a_room_is_called_by_its_name_else_by_the_end_of_its_uri() -> None:
    names = room_names([ROOM, ROOM._replace(uri="ma-chan://example.com/2", name=None)])
    assert names == {ROOM.uri: "Sales"}
    assert room_text(names, ROOM.uri) == "*Sales*"
    assert room_text(names, "ma-chan://example.com/2") == "*2*"
    assert room_text(names, None) == "a room"
    assert short_room("sip:room@example.com/2") == "sip:room@example.com/2"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""),
        (1, "r0"),
        (2, "r0 and r1"),
        (5, "r0, r1, r2, r3 and r4"),
        (9, "r0, r1, r2, r3 and 5 others"),
    ],
)
def test_a_list_names_the_first_and_counts_the_rest(count: int, text: str) -> None:
    assert listed([f"r{n}" for n in range(count)], "others") == text


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        (("5",), "step 5"),
        (("7", "8"), "steps 7 and 8"),
        (("5", "6", "7"), "steps 5 to 7"),
        (("5", "7", "9"), "steps 5, 7 and 9"),
        (("2", "3", "5", "7", "8", "9", "10"), "steps 2, 3, 5 and 7 to 10"),
        (("a", "b", "c"), "steps a, b and c"),
    ],
)
def test_steps_in_a_row_are_a_range(ids: tuple[str, ...], text: str) -> None:
    steps = [FlowStep(one, "", "missing", (), None, None, "") for one in ids]
    assert steps_text(steps) == text
