"""Who entered a room and left it, and how that is known.

Three kinds of evidence, told apart: a person's own commands and their replies, the notices that the
service sent to others, and the lists in replies to ``join``. A list may name people who are not
there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from analyzer.flows.chats import items_of
from analyzer.flows.members import JOINED_NOTICES, LEFT_NOTICE, departures, entries, lists
from analyzer.roles import plain_uri
from analyzer.sessions.rooms import JOINING, is_good
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.commands import Answer, Command
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace
    from dissectors.xccos.messages import Item

What = Literal["joined", "refused", "left", "gone", "was in it", "told in", "told out", "listed"]
"""``joined`` and ``left``: by its own command. ``gone``: its dialog or connection ended, or it
signed off. ``was in it``: it wrote or got something without a join in the capture. ``told in`` and
``told out``: notices to others. ``listed``: in the list that a reply to ``join`` brought."""
IN: frozenset[What] = frozenset({"joined", "was in it", "told in", "listed"})
OUT: frozenset[What] = frozenset({"left", "gone", "told out"})
SAME_NS = 5 * SECOND
"""Notices about one person within so long tell of the same: each member gets one."""
MAX_EVENTS = 20_000
"""Events of one room that are kept; a room of ten thousand people has lists as long."""


@dataclass(slots=True)
class Event:
    """One thing that was seen of a person and a room."""

    time: int
    row: int
    """The message that shows it."""
    user: str
    """Plain URI; empty where it is not known."""
    session: int | None
    """Of the person; None for who is known from notices and lists alone."""
    what: What
    how: str
    """``rpl:join 200``, ``ntc:bpart``, ``BYE from client``."""
    told: int = 1
    """Members that the same notice was sent to."""


class Presence:
    """Collects the events of one room."""

    def __init__(self, trace: Trace, room: str) -> None:
        self._trace = trace
        self._time = trace.rows.time
        self._room = room
        self._events: list[Event] = []
        self._notices: dict[tuple[str, What], Event] = {}
        self.cut = False
        """There were more than ``MAX_EVENTS``."""

    def events(self, views: Iterable[SessionView]) -> list[Event]:
        """Return what these sessions show of the room, in order of time."""
        for view in views:
            inside = False
            for event in sorted(self._of(view), key=_when):
                if event.what in ("joined", "was in it"):
                    if inside:  # a reply comes in several messages
                        continue
                    inside = True
                elif event.what in ("left", "gone"):
                    if not inside:
                        continue
                    inside = False
                self._keep(event)
        return sorted(self._events, key=_when)

    def _keep(self, event: Event) -> None:
        """Keep an event; a notice that another member got too is counted."""
        if event.what in ("told in", "told out", "listed"):
            known = self._notices.get((event.user, event.what))
            if known is not None and abs(event.time - known.time) <= SAME_NS:
                known.told += 1
                return
            self._notices[event.user, event.what] = event
        if len(self._events) >= MAX_EVENTS:
            self.cut = True
            return
        self._events.append(event)

    def _of(self, view: SessionView) -> Iterator[Event]:
        for command in view.commands:
            if command.name in JOINING:
                yield from self._joined(view, command)
            elif command.name == "part":
                yield from self._parted(view, command)
            elif command.post:
                yield from self._wrote(view, command)
        for dialog in view.of_role("channel"):
            yield from self._received(view, dialog)
            yield from self._ended(view, dialog)

    def _wrote(self, view: SessionView, command: Command) -> Iterator[Event]:
        if command.element >= 0 and self._room in view.outcomes.rooms(command)[:1]:
            yield self._event(view, command.row, "was in it", "it wrote")

    def _event(self, view: SessionView, row: int, what: What, how: str) -> Event:
        user = plain_uri(view.user or "")
        return Event(self._time[row], row, user, view.index, what, how)

    # its own commands

    def _joined(self, view: SessionView, command: Command) -> Iterator[Event]:
        asked = self._room in view.outcomes.rooms(command)
        if command.outcome == "rejected" and asked:
            how = f"{command.name}: {command.status}"
            yield self._event(view, command.row, "refused", how)
        for reply in command.answers:
            yield from self._let_in(view, reply, asked=asked)

    def _let_in(self, view: SessionView, reply: Answer, *, asked: bool) -> Iterator[Event]:
        position = view.material.elements.position(reply.element)
        facts = view.material.reader.facts(reply.row, position)
        code = view.outcomes.code(reply)
        how = f"rpl:{reply.name} {code or ''}".strip()
        good = is_good(code)
        if self._room in facts.failed or (not good and asked):
            yield self._event(view, reply.row, "refused", how)
        elif good and self._room in facts.rooms:
            yield self._event(view, reply.row, "joined", how)
            item = self._item(reply.row, position)
            others = () if item is None else self._listed(item, reply.row, how)
            yield from (one for one in others if one.user != plain_uri(view.user or ""))

    def _parted(self, view: SessionView, command: Command) -> Iterator[Event]:
        known = command.element >= 0 and not command.rejected()
        if known and self._room in view.outcomes.rooms(command):
            yield self._event(view, command.row, "left", "cmd:part")

    def _ended(self, view: SessionView, dialog: DialogDraft) -> Iterator[Event]:
        """Yield that a person went without leaving."""
        end = dialog.end
        if end.row is not None:
            yield self._event(view, end.row, "gone", end.ended_by or "its dialog ended")
        elif view.signed_off is not None and self._time[view.signed_off] > dialog.started:
            yield self._event(view, view.signed_off, "gone", "signed off")
        elif view.visibility.closed(self._trace.rows.stream[dialog.rows[-1]] >> 1):
            yield self._event(view, dialog.rows[-1], "gone", "connection closed")

    # what others were told

    def _received(self, view: SessionView, dialog: DialogDraft) -> Iterator[Event]:
        elements, tag = view.material.elements, dialog.client_side.tag
        for element in elements.of(dialog.index):
            kind, name = elements.what[element]
            if kind not in ("ntc", "grpchat") or elements.sender_tag(element) == tag:
                continue
            row, position = elements.row[element], elements.position(element)
            if kind == "grpchat" and _is_over(dialog, row):
                continue  # a service that has not noticed goes on sending, and nobody takes it
            if kind == "grpchat":
                if self._room in view.material.reader.facts(row, position).rooms[:1]:
                    yield self._event(view, row, "was in it", "it got a message")
            elif name in JOINED_NOTICES or name == LEFT_NOTICE:
                yield from self._noticed(row, position, name)

    def _noticed(self, row: int, position: int, name: str) -> Iterator[Event]:
        item = self._item(row, position)
        if item is None:
            return
        came = name in JOINED_NOTICES
        for room, user in entries(item) if came else departures(item):
            if room == self._room and user:
                what: What = "told in" if came else "told out"
                yield Event(self._time[row], row, plain_uri(user), None, what, f"ntc:{name}")

    def _listed(self, item: Item, row: int, how: str) -> Iterator[Event]:
        for room, count, users in lists(item):
            if room != self._room or count == "1":
                continue
            for user in users:
                if user:
                    time = self._time[row]
                    yield Event(time, row, plain_uri(user), None, "listed", f"list in {how}")

    def _item(self, row: int, position: int) -> Item | None:
        items = items_of(self._trace, row)
        return items[position] if position < len(items) else None


@dataclass(frozen=True, slots=True)
class Stay:
    """A time that somebody was in a room."""

    user: str
    begin: int
    end: int
    ended: bool
    """False: it goes on to the end of the capture, as far as is known."""
    seen: bool
    """True: by a session of its own. False: by notices and lists alone."""


def stays_of(events: Sequence[Event], until: int) -> list[Stay]:
    """Return who was in the room from when to when; ``until``: the end of the capture.

    What a person's own session shows counts; notices and lists only of those who have none.
    """
    own = {one.user for one in events if one.session is not None}
    found: list[Stay] = []
    inside: dict[tuple[str, int | None], int] = {}
    for event in events:
        seen, who = event.session is not None, (event.user, event.session)
        if not seen and event.user in own:
            continue
        if event.what in IN:
            inside.setdefault(who, event.time)
        elif event.what in OUT and who in inside:
            found.append(Stay(event.user, inside.pop(who), event.time, ended=True, seen=seen))
    found += (
        Stay(user, begin, max(until, begin), ended=False, seen=session is not None)
        for (user, session), begin in inside.items()
    )
    return sorted(_joined(found), key=lambda one: (one.begin, one.user))


def _joined(stays: Iterable[Stay]) -> Iterator[Stay]:
    """Yield the stays of people; who was there in two sessions at once was there once."""
    last: dict[str, Stay] = {}
    for one in sorted(stays, key=lambda one: (one.user, one.begin)):
        before = last.get(one.user)
        if before is not None and one.begin <= before.end:
            later = max(before, one, key=lambda stay: (stay.end, not stay.ended))
            last[one.user] = replace(later, begin=before.begin)
            continue
        if before is not None:
            yield before
        last[one.user] = one
    yield from last.values()


def _is_over(dialog: DialogDraft, row: int) -> bool:
    return dialog.end.row is not None and row >= dialog.end.row


def _when(event: Event) -> tuple[int, int]:
    return event.time, event.row
