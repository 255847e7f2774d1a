"""What only goes wrong in rare moments: complaints of the system, mistakes, a hurry at the end."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from analyzer.replay.actions import Action, Close, Open, Send, Stall
from analyzer.replay.transport.carrier import Carrier
from analyzer.replay.transport.client import Dialler, carry, run_client
from analyzer.replay.transport.complaints import noting, problem
from analyzer.replay.transport.run import Run, Stop
from tests.analyzer.replay.fakes import Acting, Caller, Echo, Fake
from tests.analyzer.replay.transport.loopback import ANY, run, serving

if TYPE_CHECKING:
    from analyzer.replay.transport.connection import Link


def test_what_the_system_refuses_is_noted_and_a_mistake_is_shown_as_always(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notes: list[str] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        with noting(notes.append):
            error = OSError(errno.EMFILE, "Too many open files")
            loop.call_exception_handler({"message": "accepting failed", "exception": error})
            assert not caplog.records
            mistake = ZeroDivisionError()
            loop.call_exception_handler({"message": "a mistake", "exception": mistake})
        assert loop.get_exception_handler() is None

    run(scene())
    assert notes == ["accepting failed: too many open files"]
    assert [record.message for record in caplog.records] == ["a mistake"]


def test_a_problem_of_a_name_keeps_the_words_of_the_resolver() -> None:
    assert problem(socket.gaierror(-2, "Name or service not known")) == "name or service not known"
    assert problem(OSError("odd")) == "odd"


def test_a_mistake_while_connecting_is_raised() -> None:
    class Broken(Dialler):
        async def connect(self, carrier: Carrier, link: Link) -> None:
            del carrier, link
            await asyncio.sleep(0)
            raise ZeroDivisionError

    async def scene() -> None:
        with pytest.raises(ZeroDivisionError):
            await carry(Carrier(Caller(), Run(), Broken(ANY)))

    run(scene())


def test_whoever_is_in_a_hurry_does_not_wait_for_peers_that_do_not_close() -> None:
    stop = Stop()

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event[0] == "opened"
        if play.finished:
            loop = asyncio.get_running_loop()
            loop.call_later(0.05, stop.ask, "interrupted")
            loop.call_later(0.05, stop.ask, "interrupted")
        return [Open(1)] if event == ("start",) else []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        async with serving(Fake()) as there:
            began = loop.time()
            await run_client(Acting(when=when), there.address, run=Run(stop=stop))
            assert 0.05 <= loop.time() - began < 1.0

    run(scene())


def test_a_peer_that_does_not_close_is_waited_for_so_long_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analyzer.replay.transport.connection.LINGER_SECONDS", 0.05)

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event[0] == "opened"
        return [Open(1)] if event == ("start",) else [Send(1, b"x" * (1 << 24))]

    async def scene() -> None:
        server = Acting(when=lambda _play, event: [Stall(1, 60.0)] if event[0] == "opened" else [])
        async with serving(server) as there:
            began = asyncio.get_running_loop().time()
            await run_client(Acting(when=when), there.address)
            assert asyncio.get_running_loop().time() - began < 2.0

    run(scene())


def test_a_connection_that_the_peer_broke_unread_is_closed_without_ado() -> None:
    reset = struct.pack("ii", 1, 0)
    broken = asyncio.Event()

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event[0] == "opened":
            return [Stall(1, 60.0)]
        if broken.is_set():
            play.finished = True
            return [Close(1)]
        play.due = play.times[-1] + 0.01
        return []

    async def scene() -> None:
        server = Acting(when=when)
        async with serving(server) as there:
            with socket.create_connection(there.address) as peer:
                while not server.remote:
                    await asyncio.sleep(0)
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            broken.set()
        assert server.ends() == []

    run(scene())


def test_what_a_play_says_to_a_connection_that_is_gone_is_dropped() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event[0] == "ended":
            play.finished = True
            return [Send(1, b"x"), Stall(1, 1.0), Close(1, "rst"), Send(7, b"x"), Close(7)]
        return [Open(1), Open(1)] if event == ("start",) else [Send(1, b"x")]

    async def scene() -> None:
        client = Acting(when=when)
        server = Acting(
            when=lambda _play, event: [Close(1, "rst")] if event[0] == "receive" else []
        )
        async with serving(server) as there:
            outcome = await run_client(client, there.address)
        assert client.told == [("start",), ("opened", 1), ("ended", 1, "rst")]
        assert outcome.complete

    run(scene())


def test_a_wish_to_stop_from_before_the_beginning_is_obeyed() -> None:
    async def scene() -> None:
        stop = Stop()
        stop.ask("interrupted")
        client = Acting(when=lambda _play, event: [Open(1)] if event == ("start",) else [])
        async with serving(Echo()) as there:
            await run_client(client, there.address, run=Run(stop=stop))
        assert client.aborted == "interrupted"

    run(scene())
