"""What is wrong with a script is said in one sentence with its place."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.check import check_script, errors_of
from analyzer.replay.check_secrets import is_stand_in
from analyzer.replay.script import Connection, Dialog, Expectation, Party, Script, Slot
from analyzer.replay.script_json import read_script, write_script
from analyzer.replay.slot_values import host_and_port, misfit
from tests.analyzer.replay.by_hand import case, with_message, with_slot, with_turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.script import SlotKind
    from analyzer.replay.template import Template


SERVER = Party("server", "server")


def told(script: Script) -> list[str]:
    """Return the problems as lines; checking never changes a script."""
    return [str(one) for one in check_script(script)]


def header(name: str, value: str) -> Callable[[Template], Template]:
    """Return what gives a message one more header."""

    def change(message: Template) -> Template:
        return replace(message, headers=(*message.headers, (name, value)))

    return change


def test_a_good_case_has_no_problem() -> None:
    assert told(case()) == []


# Names


def test_ids_are_there_once() -> None:
    one = case()
    twice = replace(
        one,
        parties=(*one.parties, one.parties[0]),
        connections=one.connections * 2,
        dialogs=one.dialogs * 2,
        slots=(*one.slots, one.slots[0]),
        turns=(*one.turns, one.turns[7]),
    )
    assert told(twice)[:5] == [
        "error: party client1: is there 2 times",
        "error: connection c1: is there 2 times",
        "error: dialog channel1: is there 2 times",
        "error: slot client1.user: is there 2 times",
        "error: turn t8: is there 2 times",
    ]


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        (
            replace(case(), parties=(Party("client1", "client", "nobody"), SERVER)),
            ["error: party client1: names the slot nobody, which is not there"],
        ),
        (
            replace(case(), parties=(Party("client1", "client", "tag1"), SERVER)),
            ["error: party client1: has the slot tag1 for its user, which is of kind tag"],
        ),
        (
            replace(case(), dialogs=(Dialog("channel1", "client3", "channel", "call9"),)),
            [
                "error: dialog channel1: names the party client3, which is not there",
                "error: dialog channel1: names the slot call9, which is not there",
            ],
        ),
        (
            with_turn(case(), "t7", speaker="client2", dialog="d2", after=("t5", "t77")),
            [
                "error: turn t7: names the party client2, which is not there",
                "error: turn t7: names the dialog d2, which is not there",
                "error: turn t7: names the turn t77, which is not there",
                "error: turn t7: is said by client2 to server on c1, which is between client1 and "
                "server",
            ],
        ),
        (
            with_turn(case(), "t7", connection="c2"),
            ["error: turn t7: names the connection c2, which is not there"],
        ),
        (
            with_slot(case(), "room1", said_by="client7", turn="t70", part_of="x"),
            [
                "error: slot room1: names the party client7, which is not there",
                "error: slot room1: names the turn t70, which is not there",
                "error: slot room1: names the slot x, which is not there",
            ],
        ),
    ],
)  # fmt: skip
def test_a_name_that_nothing_has_is_an_error(script: Script, lines: list[str]) -> None:
    found = told(script)
    assert [line for line in lines if line not in found] == []


def test_a_slot_that_is_not_there_is_named_with_the_turn_that_has_it() -> None:
    script = replace(case(), slots=tuple(one for one in case().slots if one.name != "room1"))
    found = told(script)
    assert found[:3] == [
        f"error: turn {turn}: names the slot room1, which is not there"
        for turn in ("t3", "t5", "t7")
    ]


def test_without_a_client_or_a_server_nobody_can_be_played() -> None:
    found = told(replace(case(), parties=()))
    assert found[0] == "error: parties: there is no client, so that nobody can be played"
    assert found[1] == "error: parties: there is no server, so that nobody answers the clients"


def test_without_turns_nothing_is_said() -> None:
    assert told(replace(case(), turns=()))[0] == (
        "error: turns: there is none, so that nothing is said"
    )


@pytest.mark.parametrize(
    ("connection", "line"),
    [
        (Connection("c1", "server", "server", "10.0.0.1:1", "10.0.0.2:2"),
         "has the same party at both ends"),
        (Connection("c1", "server", "server", "10.0.0.1:1", "10.0.0.2:2"),
         "is live, and no client is at either end"),
        (Connection("c1", "client1", "server", "fe1:1", "10.0.0.2:2"),
         "has the address 'fe1:1', which is no ip:port"),
        (Connection("c1", "client1", "server", "10.0.0.1:1", "10.0.0.2"),
         "has the address '10.0.0.2', which is no ip:port"),
        (Connection("c1", "client1", "server", "10.0.0.1:1", "[::1]:70000"),
         "has the address '[::1]:70000', which is no ip:port"),
        (Connection("c1", "client1", "server", "10.0.0.1:1", "10.0.0.2:2", closed_by="host1"),
         "is closed by host1, which is at neither end"),
    ],
)  # fmt: skip
def test_a_connection_is_between_two_addresses(connection: Connection, line: str) -> None:
    assert f"error: connection c1: {line}" in told(replace(case(), connections=(connection,)))


@pytest.mark.parametrize("name", ["1room", "a b", "", "room/1", "x" * 90])
def test_a_slot_has_a_name_that_can_be_written(name: str) -> None:
    script = replace(case(), slots=(*case().slots, Slot(name, "text", "x")))
    assert any(
        line.startswith(f"error: slot {name}: cannot be referred to") for line in told(script)
    )


def test_the_length_of_the_body_is_nobodys_slot() -> None:
    script = replace(case(), slots=(*case().slots, Slot("content_length", "text", "5")))
    assert "error: slot content_length: is reserved for the length of the body" in told(script)


def test_a_slot_that_nobody_says_is_remarked_upon() -> None:
    more = (
        Slot("unused", "text", "x"),
        replace(case().slots[4], name="tag9"),
    )
    assert told(replace(case(), slots=(*case().slots, *more))) == [
        "warning: slot unused: is in no message",
        "warning: slot tag9: is in no message",
    ]
    assert told(with_slot(case(), "t5.envid", said_by="client1")) == [
        "warning: slot t5.envid: is said first by client1, who never says it"
    ]
    assert told(with_slot(case(), "t5.envid", turn="t7")) == [
        "warning: slot t5.envid: is said first in turn t7, which does not have it"
    ]


def test_values_that_only_answers_have_are_remarked_upon_once() -> None:
    script = case()
    answers = [turn.id for turn in script.turns if not turn.is_request][:2]
    assert len(answers) == 2
    for number in answers:
        slot = Slot(f"{number}.branch", "branch", "z9hG4bK1", said_by="client1")
        script = replace(script, slots=(*script.slots, slot))
        script = with_turn(script, number, speaker="server", listener="client1")
        script = with_message(
            script, number, header("Via", f"SIP/2.0/TCP h;branch=${{{slot.name}}}")
        )
    warnings = [line for line in told(script) if "never says it" in line]
    assert warnings == [
        f"warning: slot {answers[0]}.branch: is said first by client1, who never says it; "
        "so is 1 more that only answers have"
    ]


def test_answers_to_nothing_are_remarked_upon_once() -> None:
    script = case()
    answers = [turn.id for turn in script.turns if not turn.is_request]
    for number in answers:
        script = with_turn(script, number, answers=None)
    warnings = [line for line in told(script) if "says not which turn" in line]
    assert len(warnings) == 1
    assert f" more: {answers[1]}" in warnings[0]


# Order


def test_an_answer_follows_the_request_that_it_answers() -> None:
    assert "error: turn t4: answers t2, which is a response" in told(
        with_turn(case(), "t4", answers="t2")
    )
    assert "error: turn t4: stands before t7, the request that it answers" in told(
        with_turn(case(), "t4", answers="t7", cause=None)
    )
    assert "error: turn t7: is a request, and cannot answer t3" in told(
        with_turn(case(), "t7", answers="t3")
    )
    assert (
        "error: turn t4: answers t5, which server says to client1, but is said by server to client1"
        in told(with_turn(case(), "t4", answers="t5"))
    )
    assert told(with_turn(case(), "t4", answers=None)) == [
        "warning: turn t4: is a response, and says not which turn it answers"
    ]


def test_an_ack_has_no_answer() -> None:
    script = with_message(
        case(), "t3", lambda message: replace(message, start="ACK sip:x@contoso.com SIP/2.0")
    )
    assert "error: turn t4: answers t3: an ACK has no answer (RFC 3261 17.1)" in told(script)


def test_turns_that_wait_for_one_another_are_found_with_all_that_wait_for_them() -> None:
    script = with_turn(case(), "t3", after=("t2", "t5"))
    assert told(script) == [
        "error: turn t3: is in a circle: t3, t5 wait for one another",
        "error: turn t4: can never be said: it waits for turns in a circle",
        "error: turn t6: can never be said: it waits for turns in a circle",
        "error: turn t7: can never be said: it waits for turns in a circle",
        "error: turn t8: can never be said: it waits for turns in a circle",
    ]
    assert "error: turn t1: waits for itself" in told(with_turn(case(), "t1", after=("t1",)))


def test_a_chain_of_a_hundred_thousand_turns_is_no_matter_of_depth() -> None:
    first = case().turns[0]
    chain = tuple(
        replace(first, id=f"t{number}", after=(f"t{number - 1}",) if number > 1 else ("t3000",))
        for number in range(1, 3001)
    )
    found = errors_of(replace(case(), turns=chain, slots=case().slots))
    assert [str(one) for one in found if "circle" in one.text] == [
        "error: turn t1: is in a circle: t1, t2, t3, t4, t5, t6, t7, t8 and 2992 more wait for one "
        "another"
    ]


def test_waiting_for_what_nobody_waits_for_is_remarked_upon() -> None:
    assert "warning: turn t7: waits for t4, which is optional" in told(
        with_turn(case(), "t4", optional=True)
    )
    assert "warning: turn t4: waits for t3, which only a regenerated capture has" in told(
        with_turn(case(), "t3", live=False)
    )


# Messages


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda m: replace(m, start="hello"), "is no SIP message: "),
        (lambda m: replace(m, headers=(("A b", "c"),)), "is no SIP message: "),
        (lambda m: replace(m, start="INFO sip:${text1} SIP/2.0\r\nX: y"), "is no SIP message: "),
        (lambda m: replace(m, binary=b"\xff"), "has a body of text and a binary one"),
        (lambda m: replace(m, body="x" * (1 << 20) + "y"), "has a body of 1048577 bytes; "),
    ],
)
def test_a_template_that_makes_no_message_is_an_error(change: object, line: str) -> None:
    assert callable(change)
    found = told(with_message(case(), "t7", change))
    assert any(one.startswith(f"error: turn t7: {line}") for one in found), found


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda m: replace(m, headers=m.headers[1:]), "has no Via"),
        (lambda m: replace(m, start=m.start.replace("INFO", "MESSAGE")),
         "is a MESSAGE, and its CSeq says INFO"),
        (lambda m: replace(m, body="<xccos><cmd>"), "has an XCCOS body that is not well-formed: "),
        (lambda m: replace(m, body="<a><b></a>"), "has an XML body that is not well-formed: "),
        (lambda m: replace(m, headers=(*m.headers[:-1], ("Content-Length", "7"))),
         "has its Content-Length written out; ${content_length} is always right"),
    ],
)  # fmt: skip
def test_what_can_be_played_and_is_odd_is_a_warning(change: object, line: str) -> None:
    assert callable(change)
    script = with_message(case(), "t7", change)
    assert any(one.startswith(f"warning: turn t7: {line}") for one in told(script))
    assert errors_of(script) == []


def test_a_value_that_no_header_can_hold_is_an_error() -> None:
    script = with_slot(case(), "tag1", value="a\r\nRoute: <sip:evil.example>")
    found = told(script)
    assert (
        "warning: slot tag1: is of kind tag, and its value 'a\\r\\nRoute: <sip:evil.example>' "
        in (found[0][: found[0].index("has a control")])
    )
    assert sum(one.startswith("error: turn ") for one in found) == 8


# Expectations


@pytest.mark.parametrize(
    ("path", "equals", "line"),
    [
        ("xcos/cmd:join", "1", "error: turn t3: expect[0]: no such field: 'xcos/cmd:join' (method, "
         "status, body, header/NAME or xccos/…)"),
        ("xccos/cmd:join[x]", "1", "error: turn t3: expect[0]: cannot read 'cmd:join[x]' in the "
         "path 'xccos/cmd:join[x]'"),
        ("method", "MESSAGE", "warning: turn t3: expect[0]: expects method to be 'MESSAGE', and "
         "the message of this turn has 'INFO'"),
        ("status", "200", "warning: turn t3: expect[0]: expects status, which the message of this "
         "turn does not have"),
        ("method", "${verb}", "error: turn t3: names the slot verb, which is not there"),
    ],
)  # fmt: skip
def test_an_expectation_names_a_place_that_the_message_has(
    path: str, equals: str, line: str
) -> None:
    assert line in told(with_turn(case(), "t3", expect=(Expectation(path, equals),)))


# Secrets

TYPE_1 = b"NTLMSSP\0" + (1).to_bytes(4, "little") + bytes(20)
TYPE_3 = b"NTLMSSP\0" + (3).to_bytes(4, "little") + bytes(52)
RESPONSE = (24).to_bytes(2, "little") + bytes(2) + (64).to_bytes(4, "little")
ANSWER = TYPE_3[:20] + RESPONSE + TYPE_3[28:] + bytes(range(24))


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


TICKET = base64_of(bytes(range(99)))


@pytest.mark.parametrize(
    "value",
    [
        "0000000000000000", "0000002a", "00000000000000000000000000001F3a", "1f", "secret12",
        base64_of(TYPE_1), base64_of(TYPE_3), base64_of(bytes(400)), "",
    ],
)  # fmt: skip
def test_a_stand_in_proves_nothing(value: str) -> None:
    assert is_stand_in(value)


@pytest.mark.parametrize(
    "value",
    [
        "836cc103e9f892e20f751ea93271d278", base64_of(ANSWER), "hunter2-hunter2",
        base64_of(b"YIIG" + bytes(range(64))),
        base64_of(b"NTLMSSP\0\2\0\0\0" + bytes(12) + bytes(range(8)) + bytes(8)),
    ],
)  # fmt: skip
def test_what_may_be_captured_is_no_stand_in(value: str) -> None:
    assert not is_stand_in(value)


def test_a_secret_that_looks_captured_is_refused() -> None:
    script = replace(
        case(),
        slots=(*case().slots, Slot("t1.response", "secret", "836cc103e9f892e20f751ea93271d2")),
    )
    script = with_message(script, "t1", header("Authorization", 'NTLM response="${t1.response}"'))
    assert told(script) == [
        "error: slot t1.response: is a secret whose value looks captured; a script has a stand-in, "
        "as 0000"
    ]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("Authorization", 'NTLM response="836cc103e9f892e20f751ea93271d278"', "response"),
        ("Proxy-Authentication-Info", 'NTLM rspauth="1D18D7BCBD0F113387802C44DC872B78"', "rspauth"),
        ("proxy-authorization", f'Kerberos gssapi-data="{TICKET}"', "gssapi-data"),
        ("Authorization", "Basic YW5uOnNlY3JldA==", "a password"),
    ],
)  # fmt: skip
def test_credentials_written_out_are_refused(name: str, value: str, what: str) -> None:
    script = with_message(case(), "t1", header(name, value))
    assert f"error: turn t1: has captured credentials in {name}: {what}" in told(script)


def test_an_answer_of_ntlm_is_found_wherever_it_stands() -> None:
    blob = base64_of(ANSWER)
    assert "error: turn t7: has a captured answer of NTLM" in told(
        with_message(case(), "t7", lambda message: replace(message, body=f"<a b='{blob}'/>"))
    )
    assert "error: slot text1: has a captured answer of NTLM" in told(
        with_slot(case(), "text1", value=f"see {blob}")
    )


def test_names_of_authentication_that_are_no_secrets_may_be_written_out() -> None:
    value = 'NTLM qop="auth", realm="SIP Communications Service", crand="5fff1e76", cnum="16"'
    assert told(with_message(case(), "t1", header("Authorization", value))) == []


# Values


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("user", "ann@contoso.com", "ann"),
        ("user", "a.b+c@x", "sip:ann@contoso.com"),
        ("domain", "contoso.com", "contoso com"),
        ("address", "[2001:db8::1]:5060", "contoso.com"),
        ("port", "65535", "65536"),
        ("cseq", "2147483647", "2147483648"),
        ("expiry", "0", "-1"),
        ("time", "2026-11-22T06:08:21.1234567Z", "yesterday"),
        ("room", "41296766-6c7f", "two words"),
        ("text", "two\r\nlines", None),
        ("uri", "sip:a@b", "a\nb"),
        ("tag", "1", ""),
    ],
)
def test_a_value_fits_its_kind(kind: SlotKind, good: str, bad: str | None) -> None:
    assert misfit(kind, good) is None
    assert bad is None or misfit(kind, bad)


@given(st.text(max_size=30))
def test_what_is_no_address_is_none(text: str) -> None:
    parts = host_and_port(text)
    assert parts is None or (parts[0] and 0 <= parts[1] <= 65535)


@given(st.data())
def test_checking_whatever_can_be_read_never_fails(data: st.DataObject) -> None:
    document = json.loads(write_script(case()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = document
        while True:
            keys = sorted(at) if isinstance(at, dict) else range(len(at))
            key = data.draw(st.sampled_from(list(keys)))
            if not isinstance(at[key], dict | list) or not at[key]:
                break
            at = at[key]
        if isinstance(at[key], str) and key not in ("format", "kind"):
            choices = ["t1", "t5", "server", "${room1}", "$${x}", "<x", "\r\n", "a:b", "\x00"]
            at[key] = data.draw(st.sampled_from(choices) | st.text(st.characters(codec="utf-8")))
    try:
        script = read_script(json.dumps(document))
    except ValueError:
        return
    assert all(str(one).startswith(("error: ", "warning: ")) for one in check_script(script))


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ("Basic ${t1.credentials}", False),
        ("Bearer  ${t1.credentials} ", False),
        ('Basic realm="r"', False),
        ("Basic ${t1.credentials}QWxhZGRpbg==", True),
        ("Bearer abc", True),
    ],
)
def test_credentials_that_are_a_slot_as_a_whole_are_none(value: str, refused: bool) -> None:
    script = replace(case(), slots=(*case().slots, Slot("t1.credentials", "secret", "AAAA")))
    lines = told(with_message(script, "t1", header("Authorization", value)))
    assert any("captured" in line for line in lines) == refused
