"""What comes before a turn: what brought it about, and what the scenario plainly needs."""

from __future__ import annotations

import pytest

from analyzer.replay.memory import play_in_memory
from analyzer.replay.options import PlayOptions
from analyzer.replay.player.client import ClientPlay
from analyzer.replay.player.server import ServerPlay
from analyzer.replay.script import SERVER, Script, Turn
from tests.analyzer.replay.derive.recordings import FLOWS, find, sample, script_of, told
from tests.paths import SAMPLES, require_shared


@pytest.fixture(scope="module")
def two() -> Script:
    return sample("twousers-post.pcap")


def before(script: Script, turn: Turn) -> set[str]:
    """Return everything that a turn has to wait for, and what that waits for."""
    found: set[str] = set()
    left = [*turn.after]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            known = script.turn(one)
            assert known is not None
            left += known.after
    return found


def test_nothing_waits_for_what_comes_later_or_is_not_live(two: Script) -> None:
    for script in (two, sample("r2-post-full.pcap"), sample("reconnect.pcap")):
        number = {turn.id: at for at, turn in enumerate(script.turns)}
        live = {turn.id for turn in script.turns if turn.live}
        for turn in script.turns:
            assert all(number[one] < number[turn.id] for one in turn.after)
            assert set(turn.after) <= live
            assert turn.cause is None or not turn.live or turn.cause in turn.after


def test_a_response_waits_for_its_request_alone(two: Script) -> None:
    for turn in two.turns:
        if turn.message.status is not None:
            assert turn.after == (turn.answers,)
            assert turn.cause == turn.answers


def test_only_provisional_responses_are_optional(two: Script) -> None:
    optional = {told(turn) for turn in two.turns if turn.optional}
    assert optional == {"100 INVITE"}


def test_an_ack_comes_after_its_answer_and_the_first_command_after_the_ack(two: Script) -> None:
    answer, ack = find(two, "200 INVITE"), find(two, "ACK")
    assert ack.cause == answer.id
    assert ack.after == (answer.id,)
    assert ack.id in find(two, "INFO cmd:requri").after


def test_a_reply_is_caused_by_its_command_and_follows_the_answer_to_it(two: Script) -> None:
    command, reply = find(two, "INFO cmd:chansrch"), find(two, "INFO rpl:chansrch")
    assert reply.cause == command.id
    answer = next(turn for turn in two.turns if turn.answers == command.id)
    assert answer.id in reply.after


def test_an_invite_of_the_channel_waits_for_the_address_it_learned(two: Script) -> None:
    assert find(two, "INVITE", number=2).cause == find(two, "INFO rpl:requri").id


def test_copies_and_notices_are_caused_by_the_other_client(two: Script) -> None:
    for turn in two.turns:
        if turn.speaker != SERVER or told(turn) not in ("INFO grpchat", "INFO ntc:join"):
            continue
        cause = two.turn(turn.cause or "")
        assert cause is not None
        assert told(cause) in ("INFO grpchat", "INFO cmd:join")
    notice = find(two, "INFO ntc:join")
    assert two.turn(notice.cause or "").speaker == "client2"  # type: ignore[union-attr]


def test_a_post_waits_until_those_are_in_the_room_who_get_it(two: Script) -> None:
    for author, reader in (("client1", "client2"), ("client2", "client1")):
        post = next(
            turn for turn in two.turns if turn.speaker == author and "<grpchat" in turn.message.body
        )
        assert find(two, "INFO rpl:join", reader).id in before(two, post)


def test_the_second_author_posts_after_he_heard_the_first(two: Script) -> None:
    first, second = (
        turn for turn in two.turns if turn.speaker != SERVER and "<grpchat" in turn.message.body
    )
    heard = next(
        turn for turn in two.turns if turn.cause == first.id and turn.listener == second.speaker
    )
    assert heard.id in second.after


def test_nobody_signs_off_before_he_said_and_heard_everything() -> None:
    script = sample("signin-tcp.pcap")
    sign_off = find(script, "REGISTER", number=2)
    assert sign_off.message.header("Expires") == "0"
    known = before(script, sign_off)
    for turn in script.turns[: script.turns.index(sign_off)]:
        answers = [one for one in script.turns if one.answers == turn.id]
        implied = turn.id in known or turn.optional or any(one.id in known for one in answers)
        assert implied, turn.id


def test_subscriptions_of_a_sign_in_wait_for_the_registration_alone() -> None:
    script = sample("signin-tcp.pcap")
    registered = find(script, "200 REGISTER").id
    for number in (1, 2, 3):
        assert find(script, "SUBSCRIBE", number=number).after == (registered,)


def test_a_client_comes_back_after_all_it_did_on_its_first_connection() -> None:
    script = sample("reconnect.pcap")
    second = next(
        turn
        for turn in script.turns
        if turn.connection == "c3" and turn.message.start.startswith("REGISTER")
    )
    first = [turn for turn in script.turns if turn.connection == "c1" and turn.live]
    known = before(script, second)
    earlier = [turn for turn in first if turn.at_ms < second.at_ms and turn.speaker == "client1"]
    assert earlier
    assert earlier[-1].id in known


def test_a_retry_follows_the_answer_that_refused_it() -> None:
    script = sample("fault-503.pcap")
    refused = next(turn for turn in script.turns if turn.message.status == 503)
    retried = next(
        turn
        for turn in script.turns[script.turns.index(refused) :]
        if turn.speaker == "client1" and "<grpchat" in turn.message.body
    )
    assert refused.id in before(script, retried)


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*.pcap*")))
def test_both_ends_play_the_script_of_a_sample_and_all_of_it_holds(name: str) -> None:
    script = sample(name)
    client = ClientPlay(script, PlayOptions(timing="fast", seed=1))
    result = play_in_memory(client, ServerPlay(script, PlayOptions(timing="fast", seed=2)))
    assert result.client.complete
    for outcome in (result.client, result.server):
        assert outcome.verdicts
        assert [one for one in outcome.verdicts if not one.good] == []


def test_a_late_recording_is_a_script_that_waits_for_nothing_before_it() -> None:
    require_shared()
    script = script_of(FLOWS / "late-start.pcapng")
    first = next(turn for turn in script.turns if turn.live)
    assert first.after == ()
