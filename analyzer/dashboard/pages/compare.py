"""The page ``compare``: two sessions, of one capture or of two, or two messages, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from analyzer.dashboard.compare.ladder import SideDesk
from analyzer.dashboard.compare.messages import Pair, candidates
from analyzer.dashboard.compare.pickers import draw_samples, pickers, with_sample
from analyzer.dashboard.compare.sides import both, command, comparison, kept, picked
from analyzer.dashboard.compare.view import SHOWN, View
from analyzer.dashboard.dock.message import Docked
from analyzer.dashboard.ladder.part import draw_ladder
from analyzer.dashboard.workspace import WORKSPACE
from analyzer.markup import add, badge, say
from analyzer.views.numbers import frames_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.compare.sides import Picked, Side
    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Element

TABS = {
    "differences": "What differs",
    "exchanges": "Side by side",
    "ladder": "Ladder",
    "messages": "Two messages",
}
MAX_DIGITS = 9


def show(desk: Desk) -> None:
    """Draw the page."""
    desk, wrong = with_sample(desk)
    chosen = picked(desk, WORKSPACE.cases)
    with both(desk.case, chosen.other):
        _wrong(desk, (*wrong, *chosen.wrong))
        pickers(desk, chosen)
        if chosen.a is None or chosen.b is None:
            _asked(desk, chosen)
        else:
            _compared(desk, chosen, chosen.a, chosen.b)


def _wrong(desk: Desk, sentences: Sequence[str]) -> None:
    """Say what the address names and is not there."""
    if sentences:
        made = _page()
        for sentence in sentences:
            line = add(made, "p", role="alert")
            badge(line, "warning")
            say(line, f" {sentence}")
        desk.draw(made, "compare-wrong")


def _asked(desk: Desk, chosen: Picked) -> None:
    """Say what is missing; two messages can be compared all the same."""
    made = _page()
    if chosen.a is not None:
        text = (
            "There is no second session to compare with. Choose another capture above, open one, "
            "or take a sample of a sign-in that went well."
        )
        add(made, "p", text=text)
        draw_samples(made, desk)
    add(add(made, "p"), "a", "", "Open another capture", href=desk.href(view="open"))
    desk.draw(made, "compare")
    if {"a", "b"} & set(desk.selection.more):
        _messages(desk, chosen)


def _compared(desk: Desk, chosen: Picked, a: Side, b: Side) -> None:
    view = View(desk, a, b, comparison(a, b, chosen.why))
    made = _page()
    tab = desk.selection.more.get("tab", "")
    tab = tab if tab in TABS else "differences"
    view.head(made, brief=tab != "differences")
    if a.case.verdict(a.session) == b.case.verdict(b.session) == "failed":
        text = "Neither of them went well. What differs from one that did, a sample above shows."
        add(made, "p", "cut", text)
    nav = add(made, "nav", "compare-tabs", aria_label="Parts of the comparison")
    for name, title in TABS.items():
        link = add(nav, "a", "", title, href=desk.href(tab=name, page=None))
        if name == tab:
            link.set("aria-current", "page")
    if tab in ("differences", "exchanges"):
        _lists(desk, view, made, tab)
    if tab != "messages":
        _terminal(made, command(a, b))
    desk.draw(made, "compare")
    if tab == "ladder":
        _ladder(desk, view)
    elif tab == "messages":
        _messages(desk, chosen)


def _terminal(made: Element, text: str) -> None:
    """Say which command does the same; nothing where it takes several."""
    if text:
        line = add(made, "p", "soft", "The same in a terminal: ")
        add(line, "code", text=text)
        say(line, " ")
        add(line, "button", "", "copy", type="button", data_copy=text)


def _page() -> Element:
    made = etree.Element("div")
    made.set("class", "compare")
    return made


def _lists(desk: Desk, view: View, made: Element, tab: str) -> None:
    """Draw what differs, or all exchanges; a page of either."""
    more = desk.selection.more
    every, page = bool(more.get("all")), _number(more.get("page", "")) or 1
    add(made, "h2", text=TABS[tab])
    line = add(made, "p")
    if tab == "differences":
        view.steps(made)
        _choice(desk, line, every, "Without what hardly matters", "With trivial ones too")
        count = view.divergences(made, page - 1, every=every)
    else:
        _choice(desk, line, every, "Only what differs", "All exchanges, the same ones too")
        count = view.exchanges(made, page - 1, every=every)
    if count > 1:
        ways = add(made, "nav", "", aria_label="Pages of the comparison")
        add(ways, "span", "cut", f"page {min(page, count)} of {count}, {SHOWN} on each")
        for title, number in (("before", page - 1), ("next", page + 1)):
            if 1 <= number <= count:
                add(ways, "a", "", title, href=desk.href(page=number))


def _choice(desk: Desk, line: Element, every: bool, fewer: str, more: str) -> None:  # noqa: FBT001
    title, value = (fewer, None) if every else (more, 1)
    add(line, "a", "", title, href=desk.href(all=value, page=None))


def _ladder(desk: Desk, view: View) -> None:
    from analyzer.compare.ladder import diff_ladder
    from analyzer.ladder.look import Look

    # The sessions may lie days apart: only times since the beginning of each compare.
    look = Look(times="relative", zone=desk.zone)
    key = "ladder of", view.a.address, view.b.address, view.found.why
    ladder = kept(desk.case, key, lambda: diff_ladder(view.found))
    draw_ladder(SideDesk.of(desk, view.links), ladder, look, "compare-ladder")


def _messages(desk: Desk, chosen: Picked) -> None:
    """Draw two messages; where one is missing, what could stand there."""
    more = desk.selection.more
    a = _docked(desk.case, more.get("a", ""))
    b = _docked(chosen.other, more.get("b", ""))
    made = _page()
    if a is not None and b is not None:
        Pair(desk, a, b).draw(made, every=bool(more.get("all")))
    elif a is None and b is None:
        text = "Choose a message: every frame above leads to it, beside the one like it."
        add(made, "p", text=text)
    else:
        _offered(desk, chosen, made, a, b)
    desk.draw(made, "compare-messages")


def _offered(desk: Desk, chosen: Picked, made: Element, a: Docked | None, b: Docked | None) -> None:
    known = a or b
    if known is None:
        return
    name, missing = ("A", "b") if a is not None else ("B", "a")
    text = f"{name}: {known.words(known.row)}, {frames_text(known.frames)}. Compare it with:"
    add(made, "p", text=text)
    side = chosen.b if missing == "b" else chosen.a
    case = chosen.other if missing == "b" else desk.case
    listed = add(made, "ul")
    found = candidates(case, None if side is None else side.session, known)
    if not found and case is known.case:
        found = candidates(case, known.session, known)
    for one in found:
        item = add(listed, "li")
        words = f"{frames_text(one.frames)} {one.words(one.row)}"
        add(item, "a", "", words, href=desk.href(**{missing: one.row, "tab": "messages"}))
    if not found:
        add(made, "p", text="There is no message like it on the other side.")


def _docked(case: Case, text: str) -> Docked | None:
    row = _number(text)
    return None if row is None or row >= len(case.trace.rows) else Docked(case, row)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None
