"""The server's part of a dialog as a SIPp scenario.

The rule: the client's requests come in the order of the recording; each gets its answer at once,
then what it brings about, one after the other. What the client answers to the last of it is taken
whenever it comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.script import SERVER
from analyzer.replay.sipp.conversation import UNANSWERED
from analyzer.replay.sipp.heard import signs_of, words_of
from analyzer.replay.sipp.messages import PEER, REGISTRATION, Messages, wanted_of
from analyzer.replay.sipp.scenario import MATCHED, Ereg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.replay.script import Turn
    from analyzer.replay.sipp.conversation import Conversation, Exchange, Step
    from analyzer.replay.sipp.scenario import Action, Scenario
    from analyzer.replay.sipp.values import Values

SAME_CALL = "samecall"
"""Set where a REGISTER is of SIPp's client: the dialog follows in the same call."""
OK = 200
_START, _REGISTER = "start", "register"


class Server:
    """Writes the server's part."""

    def __init__(self, conversation: Conversation, values: Values, scenario: Scenario) -> None:
        """Write into a scenario."""
        self._conversation = conversation
        self._values = values
        self._scenario = scenario
        self._messages = Messages(conversation, values, SERVER)
        self._wanted = wanted_of(_spoken(conversation))
        self._answers: dict[str, None] = {}
        """Statuses that the client answers the server's requests with."""

    def write(self) -> None:
        """Write all steps."""
        first, *others = self._conversation.steps
        registers = not self._conversation.is_inside(first.exchange)
        self._scenario.mark(_START)
        if registers:
            self._registration(first)
        for number, step in enumerate(self._conversation.steps):
            if step in others or not registers:
                self._step(number, step, first=number == registers)
        last = self._conversation.steps[-1].spoken[-1:]
        for exchange in last:  # no BYE of the client follows
            self._await("last", exchange)
        if registers:
            self._register(first)
        self._scenario.end()

    def _registration(self, step: Step) -> None:
        """Receive a REGISTER, where there is one."""
        same = Ereg(REGISTRATION, "Call-ID", (SAME_CALL,))
        said = self._values.listen(step.exchange.request, self._wanted, tentative=True)
        self._scenario.receive((same, *said), request="REGISTER", optional="true", next=_REGISTER)

    def _register(self, step: Step) -> None:
        """Answer a REGISTER: of SIPp's client in the same call, of others in a call of its own."""
        self._scenario.remark(f"{step.exchange.request.id}: the answer to a REGISTER")
        self._scenario.finish()
        self._scenario.mark(_REGISTER)
        self._reply(step.exchange)
        self._scenario.go(_START, SAME_CALL)

    def _step(self, number: int, step: Step, *, first: bool) -> None:
        exchange = step.exchange
        request = exchange.request
        creates = number == self._conversation.creation
        self._scenario.remark(f"{request.id}: {words_of(request.message, self._values)}")
        if not first:
            self._scenario.mark(f"step{number}")
        for status in self._answers:
            self._scenario.receive(response=status, optional="true")
        self._scenario.receive(
            self._actions(exchange, creates=creates),
            request=exchange.method,
            rrs="true" if creates else None,
        )
        self._reply(exchange)
        if creates:
            self._messages.inside = True
        for place, one in enumerate(step.spoken):
            if place:
                self._await(f"step{number}.{place}", step.spoken[place - 1])
            self._say(one)

    def _actions(self, exchange: Exchange, *, creates: bool) -> list[Action]:
        request = exchange.request
        actions: list[Action] = [
            Ereg(sign.pattern, "body", (MATCHED,), check=True)
            for sign in signs_of(request.message, self._values)
        ]
        if creates:
            actions.append(Ereg("[^ ].*", "From", (PEER,), check=True))
        return actions + self._values.listen(request, self._wanted)

    def _reply(self, exchange: Exchange) -> None:
        if exchange.method in UNANSWERED:
            return
        for turn in (*exchange.provisional, exchange.final):
            if turn is not None:
                self._scenario.send(self._messages.response(turn, exchange.request))

    def _await(self, label: str, exchange: Exchange) -> None:
        """Wait for the answer before the next request: SIPp's client takes one at a time."""
        if exchange.final is None:
            return
        self._scenario.mark(label)
        status = exchange.final.message.status
        if status == OK:
            self._scenario.receive(response=str(OK))
            return
        # Where the recorded answers differ, SIPp's client gives a 200.
        self._scenario.receive(response=str(OK), optional="true", next=f"{label}.done")
        self._scenario.receive(response=str(status))
        self._scenario.mark(f"{label}.done")

    def _say(self, exchange: Exchange) -> None:
        message = exchange.request.message
        self._scenario.remark(f"{exchange.request.id}: {words_of(message, self._values)}")
        self._scenario.send(self._messages.request(exchange))
        if exchange.final is not None:
            statuses = (exchange.final.message.status, OK)
            self._answers.update(dict.fromkeys(map(str, statuses)))


def _spoken(conversation: Conversation) -> Iterator[Turn]:
    for step in conversation.steps:
        yield from step.exchange.provisional
        if step.exchange.final is not None:
            yield step.exchange.final
        yield from (one.request for one in step.spoken)
