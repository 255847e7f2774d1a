"""Mermaid itself, as the judge of what is written for it: its script in a browser that is offline.

The script is that of the package mermaidx (the ``dev`` extra), the browser the Chromium of the
system. Both are started once for all documents of a test module.
"""

from __future__ import annotations

import importlib.util
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, Page

READ = """async texts => {
  const found = [];
  for (const text of texts) {
    try {
      const diagram = await mermaid.mermaidAPI.getDiagramFromText(text);
      const db = diagram.db;
      found.push({
        type: diagram.type,
        title: db.getDiagramTitle(),
        description: db.getAccDescription(),
        actors: [...db.getActors().values()].map(one => [one.name, one.description, one.type]),
        messages: db.getMessages().map(one => [one.type, one.from, one.to, one.message]),
      });
    } catch (error) {
      found.push({error: String(error)});
    }
  }
  return found;
}"""
DRAW = """async texts => {
  const found = [];
  for (const [number, text] of texts.entries()) {
    const {svg} = await mermaid.render("drawn" + number, text);
    document.body.innerHTML = svg;
    found.push({
      text: [...document.querySelectorAll("svg text")].map(one => one.textContent),
      names: [...new Set([...document.querySelectorAll("svg *")].map(one => one.localName))],
      width: document.querySelector("svg").viewBox.baseVal.width,
    });
  }
  return found;
}"""
# Numbers of the message types in Mermaid's sequenceDb (LINETYPE).
ARROWS = {0: "->>", 1: "-->>", 3: "-x", 4: "--x", 24: "-)"}
NOTE, RECT, END = 2, 22, 23


class Said(NamedTuple):
    """A message or a note of a diagram."""

    arrow: str
    """As it is written; ``note`` for a note."""
    source: str
    target: str
    lines: tuple[str, ...]


class Diagram(NamedTuple):
    """What Mermaid read."""

    title: str
    description: str
    actors: tuple[tuple[str, tuple[str, ...]], ...]
    """Id, and the lines of its name."""
    said: tuple[Said, ...]
    groups: int

    @property
    def arrows(self) -> list[Said]:
        """The messages, without notes."""
        return [one for one in self.said if one.arrow != "note"]


class Mermaid:
    """A page with Mermaid in it."""

    def __init__(self, page: Page, asked: list[str]) -> None:
        self._page = page
        self.asked = asked
        """Addresses that the page asked the network for."""

    @property
    def limit(self) -> int:
        """The characters of a document that Mermaid accepts by default."""
        return int(self._page.evaluate("mermaid.mermaidAPI.defaultConfig.maxTextSize"))

    def read(self, texts: Sequence[str]) -> list[Diagram]:
        """Return what Mermaid's own parser reads; fail on the first that it refuses."""
        found = self._page.evaluate(READ, list(texts))
        for text, one in zip(texts, found, strict=True):
            assert "error" not in one, f"{one['error']}\n{text}"
            assert one["type"] == "sequence"
        return [_diagram(one) for one in found]

    def draw(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return of each diagram as drawn its texts, the names of its elements and its width."""
        drawn: list[dict[str, Any]] = self._page.evaluate(DRAW, list(texts))
        return drawn


def _diagram(one: dict[str, Any]) -> Diagram:
    said = [
        Said(ARROWS.get(kind, "note"), source or "", target or "", _lines(message))
        for kind, source, target, message in one["messages"]
        if kind in ARROWS or kind == NOTE
    ]
    others = [kind for kind, *_ in one["messages"] if kind not in ARROWS and kind != NOTE]
    assert set(others) <= {RECT, END}, f"commands in the text: {others}"
    actors = tuple((name, _lines(shown)) for name, shown, _ in one["actors"])
    groups = others.count(RECT)
    return Diagram(_shown(one["title"]), _shown(one["description"]), actors, tuple(said), groups)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(_shown(line) for line in text.split("<br/>"))


def _shown(text: str) -> str:
    """Return a text as the reader sees it: Mermaid puts its entities in when it has drawn."""
    return re.sub("ﬂ°°(\\d+)¶ß", lambda found: chr(int(found[1])), text)


def _script() -> Path:
    spec = importlib.util.find_spec("mermaidx")
    if spec is None or spec.origin is None:
        pytest.fail("Mermaid is absent: pip install mermaidx (it is in the dev extra)")
    return Path(spec.origin).parent / "assets" / "mermaid.js"


@contextmanager
def mermaid(browser: Browser) -> Iterator[Mermaid]:
    """Give Mermaid in a browser, without a network."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content("<!doctype html><body></body>")
    page.add_script_tag(content=_script().read_text(encoding="utf-8"))
    page.evaluate("mermaid.initialize({startOnLoad: false})")
    yield Mermaid(page, asked)
    context.close()
