"""What one session did about rooms, in order: searched, joined, asked for a token, posted.

One walk over its commands says which of them each post builds on. What no post came of is left
over: searches and joins that failed, and tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.sessions.rooms import is_good
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.commands import Command
    from analyzer.flows.copies import Fanout
    from analyzer.flows.sent import Sent
    from analyzer.sessions.view import SessionView

REPEAT_NS = 60 * SECOND
"""The same words to the same room so soon after a refusal are a repetition of the post."""
SEARCHES = 16
"""Searches that are looked at for the one that found a room: the last ones before its join."""


@dataclass(slots=True)
class Subscription:
    """How a session got into a room."""

    room: str | None
    searches: list[Command] = field(default_factory=list)
    joins: list[Command] = field(default_factory=list)
    contexts: list[Command] = field(default_factory=list)
    at_sign_in: bool = False
    """It was joined with all the others (``bjoin``)."""
    used: bool = False
    """A post was written into it."""


@dataclass(slots=True)
class Attempt:
    """A post with its repetitions, and what it builds on; or what no post came of."""

    room: str | None
    subscription: Subscription | None
    """None where nothing is known of how the user got into the room."""
    first: bool
    """It is the first one of its subscription."""
    posts: list[Sent] = field(default_factory=list)
    tokens: list[Command] = field(default_factory=list)


class Walk:
    """Goes through the commands of one session."""

    def __init__(self, view: SessionView, fanout: Fanout) -> None:
        self.view = view
        self._fanout = fanout
        self._rooms: dict[str, Subscription] = {}
        self._searches: list[Command] = []
        self._found: set[int] = set()
        """Searches that a join built on."""
        self._facts: dict[int, tuple[set[str], set[str]]] = {}
        """Rooms that the replies to a command speak of, and those that they refuse."""
        self._tokens: dict[str, list[Command]] = {}
        self._open: dict[tuple[str | None, str], Attempt] = {}
        self._over: list[Subscription] = []
        self._attempts: list[Attempt] = []

    def attempts(self) -> list[Attempt]:
        """Return what the session attempted, in order of the first message of each."""
        steps = {
            "chansrch": self._searches.append,
            "join": self._join,
            "bjoin": self._joined_at_sign_in,
            "bccontext": self._context,
            "getfutok": self._token,
            "part": self._left,
            "grpchat": self._post,
        }
        for command in self.view.commands:
            step = steps.get(command.name)
            if step is not None:
                step(command)
        self._attempts.extend(self._left_over())
        return self._attempts

    def well(self, command: Command) -> bool:
        """Say whether a command was answered, and not refused."""
        outcomes = self.view.outcomes
        return bool(command.answers) and all(is_good(outcomes.code(one)) for one in command.answers)

    def let_in(self, command: Command, room: str | None) -> bool:
        """Say whether a join was answered, and the room not refused."""
        return self.well(command) and room not in self._said(command, failed=True)

    def _said(self, command: Command, *, failed: bool = False) -> set[str]:
        """Return the rooms that the replies to a command speak of, or refuse."""
        known = self._facts.get(command.index)
        if known is None:
            known = self._facts[command.index] = (set(), set())
            material = self.view.material
            for reply in command.answers:
                position = material.elements.position(reply.element)
                facts = material.reader.facts(reply.row, position)
                known[0].update(facts.rooms)
                known[1].update(facts.failed)
        return known[failed]

    # commands

    def _join(self, command: Command) -> None:
        asked = self.view.outcomes.rooms(command)
        for room in dict.fromkeys((*asked, *self._said(command))):
            known = self._rooms.get(room)
            if known is not None and not known.at_sign_in and not self._is_in(known):
                known.joins.append(command)
                continue
            if known is not None:
                self._over.append(known)
            self._rooms[room] = Subscription(room, self._search_for(room), [command])

    def _is_in(self, known: Subscription) -> bool:
        return bool(known.joins) and self.let_in(known.joins[-1], known.room)

    def _search_for(self, room: str) -> list[Command]:
        """Return the search that found a room, with what it repeats; else what was just tried."""
        for at in range(len(self._searches) - 1, max(-1, len(self._searches) - 1 - SEARCHES), -1):
            if room in self._said(self._searches[at]):
                return self._use_searches(at)
        last = len(self._searches) - 1
        fresh = last >= 0 and self._searches[last].index not in self._found
        return self._use_searches(last) if fresh and not self._searches[last].answers else []

    def _use_searches(self, at: int) -> list[Command]:
        first = at
        while first > max(0, at - SEARCHES) and not self.well(self._searches[first - 1]):
            first -= 1
        used = self._searches[first : at + 1]
        self._found.update(one.index for one in used)
        return used

    def _joined_at_sign_in(self, command: Command) -> None:
        for room in {*self.view.outcomes.rooms(command), *self._said(command)}:
            known = self._rooms.get(room)
            if known is not None and not known.at_sign_in:
                self._over.append(known)
            self._rooms[room] = Subscription(room, at_sign_in=True)

    def _context(self, command: Command) -> None:
        for room in self.view.outcomes.rooms(command)[:1]:
            known = self._rooms.get(room)
            if known is not None:
                known.contexts.append(command)

    def _token(self, command: Command) -> None:
        for room in self.view.outcomes.rooms(command)[:1]:
            self._tokens.setdefault(room, []).append(command)

    def _left(self, command: Command) -> None:
        for room in self.view.outcomes.rooms(command):
            known = self._rooms.pop(room, None)
            if known is not None:
                self._over.append(known)

    def _post(self, command: Command) -> None:
        sent = self._fanout.posts.get(command.index)
        if sent is None:
            return
        room, key = sent.chat.room, (sent.chat.room, sent.chat.text)
        known = self._open.get(key)
        if known is not None and sent.time - known.posts[-1].time <= REPEAT_NS:
            known.posts.append(sent)
        else:
            subscription = self._rooms.get(room or "")
            first = subscription is not None and not subscription.used
            known = Attempt(room, subscription, first, [sent])
            if sent.chat.link:
                known.tokens = self._tokens.pop(room or "", [])
            if subscription is not None:
                subscription.used = True
            self._attempts.append(known)
        if command.outcome == "accepted":
            self._open.pop(key, None)
        else:
            self._open[key] = known

    # what no post came of

    def _left_over(self) -> Iterator[Attempt]:
        for known in (*self._over, *self._rooms.values()):
            if known.used or not known.joins:
                continue
            if not self._is_in(known) or self._unread(known):
                tokens = self._tokens.pop(known.room or "", [])
                yield Attempt(known.room, known, first=True, tokens=tokens)
        for room, tokens in self._tokens.items():
            yield Attempt(room, self._rooms.get(room), first=False, tokens=tokens)
        last = self._searches[-1:]
        if last and last[0].index not in self._found and not self.well(last[0]):
            tried = Subscription(None, self._use_searches(len(self._searches) - 1))
            yield Attempt(None, tried, first=True)

    def _unread(self, known: Subscription) -> bool:
        """Say whether the history of a room was asked for after its join, and did not come."""
        return bool(known.contexts) and not self.well(known.contexts[-1])
