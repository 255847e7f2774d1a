"""What a dialog becomes: the client's part, the server's part, the CSV file, and the notes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from analyzer.replay.script import SERVER, Script
from analyzer.replay.sipp.conversation import conversation_of
from analyzer.replay.sipp.files import write_sipp
from analyzer.replay.sipp.syntax import MAX_FILE
from tests.analyzer.replay.sipp.room import (
    TEXT,
    Case,
    bye,
    command,
    invite,
    register,
    reply,
    room_case,
    say,
    tell,
)

if TYPE_CHECKING:
    from analyzer.replay.template import Template


def sends(scenario: str) -> list[str]:
    """Return the messages that a scenario sends."""
    return [(one.text or "").strip() for one in etree.fromstring(scenario.encode()).iter("send")]


def starts(scenario: str) -> list[str]:
    return [message.split("\n", 1)[0] for message in sends(scenario)]


def header(message: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)$", message, re.MULTILINE)
    assert found, message
    return found[1]


def with_message(script: Script, number: str, message: Template) -> Script:
    turns = tuple(replace(t, message=message) if t.id == number else t for t in script.turns)
    return replace(script, turns=turns)


def test_the_client_says_its_requests_in_the_order_of_the_recording() -> None:
    said = [one for one in starts(write_sipp(room_case()).uac) if not one.startswith("SIP/2.0")]
    assert said == [
        "REGISTER sip:[field1] SIP/2.0",
        "INVITE sip:ocschat@[field1] SIP/2.0",
        "ACK [next_url] SIP/2.0",
        "INFO [next_url] SIP/2.0",
        "INFO [next_url] SIP/2.0",
        "BYE [next_url] SIP/2.0",
    ]


def test_dialog_and_transaction_are_sipp_s() -> None:
    files = write_sipp(room_case())
    for message in (*sends(files.uac), *sends(files.uas)):
        if message.startswith("SIP/2.0 200 OK\n[$replies]"):
            continue
        if message.startswith("SIP/2.0"):
            assert "[last_Via:]\n[last_From:]\n[last_To:]" in message
        else:
            assert header(message, "Via").endswith(";branch=[branch]")
            assert header(message, "Call-ID").removeprefix("registration///") == "[call_id]"
            assert header(message, "CSeq").startswith("[cseq] ")
    inside = [one for one in sends(files.uac) if "[next_url]" in one]
    assert all("\n[routes]\n" in one and header(one, "To") == "[$peer]" for one in inside)
    assert "z9hG4bK1" not in files.uac + files.uas


def test_what_the_server_says_follows_the_request_that_brings_it_about() -> None:
    said = [one for one in sends(write_sipp(room_case()).uas) if one.startswith("INFO")]
    assert [re.findall(r"<(rpl|ntc|grpchat) ", one) for one in said] == [
        ["rpl"],
        ["ntc"],
        ["grpchat"],
    ]


def test_a_reply_that_came_late_is_still_said_with_its_command() -> None:
    case = Case()
    invite(case)
    first = say(case, command(case, "getinv", "<data/>"))
    second = say(case, command(case, "chansrch", "<data/>"))
    tell(case, reply(case, "getinv", first, ""), first)
    tell(case, reply(case, "chansrch", second, ""), second)
    bye(case)
    conversation = conversation_of(case.script(), None, register=True)
    spoken = [[one.request.cause for one in step.spoken] for step in conversation.steps]
    awaited = [len(step.awaited) for step in conversation.steps]
    assert spoken == [[], [], [first], [second], []]
    assert awaited == [0, 0, 0, 2, 0]


def test_what_the_server_says_at_once_is_answered_together() -> None:
    said = sends(write_sipp(room_case()).uac)
    command = next(n for n, one in enumerate(said) if "cmd:join" in one)
    post = next(n for n, one in enumerate(said) if "<grpchat " in one)
    # The join brings a reply and a notice, the post its echo.
    assert said[command + 1] == "SIP/2.0 200 OK\n[$replies]"
    assert said[post + 1].startswith("SIP/2.0 200 OK\n[last_Via:]\n")


def test_the_commandid_of_a_reply_is_that_of_the_live_command() -> None:
    files = write_sipp(room_case())
    known = re.search(r'envid="(\[call_number\]\d{4})" [^>]*><cmd id="cmd:join"', files.uac)
    assert known
    number = known[1].removeprefix("[call_number]")
    assert f"(rpl:join)&quot;.*commandid[^&gt;]*envid=&quot;[0-9]*{number}&quot;" in files.uac
    captured = re.search(r"xccos\[\^&gt;\]\* envid=.*assign_to=\"matched,(envid\d+)\"", files.uas)
    assert captured
    assert f'<commandid seqid="1" envid="[${captured[1]}]"/>' in files.uas


def test_what_people_set_is_in_the_csv_file_and_is_learned_by_the_server() -> None:
    files = write_sipp(room_case())
    rows = files.csv.splitlines()
    assert rows[0] == "SEQUENTIAL"
    assert rows[1] == "# client1.user;domain1;room1;text1"
    assert (
        rows[2]
        == f"ann.archer@contoso.com;contoso.com;41296766-6c7f-45d4-9c4b-6b1b5d0b0b01;{TEXT};"
    )
    assert TEXT not in files.uac
    assert "[field3]</chat>" in files.uac
    echo = next(one for one in sends(files.uas) if one.startswith("INFO") and "<chat>" in one)
    assert re.search(r"<chat>\[\$text\d+\]</chat>", echo)
    assert 'author="sip:[$user' in echo


def test_a_value_that_sipp_cannot_quote_stays_in_the_scenario() -> None:
    script = room_case()
    text = "semicolon; <tag> & line\r\nbreak"
    slots = tuple(replace(s, value=text) if s.name == "text1" else s for s in script.slots)
    files = write_sipp(replace(script, slots=slots))
    assert "text1" not in files.csv
    assert "semicolon; &lt;tag&gt; &amp; line&#xD;&#xA;break</chat>" in files.uac
    assert any("text1" in note for note in files.notes)


def test_the_gruu_that_the_registrar_tells_is_used_afterwards() -> None:
    files = write_sipp(room_case())
    invite = next(one for one in sends(files.uac) if one.startswith("INVITE"))
    assert re.fullmatch(
        r"<sip:\[field0\];opaque=user:epid:\[\$opaque\d+\];gruu>", header(invite, "Contact")
    )
    alone = next(
        one for one in sends(write_sipp(room_case(), register=False).uac) if one.startswith("INV")
    )
    assert header(alone, "Contact") == "<sip:[local_ip]:[local_port];transport=[transport]>"


def test_without_the_registration_the_dialog_stands_alone() -> None:
    files = write_sipp(room_case(), register=False)
    assert "REGISTER" not in files.uac + files.uas


def test_credentials_are_left_out() -> None:
    script = room_case()
    first = script.turns[0].message
    secret = ("Authorization", 'NTLM gssapi-data="TlRMTVNTUAAD", opaque="${gruu1}"')
    files = write_sipp(with_message(script, "t1", replace(first, headers=(*first.headers, secret))))
    assert "NTLM" not in "".join((files.uac, files.uas, files.csv))
    assert any("NTLM" in note for note in files.notes)


def test_an_ack_to_a_failure_is_of_the_invite_s_transaction() -> None:
    case = Case()
    one = case.ask("client1", "channel1", "INVITE sip:ocschat@${domain1} SIP/2.0")
    case.answer(one, "486 Busy Here")
    case.ask("client1", "channel1", "ACK sip:ocschat@${domain1} SIP/2.0")
    files = write_sipp(case.script())
    root = etree.fromstring(files.uac.encode())
    steps = [one for one in root if one.tag in ("send", "recv", "nop", "pause")]
    invite, ack = (number for number, one in enumerate(steps) if one.tag == "send")
    assert f";branch=[branch-{ack - invite}]" in (steps[ack].text or "")
    assert (steps[ack].text or "").strip().startswith("ACK sip:ocschat@[field1] SIP/2.0\n")
    assert "\n[last_To:]\n" in (steps[ack].text or "")


def test_pauses_are_those_of_the_recording_and_still_answer_the_server() -> None:
    script = room_case()
    slow = tuple(
        replace(turn, at_ms=turn.at_ms + 1500) if int(turn.id[1:]) >= 13 else turn
        for turn in script.turns
    )
    files = write_sipp(replace(script, turns=slow), pauses=True)
    assert re.findall(r'timeout="(\d+)" ontimeout="ready4"', files.uac) == ["1520"]
    assert "ready4" not in write_sipp(replace(script, turns=slow)).uac


def test_a_dialog_that_is_too_long_for_sipp_is_cut_and_still_ends_with_bye() -> None:
    case = Case()
    invite(case)
    for _ in range(60):
        say(case, command(case, "setpref", f"<data>{'x' * 2000}</data>"))
    bye(case)
    files = write_sipp(case.script())
    assert max(len(files.uac.encode()), len(files.uas.encode())) <= MAX_FILE
    assert starts(files.uac)[-1].startswith("BYE")
    assert 10 < files.uac.count("<cmd ") < 60
    assert any("64 KiB" in note for note in files.notes)


def test_a_dialog_whose_beginning_is_too_long_is_refused() -> None:
    case = Case()
    case.ask("client1", "channel1", "INVITE sip:a SIP/2.0", "x" * MAX_FILE)
    bye(case)
    with pytest.raises(ValueError, match="too long for SIPp"):
        write_sipp(case.script())


@pytest.mark.parametrize(
    ("dialog", "reason"),
    [("channel9", "no dialog 'channel9' .it has registration1, channel1"), ("channel1", "begins")],
)
def test_what_cannot_be_played_is_refused_in_one_line(dialog: str, reason: str) -> None:
    case = Case()
    register(case)
    one = case.ask(SERVER, "channel1", "INVITE sip:${client1.user} SIP/2.0")
    case.answer(one, "200 OK")
    with pytest.raises(ValueError, match=reason) as raised:
        write_sipp(case.script(), dialog)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("start", ["${x} y z", "INFO", "IN\x01FO sip:a SIP/2.0", ""])
def test_a_start_line_that_is_none_is_refused(start: str) -> None:
    script = room_case()
    message = script.turns[6].message
    with pytest.raises(ValueError, match=r"^turn t\d+ is no re"):
        write_sipp(with_message(script, "t7", replace(message, start=start)))


def test_a_status_that_is_none_is_refused() -> None:
    script = room_case()
    message = script.turns[7].message
    with pytest.raises(ValueError, match=r"turn t8 is no response: 'SIP/2\.0 999 Odd'"):
        write_sipp(with_message(script, "t8", replace(message, start="SIP/2.0 999 Odd")))


def test_a_binary_body_is_kept_byte_for_byte() -> None:
    script = room_case()
    message = script.turns[6].message
    files = write_sipp(with_message(script, "t7", replace(message, body="", binary=b"\xff[\n\x01")))
    assert "\\xFF\\x5B\\x0A\\x01" in files.uac
