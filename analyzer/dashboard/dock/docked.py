"""The message that is selected, docked beside every page.

The rule: it opens, turns its parts and closes by the address alone, so that a link to it shows it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import streamlit as st
from lxml import etree

from analyzer.dashboard.dock.copies import draw_offers
from analyzer.dashboard.dock.head import CLOSED, Head
from analyzer.dashboard.dock.message import Docked
from analyzer.dashboard.dock.tabs import draw_tab, tab_of, tabs
from analyzer.dashboard.links import asset, follow
from analyzer.markup import add

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

    from analyzer.dashboard.desk import Desk

KEY, ESCAPE = "dock-message", "dock-escape"


def show(desk: Desk, row: int) -> None:
    """Draw a message."""
    docked = Docked(desk.case, row)
    made = etree.Element("article")
    made.set("class", "dock")
    made.set("aria-label", f"Message {row}")
    Head(desk, docked).draw(made)
    draw_offers(made, docked)
    chosen = tab_of(desk, docked)
    nav = add(made, "nav", "dock-tabs", aria_label="Parts of the message")
    for name, title in tabs(docked).items():
        link = add(nav, "a", "", title, href=desk.href(tab=name, part=None))
        if name == chosen:
            link.set("aria-current", "page")
    draw_tab(add(made, "section", "dock-part", aria_label=chosen), desk, docked, chosen)
    desk.draw(made, KEY)
    _escape(desk.href(**CLOSED))


@cache
def _listener() -> ComponentRenderer:
    return st.components.v2.component(
        "xccos-escape", html="<span hidden></span>", js=asset("dock.js")
    )


def _escape(href: str) -> None:
    """Have Escape close the message."""

    def went() -> None:
        follow(str(st.session_state[ESCAPE].get("go") or ""))

    _listener()(key=ESCAPE, data=href, on_go_change=went)
