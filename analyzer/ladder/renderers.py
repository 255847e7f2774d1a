"""The formats of ladders, each with what writes it. A renderer is imported when it is wanted."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from analyzer.ladder.look import Renderer


class Format(NamedTuple):
    """A format of ladders."""

    module: str
    function: str
    suffixes: tuple[str, ...]
    """The first is that of further pages."""
    text: bool
    """It is text that several pages of may stand one after the other."""
    binary: bool = False
    """It is not to be sent to a terminal."""


FORMATS: dict[str, Format] = {
    "txt": Format("analyzer.ladder.text", "render_text", (".txt",), text=True),
    "svg": Format("analyzer.ladder.svg", "render_svg", (".svg",), text=False),
    "html": Format("analyzer.ladder.html", "render_html", (".html", ".htm"), text=False),
    "png": Format("analyzer.ladder.png", "render_png", (".png",), text=False, binary=True),
    "pdf": Format("analyzer.ladder.pdf", "render_pdf", (".pdf",), text=False, binary=True),
    "mmd": Format("analyzer.ladder.mermaid", "render_mermaid", (".mmd", ".mermaid"), text=True),
    "puml": Format(
        "analyzer.ladder.plantuml", "render_plantuml", (".puml", ".plantuml"), text=True
    ),
}


def format_of_name(name: str) -> str | None:
    """Return the format that the suffix of a file's name asks for, or None."""
    suffix = Path(name).suffix.lower()
    return next((known for known, one in FORMATS.items() if suffix in one.suffixes), None)


def renderer_of(name: str) -> Renderer:
    """Return what writes a format. Raises KeyError for one that there is not.

    A renderer raises ``MissingExtra`` where what it draws with is not installed.
    """
    known = FORMATS[name]
    renderer: Renderer = getattr(import_module(known.module), known.function)
    return renderer
