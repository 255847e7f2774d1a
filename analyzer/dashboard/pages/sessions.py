"""The page ``sessions``: a line on each, and the facts of the one that is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st
from lxml import etree

from analyzer.dashboard.verdict.facts import session_facts
from analyzer.dashboard.verdict.listing import ORDERS, Wanted, indexes
from analyzer.dashboard.verdict.paging import Option, choices, pager, part_of
from analyzer.dashboard.verdict.places import way
from analyzer.dashboard.verdict.told import told_of
from analyzer.markup import Column, add, badge, badged, say, table
from analyzer.report.head import who
from analyzer.times import latency_text
from analyzer.views.numbers import amount
from analyzer.views.told import VERDICT_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.verdict.told import Progress, Told
    from analyzer.markup import Cell, Element

Record = dict[str, Any]
SHOWN = 50
"""Sessions on one page."""
COLUMNS = (
    *(Column("#", "num"), Column("verdict"), Column("user", "wide")),
    *(Column("client and version", "two"), Column("front end, transport", "two")),
    *(Column("started"), Column("duration", "num"), Column("sign-in"), Column("rooms", "num")),
    *(Column("posts", "num"), Column("findings", "num"), Column("slowest command", "two")),
)


def show(desk: Desk) -> None:
    """Draw the page."""
    made = etree.Element("div")
    made.set("class", "sessions-page")
    if not desk.case.views:
        add(made, "p", text="No session of a client is in this capture.")
        made.append(_back(desk))
        desk.draw(made, "sessions")
        return
    wanted = Wanted.of(desk.selection.more)
    _user(desk, wanted)
    found = indexes(desk.case, wanted)
    _choices(made, desk, wanted, len(found))
    _table(made, desk, found)
    desk.draw(made, "sessions")
    if desk.selection.session is not None:
        below = etree.Element("div")
        session_facts(below, desk, desk.selection.session)
        desk.draw(below, "session-facts")


def _back(desk: Desk) -> Element:
    line = etree.Element("p")
    add(line, "a", "", "What is in it instead", href=desk.href(view="overview"))
    return line


def _user(desk: Desk, wanted: Wanted) -> None:
    """Draw the field in which a user is asked for."""

    def changed() -> None:
        desk.go(user=st.session_state["sessions-user"].strip() or None, page=None)

    st.session_state["sessions-user"] = wanted.user
    st.text_input(
        "User",
        key="sessions-user",
        on_change=changed,
        placeholder="part of an address, * is any characters",
        max_chars=200,
    )


def _choices(made: Element, desk: Desk, wanted: Wanted, found: int) -> None:
    counts = told_of(desk.case).by_verdict()
    href = desk.href
    if len(desk.case.views) > 1:
        every = Option("all", href(verdict=None, page=None), not wanted.verdict)
        choices(
            made,
            "Verdict",
            [
                every,
                *(
                    Option(
                        f"{VERDICT_WORDS[one]} ({count:,})",
                        href(verdict=one, page=None),
                        one == wanted.verdict,
                    )
                    for one, count in counts.items()
                ),
            ],
        )
        options = [
            Option(text, href(order=name, page=None), name == wanted.order)
            for name, text in ORDERS.items()
        ]
        choices(made, "Order", options)
    if wanted.first:
        title = next(
            (one.title for one in told_of(desk.case).kinds() if one.kind == wanted.first),
            wanted.first,
        )
        line = add(made, "p")
        say(line, f"Only those in which this failed first: {title}. ")
        add(line, "a", "", "all", href=href(first=None, page=None))
    if found < len(desk.case.views):
        text = f"{found:,} of {amount(len(desk.case.views), 'session')}. "
        line = add(made, "p", "soft", text)
        everything = href(verdict=None, user=None, first=None, page=None)
        add(line, "a", "", "show all", href=everything)


def _table(made: Element, desk: Desk, found: Sequence[int]) -> None:
    selected = desk.selection.session
    at = found.index(selected) if selected in found else None
    part = part_of(desk.selection.more.get("page"), len(found), SHOWN, at)
    pager(made, desk, part, "session")
    shown = found[part.first : part.last]
    listed = table(made, "Sessions", COLUMNS, _rows(desk, shown), "sessions-table")
    listed.set("data-keys", "")
    body = listed.find("tbody")
    for row, index in zip(() if body is None else body, shown, strict=True):
        row.set("data-href", desk.href(session=index))
        if index == selected:
            row.set("data-selected", "")
    box = listed.getparent()
    if selected is not None and box is not None:
        box.set("id", "sessions-box")  # low, so that its facts are in view beneath
    pager(made, desk, part, "session")


def _rows(desk: Desk, shown: Sequence[int]) -> Iterator[Sequence[Cell]]:
    told = told_of(desk.case)
    for index in shown:
        yield _row(desk, told, index)


def _row(desk: Desk, told: Told, index: int) -> Sequence[Cell]:
    case = desk.case
    one = case.sessions[index]
    verdict, progress = case.verdict(index), told.progress(index)
    findings = len(case.findings_of(index))
    return (
        index + 1,
        badged(verdict, VERDICT_WORDS[verdict]),
        way(who(one), desk.href(session=index)),
        _two(one["client_address"], one["user_agent"] or "version unknown"),
        _two(one["front_end"] or "unknown", one["transport"]),
        desk.moments.clock(one["started"]),
        latency_text(one["duration_ms"]),
        _outcome(progress),
        len(one["rooms"]) or "",
        len(one["posts"]) or "",
        way(str(findings), desk.href(view="findings", session=index)) if findings else "",
        _slowest(desk, one),
    )


def _outcome(progress: Progress) -> Cell:
    """Return a cell with what became of the sign-in, and how long it took."""

    def fill(cell: Element) -> None:
        badge(cell, progress.outcome)
        add(cell, "span", "soft below", latency_text(progress.ms), title=progress.text)

    return fill


def _two(first: str, second: str) -> Cell:
    """Return a cell of two lines."""

    def fill(cell: Element) -> None:
        add(cell, "span", "mono", first)
        add(cell, "span", "soft below", second, title=second)

    return fill


def _slowest(desk: Desk, one: Record) -> Cell:
    slowest = next(iter(one["slowest"]), None)
    if slowest is None:
        return ""
    took = slowest["reply_latency_ms"]
    took = slowest["sip_latency_ms"] if took is None else took
    row = None if slowest["frame"] is None else desk.case.row_of_frame(slowest["frame"])
    href = None if row is None else desk.href(message=row)
    return way(f"{slowest['command']} {latency_text(took)}", href)
