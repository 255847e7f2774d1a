"""What the listener holds a turn against: meaning, and nothing volatile."""

from __future__ import annotations

from analyzer.replay.fields import parse_path
from analyzer.replay.script import FRESH, Script, Turn
from analyzer.replay.template import slots_of
from tests.analyzer.replay.derive.recordings import find, sample


def expected(turn: Turn) -> dict[str, str]:
    return {one.path: one.equals for one in turn.expect}


def all_of(script: Script) -> list[tuple[Turn, str, str]]:
    return [(turn, one.path, one.equals) for turn in script.turns for one in turn.expect]


def test_a_response_is_held_against_its_status() -> None:
    assert expected(find(sample("signin-tcp.pcap"), "200 REGISTER")) == {"status": "200"}


def test_a_command_is_held_against_its_id_rooms_and_criteria() -> None:
    script = sample("signin-tcp.pcap")
    assert expected(find(script, "INFO cmd:join")) == {
        "method": "INFO",
        "xccos/cmd:join/@id": "cmd:join",
        "xccos/cmd:join/data/chanid/@value": "${room1}",
    }
    context = expected(find(script, "INFO cmd:bccontext"))
    assert context["xccos/cmd:bccontext/data/bcq/last/@cnt"] == "25"
    search = expected(find(script, "INFO cmd:chansrch"))
    assert search["xccos/cmd:chansrch/data/qib/@criteria"] == ""


def test_a_reply_is_held_against_its_code_and_what_it_was_asked_for() -> None:
    reply = expected(find(sample("signin-tcp.pcap"), "INFO rpl:join"))
    assert reply == {
        "method": "INFO",
        "xccos/rpl:join/@id": "rpl:join",
        "xccos/rpl:join/resp/@code": "200",
        "xccos/rpl:join/data/chanib/@uri": "ma-chan://${domain1}/${room1}",
    }


def test_what_is_learned_from_a_message_is_not_expected_of_it() -> None:
    script = sample("signin-tcp.pcap")
    assert expected(find(script, "INFO rpl:requri")) == {
        "method": "INFO",
        "xccos/rpl:requri/@id": "rpl:requri",
        "xccos/rpl:requri/resp/@code": "200",
    }


def test_a_copy_is_held_against_room_author_and_words() -> None:
    script = sample("signin-tcp.pcap")
    echo = find(script, "INFO grpchat", number=2)
    text = next(name for name in echo.message.slots() if name.startswith("text"))
    assert expected(echo) == {
        "method": "INFO",
        "xccos/grpchat/@id": "grpchat",
        "xccos/grpchat/@chanUri": "ma-chan://${domain1}/${room1}",
        "xccos/grpchat/@author": "sip:${client1.user}",
        "xccos/grpchat/chat": f"${{{text}}}",
    }


def test_a_notice_is_held_against_user_and_room() -> None:
    notice = find(sample("twousers-post.pcap"), "INFO ntc:join")
    values = set(expected(notice).values())
    assert {"ntc:join", "sip:${client2.user}", "${room1}"} <= values


def test_items_of_a_batch_are_told_apart_by_number() -> None:
    paths = expected(find(sample("r2-signin-full.pcap"), "INFO cmd:getpref"))
    assert paths["xccos/cmd:getpref/data/pref/@label"] == "kedzie.GroupChannels"
    assert paths["xccos/cmd:getpref[11]/data/pref/@label"].startswith("kedzie.")


def test_every_expectation_can_be_read_and_none_is_volatile() -> None:
    for name in ("twousers-post.pcap", "r2-post-full.pcap", "batch-mixed.pcap"):
        script = sample(name)
        kinds = {one.name: one.kind for one in script.slots}
        for turn, path, equals in all_of(script):
            assert turn.live
            parse_path(path)
            assert not {kinds[one] for one in slots_of(equals)} & FRESH
