"""Many clients over loopback, and the synchronous door with its signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import pytest

from analyzer.replay.actions import Action, Address, Close, Open, Send
from analyzer.replay.load import Load, LoadView, Watch
from analyzer.replay.options import User
from analyzer.replay.transport.crowd import run_load
from analyzer.replay.transport.front import play_client, play_load, play_server
from analyzer.replay.transport.run import Run, Stop
from analyzer.replay.wire import WireLog
from tests.analyzer.replay.fakes import Acting, Caller, Echo, Fake
from tests.analyzer.replay.transport.loopback import ANY, run, serving

FAST = 10_000.0


def test_everybody_plays_and_is_counted() -> None:
    async def scene() -> None:
        made: list[tuple[int, str | None]] = []

        def make(index: int, user: User | None) -> Caller:
            made.append((index, user and user.user))
            return Caller(rounds=5)

        users = (User("a@example.com"), User("b@example.com"))
        server = Echo()
        async with serving(server) as there:
            result = await run_load(Load(make, users, clients=60, rate=FAST), there.address)
        assert result.held
        assert (result.view.started, result.view.done, result.view.failed) == (60, 60, 0)
        assert result.view.messages == 2 * 60 * 5
        assert result.verdicts == {"held": 60}
        assert result.outcome.played == 60
        assert [(times.what, times.samples) for times in result.view.latencies] == [("INFO", 300)]
        assert made[:3] == [(0, "a@example.com"), (1, "b@example.com"), (2, "a@example.com")]
        assert len(server.ends()) == 60

    run(scene())


def test_clients_begin_at_their_times_and_share_a_log() -> None:
    async def scene() -> None:
        log = WireLog(lambda: 0)
        async with serving(Echo()) as there:
            load = Load(lambda _index, _user: Caller(), clients=5, rate=50.0)
            await run_load(load, there.address, run=Run(wire=log))
        opened = [event for event in log.events if event.kind == "open"]
        assert [event.connection for event in opened] == [1, 2, 3, 4, 5]
        for index, event in enumerate(opened):
            assert event.time_ns >= index * 20_000_000
        assert log.events == sorted(log.events, key=lambda event: event.time_ns)

    run(scene())


def test_no_more_play_at_once_than_were_allowed() -> None:
    running, most = 0, 0

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        nonlocal running, most
        if event == ("start",):
            running += 1
            most = max(most, running)
            return [Open(1)]
        if event[0] == "opened":
            return [Send(1, b"x")]
        running -= 1
        play.finished = True
        return []

    async def scene() -> None:
        async with serving(Echo()) as there:
            load = Load(
                lambda _index, _user: Acting(when=when), clients=20, rate=FAST, concurrent=3
            )
            result = await run_load(load, there.address)
        assert result.view.done == 20
        assert 1 < most <= 3

    run(scene())


def test_what_fails_is_counted_by_kind() -> None:
    async def scene() -> None:
        server = Acting(
            when=lambda _play, event: (
                [Close(event[1], "rst")]
                if event[0] == "receive" and isinstance(event[1], int)
                else []
            )
        )
        async with serving(server) as there:
            load = Load(lambda _index, _user: Caller(), clients=4, rate=FAST)
            result = await run_load(load, there.address)
        assert not result.held
        assert result.view.failed == 4
        assert result.view.errors == (("missing", 4), ("rst", 4))

    run(scene())


def test_nobody_there_is_told_once_with_how_often() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        target = Address(*taken.getsockname())
    load = Load(lambda _index, _user: Caller(), clients=4, rate=FAST)
    result = run(run_load(load, target))
    assert result.outcome.notes == (f"{target}: connection refused (×4)",)
    assert dict(result.view.errors)["refused"] == 4


def _waiting() -> Fake:
    return Acting(when=lambda _play, event: [Open(1)] if event == ("start",) else [])


def test_who_stops_it_stops_all_who_play_and_nobody_begins_any_more() -> None:
    async def scene() -> None:
        stop, plays = Stop(), list[Fake]()

        def make(index: int, _user: User | None) -> Fake:
            if index == 10:
                stop.ask("interrupted")
            plays.append(_waiting())
            return plays[-1]

        async with serving(Echo()) as there:
            load = Load(make, clients=1000, rate=FAST)
            result = await run_load(load, there.address, run=Run(stop=stop))
        assert len(plays) == result.view.started == 11
        assert {play.aborted for play in plays} == {"interrupted"}
        assert not result.outcome.complete

    run(scene())


def test_the_limit_is_for_all_of_them() -> None:
    async def scene() -> None:
        async with serving(Echo()) as there:
            load = Load(lambda _index, _user: _waiting(), clients=1000, rate=100.0)
            result = await run_load(load, there.address, run=Run(limit=0.2))
        assert 1 <= result.view.started < 100
        assert not result.held

    run(scene())


def test_a_mistake_in_one_play_ends_all() -> None:
    def make(index: int, _user: User | None) -> Fake:
        if index == 3:
            raise ZeroDivisionError
        return _waiting()

    async def scene() -> None:
        async with serving(Echo()) as there:
            with pytest.raises(ZeroDivisionError):
                await run_load(Load(make, clients=10, rate=FAST), there.address)

    run(scene())


def test_whoever_watches_sees_how_it_goes_on() -> None:
    async def scene() -> None:
        views: list[LoadView] = []

        def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
            play.due = 0.01
            play.finished = event == ("wake",) and len(views) >= 3
            return []

        load = Load(lambda _index, _user: Acting(when=when), clients=2, rate=FAST)
        result = await run_load(load, ANY, watch=Watch(0.02, views.append))
        assert [view.running for view in views[:3]] == [2, 2, 2]
        assert [view.seconds for view in views] == sorted(view.seconds for view in views)
        assert result.view.done == 2

    run(scene())


# The synchronous door


@pytest.mark.parametrize(
    ("number", "reason"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_a_signal_ends_a_play_politely_and_its_outcome_is_returned(
    number: signal.Signals, reason: str
) -> None:
    # A shell starts what is in its background with SIGINT ignored: here it is as on a terminal.
    before = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    signal.signal(number, before)
    server = Fake()

    def ready(_address: Address) -> None:
        os.kill(os.getpid(), number)

    stop = Stop()
    outcome = play_server(server, ANY, ready=ready, run=Run(stop=stop))
    assert server.aborted == stop.reason == reason
    assert not outcome.complete
    assert signal.getsignal(number) == before


def test_two_signals_end_at_once() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event[0] in {"start", "abort"}:
            os.kill(os.getpid(), signal.SIGINT)
        play.due = 3600.0
        return []

    client = Acting(when=when, obedient=False)
    play_client(client, ANY, run=Run())
    assert client.aborted == "interrupted"


def test_a_load_is_ended_by_a_signal_too() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.due = 3600.0
        if event == ("start",):
            os.kill(os.getpid(), signal.SIGINT)
        return []

    load = Load(lambda _index, _user: Acting(when=when), clients=3, rate=1.0)
    result = play_load(load, ANY)
    assert result.view.started == 1
    assert not result.held


def test_outside_the_main_thread_it_plays_without_signals() -> None:
    async def scene() -> None:
        server = Echo()
        async with serving(server) as there:
            outcome = await asyncio.to_thread(play_client, Caller(), there.address)
        assert outcome.held

    run(scene())
