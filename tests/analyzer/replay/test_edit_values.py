"""The same case with other values: what follows from a value follows, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.replay.check import check_script
from analyzer.replay.edit.rooms import room_names
from analyzer.replay.edit.users import with_users
from analyzer.replay.edit.values import names_of, set_values
from analyzer.replay.options import User
from analyzer.replay.script import Expectation, Party, Script, Slot
from analyzer.replay.script_json import write_script
from tests.analyzer.replay.by_hand import case, with_message, with_turn


def values_of(script: Script) -> dict[str, str]:
    return {slot.name: slot.value for slot in script.slots}


def two_clients() -> Script:
    """Return the case with a second client and a second room."""
    one = case()
    slots = (
        *one.slots,
        Slot("client2.user", "user", "bob@contoso.com", "client2", "t1"),
        Slot("room2", "room", "0d9b6c1e", "server", "t5"),
    )
    rooms = '<chanib uri="ma-chan://${domain1}/${room2}" name="Trading Floor"/></data>'
    script = with_message(
        replace(one, slots=slots),
        "t5",
        lambda message: replace(message, body=message.body.replace("</data>", rooms)),
    )
    parties = (*one.parties, Party("client2", "client", "client2.user"))
    return replace(script, parties=parties)


@pytest.mark.parametrize("name", ["user", "client1", "client1.user"])
def test_a_user_takes_his_domain_along(name: str) -> None:
    script = set_values(case(), {name: "sip:bob@fabrikam.com"})
    assert values_of(script)["client1.user"] == "bob@fabrikam.com"
    assert values_of(script)["domain1"] == "fabrikam.com"
    assert check_script(script) == []


def test_a_domain_takes_the_users_along_that_are_in_it() -> None:
    script = set_values(two_clients(), {"domain": "fabrikam.com"})
    assert values_of(script)["client1.user"] == "ann.archer@fabrikam.com"
    assert values_of(script)["client2.user"] == "bob@fabrikam.com"


def test_a_value_that_has_the_old_one_in_it_changes_too() -> None:
    contact = Slot("contact1", "contact", "sip:Ann.Archer@contoso.com;gruu", "server", "t2")
    script = replace(case(), slots=(*case().slots, contact))
    found = values_of(set_values(script, {"user": "bob@fabrikam.com"}))
    assert found["contact1"] == "sip:bob@fabrikam.com;gruu"


def test_two_values_can_change_places() -> None:
    script = set_values(case(), {"user": "bob@contoso.com", "text": "ann.archer@contoso.com"})
    assert values_of(script)["text1"] == "ann.archer@contoso.com"


def test_a_room_is_named_by_its_kind_its_name_or_its_slot() -> None:
    for name in ("room", "room:Sales EMEA", "room:sales", "room1"):
        assert values_of(set_values(case(), {name: "1a2b"}))["room1"] == "1a2b"
    assert room_names(two_clients()) == {"room1": "Sales EMEA", "room2": "Trading Floor"}
    assert values_of(set_values(two_clients(), {"room:trading": "1a2b"}))["room2"] == "1a2b"


def test_a_room_in_the_same_domain_is_only_another_id() -> None:
    script = set_values(case(), {"room": "ma-chan://contoso.com/1a2b"})
    assert script == set_values(case(), {"room": "1a2b"})


def test_a_room_in_another_domain_has_a_domain_of_its_own() -> None:
    script = set_values(case(), {"room": "ma-chan://fabrikam.com/1a2b"})
    before = values_of(case())
    del before["domain1"]  # which nothing else had
    assert values_of(script) == {**before, "room1": "1a2b", "room1.domain": "fabrikam.com"}
    assert script.turns[2].message.body.count('domain="${room1.domain}" value="${room1}"') == 1
    assert script.turns[6].message.body.count("ma-chan://${room1.domain}/${room1}") == 1
    assert "${client1.user}" in script.turns[6].message.body
    assert check_script(script) == []


def test_a_room_can_move_twice() -> None:
    once = set_values(case(), {"room": "ma-chan://fabrikam.com/1a2b"})
    twice = set_values(once, {"room": "ma-chan://tailspin.com/3c4d"})
    assert values_of(twice)["room1.domain"] == "tailspin.com"
    assert write_script(twice) == write_script(
        set_values(case(), {"room": "ma-chan://tailspin.com/3c4d"})
    )


def test_what_is_expected_of_the_room_moves_with_it() -> None:
    expect = (
        Expectation("xccos/cmd:join/data/chanid/@value", "${room1}"),
        Expectation("xccos/cmd:join/data/chanid/@domain", "${domain1}"),
    )
    script = set_values(
        with_turn(case(), "t3", expect=expect), {"room": "ma-chan://fabrikam.com/1a2b"}
    )
    assert [one.equals for one in script.turns[2].expect] == ["${room1}", "${room1.domain}"]
    assert check_script(script) == []


def test_a_text_may_have_any_character() -> None:
    text = "a <b> & \"c\"\r\n${room1} 'd'"
    script = set_values(case(), {"text": text})
    assert values_of(script)["text1"] == text
    assert check_script(script) == []


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"rom": "x"}, "there is nothing called 'rom'; there are: client1, client2, client1.user, "
         "client2.user, room1, room2, domain, text, and every slot by its name"),
        ({"user": "x@y"}, "the script has 2 of 'user'; name one of client1, client2"),
        ({"room": "x"}, "the script has 2 of 'room'; name one of room1 (Sales EMEA), room2 "
         "(Trading Floor)"),
        ({"room:lobby": "x"}, "no room is called 'lobby'; there are: room1 (Sales EMEA), room2 "
         "(Trading Floor)"),
        ({"room:a": "x"}, "several rooms are called 'a'; there are: room1 (Sales EMEA), room2 "
         "(Trading Floor)"),
        ({"client1": "bob"}, "client1.user: 'bob' is no name@domain"),
        ({"room1": "two words"}, "room1: 'two words' has a blank"),
        ({"tag1": "a\nb"}, "tag1: 'a\\nb' has a control character"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_said_in_one_line(values: dict[str, str], line: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the line is looked at)
        set_values(two_clients(), values)
    assert str(caught.value) == line


def test_a_secret_is_never_set() -> None:
    script = replace(case(), slots=(*case().slots, Slot("t1.response", "secret", "0000")))
    with pytest.raises(ValueError, match="a script has none, it is given when one plays"):
        set_values(script, {"t1.response": "hunter2"})


def test_names_are_those_that_people_know() -> None:
    assert names_of(case()) == ["client1", "user", "room", "domain", "text"]


# Users


def test_users_take_the_places_of_the_clients_in_order() -> None:
    users = [
        User("carol@contoso.com", "hunter2", slots={"text1": "hello"}),
        User("dave@fabrikam.com", "hunter3"),
        User("erin@contoso.com"),
    ]
    script = with_users(two_clients(), users)
    found = values_of(script)
    assert found["client1.user"] == "carol@contoso.com"
    assert found["client2.user"] == "dave@fabrikam.com"
    assert found["text1"] == "hello"
    assert "hunter" not in write_script(script)


def test_clients_of_one_user_stay_one_user() -> None:
    parties = (*case().parties, Party("client2", "client", "client1.user"))
    script = with_users(replace(case(), parties=parties), [User("carol@contoso.com")])
    assert values_of(script)["client1.user"] == "carol@contoso.com"


def test_too_few_users_and_unknown_slots_are_said() -> None:
    with pytest.raises(ValueError, match="1 users for 2 clients of the script"):
        with_users(two_clients(), [User("carol@contoso.com")])
    with pytest.raises(ValueError, match="there is no slot 'text9'; there are: client1"):
        with_users(case(), [User("carol@contoso.com", slots={"text9": "x"})])
