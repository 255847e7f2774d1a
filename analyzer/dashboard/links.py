"""Markup with links, in the page: the component that most of the dashboard is written with.

The rule: links are addresses of this dashboard (``Selection.href``); a click changes what is
selected without loading the page anew, and the link can still be copied or opened beside.

In the markup, besides links: ``<button data-copy="TEXT">`` copies a text, ``<tr data-href="?...">``
makes a row a link (its first link says the same to keyboards), ``data-selected`` on an element has
it scrolled into view, ``data-keys`` on a table lets the arrow keys go from row to row.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import streamlit as st
from lxml import etree

from analyzer.dashboard.charts.ahead import ahead

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

    from analyzer.markup import Element

MAX_LINK = 8_000


@cache
def asset(name: str) -> str:
    """Return a style sheet or script of the dashboard."""
    return files("analyzer.dashboard").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _component() -> ComponentRenderer:
    sheets = [asset("colours.css"), asset("markup.css"), *_pages()]
    return st.components.v2.component(
        "xccos-links",
        html='<div class="xd" part="root"></div>',
        css="\n".join(sheets),
        js=asset("links.js") + ahead(),
    )


def _pages() -> list[str]:
    """Return the style sheets of single pages."""
    folder = files("analyzer.dashboard").joinpath("assets", "pages")
    return [
        one.read_text(encoding="utf-8")
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".css")
    ]


def draw(element: Element, key: str) -> None:
    """Draw markup; a click on a link in it changes the address, and with it what is selected.

    ``key`` is unique in the page and stays the same while the markup stands for the same thing.
    """
    text = etree.tostring(element, method="html", encoding="unicode")

    def went() -> None:
        follow(str(st.session_state[key].get("go") or ""))

    _component()(key=key, data=text, on_go_change=went)


def follow(href: str) -> None:
    """Go where a link leads: ``?view=ladder&session=2``."""
    if href.startswith("?") and len(href) <= MAX_LINK:
        st.query_params.from_dict(dict(parse_qsl(href[1:])))
