"""A real Chromium for tests of pages: one start for a module, and no network, on record.

A test module imports the fixture ``browser``; ``opened`` then gives a page of a file. Without a
Chromium the tests fail: that a page works in a browser cannot be left untested.

``python -m tests.support.browser`` exits with 1 where there is none.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import (
        Browser,
        ConsoleMessage,
        Dialog,
        Error,
        Page,
        Request,
        Route,
    )

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 10_000
"""A busy machine may take seconds for what takes milliseconds."""


@dataclass
class Opened:
    """A page in the browser, and all that it did that a page should not do."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """What it asked the network for, and did not get."""
    errors: list[str] = field(default_factory=list)
    """Errors of scripts, and errors and warnings on the console: content policy among them."""
    dialogs: list[str] = field(default_factory=list)

    def misdeeds(self) -> list[str]:
        """Return all of them."""
        return [*self.requests, *self.errors, *self.dialogs]


def chromium() -> str | None:
    """Return where Chromium is: that of the system, else the one that Playwright installed."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and _has_downloads():
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
        found = own if Path(own).is_file() else None
    return found


def _has_downloads() -> bool:
    """Tell whether Playwright downloaded a browser; its driver may need libraries it lacks."""
    downloads = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright"
    return Path(downloads).is_dir()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield the browser; it ends with the module: a process that talks to one has threads."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        pytest.fail(f"no Chromium to test pages with: none of {', '.join(NAMES)} is on the PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@cache
def _plain(browser: Browser) -> Page:
    """Return a page without options; to make one takes longer than most tests that need it."""
    return browser.new_context().new_page()


@contextmanager
def opened(browser: Browser, path: Path, **context: Any) -> Iterator[Opened]:  # noqa: ANN401
    """Open a file; ``context``: ``color_scheme``, ``viewport``, ``timezone_id`` and the like.

    Nothing that another test did to a page is left: neither its state nor what it stored.
    """
    page = browser.new_context(**context).new_page() if context else _plain(browser)
    page.set_default_timeout(PATIENCE_MS)
    found = Opened(page)
    watch = _Watch(found, path.resolve().as_uri())
    try:
        page.goto(path.resolve().as_uri())
        yield found
        if not context:
            page.emulate_media(media="null", color_scheme="null")
            page.evaluate("try { localStorage.clear() } catch {}")
    finally:
        watch.stop()
        if context:
            page.context.close()
        else:
            page.goto("about:blank")


class _Watch:
    """Notes what a page does, and lets it load itself and nothing else."""

    def __init__(self, found: Opened, own: str) -> None:
        self._found, self._own = found, own
        self._listeners: dict[Any, Any] = {
            "request": self._requested,
            "console": self._said,
            "pageerror": self._failed,
            "dialog": self._asked,
        }
        found.page.route("**/*", self._route)
        for event, listener in self._listeners.items():
            found.page.on(event, listener)

    def stop(self) -> None:
        for event, listener in self._listeners.items():
            self._found.page.remove_listener(event, listener)
        self._found.page.unroute("**/*")

    def _is_own(self, url: str) -> bool:
        return url.split("#")[0] == self._own or url.startswith("data:")

    def _route(self, asked: Route) -> None:
        if self._is_own(asked.request.url):
            asked.continue_()
        else:
            asked.abort()

    def _requested(self, request: Request) -> None:
        if not self._is_own(request.url):
            self._found.requests.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._found.errors.append(message.text)

    def _failed(self, error: Error) -> None:
        self._found.errors.append(str(error))

    def _asked(self, dialog: Dialog) -> None:
        self._found.dialogs.append(dialog.message)
        dialog.dismiss()


if __name__ == "__main__":
    sys.exit(chromium() is None)
