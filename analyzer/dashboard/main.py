"""The frame of every page: what is open, where one can go, the sessions, the message in its dock.

The rule: everything that is selected stands in the address; a page draws what the address says.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import streamlit as st
from lxml import etree

from analyzer.dashboard.desk import Desk
from analyzer.dashboard.filtering.shown import FILTERED, filter_box
from analyzer.dashboard.links import asset, draw
from analyzer.dashboard.pages import start
from analyzer.dashboard.selection import VIEWS, Selection, parse_selection
from analyzer.dashboard.server import ANYWHERE, may_serve
from analyzer.dashboard.takeaway.text import plain
from analyzer.dashboard.workspace import WORKSPACE
from analyzer.export.printable import printable
from analyzer.markup import add, badge, say
from analyzer.views.numbers import amount
from analyzer.views.told import VERDICT_WORDS
from analyzer.zones import parse_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.markup import Element

DOCKED = {
    "ladder",
    "messages",
    "commands",
    "flow",
    "findings",
    "rooms",
    "sessions",
    "overview",
    "replay",
}
"""Pages beside which the selected message is shown."""
LISTED = 60
"""Sessions in the list at the side; the page of sessions has all."""
MAX_NAME = 80
"""Characters of a case's name in the address."""
ZONES = ("UTC", "local")


def main(given: Sequence[str] = ()) -> None:
    """Draw the page that the address names; ``given``: files named on the command line."""
    selection = parse_selection(st.query_params.to_dict())
    title = VIEWS[selection.view] if selection.case else "Open"
    of = f" of {printable(selection.name)}" if selection.name else ""
    st.set_page_config(page_title=f"{title}{of}: xccos-analyzer", layout="wide")
    st.html(f"<style>{asset('frame.css')}</style>")
    if not may_serve(st.get_option("server.address")):
        st.error(
            "Captures hold people's words, and others could reach this page. Start it with "
            f"`xccos dashboard`, or with `--server.address 127.0.0.1`; {ANYWHERE}=1 allows it."
        )
        return
    WORKSPACE.given = WORKSPACE.given or tuple(given)
    case = WORKSPACE.cases.get(selection.case) if selection.case else None
    if case is None or selection.view == "open":
        start.show(WORKSPACE, selection)
        return
    with case.lock:
        _case(case, selection)


def _case(case: Case, selection: Selection) -> None:
    selection, wrong = _checked(case, selection)
    desk = Desk(case, selection)
    _bar(desk)
    _side(desk)
    for sentence in wrong:
        st.warning(plain(sentence))
    if selection.view in FILTERED:
        filter_box(desk)
    page = import_module(f"analyzer.dashboard.pages.{selection.view}")
    if selection.message is None or selection.view not in DOCKED:
        page.show(desk)
        return
    from analyzer.dashboard.dock import docked as dock

    main_part, side_part = st.columns([3, 2], gap="medium")
    with main_part:
        page.show(desk)
    with side_part, st.container(key="dock"):
        dock.show(desk, selection.message)


def _checked(case: Case, selection: Selection) -> tuple[Selection, list[str]]:
    """Return the selection without what this case does not have, and what to say of that."""
    wrong = [*selection.wrong]
    session, message = selection.session, selection.message
    if session is not None and session >= len(case.views):
        has = f"the capture has {amount(len(case.views), 'session')}"
        wrong.append(f"There is no session {session + 1}: {has}.")
        session = None
    if message is not None and message >= len(case.trace.rows):
        wrong.append(f"There is no message {message} here.")
        message = None
    zone = selection.zone
    try:
        parse_zone(zone or "UTC")
    except ValueError:
        wrong.append(f"There is no time zone {zone[:40]!r}: times are in UTC.")
        zone = ""
    name = case.name[:MAX_NAME]
    return selection.but(name=name, session=session, message=message, zone=zone), wrong


def _bar(desk: Desk) -> None:
    """Draw what is open, and the ways to the pages."""
    case, selection = desk.case, desk.selection
    made = etree.Element("div")
    made.set("class", "bar")
    head = add(made, "p", "what")
    add(head, "strong", text="xccos-analyzer")
    add(head, "span", "chip", case.name, title="\n".join(case.files))
    add(head, "a", "", "open another", href=selection.href(view="open"))
    nav = add(made, "nav", aria_label="Pages")
    for view, title in VIEWS.items():
        if view == "open":
            continue
        link = add(nav, "a", "", title, href=selection.href(view=view))
        if view == selection.view:
            link.set("aria-current", "page")
    left, right = st.columns([6, 1], vertical_alignment="bottom")
    with left:
        draw(made, "bar")
    with right:
        _zone(desk)


def _zone(desk: Desk) -> None:
    known = [*ZONES]
    browser = st.context.timezone
    for name in (browser, desk.selection.zone):
        if name and name not in known:
            known.append(name)
    chosen = desk.selection.zone or "UTC"

    def changed() -> None:
        picked = st.session_state["zone"]
        desk.go(zone="" if picked == "UTC" else picked)

    st.session_state["zone"] = chosen
    st.selectbox("Time zone", known, key="zone", on_change=changed)


def _side(desk: Desk) -> None:
    """Draw the sessions: sign and word, user, how many findings."""
    case, selection = desk.case, desk.selection
    made = etree.Element("div")
    add(made, "h2", text="Sessions")
    every = add(made, "p")
    link = add(every, "a", "", "All sessions", href=selection.href(session=None))
    if selection.session is None:
        link.set("aria-current", "true")
    listed = add(made, "ol", "sessions")
    count = len(case.views)
    shown = [*range(min(count, LISTED))]
    if selection.session is not None and selection.session >= LISTED:
        shown.append(selection.session)
    for index in shown:
        _session(listed, desk, index)
    if count > len(shown):
        rest = add(made, "p", "cut", f"{count - len(shown):,} more: ")
        add(rest, "a", "", "all sessions", href=selection.href(view="sessions"))
    with st.sidebar:
        draw(made, "side")


def _session(listed: Element, desk: Desk, index: int) -> None:
    case, selection = desk.case, desk.selection
    item = add(listed, "li", value=str(index + 1))
    verdict = case.verdict(index)
    badge(item, verdict, VERDICT_WORDS[verdict])
    say(item, " ")
    user = (case.views[index].user or "unknown user").removeprefix("sip:")
    link = add(item, "a", "", user, href=selection.href(session=index))
    if index == selection.session:
        link.set("aria-current", "true")
    found = len(case.findings_of(index))
    if found:
        add(item, "span", "soft", f" {amount(found, 'finding')}")
