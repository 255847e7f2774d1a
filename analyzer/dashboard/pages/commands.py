"""The page ``commands``: how long commands waited for their two answers, and what became of them.

Follows session and filter; a point of the chart and a line of the table lead to the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from analyzer.command_waits import summaries_of
from analyzer.dashboard.commands.choice import (
    CHARTS,
    MEASURES,
    SCALES,
    Look,
    all_waits,
    chosen_waits,
)
from analyzer.dashboard.commands.tables import by_name, pairs
from analyzer.dashboard.kept_last import kept_last
from analyzer.dashboard.verdict.paging import Option, choices
from analyzer.markup import add, say
from analyzer.times import time_text
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.command_waits import Wait
    from analyzer.dashboard.commands.chart import Drawn
    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Element


def show(desk: Desk) -> None:
    """Draw the page."""
    waits = chosen_waits(desk)
    head = etree.Element("div")
    head.set("class", "commands")
    _told(head, desk, waits)
    if not waits:
        desk.draw(head, "commands-head")
        return
    look = Look.of(desk.selection.more)
    selection = desk.selection
    key = (selection.session, selection.filter, selection.zone)
    summaries = kept_last(desk.case, "command summaries", key, lambda: summaries_of(waits))
    by_name(head, desk, summaries)
    add(head, "h2", text="How long they waited")
    _looks(head, desk, waits, look)
    desk.draw(head, "commands-head")
    _chart(desk, waits, look)
    below = etree.Element("div")
    below.set("class", "commands")
    add(below, "h2", text="The commands")
    pairs(below, desk, waits, look)
    desk.draw(below, "commands-pairs")


def _told(parent: Element, desk: Desk, waits: Sequence[Wait]) -> None:
    """Say how many commands are shown of how many, and how to see the rest."""
    total = len(all_waits(desk.case))
    add(parent, "h1", text="Commands")
    line = add(parent, "p")
    if not total:
        say(line, "No Group Chat command is in this capture. ")
        add(line, "a", "", "What is in it instead", href=desk.href(view="overview"))
        return
    if len(waits) == total:
        say(line, f"{total:,} commands and posts.")
        return
    session = desk.selection.session
    where = "" if session is None else f" in session {session + 1}"
    let = " that the filter lets through" if desk.selection.filter else ""
    say(line, f"{len(waits):,} of {total:,} commands and posts{where}{let}. ")
    add(line, "a", "", "show all", href=desk.href(session=None, filter="", page=None))


def _looks(parent: Element, desk: Desk, waits: Sequence[Wait], look: Look) -> None:
    from analyzer.dashboard.commands.chart import measure_of

    chosen = measure_of(waits, look)
    box = add(parent, "div", "commands-looks")
    _choice(box, desk, "Wait for", "wait", MEASURES, chosen)
    _choice(box, desk, "Draw", "chart", CHARTS, look.chart)
    _choice(box, desk, "Scale", "scale", SCALES, "log" if look.log else "linear")


def _choice(
    parent: Element, desk: Desk, name: str, key: str, texts: Mapping[str, str], chosen: str
) -> None:
    options = [
        Option(text, desk.href(**{key: value}), value == chosen) for value, text in texts.items()
    ]
    choices(parent, name, options)


def _chart(desk: Desk, waits: Sequence[Wait], look: Look) -> None:
    from analyzer.dashboard.charts.clicks import clickable
    from analyzer.dashboard.commands.chart import drawn, marked

    def clock(time: int) -> str:
        return desk.moments.text(time_text(time, 6))

    selection = desk.selection
    key = (selection.session, selection.filter, selection.zone, look)
    made = kept_last(desk.case, "command chart", key, lambda: drawn(waits, look, clock))
    if not made.points:
        _say(desk, "None of them was answered: there is no wait to draw.")
        return

    def clicked(data: Sequence[Any]) -> None:
        if isinstance(data[0], int):
            desk.go(message=data[0])

    clickable(marked(made, selection.message), "commands-chart", clicked)
    _say(desk, " ".join(_caption(made, look)))


def _say(desk: Desk, text: str) -> None:
    made = etree.Element("div")
    add(made, "p", "soft", text)
    desk.draw(made, "commands-caption")


def _caption(made: Drawn, look: Look) -> Sequence[str]:
    """Return what the chart shows and what it leaves out, a sentence each."""
    parts = ["Each point is a command: click it to see its message."]
    if look.chart == "spread":
        parts.append(
            "A box holds the middle half of all waits, its line the median; beyond the whiskers "
            "lie outliers."
        )
    if made.points < made.total:
        parts.append(
            f"{made.points:,} of {made.total:,} waits are drawn: the outliers "
            f"({made.outliers:,}) and the failures first, then evenly by length; boxes and tables "
            "are of all of them."
        )
    if made.posts:
        posts = f"{amount(made.posts, 'post')}, to which no reply is due,"
        parts.append(f"{posts} are in the chart of SIP answers.")
    if made.without:
        parts.append(f"{amount(made.without, 'command')} had no such answer and cannot be drawn.")
    return parts
