"""The page Compare: which sessions, what differs, links of either side, two messages, locks."""

from __future__ import annotations

import json
import shlex
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from analyzer.compare.records import comparison_record
from analyzer.dashboard.cases import Case, Cases
from analyzer.dashboard.compare import view as compare_view
from analyzer.dashboard.compare.fields import compared, middle
from analyzer.dashboard.compare.ladder import SideDesk
from analyzer.dashboard.compare.sides import Picked, Side, both, command, comparison, picked
from analyzer.dashboard.compare.view import View, delta_text
from analyzer.dashboard.desk import Desk
from analyzer.dashboard.dock.message import Docked
from analyzer.dashboard.selection import Selection
from analyzer.dashboard.workspace import WORKSPACE
from tests.analyzer.captures import ESCAPE, capture, message
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES, SHARED
from tests.support.dashboard import drawings, looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

FLOWS = SHARED / "flows"


def _parsed(text: str) -> Any:  # noqa: ANN401  (lxml.html adds to what its elements can)
    return html.fromstring(text)


def _desk(case: Case, session: int | None = None, **more: str) -> Desk:
    return Desk(case, Selection(case=case.id, view="compare", session=session, more=more))


def _picked(case: Case, session: int | None = None, **more: str) -> Picked:
    return picked(_desk(case, session, **more), WORKSPACE.cases)


def _links(text: str) -> list[dict[str, str]]:
    drawn = _parsed(text)
    found = (parse_qs(one.get("href")[1:]) for one in drawn.iter("a"))
    return [{key: values[0] for key, values in one.items()} for one in found]


def test_a_broken_session_is_set_beside_a_healthy_one_of_the_same_capture() -> None:
    case = opened(SAMPLES / "reconnect.pcap")
    assert case.verdicts() == ["doubtful", "ok", "doubtful"]
    found = _picked(case)
    assert found.a is not None
    assert found.b is not None
    assert (found.a.session, found.b.session) == (0, 1)
    assert found.why == (
        "the first session with remarks and the first session without a problem of this capture"
    )
    text = markup(looked_at(case, "compare"), "compare")
    assert "What differs first" in text


def test_what_the_address_names_is_compared_also_across_captures() -> None:
    bad, good = opened(FLOWS / "lookup-404.pcap"), opened(FLOWS / "r2-signin-full.pcap")
    page = looked_at(bad, "compare", session=0, other=f"{good.id}:1")
    text = _parsed(markup(page, "compare")).text_content()
    assert "sip:alice.moore@northwind.example" in text
    assert "sip:hiro@emea.adatum.example" in text
    assert "4 INVITE to Lookup" in text
    assert "404 Not Found" in text
    drawn = _parsed(markup(page, "compare"))
    changed = [row for row in drawn.iter("tr") if row.get("class") == "differs"]
    assert "✕ failed" in changed[0].text_content()


def test_sides_change_places_by_a_link_and_say_the_same_the_other_way_round() -> None:
    bad, good = opened(FLOWS / "lookup-404.pcap"), opened(FLOWS / "r2-signin-full.pcap")
    a, b = Side(bad, 0), Side(good, 0)
    view = View(_desk(bad, 0, other=b.address), a, b, comparison(a, b, "asked"))
    swapped = parse_qs(view.swapped[1:])
    assert swapped["case"] == [good.id]
    assert swapped["session"] == ["1"]
    assert swapped["other"] == [a.address]
    back = comparison(b, a, "asked")
    assert back.first is not None
    assert view.found.first is not None
    assert back.first.a == view.found.first.b


def test_frames_of_each_side_lead_to_messages_of_that_side() -> None:
    bad, good = opened(FLOWS / "lookup-404.pcap"), opened(FLOWS / "r2-signin-full.pcap")
    a, b = Side(bad, 0), Side(good, 0)
    view = View(_desk(bad, 0, other=b.address), a, b, comparison(a, b, "asked"))
    first = view.found.first
    assert first is not None
    (of_a,), (of_b,) = (
        [parse_qs((links.href_of(frame) or "")[1:]) for frame in told.frames]
        for links, told in zip(view.links.values(), (first.a, first.b), strict=True)
    )
    assert bad.trace.rows.status[int(of_a["a"][0])] == 404
    assert good.trace.rows.frame[int(of_b["b"][0])] == first.b.frames[0]
    # Both answers stand for one another: the link to one sets the other beside it.
    assert of_a["b"] == of_b["b"]
    assert of_b["a"] == of_a["a"]


