"""Every page, in light and dark: drawn without an error, and a picture of it to be looked at.

The pictures lie in ``build/screens``; ``python -m tests.dashboard.test_screens`` writes those of
the manual (``docs/figures``).
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from analyzer.dashboard.selection import VIEWS
from tests.dashboard.looking import Look, looking
from tests.paths import ROOT
from tests.support.browser import browser  # noqa: F401  (a fixture)
from tests.support.dashboard import serving

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.dashboard.looking import Scheme

SCREENS = ROOT / "build" / "screens"
SAMPLE = "r2-post-full.pcap"
MESSAGE = "170"
COLOURS = 256
ELSEWHERE = """([here, there]) => {
    const within = (root) => {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_ALL);
        for (let one = texts.nextNode(); one; one = texts.nextNode()) {
            if (one.shadowRoot) within(one.shadowRoot);
            if (one.nodeType === 3) one.data = one.data.replaceAll(here, there);
        }
    };
    within(document.body);
}"""
"""Commands name a capture by its path: whose machine drew a picture is nobody's concern."""
PICTURE = {"width": 1280, "height": 760}
SETTLED_MS = 1_000
"""In which what was scrolled to is there."""
SIZE = {"width": 1400, "height": 900}
OF_SESSION = ("flow", "ladder", "replay")
"""Pages that are drawn of one session."""


def _shots(look: Look, folder: Path, scheme: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    look.open_sample(SAMPLE)
    for view in (*list(VIEWS)[1:], "open"):
        changes = {"session": "2" if view in OF_SESSION else None}
        changes["message"] = MESSAGE if view == "messages" else None
        look.turn_to(view=view, **changes)
        assert look.misdeeds() == [], view
        assert look.barriers() == [], view
        look.page.screenshot(path=folder / f"dashboard-{view}-{scheme}.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_drawn(browser: Browser, address: str, scheme: Scheme) -> None:  # noqa: F811
    with looking(browser, address, color_scheme=scheme, viewport=SIZE) as look:
        _shots(look, SCREENS, scheme)
    assert len([*SCREENS.glob(f"*-{scheme}.png")]) == len(VIEWS)


def test_barriers_within_components_are_seen(browser: Browser, address: str) -> None:  # noqa: F811
    with looking(browser, address) as look:
        look.open_sample(SAMPLE)
        assert look.barriers() == []
        heading = look.page.get_by_role("heading", name="What the capture is worth")
        heading.evaluate("one => one.append(new Image())")
        assert any(one.startswith("image-alt: [[") for one in look.barriers())


LOST, HEALTHY = "fault-503.pcap", "r2-post-full.pcap"
PICTURES: dict[str, tuple[str, dict[str, str]]] = {
    "overview": (LOST, {}),
    "sessions": (HEALTHY, {}),
    "flow": (HEALTHY, {"session": "2"}),
    "ladder": (LOST, {"session": "1", "message": "42"}),
    "commands": (HEALTHY, {}),
    "messages": (LOST, {"message": "42", "tab": "xccos"}),
    "topology": (HEALTHY, {}),
    "rooms": (HEALTHY, {}),
    "compare": (HEALTHY, {}),
    "findings": (LOST, {}),
    "export": (LOST, {"session": "1"}),
    "replay": (LOST, {"session": "1"}),
    "open": (LOST, {}),
}
"""Pages of the manual: of which sample, and what is selected in it."""


def _write(folder: Path) -> None:
    """Write the pictures of the manual."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    from tests.support.browser import chromium

    with sync_playwright() as playwright, serving() as served:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            with looking(started, served, color_scheme=scheme, viewport=PICTURE) as look:
                for view, (sample, selected) in PICTURES.items():
                    look.open_sample(sample)
                    look.turn_to(view=view, **selected)
                    look.page.wait_for_timeout(SETTLED_MS)
                    look.page.evaluate(ELSEWHERE, [str(ROOT / "samples"), "/captures"])
                    drawn = Image.open(BytesIO(look.page.screenshot()))
                    few = drawn.convert("RGB").quantize(COLOURS)  # a third of the size
                    few.save(folder / f"dashboard-{view}-{scheme}.png", optimize=True)
        started.close()


if __name__ == "__main__":
    _write(ROOT / "docs" / "figures")
