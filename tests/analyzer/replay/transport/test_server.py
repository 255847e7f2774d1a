"""A play as a server over loopback: many peers, rude ones too."""

from __future__ import annotations

import asyncio
import socket
import struct
from itertools import cycle, islice
from typing import TYPE_CHECKING

import pytest

from analyzer.replay.actions import Action, Address, Open, Send
from analyzer.replay.transport.descriptors import SPARE, allow_files
from analyzer.replay.transport.errors import TransportError
from analyzer.replay.transport.run import Run
from analyzer.replay.transport.server import run_server
from tests.analyzer.replay.fakes import Acting, Echo, Fake
from tests.analyzer.replay.transport.loopback import ANY, run, serving

if TYPE_CHECKING:
    from collections.abc import Callable

RESET = struct.pack("ii", 1, 0)


def test_connections_are_numbered_and_told_with_their_peers() -> None:
    async def scene() -> None:
        server = Echo()
        async with serving(server) as there:
            for number in (1, 2):
                reader, writer = await asyncio.open_connection(*there.address)
                writer.write(b"hello")
                assert await reader.readexactly(5) == b"hello"
                assert server.remote == writer.get_extra_info("sockname")
                assert ("opened", number) in server.told
                writer.write_eof()
                assert await reader.read() == b""
                writer.close()
                await writer.wait_closed()
        assert server.ends() == [(1, "fin"), (2, "fin")]

    run(scene())


def test_it_ends_when_its_play_is_finished_and_says_all_it_had_to_say() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event[0] == "receive"
        return [Send(1, b"x" * 1_000_000)] if play.finished else []

    async def scene() -> None:
        ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(run_server(Acting(when=when), ANY, ready=ready.set_result))
        reader, writer = await asyncio.open_connection(*await ready)
        writer.write(b"go")
        assert len(await reader.read()) == 1_000_000
        writer.close()
        assert (await task).complete

    run(scene())


def test_at_the_limit_it_ends_though_nobody_came() -> None:
    server = Fake()
    outcome = run(run_server(server, ANY, run=Run(limit=0.05)))
    assert server.aborted == "not finished after 0.05 s"
    assert not outcome.complete


def test_an_aborted_server_with_nobody_connected_does_not_wait() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await run_server(Fake(obedient=False), ANY, run=Run(limit=0.05))
        assert loop.time() - began < 1.0

    run(scene())


def test_it_opens_nothing() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event == ("ended", 9, "refused")
        return [Open(9)] if event == ("start",) else []

    assert run(run_server(Acting(when=when), ANY)).complete


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address(*taken.getsockname())
        with pytest.raises(TransportError, match=rf"cannot listen on {address}: address already"):
            run(run_server(Fake(), address))
    with pytest.raises(TransportError, match=r"cannot listen on 192\.0\.2\.1:5060: "):
        run(run_server(Fake(), Address("192.0.2.1", 5060)))


def test_one_connection_too_many_is_broken_and_the_others_go_on() -> None:
    async def scene() -> None:
        server = Echo()
        async with serving(server, max_connections=2) as there:
            streams = [await asyncio.open_connection(*there.address) for _ in range(3)]
            for reader, writer in streams[:2]:
                writer.write(b"hello")
                assert await reader.readexactly(5) == b"hello"
            assert await streams[2][0].read() == b""
            for _, writer in streams:
                writer.close()
        assert there.notes == ("more than 2 connections at once: one was broken",)
        assert [event[1] for event in server.told if event[0] == "opened"] == [1, 2]

    run(scene())


def _rudenesses() -> list[Callable[[socket.socket], None]]:
    def break_it(peer: socket.socket) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def say_and_break(peer: socket.socket) -> None:
        peer.send(b"INFO sip")
        break_it(peer)

    return [
        lambda _peer: None,
        break_it,
        say_and_break,
        lambda peer: peer.shutdown(socket.SHUT_WR),
        lambda peer: peer.shutdown(socket.SHUT_RD),
        lambda peer: (peer.send(b"x" * 100_000), None)[1],
    ]


def test_peers_that_cut_their_connections_leave_nothing_behind() -> None:
    async def scene() -> None:
        server = Echo()
        async with serving(server, max_connections=200) as there:
            for be_rude in islice(cycle(_rudenesses()), 150):
                with socket.create_connection(there.address) as peer:
                    be_rude(peer)
                await asyncio.sleep(0)
            reader, writer = await asyncio.open_connection(*there.address)
            writer.write(b"still there?")
            assert await reader.readexactly(12) == b"still there?"
            writer.close()
            await writer.wait_closed()
        opened = {event[1] for event in server.told if event[0] == "opened"}
        ended = [event[1] for event in server.told if event[0] == "ended"]
        assert len(opened) == 151
        assert len(ended) == len(set(ended))
        assert set(ended) <= opened

    run(scene())


def test_ipv6_is_as_good() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event[0] == "receive"
        return []

    async def scene() -> None:
        ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        server = Acting(when=when)
        task = asyncio.create_task(run_server(server, Address("::1", 0), ready=ready.set_result))
        address = await ready
        assert str(address) == f"[::1]:{address.port}"
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"x")
        assert await reader.read() == b""
        writer.close()
        await task
        assert server.local == address

    run(scene())


def test_a_mistake_in_its_play_is_raised_and_leaves_nothing_open() -> None:
    def when(_play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event[0] == "receive":
            raise ZeroDivisionError
        return []

    async def scene() -> None:
        ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(run_server(Acting(when=when), ANY, ready=ready.set_result))
        reader, writer = await asyncio.open_connection(*await ready)
        writer.write(b"x")
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(ZeroDivisionError):
            await task

    run(scene())


def test_as_many_files_are_allowed_as_connections_need(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    limits = {"now": (256, 1000)}
    monkeypatch.setattr(resource, "getrlimit", lambda _which: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _which, new: limits.update(now=new))
    assert allow_files(100) == 100
    assert limits["now"] == (256, 1000)
    assert allow_files(500) == 500
    assert limits["now"] == (500 + SPARE, 1000)
    assert allow_files(5000) == 1000 - SPARE
    assert limits["now"] == (1000, 1000)
