"""The page with the ladder: which part of what is drawn, what is sent, and what a click does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.dashboard.desk import Desk
from analyzer.dashboard.ladder import choice as ladder_choice
from analyzer.dashboard.ladder.choice import hidden, hideable, part_of
from analyzer.dashboard.ladder.columns import COLUMNS, STAMP, packed, zone_changes
from analyzer.dashboard.ladder.part import _go, marked, script, style
from analyzer.dashboard.ladder.recent import Recent
from analyzer.dashboard.selection import Selection
from analyzer.export.printable import printable
from analyzer.ladder.html_data import ladder_record
from analyzer.ladder.html_links import Links
from analyzer.ladder.look import Clock, Look
from analyzer.times import SECOND
from tests.analyzer.ladder.examples import sign_in
from tests.paths import SAMPLES
from tests.support.dashboard import drawings, looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from analyzer.dashboard.cases import Case

HEALTHY = SAMPLES / "twousers-post.pcap"
BROKEN = SAMPLES / "fault-503.pcap"
EMPTY = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(8) + b"\xff\xff\x00\x00\x01\x00\x00\x00"
"""A capture without packets."""


@pytest.fixture(scope="module")
def case() -> Case:
    return opened(HEALTHY)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have parts of ten messages, and forget what was made of longer ones."""
    monkeypatch.setattr(ladder_choice, "PART", 10)


def _ladder(page: AppTest) -> dict[str, Any]:
    name, _, rest = drawings(page)["ladder"].partition("\n")
    assert name == "ladder"
    found: dict[str, Any] = json.loads(rest[STAMP:])
    return found


def _told(page: AppTest) -> dict[str, Any]:
    found: Any = drawings(page)["ladder-told"]
    return dict(found)


def _selected(case: Case, **changes: Any) -> Selection:  # noqa: ANN401
    return Selection(case=case.id).but(view="ladder", **changes)


def test_the_ladder_of_the_whole_capture_is_drawn(case: Case) -> None:
    page = looked_at(case, "ladder")
    sent = _ladder(page)
    assert [lane["title"] for lane in sent["lanes"]][:2] == ["user2", "user1"]
    assert len(sent["columns"]["kind"]) > 50
    assert _told(page)["row"] is None
    assert "ladder-parts" not in drawings(page)


def test_a_selection_sends_the_same_ladder_and_another_word_beside_it(case: Case) -> None:
    before, after = (
        looked_at(case, "ladder"),
        looked_at(case, "ladder", message=7, zone="Asia/Aden"),
    )
    assert drawings(before)["ladder"] == drawings(after)["ladder"]
    told = _told(after)
    assert told["row"] == 7
    assert told["zone"] == [[0, 180, "UTC+03:00"]]
    assert "message=7" in told["hrefs"]["findings"]


def test_a_session_alone_has_its_own_ladder(case: Case) -> None:
    sent = _ladder(looked_at(case, "ladder", session=1))
    assert sent["title"].startswith("Session 2")


def test_what_went_wrong_is_in_the_ladder(case: Case) -> None:
    sent = _ladder(looked_at(opened(BROKEN), "ladder"))
    assert sum(tone == 3 for tone in sent["columns"]["tone"]) >= 2
    assert any("503" in text for text in sent["strings"])


def test_switches_stand_in_the_address(case: Case) -> None:
    page = looked_at(case, "ladder", fold="0", hide="SUBSCRIBE,getpref")
    assert page.toggle(key="ladder-fold").value is False
    assert page.multiselect(key="ladder-hide").value == ["SUBSCRIBE", "getpref"]
    folded = len(_ladder(page)["columns"]["kind"])
    page.toggle(key="ladder-answers").set_value(True).run()
    assert not page.exception
    assert page.query_params["answers"] == "1"
    assert len(_ladder(page)["columns"]["kind"]) < folded


@pytest.mark.usefixtures("short")
def test_a_long_ladder_comes_in_parts_that_say_so(case: Case) -> None:
    page = looked_at(case, "ladder", part="2")
    said = markup(page, "ladder-parts")
    assert "Messages 11 to 20 of " in said
    assert "part=1" in said
    assert "part=3" in said
    assert "part=all" in said


