"""The page ``messages``: what filter and session let through, in order of time, page by page."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING
from zlib import crc32

from lxml import etree

from analyzer.dashboard.desk import Desk
from analyzer.dashboard.filtering.shown import filtered
from analyzer.dashboard.kept_last import kept_last
from analyzer.dashboard.messages.listing import Lines
from analyzer.dashboard.verdict.paging import Option, Part, choices, pager, part_of
from analyzer.markup import Column, add, say, table
from analyzer.views.messages import moment
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.markup import Element

SIZES = (50, 100, 200, 500)
SIZE = 100
"""Messages on one page, as long as the address does not say otherwise."""
HIDE = "hide"
"""What the address says of hop copies that are not wanted (``copies=hide``)."""


def show(desk: Desk) -> None:
    """Draw the page."""
    made = etree.Element("div")
    narrow = " messages-narrow" if desk.selection.message is not None else ""
    made.set("class", f"messages-page{narrow}")
    if not len(desk.case.trace.rows):
        add(made, "p", text="No SIP message is in this capture.")
        add(add(made, "p"), "a", "", "What is in it instead", href=desk.href(view="overview"))
        desk.draw(made, "messages")
        return
    found = filtered(desk)
    everything = range(len(desk.case.trace.rows)) if found.rows is None else found.rows
    shown, hidden = _without_copies(desk, everything)
    _choices(made, desk, len(everything) - len(shown) if hidden else _copies(desk, everything))
    phrases = () if found.filter is None else found.filter.phrases
    if shown:
        _lost(made, desk, shown)
        _table(made, desk, shown, phrases)
    else:
        _nothing(made, desk)
    desk.draw(made, "messages")


def _without_copies(desk: Desk, rows: Sequence[int]) -> tuple[Sequence[int], bool]:
    """Return what is listed, and whether hop copies are hidden."""
    if desk.selection.more.get("copies") != HIDE:
        return rows, False
    copies = Lines.of(desk).copies
    key = (desk.selection.filter, desk.selection.session, desk.selection.zone)
    return kept_last(
        desk.case, "messages alone", key, lambda: [row for row in rows if row not in copies]
    ), True


def _copies(desk: Desk, rows: Sequence[int]) -> int:
    """Return how many hop copies are among messages."""
    copies = Lines.of(desk).copies
    if len(rows) == len(desk.case.trace.rows):
        return len(copies)
    key = (desk.selection.filter, desk.selection.session, desk.selection.zone)
    return kept_last(desk.case, "messages copied", key, lambda: sum(row in copies for row in rows))


def _choices(made: Element, desk: Desk, copies: int) -> None:
    line = add(made, "div", "messages-choices")
    size = _size(desk)
    sizes = [
        Option(str(one), desk.href(size=None if one == SIZE else one, page=None), one == size)
        for one in SIZES
    ]
    choices(line, "Messages on a page", sizes)
    if copies:
        hidden = desk.selection.more.get("copies") == HIDE
        noun = "hop copy" if copies == 1 else "hop copies"
        said = add(line, "p", "", f"{copies:,} {noun} {'hidden' if hidden else 'shown'}: ")
        href = desk.href(copies=None if hidden else HIDE, page=None)
        add(said, "a", "", f"{'show' if hidden else 'hide'} {'it' if copies == 1 else 'them'}",
            href=href)  # fmt: skip
    add(add(line, "p"), "a", "", "these messages as CSV", href=desk.href(view="export"))


def _lost(made: Element, desk: Desk, shown: Sequence[int]) -> None:
    """Say where the selected message is not among those listed."""
    row = desk.selection.message
    if row is None or _place(shown, row) is not None:
        return
    line = add(made, "p", "messages-lost")
    say(
        line, f"The selected message (frame {desk.case.trace.rows.frame[row]}) is not among these: "
    )
    href = desk.href(filter="", session=None, copies=None, page=None, at=None)
    add(line, "a", "", "show it among all messages", href=href)


def _nothing(made: Element, desk: Desk) -> None:
    line = add(made, "p", "", "No message is let through. ")
    href = desk.href(filter="", copies=None, page=None)
    add(line, "a", "", "show all messages", href=href)
    if desk.selection.session is not None:
        say(line, " · ")
        add(line, "a", "", "look in all sessions", href=desk.href(session=None, page=None))


def _size(desk: Desk) -> int:
    given = desk.selection.more.get("size", "")
    return next((one for one in SIZES if str(one) == given), SIZE)


def _place(shown: Sequence[int], row: int) -> int | None:
    """Return the number of a message in what is listed, which ascends."""
    at = bisect_left(shown, row)
    return at if at < len(shown) and shown[at] == row else None


def _part(desk: Desk, shown: Sequence[int]) -> Part:
    """Return the part that is listed.

    Whoever turns pages keeps what is selected; whoever selects another message gets to its page.
    """
    more, row = desk.selection.more, desk.selection.message
    place = None if row is None else _place(shown, row)
    turned = more.get("at", "") == ("" if row is None else str(row))
    given = more.get("page") if turned or place is None else None
    return part_of(given, len(shown), _size(desk), place)


def _table(made: Element, desk: Desk, shown: Sequence[int], phrases: Sequence[str]) -> None:
    part = _part(desk, shown)
    selected = desk.selection.message
    turning = Desk(desk.case, desk.selection.but(at=selected))
    pager(made, turning, part, "message")
    lines = Lines.of(desk)
    rows = shown[part.first : part.last]
    above = [None if not part.first else shown[part.first - 1], *rows[:-1]]
    marked = any(True for row in rows for _ in lines.marks(row))
    columns = _columns(desk, rows, marked=marked)
    cells = (
        lines.cells(desk, row, before, phrases)[: len(columns)]
        for row, before in zip(rows, above, strict=True)
    )
    caption = f"{amount(len(shown), 'message')} in the order of the capture"
    listed = table(made, caption, columns, cells, "messages-table")
    listed.set("data-keys", "")
    box = listed.getparent()
    assert box is not None
    # Where it is scrolled to is kept as long as it lists the same.
    box.set("id", f"messages-box-{crc32(repr((rows[0], rows[-1], len(shown))).encode())}")
    box.set("class", "scroll messages-box")
    body = listed.find("tbody")
    assert body is not None
    for line, row in zip(body, rows, strict=True):
        line.set("data-href", desk.href(message=row, page=None, at=None))
        if row == selected:
            line.set("data-selected", "")
            line.set("aria-selected", "true")
    pager(made, turning, part, "message")


def _columns(desk: Desk, rows: Sequence[int], *, marked: bool) -> Sequence[Column]:
    """Return the columns; that of marks only where a message has one."""
    time = moment(desk.case.trace, rows[0])
    return (
        *(Column("frame", "num"), Column(desk.moments.heading(time), "time")),
        *(Column("since above", "num"), Column("from → to", "ends")),
        *(Column("message", "what"), Column("XCCOS", "carried"), Column("session", "num")),
        *((Column("marks", "marks"),) if marked else ()),
    )
