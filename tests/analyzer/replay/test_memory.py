"""Both ends in memory: order, deadlines, ends of connections, and that it always ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay import memory
from analyzer.replay.actions import Action, Close, Open, Send, Stall, WireEvent
from analyzer.replay.memory import POLITE_SECONDS, play_in_memory
from tests.analyzer.replay.fakes import Acting, Caller, Echo, Fake

if TYPE_CHECKING:
    from collections.abc import Callable

    When = Callable[[Acting, tuple[object, ...]], list[Action]]


def _on(**reactions: list[Action]) -> Acting:
    """Return a play that does something the first time that it is told of something."""
    return Acting(when=lambda _play, event: reactions.pop(str(event[0]), []))


def test_a_client_that_has_all_its_answers_is_finished_and_both_see_the_end() -> None:
    client, server = Caller(rounds=3), Echo()
    result = play_in_memory(client, server)
    assert result.client.held
    assert client.back == 3 * len(client.message)
    assert server.heard() == 3 * client.message
    assert server.ends() == [(1, "fin")]


def test_each_way_takes_the_latency_and_no_time_passes_otherwise() -> None:
    client, server = Caller(rounds=1), Echo()
    result = play_in_memory(client, server, latency=0.5)
    assert [event[0] for event in client.told] == ["start", "opened", "receive"]
    assert client.times == [0.0, 1.0, 2.0]
    assert [event[0] for event in server.told] == ["start", "opened", "receive", "ended"]
    assert server.times == [0.0, 1.5, 1.5, 2.5]
    assert result.seconds == 3.0  # the FIN of the server


def test_a_play_is_woken_when_it_is_due_and_not_before() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.due = {"start": 7.0, "wake": None}[str(event[0])]
        play.finished = event[0] == "wake"
        return []

    client = Acting(when=when)
    result = play_in_memory(client, Fake())
    assert client.times == [0.0, 7.0]
    assert result.seconds == 7.0
    assert client.aborted is None


def test_what_arrives_at_the_moment_of_a_deadline_arrives_first() -> None:
    client = _on(start=[Open(1)], opened=[Send(1, b"x")], receive=[])
    client.due = 3.0
    play_in_memory(client, Echo(), latency=0.75, limit_seconds=3.0)
    assert [event[0] for event in client.told][:4] == ["start", "opened", "receive", "wake"]


def test_bytes_arrive_in_the_order_in_which_they_were_written() -> None:
    client = _on(start=[Open(1)], opened=[Send(1, bytes([number])) for number in range(50)])
    server = Fake()
    play_in_memory(client, server, latency=0.1)
    assert server.heard() == bytes(range(50))


def test_connections_do_not_wait_for_each_other() -> None:
    server = Acting(when=lambda _play, event: [Stall(1, 5.0)] if event == ("opened", 1) else [])
    said: dict[tuple[object, ...], list[Action]] = {
        ("start",): [Open(1), Open(2)],
        ("opened", 1): [Send(1, b"first")],
        ("opened", 2): [Send(2, b"second")],
    }
    client = Acting(when=lambda _play, event: said.get(event, []))
    play_in_memory(client, server)
    assert [event[1:] for event in server.told if event[0] == "receive"] == [
        (2, b"second"),
        (1, b"first"),
    ]
    assert server.times[-1] >= 5.0


def test_after_half_the_peer_may_go_on() -> None:
    client = _on(start=[Open(1)], opened=[Send(1, b"a"), Close(1, "half"), Send(1, b"never")])
    server = Acting(
        when=lambda _play, event: [Send(1, b"b"), Close(1)] if event == ("ended", 1, "fin") else []
    )
    play_in_memory(client, server)
    assert server.heard() == b"a"
    assert client.heard() == b"b"
    assert client.ends() == [(1, "fin")]


def test_after_fin_nothing_is_heard_any_more() -> None:
    client = _on(start=[Open(1)], opened=[Send(1, b"a"), Close(1)])
    server = Echo()
    play_in_memory(client, server)
    assert server.heard() == b"a"
    assert client.heard() == b""
    assert client.ends() == []
    assert server.ends() == [(1, "fin")]


@pytest.mark.parametrize("first", ["half", None])
def test_rst_ends_both_directions(first: str | None) -> None:
    halved = [Close(1, "half")] if first else []
    client = _on(start=[Open(1)], opened=[Send(1, b"a"), *halved, Close(1, "rst")])
    server = Acting(when=lambda _play, event: [Send(1, b"never")] if event[0] == "ended" else [])
    seen: list[WireEvent] = []
    play_in_memory(client, server, observe=seen.append)
    assert server.ends() == [(1, "fin" if first else "rst")]
    assert client.heard() == b""
    kinds = [event.kind for event in seen if event.outgoing]
    assert kinds == ["open", "data", *(["fin"] if first else []), "rst"]


def test_who_does_not_read_hears_it_all_later_and_in_order() -> None:
    client = _on(start=[Open(1)], opened=[Send(1, b"a"), Send(1, b"b"), Close(1)])
    server = _on(opened=[Stall(1, 4.0)])
    play_in_memory(client, server)
    assert [event[0] for event in server.told] == ["start", "opened", "receive", "receive", "ended"]
    assert server.times[2:] == [4.0, 4.0, 4.0]


def test_who_stops_reading_between_two_pieces_hears_the_rest_later() -> None:
    client = _on(start=[Open(1)], opened=[Send(1, b"abc")])
    server = _on(receive=[Stall(1, 2.0)])
    play_in_memory(client, server, segment=lambda data: [data[:1], data[1:]])
    assert server.heard() == b"abc"
    received = [
        at for at, event in zip(server.times, server.told, strict=True) if event[0] == "receive"
    ]
    assert received == [0.0, 2.0, 2.0]


@given(st.lists(st.integers(1, 40), max_size=20), st.sampled_from([0.0, 0.25]))
def test_bytes_are_the_same_however_they_are_cut(cuts: list[int], latency: float) -> None:
    def segment(data: bytes) -> list[bytes]:
        pieces, at = [], 0
        for length in cuts:
            pieces.append(data[at : at + length])
            at += length
        return [*pieces, data[at:]]

    client, server = Caller(rounds=4), Echo()
    result = play_in_memory(client, server, latency=latency, segment=segment)
    assert result.client.held
    assert server.heard() == 4 * client.message


def test_writes_of_one_moment_are_joined_before_they_are_cut() -> None:
    client = _on(start=[Open(1)], opened=[Send(1, b"ab"), Send(1, b"cd")])
    server = Fake()
    play_in_memory(client, server, segment=lambda data: [data[:3], data[3:]])
    assert [event[2] for event in server.told if event[0] == "receive"] == [b"abc", b"d"]


def test_the_wire_is_seen_as_the_client_sees_it() -> None:
    seen: list[WireEvent] = []
    client, server = Caller(rounds=1), Echo()
    play_in_memory(client, server, latency=0.5, observe=seen.append, start_ns=10**18)
    assert [(event.kind, event.outgoing) for event in seen] == [
        ("open", True),
        ("data", True),
        ("data", False),
        ("fin", True),
        ("fin", False),
    ]
    assert [event.time_ns - 10**18 for event in seen[:3]] == [10**9, 10**9, 2 * 10**9]
    assert seen[0].local == client.local == server.remote
    assert seen[0].remote == client.remote == server.local


def test_a_server_that_is_through_refuses() -> None:
    client = _on(start=[Open(1)])
    play_in_memory(client, Fake(finished=True))
    assert client.ends() == [(1, "refused")]


def test_a_server_opens_nothing() -> None:
    client, server = Caller(rounds=1), _on(start=[Open(9)])
    play_in_memory(client, server, limit_seconds=1.0)
    assert server.ends()[0] == (9, "refused")


def test_a_client_that_waits_for_what_never_comes_is_aborted_with_the_reason() -> None:
    client = _on(start=[Open(1)])
    result = play_in_memory(client, Fake())
    assert client.aborted == "nothing more can happen"
    assert not result.client.complete


def test_at_the_limit_the_client_is_aborted_and_may_say_goodbye() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event[0] in {"start", "wake"}:
            play.due = 10.0 + (play.due or 0.0)
            return [Open(1)] if event[0] == "start" else []
        return [Send(1, b"BYE")] if event[0] == "abort" else []

    client, server = Acting(when=when, obedient=False), Fake()
    result = play_in_memory(client, server, limit_seconds=25.0)
    assert client.aborted == "not finished after 25 s"
    assert server.heard() == b"BYE"
    assert server.ends() == [(1, "fin")]
    assert 25.0 <= result.seconds <= 25.0 + 2 * POLITE_SECONDS


def test_two_plays_that_answer_each_other_for_ever_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_STEPS_AT_ONCE", 1000)
    client = Caller(rounds=10**9)
    play_in_memory(client, Echo())
    assert client.aborted == "both ends go on for ever without time going on"


def test_a_play_that_is_always_due_ends() -> None:
    client = Fake(due=0.0)
    play_in_memory(client, Fake())
    assert client.aborted == "both ends go on for ever without time going on"


def test_a_server_that_is_always_due_does_not_keep_a_client_from_its_end() -> None:
    client = Caller(rounds=1)
    assert play_in_memory(client, Echo(due=5.0)).client.held


def test_a_connection_whose_peer_reads_nothing_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.replay.memory_wire.MAX_WAITING", 1000)
    client = _on(start=[Open(1)], opened=[Send(1, b"x" * 600), Send(1, b"y" * 600)])
    server = _on(opened=[Stall(1, 60.0)])
    result = play_in_memory(client, server)
    assert client.ends() == [(1, "rst")]
    assert any("unread by the server, broken" in note for note in result.client.notes)


def test_it_is_the_same_every_time() -> None:
    def events() -> list[WireEvent]:
        seen: list[WireEvent] = []
        play_in_memory(Caller(rounds=20), Echo(), latency=0.01, observe=seen.append)
        return seen

    assert events() == events()
