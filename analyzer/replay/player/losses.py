"""Turns that come to nothing, and what follows from that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.player.plan import describe
from analyzer.replay.player.speaker import NEVER

if TYPE_CHECKING:
    from analyzer.replay.player.speaker import Speaker
    from analyzer.replay.player.talk import Talk
    from analyzer.replay.script import Turn


class Losses:
    """Settles what does not come, in one conversation."""

    def __init__(self, talk: Talk, speaker: Speaker) -> None:
        self._talk = talk
        self._speaker = speaker
        self._plan = talk.plan

    def overdue(self, turn: Turn) -> None:
        """Settle a turn of the peer that did not come in time, or cannot come any more."""
        cause = turn.answers or turn.cause
        if cause and self._talk.progress.states.get(cause) in NEVER:
            what = describe(self._plan.turn(cause), self._plan)
            self.missing(turn, f"{what} ({cause}) came to nothing")
        else:
            self.missing(turn, "it did not come in time")

    def give_up(self, turn: Turn, why: str) -> None:
        """Settle a turn of either side that will not be any more."""
        if self._plan.is_ours(turn):
            self._speaker.give_up(turn, why)
        else:
            self.missing(turn, why)

    def missing(self, turn: Turn, why: str) -> None:
        """Settle that a turn of the peer does not come."""
        talk = self._talk
        if not turn.optional:
            talk.ledger.verdict(turn, "missing", talk.line.now, detail=why)
        talk.progress.settle(turn, "missing", talk.line.now)
        if turn.answers:
            self._unanswered(turn)

    def _unanswered(self, turn: Turn) -> None:
        """Wait no more for the answer to a request of ours, nor for the dialog it was to make."""
        call = self._talk.calls.get(turn.dialog)
        if call is None:
            return
        for key, asked in list(call.asked.items()):
            if asked.turn == turn.answers and (turn.message.status or 0) >= 200:
                if asked.method != "INVITE" or not asked.provisional:
                    del call.asked[key]  # an INVITE that rings is cancelled at the end
                if asked.method == "INVITE":
                    self._speaker.abandon(call)
