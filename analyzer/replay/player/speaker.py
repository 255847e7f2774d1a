"""Saying the turns that are ours.

The rule: a turn that cannot be said is given up with the reason, and what waited for it is told; a
play never waits for what cannot come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.player.calls import Asked
from analyzer.replay.player.outgoing import cancel_of
from analyzer.replay.player.plan import describe
from analyzer.replay.script import FRESH
from analyzer.replay.template import slots_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.replay.player.calls import Call
    from analyzer.replay.player.outgoing import Draft, Wire
    from analyzer.replay.player.progress import Ready
    from analyzer.replay.player.talk import Talk
    from analyzer.replay.script import Turn

NEVER = ("missing", "unsaid")
ANYWHERE = ("REGISTER", "OPTIONS", "SERVICE", "MESSAGE")
"""Methods whose requests belong to no dialog."""


class Speaker:
    """Says turns of one conversation."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._plan = talk.plan

    def say(self, ready: Ready) -> None:
        """Say a turn, or settle that it cannot be said."""
        turn = self._plan.turns[ready.number]
        if not ready.again and turn.id in self._talk.progress.states:
            return
        why = self._hindrance(turn)
        if why:
            self.give_up(turn, why)
            return
        self._talk.overlay = self._overlay(turn, ready.again)
        try:
            if turn.is_request:
                self._request(turn, ready)
            else:
                self._response(turn, ready)
        except ValueError as error:
            self.give_up(turn, f"it cannot be written: {error}")
        finally:
            self._talk.overlay = {}

    def give_up(self, turn: Turn, why: str) -> None:
        """Settle that a turn of ours is not said."""
        now = self._talk.line.now
        if not turn.optional:
            self._talk.ledger.verdict(turn, "unsaid", now, detail=why)
        self._talk.progress.settle(turn, "unsaid", now)

    def _hindrance(self, turn: Turn) -> str:
        """Return why a turn cannot be said; empty when it can."""
        states = self._talk.progress.states
        cause = turn.answers or turn.cause
        for one in self._plan.hard[turn.id]:
            if states.get(one) in NEVER and (one == cause or self._is_registration(one)):
                return f"{describe(self._plan.turn(one), self._plan)} ({one}) never came"
        return ""

    def _is_registration(self, number: str) -> bool:
        """Say whether a turn is the answer to a REGISTER: without it there is nobody signed in."""
        message = self._plan.turn(number).message
        return message.status is not None and message.method == "REGISTER"

    def _overlay(self, turn: Turn, again: int) -> Mapping[str, str]:
        """Return what the message says that this turn answers; at a repetition fresh values too."""
        cause = turn.answers or turn.cause
        told = dict(self._talk.observed.get((cause, again), {})) if cause else {}
        told = {name: value for name, value in told.items() if self._passes_on(name)}
        if again:
            for name in turn.message.slots():
                slot = self._plan.slots.get(name)
                if slot is not None and slot.turn == turn.id and slot.kind in FRESH:
                    told[name] = self._talk.values.fresh(slot)
        return told

    def _passes_on(self, name: str) -> bool:
        """Say whether what the peer said in a place counts: what the user chose goes before it."""
        return name not in self._talk.options.values

    def _request(self, turn: Turn, ready: Ready) -> None:
        talk = self._talk
        call = talk.calls.get(turn.dialog)
        connection = self._connection(turn, call)
        wire = talk.line.wire(connection) if connection is not None else None
        if connection is None or wire is None:
            self.give_up(turn, "its connection is not there")
            return
        if call is None and not self._plan.is_ours(self._plan.begins[turn.dialog]):
            talk.early.setdefault(turn.dialog, []).append(ready)
            return
        fresh = call is None or (turn.message.method == "INVITE" and not call.established)
        if fresh:
            call = talk.new_call(turn, connection)
        assert call is not None
        why = self._out_of_order(turn, call) or self._unheard(turn, call)
        if why == HOLD:
            call.held.append(ready)
            return
        if why:
            self.give_up(turn, why)
            return
        call.connection = connection
        self._send_request(turn, call, wire, again=bool(ready.again))

    def _connection(self, turn: Turn, call: Call | None) -> int | None:
        """Return the live connection for a turn: the script's, else that of its call."""
        live = self._talk.connections.get(turn.connection)
        if live is not None and self._talk.line.wire(live) is not None:
            return live
        if call is not None and self._talk.line.wire(call.connection) is not None:
            return call.connection
        return None

    def _out_of_order(self, turn: Turn, call: Call) -> str:
        """Return why the dialog does not take a request (RFC 3261 section 12.2)."""
        method = turn.message.method
        if method in ANYWHERE or not call.is_session or method in ("INVITE", "CANCEL"):
            return ""
        if call.ended:
            return "its dialog had ended" if call.established else NO_DIALOG
        if not call.established:
            pending = any(one.method == "INVITE" for one in call.asked.values())
            return HOLD if pending else NO_DIALOG
        if self._talk.server and not call.confirmed and method != "BYE":
            return HOLD
        return ""

    def _unheard(self, turn: Turn, call: Call) -> str:
        """Return which value is missing that only the peer can have said."""
        states = self._talk.progress.states
        texts = [turn.message.body]
        if not call.established:
            texts += [turn.message.start, turn.message.header("To") or ""]
        for name in (name for text in texts for name in slots_of(text)):
            slot = self._plan.slots.get(name)
            if slot is None or not self._talk.unknown(name):
                continue
            if slot.turn and states.get(slot.turn) in NEVER:
                return f"it needs {slot.where or slot.name}, which {slot.turn} was to bring"
        return ""

    def _send_request(self, turn: Turn, call: Call, wire: Wire, *, again: bool) -> None:
        talk = self._talk
        if not call.established:
            talk.name_sides(call, turn)
        method = turn.message.method
        if method == "CANCEL":
            self._cancel(turn, call)
            return
        draft = talk.writer.request(turn.message, call, wire, talk.branch())
        self.ask(call, draft, method, None if again else turn.id)
        if method == "BYE":
            call.ended = True
        if method == "REGISTER" and turn.message.header("Expires") == "0":
            call.bound = None
        if method == "ACK":
            call.confirmed = True
        if not again:
            talk.progress.settle(turn, "said", talk.line.now)

    def _cancel(self, turn: Turn, call: Call) -> None:
        """CANCEL the INVITE that has no final answer yet."""
        talk = self._talk
        open_ = [one for one in call.asked.items() if one[1].method == "INVITE"]
        draft = cancel_of(open_[0][1].raw) if open_ else None
        if draft is None:
            self.give_up(turn, "its INVITE has its answer already")
            return
        number = open_[0][0][0]
        raw = talk.line.send(call, draft, turn.id)
        call.asked[number, "CANCEL"] = Asked("CANCEL", turn.id, raw, talk.line.now)
        talk.progress.settle(turn, "said", talk.line.now)

    def let_go(self, call: Call) -> None:
        """Say what had to wait for the dialog."""
        held, call.held = call.held, []
        for ready in held:
            self.say(ready)

    def abandon(self, call: Call) -> None:
        """Give up what waited for a dialog that does not come."""
        held, call.held = call.held, []
        call.ended = True
        for ready in held:
            self.say(ready)

    def ask(self, call: Call, draft: Draft, method: str, turn: str | None) -> None:
        """Send a request and wait for its answer."""
        raw = self._talk.line.send(call, draft, turn)
        if method not in ("ACK", "BENOTIFY", "CANCEL"):
            call.asked[call.cseq, method] = Asked(method, turn, raw, self._talk.line.now)

    def _response(self, turn: Turn, ready: Ready) -> None:
        talk = self._talk
        known = talk.requests.get((turn.answers or "", ready.again))
        wire = talk.line.wire(known[1].connection) if known else None
        if known is None or wire is None:
            self.give_up(turn, "its request never came" if known is None else "the peer has gone")
            return
        heard, call = known
        status = turn.message.status or 0
        cseq = heard.message.cseq
        key = (cseq.number if cseq else 0, heard.method)
        if key not in call.answered:  # several turns may have come in one message
            draft = talk.writer.response(turn.message, call, heard.message, wire)
            raw = talk.line.send(call, draft, None if ready.again else turn.id)
            self.answered(call, key, status, raw)
        if not ready.again:
            talk.progress.settle(turn, "said", talk.line.now)

    def answered(self, call: Call, key: tuple[int, str], status: int, raw: bytes) -> None:
        """Take note of what our response to a request (CSeq and method) makes of a call."""
        if status < 200:
            return
        call.remember(key, raw)
        method = key[1]
        if method == "INVITE":
            call.invite = None
        if status < 300 and method in ("INVITE", "SUBSCRIBE"):
            call.established = True
            if method == "SUBSCRIBE":
                self.let_go(call)
        if method == "BYE" and status < 300:
            call.ended = True


NO_DIALOG = "its dialog was never established"
HOLD = "hold"
"""It is said when the dialog is there: after the 2xx, by a server after the ACK."""
