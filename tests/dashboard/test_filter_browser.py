"""The filter box in a browser: completion by keyboard and mouse, and how an error is shown.

The component alone is put into an empty page, as Streamlit puts it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyzer.dashboard.links import asset
from tests.support.browser import browser  # noqa: F401  (a fixture)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

MOUNT = """async ([script, style, data]) => {
  const host = document.querySelector("#host");
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  if (!shadow.querySelector(".filter")) {
    shadow.innerHTML = '<style></style><div class="xd filter"></div>';
    shadow.querySelector("style").textContent = style;
    globalThis.sent = [];
    globalThis.pressed = [];
    const note = (event) => pressed.push([event.key, event.defaultPrevented]);
    document.addEventListener("keydown", note);
  }
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  module.default({ data, parentElement: shadow, setTriggerValue: (_, value) => sent.push(value) });
}"""
WORDS = [["user", "in From or To", "ann"], ["command", "the XCCOS body has it", "join"]]
OFFERS = {
    "user": [["ann@contoso.com", "12"], ["<b>bob</b>@contoso.com", "3"]],
    "command": [["join", "4"], ["cmd:join", "2"], ["part", "1"]],
    "room": [["Sales EMEA", "1"], *([f"room {number}", "1"] for number in range(40))],
}


@dataclass
class Box:
    """The box in a page of its own."""

    page: Page

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("combobox", name="Filter")

    def options(self) -> list[str]:
        return [one.inner_text().split("\n")[0] for one in self.page.get_by_role("option").all()]

    def type(self, text: str) -> None:
        self.field.focus()
        self.field.press_sequentially(text)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def sent(self) -> list[str]:
        return [one["filter"] for one in self.page.evaluate("sent")]

    def told(self, **data: Any) -> None:  # noqa: ANN401
        """Give the box what the server gives it."""
        usual = {"text": "", "wrong": None, "count": "9 messages", "words": WORDS, "offers": OFFERS}
        style = "\n".join((asset("colours.css"), asset("filter.css")))
        self.page.evaluate(MOUNT, [asset("filter.js"), style, usual | {"most": 2000} | data])


@contextmanager
def _box(browser: Browser, **data: Any) -> Iterator[Box]:  # noqa: ANN401, F811
    with browser.new_context() as context:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.set_content('<main id="host"></main>')
        box = Box(page)
        box.told(**data)
        yield box
        assert faults == []


def test_words_and_then_values_are_completed_by_keyboard(browser: Browser) -> None:  # noqa: F811
    with _box(browser) as box:
        box.type("com")
        assert box.options() == ["command:"]
        assert box.field.get_attribute("aria-expanded") == "true"
        box.press("ArrowDown")
        chosen = box.page.get_by_role("option", selected=True)
        assert box.field.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
        box.press("Enter")
        assert box.field.input_value() == "command:"
        assert box.options() == ["join", "cmd:join", "part"]
        box.type("j")
        assert box.options() == ["join", "cmd:join"]
        box.press("ArrowDown", "ArrowDown", "Enter")
        assert box.field.input_value() == "command:cmd:join "
        assert box.field.get_attribute("aria-expanded") == "false"
        assert box.sent() == []
        box.press("Enter")
        assert box.sent() == ["command:cmd:join "]


def test_values_are_guessed_lists_are_cut_and_blanks_are_quoted(
    browser: Browser,  # noqa: F811
) -> None:
    with _box(browser) as box:
        box.type("-joi")
        assert box.options() == ["command:join"]
        box.page.get_by_role("option").first.click()
        assert box.field.input_value() == "-command:join "
        box.type("room:sal")
        box.press("ArrowDown", "Tab")
        assert box.field.input_value() == '-command:join room:"Sales EMEA" '
        box.type("room:")
        assert len(box.options()) == 12
        assert "29 more: type on" in box.page.get_by_role("listbox").inner_text()
        box.type('"Sales E')
        assert box.options() == ['"Sales EMEA"']


def test_escape_closes_the_list_and_nothing_else(browser: Browser) -> None:  # noqa: F811
    with _box(browser) as box:
        box.type("us")
        box.press("Escape")
        assert box.options() == []
        assert ["Escape", True] not in box.page.evaluate("pressed")
        assert "Escape" not in [key for key, _ in box.page.evaluate("pressed")]
        box.press("Escape")
        assert ["Escape", False] in box.page.evaluate("pressed")


def test_an_error_is_marked_in_its_place_and_mended_by_a_button(
    browser: Browser,  # noqa: F811
) -> None:
    wrong = {"at": 7, "length": 6, "sentence": "there is no word 'statsu'", "instead": "status",
             "mended": "user:😀 status:200"}  # fmt: skip
    with _box(browser, text="user:😀 statsu:200", wrong=wrong) as box:
        assert box.page.locator("mark").inner_text() == "statsu"
        assert "There is no word 'statsu'" in box.page.get_by_role("alert").inner_text()
        assert box.field.get_attribute("aria-invalid") == "true"
        box.page.get_by_role("button", name="use status").click()
        assert box.sent() == ["user:😀 status:200"]
        box.field.fill("user:ann")
        assert box.field.get_attribute("aria-invalid") == "false"
        box.told(text="user:ann", count="1 of 9 messages")
        assert box.page.locator("mark").count() == 0
        assert box.page.get_by_role("status").inner_text() == "1 of 9 messages"


def test_clear_applies_the_empty_filter_and_what_is_typed_survives_a_run(
    browser: Browser,  # noqa: F811
) -> None:
    with _box(browser, text="user:ann") as box:
        box.type(" part")
        box.told(text="user:ann", count="2 of 9 messages")
        assert box.field.input_value() == "user:ann part"
        box.page.get_by_role("button", name="Clear").click()
        assert box.sent() == [""]
        box.told(text="")
        assert box.page.get_by_role("button", name="Clear").count() == 0
        assert box.field.input_value() == ""


def test_values_of_a_capture_are_text(browser: Browser) -> None:  # noqa: F811
    with _box(browser) as box:
        box.type("user:")
        assert "<b>bob</b>@contoso.com" in box.options()
        assert box.page.get_by_role("option").locator("b").count() == 0
