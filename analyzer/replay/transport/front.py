"""The synchronous door for whoever has no event loop: plays, and ends on Ctrl-C or SIGTERM.

The rule: the first signal aborts the play politely and its outcome is returned as usual (``Stop``
says that it was so); the second closes everything at once.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, TypeVar

from analyzer.replay.transport.client import run_client
from analyzer.replay.transport.crowd import run_load
from analyzer.replay.transport.run import Run
from analyzer.replay.transport.server import run_server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from analyzer.replay.actions import Address, Play
    from analyzer.replay.load import Load, LoadResult, Watch
    from analyzer.replay.results import Outcome
    from analyzer.replay.transport.run import Stop
    from analyzer.replay.transport.tls import TlsSettings

T = TypeVar("T")
SIGNALS = ((signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated"))


def play_client(
    play: Play,
    target: Address,
    *,
    tls: TlsSettings | None = None,
    source: Address | None = None,
    run: Run | None = None,
) -> Outcome:
    """Play as a client (``client.run_client``)."""
    run = run or Run()
    return _play(run_client(play, target, tls=tls, source=source, run=run), run.stop)


def play_server(
    play: Play,
    listen: Address,
    *,
    ready: Callable[[Address], None] | None = None,
    tls: TlsSettings | None = None,
    run: Run | None = None,
) -> Outcome:
    """Play as a server (``server.run_server``)."""
    run = run or Run()
    return _play(run_server(play, listen, ready=ready, tls=tls, run=run), run.stop)


def play_load(
    load: Load,
    target: Address,
    *,
    tls: TlsSettings | None = None,
    source: Address | None = None,
    run: Run | None = None,
    watch: Watch | None = None,
) -> LoadResult:
    """Play many clients (``crowd.run_load``)."""
    run = run or Run()
    work = run_load(load, target, tls=tls, source=source, run=run, watch=watch)
    return _play(work, run.stop)


def _play(work: Coroutine[object, object, T], stop: Stop) -> T:
    return asyncio.run(_stoppable(work, stop))


async def _stoppable(work: Coroutine[object, object, T], stop: Stop) -> T:
    """Do something; signals ask it to stop."""
    loop = asyncio.get_running_loop()
    stop.reached_by(loop.call_soon_threadsafe)
    handled = []
    for number, reason in SIGNALS:
        try:
            loop.add_signal_handler(number, stop.ask, reason)
        except (NotImplementedError, RuntimeError, ValueError):
            continue  # Windows has none; outside the main thread nobody can
        handled.append(number)
    try:
        return await work
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
