"""Each fault, against our clients: the outcome is told for what it is, and nothing hangs."""

from __future__ import annotations

import pytest

from analyzer.replay.faults import Faulty, parse_rule
from analyzer.replay.options import PlayOptions
from analyzer.replay.player.client import ClientPlay
from analyzer.replay.player.server import ServerPlay
from tests.analyzer.replay.player.scripts import EPOCH, Played, sample

PATIENCE = 5.0
LIMIT = 300.0
"""Virtual seconds: a play that needs them hangs."""

HARMLESS = [
    "503 cmd=join nth=1 retry-after=2",
    "delay method=INFO by=3s",
    "duplicate",
    "reorder method=INFO",
    "split pieces=5",
    "split at=body gap=50ms",
    "merge method=INFO",
    "stall for=2s method=INFO nth=1",
    "oversized body=200k rpl=join",
]
"""What a good client gets over."""

# Fault of the server, what the client says of a turn that it hit, and words of the difference.
HARMFUL = [
    ("481 method=INFO nth=1", "differs", "200 OK to INFO cmd:requri", "481"),
    ("500 method=INVITE nth=1", "differs", "200 OK to INVITE", "500"),
    ("drop rpl=join", "missing", "INFO rpl:join", "in time"),
    ("drop heard cmd=chansrch", "missing", "INFO rpl:chansrch", "in time"),
    ("drop heard method=INVITE nth=1", "missing", "200 OK to INVITE", "in time"),
    ("wrong-commandid rpl=join envid=4711", "differs", "INFO rpl:join", "4711"),
    ("cut how=fin before rpl=requri nth=1", "missing", "INFO rpl:requri", "closed"),
    ("cut how=rst before rpl=requri nth=1", "missing", "INFO rpl:requri", "broke"),
    ("cut how=half before rpl=chansrch nth=1", "missing", "INFO rpl:chansrch", "closed"),
    ("cut how=fin inside rpl=requri nth=1", "missing", "INFO rpl:requri", "closed"),
    ("oversized body=2M rpl=join", "missing", "INFO rpl:join", "in time"),
    ("stall for=60s cmd=join nth=1", "missing", "200 OK to INFO cmd:bccontext", "in time"),
]


def _play(rule: str, *, client: bool = False, seed: int = 1) -> Played:
    script = sample("signin-tcp")
    ours = ClientPlay(script, PlayOptions(seed=1, timeout=PATIENCE), epoch=EPOCH)
    theirs = ServerPlay(script, PlayOptions(seed=2), epoch=EPOCH)
    rules = [parse_rule(rule)]
    played = Played(
        script,
        Faulty(ours, rules, seed) if client else ours,
        theirs if client else Faulty(theirs, rules, seed),
        limit=LIMIT,
    )
    assert played.client.finished
    assert played.result.seconds < LIMIT / 2
    return played


@pytest.mark.parametrize("rule", HARMLESS)
def test_what_a_good_client_gets_over_is_noted_and_holds(rule: str) -> None:
    played = _play(rule)
    assert played.bad == []
    assert played.result.client.complete
    assert "fault '" in played.notes
    assert "hit nothing" not in played.notes


@pytest.mark.parametrize(("rule", "status", "turn", "words"), HARMFUL)
def test_what_breaks_a_case_is_told_at_the_turn_that_it_broke(
    rule: str, status: str, turn: str, words: str
) -> None:
    played = _play(rule)
    assert "hit nothing" not in played.notes
    found = [one for one in played.result.client.verdicts if one.what == turn and not one.good]
    assert [one.status for one in found][:1] == [status]
    told = f"{found[0].detail} {[(one.expected, one.found) for one in found[0].differences]}"
    assert words in told
    assert not played.result.client.held


@pytest.mark.parametrize("part", ["start", "header", "body"])
@pytest.mark.parametrize("client", [False, True], ids=["server", "client"])
def test_corrupted_messages_end_in_verdicts(part: str, client: bool) -> None:
    for seed in range(4):
        played = _play(f"corrupt part={part} p=20% bytes=3", client=client, seed=seed)
        assert played.result.client.verdicts


@pytest.mark.parametrize(
    "rule",
    ["drop method=INFO nth=2", "cut how=rst method=INFO nth=1", "481 said method=INFO nth=1"],
)
def test_faults_of_the_client_end_its_play_too(rule: str) -> None:
    played = _play(rule, client=True)
    assert "fault '" in played.notes


def test_a_503_is_answered_by_another_attempt_after_the_time_that_was_asked_for() -> None:
    played = _play("503 cmd=chansrch nth=1 retry-after=7")
    assert "INFO cmd:chansrch was answered 503 and sent again after 7 s" in played.notes
    assert 7.0 <= played.result.seconds < 8.0


def test_attempts_after_503_are_bounded() -> None:
    played = _play("503 cmd=chansrch")
    assert played.verdicts("differs") == ["200 OK to INFO cmd:chansrch"]
    assert played.wire.count('id="cmd:chansrch"') == 1 + PlayOptions().retries


def test_a_reply_to_a_refused_command_is_not_waited_for() -> None:
    played = _play("500 cmd=part")
    [reply] = [one for one in played.result.client.verdicts if one.what == "INFO rpl:part"]
    assert (reply.status, reply.detail) == ("missing", "its command was answered 500")
    assert played.result.seconds < PATIENCE
