"""The page with the ladder: of one session, or of the whole capture part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from lxml import etree

from analyzer.dashboard.filtering.shown import chosen_rows
from analyzer.dashboard.ladder.choice import (
    MAX_HIDDEN,
    WHOLE,
    hidden,
    hideable,
    is_on,
    part_of,
    switched,
)
from analyzer.dashboard.ladder.part import draw_ladder
from analyzer.ladder.build import MAX_EVENTS
from analyzer.ladder.look import Look
from analyzer.markup import add, say
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.ladder.choice import Part

SWITCHES = (
    ("fold", "Fold repeats", "What says the same many times stands once: getpref ×12"),
    ("answers", "Fold answers", "The SIP answers of success go into the arrows of their requests"),
    ("hops", "Each hop", "A message seen on several hops is drawn on each, not as one arrow"),
)


def show(desk: Desk) -> None:
    """Draw the page."""
    _options(desk)
    try:
        with st.spinner("Drawing the ladder", show_time=True):
            part = part_of(desk.case, desk.selection, chosen_rows(desk))
    except ValueError as error:
        _say(desk, str(error))
        return
    if part.first and desk.selection.more.get("part") != str(part.number):
        # Whoever closes the message stays in its part.
        desk.go(part=part.number)
        desk.selection = desk.selection.but(part=part.number)
    _where(desk, part)
    draw_ladder(desk, part.ladder, Look(zone=desk.zone), "ladder")


def _options(desk: Desk) -> None:
    """Draw what changes which arrows there are; its values stand in the address."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        for switch, label, about in SWITCHES:
            _switch(desk, switch, label, about)
        _left_out(desk)


def _switch(desk: Desk, switch: str, label: str, about: str) -> None:
    key = f"ladder-{switch}"

    def changed() -> None:
        desk.go(**{switch: switched(switch, on=st.session_state[key]), "part": _part(desk)})

    st.session_state[key] = is_on(desk.selection, switch)
    st.toggle(label, key=key, on_change=changed, help=about)


def _left_out(desk: Desk) -> None:
    chosen = [*hidden(desk.selection)]
    names = [*dict.fromkeys((*hideable(desk.case), *chosen))]

    def changed() -> None:
        desk.go(hide=",".join(st.session_state["ladder-hide"]) or None)

    st.session_state["ladder-hide"] = chosen
    st.multiselect(
        "Leave out methods and commands",
        names,
        key="ladder-hide",
        on_change=changed,
        max_selections=MAX_HIDDEN,
        placeholder="Leave out methods, commands",
        label_visibility="collapsed",
    )


def _part(desk: Desk) -> str | None:
    return desk.selection.more.get("part")


def _where(desk: Desk, part: Part) -> None:
    """Say which part of what was chosen is drawn, and lead to the rest."""
    if part.lacks:
        made = etree.Element("p")
        say(made, "The selected message is not in this ladder: ")
        whole = desk.href(session=None, filter="", hide=None, part=None)
        add(made, "a", "", "show it in that of the whole capture", href=whole)
        desk.draw(made, "ladder-lacks")
    if part.end - part.first >= part.total and not part.first:
        return
    made = etree.Element("nav", attrib={"aria-label": "Parts of the ladder"})
    text = f"Messages {part.first + 1:,} to {part.end:,} of {part.total:,}. "
    add(made, "span", "soft", text)
    if part.first:
        before = desk.href(part=part.number - 1, message=None)
        add(made, "a", "", "the ones before", href=before)
    if part.end < part.total:
        number, count = part.behind
        add(made, "a", "", f"the next {count:,}", href=desk.href(part=number, message=None))
    if desk.selection.more.get("part") != WHOLE:
        most = min(part.total, MAX_EVENTS)
        words = f"all {most:,}" if most == part.total else f"the first {most:,}"
        add(made, "a", "", f"{words} in one (takes some seconds)", href=desk.href(part=WHOLE))
    if desk.selection.session is None and len(desk.case.views) > 1:
        say(made, f" {amount(len(desk.case.views), 'session')}: one alone is easier to read.")
    desk.draw(made, "ladder-parts")


def _say(desk: Desk, text: str) -> None:
    made = etree.Element("p")
    desk.page.prose(made, text)
    desk.draw(made, "ladder-wrong")
