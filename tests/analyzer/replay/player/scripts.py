"""Scripts of recordings, derived once, and plays of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from analyzer.replay.derive.build import derive
from analyzer.replay.memory import play_in_memory
from analyzer.replay.options import PlayOptions
from analyzer.replay.player.client import ClientPlay
from analyzer.replay.player.server import ServerPlay
from analyzer.trace import open_capture
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.actions import Play, WireEvent
    from analyzer.replay.memory import MemoryResult
    from analyzer.replay.results import Verdict
    from analyzer.replay.script import Script

EPOCH = 1_700_000_000.0
"""Seconds since 1970 at which the clock of every play here is 0."""


def recordings() -> list[Path]:
    """Return every recording that has a truth, samples included."""
    shared = require_shared()
    found = [*SAMPLES.glob("*.pcap*"), *shared.glob("flows/*.pcap*")]
    found += [path for path in shared.glob("captures/*.pcap") if path.stem != "tls"]
    return sorted(found)


@cache
def script_of(path: Path) -> Script:
    """Return the script of a whole recording."""
    with open_capture(path) as trace:
        return derive(trace)


def sample(name: str) -> Script:
    """Return the script of a sample."""
    return script_of(next(SAMPLES.glob(f"{name}.pcap*")))


class Played:
    """Both ends in memory, with all that went over the wire."""

    def __init__(
        self,
        script: Script,
        client: PlayOptions | Play | None = None,
        server: PlayOptions | Play | None = None,
        *,
        theirs: Script | None = None,
        limit: float = 600.0,
    ) -> None:
        """Play a script against itself, or against ``theirs`` on the server."""
        self.client = _client(script, client)
        self.server = _server(theirs or script, server)
        self.events: list[WireEvent] = []
        self.result: MemoryResult = play_in_memory(
            self.client,
            self.server,
            start_ns=0,
            observe=self.events.append,
            limit_seconds=limit,
        )

    @property
    def wire(self) -> str:
        """Return everything that was said, by either end."""
        said = (event.data for event in self.events if event.kind == "data")
        return b"\n".join(said).decode("utf-8", "replace")

    @property
    def bad(self) -> list[Verdict]:
        """Return the verdicts of both ends that are not as expected."""
        ends = (self.result.client, self.result.server)
        return [one for end in ends for one in end.verdicts if not one.good]

    def verdicts(self, status: str) -> list[str]:
        """Return what the client says about turns of one status, in words."""
        found = self.result.client.verdicts
        return [one.what for one in found if one.status == status]

    @property
    def notes(self) -> str:
        """Return the notes of both ends."""
        return "\n".join((*self.result.client.notes, *self.result.server.notes))


def _client(script: Script, how: PlayOptions | Play | None) -> Play:
    options = PlayOptions(seed=1) if how is None else how
    return ClientPlay(script, options, epoch=EPOCH) if isinstance(options, PlayOptions) else options


def _server(script: Script, how: PlayOptions | Play | None) -> Play:
    options = PlayOptions(seed=2) if how is None else how
    return ServerPlay(script, options, epoch=EPOCH) if isinstance(options, PlayOptions) else options
