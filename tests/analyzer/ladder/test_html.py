"""The HTML ladder: structure, safety and bounds. Behaviour in a browser: test_html_browser.py."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from lxml import etree, html

from analyzer.ladder import html_details
from analyzer.ladder.html import detail_elements, html_fragment, render_html, script, style
from analyzer.ladder.html_details import Details, json_text
from analyzer.ladder.html_links import Links, stretches
from analyzer.ladder.look import Detail, Look
from analyzer.ladder.values import Arrow, Bracket, Ladder
from tests.analyzer.ladder.examples import BEGAN, EVERY, HOSTILE, LANES, long, sign_in
from tests.support.contrast import contrast

every_ladder = pytest.mark.parametrize("name", EVERY)


def element(name: str, attributes: dict[str, str], text: str | None = None) -> dict[str, Any]:
    return {"name": name, "attributes": attributes, "text": text, "children": []}


def record(row: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "frame": 10 + 2 * row,
        "frames": [10 + 2 * row],
        "start_line": f"INFO sip:row{row}@contoso.com SIP/2.0",
        "headers": [{"name": "Subject", "value": HOSTILE}],
        "body": "first\r\nsecond",
        "document": {
            "problem": None,
            "meanings": {"cmd:join": "enter a room"},
            "notes": [],
            "root": {
                "name": "xccos",
                "attributes": {"ver": "1"},
                "text": None,
                "children": [
                    element("cmd", {"id": "cmd:join"}, HOSTILE),
                ],
            },
        },
        "belongs_to": {"transaction": None, "commands": []},
        "note_meanings": {},
        "problems": [],
        **more,
    }  # fmt: skip


# What XPath finds has no type that says more than Any.
def page(ladder: Ladder, look: Look | None = None, detail: Detail | None = None) -> Any:  # noqa: ANN401
    (document,) = render_html(ladder, look or Look(), detail)
    return html.document_fromstring(document)


def data_of(found: Any) -> dict[str, Any]:  # noqa: ANN401
    (element,) = found.xpath("//script[@class='xl-data']")
    made: dict[str, Any] = json.loads(element.text)
    return made


@every_ladder
def test_a_page_has_a_row_for_every_event_and_nothing_from_elsewhere(name: str) -> None:
    ladder = EVERY[name]()
    (document,) = render_html(ladder, Look(), record)
    found: Any = html.document_fromstring(document)
    assert document.startswith(b"<!DOCTYPE html>")
    assert len(found.xpath("//tr[contains(@class, 'ev ')]")) == len(ladder.events)
    assert len(found.xpath("//tr[contains(@class, 'gr ')]")) == len(ladder.groups)
    links = [value for kind in ("src", "href", "action") for value in found.xpath(f"//@{kind}")]
    assert links == ["data:,"]
    assert not found.xpath("//@style | //@*[starts-with(name(), 'on')] | //iframe | //object")
    assert b"\x00" not in document
    assert b"\x1b" not in document


def test_the_content_policy_names_the_only_script_and_the_only_style() -> None:
    found = page(sign_in(), detail=record)
    (policy,) = found.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for element, directive in (("script[not(@type)]", "script-src"), ("style", "style-src")):
        (one,) = found.xpath(f"//{element}")
        digest = base64.b64encode(hashlib.sha256(one.text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    head = found.find("head")
    assert [one.tag for one in head][:2] == ["meta", "meta"], "before anything it should guard"


def test_neither_script_nor_style_reaches_out() -> None:
    asks = r"https?:|@import|url\(|fetch\(|XMLHttp|WebSocket"
    runs = r"eval\(|innerHTML|insertAdjacent|\bFunction\("
    assert re.findall(f"{asks}|{runs}", script() + style()) == []


def test_the_table_reads_as_one_without_script_and_style() -> None:
    found = page(sign_in())
    (table,) = found.xpath("//table[@role='table']")
    assert table.find("caption").text == (
        "14 arrows and 2 notes, in order of time, between user1, Front End, Lookup, Channel, "
        "Web service"
    )
    heads = [cell.text_content() for cell in table.xpath(".//th[@role='columnheader']")]
    assert heads[:3] == ["time (UTC)", "frame", "user1sip:user1@contoso.com, 10.0.0.21"]
    row = table.xpath(".//tr[@id='ladder-e9']")[0]
    assert row.get("role") == "row"
    cells = [cell.text_content() for cell in row.xpath("td[@role='cell']")]
    assert cells == [
        "07:06:47.241123+0.580000",
        "34",
        "Channel to user1: ✕problem: 503 Service Unavailable",
        "580 ms ▲",
    ]
    assert sum(int(cell.get("colspan", "1")) for cell in row.xpath("td")) == len(heads)


def test_a_row_says_in_words_what_its_signs_and_colours_say() -> None:
    labels = page(sign_in()).xpath("//tr[@role='row']/@aria-label")
    assert labels[9] == (
        "07:06:47.241123 Channel to user1, 503 Service Unavailable, problem, "
        "580 ms since join in frame 32, slow, frame 34"
    )
    assert labels[10] == (
        "07:06:52.241123 user1 to Channel, INFO join, doubtful, retry, answered after 2.50 s, "
        "frame 36"
    )
    assert labels[4].endswith("SUBSCRIBE ×4, answered 200 OK after 5.50 ms, frame 18")
    assert labels[7] == "07:06:46.636123 hole: 1460 bytes missing"


def test_steps_carry_a_word_beside_their_sign() -> None:
    found = page(sign_in())
    assert [one.text for one in found.xpath("//b[@class='st']")] == [
        *("✓ ok", "✓ ok", "✓ ok", "↻ retried", "⋯ not captured", "⋯ not captured"),
    ]
    assert "(continued)" in found.xpath("//tr[@id='ladder-g5']")[0].text_content()


def test_times_follow_the_look_and_utc_stays_at_hand() -> None:
    zone = timezone(timedelta(hours=2))
    found = page(sign_in(), Look(zone=zone))
    time = found.xpath("//tr[@id='ladder-e0']//time")[0]
    assert time.text == "09:06:46.541123"
    assert time.get("title") == (
        "2026-11-22 09:06:46.541123 UTC+02:00\n2026-11-22 07:06:46.541123 UTC"
    )
    assert data_of(found)["zone"] == [[0, 120, "UTC+02:00"]]
    delta = page(sign_in(), Look(times="delta"))
    assert delta.xpath("//tr[@id='ladder-e1']//time")[0].text == "+0.012000"
    assert delta.xpath("//thead//th")[0].text == "since before"


def test_a_ladder_without_dates_shows_spans_alone() -> None:
    found = page(replace(sign_in(), dated=False))
    time = found.xpath("//tr[@id='ladder-e1']//time")[0]
    assert (time.text, time.get("title"), time.get("datetime")) == (
        *("+0.012000", "+0.012000 s", None),
    )
    assert found.xpath("//tr[@id='ladder-e1']/@aria-label")[0].startswith("+0.012000 Front End to")
    assert data_of(found)["times"] == "relative"


def test_a_theme_that_was_asked_for_is_the_pages() -> None:
    assert page(sign_in(), Look(theme="dark")).get("data-theme") == "dark"
    assert page(sign_in()).get("data-theme") is None


def test_long_labels_are_cut_and_whole_in_the_tooltip() -> None:
    cell = page(sign_in(), Look(label=20)).xpath("//tr[@id='ladder-e13']/td[@class='ms']")[0]
    assert cell.xpath(".//span[@class='lb']")[0].text == "INFO grpchat <scrip…"
    assert "alert('x')" in cell.get("title")


def test_hostile_texts_are_spelt_out_everywhere() -> None:
    (document,) = render_html(EVERY["alone"](), Look(), record)
    text = document.decode()
    assert "<script>alert" not in text
    assert "\\x1b[31m\\ud800" in text
    found: Any = html.document_fromstring(document)
    details = "".join(found.xpath("//script[@type]/text()"))
    assert "<" not in details
    assert "&" not in details


@pytest.mark.parametrize(
    "text", ["</script><script>", "<!--", "\u2028\u2029", "\ud800", "&amp;", "\x00\x7f"]
)
def test_json_of_any_text_can_stand_in_a_script_element(text: str) -> None:
    made = json_text({"a": text})
    assert made.isascii()
    assert not set("<>&\x00") & set(made)
    assert json.loads(made) == {"a": text}


def test_more_events_than_a_page_holds_become_pages_that_are_whole() -> None:
    ladder = replace(
        long(25), brackets=(Bracket("reply", 0, 1, "x", 1.0), Bracket("copy", 9, 10, "y", 1.0))
    )
    pages: list[Any] = [html.document_fromstring(one) for one in render_html(ladder, Look(page=10))]
    assert [one.findtext("head/title") for one in pages] == [
        f"Long (page {number} of 3)" for number in (1, 2, 3)
    ]
    assert [len(one.xpath("//tbody/tr")) for one in pages] == [10, 10, 5]
    links = [[event.get("links") for event in data_of(one)["events"]] for one in pages]
    assert links[0][:2] == [[[1, "reply", "after 1.00 ms"]], [[0, "command", "after 1.00 ms"]]]
    assert not any(links[1]), "its bracket begins on the page before"
    assert "another page" in pages[1].xpath("//ul[@class='xl-left']/li")[-1].text


def test_rows_lie_in_bodies_whose_height_the_style_knows() -> None:
    found = page(replace(long(120), groups=sign_in().groups))
    bodies = found.xpath("//tbody")
    counts = [len(body.xpath("tr")) for body in bodies]
    assert sum(counts) == 126
    assert max(counts) <= 50
    assert [body.get("class") for body in bodies] == [f"r{count}" for count in counts]
    assert ".xl .r50{--rows:50}" in style()


def test_the_style_knows_as_many_lanes_as_the_ladder_has() -> None:
    lanes = tuple(replace(LANES[0], key=f"client-{number}") for number in range(40))
    found = page(Ladder("Many", "", lanes, ()))
    assert ".xl .s39{" in found.findtext("head/style")
    assert ".xl .s39{" not in style()
    assert ".xl .s39{" in style(40)


def test_links_say_what_belongs_to_what_from_brackets_latencies_and_transactions() -> None:
    links = Links(sign_in(), {0: 1})
    kinds = {number: [(one.event, one.kind) for one in links.of(number)] for number in range(16)}
    assert kinds[10] == [(11, "reply")]
    assert kinds[11] == [(10, "command")]
    assert kinds[8] == [(9, "answer")], "503 was measured from the join in frame 32"
    assert kinds[1] == [(0, "request")]
    assert kinds[7] == []


def test_a_frame_of_several_messages_tells_nothing_of_what_belongs_together() -> None:
    first, *rest = sign_in().events
    assert isinstance(first, Arrow)
    both = replace(sign_in(), events=(first, replace(first, frame=32), *rest))
    assert Links(replace(both, brackets=())).of(10) == ()


def test_brackets_lie_beside_one_another_and_copies_on_one_line() -> None:
    found = stretches(
        (
            Bracket("copy", 0, 2, "", None),
            Bracket("copy", 0, 4, "", None, "slow"),
            Bracket("reply", 1, 3, "", None),
            Bracket("reply", 5, 6, "", None),
            Bracket("reply", 7, 9_000, "", None),
        )
    )
    assert [(one.track, one.part) for one in found[2]] == [(0, "stop"), (1, "on")]
    assert [(one.track, one.part, one.heat) for one in found[4]] == [(0, "last", "slow")]
    assert [one.track for one in found[5]] == [0], "the line above has ended"
    assert 8 not in found, "too long to be seen whole"


def details_of(found: Any) -> dict[str, Any]:  # noqa: ANN401
    made: dict[str, Any] = {}
    for element in found.xpath("//script[@class='xl-details']"):
        part = json.loads(element.text)
        assert list(part) == element.get("data-rows").split()
        made.update(part)
    return made


def test_the_messages_behind_arrows_answers_and_hops_are_in_the_page() -> None:
    found = details_of(page(sign_in(), detail=record))
    assert {"0", "7", "8", "40"} <= set(found)
    assert found["0"]["headers"][0][0] == "Subject"
    assert "\\x00\\x1b[31m" in found["0"]["headers"][0][1]
    assert found["0"]["body"] == "first\nsecond"
    name, attributes, _, children = found["0"]["document"]["root"]
    assert (name, attributes) == ("xccos", {"ver": "1"})
    assert children[0][1] == {"id": "cmd:join"}


def test_long_bodies_values_and_trees_are_cut_and_say_so() -> None:
    leaf = element("c", {})
    deep: dict[str, Any] = leaf
    for _ in range(100):
        deep = {**leaf, "children": [deep]}
    root = {**leaf, "children": [deep, *[leaf] * 2000]}
    headers = [{"name": "X", "value": "v" * 10_000}] * 300
    long_one = record(0, body="b" * 20_000, headers=headers, document={"root": root, "notes": []})
    details = Details([0], lambda _: long_one)
    (script_element,) = details.elements()
    found = json.loads(script_element.text or "")["0"]
    assert len(found["body"]) == html_details.BODY_CHARACTERS
    assert len(found["headers"]) == html_details.HEADERS
    assert found["headers"][0][1].endswith("(5904 more characters)")
    assert found["cut"] == [
        "100 of 300 headers are left out",
        "of the body 16,384 of 20,000 characters are shown",
        "of the XML the first 500 elements are shown",
    ]


def test_all_messages_together_are_bounded_and_the_page_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(html_details, "PART_BYTES", 1_000)
    details = Details(range(100), record, limit=10_000)
    parts = list(details.elements())
    assert sum(len(part.text or "") for part in parts) < 11_000
    assert len(parts) > 3
    rows = [int(row) for part in parts for row in part.get("data-rows", "").split()]
    assert rows == list(range(len(rows)))
    assert details.left_out == 100 - len(rows)
    monkeypatch.setattr(Details.__init__, "__defaults__", (2_000,))
    said = page(sign_in(), detail=record).xpath("//ul[@class='xl-left']/li/text()")
    assert re.fullmatch(r"\d+ messages are not in this page: .*", said[-1])


def test_two_ladders_stand_in_one_document_with_one_style_and_script() -> None:
    body: Any = etree.Element("body")
    body.append(html_fragment(sign_in(), Look(), "one"))
    body.append(html_fragment(long(10), Look(), "two"))
    body.extend(detail_elements([0, 1, 1], record))
    ids = body.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {"one", "two", "one-e0", "two-e9"} <= set(ids)
    assert details_of(body).keys() == {"0", "1"}
    assert not body.xpath("//style | //script[not(@type)]")


def test_the_data_has_all_that_a_row_shows() -> None:
    data = data_of(page(sign_in()))
    assert data["began"] == [BEGAN // 10**9, BEGAN % 10**9]
    subscribe = data["events"][4]
    assert (subscribe["count"], subscribe["rows"], subscribe["time"]) == (
        4,
        [4, 5, 6, 7],
        35_000_000,
    )
    assert subscribe["answer"]["status"] == 200
    assert data["events"][7]["note"] == "hole"
    assert data["events"][15].get("lanes") is None, "over all"
    assert data["groups"][3]["status"] == "retried"


COLOUR = re.compile(r"--xl-([\w-]+):\s*(#[0-9a-f]{6})\b")
ON_BACKGROUNDS = ("bg", "raised", "hover", "near", "chosen")
TEXTS = ("text", "muted", "good", "bad", "doubt", "accent", "name", "value", "plain")
PAIRS = [
    *((text, ground) for text in TEXTS for ground in ON_BACKGROUNDS),
    *(("bad", "bad-bg"), ("doubt", "doubt-bg"), ("good", "good-bg"), ("on-hit", "hit")),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_stand_out_from_their_grounds(theme: str) -> None:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1."""
    light, _, rest = style().partition("@media (prefers-color-scheme:dark)")
    colours = dict(COLOUR.findall(light if theme == "light" else rest.partition("}}")[0]))
    found = {pair: contrast(*(colours[name] for name in pair)) for pair in PAIRS}
    assert {pair: value for pair, value in found.items() if value < 4.5} == {}
