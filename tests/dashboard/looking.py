"""A page of the dashboard in a browser, and all that it did that a page should not do."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from axe_playwright_python.sync_playwright import Axe

from analyzer.dashboard.selection import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

PATIENCE_MS = 30_000
AXE = Axe()
OF_STREAMLIT = ("presentation-role-conflict: ['section']",)
"""Beginnings of what Streamlit's own parts are told for: its place for uploads has a role and a
name, and its button within is what a keyboard reaches."""
Scheme = Literal["light", "dark"]


@dataclass
class Look:
    """Somebody who looks at the dashboard."""

    page: Page
    address: str
    outside: list[str] = field(default_factory=list)
    """What the page asked others for, and did not get."""
    errors: list[str] = field(default_factory=list)
    """Errors of scripts, and errors on the console."""

    def misdeeds(self) -> list[str]:
        """Return all of them, and the fault that the page shows, if it does."""
        faults = self.page.locator('[data-testid="stException"]').all_inner_texts()
        return [*self.outside, *self.errors, *faults]

    def barriers(self) -> list[str]:
        """Return what keeps people out of the page, as axe-core judges it, in components too."""
        judged = AXE.run(self.page).response
        found = [
            f"{rule['id']}: {node['target']}: {node['html'][:200]}"
            for rule in judged["violations"]
            for node in rule["nodes"]
        ]
        return [one for one in found if not one.startswith(OF_STREAMLIT)]

    def open_sample(self, name: str) -> None:
        """Open a sample, by the link that the start page has."""
        self.page.goto(f"{self.address}/?{urlencode({'sample': name})}")
        self.page.wait_for_url("**case=*")
        self.settle()

    @property
    def selected(self) -> dict[str, str]:
        """Return what the address says."""
        return dict(parse_qsl(urlsplit(self.page.url).query))

    def go(self, **changes: str | None) -> None:
        """Go to an address like this one, with changes."""
        params = {key: value for key, value in (self.selected | changes).items() if value}
        self.page.goto(f"{self.address}/?{urlencode(params)}")
        self.settle()

    def turn_to(self, **changes: str | None) -> None:
        """Turn to an address like this one as the browser's "forward" does, without a new load."""
        params = {key: value for key, value in (self.selected | changes).items() if value}
        self.page.evaluate(
            """query => {
                history.pushState({}, "", query);
                dispatchEvent(new PopStateEvent("popstate", { state: {} }));
            }""",
            f"?{urlencode(params)}",
        )
        self.arrive(VIEWS[params.get("view", "overview")])

    def arrive(self, title: str) -> None:
        """Wait until a page is shown, by its title in the navigation."""
        if title == VIEWS["open"]:
            self.page.get_by_role("heading", name="Open a capture").wait_for()
        else:
            self.page.locator("nav a[aria-current=page]", has_text=title).wait_for()
        self.settle()

    def settle(self) -> None:
        """Wait until the page has drawn all it has to draw."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        self.page.wait_for_function(
            "() => !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')"
        )


@contextmanager
def looking(browser: Browser, address: str, **context: Any) -> Iterator[Look]:  # noqa: ANN401
    """Look at a dashboard; ``context``: ``color_scheme``, ``viewport`` and the like."""
    page = browser.new_context(**{"viewport": {"width": 1400, "height": 900}} | context).new_page()
    page.set_default_timeout(PATIENCE_MS)
    look = Look(page, address)

    def route(asked: Route) -> None:
        url = asked.request.url
        if url.startswith((address, "data:", "blob:")):
            asked.continue_()
        else:
            look.outside.append(url)
            asked.abort()

    def heard(said: ConsoleMessage) -> None:
        if said.type == "error":
            look.errors.append(said.text)

    page.route("**/*", route)
    page.on("pageerror", lambda error: look.errors.append(str(error)))
    page.on("console", heard)
    try:
        yield look
    finally:
        page.context.close()