def test_it_says_what_the_command_line_says() -> None:
    bad, good = opened(FLOWS / "lookup-404.pcap"), opened(FLOWS / "r2-signin-full.pcap")
    a, b = Side(bad, 0), Side(good, 0)
    words = shlex.split(command(a, b))
    told = xccos(*words[1:], "--format", "json").out
    record = json.loads(told)["comparisons"][0]
    ours = comparison_record(comparison(a, b, "asked"))
    for key in ("first", "steps", "divergences", "rows", "doubts"):
        assert ours[key] == record[key]
    one = opened(SAMPLES / "twousers-post.pcap")
    same = command(Side(one, 0), Side(one, 1))
    assert same == f"xccos diff {one.files[0]} --session 1 --session 2"


def test_exchanges_stand_side_by_side_with_latencies_and_signs() -> None:
    case = opened(SAMPLES / "twousers-post.pcap")
    text = markup(looked_at(case, "compare", tab="exchanges", all=1), "compare")
    drawn = _parsed(text)
    rows = [[cell.text_content() for cell in row.iter("td")] for row in drawn.iter("tr")]
    register = next(row for row in rows if "REGISTER" in row)
    assert register == ["= same", "1", "REGISTER", "4, 6", "200 OK", "1.70 ms",
                        "12, 19", "200 OK", "1.30 ms", "-0.40 ms"]  # fmt: skip
    (only,) = [row for row in rows if "part" in row]
    assert only[0] == "! minor"
    assert only[4] == "none"


def test_the_ladder_has_both_sides_and_its_messages_lead_to_two_messages() -> None:
    case = opened(SAMPLES / "twousers-post.pcap")
    drawn = drawings(looked_at(case, "compare", tab="ladder"))
    assert "compare-ladder" in drawn
    a, b = Side(case, 0), Side(case, 1)
    desk = _desk(case, 0, tab="ladder")
    view = View(desk, a, b, comparison(a, b, "asked"))
    row, twin = next(iter(view.twins[0].items()))
    side = SideDesk.of(desk, view.links)
    for href in (side.href(message=2 * row), side.href(message=2 * twin + 1)):
        found = parse_qs(href[1:])
        assert (found["a"], found["b"], found["tab"]) == ([str(row)], [str(twin)], ["messages"])
        assert "message" not in found
    marked = parse_qs(side.href(marks=f"{2 * twin + 1},{2 * row}")[1:])
    assert (marked["a"], marked["b"]) == ([str(row)], [str(twin)])


def test_two_messages_are_compared_field_by_field() -> None:
    case = opened(FLOWS / "lookup-404.pcap")
    other = opened(FLOWS / "r2-signin-full.pcap")
    a, b = Side(case, 0), Side(other, 0)
    view = View(_desk(case), a, b, comparison(a, b, "asked"))
    found = view.found.first
    assert found is not None
    links = parse_qs((view.links["A"].href_of(found.a.frames[0]) or "")[1:])
    page = looked_at(case, "compare", session=0, other=b.address, tab="messages",
                     a=links["a"][0], b=links["b"][0])  # fmt: skip
    drawn = _parsed(markup(page, "compare-messages"))
    rows = {
        row[1].text_content(): [cell.text_content() for cell in row] for row in drawn.iter("tr")
    }
    assert rows["status"] == ["! differs", "status", "404", "200"]
    assert rows["Call-ID"][0] == "i differs in every run"
    assert {mark.text for mark in drawn.iter("mark")} >= {"404"} or "404" in rows["status"]


def test_a_message_alone_is_offered_those_like_it() -> None:
    case = opened(SAMPLES / "twousers-post.pcap")
    page = looked_at(case, "compare", tab="messages", a=30)
    offered = [one for one in _links(markup(page, "compare-messages")) if "b" in one]
    rows = case.trace.rows
    assert offered
    for one in offered:
        row = int(one["b"])
        assert rows.strings.values[rows.method[row]] == "INFO"
        assert case.session_of(row) == 1


def test_without_a_second_session_other_captures_and_samples_are_offered() -> None:
    case = opened(SAMPLES / "fault-503.pcap")
    page = looked_at(case, "compare")
    assert "no second session" in markup(page, "compare")
    links = _links(markup(page, "compare"))
    link = next(one for one in links if one.get("other") == "sample:signin-tcp.pcap")
    page.query_params.update(link)
    page.run()
    assert not page.exception
    text = markup(page, "compare")
    assert "What differs first" in text
    others = {one["other"] for one in _links(text) if "other" in one and one["case"] == case.id}
    assert [WORKSPACE.cases.get(one.partition(":")[0]) is not None for one in others] == [True]


