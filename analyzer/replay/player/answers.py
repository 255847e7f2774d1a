"""Responses of the peer to what we asked.

The rule: a refusal that the script does not have is first treated as a user agent treats it
(credentials after 401 and 407, another attempt after 503); only what remains is held against it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analyzer.replay.align import observe
from analyzer.replay.player.calls import Asked
from analyzer.replay.player.losses import Losses
from analyzer.replay.player.match import Match
from analyzer.replay.player.outgoing import CREDENTIALS, Draft, simple_request
from analyzer.replay.player.plan import describe
from analyzer.replay.results import Difference
from dissectors.model import Malformed
from dissectors.sip.fields import parse_retry_after, parse_seconds
from dissectors.sip.grammar import field_name
from dissectors.sip.parse import parse_message

if TYPE_CHECKING:
    from analyzer.replay.heard import Heard
    from analyzer.replay.player.calls import Call
    from analyzer.replay.player.outgoing import Headers
    from analyzer.replay.player.speaker import Speaker
    from analyzer.replay.player.talk import Talk
    from analyzer.replay.results import Status
    from analyzer.replay.script import Turn

Later = Callable[[float, Callable[[], None]], None]
CHALLENGES = (401, 407)
OVERLOADED = 503
GONE = (481, 408)
"""The peer does not know the dialog any more (RFC 3261 section 12.2.1.2)."""
RETRY_AFTER = 1.0
"""Seconds before a request that got 503 without Retry-After is sent again."""
MAX_ROUNDS = 8
"""Of credentials for one request: NTLM needs two, a stale nonce one more."""


class Answers:
    """Takes responses of one conversation."""

    def __init__(
        self,
        talk: Talk,
        speaker: Speaker,
        credentials: Callable[[Call, bytes, Heard], Headers | None],
        later: Later,
        background: Later,
    ) -> None:
        """Take the seams to the play.

        ``credentials`` answers a challenge; ``later`` does something at a time, ``background`` does
        too, but nobody waits for it.
        """
        self._talk = talk
        self._speaker = speaker
        self._plan = talk.plan
        self._credentials = credentials
        self._later = later
        self._background = background
        self._losses = Losses(talk, speaker)

    def response(self, heard: Heard, client: str) -> None:
        """Take a response to a request of a client's conversation."""
        talk, message = self._talk, heard.message
        call = talk.by_call_id.get((client, message.call_id or ""))
        cseq, status = message.cseq, message.status or 0
        asked = call.asked.get((cseq.number, cseq.method.upper())) if call and cseq else None
        if call is None or asked is None or cseq is None:
            self._passed_over(heard, call)
            return
        if status < 200:
            asked.provisional = True
            self._provisional(asked, heard)
            return
        del call.asked[cseq.number, cseq.method.upper()]
        expected = self._expected(asked, status)
        if self._tried_again(call, asked, heard, expected):
            return
        self._conclude(call, asked, heard)
        self._judge(asked, heard, expected)
        if asked.method == "INVITE":
            self._speaker.let_go(call)

    def _passed_over(self, heard: Heard, call: Call | None) -> None:
        """Note a response to nothing; a 2xx that comes again is due its ACK again (13.2.2.4)."""
        status, cseq = heard.message.status or 0, heard.message.cseq
        self._talk.ledger.note(f"{status} to a request that was not open was passed over")
        if call is None or call.ack is None or cseq is None or heard.method != "INVITE":
            return
        if cseq.number == call.ack[0] and 200 <= status < 300:
            self._talk.line.repeat(call, call.ack[1])

    def _provisional(self, asked: Asked, heard: Heard) -> None:
        for turn in self._plan.responses.get(asked.turn or "", ()):
            if turn.message.status == heard.message.status:
                self._talk.ledger.verdict(turn, "held", self._talk.line.now)
                self._talk.progress.settle(turn, "heard", self._talk.line.now)
                return

    def _expected(self, asked: Asked, status: int) -> Turn | None:
        """Return the final response that the script has, rather one of this status."""
        finals = [
            turn
            for turn in self._plan.responses.get(asked.turn or "", ())
            if (turn.message.status or 0) >= 200
        ]
        same = [turn for turn in finals if turn.message.status == status]
        return next(iter(same or finals), None)

    def _tried_again(self, call: Call, asked: Asked, heard: Heard, expected: Turn | None) -> bool:
        """Ask once more where a user agent would; not where the script knows of the refusal."""
        status = heard.message.status
        refused = asked.method == "INVITE" and (status or 0) >= 300
        if refused:
            self._acknowledge_refusal(call, asked, heard, expected)
        if expected is not None and expected.message.status == status:
            return False
        if status in CHALLENGES and asked.rounds < MAX_ROUNDS:
            return self._identified(call, asked, heard)
        if status == OVERLOADED and asked.attempts < self._talk.options.retries:
            self._retry(call, asked, heard)
            return True
        return False

    def _identified(self, call: Call, asked: Asked, heard: Heard) -> bool:
        """Send a challenged request again with credentials, which may sign its new CSeq."""
        draft = renewed(asked.raw, call.next_cseq(), self._talk.branch())
        more = None if draft is None else self._credentials(call, draft.bytes(), heard)
        if draft is None or more is None:
            return False
        headers = [*draft.headers, *more]
        self._send_again(call, asked, draft._replace(headers=headers), rounds=1)
        return True

    def _retry(self, call: Call, asked: Asked, heard: Heard) -> None:
        """Send it again when the server wants it (RFC 3261 section 21.5.4)."""
        value = heard.message.headers.first("retry-after")
        told = parse_retry_after(value) if value else None
        options = self._talk.options
        wait = min(float(told.seconds) if told else RETRY_AFTER, options.retry_after_limit)
        what = describe(self._plan.turn(asked.turn), self._plan) if asked.turn else asked.method
        self._talk.ledger.note(f"{what} was answered 503 and sent again after {wait:g} s")
        until = self._talk.line.now + wait + options.timeout
        for turn in self._plan.responses.get(asked.turn or "", ()):
            self._talk.progress.postpone(turn, until)
        self._later(self._talk.line.now + wait, lambda: self._resend(call, asked))

    def _resend(self, call: Call, asked: Asked) -> None:
        """Send a request again: a new CSeq and branch, the same dialog and body."""
        draft = renewed(asked.raw, call.next_cseq(), self._talk.branch())
        if draft is not None:
            self._send_again(call, asked, draft, attempts=1)

    def _send_again(
        self, call: Call, asked: Asked, draft: Draft, *, rounds: int = 0, attempts: int = 0
    ) -> None:
        talk = self._talk
        if talk.line.wire(call.connection) is None:
            return
        raw = talk.line.send(call, draft, asked.turn)
        call.asked[call.cseq, asked.method] = Asked(
            asked.method, asked.turn, raw, asked.at,
            asked.attempts + attempts, asked.rounds + rounds,
        )  # fmt: skip

    def _acknowledge_refusal(
        self, call: Call, asked: Asked, heard: Heard, expected: Turn | None
    ) -> None:
        """ACK a final response other than 2xx: same branch, same Request-URI (17.1.1.3)."""
        message = parse_message(asked.raw)
        if isinstance(message, Malformed):
            return
        first = message.headers.first
        headers = [("Via", one) for one in message.headers.all("via")[:1]]
        headers += [("Route", one) for one in message.headers.all("route")]
        headers += [("Max-Forwards", "70"), ("From", first("from") or "")]
        headers += [("To", heard.message.headers.first("to") or ""), ("Call-ID", call.call_id)]
        number = message.cseq.number if message.cseq else call.cseq
        headers.append(("CSeq", f"{number} ACK"))
        turn = self._ack_turn(call)
        known = expected is not None and expected.message.status == heard.message.status
        mine = turn.id if turn is not None and known else None
        self._talk.line.send(call, Draft(f"ACK {message.uri} SIP/2.0", headers, b""), mine)
        if turn is not None and mine:
            self._talk.progress.settle(turn, "said", self._talk.line.now)

    def _ack_turn(self, call: Call) -> Turn | None:
        """Return the next ACK that the script has in a dialog."""
        states = self._talk.progress.states
        turns = self._plan.acks.get(call.dialog, ())
        return next((one for one in turns if one.id not in states), None)

    def _conclude(self, call: Call, asked: Asked, heard: Heard) -> None:
        """Take what the response makes of the dialog."""
        status = heard.message.status or 0
        method = asked.method
        if status < 300 and method in ("INVITE", "SUBSCRIBE"):
            call.learn_response(heard.message)
            call.established = True
            if method == "INVITE":
                self._acknowledge(call, asked)
            self._keep_up(call, asked, heard)
        if method == "REGISTER" and status < 300:
            first = parsed_first(asked.raw, "expires")
            call.bound = None if first == "0" else asked.raw
        if method == "BYE" or status in GONE:
            call.ended = True

    def _keep_up(self, call: Call, asked: Asked, heard: Heard) -> None:
        """Refresh a session before it ends, where that is ours to do (RFC 4028 section 7.2)."""
        told = heard.message.headers.first("session-expires")
        seconds = parse_seconds(told or "")
        if asked.method != "INVITE" or not seconds or "refresher=uas" in (told or "").lower():
            return
        if self._talk.options.session_timers:
            self._background(self._talk.line.now + seconds / 2, lambda: self._refresh(call, told))

    def _refresh(self, call: Call, told: str | None) -> None:
        """Send an UPDATE, and go on with that."""
        talk = self._talk
        wire = talk.line.wire(call.connection)
        seconds = parse_seconds(told or "")
        if wire is None or call.ended or not seconds:
            return
        more = [("Session-Expires", told or ""), ("Supported", "timer")]
        draft = simple_request("UPDATE", call, wire, talk.branch(), more)
        self._speaker.ask(call, draft, "UPDATE", None)
        self._background(talk.line.now + seconds / 2, lambda: self._refresh(call, told))

    def _acknowledge(self, call: Call, asked: Asked) -> None:
        """ACK a 2xx at once, by the script's ACK where it has one (13.2.2.4)."""
        talk = self._talk
        wire = talk.line.wire(call.connection)
        if wire is None:
            return
        turn = self._ack_turn(call)
        if turn is None or asked.turn is None:
            draft = simple_request("ACK", call, wire, talk.branch(), [])
        else:
            draft = talk.writer.request(turn.message, call, wire, talk.branch())
        raw = talk.line.send(call, draft, turn.id if turn else None)
        call.ack = (call.cseq, raw)
        call.confirmed = True
        if turn is not None:
            talk.progress.settle(turn, "said", talk.line.now)

    def _judge(self, asked: Asked, heard: Heard, expected: Turn | None) -> None:
        """Hold the response against the script."""
        talk, now = self._talk, self._talk.line.now
        status = heard.message.status or 0
        if asked.turn is not None:
            talk.ledger.latency(describe(self._plan.turn(asked.turn), self._plan), now - asked.at)
        if expected is None or expected.id in talk.progress.states:
            if status >= 300 and asked.turn is not None:
                what = describe(self._plan.turn(asked.turn), self._plan)
                reason = f"{status} {heard.message.reason or ''}".rstrip()
                talk.ledger.unexpected(None, f"{reason} to {what}", now)
            return
        observed = observe(expected.message, heard, talk.values.known)
        match = Match(expected, heard, observed)
        differences = talk.matcher.differences(match)
        failed = status >= 300 > (expected.message.status or 0)
        if failed and not any(one.path == "status" for one in differences):
            told = Difference("status", str(expected.message.status), str(status))
            differences = (told, *differences)
        self._settle(match, differences, failed=failed)

    def _settle(self, match: Match, differences: tuple[Difference, ...], *, failed: bool) -> None:
        talk, turn, now = self._talk, match.turn, self._talk.line.now
        outcome: Status = "differs" if differences else "held"
        talk.ledger.verdict(
            turn, outcome, now, differences=differences, detail=_reason(match.heard)
        )
        talk.observed[turn.id, 0] = match.observed
        if not failed:
            for name, value in match.observed.items():
                slot = self._plan.slots.get(name)
                if slot is not None and slot.said_by not in self._plan.ours:
                    talk.values.learn(name, value)
        talk.progress.settle(turn, "missing" if failed else "heard", now)
        if failed:
            self._hopeless(match)

    def _hopeless(self, match: Match) -> None:
        """Wait no more for the reply to a command that was refused."""
        status = match.heard.message.status
        for turn in self._plan.turns_by_cause.get(match.turn.answers or "", ()):
            if turn.is_request and not self._plan.is_ours(turn):
                self._losses.missing(turn, f"its command was answered {status}")


def _reason(heard: Heard) -> str:
    """Return what a refusal says of its reason."""
    if (heard.message.status or 0) < 300:
        return ""
    first = heard.message.headers.first
    return first("ms-diagnostics") or first("warning") or ""


def renewed(raw: bytes, cseq: int, branch: str) -> Draft | None:
    """Return a request of ours as a new transaction, without its credentials."""
    message = parse_message(raw)
    if isinstance(message, Malformed) or message.method is None:
        return None
    headers: Headers = []
    vias = 0
    for header in message.headers:
        key = field_name(header.name)
        if key == "via" and not vias:
            vias = 1
            before = header.value.partition(";branch=")[0]
            headers.append((header.name, f"{before};branch={branch}"))
        elif key == "cseq":
            headers.append((header.name, f"{cseq} {message.method}"))
        elif key not in CREDENTIALS and key != "content-length":
            headers.append((header.name, header.value))
    return Draft(message.start_line.decode("utf-8", "replace"), headers, message.body)


def parsed_first(raw: bytes, name: str) -> str | None:
    """Return the value of the first header of a name in a message of ours."""
    message = parse_message(raw)
    return None if isinstance(message, Malformed) else message.headers.first(name)