@pytest.mark.usefixtures("short")
def test_the_part_of_a_selected_message_is_drawn_and_kept(case: Case) -> None:
    page = looked_at(case, "ladder", message=25)
    assert page.query_params["part"] == "3"
    sent = _ladder(page)
    assert 25 in sent["columns"]["row"]


def test_an_empty_capture_and_a_damaged_one_are_pages_too(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pcap"
    nothing.write_bytes(EMPTY)
    assert _ladder(looked_at(opened(nothing), "ladder"))["columns"]["kind"] == []
    whole = HEALTHY.read_bytes()
    half = tmp_path / "half.pcap"
    half.write_bytes(whole[: len(whole) * 2 // 3 + 7])
    assert len(_ladder(looked_at(opened(half), "ladder"))["columns"]["kind"]) > 10


def test_the_filter_of_the_page_is_heeded(case: Case) -> None:
    sent = _ladder(looked_at(case, "ladder", filter="method:REGISTER"))
    methods = {sent["strings"][one] for one in sent["columns"]["method"] if one >= 0}
    assert methods == {"REGISTER"}


def test_a_message_that_is_not_in_the_ladder_is_said_to_be_elsewhere(case: Case) -> None:
    other = next(row for row in range(len(case.trace.rows)) if case.session_of(row) == 1)
    page = looked_at(case, "ladder", session=0, message=other)
    assert "session" not in markup(page, "ladder-lacks").split("href=")[1]


def test_two_marked_messages_are_sent_with_their_fields(case: Case) -> None:
    told = _told(looked_at(case, "ladder", marks="3,5"))
    assert told["marks"] == [3, 5]
    assert {name for name, _ in told["records"]["3"]["headers"]} >= {"Call-ID", "CSeq"}


@pytest.mark.parametrize("text", ["", "3", "3,4,5", "a,b", "-1,2", "1,99999999", "1,٣", "1," * 400])
def test_marks_that_name_no_two_messages_are_none(case: Case, text: str) -> None:
    assert [*marked(Desk(case, _selected(case, marks=text)))] == []


@pytest.mark.parametrize("part", ["0", "1", "3", "999999", "9" * 40, "x", "-1", "²", "all"])
@pytest.mark.usefixtures("short")
def test_every_part_of_an_address_is_a_part(case: Case, part: str) -> None:
    found = part_of(case, _selected(case, part=part), None)
    assert 0 <= found.first < found.end <= found.total
    assert found.first == 0 or part in ("3", "999999")


@pytest.mark.usefixtures("short")
def test_parts_together_are_the_whole(case: Case) -> None:
    first = part_of(case, _selected(case), None)
    rows: list[int] = []
    for number in range(-(-first.total // 10)):
        part = part_of(case, _selected(case, part=str(number + 1), fold="0"), None)
        rows += [row for one in part.ladder.arrows for row in one.rows]
    assert len(rows) == len(set(rows)) == first.total
    assert {case.scene.origin(row) for row in rows} == {
        case.scene.origin(row) for row in range(len(case.trace.rows))
    }


def test_a_filter_leaves_only_what_it_lets_through(case: Case) -> None:
    found = part_of(case, _selected(case, filter="frame:1"), [4, 5, 9])
    assert found.total == 3
    assert {row for one in found.ladder.arrows for row in one.rows} == {4, 5, 9}
    nothing = part_of(case, _selected(case, filter="frame:2"), [])
    assert nothing.ladder.events == ()


def test_ladders_that_are_kept_are_few(case: Case) -> None:
    for number in range(20):
        part_of(case, _selected(case, hide=f"NAME{number}"), None)
    recent: Any = case.once("ladders", dict)
    assert 1 < len(recent) <= ladder_choice.KEPT


def test_of_what_is_kept_the_last_stays_however_large_it_is() -> None:
    recent: Recent[str] = Recent(5, len)
    made = [recent.get(text, text.lower) for text in ("aa", "bb", "aa", "cc", "d" * 9)]
    assert made[-1] == "d" * 9
    assert len(recent) == 1
    again: Recent[str] = Recent(5, len)
    for text in ("aa", "bb", "aa", "cc"):
        again.get(text, text.upper)
    assert again.get("aa", str) == "AA"
    assert again.get("bb", lambda: "anew") == "anew"


def test_what_is_not_shown_is_said_in_words_of_the_page() -> None:
    proxied = opened(SAMPLES / "fe-two-hops.pcapng")
    ladder = part_of(proxied, _selected(proxied, hide="REGISTER"), None).ladder
    assert ladder.left_out
    assert not any("--" in sentence for sentence in ladder.left_out)


def test_methods_and_commands_can_be_left_out(case: Case) -> None:
    names = hideable(case)
    assert {"INFO", "REGISTER"} < set(names)
    assert "grpchat" in names or "getpref" in names
    assert hidden(_selected(case, hide=" INFO,,INFO, join ")) == ("INFO", "join")
    ladder = part_of(case, _selected(case, hide="INFO"), None).ladder
    assert all(one.method != "INFO" for one in ladder.arrows)


@pytest.mark.parametrize(
    ("wanted", "went"),
    [
        ({"message": 7}, {"message": 7}),
        ({"message": None}, {"message": None}),
        ({"message": "7"}, {"message": None}),
        ({"message": True}, {"message": None}),
        ({"marks": [1, 2]}, {"marks": "1,2"}),
        ({"marks": [1, 2, 3]}, {"marks": None}),
        ({"marks": None}, {"marks": None}),
        ({"marks": {"a": 1}}, {"marks": None}),
        (None, None),
        ("x", None),
        ({"else": 1}, None),
    ],
)
def test_what_a_browser_sends_is_checked(
    case: Case, monkeypatch: pytest.MonkeyPatch, wanted: object, went: object
) -> None:
    said: list[object] = []
    desk = Desk(case, _selected(case))
    monkeypatch.setattr(desk, "go", lambda **changes: said.append(changes))
    _go(desk, wanted)
    assert said == ([] if went is None else [went])


def test_columns_hold_what_the_records_of_the_html_page_hold() -> None:
    ladder = sign_in()
    data = packed(ladder)
    sent = json.loads(data[STAMP:])
    records = ladder_record(ladder, Look(), Links(ladder))["events"]
    columns, strings = sent["columns"], sent["strings"]
    assert set(columns) == set(COLUMNS)
    assert [strings[one] for one in columns["label"]] == [one["label"] for one in records]
    assert [strings[one] if one >= 0 else None for one in columns["method"]] == [
        one.get("method") for one in records
    ]
    time, times = 0, []
    for since in columns["time"]:
        time += since
        times.append(time)
    assert times == [one["time"] for one in records]
    assert columns["source"][:4] == [one.get("source") for one in records[:4]]


def test_the_stamp_is_that_of_the_content() -> None:
    ladder = sign_in()
    assert packed(ladder) == packed(sign_in())
    assert packed(ladder)[:STAMP] != packed(replace(ladder, title="another"))[:STAMP]


@given(st.text(alphabet="\x00\x01\x02\n<&\u202e\ud800a", max_size=8))
def test_a_call_id_of_any_text_comes_back_in_the_words(call: str) -> None:
    event = replace(sign_in().arrows[0], call_id=call, text=f"REGISTER, Call-ID {call}, 5 bytes")
    sent = json.loads(packed(replace(sign_in(), events=(event,), groups=(), brackets=()))[STAMP:])
    strings, columns = sent["strings"], sent["columns"]
    shown = strings[columns["call"][0]] if columns["call"][0] >= 0 else ""
    text = strings[columns["text"][0]].replace("\x01", shown)
    assert text == printable(event.text)


def test_offsets_are_those_of_every_event() -> None:
    zone = ZoneInfo("Europe/Berlin")
    began = 1_700_000_000 * SECOND
    times = [began + number * 86_400 * SECOND * 3 for number in range(300)]
    changes = zone_changes(times, zone)
    events = tuple(replace(sign_in().arrows[0], time=time) for time in times)
    clock = Clock(replace(sign_in(), events=events), Look(zone=zone))
    for number, time in enumerate(times):
        name = next(one[2] for one in reversed(changes) if one[0] <= number)
        assert name == clock.zone(time)
    assert len(changes) == 6
    assert zone_changes([], UTC) == [[0, 0, "UTC"]]


def test_scripts_write_texts_and_no_markup() -> None:
    assert "innerHTML" not in script()
    assert "insertAdjacentHTML" not in script()
    assert "export default" in script()
    assert ":root" not in style()
