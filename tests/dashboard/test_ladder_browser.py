"""The ladder of the dashboard in a browser: keyboard, mouse, what is compared, 50,000 rows.

The component alone is put into an empty page, as Streamlit puts it; how it goes together with the
page around it is tested on a served dashboard.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.dashboard.ladder.columns import STAMP, packed
from analyzer.dashboard.ladder.part import script, style
from analyzer.export.printable import printable
from analyzer.ladder.build import ladder_of
from analyzer.ladder.html_links import Links
from analyzer.ladder.html_words import spoken
from analyzer.ladder.look import Clock, Look
from analyzer.ladder.values import Arrow, Lane
from tests.analyzer.ladder.examples import BEGAN, CLIENT, FRONT_END, HOSTILE, LANES, arrow, sign_in
from tests.dashboard.looking import looking
from tests.support.browser import browser  # noqa: F401  (a fixture)
from tests.support.dashboard import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page, ViewportSize

    from analyzer.ladder.values import Ladder

MANY = 50_000
DRAWN = 120
"""Rows in the page at most: a window shows 20, and some around them."""
WIDE: ViewportSize = {"width": 1400, "height": 900}
MOUNT = """async ([script, style, data, told]) => {
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const host = document.querySelector("#host");
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  if (!shadow.querySelector(".xl-root")) {
    shadow.innerHTML = '<style></style><div class="xl-root"></div>';
    shadow.querySelector("style").textContent = style;
  }
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  xccosLadders.set("one", { ...xccosLadders.get("one"), told });
  const setTriggerValue = (name, value) => sent.push(value);
  module.default({ data: bytes, parentElement: shadow, setTriggerValue });
}"""


@dataclass
class Shown:
    """A ladder in a page of its own."""

    page: Page
    stamp: str
    faults: list[str]

    def rows(self) -> Locator:
        return self.page.locator(".xl tbody tr.ev")

    def row(self, label: str) -> Locator:
        return self.rows().filter(has_text=label).first

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def focused(self) -> str:
        """Return what a screen reader says of the row that has the focus."""
        where = "document.querySelector('#host').shadowRoot.activeElement"
        return str(self.page.evaluate(f"{where}?.getAttribute('aria-label') ?? ''"))

    def sent(self) -> list[Any]:
        found: list[Any] = self.page.evaluate("globalThis.sent")
        return found

    def tell(self, **told: Any) -> None:  # noqa: ANN401
        """Tell the ladder what is selected, as the component beside it does."""
        whole = _told(self.stamp, **told)
        self.page.evaluate("told => xccosLadders.get('one').board.tell(told)", whole)

    def status(self) -> str:
        return self.page.locator(".xl-status").inner_text()


def _told(stamp: str, **told: Any) -> dict[str, Any]:  # noqa: ANN401
    hrefs = {"messages": "?view=messages", "findings": "?view=findings"}
    usual = {"row": None, "marks": [], "records": {}, "hrefs": hrefs, "zone": [[0, 0, "UTC"]]}
    return {"name": "one", "stamp": stamp, "live": False} | usual | told


def _mount(page: Page, ladder: Ladder, **told: Any) -> str:  # noqa: ANN401
    data = packed(ladder)
    stamp = data[:STAMP].decode()
    coded = b64encode(b"one\n" + data).decode()
    page.evaluate(MOUNT, [script(), style(), coded, _told(stamp, **told)])
    return stamp


@contextmanager
def shown(
    browser: Browser,  # noqa: F811
    ladder: Ladder,
    told: dict[str, Any] | None = None,
    **context: Any,  # noqa: ANN401
) -> Iterator[Shown]:
    page = browser.new_context(viewport=WIDE, **context).new_page() if context else _plain(browser)
    page.set_default_timeout(10_000)
    faults: list[str] = []
    watched: dict[Any, Any] = {
        "pageerror": lambda error: faults.append(str(error)),
        "console": lambda said: faults.extend([said.text] if said.type == "error" else []),
        "dialog": lambda asked: asked.dismiss(),
    }
    for event, heard in watched.items():
        page.on(event, heard)
    page.goto("about:blank")
    page.set_content('<!DOCTYPE html><body style="margin:0"><div id="host"></div></body>')
    page.evaluate("globalThis.sent = []; globalThis.xccosLadders = new Map()")
    yield Shown(page, _mount(page, ladder, **(told or {})), faults)
    assert faults == []
    for event, heard in watched.items():
        page.remove_listener(event, heard)
    if context:
        page.context.close()


@cache
def _plain(browser: Browser) -> Page:  # noqa: F811
    """Return the page of most tests: to make one takes longer than they do."""
    return browser.new_context(viewport=WIDE).new_page()


@cache
def _long(count: int, lanes: tuple[Lane, ...] = LANES) -> Ladder:
    """Return a ladder of a request and its answer over and over, each hundredth refused."""
    events = []
    for number in range(count):
        bad = number % 100 == 99
        label = "503 Service Unavailable" if bad else f"INFO {number}"
        way = (FRONT_END, CLIENT) if number % 2 else (CLIENT, FRONT_END)
        events.append(arrow(number, *way, label, number, tone="bad" if bad else "plain"))
    return replace(sign_in(), lanes=lanes, events=tuple(events), groups=(), brackets=())


def test_rows_say_what_those_of_the_page_without_script_say(browser: Browser) -> None:  # noqa: F811
    case = opened("samples/fault-503.pcap")
    ladder = ladder_of(case.trace)
    links, clock = Links(ladder), Clock(ladder, Look())
    said = [
        spoken(event, ladder.lanes, links.of(number), clock.text(event.time, None))
        for number, event in enumerate(ladder.events)
    ]
    with shown(browser, ladder) as one:
        one.page.set_viewport_size({"width": 1400, "height": 6_000})
        one.page.wait_for_function(
            "count => document.querySelector('#host').shadowRoot"
            ".querySelectorAll('tr.ev').length === count",
            arg=len(said),
        )
        labels = one.rows().evaluate_all("rows => rows.map((row) => row.ariaLabel)")
        one.page.set_viewport_size(WIDE)
        assert labels == said
    assert any("problem" in sentence and "answered" not in sentence for sentence in said)


def test_of_fifty_thousand_rows_those_in_view_are_in_the_page(browser: Browser) -> None:  # noqa: F811
    with shown(browser, _long(MANY)) as one:
        assert 10 < one.rows().count() < DRAWN
        table = one.page.get_by_role("grid")
        assert table.get_attribute("aria-rowcount") == str(MANY + 1)
        one.rows().first.focus()
        one.press("End")
        last = one.rows().last
        assert last.get_attribute("aria-rowindex") == str(MANY + 1)
        assert "503 Service Unavailable" in one.focused()
        assert one.rows().count() < DRAWN
        one.page.evaluate(
            "document.querySelector('#host').shadowRoot.querySelector('.xl-scroll').scrollTop = 9e5"
        )
        one.page.wait_for_function(
            "() => [...document.querySelector('#host').shadowRoot.querySelectorAll('tbody tr')]"
            ".some((row) => row.getAttribute('aria-rowindex') === '25010')"
        )
        assert one.rows().count() < DRAWN


def test_the_row_with_the_focus_stays_in_the_page_while_others_scroll_by(
    browser: Browser,  # noqa: F811
) -> None:
    with shown(browser, _long(3_000)) as one:
        one.rows().first.focus()
        one.page.mouse.move(700, 500)
        one.page.mouse.wheel(0, 40_000)
        one.row("INFO 1115").wait_for()
        assert "INFO 0" in one.focused()
        one.press("ArrowDown")
        assert "INFO 1," in one.focused()


def test_keys_move_open_and_go_to_problems(browser: Browser) -> None:  # noqa: F811
    with shown(browser, _long(400)) as one:
        one.rows().first.focus()
        one.press("ArrowDown", "j", "k")
        assert "INFO 1," in one.focused()
        one.press("n")
        assert "problem" in one.focused()
        assert "frame 208" in one.focused()
        one.press("n", "n", "p")
        assert "frame 408" in one.focused()
        one.press("Home", "PageDown")
        moved = one.focused()
        assert "INFO 0" not in moved
        one.press("PageUp")
        assert "INFO 0" in one.focused()
        one.press("Enter")
        assert one.sent() == [{"message": 0}]
        one.press("?")
        one.page.get_by_role("dialog", name="Keys").wait_for()
        one.press("Escape")
        assert "INFO 0" in one.focused()


def test_an_open_message_follows_the_highlight_when_it_rests(browser: Browser) -> None:  # noqa: F811
    with shown(browser, _long(400)) as one:
        one.rows().first.focus()
        one.press("Enter")
        one.tell(row=0)
        one.press("ArrowDown", "ArrowDown", "ArrowDown")
        one.page.wait_for_function("globalThis.sent.length > 1")
        assert one.sent()[1:] == [{"message": 3}]
        one.press("Escape")
        assert one.sent()[-1] == {"message": None}


def test_two_marked_rows_are_compared_field_by_field(browser: Browser) -> None:  # noqa: F811
    with shown(browser, _long(50)) as one:
        one.rows().first.focus()
        one.press(" ", "ArrowDown", "ArrowDown", " ")
        dialog = one.page.get_by_role("dialog", name="Two messages compared")
        dialog.wait_for()
        assert one.sent() == [{"marks": [0, 2]}]
        record = {"start": "INFO sip:a SIP/2.0", "body": "", "document": None}
        records = {
            str(row): {**record, "headers": [["Call-ID", "c1"], ["CSeq", f"{row} INFO"]]}
            for row in (0, 2)
        }
        one.tell(marks=[0, 2], records=records)
        heading = dialog.get_by_role("heading").inner_text()
        assert heading == "1 line of 5 differ, 2.00 ms apart"
        assert "user1 → Front End" in dialog.locator("thead").inner_text()
        assert dialog.locator("tr.xl-differs mark").all_inner_texts() == ["0", "2"]
        one.press("Escape")
        one.page.wait_for_function("globalThis.sent.at(-1).marks === null")


def test_what_is_selected_elsewhere_is_scrolled_to_and_said(browser: Browser) -> None:  # noqa: F811
    with shown(browser, _long(5_000), {"row": 4_321}) as one:
        chosen = one.page.locator(".xl tr.chosen")
        assert chosen.get_attribute("aria-selected") == "true"
        assert "INFO 4321" in chosen.inner_text()
        one.tell(row=17)
        assert "INFO 17" in chosen.inner_text()
        assert chosen.is_visible()
        assert one.sent() == []


def test_a_ladder_made_anew_shows_what_is_selected(browser: Browser) -> None:  # noqa: F811
    with shown(browser, _long(5_000), {"row": 4_321}) as one:
        _mount(one.page, _long(4_900), row=4_321)
        chosen = one.page.locator(".xl tr.chosen")
        assert "INFO 4321" in chosen.inner_text()
        assert (
            one.page.evaluate("row => row.getBoundingClientRect().top", chosen.element_handle()) > 0
        )
        assert one.rows().count() < DRAWN


def test_a_search_marks_and_filters_rows(browser: Browser) -> None:  # noqa: F811
    with shown(browser, _long(1_000)) as one:
        one.rows().first.focus()
        one.press("f")
        one.page.keyboard.type("/INFO 7[0-4]\\b/")
        one.page.keyboard.press("Enter")
        one.page.locator(".xl-count", has_text="5").wait_for()
        one.page.get_by_label("only matches").check()
        assert one.rows().count() == 5
        assert one.status() == "5 of 1,000 rows, 5 matches"
        one.page.get_by_label("Search in the rows").press("Escape")
        one.page.locator(".xl-status", has_text="1,000 rows").wait_for()


def test_what_is_chosen_in_a_ladder_is_told_to_the_address(browser: Browser) -> None:  # noqa: F811
    with shown(browser, _long(40), {"look": {}}) as one:
        one.rows().first.focus()
        one.press("f")
        one.page.keyboard.type("INFO 7")
        one.page.wait_for_function("globalThis.sent.length")
        assert one.sent() == [{"look": {"find": "INFO 7"}}], "once, not letter by letter"
        one.tell(look={"find": "INFO 7"})
        one.page.locator(".xl-search").fill("INFO 8")
        one.page.wait_for_function("xccosLadders.get('one').board.model.query === 'INFO 8'")
        one.tell(look={"find": "INFO 7"})  # the page is behind what is typed
        assert one.page.locator(".xl-search").input_value() == "INFO 8"
        one.press("Tab")
        one.rows().first.focus()
        one.press("t", "Enter")
        look = {"find": "INFO 8", "times": "relative"}
        assert one.sent()[-1] == {"message": 0, "look": look}, "a click takes along what is new"
        one.tell(row=0, look=look)
        one.page.get_by_role("button", name="Hide lane user1").click()
        one.page.wait_for_function("globalThis.sent.at(-1).look?.nolanes")
        assert one.sent()[-1]["look"] == look | {"nolanes": "user1"}


def test_an_address_says_how_a_ladder_is_shown(browser: Browser) -> None:  # noqa: F811
    look = {"find": "INFO 7", "only": "matches", "times": "delta"}
    with shown(browser, _long(40), {"look": look}) as one:
        assert one.status() == "1 of 40 rows, 1 match"
        assert one.page.get_by_label("Times", exact=True).input_value() == "delta"
        one.tell(look={})  # as with the browser's "back"
        assert one.status() == "40 rows"
        assert one.page.locator(".xl-search").input_value() == ""
        one.tell(look={"lanes": "<b>nobody</b>", "times": "<img src=x>", "find": "("})
        assert one.page.locator(".xl-status").inner_text() == "40 rows, 0 matches"
        lanes = one.page.evaluate("xccosLadders.get('one').board.model.lanes.length")
        assert one.page.locator("thead th.ln").count() == lanes
        kinds = one.page.evaluate(
            "xccosLadders.get('one').board.model.methods().map(([name]) => name).join()"
        )
        one.tell(look={"lanes": "user1,Front End", "nokinds": kinds})
        one.page.locator(".xl-status", has_text="0 of 40 rows").wait_for()
        one.page.wait_for_timeout(600)
        assert one.sent() == [], "what was heard is not said again"


def test_clients_beyond_a_few_share_a_lane_until_somebody_wants_them_apart(
    browser: Browser,  # noqa: F811
) -> None:
    clients = tuple(Lane(f"client-{n}", "client", f"user{n}") for n in range(1, 13))
    ladder = _long(60, (*LANES, *clients))
    with shown(browser, ladder) as one:
        heads = one.page.locator(".xl thead th.ln")
        assert heads.count() == 5
        assert "13 clients" in heads.first.inner_text()
        assert "user1" in one.rows().first.inner_text()
        one.page.get_by_text("Lanes", exact=True).click()
        one.page.get_by_label("all clients in one lane").uncheck()
        assert heads.count() == len(ladder.lanes)
        one.page.get_by_role("button", name="Only those of this row").click()
        assert heads.count() == 2


def test_steps_collapse_and_repeats_unfold(browser: Browser) -> None:  # noqa: F811
    with shown(browser, sign_in()) as one:
        before = one.rows().count()
        one.page.locator(".xl tr.gr").first.click()
        assert one.rows().count() < before
        assert "folded" in one.page.locator(".xl tr.gr").first.inner_text()
        one.page.locator(".xl tr.gr").first.click()
        one.row("SUBSCRIBE ×4").focus()
        one.press("x")
        assert one.page.locator(".xl tr.sub").count() == 4  # three repeats, and the answer


def test_nothing_of_a_capture_becomes_markup(browser: Browser) -> None:  # noqa: F811
    event = arrow(0, CLIENT, FRONT_END, HOSTILE, 0, marks=(HOSTILE,), call_id=HOSTILE)
    lanes = tuple(replace(lane, title=HOSTILE, subtitle=HOSTILE) for lane in LANES)
    ladder = replace(sign_in(), lanes=lanes, title=HOSTILE, subtitle=HOSTILE, left_out=(HOSTILE,))
    ladder = replace(ladder, events=(event, *ladder.events[1:]))
    with shown(browser, ladder) as one:
        assert one.page.locator("#host script").count() == 0
        assert one.page.locator("#host img").count() == 0
        assert "<script>alert('x')</script>" in one.rows().first.inner_text()
        one.rows().first.focus()
        one.press(" ", "ArrowDown", " ")
        one.page.get_by_role("dialog", name="Two messages compared").wait_for()


def test_a_live_ladder_grows_and_stays_at_its_end(browser: Browser) -> None:  # noqa: F811
    with shown(browser, _long(100), {"live": True}) as one:
        one.rows().first.focus()
        one.press("t", "End")
        _mount(one.page, _long(130), live=True)
        one.row("INFO 128").wait_for()
        assert one.row("INFO 128").is_visible()
        assert one.page.get_by_label("Times", exact=True).input_value() == "relative"
        one.rows().first.focus()
        one.press("Home")
        one.page.wait_for_function(
            "document.querySelector('#host').shadowRoot.querySelector('.xl-scroll').scrollTop === 0"
        )
        _mount(one.page, _long(160), live=True)
        one.page.locator(".xl-status", has_text="160 rows").wait_for()
        assert one.row("INFO 0").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_whole_at_five_hundred_pixels_and_at_double_size(
    browser: Browser,  # noqa: F811
    scheme: str,
) -> None:
    with shown(browser, sign_in(), color_scheme=scheme) as one:
        one.page.add_style_tag(content=":root{font-size:200%}")
        one.page.set_viewport_size({"width": 500, "height": 900})
        width = "document.documentElement.scrollWidth <= innerWidth"
        one.page.wait_for_function(width)
        row, label = one.rows().first, one.rows().first.locator(".lb")
        assert row.bounding_box()["height"] >= 2 * label.bounding_box()["height"] * 0.8  # type: ignore[index]
        one.page.get_by_role("button", name="☰ Tools").click()
        assert one.page.get_by_label("Search in the rows").is_visible()


def test_an_empty_ladder_says_so(browser: Browser) -> None:  # noqa: F811
    empty = replace(sign_in(), lanes=(), events=(), groups=(), brackets=())
    with shown(browser, empty) as one:
        assert "No messages." in one.page.locator(".xl tbody").inner_text()


def test_columns_give_back_every_event(browser: Browser) -> None:  # noqa: F811
    ladder = sign_in()
    with shown(browser, ladder) as one:
        found = one.page.evaluate(
            "xccosLadders.get('one').board.model.events"
            ".map(({ label, text, time, frames, tone }) => [label, text, time, frames, tone])"
        )
    given = [
        [printable(one.label), printable(one.text), one.time - BEGAN, [*one.frames], one.tone]
        for one in ladder.events
    ]
    assert found == given
    assert any(isinstance(one, Arrow) and one.hops for one in ladder.events)


def test_the_page_around_it_shows_what_is_chosen(browser: Browser, address: str) -> None:  # noqa: F811
    with looking(browser, address) as look:
        look.open_sample("fault-503.pcap")
        look.go(view="ladder")
        first = look.page.locator(".xl tbody tr.ev").first
        first.wait_for()
        first.click()
        look.page.wait_for_url("**message=*")
        look.page.locator(".st-key-dock").wait_for()
        look.settle()
        look.page.locator(".xl tr.chosen").wait_for()
        row = look.selected["message"]
        look.page.keyboard.press("ArrowDown")
        look.page.wait_for_function("row => !location.search.endsWith(`message=${row}`)", arg=row)
        look.settle()
        assert look.selected["message"] != row
        look.page.keyboard.press("r")  # a key of Streamlit's own, where the ladder is not
        look.page.keyboard.press("n")
        look.page.locator(".xl tr.current.bad").wait_for()
        assert look.misdeeds() == []
