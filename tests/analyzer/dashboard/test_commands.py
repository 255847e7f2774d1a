"""The page of commands: numbers, charts whose points are messages, and what it leaves out."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from lxml import html

from analyzer.command_waits import waits_of
from analyzer.dashboard.charts.clicks import first_data
from analyzer.dashboard.charts.text import plain
from analyzer.dashboard.commands import chart as command_chart
from analyzer.dashboard.commands.chart import drawn, marked
from analyzer.dashboard.commands.choice import Look, asks_for, with_command
from analyzer.dashboard.commands.tables import ordered
from analyzer.dashboard.filtering.words import word
from analyzer.filters.parse import parse_filter
from analyzer.trace import open_capture
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.dashboard import afresh, drawings, looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

require_shared()
TWO = SAMPLES / "twousers-post.pcap"
BURST = SHARED / "flows" / "overload-503-burst.pcap"


def spec(page: AppTest) -> dict[str, Any]:
    """Return the chart of a page as the browser gets it."""
    (chart,) = page.get("plotly_chart")
    found: dict[str, Any] = json.loads(chart.proto.spec)
    return found


def data_of(page: AppTest) -> list[int]:
    """Return the messages that the points of a chart lead to."""
    return [
        point[0] for trace in spec(page)["data"] for point in trace.get("customdata", ()) if point
    ]


def test_a_capture_without_commands_says_so(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(TWO.read_bytes()[:24])
    page = looked_at(opened(empty), "commands")
    assert "No Group Chat command" in markup(page, "commands-head")
    assert "commands-pairs" not in drawings(page)


def test_the_page_has_every_command_of_the_command_line_and_a_point_for_each_answer() -> None:
    listed = json.loads(xccos("commands", TWO, "--format", "json").out)
    page = looked_at(opened(TWO), "commands")
    pairs = markup(page, "commands-pairs")
    assert pairs.count("<tr data-href=") == len(listed)
    assert f"{len(listed)} commands and posts." in markup(page, "commands-head")
    answered = [one["message"] for one in listed if one["reply_latency_ms"] is not None]
    assert sorted(data_of(page)) == sorted(answered)
    for one in listed:
        assert f"message={one['message']}" in pairs
    posts = [one for one in listed if one["outcome"] == "accepted"]
    caption = markup(page, "commands-caption")
    assert f"{len(posts)} post" in caption
    assert "had no such answer" not in caption


def test_the_chart_of_sip_answers_over_time_has_the_posts_too() -> None:
    listed = json.loads(xccos("commands", TWO, "--format", "json").out)
    page = looked_at(opened(TWO), "commands", wait="sip", chart="time", scale="linear")
    assert len(data_of(page)) == len(listed)
    assert "no reply is due" not in markup(page, "commands-caption")
    assert spec(page)["layout"]["xaxis"]["type"] == "date"
    assert spec(page)["layout"]["yaxis"]["type"] == "linear"


def test_what_was_rejected_is_counted_with_sign_and_word() -> None:
    page = looked_at(opened(BURST), "commands")
    head, pairs = markup(page, "commands-head"), markup(page, "commands-pairs")
    assert "rejected</th>" in head
    assert ">✕</span> 66" in head
    assert pairs.count(">✕</span> rejected") == 66
    names = {trace.get("name") for trace in spec(page)["data"]}
    assert "answered" in names
    assert "66 commands had no such answer" in markup(page, "commands-caption")


def test_a_command_alone_is_shown_by_a_filter_that_the_table_links_to() -> None:
    case = opened(BURST)
    assert "filter=command%3Arequri" in markup(looked_at(case, "commands"), "commands-head")
    page = looked_at(case, "commands", filter="command:requri")
    assert "1 of 68 commands and posts that the filter lets through" in markup(
        page, "commands-head"
    )
    assert markup(page, "commands-pairs").count("<tr data-href=") == 1


def test_of_an_envelope_with_several_commands_only_those_asked_for_are_shown() -> None:
    case = opened(SAMPLES / "batch-mixed.pcap")
    listed = json.loads(xccos("commands", SAMPLES / "batch-mixed.pcap", "--format", "json").out)
    for name in {one["command"] for one in listed}:
        page = looked_at(case, "commands", filter=f"command:{name}")
        wanted = [one for one in listed if one["command"] == name]
        assert markup(page, "commands-pairs").count("<tr data-href=") == len(wanted)


def test_a_session_has_its_own_commands_and_a_selected_message_is_marked() -> None:
    case = opened(TWO)
    listed = json.loads(xccos("commands", TWO, "--format", "json").out)
    mine = [one for one in listed if one["session"] == 1]
    page = looked_at(case, "commands", session=1, message=mine[0]["message"])
    pairs = markup(page, "commands-pairs")
    assert pairs.count("<tr data-href=") == len(mine)
    assert 'data-selected="still"' in pairs
    assert "selected" in {trace.get("name") for trace in spec(page)["data"]}


def test_long_tables_are_paged_and_short_charts_say_what_they_leave_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analyzer.dashboard.commands.tables.SHOWN", 10)
    monkeypatch.setattr(command_chart, "MAX_POINTS", 10)
    case = opened(SAMPLES / "r2-post-full.pcap")
    with afresh(case, "command chart"):
        page = looked_at(case, "commands", page="2", order="time")
    pairs = markup(page, "commands-pairs")
    assert pairs.count("<tr data-href=") == 10
    assert "11 to 20 of 35 commands" in pairs
    assert "10 of 34 waits are drawn" in markup(page, "commands-caption")
    assert len(data_of(page)) == 10


def test_a_damaged_capture_shows_what_is_left(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    data = TWO.read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    assert "commands-pairs" in drawings(looked_at(opened(cut), "commands"))


def test_outliers_and_failures_are_drawn_before_the_rest() -> None:
    with open_capture(BURST) as trace:
        waits = waits_of(trace)
    found = drawn(waits, Look(measure="sip"), str, 66)
    kept = {point[1] for trace in found.figure.data for point in trace.customdata or ()}
    assert kept == {one.pair for one in waits if one.word == "rejected"}
    assert (found.points, found.total, found.without) == (66, 68, 0)
    assert marked(found, None) is found.figure
    assert len(marked(found, waits[-1].row).data) == len(found.figure.data) + 1


def test_unanswered_commands_come_first_then_the_slowest() -> None:
    with open_capture(SAMPLES / "fault-no-reply.pcap") as trace:
        found = ordered(waits_of(trace), "slow")
    lost = [one.outcome == "unanswered" for one in found]
    assert lost == sorted(lost, reverse=True)
    assert any(lost)
    rest = [one.ms or 0.0 for one in found if one.outcome != "unanswered"]
    assert rest == sorted(rest, reverse=True)


@pytest.mark.parametrize(
    ("text", "name", "becomes"),
    [
        ("", "join", "command:join"),
        ("user:ann", "join", "user:ann command:join"),
        ("command:part user:ann", "join", "user:ann command:join"),
        ("user:ann xccos:(part, join) status:200", None, "user:ann status:200"),
        ("-command:part", "join", "-command:part command:join"),
        ('"broken', "join", '"broken command:join'),
    ],
)
def test_a_filter_gets_one_command_instead_of_others(
    text: str, name: str | None, becomes: str
) -> None:
    assert with_command(text, name) == becomes


def test_a_filter_says_which_command_it_asks_for() -> None:
    assert asks_for("user:ann command:JOIN,part", "join")
    assert not asks_for("-command:join", "join")
    assert not asks_for("command:bjoin", "join")


@pytest.mark.parametrize("value", ["ann@contoso.com", "two words", 'a"b\\c', "x,y", "(a)", "[::1]"])
def test_a_value_in_a_filter_is_read_as_it_was_meant(value: str) -> None:
    (term,) = parse_filter(word("room", value)).terms
    assert (term.word, term.texts) == ("room", (value,))


@pytest.mark.parametrize(
    ("state", "data"),
    [
        ({"selection": {"points": [{"customdata": [7, 1]}, {"customdata": [8, 1]}]}}, [7, 1]),
        ({"selection": {"points": [{"customdata": {"0": 7, "1": 1}}]}}, [7, 1]),
        ({"selection": {"points": [{"customdata": "x"}]}}, ["x"]),
        ({"selection": {"points": [{}]}}, []),
        ({"selection": {"points": []}}, []),
        ({}, []),
        (None, []),
    ],
)
def test_a_click_is_read_whatever_the_browser_sends(state: object, data: list[object]) -> None:
    assert first_data(state) == data


def test_text_of_a_capture_is_no_markup_in_a_chart() -> None:
    assert plain("<a href='javascript:x'>&\x1b") == "&lt;a href='javascript:x'&gt;&amp;\\x1b"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (TWO, "command:join"),
        (TWO, "user:user1"),
        (TWO, "room:ma-chan command:cmd:join,grpchat"),
        (BURST, "status:>=500"),
        (SHARED / "flows" / "hole-in-the-middle.pcapng", "status:200"),
        (SHARED / "flows" / "fanout-missing.pcapng", "after:2009-06-04T16:45:30.291914Z"),
    ],
)
def test_a_filter_means_what_the_command_beside_it_lists(path: Path, text: str) -> None:
    page = looked_at(opened(path), "commands", filter=text, order="time")
    doc = html.fromstring(markup(page, "filter-about"))
    program, command, *words = shlex.split(doc.findtext(".//code") or "")
    assert (program, command) == ("xccos", "commands")
    listed = json.loads(xccos(command, *words, "--format", "json").out)
    assert listed
    rows = html.fromstring(markup(page, "commands-pairs")).iterfind(".//tbody/tr")
    shown = [int(str(row[0].xpath("string()"))) for row in rows]
    assert shown == [one["index"] for one in listed]


def test_a_filter_that_commands_cannot_be_asked_has_no_command_beside_it() -> None:
    page = looked_at(opened(TWO), "commands", filter="direction:out")
    assert "<code>xccos" not in markup(page, "filter-about")
    assert "13 commands and posts" in markup(page, "commands-head")


@pytest.mark.parametrize("name", ["join", "grpchat"])
def test_a_few_waits_that_are_much_alike_lie_between_two_marks_of_their_axis(name: str) -> None:
    page = looked_at(opened(TWO), "commands", filter=f"command:{name}", wait="sip")
    axis = spec(page)["layout"]["xaxis"]
    low, high = (10**end for end in axis["range"])
    waits = [x for trace in spec(page)["data"] if "customdata" in trace for x in trace["x"]]
    marks = [one for one in axis["tickvals"] if low <= one <= high]
    assert min(marks) <= min(waits) <= max(waits) <= max(marks)
    assert len(marks) >= 2
