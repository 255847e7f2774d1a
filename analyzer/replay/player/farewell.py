"""Leaving: nothing of a play stays behind on a real server.

The rule: sessions get their BYE, open INVITEs their CANCEL, registrations their Expires 0.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.replay.player.answers import renewed
from analyzer.replay.player.outgoing import cancel_of, simple_request
from dissectors.sip.grammar import field_name

if TYPE_CHECKING:
    from analyzer.replay.player.calls import Call
    from analyzer.replay.player.speaker import Speaker
    from analyzer.replay.player.talk import Talk


class Farewell:
    """Ends what is open in one conversation."""

    def __init__(self, talk: Talk, speaker: Speaker) -> None:
        self._talk = talk
        self._speaker = speaker
        self._said: Counter[str] = Counter()

    @property
    def waiting(self) -> bool:
        """Return whether an answer is still to come."""
        line = self._talk.line
        calls = self._talk.by_call_id.values()
        return any(call.asked and line.wire(call.connection) is not None for call in calls)

    def leave(self) -> None:
        """Say goodbye where the script did not."""
        calls = list(self._talk.by_call_id.values())
        for call in calls:
            self._end_session(call)
        for call in calls:
            if call.bound is not None:
                self._sign_off(call, call.bound)
        if self._said:
            words = ", ".join(f"{count} {what}" for what, count in self._said.items())
            self._talk.ledger.note(f"left politely what the script leaves open: {words}")

    def _end_session(self, call: Call) -> None:
        wire = self._talk.line.wire(call.connection)
        if wire is None:
            return
        for pending in list(call.asked.values()):
            if pending.method == "INVITE" and pending.provisional:
                self._cancel(call, pending.raw)
        if call.is_session and call.established and not call.ended:
            draft = simple_request("BYE", call, wire, self._talk.branch(), [])
            self._speaker.ask(call, draft, "BYE", None)
            call.ended = True
            self._said["BYE"] += 1

    def _cancel(self, call: Call, raw: bytes) -> None:
        draft = cancel_of(raw)
        if draft is not None and self._talk.line.wire(call.connection) is not None:
            self._talk.line.send(call, draft, None)
            self._said["CANCEL"] += 1

    def _sign_off(self, call: Call, bound: bytes) -> None:
        draft = renewed(bound, call.next_cseq(), self._talk.branch())
        if draft is None or self._talk.line.wire(call.connection) is None:
            return
        kept = [one for one in draft.headers if field_name(one[0]) != "expires"]
        draft = draft._replace(headers=[*kept, ("Expires", "0")])
        self._speaker.ask(call, draft, "REGISTER", None)
        call.bound = None
        self._said["un-REGISTER"] += 1
