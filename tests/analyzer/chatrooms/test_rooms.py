"""Rooms over all sessions: the numbers of ``xccos flows``, and who came and went by evidence."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, cast

import pytest

from analyzer.chatrooms.listing import ChatRoom, chat_rooms, is_spread, lost_of
from analyzer.chatrooms.presence import MAX_EVENTS, Event, Presence, stays_of
from analyzer.chatrooms.texts import post_text
from analyzer.command_waits import waits_of
from analyzer.flows.runs import flows_of
from analyzer.meaning import outline
from analyzer.sources.files import SourceError
from analyzer.topology.build import topology_of
from analyzer.topology.grouping import condensed
from analyzer.topology.layout import placed
from analyzer.trace import open_capture
from tests.analyzer.cli.running import xccos
from tests.analyzer.flows.room_stories import ROOM, Person, chanib, chanid, chat, traced
from tests.analyzer.stories import Story, uri
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.mutants import mutants

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.sessions.view import SessionView

require_shared()
FLOWS = SHARED / "flows"
FILES = [
    FLOWS / "fanout-missing.pcapng",
    FLOWS / "r2-post-full.pcap",
    FLOWS / "retry-503-succeeds.pcap",
    FLOWS / "partial-join.pcap",
    SAMPLES / "twousers-post.pcap",
    SAMPLES / "fault-503.pcap",
    SAMPLES / "keepalive.pcap",
]


def rooms_of(story: Story) -> dict[str, ChatRoom]:
    """Return the rooms of a story."""
    trace = traced(story)
    return chat_rooms(outline(trace).sessions, flows_of(trace))


def events_of(story: Story, room: str = ROOM) -> list[Event]:
    """Return who came and went in a story."""
    trace = traced(story)
    return Presence(trace, room).events(cast("Sequence[SessionView]", outline(trace).sessions))


def told(events: Sequence[Event]) -> list[str]:
    """Return events in short."""
    return [f"{one.user.partition('@')[0].removeprefix('sip:')} {one.what}" for one in events]


def entered(*people: str) -> str:
    """Return the notice of a join."""
    domain, _, value = ROOM.removeprefix("ma-chan://").partition("/")
    inside = "".join(
        f'<uib uri="{uri(one)}"><aib key="3984" domain="{domain}" value="{value}"/></uib>'
        for one in people
    )
    return f'<ntc id="ntc:join" seqid="1"><data>{inside}</data></ntc>'


def parted(person: str) -> str:
    """Return the notice of a part."""
    inside = f'<chanib uri="{ROOM}"><uib uri="{uri(person)}"/></chanib>'
    return f'<ntc id="ntc:part" seqid="1"><data>{inside}</data></ntc>'


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_posts_and_copies_are_those_of_the_command_line(file: Path) -> None:
    listed = json.loads(xccos("flows", file, "--flow", "posting", "--format", "json").out)
    runs = [run for run in listed if run["frame"] is not None]
    with open_capture(file) as trace:
        rooms = chat_rooms(outline(trace).sessions, flows_of(trace))
        frames = {
            uri: [trace.rows.frame[run.row or 0] for run in room.posts]
            for uri, room in rooms.items()
            if room.posts
        }
    expected: dict[str, list[int]] = {}
    for run in runs:
        expected.setdefault(run["room"], []).append(run["frame"])
    assert frames == {uri: sorted(those) for uri, those in expected.items()}
    copies = [copy for run in runs for copy in run["copies"]]
    assert sum(room.copies for room in rooms.values()) == sum(
        copy["frame"] is not None for copy in copies
    )
    reached = [run for run in runs if not run["steps"][4]["detail"].startswith("not reached")]
    assert sum(room.lost for room in rooms.values()) == sum(
        copy["frame"] is None and copy["captured"] for run in reached for copy in run["copies"]
    )


def test_rooms_and_refusals_are_those_of_the_sessions() -> None:
    file = FLOWS / "partial-join.pcap"
    (session,) = json.loads(xccos("sessions", file, "--format", "json").out)
    with open_capture(file) as trace:
        rooms = chat_rooms(outline(trace).sessions, flows_of(trace))
    assert {one["uri"]: one["name"] for one in session["rooms"]} == {
        uri: room.name for uri, room in rooms.items()
    }
    assert {uri for uri, room in rooms.items() if room.refused} == {
        one["uri"] for one in session["rooms"] if one["refused_frame"]
    }


def test_the_copy_that_never_came_is_lost_and_its_member_named() -> None:
    truth = json.loads((FLOWS / "fanout-missing.json").read_text())
    lost = {
        copy["user"]
        for run in truth["expects"]["postings"]
        for copy in run["copies"]
        if not copy["sent"]
    }
    with open_capture(FLOWS / "fanout-missing.pcapng") as trace:
        first = next(iter(chat_rooms(outline(trace).sessions, flows_of(trace)).values()))
        assert first.lost == 1, "the room with a loss comes first"
        assert {copy.user for run in first.posts for copy in lost_of(run)} == lost
        said = [post_text(trace, run) for run in first.posts]
    assert said == ["see you at 15:00", "did everybody see this?"]


def test_copies_of_a_post_that_was_refused_are_not_lost() -> None:
    story = Story()
    ann, bob = Person(story, "ann"), Person(story, "bob")
    bob.joins(present="bob")
    ann.joins(present="ann bob")
    ann.posts("hello", status=503)
    room = rooms_of(story)[ROOM]
    assert [is_spread(run) for run in room.posts] == [False]
    assert (room.copies, room.lost) == (0, 0)


def test_who_comes_back_in_a_new_session_while_the_old_one_is_not_yet_over_never_left() -> None:
    with open_capture(SAMPLES / "reconnect.pcap") as trace:
        views = outline(trace).sessions
        (uri,) = chat_rooms(views, flows_of(trace))
        events = Presence(trace, uri).events(cast("Sequence[SessionView]", views))
        frames = {trace.rows.frame[one.row]: one.what for one in events if one.session == 0}
        stays = stays_of(events, trace.rows.time[len(trace.rows) - 1])
    # What the service still sent in the dead dialog (frame 186) was refused: 487.
    assert frames == {49: "joined", 175: "gone"}
    (user1,) = (one for one in stays if "user1" in one.user)
    assert (user1.begin, user1.end, user1.ended) == (
        next(one.time for one in events if one.what == "joined" and one.session == 0),
        next(one.time for one in events if one.what == "left"),
        True,
    )


def test_two_posts_in_one_message_keep_their_own_words() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.joins()
    ann.says(chat("one  &amp;\n two", "ann"), chat("three", "ann"))
    trace = traced(story)
    posts = rooms_of(story)[ROOM].posts
    texts = [post_text(trace, run, nth) for nth, run in enumerate(posts)]
    assert texts == ["one  &\n two", "three"]


def test_joins_and_parts_are_told_by_the_persons_own_messages() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.joins()
    ann.asks("part", chanib(), chanib())
    ann.joins()
    assert told(events_of(story)) == ["ann joined", "ann left", "ann joined"]


def test_a_refused_join_lets_nobody_in() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.asks("join", chanid(), "", code="403")
    assert told(events_of(story)) == ["ann refused"]
    assert stays_of(events_of(story), 1 << 62) == []


def test_who_writes_without_a_join_in_the_capture_was_in_the_room() -> None:
    story = Story()
    ann = Person(story, "ann", late=True)
    ann.posts("hello")
    ann.posts("again")
    assert told(events_of(story)) == ["ann was in it"]


def test_a_person_who_hangs_up_is_gone_from_the_rooms_it_was_in() -> None:
    story = Story()
    ann, bob = Person(story, "ann"), Person(story, "bob")
    ann.joins()
    for one in (ann, bob):
        said = one.wire.asks("BYE", one.name, "svc", call=one.call, cseq=90, to_tag="s")
        one.wire.answered(said, 200)
    events = events_of(story)
    assert told(events) == ["ann joined", "ann gone"], "bob never was in it"
    assert events[1].how == "BYE from client"


def test_a_notice_that_several_members_got_is_one_event() -> None:
    story = Story()
    people = [Person(story, name) for name in ("ann", "bob")]
    for one in people:
        one.joins()
    for one in people:
        one.hears(entered("eva"))
    story.wait(20_000)
    for one in people:
        one.hears(parted("eva"))
    notices = [one for one in events_of(story) if one.session is None]
    assert told(notices) == ["eva told in", "eva told out"]
    assert [one.told for one in notices] == [2, 2]
    assert [one.how for one in notices] == ["ntc:join", "ntc:part"]


def test_a_list_names_the_others_but_who_is_alone_is_listed_with_those_who_may_join() -> None:
    story = Story()
    ann = Person(story, "ann")
    ann.joins(present="ann bob")
    assert told(events_of(story)) == ["ann joined", "bob listed"]
    alone = Story()
    block = chanib(present="ann bob").replace(
        "</chanib>", '<info id="urn:parlano:ma:info:ucnt">1</info></chanib>'
    )
    Person(alone, "ann").asks("join", chanid(), block)
    assert told(events_of(alone)) == ["ann joined"]


def test_stays_end_with_the_capture_or_with_leaving_and_say_who_saw_them() -> None:
    events = [
        Event(10, 0, "sip:ann", 0, "joined", ""),
        Event(11, 1, "sip:ann", None, "told out", ""),
        Event(12, 1, "sip:eva", None, "told in", ""),
        Event(20, 2, "sip:ann", 0, "left", ""),
        Event(30, 3, "sip:ann", 0, "joined", ""),
    ]
    assert [(s.user, s.begin, s.end, s.ended, s.seen) for s in stays_of(events, 50)] == [
        ("sip:ann", 10, 20, True, True),
        ("sip:eva", 12, 50, False, False),
        ("sip:ann", 30, 50, False, True),
    ]


def test_no_more_events_are_kept_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_EVENTS > 1000
    monkeypatch.setattr("analyzer.chatrooms.presence.MAX_EVENTS", 2)
    story = Story()
    ann = Person(story, "ann")
    for _ in range(3):
        ann.joins()
        ann.asks("part", chanib(), chanib())
    trace = traced(story)
    presence = Presence(trace, ROOM)
    views = cast("Sequence[SessionView]", outline(trace).sessions)
    assert len(presence.events(views)) == 2
    assert presence.cut


def test_damaged_captures_are_told_as_far_as_they_go(tmp_path: Path) -> None:
    names = ("fanout-missing.pcapng", "partial-join.pcap")
    captures = {name: (FLOWS / name).read_bytes() for name in names}
    told = 0
    for mutant in islice(mutants(captures, seed=88), 25):
        path = tmp_path / mutant.name
        path.write_bytes(mutant.data)
        with suppress(SourceError), open_capture(path) as trace:
            graph = topology_of(trace)
            placed(condensed(graph, shown=1))
            seen = (data["volume"] for _, _, data in graph.edges(data=True))
            parts = [one.messages for one in seen if one.way in ("connection", "proxied leg")]
            assert sum(parts) == len(trace.rows)
            waits = waits_of(trace)
            assert [one.command for one in waits] == [pair.command for pair in outline(trace).pairs]
            views = cast("Sequence[SessionView]", outline(trace).sessions)
            for room in chat_rooms(views, flows_of(trace)).values():
                events = Presence(trace, room.uri).events(views[at] for at in room.sessions)
                assert all(one.begin <= one.end for one in stays_of(events, 1 << 62))
                assert all(isinstance(post_text(trace, run), str) for run in room.posts)
            told += 1
    assert told > 10
