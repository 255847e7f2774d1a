"""A play as a client over loopback: what it is told, and what its peer sees."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from analyzer.replay.actions import Action, Address, Close, Open, Send, Stall
from analyzer.replay.transport.carrier import Carrier
from analyzer.replay.transport.client import Dialler, run_client
from analyzer.replay.transport.run import Run, Stop
from analyzer.replay.wire import WireLog
from tests.analyzer.replay.fakes import Acting, Caller, Echo, Fake
from tests.analyzer.replay.transport.loopback import ANY, run, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _peer(handler: Peer) -> AsyncIterator[Address]:
    """Listen with a handler of streams that closes its end itself."""
    tasks = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, ANY.host, 0)
    try:
        yield Address(*server.sockets[0].getsockname()[:2])
    finally:
        server.close()
        await asyncio.gather(*(task for task in tasks if task is not None))
        await server.wait_closed()


def _then(reactions: dict[tuple[object, ...], list[Action]]) -> Acting:
    """Return a play that opens connection 1, does what is said, and finishes with the end of it."""

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event[0] == "ended"
        return [Open(1)] if event == ("start",) else reactions.get(event, [])

    return Acting(when=when)


def test_a_message_goes_there_and_back() -> None:
    async def scene() -> None:
        server, client = Echo(), Caller(rounds=3)
        async with serving(server) as there:
            outcome = await run_client(client, there.address)
        assert outcome.held
        assert outcome.notes == ()
        assert server.heard() == 3 * client.message
        assert client.secure is False
        assert client.remote == there.address == server.local
        assert client.local == server.remote

    run(scene())


def test_the_source_is_where_connections_come_from() -> None:
    async def scene() -> None:
        server = Echo()
        async with serving(server) as there:
            await run_client(Caller(), there.address, source=Address("127.0.0.2", 0))
        assert server.remote is not None
        assert server.remote.host == "127.0.0.2"

    run(scene())


def test_every_send_leaves_at_once() -> None:
    async def scene() -> None:
        found: list[int] = []
        async with serving(Echo()) as there:

            def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
                if event[0] == "opened":
                    transport = carrier.links[1]._transport
                    assert transport is not None
                    raw = transport.get_extra_info("socket")
                    found.append(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                    play.finished = True
                return [Open(1)] if event == ("start",) else []

            carrier = Carrier(Acting(when=when), Run(), Dialler(there.address))
            await carrier.play()
            await carrier.close()
        assert found == [1]

    run(scene())


def test_half_ends_our_direction_only() -> None:
    heard: list[bytes] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.write(b"after your FIN")

    async def scene() -> None:
        client = _then({("opened", 1): [Send(1, b"all"), Close(1, "half"), Send(1, b"never")]})
        async with _peer(peer) as address:
            await run_client(client, address)
        assert heard == [b"all"]
        assert client.heard() == b"after your FIN"
        assert client.ends() == [(1, "fin")]

    run(scene())


def test_fin_closes_after_what_was_said_and_nothing_is_heard_any_more() -> None:
    heard: list[bytes] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 100_000)
        heard.append(await reader.read())

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event == ("wake",)
        if event == ("opened", 1):
            play.due = play.times[-1] + 0.05
            return [Send(1, b"y" * 500_000), Close(1)]
        return [Open(1)] if event == ("start",) else []

    async def scene() -> None:
        client = Acting(when=when)
        async with _peer(peer) as address:
            await run_client(client, address)
        assert [len(data) for data in heard] == [500_000]
        assert [event[0] for event in client.told] == ["start", "opened", "wake"]

    run(scene())


def test_rst_is_a_reset_for_the_peer() -> None:
    seen: list[type[BaseException]] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except ConnectionResetError as error:
            seen.append(type(error))

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event[0] == "opened"
        return [Open(1)] if event == ("start",) else [Close(1, "rst")]

    async def scene() -> None:
        async with _peer(peer) as address:
            await run_client(Acting(when=when), address)
        assert seen == [ConnectionResetError]

    run(scene())


def test_a_reset_by_the_peer_is_told_once() -> None:
    async def scene() -> None:
        server = Acting(
            when=lambda _play, event: [Close(1, "rst")] if event[0] == "receive" else []
        )
        client = Caller()
        async with serving(server) as there:
            outcome = await run_client(client, there.address)
        assert client.ends() == [(1, "rst")]
        assert not outcome.held

    run(scene())


def test_what_came_before_a_reset_is_told_before_it() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"last words")
        await reader.readexactly(2)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def scene() -> None:
        client = _then({("receive", 1, b"last words"): [Send(1, b"!!")]})
        async with _peer(peer) as address:
            await run_client(client, address)
        assert client.told[2:] == [("receive", 1, b"last words"), ("ended", 1, "rst")]

    run(scene())


def test_the_goodbye_of_a_peer_that_closes_without_reading_is_told() -> None:
    """It closes with our greeting unread, which is a RST: our next write fails before we read."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        peers: list[socket.socket] = []

        def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
            play.finished = event[0] == "ended"
            if event == ("start",):
                return [Open(1)]
            if event == ("opened", 1):
                peers.append(listening.accept()[0])
                peers[0].sendall(b"hello")
                return [Send(1, b"greeting")]
            if event == ("receive", 1, b"hello"):
                peers[0].sendall(b"goodbye")
                peers[0].close()
                return [Send(1, b"one"), Send(1, b"two")]
            return []

        client = Acting(when=when)
        run(run_client(client, Address(*listening.getsockname())))
    assert client.told[2:] == [
        ("receive", 1, b"hello"),
        ("receive", 1, b"goodbye"),
        ("ended", 1, "rst"),
    ]