def test_a_sample_that_there_is_not_is_told() -> None:
    case = opened(SAMPLES / "fault-503.pcap")
    page = looked_at(case, "compare", other="sample:<b>nothing")
    assert "There is no sample" in markup(page, "compare-wrong")
    assert "<b>" not in markup(page, "compare-wrong")


def test_another_session_is_chosen_in_a_box() -> None:
    case = opened(SAMPLES / "reconnect.pcap")
    page = looked_at(case, "compare")
    page.selectbox(key="compare-b").select(2).run()
    assert not page.exception
    assert page.query_params["other"] == f"{case.id}:3"
    text = markup(page, "compare")
    assert "session 3 of reconnect.pcap" in text


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("nowhere:1", "The other capture is not open here."),
        ("{id}:99", "The other capture has no session 99."),
        ("{id}:x", "'x' is no number of a session."),
        ("{id}:1", ""),
        ("{id}", ""),
    ],
)
def test_an_address_that_names_no_session_is_told_and_passed_over(other: str, said: str) -> None:
    case = opened(SAMPLES / "twousers-post.pcap")
    found = _picked(case, 0, other=other.format(id=case.id))
    assert found.wrong == ((said,) if said else ())
    assert found.b == Side(case, 1)


def test_a_capture_without_sessions_and_messages_is_told(tmp_path: Path) -> None:
    case = opened(capture(tmp_path / "empty.pcap"))
    page = looked_at(case, "compare", a=1, b=2, tab="messages")
    assert "This capture has no session." in markup(page, "compare-wrong")


def test_of_many_differences_a_page_is_shown_and_the_rest_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compare_view, "SHOWN", 5)
    case = opened(SAMPLES / "twousers-post.pcap")
    page = looked_at(case, "compare", tab="exchanges", all=1, page=2)
    text = markup(page, "compare")
    rows = _parsed(text).findall(".//tbody/tr")
    assert len(rows) == 5
    (ways,) = _parsed(text).xpath(".//nav[@aria-label='Pages of the comparison']")
    assert [parse_qs(one.get("href")[1:])["page"] for one in ways.iter("a")] == [["1"], ["3"]]


def test_two_pages_with_the_same_captures_the_other_way_round_never_wait_for_ever() -> None:
    one, two = (opened(SAMPLES / name) for name in ("signin-tcp.pcap", "keepalive.pcap"))
    seen: list[str] = []

    def look(held: Case, other: Case) -> None:
        for _ in range(200):
            with held.lock, both(held, other):
                seen.append(held.id)

    threads = [Thread(target=look, args=pair, daemon=True) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen.count(one.id) == seen.count(two.id) == 200


def test_fields_are_the_same_differ_or_are_of_a_run(tmp_path: Path) -> None:
    case = opened(
        capture(
            tmp_path / "c.pcap",
            message(Supported="timer", Call_ID="a", Subject=f"<b>{ESCAPE}", X_Own="1"),
            message(Supported="replaces", Call_ID="b", Subject=f"<b>{ESCAPE}"),
        )
    )
    found = compared(Docked(case, 0), Docked(case, 1))
    states = {one.name: one.state for one in found.fields}
    assert states["Supported"] == "differs"
    assert states["Call-ID"] == "alike"
    assert states["Subject"] == states["method"] == "same"
    assert states["X-Own"] == "only A"
    text = markup(looked_at(case, "compare", tab="messages", a=0, b=1, all=1), "compare-messages")
    assert "<b>" not in text
    assert ESCAPE not in text


def test_the_same_message_differs_in_nothing() -> None:
    case = opened(SAMPLES / "twousers-post.pcap")
    found = compared(Docked(case, 30), Docked(case, 30))
    assert found.differing == ()
    assert [one.name for one in found.fields][-1].startswith("xccos/rpl/")


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_marked_is_what_two_values_do_not_share(a: str, b: str) -> None:
    before, after = middle(a, b)
    assert a[:before] == b[:before]
    assert a[len(a) - after :] == b[len(b) - after :]
    assert before + after <= min(len(a), len(b))
    if before < min(len(a), len(b)) - after:
        assert a[before] != b[before]


def test_how_much_longer_b_took_has_a_sign() -> None:
    assert delta_text(10.0, 130.0) == "+120 ms"
    assert delta_text(130.0, 10.0) == "-120 ms"
    assert delta_text(None, 10.0) == ""
    assert delta_text(1.0, 1.0) == "the same"


def test_cases_that_are_closed_are_no_longer_compared_with() -> None:
    case = opened(SAMPLES / "twousers-post.pcap")
    found = picked(_desk(case, 0, other="0123456789abcdef:1"), Cases())
    assert found.other is case
    assert found.wrong == ("The other capture is not open here.",)
