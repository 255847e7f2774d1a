"""Plays of a few lines, for tests of what carries plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.replay.actions import Close, Open, Send
from analyzer.replay.results import Latency, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.actions import Action, Address, Ended


@dataclass
class Fake:
    """A play that notes what it is told, and does nothing of its own."""

    told: list[tuple[object, ...]] = field(default_factory=list)
    """What was told, without times."""
    times: list[float] = field(default_factory=list)
    due: float | None = None
    finished: bool = False
    secure: bool | None = None
    remote: Address | None = None
    local: Address | None = None
    aborted: str | None = None
    obedient: bool = True
    """It is finished when it is aborted."""
    notes: tuple[str, ...] = ()

    def start(self, now: float) -> list[Action]:
        return self._hear(now, "start")

    def opened(
        self, connection: int, local: Address, remote: Address, *, secure: bool, now: float
    ) -> list[Action]:
        self.local, self.remote, self.secure = local, remote, secure
        return self._hear(now, "opened", connection)

    def receive(self, connection: int, data: bytes, now: float) -> list[Action]:
        return self._hear(now, "receive", connection, data)

    def ended(self, connection: int, how: Ended, now: float) -> list[Action]:
        return self._hear(now, "ended", connection, how)

    def wake(self, now: float) -> list[Action]:
        return self._hear(now, "wake")

    def abort(self, now: float, reason: str) -> list[Action]:
        self.aborted = reason
        self.finished = self.finished or self.obedient
        return self._hear(now, "abort")

    def outcome(self) -> Outcome:
        return Outcome(notes=self.notes, complete=self.aborted is None)

    def _hear(self, now: float, *event: object) -> list[Action]:
        self.told.append(event)
        self.times.append(now)
        return self.react(now, *event)

    def react(self, _now: float, *_event: object) -> list[Action]:
        """Return what it does about it."""
        return []

    def heard(self, connection: int = 1) -> bytes:
        """Return all bytes of a connection."""
        pieces = [event[2] for event in self.told if event[:2] == ("receive", connection)]
        return b"".join(piece for piece in pieces if isinstance(piece, bytes))

    def ends(self) -> list[tuple[object, ...]]:
        """Return the connections that ended, and how."""
        return [event[1:] for event in self.told if event[0] == "ended"]


@dataclass
class Acting(Fake):
    """A play that does what a function says; its ``when`` gets the play, the time and the event."""

    when: Callable[[Acting, tuple[object, ...]], list[Action]] = lambda _play, _event: []

    def react(self, _now: float, *event: object) -> list[Action]:
        return self.when(self, event)


@dataclass
class Echo(Fake):
    """A server that says everything again, and closes what its peer has closed."""

    def react(self, _now: float, *event: object) -> list[Action]:
        match event:
            case ("receive", int(connection), bytes(data)):
                return [Send(connection, data)]
            case ("ended", int(connection), "fin"):
                return [Close(connection)]
            case _:
                return []


@dataclass
class Caller(Fake):
    """A client that opens one connection, says a message so often, each after the last came back.

    It is finished when all came back, or its connection ended.
    """

    message: bytes = b"INFO sip:room SIP/2.0\r\nCSeq: 1 INFO\r\n\r\n"
    rounds: int = 1
    back: int = 0
    sent_at: float = 0.0
    latencies: list[Latency] = field(default_factory=list)

    def react(self, now: float, *event: object) -> list[Action]:
        match event:
            case ("start",):
                return [Open(1)]
            case ("opened", 1):
                return self.say(now)
            case ("receive", 1, bytes(data)):
                self.back += len(data)
                return self.say(now) if self.back % len(self.message) == 0 else []
            case ("ended", *_):
                self.finished = True
            case _:
                pass
        return []

    def say(self, now: float) -> list[Action]:
        """Say it once more, or finish."""
        done = self.back // len(self.message)
        if done:
            self.latencies.append(Latency("INFO", now - self.sent_at))
        self.finished = done >= self.rounds
        self.sent_at = now
        return [] if self.finished else [Send(1, self.message, "t1")]

    def outcome(self) -> Outcome:
        done = self.back // len(self.message) >= self.rounds
        verdict = Verdict("t1", "client1", None, "INFO", "held" if done else "missing")
        return Outcome((verdict,), self.notes, tuple(self.latencies), complete=self.aborted is None)
