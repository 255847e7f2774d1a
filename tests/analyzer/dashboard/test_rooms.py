"""The page of rooms: the list, one room, and who got which copy of each post."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lxml import html

from analyzer.chatrooms.listing import chat_rooms
from analyzer.dashboard.rooms.chart import timeline
from analyzer.flows.runs import flows_of
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.dashboard import drawings, looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

require_shared()
FANOUT = SHARED / "flows" / "fanout-missing.pcapng"
HELPDESK = "ma-chan://emea.adatum.example/884f9082-6852-495a-be26-6fdc7cf6454f"


def test_a_capture_without_rooms_says_so(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes((SAMPLES / "keepalive.pcap").read_bytes()[:24])
    page = looked_at(opened(empty), "rooms")
    assert "speaks of a room" in markup(page, "rooms")
    assert not page.get("plotly_chart")


def test_the_list_has_each_room_with_what_was_lost_in_it_first() -> None:
    listed = markup(looked_at(opened(FANOUT), "rooms"), "rooms")
    assert "4 rooms in this capture" in listed
    assert listed.count("<tr data-href=") == 4
    assert listed.index("Helpdesk") < listed.index("Sales EMEA")
    assert ">✕</span> 1 lost" in listed


def test_a_session_has_its_own_rooms() -> None:
    listed = markup(looked_at(opened(FANOUT), "rooms", session=2), "rooms")
    assert "of 4 rooms: those of session 3" in listed
    assert 0 < listed.count("<tr data-href=") < 4


def test_each_cell_of_the_copies_is_that_of_the_command_line() -> None:
    runs = json.loads(xccos("flows", FANOUT, "--flow", "posting", "--format", "json").out)
    case = opened(FANOUT)
    posts = markup(looked_at(case, "rooms", room=HELPDESK), "room-posts")
    for run in runs:
        for copy in run["copies"]:
            if copy["frame"] is None:
                assert ">∅</span> lost" in posts
                continue
            row = case.row_of_frame(copy["frame"])
            assert f"message={row}&" in posts.replace("&amp;", "&")
            assert f"+{copy['latency_ms']:.1f} ms" in posts
    assert posts.count(">∅</span> lost") == 1
    assert posts.count("echo +") == 2
    assert "see you at 15:00" in posts
    columns = [posts.index(f">{name}<") for name in ("bob.keller (3)", "chandra (1)", "eva (2)")]
    assert columns == sorted(columns), "who lost a copy stands first"


def test_who_came_is_told_with_the_message_that_shows_it() -> None:
    page = looked_at(opened(FANOUT), "rooms", room=HELPDESK)
    events = markup(page, "room-events")
    for words in ("rpl:bjoin 200", "joined", "came, by a notice", "ntc:bjoin, 2 times"):
        assert words in events, words
    (chart,) = page.get("plotly_chart")
    spec: dict[str, Any] = json.loads(chart.proto.spec)
    names = {trace["name"] for trace in spec["data"]}
    assert {"in the room", "joined", "wrote", "wrote, and a copy was lost"} <= names


def test_a_refused_join_is_told_above_all() -> None:
    case = opened(SHARED / "flows" / "partial-join.pcap")
    (session,) = case.sessions
    (refused,) = [one for one in session["rooms"] if one["refused_frame"]]
    page = looked_at(case, "rooms", room=refused["uri"])
    assert "1 join refused: " in markup(page, "room-head")
    assert "refused" in markup(page, "room-events")
    assert "No client wrote into it" in markup(page, "room-posts")


def test_a_room_that_is_not_there_is_told_and_the_list_shown() -> None:
    page = looked_at(opened(FANOUT), "rooms", room="ma-chan://nowhere/1")
    assert "not in this capture" in markup(page, "rooms")
    assert "Helpdesk" in markup(page, "rooms")
    assert "room-head" not in drawings(page)


def test_long_texts_are_cut_until_somebody_asks_and_long_tables_are_paged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("POSTS", "MEMBERS"):
        monkeypatch.setattr(f"analyzer.dashboard.rooms.tables.{name}", 1)
    monkeypatch.setattr("analyzer.dashboard.rooms.tables.SHORT", 10)
    monkeypatch.setattr("analyzer.dashboard.rooms.chart.MAX_PEOPLE", 1)
    case = opened(FANOUT)
    page = looked_at(case, "rooms", room=HELPDESK, ppage="2", mpage="3")
    posts = markup(page, "room-posts")
    assert "see you at" not in posts
    assert "did everyb…" in posts
    assert "show all (23)" in posts
    assert "the copies of members 3 to 3" in posts
    row = case.row_of_frame(453)
    whole = looked_at(case, "rooms", room=HELPDESK, ppage="2", text=str(row))
    assert "did everybody see this?" in markup(whole, "room-posts")
    assert "show less" in markup(whole, "room-posts")


def test_people_without_a_line_in_the_chart_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.dashboard.rooms.chart.MAX_PEOPLE", 1)
    from analyzer.chatrooms.presence import Event

    events = [Event(1, 0, f"sip:p{number}@x", number, "joined", "") for number in range(3)]
    shown = timeline(events, [], [], str, str)
    assert (shown.people, shown.posts) == (2, 0)


def test_a_damaged_capture_shows_what_is_left(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcapng"
    data = FANOUT.read_bytes()
    cut.write_bytes(data[: len(data) * 9 // 10])
    assert "Helpdesk" in markup(looked_at(opened(cut), "rooms"), "rooms")


def test_the_sessions_of_one_user_are_told_apart() -> None:
    case = opened(SAMPLES / "reconnect.pcap")
    (room,) = chat_rooms(case.views, flows_of(case.trace))
    doc = html.fromstring(markup(looked_at(case, "rooms", room=room), "room-events"))
    told = [str(row[1].xpath("string()")) for row in doc.iterfind(".//tbody/tr")]
    assert {"user1 (1)", "user1 (3)", "user2", "alice"} <= {*told}
    assert "user2 (2)" not in told
