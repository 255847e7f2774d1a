"""Who was in which room when, as far as a capture tells.

Two kinds of knowledge, kept apart: endpoints (a dialog with the Channel service whose messages are
in the capture, so that what it gets is seen) and names (users that lists and notices speak of).
A copy is expected for endpoints only: a list may name people who are not there, and that of a large
room is left out by the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.flows.chats import items_of
from analyzer.roles import plain_uri
from analyzer.sessions.rooms import JOINING, is_good
from dissectors.xccos.rooms import room_uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from analyzer.commands import Command
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace
    from dissectors.xccos.messages import Element, Item

JOINED_NOTICES = ("join", "bjoin")
LEFT_NOTICE = "part"
DIALOGS = 16
"""Dialogs of one user that are looked at for the one that a notice is about: the last ones."""
COUNT = "urn:parlano:ma:info:ucnt"


What = Literal["in", "out", "known", "gone"]


class Endpoint(NamedTuple):
    """A dialog with the Channel service, and the session that it belongs to."""

    session: int
    dialog: int


class Change(NamedTuple):
    """Somebody entered or left a room, or was found to be in it."""

    time: int
    what: What
    """``in`` and ``out`` of an endpoint, ``known`` and ``gone`` of a user."""
    endpoint: Endpoint | None
    user: str | None


class Rosters:
    """The changes of each room, in no order until ``of`` is asked."""

    def __init__(
        self, trace: Trace, views: Sequence[SessionView], rooms: AbstractSet[str] | None = None
    ) -> None:
        """Look through the commands of ``views``: all sessions. None as ``rooms``: all of them."""
        self._trace = trace
        self._views = views
        self._rooms = rooms
        self._time = trace.rows.time
        self._changes: dict[str, list[Change]] = {}
        self._seen: set[tuple[str, Endpoint]] = set()
        self._late: dict[str, list[tuple[Endpoint, int]]] = {}
        self._documents: tuple[int, Sequence[Item]] = (-1, ())
        self.listed: set[tuple[str, Endpoint]] = set()
        """Rooms with the endpoints that got a list of those in them."""
        self._ends: dict[Endpoint, int | None] = {}
        for view in views:
            self._dialogs(view)
        for view in views:
            self._commands(view)

    def of(self, room: str) -> list[Change]:
        """Return the changes of a room in order, the ends of dialogs among them."""
        changes = self._changes.get(room, [])
        inside = {one.endpoint for one in changes if one.endpoint is not None}
        ends = [(self.end_of(endpoint), endpoint) for endpoint in inside]
        gone = [Change(time, "out", endpoint, None) for time, endpoint in ends if time is not None]
        return sorted([*changes, *gone], key=_when)

    def inside(self) -> set[Endpoint]:
        """Return the endpoints that were in one of the rooms, as far as their own commands tell."""
        return {endpoint for _, endpoint in self._seen}

    def end_of(self, endpoint: Endpoint) -> int | None:
        """Return when an endpoint went away; None where that is not in the capture."""
        if endpoint not in self._ends:
            view = self._views[endpoint.session]
            dialog = view.material.dialogs[endpoint.dialog]
            off = None if view.signed_off is None else self._time[view.signed_off]
            known = [
                time
                for time in (self._ended(view, dialog), off)
                if time is not None and time > dialog.started
            ]
            self._ends[endpoint] = min(known, default=None)
        return self._ends[endpoint]

    # what sessions themselves did

    def _dialogs(self, view: SessionView) -> None:
        for dialog in view.of_role("channel"):
            if not dialog.began_in_capture and view.user:
                here = self._late.setdefault(plain_uri(view.user), [])
                here.append((Endpoint(view.index, dialog.index), dialog.started))

    def _ended(self, view: SessionView, dialog: DialogDraft) -> int | None:
        """Return when a dialog ended, or its connection was closed."""
        row = dialog.end.row
        if row is not None:
            return self._time[row]
        last = dialog.rows[-1]
        closed = view.visibility.closed(self._trace.rows.stream[last] >> 1)
        return self._time[last] if closed else None

    def _commands(self, view: SessionView) -> None:
        for command in view.commands:
            if command.name in JOINING:
                self._joined(view, command)
            elif command.name == "part":
                self._parted(view, command)

    def _joined(self, view: SessionView, command: Command) -> None:
        endpoint = Endpoint(view.index, command.dialog)
        for reply in command.answers:
            if not is_good(view.outcomes.code(reply)):
                continue
            element = view.material.elements
            facts = view.material.reader.facts(reply.row, element.position(reply.element))
            rooms = [room for room in facts.rooms if self._rooms is None or room in self._rooms]
            for room in rooms:
                self._seen.add((room, endpoint))
                self._note(room, self._time[reply.row], "in", endpoint, None)
            if rooms:
                self._lists(reply.row, element.position(reply.element), endpoint)

    def _parted(self, view: SessionView, command: Command) -> None:
        if command.rejected() or command.element < 0:
            return
        endpoint = Endpoint(view.index, command.dialog)
        for room in view.outcomes.rooms(command):
            self._note(room, self._time[command.row], "out", endpoint, None)

    def evidence(self, room: str, endpoint: Endpoint, dialog: DialogDraft, time: int) -> None:
        """Note that an endpoint wrote or got something in a room.

        It was in it though its join is not in the capture: from the beginning, where that was
        before the capture.
        """
        if (room, endpoint) in self._seen:
            return
        self._seen.add((room, endpoint))
        since = time if dialog.began_in_capture else dialog.started
        self._note(room, since, "in", endpoint, None)

    # what lists and notices say

    def notice(self, row: int, position: int, name: str) -> None:
        """Take in a notice about those in a room."""
        item = self._item(row, position)
        if item is None:
            return
        time = self._time[row]
        if name in JOINED_NOTICES:
            for room, user in entries(item):
                self._entered(room, user, time)
        elif name == LEFT_NOTICE:
            for left, gone in departures(item):
                self._name(left, gone, time, "gone")

    def author(self, room: str, author: str, time: int) -> None:
        """Take in that a user wrote into a room."""
        self._name(room, author, time, "known")

    def _lists(self, row: int, position: int, endpoint: Endpoint) -> None:
        item = self._item(row, position)
        if item is None:
            return
        for room, count, users in lists(item):
            self.listed.add((room, endpoint))
            if count != "1":  # who is alone is listed with those who may join
                for user in users:
                    self._name(room, user, self._time[row], "known")

    def _item(self, row: int, position: int) -> Item | None:
        if self._documents[0] != row:
            self._documents = (row, items_of(self._trace, row))
        items = self._documents[1]
        return items[position] if position < len(items) else None

    def _entered(self, room: str, uri: str | None, time: int) -> None:
        """Take in that a user entered; one whose own join came before the capture is there too."""
        self._name(room, uri, time, "known")
        for endpoint, started in self._late.get(plain_uri(uri or ""), ())[-DIALOGS:]:
            if (room, endpoint) not in self._seen and started <= time:
                self._seen.add((room, endpoint))
                self._note(room, time, "in", endpoint, None)

    def _name(self, room: str | None, uri: str | None, time: int, what: What) -> None:
        if room and uri:
            self._note(room, time, what, None, plain_uri(uri))

    def _note(
        self, room: str, time: int, what: What, endpoint: Endpoint | None, user: str | None
    ) -> None:
        self._changes.setdefault(room, []).append(Change(time, what, endpoint, user))


def _when(change: Change) -> int:
    return change.time


def entries(item: Item) -> Iterator[tuple[str, str | None]]:
    """Yield the rooms of a notice of joins, each with somebody who entered it."""
    for uib in item.node.iter("uib"):
        for aib in uib.iter("aib"):
            domain, value = aib.get("domain"), aib.get("value")
            if domain and value:
                yield room_uri(domain, value), uib.get("uri")


def departures(item: Item) -> Iterator[tuple[str | None, str | None]]:
    """Yield the rooms of a notice of leaving, each with somebody who left it."""
    for chanib in item.node.iter("chanib"):
        for uib in chanib.iter("uib"):
            yield chanib.get("uri"), uib.get("uri")


def lists(item: Item) -> Iterator[tuple[str, str | None, list[str | None]]]:
    """Yield the rooms of which a reply lists the people: how many it says, and their URIs.

    Who is alone (``1``) is listed with those who may join.
    """
    users = {uib.get("id"): uib.get("uri") for uib in item.node.iter("uib")}
    for chanib in item.node.iter("chanib"):
        room = chanib.get("uri")
        if not room or chanib.find("msg") is not None:
            continue
        listed = dict.fromkeys(_listed(chanib))
        if listed:
            yield room, _count(chanib), [users.get(identifier) for identifier in listed]


def _listed(chanib: Element) -> Iterator[str]:
    for aib in chanib.findall("aib"):
        yield from filter(None, (part.strip() for part in (aib.get("value") or "").split(",")))


def _count(chanib: Element) -> str | None:
    """Return the number of participants that a room says it has."""
    for info in chanib.findall("info"):
        if info.get("id") == COUNT:
            return info.content().strip()
    return None
