"""Captures that lack a beginning, or spell people in two ways, and what is said of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from analyzer.ladder.selection import Choice
from analyzer.replay.derive.build import derive, report_lines, slot_report
from analyzer.replay.derive.losses import losses
from analyzer.trace import open_capture
from tests.analyzer.captures import capture, chat, message
from tests.analyzer.replay.derive.recordings import FLOWS, script_of
from tests.paths import SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script

DEV = SHARED / "corpus" / "captures" / "xccos_dev"
_HEAD = re.compile(rb"(?:REGISTER|INVITE) sip:.*?\r\n\r\n", re.DOTALL)


def script(path: Path, *messages: bytes) -> Script:
    with open_capture(capture(path / "a.pcap", *messages), index=False) as trace:
        return derive(trace)


def test_an_answer_without_its_request_is_not_played_and_nobody_waits_for_it(
    tmp_path: Path,
) -> None:
    found = script(tmp_path, message("SIP/2.0 200 OK", Call_ID="old"), message(), chat("hello"))
    orphan, *others = found.turns
    assert (orphan.message.status, orphan.live) == (200, False)
    assert [one.live for one in others] == [True, True]
    assert all(orphan.id not in (*one.after, one.cause) for one in others)
    assert found.origin["not played"] == "1 without their request"


def test_an_ack_is_not_played_without_its_invite(tmp_path: Path) -> None:
    ack = message("ACK sip:ann@example.com SIP/2.0", CSeq="1 ACK", Call_ID="old")
    assert [one.live for one in script(tmp_path, ack, message()).turns] == [False, True]


def test_an_answer_finds_its_request_whatever_the_case_of_the_address(tmp_path: Path) -> None:
    def shout(found: re.Match[bytes]) -> bytes:
        return found[0].replace(b"user1@contoso.com", b"User1@Contoso.Com")

    path, original = tmp_path / "mixed.pcap", SAMPLES / "signin-tcp.pcap"
    path.write_bytes(_HEAD.sub(shout, original.read_bytes()))
    with open_capture(path, index=False) as trace:
        mixed = derive(trace)
    plain = script_of(original)
    for one, other in zip(mixed.turns, plain.turns, strict=True):
        assert (one.answers, one.live, one.cause) == (other.answers, other.live, other.cause)
        assert one.dialog.rstrip("0123456789") == other.dialog.rstrip("0123456789")
    assert len(mixed.dialogs) == len(plain.dialogs)
    assert mixed.slot("client1.user") != plain.slot("client1.user")
    domains = {slot.value: slot.part_of for slot in mixed.slots if slot.kind == "domain"}
    assert domains == {"contoso.com": "client1.user"}


def test_a_reply_to_a_post_waits_for_it() -> None:
    require_shared()
    found = script_of(DEV / "xccos_basic.pcap")
    replies = [one for one in found.turns if 'id="rpl:grpchat"' in one.message.body]
    assert len(replies) > 5
    for one in replies:
        post = found.turn(one.cause or "")
        assert post is not None
        assert post.speaker == "client1"
        assert '<grpchat id="grpchat"' in post.message.body
        assert post.id in one.after
        assert f"${{{post.id}.envid}}" in one.message.body


def test_holes_are_counted_and_told() -> None:
    require_shared()
    found = script_of(FLOWS / "hole-in-the-middle.pcapng")
    assert found.origin["holes"] == "2 holes"
    (sentence,) = losses(found.origin)
    assert sentence.startswith("the capture has 2 holes: what was lost in them is missing")
    assert report_lines(slot_report(found))[0] == sentence


def test_repetitions_are_told(tmp_path: Path) -> None:
    found = script(tmp_path, message(), message())
    assert losses(found.origin) == ["1 repetition: left out of the script"]


@pytest.mark.parametrize(
    ("count", "told"), [(1, "1 message without Call-ID or CSeq"), (2, "2 messages without")]
)
def test_messages_that_belong_to_nothing_are_told(tmp_path: Path, count: int, told: str) -> None:
    nameless = message().replace(b"CSeq:", b"X-CSeq:")
    (sentence,) = losses(script(tmp_path, message(), *[nameless] * count).origin)
    assert sentence.startswith(told)
    with pytest.raises(ValueError, match="left out: 1 message without Call-ID or CSeq"):
        script(tmp_path, nameless)


@pytest.mark.parametrize(
    ("choice", "there"),
    [
        (Choice(rooms=("nope",)), "the rooms of the capture are Sales EMEA"),
        (Choice(frames=((9_998, 9_999),)), "the capture has them in frames 4-76"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(choice: Choice, there: str) -> None:
    path = SAMPLES / "signin-tcp.pcap"
    with open_capture(path) as trace, pytest.raises(ValueError, match=there):
        derive(trace, choice)
