"""The filter box: a field that completes words and values, and marks the place of an error."""

from __future__ import annotations

import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

import streamlit as st
from lxml import etree

from analyzer.dashboard.links import asset
from analyzer.dashboard.selection import MAX_VALUE
from analyzer.filters.command_line import command_line
from analyzer.filters.offers import offers_of
from analyzer.filters.words import WORDS
from analyzer.markup import Column, add, coded, say, table

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.desk import Desk
    from analyzer.filters.command_line import List
    from analyzer.filters.lexing import FilterError
    from analyzer.filters.offers import Offer
    from analyzer.filters.parse import Filter
    from analyzer.markup import Element

KEY = "filter-box"
RULES = (
    "Several values of one word mean any of them (status:401,407, or the word again); different "
    "words mean all of them.",
    "A minus or not in front negates: -method:REGISTER.",
    'Words without a name, and "quoted phrases", are looked for anywhere in the message and in '
    "what its body says when it is decoded; all of them must be there.",
    "Case does not matter, but in a Call-ID. Times are in the zone of the page.",
)


def draw_box(desk: Desk, wanted: Filter | None, wrong: FilterError | None, shown: int) -> None:
    """Draw the box over a page; ``shown`` messages are let through."""

    def went() -> None:
        text = st.session_state[KEY].get("go")
        if isinstance(text, dict) and isinstance(text.get("filter"), str):
            wanted_text = text["filter"].strip()[:MAX_VALUE]
            desk.go(filter=wanted_text, page=None, at=None, part=None)

    data = {
        "text": desk.selection.filter,
        "wrong": None if wrong is None else _wrong(desk.selection.filter, wrong),
        "count": _count(desk, shown),
        "words": [[one.name, one.means, ", ".join(one.examples)] for one in WORDS],
        "offers": offers(desk.case),
        "most": MAX_VALUE,
    }
    _component()(key=KEY, data=data, on_go_change=went)
    made = etree.Element("div")
    made.set("class", "filter-about")
    _command(made, desk, wanted)
    _help(made)
    desk.draw(made, "filter-about")


def offers(case: Case) -> dict[str, list[Offer]]:
    """Return what the box offers behind each word."""
    return case.once("filter offers", lambda: offers_of(case))


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "xccos-filter",
        html='<div class="xd filter"></div>',
        css="\n".join((asset("colours.css"), asset("filter.css"))),
        js=asset("filter.js"),
    )


def _wrong(text: str, error: FilterError) -> dict[str, Any]:
    return {
        "at": error.at,
        "length": error.length,
        "sentence": error.sentence,
        "instead": error.instead,
        "mended": error.mended(text),
    }


def _count(desk: Desk, shown: int) -> str:
    """Return ``412 of 48,130 messages``."""
    total = len(desk.case.trace.rows)
    noun = "message" if total == 1 else "messages"
    of = f"{total:,} {noun}" if shown == total else f"{shown:,} of {total:,} {noun}"
    session = desk.selection.session
    return of if session is None else f"{of}, session {session + 1} alone"


def _command(made: Element, desk: Desk, wanted: Filter | None) -> None:
    """Add the command that says the same, to be copied."""
    if wanted is None or desk.selection.session is not None:
        return
    trace = desk.case.trace
    listed: List = "commands" if desk.selection.view == "commands" else "messages"
    text = command_line(wanted.terms, desk.case.words, desk.zone, trace.began or 0, listed)
    if text is None:
        return
    if desk.case.key_words:
        text += f" {shlex.join(desk.case.key_words)}"
    line = add(made, "p", "filter-command")
    add(line, "span", "soft", "In a terminal: ")
    add(line, "code", text=text)
    say(line, " ")
    add(line, "button", "", "copy", type="button", data_copy=text)


def _help(made: Element) -> None:
    """Add the words of the language."""
    box = add(made, "details", "", id="filter-help")
    add(box, "summary", text="What can be typed here")
    listed = add(box, "ul")
    for rule in RULES:
        add(listed, "li", text=rule)
    rows = (
        (
            coded(f"{one.name}:"),
            one.means,
            coded(" ".join(f"{one.name}:{example}" for example in one.examples)),
            ", ".join(one.aliases),
        )
        for one in WORDS
    )
    columns = (Column("word"), Column("means", "wide"), Column("such as"), Column("also", "wide"))
    table(box, "Words of the filter", columns, rows)
