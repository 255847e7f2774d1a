"""What is written down while a play goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.player.plan import describe
from analyzer.replay.results import Latency, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.replay.player.plan import Plan
    from analyzer.replay.results import Difference, Status
    from analyzer.replay.script import Turn

MAX_NOTES = 1000
"""Different sentences; more are counted only."""
MAX_UNEXPECTED = 10_000
"""Verdicts about what the script does not have: a peer can send it without end."""


class Ledger:
    """Verdicts, notes and latencies of one conversation."""

    def __init__(self, plan: Plan, began: float) -> None:
        self._plan = plan
        self._began = began
        self._verdicts: dict[str, Verdict] = {}
        self._unexpected: list[Verdict] = []
        self._notes: dict[str, int] = {}
        self.latencies: list[Latency] = []
        self.users: dict[str, str] = {}
        """Live address of record of each client."""

    def verdict(
        self,
        turn: Turn,
        status: Status,
        now: float,
        *,
        differences: tuple[Difference, ...] = (),
        detail: str = "",
    ) -> None:
        """Write down what became of a turn; the first time counts."""
        if turn.id in self._verdicts:
            return
        client = self._plan.client_of(turn)
        what = describe(turn, self._plan)
        self._verdicts[turn.id] = Verdict(
            turn.id, client, self.users.get(client), what, status, differences, detail,
            now - self._began,
        )  # fmt: skip

    def unexpected(self, client: str | None, what: str, now: float, detail: str = "") -> None:
        """Write down what came and is not in the script."""
        if len(self._unexpected) < MAX_UNEXPECTED:
            user = self.users.get(client or "")
            at = now - self._began
            one = Verdict(None, client, user, what, "unexpected", (), detail, at)
            self._unexpected.append(one)

    def note(self, sentence: str) -> None:
        """Write down a sentence; repetitions are counted."""
        if sentence in self._notes or len(self._notes) < MAX_NOTES:
            self._notes[sentence] = self._notes.get(sentence, 0) + 1

    def latency(self, what: str, seconds: float) -> None:
        """Write down how long an answer took."""
        self.latencies.append(Latency(what, seconds))

    @property
    def failed(self) -> bool:
        """Return whether a verdict is not good."""
        return any(not verdict.good for verdict in self._verdicts.values())

    def outcome(self, *, complete: bool, played: int, more: Iterable[str] = ()) -> Outcome:
        """Return everything, verdicts in the order of the script."""
        order = self._plan.number
        ours = sorted(self._verdicts.values(), key=lambda one: order.get(one.turn or "", 0))
        notes = (
            sentence if count == 1 else f"{sentence} ({count} times)"
            for sentence, count in self._notes.items()
        )
        verdicts = (*ours, *self._unexpected)
        return Outcome(verdicts, (*notes, *more), tuple(self.latencies), complete, played)
