"""The client's part of a dialog as a SIPp scenario.

The rule: after each request the client waits for its answer and for what the server said then in
the recording, in whatever order they come; every request of the server gets its answer as it comes.
What was heard is known by its meaning (``analyzer.replay.sipp.heard``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.sipp.conversation import UNANSWERED
from analyzer.replay.sipp.heard import Sign, signs_of, words_of
from analyzer.replay.sipp.messages import PEER, Messages, wanted_of
from analyzer.replay.sipp.scenario import END, MATCHED, NOBODY, Answer, Complete, Count, Ereg
from analyzer.replay.sipp.syntax import posix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.replay.script import Turn
    from analyzer.replay.sipp.conversation import Conversation, Exchange, Step
    from analyzer.replay.sipp.scenario import Action, Scenario
    from analyzer.replay.sipp.values import Values

TIMEOUT = "32000"
"""Milliseconds for which the server may keep the client waiting: timer F (RFC 3261 17.1.2.2)."""
GATHERING = "10"
"""Milliseconds for which the client gathers what is said at once: a turn of SIPp's clock."""
PROVISIONAL = ("100", "180", "183")
MIN_PAUSE, MAX_PAUSE = 50, 600_000
"""Milliseconds: what a person waits, not what a program takes; and no more than ten minutes."""


class _Place(NamedTuple):
    """Where the client waits."""

    label: str
    done: str | None
    """Where it goes on when all was heard; None where only the time counts."""


