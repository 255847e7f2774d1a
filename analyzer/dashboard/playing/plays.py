"""Plays of this process: each in a thread of its own, with what is on its wire so far.

The rule: at most a few at once, all of them end with the process, and what they leave is bounded.
Sockets and loops are the carrier's (``analyzer.replay.transport``); a play in memory has none.
"""

from __future__ import annotations

import atexit
import secrets
import shutil
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from threading import Event, RLock, Thread
from time import monotonic, time_ns
from typing import TYPE_CHECKING

from analyzer.dashboard.opening import Cancelled, Job, Request, reason_of
from analyzer.export.printable import printable
from analyzer.replay.plays import NOBODY, Faults, cast, client_play, server_play
from analyzer.replay.told.account import Account, end_of
from analyzer.replay.transport.run import Run
from analyzer.replay.wire import WireLog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.dashboard.cases import Cases
    from analyzer.dashboard.playing.order import Order
    from analyzer.replay.actions import Address, WireEvent
    from analyzer.replay.options import PlayOptions
    from analyzer.replay.script import Script
    from analyzer.replay.told.account import End

MAX_PLAYS = 12
"""That are remembered; those that are over go first."""
MAX_PLAYING = 3
"""At once: a server, a client against it, and one in memory."""
MAX_WIRE = 48 << 20
"""Bytes of a play that are kept for its capture: some 40,000 messages."""
VIRTUAL_LIMIT = 86_400.0
"""Seconds of virtual time: a script as recorded is over within a day."""
OPENING = 60.0
"""Seconds that reading the capture of a play may take."""
SECOND = 1_000_000_000
INTERRUPTED = "stopped by whoever watched"


