"""Client against server in memory: every recording can be played, and what is new is new."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.replay.memory import play_in_memory
from analyzer.replay.options import PlayOptions, User
from analyzer.replay.player.client import ClientPlay
from analyzer.replay.player.server import ServerPlay
from analyzer.trace import open_capture
from tests.analyzer.replay.player.scripts import EPOCH, Played, recordings, sample, script_of
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script

IDENTIFIERS = ("call-id", "tag", "envid", "epid", "instance")


@pytest.mark.parametrize("path", recordings(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_recording_plays_at_both_ends(path: Path) -> None:
    played = Played(script_of(path))
    assert played.bad == []
    assert played.result.client.complete
    assert played.result.server.complete


def test_identifiers_are_fresh_at_every_play() -> None:
    script = sample("signin-tcp")
    first, second = Played(script).wire, Played(script, PlayOptions(seed=7)).wire
    recorded = [slot.value for slot in script.slots if slot.kind in IDENTIFIERS]
    assert len(recorded) > 20
    assert [value for value in recorded if value in first] == []
    call_ids = [set(re.findall(r"Call-ID: (\S+)", wire)) for wire in (first, second)]
    assert len(call_ids[0]) == len(call_ids[1]) > 5
    assert not call_ids[0] & call_ids[1]


def test_the_same_seed_says_the_same() -> None:
    script = sample("twousers-post")
    assert Played(script).wire == Played(script).wire


def test_two_clients_whose_identifiers_collided_have_their_own() -> None:
    wire = Played(sample("callid-collision")).wire
    senders: dict[str, set[str]] = {}
    for call_id, who in re.findall(
        r"^From: <sip:([^>]+)>[^\r]*\r\n(?:[^\r]+\r\n)*?Call-ID: (\S+)", wire, re.MULTILINE
    ):
        senders.setdefault(who, set()).add(call_id)
    people = {name for names in senders.values() for name in names if name.startswith("user")}
    assert people == {"user1@contoso.com", "user2@contoso.com"}
    assert all(len({n for n in names if n.startswith("user")}) < 2 for names in senders.values())


def test_captured_credentials_are_never_sent() -> None:
    path = SAMPLES / "r2-signin-full.pcap"
    secrets: set[str] = set()
    with open_capture(path) as trace:
        for row in range(len(trace)):
            raw = trace.raw(row).decode("utf-8", "replace")
            secrets.update(re.findall(r'(?:response|rspauth|gssapi-data)="([^"]{16,})"', raw))
    assert len(secrets) > 10
    wire = Played(script_of(path)).wire
    assert "uthorization:" not in wire
    assert [secret for secret in secrets if secret in wire] == []


def test_another_user_of_another_domain_plays_the_same_case() -> None:
    played = Played(
        sample("signin-tcp"), PlayOptions(seed=1, users=(User("eve@fabrikam.example"),))
    )
    assert played.bad == []
    assert "REGISTER sip:fabrikam.example SIP/2.0" in played.wire
    assert "sip:user1@contoso.com" not in played.wire
    assert "ma-chan://fabrikam.example/" in played.wire


def test_what_is_posted_is_chosen_and_comes_back_as_it_was_said() -> None:
    text = 'Tom & "Jerry" <3\r\nnext line'
    script = sample("signin-tcp")
    [post] = [one.name for one in script.slots if one.kind == "text" and one.said_by == "client1"]
    played = Played(script, PlayOptions(seed=1, values={post: text}))
    assert played.bad == []
    assert played.wire.count("Tom &amp; ") == 2


def test_what_the_server_says_first_is_said_back() -> None:
    """The URI of the Channel service comes from the live server, not from the recording."""
    script = sample("signin-tcp")
    [uri] = [slot.name for slot in script.slots if slot.where == "rpl:requri/data/uib/@uri"]
    other = PlayOptions(seed=2, values={uri: "channel77@contoso.com"})
    played = Played(script, None, other)
    assert played.bad == []
    assert "INVITE sip:channel77@contoso.com SIP/2.0" in played.wire


def test_timing_as_recorded_keeps_absolute_times() -> None:
    script = sample("signin-tcp")
    lasted = max(turn.at_ms for turn in script.turns if turn.live) / 1000
    played = Played(script, PlayOptions(seed=1, timing="recorded"))
    assert played.bad == []
    assert played.result.seconds == pytest.approx(lasted, abs=0.05)
    scaled = Played(script, PlayOptions(seed=1, timing="recorded", scale=0.25))
    assert scaled.result.seconds == pytest.approx(lasted / 4, abs=0.05)


cuts = st.lists(st.integers(1, 700), min_size=1, max_size=30)


def _segments(lengths: list[int], data: bytes) -> list[bytes]:
    found, number = [], 0
    while data:
        length = lengths[number % len(lengths)]
        found.append(data[:length])
        data, number = data[length:], number + 1
    return found


@given(cuts)
@settings(max_examples=25, deadline=None)
def test_the_segmentation_of_the_wire_makes_no_difference(lengths: list[int]) -> None:
    script = sample("batch-mixed")
    options = PlayOptions(seed=3)
    result = play_in_memory(
        ClientPlay(script, options, epoch=EPOCH),
        ServerPlay(script, options, epoch=EPOCH),
        start_ns=0,
        segment=lambda data: _segments(lengths, data),
    )
    assert result.client.held
    assert result.server.held


class Damaging:
    """A play whose arrivals are damaged on the way."""

    def __init__(self, play: ClientPlay | ServerPlay, damage: dict[int, bytes]) -> None:
        self._play = play
        self._damage = damage
        self._count = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._play, name)

    def receive(self, connection: int, data: bytes, now: float) -> object:
        """Take bytes with one piece of them replaced."""
        self._count += 1
        junk = self._damage.get(self._count % 40)
        if junk is not None:
            at = len(data) * (junk[0] if junk else 0) // 256
            data = data[:at] + junk + data[at + len(junk) :]
        return self._play.receive(connection, data, now)


damages = st.dictionaries(st.integers(0, 39), st.binary(max_size=12), min_size=1, max_size=4)


@given(damages, damages)
@settings(max_examples=40, deadline=None)
def test_whatever_a_peer_says_the_play_ends(
    ours: dict[int, bytes], theirs: dict[int, bytes]
) -> None:
    script = sample("twousers-post")
    client = ClientPlay(script, PlayOptions(seed=1, timeout=2.0), epoch=EPOCH)
    server = ServerPlay(script, PlayOptions(seed=2), epoch=EPOCH)
    damaged: tuple[object, object] = (Damaging(client, ours), Damaging(server, theirs))
    play_in_memory(*damaged, start_ns=0)  # type: ignore[arg-type]
    assert client.finished
    settled = {one.turn for one in client.outcome().verdicts}
    wanted = {turn.id for turn in script.turns if turn.live and not turn.optional}
    assert not {one for one in wanted - settled if _is_heard(script, one)}


def _is_heard(script: Script, number: str) -> bool:
    turn = script.turn(number)
    return turn is not None and turn.speaker == "server"


def test_a_client_may_use_more_of_a_dialog_than_the_script_has() -> None:
    """A server answers again what it has answered before: a case of one post serves many."""
    script = sample("signin-tcp")
    [post] = [
        turn
        for turn in script.turns
        if turn.speaker == "client1" and "<grpchat" in turn.message.body
    ]
    again = replace(post, id="t900", after=(*post.after, post.id), expect=(), cause=None)
    at = script.turns.index(post)
    longer = replace(script, turns=(*script.turns[: at + 1], again, *script.turns[at + 1 :]))
    played = Played(longer, theirs=script)
    assert played.wire.count(">Hello from a real client<") == 4
    assert f"{post.message.method} grpchat ({post.id}) came again" in played.notes