def test_nobody_there_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    client = Caller()
    outcome = run(run_client(client, Address("127.0.0.1", port)))
    assert client.ends() == [(1, "refused")]
    assert outcome.notes == (f"127.0.0.1:{port}: connection refused",)


def test_nobody_answering_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.replay.transport.client.CONNECT_SECONDS", 0.1)
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)  # room for one that nobody accepts; further SYNs are dropped
        for other in (first, second):
            other.setblocking(False)
            other.connect_ex(deaf.getsockname())
        client = Caller()
        outcome = run(run_client(client, Address(*deaf.getsockname())))
    assert client.ends() == [(1, "timeout")]
    assert "no answer within 0.1 s" in outcome.notes[0]


def test_a_connection_that_is_closed_while_it_opens_is_told_no_more() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event == ("start",):
            play.due = 0.05
            return [Open(1), Close(1)]
        play.finished = True
        return []

    async def scene() -> None:
        client = Acting(when=when)
        async with serving(Fake()) as there:
            await run_client(client, there.address)
        assert client.told == [("start",), ("wake",)]

    run(scene())


def test_who_stalls_hears_later_what_came_meanwhile() -> None:
    async def scene() -> None:
        client, echo = Caller(), Echo()

        def when(_play: Acting, event: tuple[object, ...]) -> list[Action]:
            stalls: list[Action] = [Stall(1, 0.2), Stall(1, 0.05)]
            return stalls if event[0] == "opened" else echo.react(0.0, *event)

        server = Acting(when=when)
        async with serving(server) as there:
            await run_client(client, there.address)
        assert [event[0] for event in server.told[:3]] == ["start", "opened", "receive"]
        assert server.times[2] - server.times[1] >= 0.2

    run(scene())


def test_deadlines_are_absolute_so_that_being_late_once_shifts_nothing() -> None:
    dues = [0.02, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8]
    woken: list[tuple[float, float]] = []

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event == ("wake",):
            woken.append((dues[len(woken)], play.times[-1]))
            if len(woken) == 1:
                time.sleep(0.4)  # a machine that is busy
        play.due = dues[len(woken)] if len(woken) < len(dues) else None
        play.finished = play.due is None
        return []

    run(run_client(Acting(when=when), ANY))
    assert [due for due, _ in woken] == dues
    assert all(at >= due for due, at in woken)
    # With drift each of the later ones would be late by 0.4 or more; a busy machine delays some.
    assert min(at - due for due, at in woken if due >= 0.5) < 0.35


def test_a_peer_that_reads_nothing_loses_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.replay.transport.connection.MAX_UNSENT", 1 << 16)

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event[0] == "ended"
        if event[0] in {"opened", "wake"}:
            play.due = play.times[-1] + 0.001
            return [Send(1, b"x" * (1 << 20))]
        return [Open(1)] if event == ("start",) else []

    async def scene() -> None:
        client = Acting(when=when)
        server = Acting(when=lambda _play, event: [Stall(1, 60.0)] if event[0] == "opened" else [])
        async with serving(server) as there:
            outcome = await run_client(client, there.address)
        assert client.ends() == [(1, "rst")]
        assert outcome.notes == (f"{there.address} reads too slowly: connection broken",)

    run(scene())


