"""Rooms as tables: all of them, who came and went, and who got which copy of each post."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.chatrooms.listing import is_spread, lost_of
from analyzer.dashboard.rooms.chart import MARKS
from analyzer.dashboard.verdict.paging import Part, pager, part_of
from analyzer.dashboard.verdict.places import way
from analyzer.dashboard.verdict.told import told_of
from analyzer.markup import Column, add, badge, badged, say, table
from analyzer.narrative.names import short_room
from analyzer.times import latency_text
from analyzer.transaction_table import FAILURE
from analyzer.views.dialogs import span_time
from analyzer.views.messages import moment
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.chatrooms.listing import ChatRoom
    from analyzer.chatrooms.presence import Event
    from analyzer.dashboard.desk import Desk
    from analyzer.flows.values import Copy, FlowRun
    from analyzer.markup import Cell, Element

ROOMS = 50
"""Rooms on one page."""
EVENTS = 50
POSTS = 20
MEMBERS = 12
"""Columns of the table of copies: so many can be read beside one another."""
SHORT = 90
"""Characters of a post that are shown before somebody asks for all of it."""
MAX_TEXT = 20_000
"""Characters that are shown of a post at most; its message has the rest."""
OUTCOMES = {"complete": "complete", "incomplete": "incomplete", "failed": "failed"}


def room_name(room: ChatRoom) -> str:
    """Return what a room is called: its name, else what tells its URI from others."""
    return room.name or short_room(room.uri)


def room_table(parent: Element, desk: Desk, rooms: Sequence[ChatRoom]) -> None:
    """Add a page of rooms, each a link that opens it."""
    part = part_of(desk.selection.more.get("page"), len(rooms), ROOMS)
    pager(parent, desk, part, "room")
    columns = (
        *(Column("room", "wide"), Column("URI", "mono"), Column("members seen", "num")),
        *(Column("joins refused"), Column("posts", "num"), Column("copies", "num")),
        *(Column("copies lost"), Column("delivered", "num")),
    )
    shown = rooms[part.first : part.last]
    listed = table(parent, "Rooms", columns, (_room(desk, one) for one in shown), "rooms-table")
    body = listed.find("tbody")
    assert body is not None
    for line, room in zip(body, shown, strict=True):
        line.set("data-href", _opened(desk, room.uri))
        if room.uri == desk.selection.more.get("room"):
            line.set("data-selected", "still")
    pager(parent, desk, part, "room")


def _opened(desk: Desk, uri: str) -> str:
    return desk.href(room=uri, epage=None, ppage=None, mpage=None, text=None)


def _room(desk: Desk, room: ChatRoom) -> Sequence[Cell]:
    return (
        way(room_name(room), _opened(desk, room.uri)),
        short_room(room.uri),
        f"{len(room.members):,}",
        badged("failed", f"{len(room.refused):,}") if room.refused else "none",
        f"{len(room.posts):,}",
        f"{room.copies:,}",
        badged("failed", f"{room.lost:,} lost") if room.lost else "none",
        f"{room.received:,}",
    )


def event_table(
    parent: Element, desk: Desk, events: Sequence[Event], who: Callable[[str], str]
) -> None:
    """Add a page of who came and went."""
    part = part_of(desk.selection.more.get("epage"), len(events), EVENTS)
    pager(parent, desk, part, "event", "epage")
    time = moment(desk.case.trace, events[part.first].row) if events else None
    columns = (
        *(Column(desk.moments.heading(time)), Column("who"), Column("what")),
        *(Column("shown by", "wide"), Column("frame", "num")),
    )
    several = _in_several_sessions(events)

    def named(event: Event) -> str:
        number = f" ({event.session + 1})" if event.session is not None else ""
        return f"{who(event.user)}{number if event.user in several else ''}"

    rows = (_event(desk, one, named(one)) for one in events[part.first : part.last])
    table(parent, "Who came and went", columns, rows, "rooms-events")
    pager(parent, desk, part, "event", "epage")


def _in_several_sessions(events: Sequence[Event]) -> frozenset[str]:
    """Return the users who have more than one session: theirs are told apart by number."""
    own = {(one.user, one.session) for one in events if one.session is not None}
    counts = Counter(user for user, _ in own)
    return frozenset(user for user, count in counts.items() if count > 1)


def _event(desk: Desk, event: Event, name: str) -> Sequence[Cell]:
    words = MARKS[event.what][2]
    told = f"{event.how}, {event.told} times" if event.told > 1 else event.how
    return (
        desk.moments.clock(moment(desk.case.trace, event.row)),
        name if event.session is None else way(name, desk.href(session=event.session)),
        badged({"refused": "failed", "joined": "ok"}.get(event.what, event.what), words),
        told,
        way(str(desk.case.trace.rows.frame[event.row]), desk.href(message=event.row)),
    )


def members_of(posts: Sequence[FlowRun]) -> list[int]:
    """Return the sessions that got copies, or should have: those that lost some first."""
    found: dict[int, int] = {}
    for run in posts:
        for copy in run.copies:
            found.setdefault(copy.session, 0)
        for copy in lost_of(run):
            found[copy.session] += 1
    return sorted(found, key=lambda session: (-found[session], session))


def copy_table(
    parent: Element,
    desk: Desk,
    posts: Sequence[FlowRun],
    who: Callable[[int], str],
    text: Callable[[FlowRun], str],
) -> None:
    """Add a page of posts with who got which copy, as far as columns can be read."""
    members = members_of(posts)
    part = part_of(desk.selection.more.get("ppage"), len(posts), POSTS)
    across = part_of(desk.selection.more.get("mpage"), len(members), MEMBERS)
    pager(parent, desk, part, "post", "ppage")
    pager(parent, desk, across, "member", "mpage")
    shown = members[across.first : across.last]
    first = span_time(desk.case.trace, posts[part.first].started) if posts else None
    columns = (
        *(Column(desk.moments.heading(first)), Column("author"), Column("post", "wide said")),
        *(Column("frame", "num"), Column("outcome")),
        *(Column(who(session), "copy") for session in shown),
    )
    rows = (_post(desk, run, shown, text) for run in posts[part.first : part.last])
    table(parent, _caption(across), columns, rows, "rooms-copies")
    pager(parent, desk, part, "post", "ppage")


def _caption(across: Part) -> str:
    if across.total == 0:
        return "Posts; of no member a connection is in the capture"
    if across.pages == 1:
        return "Posts, and the copy that each member got"
    return f"Posts, and the copies of members {across.first + 1:,} to {across.last:,}"


def _post(
    desk: Desk, run: FlowRun, members: Sequence[int], text: Callable[[FlowRun], str]
) -> Sequence[Cell]:
    trace = desk.case.trace
    row = run.row if run.row is not None else -1
    copies = {copy.session: copy for copy in run.copies}
    return (
        desk.moments.clock(moment(trace, row)),
        way(told_of(desk.case).names.person(run.user), desk.href(session=run.session)),
        _said(desk, run, text(run)),
        way(str(trace.rows.frame[row]), desk.href(message=row)),
        badged(OUTCOMES.get(run.outcome, run.outcome)),
        *(_copy(desk, run, copies.get(session)) for session in members),
    )


def _said(desk: Desk, run: FlowRun, text: str) -> Cell:
    """Return the words of a post, shortened until somebody asks for all."""
    asked = desk.selection.more.get("text") == str(run.row)

    def fill(cell: Element) -> None:
        if not text:
            add(cell, "span", "soft", "no text")
        elif len(text) <= SHORT:
            say(cell, text)
        elif asked:
            add(cell, "span", "rooms-text", text[:MAX_TEXT])
            if len(text) > MAX_TEXT:
                more = f" {len(text) - MAX_TEXT:,} more characters are in the message. "
                add(cell, "span", "cut", more)
            say(cell, " ")
            add(cell, "a", "", "show less", href=desk.href(text=None))
        else:
            say(cell, f"{text[:SHORT]}… ")
            add(cell, "a", "", f"show all ({len(text):,})", href=desk.href(text=run.row))

    return fill


def _copy(desk: Desk, run: FlowRun, copy: Copy | None) -> Cell:
    """Return what a member got: sign, word and delay, a link to the message that brought it."""

    def fill(cell: Element) -> None:
        if copy is None:
            add(cell, "span", "soft", "not in it", title="as far as the capture tells")
        elif copy.row is None:
            _absent(cell, desk, run, copy)
        else:
            word, told = _got(copy)
            link = add(cell, "a", "rooms-got", href=desk.href(message=copy.row))
            badge(link, word, told)

    return fill


def _got(copy: Copy) -> tuple[str, str]:
    """Return the badge of a copy that came."""
    after = f"+{latency_text(copy.latency_ms)}"
    if copy.status is not None and copy.status >= FAILURE:
        return "failed", f"{after}, answered {copy.status}"
    return "ok", f"echo {after}" if copy.echo else after


def _absent(cell: Element, desk: Desk, run: FlowRun, copy: Copy) -> None:
    link = add(cell, "a", "rooms-got", href=desk.href(message=run.row))
    if not copy.captured:
        badge(link, "unknown", "not captured")
    elif is_spread(run):
        badge(link, "missing", "no echo" if copy.echo else "lost")
    else:
        badge(link, "not-applicable", "not sent on")


def refused_list(parent: Element, desk: Desk, room: ChatRoom) -> None:
    """Add who was not let in."""
    line = add(parent, "p", "", f"{amount(len(room.refused), 'join')} refused: ")
    for number, (session, row) in enumerate(room.refused[:MEMBERS]):
        say(line, ", " if number else "")
        user = (desk.case.views[session].user or "unknown").removeprefix("sip:")
        add(line, "a", "", user, href=desk.href(message=row))
    if len(room.refused) > MEMBERS:
        say(line, f" and {len(room.refused) - MEMBERS:,} more, in the table below")
