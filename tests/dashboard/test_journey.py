"""What somebody does whose post was lost, in a browser: from the capture to the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.dashboard.looking import looking
from tests.paths import SAMPLES
from tests.support.browser import browser  # noqa: F401  (a fixture)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.dashboard.looking import Look


def _upload(look: Look, name: str) -> None:
    look.page.goto(look.address)
    look.settle()
    look.page.set_input_files("input[type=file]", SAMPLES / name)
    look.page.get_by_role("button", name="Open 1 file").click()
    look.page.wait_for_url("**case=*")
    look.arrive("Overview")


def test_a_lost_post_is_followed_to_its_message(browser: Browser, address: str) -> None:  # noqa: F811
    with looking(browser, address) as look:
        page = look.page
        _upload(look, "fault-503.pcap")
        assert page.get_by_role("heading", name="Something is wrong").is_visible()

        page.get_by_role("link", name="the step that failed").click()
        look.arrive("Flow")
        page.get_by_text("answered 503").first.wait_for()

        page.get_by_role("link", name="57", exact=True).first.click()
        page.wait_for_url("**message=*")
        look.settle()
        page.locator(".st-key-dock").get_by_text("INFO grpchat").first.wait_for()
        selected = look.selected["message"]

        page.get_by_role("link", name="Ladder", exact=True).click()
        look.arrive("Ladder")
        assert look.selected["message"] == selected
        page.locator('[aria-selected="true"], [aria-current="true"]').first.wait_for()

        sent = page.url
        page.go_back()
        look.arrive("Flow")
        assert look.misdeeds() == []

    with looking(browser, address) as colleague:
        colleague.page.goto(sent)
        colleague.arrive("Ladder")
        colleague.page.locator(".st-key-dock").get_by_text("INFO grpchat").first.wait_for()
        assert colleague.misdeeds() == []


def test_the_ladder_is_taken_away_and_the_case_played_again(
    browser: Browser,  # noqa: F811
    address: str,
    tmp_path: Path,
) -> None:
    with looking(browser, address) as look:
        page = look.page
        look.open_sample("fault-503.pcap")
        look.turn_to(session="1")

        page.get_by_role("link", name="Take away", exact=True).click()
        look.arrive("Take away")
        page.get_by_role("button", name="Make it").click()
        with page.expect_download() as downloaded:
            page.get_by_role("button", name="Download").click()
        drawn = tmp_path / "ladder.svg"
        downloaded.value.save_as(drawn)
        assert downloaded.value.suggested_filename.endswith(".svg")
        assert "503 Service Unavailable" in drawn.read_text(encoding="utf-8")

        page.get_by_role("link", name="Replay", exact=True).click()
        look.arrive("Replay")
        page.get_by_role("button", name="Play", exact=True).click()
        page.get_by_text("Everything that the script expects came").wait_for()
        page.get_by_text("27 of 27 turns held").wait_for()

        page.get_by_role("link", name="compare the play with the recording").click()
        look.arrive("Compare")
        assert look.misdeeds() == []


def test_a_keyboard_stays_where_it_was_when_a_message_is_docked_and_closed(
    browser: Browser,  # noqa: F811
    address: str,
) -> None:
    focused = """() => {
        let one = document.activeElement;
        while (one.shadowRoot && one.shadowRoot.activeElement) one = one.shadowRoot.activeElement;
        return one.textContent.trim() === "57";
    }"""
    with looking(browser, address) as look:
        look.open_sample("fault-503.pcap")
        look.turn_to(view="flow", session="1")
        look.page.get_by_role("link", name="57", exact=True).first.focus()
        look.page.keyboard.press("Enter")
        look.page.wait_for_url("**message=*")
        look.page.locator(".st-key-dock").get_by_text("INFO grpchat").first.wait_for()
        look.page.wait_for_function(focused)

        look.page.locator(".st-key-dock").get_by_role("link", name="Close").focus()
        look.page.keyboard.press("Enter")
        look.page.locator(".st-key-dock").wait_for(state="detached")
        look.page.wait_for_function(focused)
        assert look.misdeeds() == []


def test_what_an_address_says_wrongly_is_told_as_text(browser: Browser, address: str) -> None:  # noqa: F811
    picture = "![a](http://elsewhere.example/x.png)"
    with looking(browser, address) as look:
        look.open_sample("fault-503.pcap")
        look.go(view=picture, session=picture, zone=picture)
        told = look.page.get_by_test_id("stAlert")
        told.get_by_text(f"there is no page '{picture}'").wait_for()
        told.get_by_text(f"There is no time zone '{picture}': times are in UTC.").wait_for()
        assert look.misdeeds() == []