def test_at_the_limit_the_play_is_aborted_and_may_say_goodbye() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        play.finished = event[:1] == ("receive",)
        if event == ("abort",):
            return [Send(1, b"BYE")]
        return [Open(1)] if event == ("start",) else []

    async def scene() -> None:
        client, server = Acting(when=when, obedient=False), Echo()
        async with serving(server) as there:
            outcome = await run_client(client, there.address, run=Run(limit=0.1))
        assert client.aborted == "not finished after 0.1 s"
        assert client.heard() == server.heard() == b"BYE"
        assert client.times[-2] >= 0.1
        assert not outcome.complete

    run(scene())


def test_a_second_wish_to_stop_is_obeyed_at_once() -> None:
    stop = Stop()

    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event[0] in {"opened", "abort"}:
            stop.ask("interrupted")
        return [Open(1)] if event == ("start",) else []

    async def scene() -> None:
        client = Acting(when=when, obedient=False)
        async with serving(Fake()) as there:
            began = asyncio.get_running_loop().time()
            await run_client(client, there.address, run=Run(stop=stop))
            assert asyncio.get_running_loop().time() - began < 2.0
        assert client.aborted == "interrupted"

    run(scene())


def test_a_play_that_never_finishes_ends_after_the_time_for_politeness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analyzer.replay.transport.carrier.POLITE_SECONDS", 0.1)

    async def scene() -> None:
        client = Acting(
            when=lambda _play, event: [Open(1)] if event == ("start",) else [], obedient=False
        )
        async with serving(Echo()) as there:
            await run_client(client, there.address, run=Run(limit=0.05))
        assert client.aborted is not None

    run(scene())


def test_a_client_with_nobody_to_hear_from_is_ended() -> None:
    async def scene() -> None:
        client = Acting(when=lambda _play, event: [Open(1)] if event == ("start",) else [])
        server = Acting(when=lambda _play, event: [Close(1)] if event[0] == "opened" else [])
        async with serving(server) as there:
            outcome = await run_client(client, there.address)
        assert client.ends() == [(1, "fin")]
        assert client.aborted == "nothing more can happen"
        assert not outcome.complete

    run(scene())


@pytest.mark.parametrize("where", ["start", "opened", "receive", "wake"])
def test_a_mistake_in_a_play_is_raised_and_leaves_nothing_open(where: str) -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event[0] == where:
            raise ZeroDivisionError
        play.due = 0.1 if where == "wake" else None
        return [Open(1)] if event == ("start",) else [Send(1, b"x")]

    async def scene() -> None:
        async with serving(Echo()) as there:
            with pytest.raises(ZeroDivisionError):
                await run_client(Acting(when=when), there.address)

    run(scene())


def test_the_wire_log_has_what_went_over_each_connection() -> None:
    async def scene() -> None:
        log = WireLog(lambda: 10**18)
        server, client = Echo(), Caller(rounds=1)
        async with serving(server) as there:
            await run_client(client, there.address, run=Run(wire=log))
        assert [(event.kind, event.outgoing, event.data) for event in log.events] == [
            ("open", True, b""),
            ("data", True, client.message),
            ("data", False, client.message),
            ("fin", True, b""),
            ("fin", False, b""),
        ]
        times = [event.time_ns for event in log.events]
        assert times == sorted(times)
        assert 10**18 <= times[0] <= times[-1] < 10**18 + 20 * 10**9
        assert (log.events[0].local, log.events[0].remote) == (client.local, there.address)

    run(scene())


def test_many_notes_are_counted_and_not_kept() -> None:
    def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
        if event[0] == "ended":
            play.finished = len(play.ends()) == 60
            return []
        return [Open(number) for number in range(1, 61)]

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = run(run_client(Acting(when=when), Address("127.0.0.1", port)))
    assert len(outcome.notes) == 51
    assert outcome.notes[-1] == "10 more notes of the carrier"


def test_a_client_that_is_cancelled_leaves_nothing_open() -> None:
    async def scene() -> None:
        opened = asyncio.Event()

        def when(play: Acting, event: tuple[object, ...]) -> list[Action]:
            if event[0] == "opened":
                opened.set()
            return [Open(1)] if event == ("start",) else []

        async with serving(Echo()) as there:
            task = asyncio.create_task(run_client(Acting(when=when), there.address))
            await opened.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(scene())