class Client:
    """Writes the client's part."""

    def __init__(
        self, conversation: Conversation, values: Values, scenario: Scenario, *, pauses: bool
    ) -> None:
        """Write into a scenario; ``pauses``: the client waits between its requests as recorded."""
        self._conversation = conversation
        self._values = values
        self._scenario = scenario
        self._pauses = pauses
        self._messages = Messages(conversation, values, conversation.client)
        self._wanted = wanted_of(
            turn
            for step in conversation.steps
            for turn in (step.exchange.request, *_answers(step.awaited))
        )
        self._invite: tuple[Exchange, int] | None = None
        self._known: dict[str, tuple[Sign, ...]] = {}
        self._counters: dict[Sign, int] = {}

    def write(self) -> None:
        """Write all steps."""
        for number, step in enumerate(self._conversation.steps):
            self._say(number, step)
            self._wait(number, step)
            if number == self._conversation.creation:
                self._messages.inside = True
        self._scenario.end()

    def _say(self, number: int, step: Step) -> None:
        exchange = step.exchange
        self._scenario.remark(
            f"{exchange.request.id}: {words_of(exchange.request.message, self._values)}"
        )
        if number and self._pauses:
            self._pause(number, exchange)
        branch = None
        if exchange.method == "ACK" and self._invite is not None:
            invite, place = self._invite
            status = invite.final.message.status if invite.final else None
            # The ACK to a failure is part of the INVITE's transaction (RFC 3261 17.1.1.3).
            branch = self._scenario.messages - place if (status or 0) >= 300 else None
        if exchange.method == "INVITE":
            self._invite = (exchange, self._scenario.messages)
        self._scenario.send(self._messages.request(exchange, branch))

    def _pause(self, number: int, exchange: Exchange) -> None:
        """Wait as recorded, and answer what comes in between."""
        earlier = self._conversation.steps[number - 1]
        heard = [earlier.exchange.final, *(one.request for one in earlier.awaited)]
        since = max(turn.at_ms for turn in (earlier.exchange.request, *filter(None, heard)))
        gap = min(int(exchange.request.at_ms - since), MAX_PAUSE)
        if gap < MIN_PAUSE:
            return
        methods = self._conversation.methods if self._messages.inside else ()
        if not methods:
            self._scenario.pause(gap)
            return
        waiting, ready = f"pause{number}", f"ready{number}"
        self._scenario.mark(waiting)
        timer = {"timeout": str(gap), "ontimeout": ready}
        self._hear(number - 1, methods, _Place(waiting, None), timer)
        self._scenario.mark(ready)

    def _wait(self, number: int, step: Step) -> None:
        """Wait for the answer to a request, and for what the server says of its own accord."""
        methods = self._conversation.methods if self._messages.inside or step.awaited else ()
        final = step.exchange.final
        if not methods:
            if final is not None:
                self._provisional(step.exchange)
                self._final(number, final, {"timeout": TIMEOUT})
            return
        if final is None and not step.awaited:
            return
        is_last = step is self._conversation.steps[-1]
        done = END if is_last else f"done{number}"
        place = _Place(f"wait{number}", done)
        # SIPp heeds the timeout of the first of several alternatives.
        timer = {"timeout": TIMEOUT}
        self._scenario.mark(place.label)
        self._provisional(step.exchange)
        if final is not None:
            complete = {"optional": "true", "test": f"step{number}.all", "next": done}
            self._final(number, final, complete | timer)
        if len(step.awaited) > 1 and len(methods) == 1 and methods[0] not in UNANSWERED:
            self._gather(number, step, place, timer)
        else:
            self._hear(number, methods, place, timer)
        if not is_last:
            self._scenario.mark(done)

    def _provisional(self, exchange: Exchange) -> None:
        if exchange.method == "INVITE":
            for status in PROVISIONAL:
                self._scenario.receive(response=status, optional="true", timeout=TIMEOUT)

    def _final(self, number: int, final: Turn, attributes: dict[str, str]) -> None:
        status = str(final.message.status)
        actions: list[Action] = [*self._values.listen(final, self._wanted)]
        if "test" in attributes:
            actions.append(Ereg(f" ({status}) ", "msg", (MATCHED, f"answered{number}")))
            actions.append(self._complete(number))
        creates = number == self._conversation.creation
        if creates:
            actions.append(Ereg("[^ ].*", "To", (PEER,), check=True))
        routes = "true" if creates else None
        self._scenario.receive(actions, response=status, rrs=routes, **attributes)

    def _hear(
        self, number: int, methods: tuple[str, ...], place: _Place, timer: dict[str, str]
    ) -> None:
        """Receive requests of the server, each with its answer, as often as they come."""
        *others, last = methods
        for method in others:
            jump = {"optional": "true", "next": f"{place.label}.{method}"}
            self._scenario.receive(self._actions(number, method), request=method, **jump, **timer)
        self._scenario.receive(self._actions(number, last), request=last, **timer)
        self._reply(number, last, place)
        for method in others:
            self._scenario.mark(f"{place.label}.{method}")
            self._reply(number, method, place)

    def _gather(self, number: int, step: Step, place: _Place, timer: dict[str, str]) -> None:
        """Receive several requests of the server, and answer them together.

        A server may say them at once, and SIPp can put off but one while it answers another; from
        one ``recv`` to the next it misses nothing.
        """
        method, final, flush = step.awaited[0].method, step.exchange.final, f"answer{number}"
        complete = {"test": f"step{number}.all", "next": flush}
        actions = (*self._actions(number, method), Answer())
        self._scenario.receive(actions, request=method, **complete, **timer)
        soon = {"timeout": GATHERING, "ontimeout": flush}
        if final is not None:
            self._final(number, final, {"optional": "true"} | complete | soon)
        self._scenario.receive(actions, request=method, optional="true", **complete, **soon)
        self._scenario.receive((), request=NOBODY, **soon)
        self._scenario.mark(flush)
        if place.done == END:
            self._scenario.send_answers(test=f"step{number}.all", next=END)
            self._scenario.go(place.label)
        else:
            self._scenario.send_answers(test=f"step{number}.more", next=place.label)

    def _reply(self, number: int, method: str, place: _Place) -> None:
        """Answer what was heard last, and go on or wait for more."""
        complete, more = f"step{number}.all", f"step{number}.more"
        answer = self._answer(self._conversation.steps[number], method)
        if place.done is None:
            if method not in UNANSWERED:
                self._scenario.send(answer)
        elif method in UNANSWERED:
            self._scenario.go(place.done, complete)
        elif place.done == END:
            self._scenario.send(answer, test=complete, next=END)
        else:  # the fewest steps before more can be heard
            self._scenario.send(answer, test=more, next=place.label)
            self._scenario.go(place.done)
            return
        self._scenario.go(place.label)

    def _actions(self, number: int, method: str) -> tuple[Action, ...]:
        """Return what keeps what a request says, and counts what it is."""
        near = self._conversation.steps[number : number + 2]
        awaited = [one for step in near for one in step.awaited if one.method == method]
        actions: dict[Action, None] = {}
        for sign in (sign for one in awaited for sign in self._signs(one)):
            where = "msg" if sign.text == method else "body"
            actions[Count(sign.pattern, where, self._counter(sign))] = None
        for one in near[0].awaited:
            if one.method == method:
                actions.update(dict.fromkeys(self._values.listen(one.request, self._wanted)))
        actions[self._complete(number)] = None
        return tuple(actions)

    def _complete(self, number: int) -> Complete:
        """Return what sets whether all of a step was heard."""
        steps = self._conversation.steps
        parts: dict[str, tuple[str, str, int]] = {}
        final = steps[number].exchange.final
        if final is not None:
            parts["answer"] = (f"answered{number}", str(final.message.status), 1)
        # Counted from the beginning: what others bring about may come early.
        counts = Counter(
            sign
            for step in steps[: number + 1]
            for one in step.awaited
            for sign in self._signs(one)
        )
        for sign in (sign for one in steps[number].awaited for sign in self._signs(one)):
            parts[sign.pattern] = (self._counter(sign), sign.text, counts[sign])
        return Complete(f"step{number}", tuple(parts.values()))

    def _signs(self, exchange: Exchange) -> tuple[Sign, ...]:
        """Return what tells a request of the server: the items in it, else its method."""
        known = self._known.get(exchange.request.id)
        if known is None:
            plain = Sign(f"^({posix(exchange.method)}) ", exchange.method)
            known = signs_of(exchange.request.message, self._values) or (plain,)
            self._known[exchange.request.id] = known
        return known

    def _counter(self, sign: Sign) -> str:
        return f"seen{self._counters.setdefault(sign, len(self._counters) + 1)}"

    def _answer(self, step: Step, method: str) -> str:
        """Return the answer to what was heard last: the recorded one where there is one kind."""
        recorded = [one for one in step.awaited if one.method == method and one.final]
        statuses = {one.final.message.start for one in recorded if one.final}
        first = recorded[0] if len(statuses) == 1 else None
        if first is None or first.final is None:
            return self._messages.plain_response()
        return self._messages.response(first.final, first.request)


def _answers(exchanges: Iterable[Exchange]) -> Iterator[Turn]:
    return (one.final for one in exchanges if one.final is not None)
