"""What brought a message about, from the causal graphs of the sessions; by rows.

The rule: only what the messages show is a link: that one came after the other is none.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from analyzer.causes.graph import causes_of
from analyzer.flows.runs import flows_of
from analyzer.replay.derive.people import address_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.replay.derive.recording import Recording
    from analyzer.replay.derive.said import Said

EXPLICIT = ("reply", "retry", "redirect", "learned")
"""Kinds of edges that are a cause; answers are known from their transactions."""
JOINS = frozenset({"cmd:join", "cmd:bjoin"})
PARTS = frozenset({"cmd:part"})
LET_IN = frozenset({"rpl:join", "rpl:bjoin"})
NOTICES = {"ntc:join": JOINS, "ntc:bjoin": JOINS, "ntc:part": PARTS}
MOST_LOOKED_AT = 64
"""Commands of one user that are looked at for the one that a notice tells of, the latest first."""


class Links:
    """The links between the live messages of a recording."""

    def __init__(self, recording: Recording, messages: Sequence[Said]) -> None:
        self._recording = recording
        self._of = {one.row: one for one in messages if one.live}
        self.causes: dict[int, list[int]] = {}
        """Row to the rows that brought it about, in order."""
        self.needs: dict[int, list[int]] = {}
        """Row of a post or a join to the rows that let those into the room who hear of it."""
        self._entries: dict[str, list[int]] = {}
        """Client to the rows of the replies that let it into rooms, ascending."""
        for one in self._of.values():
            if LET_IN.intersection(one.items):
                self._entries.setdefault(one.client, []).append(one.row)
        self._of_graphs()
        self._of_posts()
        self._of_notices()
        self._of_commands()

    def _link(self, effect: int, cause: int) -> None:
        if effect in self._of and cause in self._of and cause < effect:
            known = self.causes.setdefault(effect, [])
            if cause not in known:
                known.append(cause)

    def _of_graphs(self) -> None:
        recording = self._recording
        runs = flows_of(recording.trace, recording.scene.sessions)
        request_of = recording.request_of
        for view in recording.scene.views:
            graph = causes_of(recording.trace, view, runs)
            for effect, cause, data in graph.edges(data=True):
                if data["kind"] not in EXPLICIT or effect < 0 or cause < 0:
                    continue
                if data["kind"] == "retry":
                    cause = self._answer(cause)
                if request_of.get(effect) != cause:
                    self._link(effect, cause)

    def _answer(self, request: int) -> int:
        """Return the row of the final answer to a request, which is what a client acts upon."""
        transaction = self._recording.transaction(request)
        final = None if transaction is None else transaction.final
        return request if final is None else final

    def _of_posts(self) -> None:
        for copy, posts in self._recording.posts.items():
            for post in posts:
                self._link(copy, post)
                self._need(post, copy)

    def _of_commands(self) -> None:
        """Link what names a message in its ``commandid`` to it, where no graph knows better.

        A server may answer a post too, though a post is no command.
        """
        said: dict[tuple[str, str, str], int] = {}
        for one in sorted(self._of.values(), key=lambda one: one.number):
            for place in one.places if one.xccos else ():
                if place.attribute != "envid":
                    continue
                if not place.steps:
                    said[one.client, one.by, place.value] = one.row
                elif place.element == "commandid" and not self.causes.get(one.row):
                    cause = said.get((one.client, one.to, place.value))
                    if cause is not None:
                        self._link(one.row, cause)

    def _need(self, row: int, told: int) -> None:
        """Note that who is told of a message must have been let into the room before it."""
        one, other = self._of.get(row), self._of.get(told)
        if one is None or other is None or one.client == other.client:
            return
        entries = self._entries.get(other.client, [])
        at = bisect_left(entries, row)
        if at:
            known = self.needs.setdefault(row, [])
            if entries[at - 1] not in known:
                known.append(entries[at - 1])

    def _of_notices(self) -> None:
        """Link notices to the commands of those whom they tell of."""
        commands: dict[tuple[str, frozenset[str]], list[int]] = {}
        users = {client: address_of(uri).lower() for client, uri in self._users().items()}
        for one in self._of.values():
            names = frozenset(one.items)
            for kind in (JOINS, PARTS):
                if kind & names and one.by == one.client:
                    commands.setdefault((users[one.client], kind), []).append(one.row)
            for notice in sorted(names & NOTICES.keys()):
                self._notice(one, NOTICES[notice], commands)

    def _users(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for one in self._of.values():
            if one.is_request and one.by == one.client and one.message.from_ is not None:
                found.setdefault(one.client, one.message.from_.uri)
        return {**dict.fromkeys((one.client for one in self._of.values()), ""), **found}

    def _notice(
        self,
        one: Said,
        kind: frozenset[str],
        commands: dict[tuple[str, frozenset[str]], list[int]],
    ) -> None:
        rooms = set(_rooms(one))
        for place in one.places:
            if place.element != "uib" or place.attribute != "uri":
                continue
            possible = commands.get((address_of(place.value).lower(), kind), [])
            for row in reversed(possible[-MOST_LOOKED_AT:]):
                if rooms.intersection(_rooms(self._of[row])):
                    self._link(one.row, row)
                    self._need(row, one.row)
                    break


def _rooms(one: Said) -> Iterable[str]:
    """Return the ids of the rooms that a body names."""
    for place in one.places:
        if place.attribute == "value":
            yield place.value.lower()
        elif place.value.startswith("ma-chan://"):
            yield place.value.rpartition("/")[2].lower()
