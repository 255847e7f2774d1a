"""Many clients over the network, in one process and one event loop.

The rule: a client that is late does not delay the next. Whoever stops the crowd stops every client
in it, each politely, and nobody begins any more.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.replay.load import Tally
from analyzer.replay.transport.carrier import Carrier
from analyzer.replay.transport.client import Dialler, carry
from analyzer.replay.transport.complaints import noting
from analyzer.replay.transport.descriptors import allow_files
from analyzer.replay.transport.run import Run, Stop

if TYPE_CHECKING:
    from analyzer.replay.actions import Address, Play
    from analyzer.replay.load import Load, LoadResult, LoadView, Watch
    from analyzer.replay.transport.tls import TlsSettings


async def run_load(
    load: Load,
    target: Address,
    *,
    tls: TlsSettings | None = None,
    source: Address | None = None,
    run: Run | None = None,
    watch: Watch | None = None,
) -> LoadResult:
    """Play many clients against a target; the limit of ``run`` is for all of them together.

    Raises TransportError for TLS settings that cannot be used.
    """
    return await _Crowd(load, Dialler(target, tls, source), run or Run()).play(watch)


class _Crowd:
    def __init__(self, load: Load, dialler: Dialler, run: Run) -> None:
        self._load = load
        self._dialler = dialler
        self._outer = run
        self._run = replace(run, limit=None, stop=Stop())
        self._tally = Tally(load.clients)
        self._halt = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._origin = self._loop.time()
        wanted = load.clients if load.concurrent is None else min(load.clients, load.concurrent)
        self._gate = asyncio.Semaphore(max(1, allow_files(wanted)))
        self._tasks: set[asyncio.Task[None]] = set()
        self._error: BaseException | None = None

    async def play(self, watch: Watch | None) -> LoadResult:
        """Let everybody play."""
        limit = self._outer.limit
        watcher = None if watch is None else self._loop.create_task(self._show(watch))
        timer = None if limit is None else self._loop.call_later(limit, self._too_long, limit)
        self._outer.stop.add(self._pass_on)
        if self._outer.stop.reason:
            self._pass_on()
        try:
            with noting(self._tally.note):
                await self._let_in()
                while self._tasks:
                    await asyncio.wait(self._tasks)
        finally:
            self._outer.stop.remove(self._pass_on)
            if timer is not None:
                timer.cancel()
            await _cancel({*self._tasks, *(() if watcher is None else (watcher,))})
        if self._error is not None:
            raise self._error
        return self._tally.result(self._view())

    async def _let_in(self) -> None:
        for index, start in enumerate(self._load.starts()):
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._origin + start):
                    await self._halt.wait()
            await self._gate.acquire()
            if self._halt.is_set():
                return
            task = self._loop.create_task(self._one(index))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    async def _one(self, index: int) -> None:
        self._tally.begin()
        play: Play = self._load.make(index, self._load.user(index))
        carrier = Carrier(play, self._run, self._dialler)
        await carry(carrier)
        self._tally.finish(carrier.outcome())

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._gate.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = self._error or error
            self._stop("a client failed")

    # The end

    def _pass_on(self) -> None:
        for _ in range(2 if self._outer.stop.urgent else 1):
            self._stop(self._outer.stop.reason)

    def _too_long(self, limit: float) -> None:
        self._stop(f"not finished after {limit:g} s")

    def _stop(self, reason: str) -> None:
        self._halt.set()
        self._run.stop.ask(reason)

    # Views

    def _view(self) -> LoadView:
        traffic = self._run.traffic
        seconds = self._loop.time() - self._origin
        return self._tally.view(seconds, traffic.sent + traffic.heard, traffic.ended)

    async def _show(self, watch: Watch) -> None:
        """Show how it stands at even times."""
        at = self._origin
        while True:
            at += watch.every
            await asyncio.sleep(at - self._loop.time())
            watch.show(self._view())


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