@dataclass(eq=False)
class Playing:
    """One play."""

    id: str
    case: str
    """Id of the case that its script is from."""
    name: str
    """Of that capture, without its directory."""
    script: Script
    order: Order
    options: PlayOptions
    seed: int
    folder: Path
    cases: Cases
    account: Account | None = None
    failure: str = ""
    """Why it could not be played, in one line."""
    listening: Address | None = None
    """Where a server waits."""
    opened: str = ""
    """Id of the case of its capture, once it is over."""
    stopped: bool = False
    lock: RLock = field(default_factory=RLock)
    """Of who looks at it while it goes on."""
    live: object = None
    """What was drawn of it last (``analyzer.dashboard.playing.live``)."""
    _wire: WireLog = field(default_factory=lambda: WireLog(time_ns, limit=MAX_WIRE))
    _run: Run = field(default_factory=Run)
    _stop: Event = field(default_factory=Event)
    _over: Event = field(default_factory=Event)
    _began: float = field(default_factory=monotonic)
    _took: float | None = None

    @property
    def running(self) -> bool:
        """Return whether it goes on."""
        return not self._over.is_set()

    @property
    def seconds(self) -> float:
        """Return for how long it has gone on, by the clock on the wall."""
        return monotonic() - self._began if self._took is None else self._took

    @property
    def events(self) -> Sequence[WireEvent]:
        """Return what is on the wire so far."""
        return self._wire.events

    @property
    def path(self) -> Path:
        """Return where its capture lies, once it is over."""
        return self.folder / "play.pcapng"

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most so long; return whether it has come."""
        return self._over.wait(seconds)

    def stop(self) -> None:
        """End it politely; the second time at once."""
        self.stopped = True
        self._stop.set()
        self._run.stop.ask_from_elsewhere(INTERRUPTED)

    def begin(self) -> None:
        """Play in a thread of its own."""
        Thread(target=self.run, name="playing", daemon=True).start()

    def run(self) -> None:
        """Play; whatever happens, it ends."""
        try:
            play = {"self": self._both, "client": self._client, "server": self._server}
            self.account = play[self.order.way]()
        except Cancelled:
            self.failure = "It was stopped before it came to its end."
        except Exception as error:  # noqa: BLE001  (a peer must never end the dashboard)
            self.failure = _reason(error)
        try:
            self._keep()
        except Exception as error:  # noqa: BLE001  (as above)
            self.failure = self.failure or _reason(error)
        finally:
            self._took = monotonic() - self._began
            self._over.set()

    # the three ways

    def _both(self) -> Account:
        from analyzer.replay.memory import play_in_memory

        began, options = time_ns(), self.options
        played_by = replace(options, users=cast(self.script, options.users))
        found = play_in_memory(
            client_play(self.script, played_by, Faults(self.order.client_faults, self.seed), began),
            server_play(self.script, replace(options, once=True), self._faults, began),
            start_ns=began,
            observe=lambda event: self._saw(event, began),
            limit_seconds=options.limit or VIRTUAL_LIMIT,
        )
        ends = (end_of("client", found.client), end_of("server", found.server))
        return self._told(ends, found.seconds)

    def _saw(self, event: WireEvent, began: int) -> None:
        """Keep what a play in memory says; where somebody wants to watch, at its time."""
        if self.order.pace:
            ahead = (event.time_ns - began) / SECOND - (monotonic() - self._began)
            self._stop.wait(max(0.0, ahead))
        if self._stop.is_set():
            raise Cancelled
        self._wire.take(event)

    def _client(self) -> Account:
        from analyzer.replay.transport.front import play_client

        assert self.order.address is not None
        options = replace(self.options, users=cast(self.script, self.options.users or (NOBODY,)))
        play = client_play(self.script, options, self._faults, time_ns())
        outcome = play_client(play, self.order.address, run=self._carried())
        return self._told((end_of("client", outcome),), monotonic() - self._began)

    def _server(self) -> Account:
        from analyzer.replay.transport.front import play_server

        assert self.order.address is not None
        play = server_play(self.script, self.options, self._faults, time_ns())

        def ready(address: Address) -> None:
            self.listening = address

        outcome = play_server(play, self.order.address, ready=ready, run=self._carried())
        end = end_of("server", outcome, endless=not self.options.once)
        return self._told((end,), monotonic() - self._began)

    @property
    def _faults(self) -> Faults:
        return self.order.server_faults(self.seed)

    def _carried(self) -> Run:
        self._run = Run(self._wire, self.options.limit, self._run.stop)
        return self._run

    def _told(self, ends: tuple[End, ...], seconds: float) -> Account:
        remarks = [f"seed {self.seed} plays it again with the same identifiers and faults"]
        if self._wire.left_out:
            remarks.append(
                f"the capture ends early: {self._wire.left_out_bytes:,} bytes more went over the "
                "wire than are kept"
            )
        return Account(self.name, self.script.title, ends, seconds, tuple(remarks))

    # what is left of it

    def _keep(self) -> None:
        """Write the capture and open it as a case."""
        from analyzer.replay.capture import wire_capture

        if not self.events:
            return
        self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        with self.path.open("wb") as out:
            wire_capture(self.events, out)
        name = f"replay of {self.name}"
        job = Job(Request((str(self.path),), (name,), together=False), self.cases)
        if job.wait(OPENING) and job.opened:
            self.opened = job.opened[0]
        elif job.failures:
            self.failure = self.failure or job.failures[0]
        self._wire.forget()

    def close(self) -> None:
        """End it, and forget what it left."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _reason(error: Exception) -> str:
    from analyzer.replay.transport.errors import TransportError

    if isinstance(error, TransportError):
        return printable(str(error))
    return printable(reason_of(error))


class Plays:
    """The plays of a process."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._plays: OrderedDict[str, Playing] = OrderedDict()
        atexit.register(self.close)

    def get(self, identifier: str) -> Playing | None:
        """Return a play by its id."""
        with self._lock:
            return self._plays.get(identifier)

    def of(self, case: str) -> list[Playing]:
        """Return the plays of a case, the last one first."""
        with self._lock:
            return [one for one in reversed(self._plays.values()) if one.case == case]

    def start(self, made: Playing) -> str:
        """Begin a play; return why not, empty where it is begun."""
        with self._lock:
            going = [one for one in self._plays.values() if one.running]
            if len(going) >= MAX_PLAYING:
                return f"{len(going)} plays go on already: stop one of them first."
            over = [one for one in self._plays.values() if not one.running]
            for one in over[: max(0, len(self._plays) + 1 - MAX_PLAYS)]:
                del self._plays[one.id]
                one.close()
            self._plays[made.id] = made
        made.begin()
        return ""

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            plays = [*self._plays.values()]
            self._plays.clear()
        for one in plays:
            one.close()


def new_id() -> str:
    """Return a name for a play that no other has."""
    return secrets.token_hex(6)


PLAYS = Plays()
"""Those of this process."""
