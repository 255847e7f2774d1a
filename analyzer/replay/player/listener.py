"""Requests of the peer: which turns they are, and what becomes of those that are none.

The rule: every request gets one final answer at most, and where the script has none, a polite one;
only what the recording left unanswered stays so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.heard import with_items
from analyzer.replay.player.calls import tag_of
from analyzer.replay.player.match import Match
from analyzer.replay.player.outgoing import simple_response
from analyzer.replay.player.plan import describe
from analyzer.replay.player.replies import reply_to_all
from dissectors.sip.fields import parse_name_addr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.replay.heard import Heard
    from analyzer.replay.player.calls import Call
    from analyzer.replay.player.speaker import Speaker
    from analyzer.replay.player.talk import Talk
    from analyzer.replay.results import Status
    from analyzer.replay.script import Turn

UNANSWERED = ("ACK", "BENOTIFY")
"""RFC 3261 section 17; BENOTIFY is the NOTIFY without an answer (MS-SIP)."""
LEFT_OPEN = ("INFO", "INVITE", "MESSAGE")
"""Requests that a server of the recording may have left unanswered, which is worth repeating; of
others an answer that lacks is one that the recording does not show."""
REASONS = {200: "OK", 404: "Not Found", 481: "Call/Transaction Does Not Exist"} | {
    403: "Forbidden", 405: "Method Not Allowed", 480: "Temporarily Unavailable",
    488: "Not Acceptable Here", 500: "Server Internal Error", 501: "Not Implemented",
    503: "Service Unavailable", 603: "Decline",
}  # fmt: skip
TO_CLIENTS = {"INVITE": 480, "REFER": 603, "SUBSCRIBE": 489}
"""What a client answers who is called, and plays no part in that."""


class Listener:
    """Takes requests of one conversation."""

    def __init__(self, talk: Talk, speaker: Speaker) -> None:
        self._talk = talk
        self._speaker = speaker
        self._plan = talk.plan

    def request(self, heard: Heard, client: str, connection: int) -> None:
        """Take a request of a client's conversation."""
        talk = self._talk
        call = talk.by_call_id.get((client, heard.message.call_id or ""))
        if self.repeated(heard, client):
            return
        if heard.method == "ACK":
            self._acknowledged(call)
        if heard.method == "CANCEL":
            self._cancelled(heard, call, client, connection)
            return
        candidates = self._candidates(call, client, heard.method)
        matches = talk.matcher.turns_of(heard, candidates, talk.progress.states)
        if call is not None and self._is_stale(heard, call):
            self._refuse(heard, call)
            return
        if call is None:
            turn = matches[0].turn if matches else None
            call = talk.heard_call(turn, heard, client, connection)
        self._take(matches, heard, call, connection)

    def _take(self, matches: Sequence[Match], heard: Heard, call: Call, connection: int) -> None:
        """Take a request as the turns that it is, and answer what is none."""
        call.connection = connection
        call.learn_request(heard.message)
        if heard.method == "INVITE":
            call.invite = heard
        for match in matches:
            self._accept(match, heard, call)
        if not any(match.complete for match in matches) and heard.method not in UNANSWERED:
            self._answer_politely(heard, call, known=bool(matches))
        elif heard.items:
            self._left_over(matches, heard, call)

    @staticmethod
    def _is_stale(heard: Heard, call: Call) -> bool:
        """Say whether a request is in a dialog that is no more, or never was (12.2.2)."""
        to = parse_name_addr(heard.message.headers.first("to") or "")
        ours = tag_of(call.local)
        wrong = to is not None and to.tag is not None and ours is not None and to.tag != ours
        over = call.ended and heard.method not in ("BYE", "INVITE")
        return call.is_session and call.established and (wrong or over) and heard.method != "ACK"

    def _refuse(self, heard: Heard, call: Call) -> None:
        what = f"{heard.method} in a dialog that is not there"
        detail = "answered with 481 Call/Transaction Does Not Exist"
        self._talk.ledger.unexpected(call.client, what, self._talk.line.now, detail)
        self._answer(heard, call, "481 Call/Transaction Does Not Exist")

    def _left_over(self, matches: Sequence[Match], heard: Heard, call: Call) -> None:
        """Answer what stands beside turns of the script in one INFO, and is none."""
        taken = [id(item.node) for match in matches for item in match.heard.items]
        rest = tuple(item for item in heard.items if id(item.node) not in taken)
        if not rest:
            return
        names = ", ".join(item.id or item.element for item in rest)
        self._talk.ledger.unexpected(call.client, f"{heard.method} {names}", self._talk.line.now)
        if self._talk.server:
            reply_to_all(self._talk, self._speaker, with_items(heard, rest), call)

    def repeated(self, heard: Heard, client: str) -> bool:
        """Answer a request that has its answer already with that (RFC 3261 section 17.2)."""
        talk, cseq = self._talk, heard.message.cseq
        call = talk.by_call_id.get((client, heard.message.call_id or ""))
        if call is None or cseq is None:
            return False
        raw = call.answered.get((cseq.number, heard.method))
        if raw is None:
            return False
        talk.ledger.note(f"a repetition of {cseq.number} {heard.method} got the same answer again")
        talk.line.repeat(call, raw)
        return True

    def _candidates(self, call: Call | None, client: str, method: str) -> Sequence[Turn]:
        """Return the turns of a method that a request can be."""
        if call is not None:
            return self._plan.requests.get((call.dialog, method), ())
        known = self._plan.initial.get(client, ())
        return [turn for turn in known if turn.message.method.upper() == method]

    def _acknowledged(self, call: Call | None) -> None:
        """Say what had to wait for the ACK."""
        if call is None:
            return
        call.confirmed = True
        self._speaker.let_go(call)

    def _accept(self, match: Match, heard: Heard, call: Call) -> None:
        """Take a request as a turn, or as one more of its kind."""
        talk, turn = self._talk, match.turn
        again = 0
        if turn.id in talk.progress.states:
            again = talk.repetitions[turn.id] = talk.repetitions.get(turn.id, 0) + 1
        talk.requests[turn.id, again] = (heard, call)
        talk.observed[turn.id, again] = match.observed
        if again:
            self._repeat(turn, again)
        elif match.complete:
            differences = talk.matcher.differences(match)
            self._learn(turn, match)
            status: Status = "differs" if differences else "held"
            talk.ledger.verdict(turn, status, talk.line.now, differences=differences)
            self._time(turn)
            talk.progress.settle(turn, "heard", talk.line.now)
        if match.complete and turn.id not in self._plan.answered:
            self._unanswered(turn, heard, call)

    def _repeat(self, turn: Turn, again: int) -> None:
        """Answer as the first time."""
        talk = self._talk
        talk.ledger.note(
            f"{describe(turn, self._plan)} ({turn.id}) came again and was answered again"
        )
        for caused in self._plan.caused.get(turn.id, ()):
            talk.progress.again(caused, talk.line.now, again)

    def _learn(self, turn: Turn, match: Match) -> None:
        """Keep what the peer decides."""
        talk = self._talk
        for name, value in match.observed.items():
            slot = self._plan.slots.get(name)
            if slot is None or slot.said_by in self._plan.ours:
                continue
            if slot.turn == turn.id or name not in talk.values.known:
                talk.values.learn(name, value)

    def _time(self, turn: Turn) -> None:
        """Take the time from a command to its reply."""
        asked = self._talk.progress.times.get(turn.cause or "")
        names = self._plan.names[turn.id]
        if asked is not None and names and names[0].startswith("rpl:"):
            command = self._plan.names.get(turn.cause or "", ())
            self._talk.ledger.latency(
                command[0] if command else names[0], self._talk.line.now - asked
            )

    def _unanswered(self, turn: Turn, heard: Heard, call: Call) -> None:
        """Treat a turn that has no answer in the script."""
        if heard.method in UNANSWERED:
            return
        lost = turn.id in self._plan.lost_answers
        if self._talk.server and heard.method in LEFT_OPEN and not lost:
            what = describe(turn, self._plan)
            self._talk.ledger.note(
                f"{what} ({turn.id}) gets no answer: it got none in the recording"
            )
            return
        self._answer(heard, call, "200 OK")

    def _answer_politely(self, heard: Heard, call: Call, *, known: bool) -> None:
        """Answer what is not in the script, or only a part of a turn."""
        talk = self._talk
        if known:
            self._answer(heard, call, "200 OK")
            return
        status = self._polite_status(heard, call)
        text = f"{status} {REASONS.get(status, 'Answer of the Script')}"
        names = ", ".join(item.id or item.element for item in heard.items)
        event = heard.message.event
        what = " ".join(filter(None, (heard.method, names or event)))
        if _is_goodbye(heard):
            who = call.identity or call.client if talk.server else "the server"
            talk.ledger.note(f"{who} said goodbye ({heard.method})")
        else:
            talk.ledger.unexpected(call.client, what, talk.line.now, f"answered with {text}")
        self._answer(heard, call, text)
        if talk.server and status < 300:
            reply_to_all(talk, self._speaker, heard, call)

    def _polite_status(self, heard: Heard, call: Call) -> int:
        """Return what somebody gets who asks for what the script does not have."""
        to = parse_name_addr(heard.message.headers.first("to") or "")
        inside = to is not None and to.tag is not None
        if inside and not call.dialog and heard.method not in ("REGISTER", "SUBSCRIBE"):
            return 481  # RFC 3261 section 12.2.2
        if self._talk.server:
            return self._talk.options.default_status
        return 200 if inside else TO_CLIENTS.get(heard.method, 200)

    def _answer(self, heard: Heard, call: Call, status: str) -> None:
        cseq = heard.message.cseq
        key = (cseq.number if cseq else 0, heard.method)
        wire = self._talk.line.wire(call.connection)
        if key in call.answered or wire is None:
            return
        more = []
        code = int(status.partition(" ")[0])
        if heard.method == "REGISTER" and code < 300:
            more = _registered(heard)
        elif heard.method in ("INVITE", "SUBSCRIBE", "UPDATE") and code < 300:
            more = [("Contact", f"<{wire.uri}>")]
        if heard.method == "SUBSCRIBE" and code < 300:
            more.append(("Expires", heard.message.headers.first("expires") or "3600"))
        raw = self._talk.line.send(call, simple_response(heard.message, call, status, more), None)
        self._speaker.answered(call, key, code, raw)

    def _cancelled(self, heard: Heard, call: Call | None, client: str, connection: int) -> None:
        """End an INVITE that has no final answer yet (RFC 3261 section 9.2)."""
        if call is None:
            call = self._talk.heard_call(None, heard, client, connection)
        invite = call.invite
        turn = self._cancel_turn(call)
        if turn is not None:
            self._accept(Match(turn, heard, {}), heard, call)
            return
        self._answer(heard, call, "200 OK")
        if invite is not None:
            self._answer(invite, call, "487 Request Terminated")
            call.invite = None

    def _cancel_turn(self, call: Call) -> Turn | None:
        """Return the CANCEL that the script has here."""
        turns = self._plan.requests.get((call.dialog, "CANCEL"), ())
        states = self._talk.progress.states
        return next((one for one in turns if one.id not in states), None)


def _is_goodbye(heard: Heard) -> bool:
    """Say whether someone leaves politely, whether the script has that or not."""
    signs_off = heard.method == "REGISTER" and heard.message.headers.first("expires") == "0"
    return signs_off or heard.method == "BYE"


def _registered(heard: Heard) -> list[tuple[str, str]]:
    """Return what a 200 to REGISTER says of the binding (RFC 3261 section 10.3)."""
    first = heard.message.headers.first
    expires = first("expires") or "3600"
    contact = first("contact")
    bound = [("Contact", f"{contact.partition('>')[0]}>;expires={expires}")] if contact else []
    return [*bound, ("Expires", expires)]
