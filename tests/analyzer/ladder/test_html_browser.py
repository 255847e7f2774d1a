"""The HTML ladder in a real browser: keys, search, panel, themes, lanes, screen reader, silence."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from analyzer.ladder.html import html_fragment, render_html, script, style
from analyzer.ladder.look import Look
from analyzer.ladder.values import Answer, Arrow, Bracket, Group, Ladder
from analyzer.trace import Trace, open_capture
from analyzer.views.detail import detail_record
from tests.analyzer.ladder.examples import EVERY, LANES, long, sign_in
from tests.paths import SAMPLES
from tests.support.browser import Opened, browser, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

__all__ = ["browser"]

# One process starts it, not each.
pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.untraced]
CURRENT = "tr.current"
SHOWN = "tbody tr.ev:not([hidden])"


def of_capture(trace: Trace) -> Ladder:
    """Return a ladder of the rows of a capture, client on the left, with one command's bracket."""
    rows, value = trace.rows, trace.rows.strings.values
    client = "sip:hiro@emea.adatum.example"
    events = []
    for row in range(len(rows)):
        asks = rows.status[row] < 0
        left = (value[rows.from_uri[row]] == client) == asks
        items = [f"{item.element}:{item.id}" for item in rows.xccos(row)]
        name = value[rows.method[row]] or "?"
        label = " ".join([name, *items[:1]]) if asks else f"{rows.status[row]} to {name}"
        ends = (0, 3) if left else (3, 0)
        kind: Any = "request" if asks else "response"
        words = f"{LANES[ends[0]].title} to {LANES[ends[1]].title}: {label}"
        events.append(
            Arrow(
                *ends, kind, label, words, rows.time[row], rows.frame[row], (row,),
                trace.frames(row), via=(1,), status=None if asks else rows.status[row],
                method=name,
            )
        )  # fmt: skip
    request = next(row for row, one in enumerate(events) if "cmd:requri" in one.label)
    events[0] = replace(events[0], answer=Answer(1, rows.frame[1], 200, "200 OK", 1.5))
    return Ladder(
        "Sign-in of hiro",
        "r2-signin-full.pcap",
        LANES,
        tuple(events),
        (Group(0, 3, "sign-in", "1", "REGISTER", "ok", "200 OK"),),
        (Bracket("reply", request, request + 2, "requri", 131.6),),
        events[0].time,
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the pages that the tests open."""
    folder = tmp_path_factory.mktemp("pages")
    with open_capture(SAMPLES / "r2-signin-full.pcap") as trace:
        made = render_html(of_capture(trace), Look(), partial(detail_record, trace))
        (folder / "capture.html").write_bytes(next(made))
    for name, ladder in {
        **{name: make() for name, make in EVERY.items()},
        "large": long(5000),
    }.items():
        (folder / f"{name}.html").write_bytes(next(render_html(ladder, Look())))
    return folder


@contextmanager
def shown(browser: Browser, path: Path, **context: Any) -> Iterator[Page]:  # noqa: ANN401
    """Open a page, and hold it to have done nothing wrong in the end."""
    with opened(browser, path, **context) as found:
        yield found.page
        assert found.misdeeds() == []


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press("Space" if key == "space" else key)


def labels(page: Page, selector: str = SHOWN) -> list[str]:
    found: list[str] = page.locator(f"{selector} .lb").all_text_contents()
    return found


def test_pages_ask_the_network_for_nothing_and_run_nothing_hostile(
    browser: Browser, pages: Path
) -> None:
    for name in EVERY:
        with shown(browser, pages / f"{name}.html") as page:
            press(page, "j Enter C C t u Escape")
            assert page.locator("section.on").count() == 1, name


def test_the_record_sees_what_a_bad_page_does(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text(
        "<img src='http://192.0.2.1/x.png'><script>alert('owned'); throw Error('broken')</script>"
    )
    found: Opened
    with opened(browser, path) as found:
        found.page.wait_for_load_state()
        assert found.requests == ["http://192.0.2.1/x.png"]
        assert found.dialogs == ["owned"]
        assert any("broken" in error for error in found.errors)


def test_keys_move_open_follow_and_close(browser: Browser, pages: Path) -> None:
    with shown(browser, pages / "sign_in.html") as page:
        assert page.locator("tr[tabindex='0']").get_attribute("id") == "ladder-e0"
        press(page, "j j ArrowDown k")
        assert page.locator(CURRENT).get_attribute("id") == "ladder-e2"
        assert page.locator("tr[tabindex='0']").count() == 1
        assert page.evaluate("document.activeElement.id") == "ladder-e2"
        press(page, "Enter")
        panel = page.locator(".xl-panel")
        assert panel.locator("h3").inner_text() == "REGISTER"
        assert page.locator("[aria-current='true']").get_attribute("id") == "ladder-e2"
        press(page, "j")
        assert panel.locator("h3").inner_text() == "200 OK"
        assert page.url.endswith("#ladder-e3")
        press(page, "Escape")
        assert panel.is_hidden()
        assert page.evaluate("document.activeElement.id") == "ladder-e3"
        press(page, "End")
        assert page.locator(CURRENT).get_attribute("id") == "ladder-e15"
        press(page, "Home p")
        assert page.locator(CURRENT).get_attribute("id") == "ladder-e7", "the hole"
        press(page, "p r")
        assert page.locator(CURRENT).get_attribute("id") == "ladder-e8", "what the 503 answers"
        press(page, "?")
        assert page.locator(".xl-help").is_visible()
        page.get_by_label("single letters are keys").uncheck()
        press(page, "Escape j")
        assert page.locator(CURRENT).get_attribute("id") == "ladder-e8"


def test_a_click_opens_headers_and_xccos_tree_of_the_real_message(
    browser: Browser, pages: Path
) -> None:
    with shown(browser, pages / "capture.html") as page:
        page.locator("tr.ev", has_text="cmd:requri").click()
        panel = page.locator(".xl-panel")
        headers = panel.locator("details", has_text="SIP headers").locator("tr")
        assert headers.nth(4).inner_text().split() == [
            "Call-ID",
            "f6a1be0339818f16a0d7445e0834f3b5",
        ]
        tree = panel.locator(".xl-tree")
        assert tree.locator(".xl-name").all_text_contents() == ["xccos", "cmd", "data"]
        assert "ask the lookup service for a channel server" in tree.inner_text()
        tree.locator("summary").first.click()
        assert not tree.locator(".xl-leaf").is_visible()
        assert panel.locator("pre").inner_text().startswith("<xccos xmlns=")
        assert panel.locator(".xl-filter").text_content() == "frame.number == 40"
        page.locator("tr.near").first.wait_for()
        assert len(labels(page, "tr.near")) == 2, "its SIP answer and its reply"
        panel.get_by_role("button", name="INFO rpl:rpl:requri").click()
        assert panel.locator("h3").inner_text() == "INFO rpl:rpl:requri"


def test_a_folded_answer_is_shown_on_demand(browser: Browser, pages: Path) -> None:
    with shown(browser, pages / "capture.html") as page:
        press(page, "x")
        assert labels(page, "tr.sub") == ["200 OK"]
        assert page.locator("tr.sub .tm").inner_text().startswith("13:51:44.")
        page.locator("tr.sub").click()
        choice = page.locator(".xl-choice select")
        assert "answer 200 OK" in choice.locator("option:checked").inner_text()
        press(page, "Escape Home x")
        assert page.locator("tr.sub").count() == 0


def test_filter_and_message_are_copied(browser: Browser, pages: Path) -> None:
    with shown(
        browser, pages / "capture.html", permissions=["clipboard-read", "clipboard-write"]
    ) as page:
        press(page, "Enter")
        page.get_by_role("button", name="Copy display filter").click()
        page.get_by_text("Copied.").wait_for()
        assert page.evaluate("navigator.clipboard.readText()").startswith("frame.number == ")


def test_search_counts_walks_and_filters(browser: Browser, pages: Path) -> None:
    with shown(browser, pages / "capture.html") as page:
        press(page, "/")
        page.keyboard.type("GCCHANNEL2@")
        count = page.locator(".xl-count")
        expect(count).to_contain_text("matches")
        total = int(count.inner_text().split(" of ")[1].split()[0])
        assert total == page.locator("tr.hit").count() > 2, "it stands in headers and bodies"
        press(page, "Enter")
        assert count.inner_text() == f"2 of {total} matches"
        page.get_by_label("only matches").check()
        assert page.locator(SHOWN).count() == total
        assert page.get_by_role("status").inner_text() == f"{total} of 53 rows, {total} matches"
        page.locator(CURRENT).focus()
        press(page, "n N N")
        assert count.inner_text() == f"1 of {total} matches"
        press(page, "/")
        page.locator(".xl-search").fill("no such thing")
        page.get_by_text("0 matches", exact=True).wait_for()
        press(page, "Escape")
        assert page.locator("tr.hit").count() == 0
        assert page.locator(SHOWN).count() == 53
        page.locator(".xl-search").fill("/^(ack|bye)/")
        expect(count).to_contain_text("matches")
        assert {label.split()[0] for label in labels(page, "tr.hit")} <= {"ACK", "BYE"}


def test_two_marked_rows_are_compared_side_by_side(browser: Browser, pages: Path) -> None:
    with shown(browser, pages / "capture.html") as page:
        registers = page.locator("tr.ev", has_text="REGISTER").locator("visible=true")
        registers.nth(0).focus()
        press(page, "space")
        registers.nth(2).focus()
        press(page, "space")
        compare = page.get_by_role("dialog", name="Two messages compared")
        assert compare.locator("thead th").all_inner_texts()[1].startswith("REGISTER, frame")
        assert "CSeq: 1 REGISTER" in compare.inner_text()
        assert compare.locator("tr.xl-differs", has_text="CSeq").locator(
            "mark"
        ).all_inner_texts() == [
            *("1", "2"),
        ]
        before = compare.locator("tbody tr:visible").count()
        compare.get_by_label("only what differs").check()
        assert 0 < compare.locator("tbody tr:visible").count() < before
        press(page, "Escape")
        assert compare.is_hidden()


def test_steps_collapse_one_or_all(browser: Browser, pages: Path) -> None:
    with shown(browser, pages / "sign_in.html") as page:
        press(page, "j c")
        head = page.locator("#ladder-g0")
        assert head.get_by_role("button").get_attribute("aria-expanded") == "false"
        assert "4 rows folded" in head.inner_text()
        assert page.locator(SHOWN).count() == 12
        assert page.locator(CURRENT).get_attribute("id") == "ladder-e4", "the next that is shown"
        head.click()
        assert page.locator(SHOWN).count() == 16
        press(page, "C")
        assert page.locator(SHOWN).count() == 3
        press(page, "C")
        assert page.locator(SHOWN).count() == 16


def test_a_hidden_lane_takes_its_arrows_along_and_the_others_close_up(
    browser: Browser, pages: Path
) -> None:
    with shown(browser, pages / "sign_in.html") as page:
        before = page.locator("th.l3").bounding_box()
        page.locator("th.l2").hover()
        page.get_by_role("button", name="Hide lane Lookup").click()
        assert page.locator("th.l2").is_hidden()
        assert not [label for label in labels(page) if "Lookup" in label]
        after = page.locator("th.l3").bounding_box()
        assert before is not None
        assert after is not None
        assert after["x"] < before["x"]
        arrow = page.locator("#ladder-e8 .ar").bounding_box()
        assert arrow is not None
        assert arrow["x"] + arrow["width"] == pytest.approx(after["x"] + after["width"] / 2, abs=2)
        assert page.get_by_role("status").inner_text() == "14 of 16 rows"
        press(page, "l")
        page.get_by_role("button", name="Show all").first.click()
        assert page.locator(SHOWN).count() == 16
        page.locator("summary", has_text="Messages").click()
        page.get_by_role("group", name="Messages").get_by_label("REGISTER").uncheck()
        assert page.locator(SHOWN).count() == 14


def test_times_and_zone_change_by_key(browser: Browser, pages: Path) -> None:
    with shown(browser, pages / "sign_in.html", timezone_id="Asia/Kolkata") as page:
        time, head = page.locator("#ladder-e1 time"), page.locator("thead .tm")
        assert (head.inner_text(), time.inner_text()) == ("time (UTC)", "07:06:46.553123")
        press(page, "u")
        assert (head.inner_text(), time.inner_text()) == ("time (UTC+05:30)", "12:36:46.553123")
        time.hover()
        assert time.get_attribute("title") == (
            "2026-11-22 12:36:46.553123 UTC+05:30\n2026-11-22 07:06:46.553123 UTC"
        )
        press(page, "t")
        assert (head.inner_text(), time.inner_text()) == ("seconds", "+0.012000")
        press(page, "t")
        assert head.inner_text() == "since before"
        assert page.locator("#ladder-e2 time").inner_text() == "+0.002000"
        press(page, "t u")
        assert time.inner_text() == "07:06:46.553123"


def test_times_of_no_day_offer_no_day_and_no_zone(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "undated.html"
    path.write_bytes(next(render_html(replace(sign_in(), dated=False), Look())))
    with shown(browser, path) as page:
        press(page, "u t")
        assert page.locator("#ladder-e2 time").inner_text() == "+0.002000"
        press(page, "t Enter")
        assert page.locator("#ladder-e2 time").inner_text() == "+0.014000"
        assert page.get_by_label("Time zone").count() == 0
        assert "UTC" not in page.locator(".xl-panel").inner_text()


def test_the_theme_follows_the_system_until_one_is_chosen(browser: Browser, pages: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with shown(browser, pages / "empty.html", color_scheme="dark") as page:
        dark = page.evaluate(ground)
        page.get_by_label("Theme").select_option("light")
        light = page.evaluate(ground)
        assert (light, dark) == ("rgb(255, 255, 255)", "rgb(16, 21, 27)")
        page.reload()
        assert page.evaluate(ground) == light, "it is remembered"
        page.get_by_label("Theme").select_option("auto")
        assert page.evaluate(ground) == dark


def test_a_screen_reader_finds_a_table_with_named_rows(browser: Browser, pages: Path) -> None:
    with shown(browser, pages / "sign_in.html") as page:
        session = page.context.new_cdp_session(page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        named = [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
        ]
        roles = [role for role, _ in named]
        assert roles.count("table") == 1
        assert roles.count("row") == 1 + 16 + 6
        assert roles.count("columnheader") == 8
        assert roles.count("rowheader") == 6
        assert (
            "row",
            "07:06:52.241123 user1 to Channel, INFO join, doubtful, retry, answered after 2.50 s, "
            "frame 36",
        ) in named
        assert ("status", "") in named
        assert ("heading", "Session 1: user1") in named
        assert next(name for role, name in named if role == "table").startswith("14 arrows")


def test_five_thousand_arrows_scroll_under_heads_and_beside_times_that_stay(
    browser: Browser, pages: Path
) -> None:
    with shown(browser, pages / "large.html", viewport={"width": 500, "height": 500}) as page:
        row, head = page.locator("#ladder-e0").bounding_box(), page.locator("thead th.l0")
        top = head.bounding_box()
        assert row is not None
        assert top is not None
        height = page.evaluate("document.querySelector('table').getBoundingClientRect().height")
        assert height == pytest.approx(5000 * row["height"], rel=0.01), "promised before drawn"
        page.evaluate("document.querySelector('.xl-scroll').scrollTo(150, 90000)")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
        under = "document.elementFromPoint(20, 400)"
        number = page.evaluate(f"{under}.closest('tr').id").removeprefix("ladder-e")
        assert 2000 < int(number) < 3000
        assert page.evaluate(f"{under}.closest('td').className") == "tm"
        moved = head.bounding_box()
        assert moved is not None
        assert (moved["x"], moved["y"]) == (top["x"] - 150, top["y"])
        press(page, "End")
        last = page.locator("#ladder-e4999").bounding_box()
        assert last is not None
        assert 0 < last["y"] < 500


def test_a_narrow_window_docks_the_panel_below_and_large_text_loses_nothing(
    browser: Browser, pages: Path
) -> None:
    with shown(browser, pages / "sign_in.html", viewport={"width": 600, "height": 900}) as page:
        press(page, "Enter")
        panel = page.locator(".xl-panel").bounding_box()
        row = page.locator(CURRENT).bounding_box()
        assert panel is not None
        assert row is not None
        assert panel["width"] == 600
        assert row["y"] + row["height"] <= panel["y"], "the panel does not cover its row"
        press(page, "Escape")
        page.evaluate("document.documentElement.style.fontSize = '32px'")
        clipped = page.evaluate(
            """[...document.querySelectorAll('tbody .tm, tbody .fr, tbody .la')]
               .filter((cell) => cell.scrollWidth > cell.clientWidth + 1
                              || cell.scrollHeight > cell.clientHeight + 1)
               .map((cell) => cell.textContent)"""
        )
        assert clipped == []


def test_without_script_the_ladder_is_drawn_and_offers_no_dead_controls(
    browser: Browser, pages: Path
) -> None:
    with opened(browser, pages / "sign_in.html", java_script_enabled=False) as found:
        assert found.page.get_by_role("button").count() == 0
        assert found.page.locator("tr.ev").count() == 16
        arrow = found.page.locator("#ladder-e0 .ar").bounding_box()
        lane = found.page.locator("th.l1").bounding_box()
        assert arrow is not None
        assert lane is not None
        assert arrow["x"] + arrow["width"] == pytest.approx(lane["x"] + lane["width"] / 2, abs=2)


def test_paper_has_the_table_and_not_the_controls(browser: Browser, pages: Path) -> None:
    with shown(browser, pages / "sign_in.html") as page:
        page.emulate_media(media="print", color_scheme="dark")
        assert page.get_by_role("button", name="Keys").count() == 0
        assert page.locator(".xl-tools").is_hidden()
        assert page.locator("#ladder-e15").is_visible()
        ground = page.evaluate("getComputedStyle(document.querySelector('.xl')).backgroundColor")
        assert ground == "rgb(255, 255, 255)"


def test_two_ladders_in_one_document_answer_their_own_keys(
    browser: Browser, tmp_path: Path
) -> None:
    from lxml import etree

    html = etree.Element("html")
    head, body = etree.SubElement(html, "head"), etree.SubElement(html, "body")
    etree.SubElement(head, "meta", charset="utf-8")
    etree.SubElement(head, "style").text = style()
    body.append(html_fragment(sign_in(), Look(), "one"))
    body.append(html_fragment(long(20), Look(), "two"))
    etree.SubElement(body, "script").text = script()
    path = tmp_path / "two.html"
    path.write_bytes(etree.tostring(html, method="html", doctype="<!DOCTYPE html>"))
    with shown(browser, path) as page:
        press(page, "j")
        assert page.locator("#one-e1.current").count() == 0, "no ladder has the focus"
        page.locator("#two-e3").click()
        press(page, "j")
        assert page.locator("#two .xl-panel h3").inner_text() == "INFO getpref 4"
        assert page.locator("#one .xl-panel").is_hidden()
        assert page.locator("#one-e0.current").count() == 1
