"""The page ``rooms``: who was in, who wrote, who got each copy and when.

Numbers are those of ``xccos flows``. The room that is looked at stands in the address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from analyzer.chatrooms.listing import chat_rooms
from analyzer.chatrooms.presence import Presence, stays_of
from analyzer.chatrooms.texts import post_text
from analyzer.collector import paused
from analyzer.dashboard.filtering.words import word
from analyzer.dashboard.kept_last import kept_last
from analyzer.dashboard.rooms.tables import (
    copy_table,
    event_table,
    members_of,
    refused_list,
    room_name,
    room_table,
)
from analyzer.dashboard.verdict.paging import ways
from analyzer.dashboard.verdict.told import told_of
from analyzer.flows.runs import flows_of
from analyzer.markup import add, facts, say
from analyzer.times import time_text
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.chatrooms.listing import ChatRoom
    from analyzer.chatrooms.presence import Event
    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Element


def show(desk: Desk) -> None:
    """Draw the page."""
    rooms = _rooms(desk)
    session = desk.selection.session
    shown = [one for one in rooms.values() if session is None or session in one.sessions]
    made = etree.Element("div")
    made.set("class", "rooms")
    _told(made, desk, len(rooms), len(shown))
    chosen = rooms.get(desk.selection.more.get("room", ""))
    if chosen is None and desk.selection.more.get("room"):
        add(made, "p", "", "The room in the address is not in this capture.")
    if shown and chosen is None:
        room_table(made, desk, shown)
    desk.draw(made, "rooms")
    if chosen is not None:
        _room(desk, chosen)


def _rooms(desk: Desk) -> dict[str, ChatRoom]:
    case = desk.case

    def make() -> dict[str, ChatRoom]:
        with paused():
            return chat_rooms(case.views, flows_of(case.trace))

    return case.once("chat rooms", make)


def _told(parent: Element, desk: Desk, total: int, shown: int) -> None:
    add(parent, "h1", text="Rooms")
    line = add(parent, "p")
    if not total:
        say(line, "No message in this capture speaks of a room. ")
        add(line, "a", "", "What is in it instead", href=desk.href(view="overview"))
        return
    session = desk.selection.session
    if session is None:
        say(line, f"{amount(total, 'room')} in this capture. ")
    else:
        text = f"{shown:,} of {amount(total, 'room')}: those of session {session + 1}. "
        say(line, text)
        add(line, "a", "", "all rooms", href=desk.href(session=None, page=None))
    if desk.selection.more.get("room"):
        say(line, " ")
        back = desk.href(room=None, epage=None, ppage=None, mpage=None, text=None)
        add(line, "a", "", "back to the list", href=back)


def _room(desk: Desk, room: ChatRoom) -> None:
    """Draw a room: its facts, who was in it, its posts with their copies."""
    head = etree.Element("div")
    head.set("class", "rooms")
    add(head, "h2", text=room_name(room))
    members = members_of(room.posts)
    facts(
        head,
        (
            ("URI", room.uri),
            ("members seen", f"{len(room.members):,}, of {amount(len(room.sessions), 'session')}"),
            ("posts", f"{len(room.posts):,}"),
            ("copies", f"{room.copies:,} came, {room.lost:,} lost"),
            ("connections that would show copies", f"{len(members):,}" if members else ""),
        ),
    )
    ways(
        head,
        (
            ("in the topology", desk.href(view="topology", node=f"room:{room.uri}")),
            ("its messages", desk.href(view="messages", filter=word("room", room.uri))),
        ),
    )
    if room.refused:
        refused_list(head, desk, room)
    add(head, "h3", text="Who was in it")
    desk.draw(head, "room-head")
    events = _presence(desk, room)
    _people(desk, room, events)
    _posts(desk, room)


def _presence(desk: Desk, room: ChatRoom) -> tuple[Sequence[Event], bool]:
    def make() -> tuple[Sequence[Event], bool]:
        presence = Presence(desk.case.trace, room.uri)
        with paused():
            found = presence.events(desk.case.views[index] for index in room.sessions)
        return found, presence.cut

    return kept_last(desk.case, "presence", room.uri, make)


def _who(desk: Desk, user: str) -> str:
    return told_of(desk.case).names.person(user) if user else "unknown"


def _people(desk: Desk, room: ChatRoom, found: tuple[Sequence[Event], bool]) -> None:
    events, cut = found
    made = etree.Element("div")
    made.set("class", "rooms")
    if not events:
        add(made, "p", "", "Nothing in the capture shows anybody enter or leave it.")
        desk.draw(made, "room-events")
        return
    _chart(desk, room, events)
    event_table(made, desk, events, lambda user: _who(desk, user))
    if cut:
        add(made, "p", "cut", f"Only the first {len(events):,} events were collected.")
    desk.draw(made, "room-events")


def _chart(desk: Desk, room: ChatRoom, events: Sequence[Event]) -> None:
    from analyzer.dashboard.charts.clicks import clickable
    from analyzer.dashboard.rooms.chart import timeline

    trace = desk.case.trace
    until = trace.quality.last_time or trace.rows.time[len(trace.rows) - 1]
    shown = kept_last(
        desk.case,
        "room timeline",
        (room.uri, desk.selection.zone),
        lambda: timeline(
            events,
            stays_of(events, until),
            [(run, trace.rows.time[run.row]) for run in room.posts if run.row is not None],
            lambda user: _who(desk, user),
            lambda time: desk.moments.text(time_text(time, 6)),
        ),
    )

    def clicked(data: Sequence[Any]) -> None:
        if isinstance(data[0], int):
            desk.go(message=data[0])

    clickable(shown.figure, "room-chart", clicked)
    parts = ["Each sign is a message: click it to see it. The table below says the same."]
    if shown.people:
        parts.append(f"{shown.people:,} more people are only in the table.")
    if shown.posts:
        parts.append(f"{amount(shown.posts, 'post')} more are only in the table of posts.")
    made = etree.Element("div")
    add(made, "p", "soft", " ".join(parts))
    desk.draw(made, "room-caption")


def _posts(desk: Desk, room: ChatRoom) -> None:
    made = etree.Element("div")
    made.set("class", "rooms")
    add(made, "h3", text="What was written, and who got a copy")
    if not room.posts:
        add(made, "p", "", "No client wrote into it in this capture.")
        desk.draw(made, "room-posts")
        return
    seen: dict[int | None, int] = {}
    nth: dict[int, int] = {}
    for number, run in enumerate(room.posts):
        nth[number] = seen.get(run.row, 0)
        seen[run.row] = nth[number] + 1
    place = {id(run): nth[number] for number, run in enumerate(room.posts)}
    copy_table(
        made,
        desk,
        room.posts,
        lambda session: _member(desk, session),
        lambda run: post_text(desk.case.trace, run, place[id(run)]),
    )
    add(
        made,
        "p",
        "soft",
        "A copy came so long after its post; echo is the author's own. Lost: the member was in the "
        "room, its connection is in the capture and would show it. Not captured: it would not.",
    )
    desk.draw(made, "room-posts")


def _member(desk: Desk, session: int) -> str:
    """Return what a column of copies is called; of a user with several sessions with its number."""
    user = desk.case.views[session].user
    name = told_of(desk.case).names.person(user)
    return f"{name} ({session + 1})"
