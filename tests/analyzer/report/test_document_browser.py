"""The page in a real browser: filters, messages that open, links that lead there, and silence."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.analyzer.report.reports import SAMPLE, page
from tests.support.browser import Opened, browser, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

__all__ = ["browser"]

# One process starts it, not each.
pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.untraced]
ROWS = "#message-table > tbody > tr:not([hidden]):not(.opened)"
FILTER = "#messages .filter input[type=search]"
COUNT = "#messages .filter output"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of a sample, once."""
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(page(SAMPLE))
    return path


@pytest.fixture(scope="module")
def shared(browser: Browser, made: Path) -> Iterator[Opened]:
    """Open the report, once: a page with a ladder takes a second to open."""
    with opened(browser, made, viewport={"width": 1280, "height": 900}) as found:
        yield found


@pytest.fixture
def report(shared: Opened) -> Iterator[Opened]:
    """Give the report with no filter set; nothing that it does may be a misdeed."""
    shared.page.click("#messages .filter button")
    yield shared
    assert shared.misdeeds() == []


def test_the_table_is_filtered_with_a_live_count(report: Opened) -> None:
    shown = report.page
    expect(shown.locator(COUNT)).to_have_text("57 messages")
    shown.fill(FILTER, "info JOIN")
    expect(shown.locator(COUNT)).to_have_text("2 of 57 messages")
    expect(shown.locator(ROWS)).to_have_count(2)
    assert shown.get_attribute(COUNT, "aria-live") == "polite"
    shown.fill(FILTER, "/^\\d+ (57|59) /")
    expect(shown.locator(ROWS)).to_have_count(2)
    shown.fill(FILTER, "/(/")
    expect(shown.locator(ROWS)).to_have_count(0)
    shown.click("#messages .filter button")
    expect(shown.locator(ROWS)).to_have_count(57)
    shown.check("text=errors only")
    expect(shown.locator(ROWS)).to_have_count(1)
    expect(shown.locator(ROWS)).to_contain_text("503 Service Unavailable")


def test_a_message_opens_below_its_row_by_mouse_and_keyboard(report: Opened) -> None:
    shown = report.page
    shown.fill(FILTER, "cmd:join")
    expect(shown.locator(ROWS)).not_to_have_count(57)  # a row that is just going cannot be clicked
    shown.click(f"{ROWS} td:nth-child(6)")
    detail = shown.locator("#message-table tr.opened")
    expect(detail).to_contain_text("User-Agent")
    expect(detail).to_contain_text('id="cmd:join"')
    opener = shown.locator(f"{ROWS} .opener")
    assert opener.get_attribute("aria-expanded") == "true"
    opener.press("Enter")
    expect(detail).to_have_count(0)
    assert opener.get_attribute("aria-expanded") == "false"


def test_a_frame_leads_to_its_message_though_a_filter_hides_it(report: Opened) -> None:
    shown = report.page
    shown.fill(FILTER, "REGISTER")
    link = shown.locator("#finding-1 a.frame").first
    target = (link.get_attribute("href") or "")[1:]
    assert not shown.locator(f"#{target}").is_visible()
    link.click()
    row = shown.locator(f"#{target}")
    expect(row).to_be_in_viewport()
    expect(row).to_contain_class("here")
    expect(shown.locator(f"#{target} + tr.opened")).to_contain_text("grpchat")


def test_a_finding_leads_to_the_ladder_which_opens_it(report: Opened) -> None:
    shown = report.page
    shown.click("#finding-1 .to-ladder")
    expect(shown.locator("#ladder-1 .xl-panel")).to_contain_text("GC409")
    expect(shown.locator("#ladder-1 tr.ev.note.finding")).to_be_in_viewport()


def test_the_ladder_shows_the_messages_of_the_page(report: Opened) -> None:
    shown = report.page
    shown.locator("#ladder-1-e0").click()
    expect(shown.locator("#ladder-1 .xl-panel")).to_contain_text("SIP headers")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(
    report: Opened, scheme: Literal["light", "dark"]
) -> None:
    report.page.emulate_media(color_scheme=scheme)
    for selector in (".hint", ".badge.bad", ".badge.good", ".notice", "#m0 td", "a.frame"):
        assert report.page.evaluate(_CONTRAST, selector) >= 4.5, selector


def test_the_theme_can_be_turned(report: Opened) -> None:
    report.page.emulate_media(color_scheme="dark")
    for theme in ("light", "dark"):
        report.page.click("button.theme")
        assert report.page.evaluate("document.documentElement.dataset.theme") == theme
    report.page.evaluate("delete document.documentElement.dataset.theme")


_CONTRAST = """(selector) => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => {
    const [r, g, b] = numbers(text).slice(0, 3).map((one) => one / 255)
      .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const element = document.querySelector(selector);
  const ground = (one) => getComputedStyle(one).backgroundColor;
  let behind = element;
  while (behind.parentElement && /, 0\\)$/.test(ground(behind))) behind = behind.parentElement;
  const [one, other] = [getComputedStyle(element).color, ground(behind)].map(light)
    .sort((a, b) => b - a);
  return (one + 0.05) / (other + 0.05);
}"""


def test_without_script_the_page_is_whole(browser: Browser, made: Path) -> None:
    with opened(browser, made, java_script_enabled=False) as found:
        expect(found.page.locator(ROWS)).to_have_count(57)
        expect(found.page.locator("#finding-1")).to_be_visible()
        assert found.misdeeds() == []


def test_a_narrow_window_scrolls_tables_and_not_the_page(report: Opened) -> None:
    report.page.set_viewport_size({"width": 400, "height": 800})
    assert report.page.evaluate("document.documentElement.scrollWidth") <= 400
    report.page.set_viewport_size({"width": 1280, "height": 900})


def test_it_prints(report: Opened) -> None:
    pages = PdfReader(BytesIO(report.page.pdf(prefer_css_page_size=True))).pages
    texts = [one.extract_text() for one in pages]
    assert 6 < len(pages) < 14
    assert "fault-503" in texts[0] or "capture.pcap" in texts[0]
    assert not any("Contents" in text for text in texts)
    assert any(one.mediabox.width > one.mediabox.height for one in pages)
    whole = "\n".join(texts)
    assert "GC409" in whole
    assert "Slowest commands" in whole
    assert "Filter messages" not in whole
