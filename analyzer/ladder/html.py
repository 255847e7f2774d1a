"""The ladder as HTML: one offline file, or a part of a page that someone else writes.

Nothing in it asks the network for anything, and its content policy would not let it: script and
style are named by their hashes. Without the script it is a whole table; with it, it is searched,
filtered, collapsed and compared, and shows the messages behind the arrows.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from lxml import etree

from analyzer.export.printable import printable
from analyzer.ladder.html_data import ladder_record
from analyzer.ladder.html_details import Details, json_text, rows_of
from analyzer.ladder.html_links import Links
from analyzer.ladder.html_table import CHUNK, Element, Sheet, Table, add
from analyzer.ladder.look import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.ladder.look import Detail, Look
    from analyzer.ladder.values import Bracket, Ladder

SCRIPTS = (
    *("elements", "model", "messages", "rows", "map", "panel", "compare", "tools", "keys"),
    "start",
)
"""In this order: each uses only what stands before it."""
LANES = 24
"""Lanes that a style sheet knows unless it is told of more."""


def render_html(ladder: Ladder, look: Look, detail: Detail | None = None) -> Iterator[bytes]:
    """Yield the ladder as HTML documents, one for each page of ``look.page`` events.

    ``detail`` gives the message of a row (``analyzer.views.detail``); without it the page has the
    ladder and no messages.
    """
    before = None
    for number, page in enumerate(pages(ladder, look.page)):
        shown = page if page is ladder else _with_whole_brackets(page, ladder, number * look.page)
        yield _document(shown, look, detail, before)
        before = page.events[-1].time if page.events else None


def html_fragment(
    ladder: Ladder,
    look: Look,
    ids_prefix: str,
    *,
    detail: Detail | None = None,
    before: int | None = None,
) -> Element:
    """Return a ladder as a ``section`` for a page that has ``style()`` and ``script()``.

    ``ids_prefix`` begins every id in it: unique in the document, a letter first. All its events
    are in it, whatever ``look.page`` says. Messages that ``detail_elements`` put elsewhere in the
    same document are found too. ``before``: the time of the event before, on another page.
    """
    details = None if detail is None else Details(rows_of(ladder), detail)
    links = Links(ladder, {} if details is None else details.answers)
    lanes = len(ladder.lanes)
    section = etree.Element("section", id=ids_prefix)
    section.set("class", f"xl n{max(1, lanes)}{'' if lanes < 9 else ' many'}")
    section.set("aria-label", printable(ladder.title))
    head = add(section, "header", "xl-head")
    words = add(head, "div", "xl-words")
    add(words, "h2", "xl-title", printable(ladder.title))
    add(words, "p", "xl-sub", printable(ladder.subtitle))
    main = add(section, "div", "xl-main")
    scroll = add(main, "div", "xl-scroll", tabindex="0", role="region")
    scroll.set("aria-label", f"Ladder: {printable(ladder.title)}")
    scroll.append(Table(Sheet(ladder, look, ids_prefix, links, before)).element())
    _left_out(section, ladder, details)
    data = add(section, "script", "xl-data", type="application/json")
    data.text = json_text(ladder_record(ladder, look, links))
    for element in () if details is None else details.elements():
        section.append(element)
    return section


def detail_elements(rows: list[int], detail: Detail) -> list[Element]:
    """Return the messages of rows for all the ladders of a document, to be put into its body."""
    return list(Details(dict.fromkeys(rows), detail).elements())


@cache
def style(lanes: int = LANES) -> str:
    """Return the style sheet, for ladders of at most so many lanes.

    Every selector is below ``.xl``, but for the colours: properties of the root, ``--xl-…``.
    """
    dark = _asset("dark.css")
    places = [f".xl.n{n}{{--n:var(--xl-shown,{n})}}" for n in range(1, max(1, lanes) + 1)] + [
        f".xl .s{k}{{--s:var(--p{k},{k})}}.xl .e{k}{{--e:var(--p{k},{k})}}"
        f".xl .v{k}{{--v:var(--p{k},{k});display:var(--d{k},block)}}"
        f".xl .l{k}{{display:var(--d{k},flex)}}"
        for k in range(max(1, lanes))
    ]
    heights = [f".xl .r{rows}{{--rows:{rows}}}" for rows in range(1, CHUNK + 1)]
    return "\n".join(
        (
            _asset("colours.css"),
            f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}",
            f":root[data-theme=dark]{{{dark}}}",
            _asset("ladder.css"),
            _asset("panel.css"),
            _asset("print.css"),
            *places,
            *heights,
        )
    )


@cache
def script() -> str:
    """Return the script; it wakes up every ladder that is in the document."""
    parts = "\n".join(_asset(f"{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


def policy(styles: str, scripts: str) -> str:
    """Return a content security policy that lets a page use these two and nothing else."""
    return (
        f"default-src 'none'; script-src {_hash(scripts)}; style-src {_hash(styles)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return files("analyzer.ladder").joinpath("assets", name).read_text(encoding="utf-8")


def _document(ladder: Ladder, look: Look, detail: Detail | None, before: int | None) -> bytes:
    styles, scripts = style(max(LANES, len(ladder.lanes))), script()
    html = etree.Element("html", lang="en")
    if look.theme != "auto":
        html.set("data-theme", look.theme)
    head = add(html, "head")
    add(head, "meta", charset="utf-8")
    add(head, "meta", http_equiv="Content-Security-Policy", content=policy(styles, scripts))
    add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    add(head, "meta", name="referrer", content="no-referrer")
    add(head, "meta", name="generator", content="xccos-analyzer")
    add(head, "link", rel="icon", href="data:,")
    add(head, "title", text=printable(ladder.title))
    add(head, "style", text=styles)
    body = add(html, "body", "xl-page")
    section = html_fragment(ladder, look, "ladder", detail=detail, before=before)
    for title in section.iter("h2"):
        title.tag = "h1"
    body.append(section)
    add(body, "script", text=scripts)
    made: bytes = etree.tostring(html, method="html", encoding="utf-8", doctype="<!DOCTYPE html>")
    return made


def _left_out(section: Element, ladder: Ladder, details: Details | None) -> None:
    said = [*ladder.left_out]
    if details is not None and details.left_out:
        said.append(
            f"{details.left_out:,} messages are not in this page: it would be too large. Choose "
            "less of the capture to have them."
        )
    if said:
        listed = add(section, "ul", "xl-left")
        for sentence in said:
            add(listed, "li", text=printable(sentence))


def _with_whole_brackets(page: Ladder, ladder: Ladder, offset: int) -> Ladder:
    """Return a page with the brackets that begin and end on it.

    The others would begin or end at an event that they do not belong to.
    """
    end = offset + len(page.events)
    whole: list[Bracket] = []
    split = 0
    for one in ladder.brackets:
        if one.first >= offset and one.last < end:
            whole.append(replace(one, first=one.first - offset, last=one.last - offset))
        elif one.last >= offset and one.first < end:
            split += 1
    said = (f"{split:,} that belong together begin or end on another page.",) if split else ()
    return replace(page, brackets=tuple(whole), left_out=(*ladder.left_out, *said))
