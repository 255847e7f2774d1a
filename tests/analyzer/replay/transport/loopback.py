"""Runs carriers over loopback and looks whether they leave anything behind."""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from analyzer.replay.actions import Address
from analyzer.replay.transport.run import Run
from analyzer.replay.transport.server import run_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from analyzer.replay.actions import Play
    from analyzer.replay.results import Outcome
    from analyzer.replay.transport.tls import TlsSettings

T = TypeVar("T")
ANY = Address("127.0.0.1", 0)
PATIENCE = 60.0
"""Seconds after which a test that hangs fails."""


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def run(work: Coroutine[object, object, T]) -> T:
    """Run something; fail when a task or an open file is left."""

    async def watched() -> T:
        result = await asyncio.wait_for(work, PATIENCE)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left
        return result

    gc.collect()
    gc.freeze()  # what is alive has been looked at: after the run only what is new is looked at
    before = _open_files()
    result = asyncio.run(watched())
    gc.collect()  # a transport that was not closed warns here, which is an error
    assert _open_files() == before
    return result


class Serving:
    """A server that runs beside a test."""

    def __init__(self) -> None:
        self.address = ANY
        self.run = Run()
        self.outcome: Outcome | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what it noted, once it is over."""
        assert self.outcome is not None
        return self.outcome.notes


@asynccontextmanager
async def serving(
    play: Play,
    *,
    tls: TlsSettings | None = None,
    run: Run | None = None,
    max_connections: int = 100,
) -> AsyncIterator[Serving]:
    """Run a server on a free port; it is asked to stop when the block is left."""
    server = Serving()
    server.run = run or server.run
    ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        run_server(
            play,
            ANY,
            ready=ready.set_result,
            tls=tls,
            run=server.run,
            max_connections=max_connections,
        )
    )
    server.address = await ready
    try:
        yield server
    finally:
        server.run.stop.ask("the test is over")
        server.outcome = await task
