"""One conversation: a script's play with one set of peers, as far as both directions share it.

The rule: what is decided in a conversation is in it and in no other; five hundred clients
are five hundred of these over one plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from analyzer.replay.player.calls import Call, aor_of, with_tag
from analyzer.replay.player.fresh import BRANCH
from analyzer.replay.player.ledger import Ledger
from analyzer.replay.player.match import Matcher
from analyzer.replay.player.outgoing import Writer
from analyzer.replay.player.progress import Progress
from analyzer.replay.player.values import Values
from analyzer.replay.script import SERVER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random  # noqa: TID251  (the type of what is passed in)

    from analyzer.replay.heard import Heard
    from analyzer.replay.options import PlayOptions
    from analyzer.replay.player.outgoing import Draft, Wire
    from analyzer.replay.player.plan import Plan
    from analyzer.replay.player.progress import Ready
    from analyzer.replay.script import Turn


class Line(Protocol):
    """The side of a conversation that has connections."""

    now: float

    def wire(self, connection: int) -> Wire | None:
        """Return where messages go out on a connection; None when it is closed."""
        ...

    def send(self, call: Call, draft: Draft, turn: str | None) -> bytes:
        """Send a message on the connection of a call, signed where that is demanded."""
        ...

    def repeat(self, call: Call, raw: bytes) -> None:
        """Send bytes once more."""
        ...


class Talk:
    """The state of a conversation."""

    def __init__(
        self, plan: Plan, options: PlayOptions, line: Line, rng: Random, epoch: float
    ) -> None:
        """Begin; ``epoch``: seconds since 1970 UTC at which the play's clock was 0."""
        self.plan = plan
        self.options = options
        self.line = line
        self.rng = rng
        self.began = line.now
        self.values = Values(plan, options.values, rng, lambda: epoch + line.now)
        self.overlay: Mapping[str, str] = {}
        """What the message says to which something is being answered; it goes before values."""
        self.server = SERVER in plan.ours
        self.writer = Writer(self.value, self.unknown, server=self.server)
        self.progress = Progress(plan, self._when, options.timeout)
        self.matcher = Matcher(plan, self.values, self.unknown)
        self.ledger = Ledger(plan, self.began)
        self.calls: dict[str, Call] = {}
        """By dialog of the script."""
        self.early: dict[str, list[Ready]] = {}
        """Turns of ours in dialogs that the peer has still to begin."""
        self.by_call_id: dict[tuple[str, str], Call] = {}
        """By client and Call-ID."""
        self.requests: dict[tuple[str, int], tuple[Heard, Call]] = {}
        """Requests that were heard, by turn and repetition."""
        self.observed: dict[tuple[str, int], Mapping[str, str]] = {}
        self.repetitions: dict[str, int] = {}
        self.connections: dict[str, int] = {}
        """Of the script to live ones."""

    def value(self, name: str) -> str:
        """Return the value of a slot."""
        told = self.overlay.get(name)
        return self.values.get(name) if told is None else told

    def unknown(self, name: str) -> bool:
        """Return whether the peer was to say a value and has not."""
        slot = self.plan.slots.get(name)
        if slot is None or name in self.overlay or name in self.values.known:
            return False
        return slot.said_by is not None and slot.said_by not in self.plan.ours

    def branch(self) -> str:
        """Return a new branch."""
        return f"{BRANCH}{self.rng.getrandbits(64):016X}"

    def _when(self, turn: Turn, now: float) -> float:
        """Return when a turn is to be said that can be said from now on."""
        options = self.options
        if options.timing != "recorded":
            return now
        if not self.server:
            return max(now, self.began + turn.at_ms / 1000 * options.scale)
        # Live clients have a time of their own: a server takes as long as it took.
        brought = [self.plan.at_ms[one] for one in self.plan.hard[turn.id]]
        took = turn.at_ms - max(brought, default=turn.at_ms)
        return now + max(0.0, took) / 1000 * options.scale

    def new_call(self, turn: Turn, connection: int) -> Call:
        """Return the call of a dialog that we begin, its identifiers filled from the template."""
        client = self.plan.client_of(turn)
        message = turn.message
        call = Call(
            turn.dialog,
            client,
            self.writer.fill(message.header("Call-ID") or ""),
            connection,
            method=message.method,
        )
        self.name_sides(call, turn)
        self.adopt(call)
        return call

    def name_sides(self, call: Call, turn: Turn) -> None:
        """Take From and To of a request outside dialogs from its template."""
        call.local = self.writer.fill(turn.message.header("From") or "")
        call.remote = self.writer.fill(turn.message.header("To") or "")

    def heard_call(self, turn: Turn | None, heard: Heard, client: str, connection: int) -> Call:
        """Return a new call that the peer begins."""
        first = heard.message.headers.first
        call = Call(turn.dialog if turn else "", client, first("call-id") or "", connection)
        call.method = heard.method
        call.identity = aor_of(first("from") or "")
        call.remote = first("from") or ""
        tag = f"{self.rng.getrandbits(40):010X}"
        call.local = with_tag(first("to") or "", self._own_tag(turn) or tag)
        call.learn_request(heard.message)
        call.held = self.early.pop(call.dialog, [])
        self.adopt(call)
        return call

    def _own_tag(self, turn: Turn | None) -> str | None:
        """Return the tag that our answer has in the script, as a value of this play."""
        for answer in self.plan.responses.get(turn.id, ()) if turn else ():
            tag = (answer.message.header("To") or "").partition(";tag=")[2].partition(";")[0]
            if (answer.message.status or 0) > 100 and tag:
                return self.writer.fill(tag)
        return None

    def adopt(self, call: Call) -> None:
        """Make a call known."""
        if call.dialog:
            self.calls[call.dialog] = call
        self.by_call_id[call.client, call.call_id] = call

    def kept(self) -> list[str]:
        """Return what was said as recorded, though the peer was to decide it."""
        slots = self.plan.slots
        return [
            f"{name} kept its recorded value: the peer never said it ({slots[name].where})"
            for name in self.values.kept
            if name in slots
        ]
