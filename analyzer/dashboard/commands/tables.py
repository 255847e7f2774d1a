"""The commands as tables: a line for each name, and a line for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.dashboard.commands.choice import ORDERS, asks_for, with_command
from analyzer.dashboard.kept_last import kept_last
from analyzer.dashboard.verdict.paging import Option, choices, pager, part_of
from analyzer.dashboard.verdict.places import way
from analyzer.markup import Column, add, badge, badged, say, table
from analyzer.meaning import outline
from analyzer.narrative.names import short_room
from analyzer.times import latency_text
from analyzer.views.messages import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.command_waits import Spread, Summary, Wait
    from analyzer.dashboard.commands.choice import Look
    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Cell, Element
    from analyzer.model import CommandPair

SHOWN = 100
"""Commands on one page."""
NAMES = 60
"""Names that the table of names shows: a client has some twenty, hostile input has more."""
ROOMS = 3
WORDS = ("unanswered", "rejected", "refused", "unknown")
"""Outcomes that have a column, where there are any."""
TITLES = {"refused": "refused by reply", "unknown": "cannot tell"}
BADGES = {"refused": "failed", "unknown": "unknown"}
"""The sign of an outcome that ``badge`` has none for."""


def by_name(parent: Element, desk: Desk, summaries: Sequence[Summary]) -> None:
    """Add the table of names, each a link that shows this command alone."""
    words = [word for word in WORDS if any(one.outcomes.get(word) for one in summaries)]
    columns = (
        *(Column("command"), Column("count", "num")),
        *(Column(TITLES.get(word, word), "num") for word in words),
        *(Column(f"SIP {what}", "num") for what in ("median", "p95", "max")),
        *(Column(f"reply {what}", "num") for what in ("median", "p95", "max")),
    )
    rows = (
        (
            _name(desk, one),
            f"{one.total:,}",
            *(_count(word, one.outcomes.get(word, 0)) for word in words),
            *_spread(one.sip),
            *_spread(one.reply),
        )
        for one in summaries[:NAMES]
    )
    table(parent, "By command", columns, rows, "commands-names")
    if len(summaries) > NAMES:
        text = f"{len(summaries) - NAMES:,} more names; the filter finds them (command:NAME)."
        add(parent, "p", "cut", text)


def _name(desk: Desk, one: Summary) -> Cell:
    text = desk.selection.filter
    asked = asks_for(text, one.command)

    def fill(cell: Element) -> None:
        href = desk.href(filter=with_command(text, None if asked else one.command), page=None)
        link = add(cell, "a", "", one.command, href=href)
        if asked:
            link.set("aria-current", "true")
            say(cell, " ")
            add(cell, "span", "soft", "(shown alone)")

    return fill


def _spread(spread: Spread | None) -> tuple[Cell, ...]:
    if spread is None:
        return ("", "", "")
    return tuple(map(latency_text, (spread.median, spread.p95, spread.most)))


def _count(word: str, count: int) -> Cell:
    if not count:
        return ""
    return badged(BADGES.get(word, word), f"{count:,}")


def ordered(waits: Sequence[Wait], order: str) -> Sequence[Wait]:
    """Return commands in the order that the address asks for."""
    if order == "time":
        return waits
    return sorted(waits, key=lambda one: (one.outcome != "unanswered", -(one.ms or 0.0)))


def pairs(parent: Element, desk: Desk, waits: Sequence[Wait], look: Look) -> None:
    """Add the commands themselves, a page of them."""
    href = desk.href
    options = [
        Option(text, href(order=None if name == "slow" else name, page=None), name == look.order)
        for name, text in ORDERS.items()
    ]
    choices(parent, "Order", options)
    selection = desk.selection
    key = (selection.session, selection.filter, selection.zone, look.order)
    found = kept_last(desk.case, "waits ordered", key, lambda: ordered(waits, look.order))
    part = part_of(desk.selection.more.get("page"), len(found), SHOWN)
    shown = found[part.first : part.last]
    pager(parent, desk, part, "command")
    time = moment(desk.case.trace, shown[0].row) if shown else None
    columns = (
        *(Column("#", "num"), Column("frame", "num"), Column(desk.moments.heading(time))),
        *(Column("command"), Column("outcome"), Column("SIP"), Column("reply")),
        *(Column("user"), Column("reply in"), Column("rooms", "wide")),
    )
    cells = [*_rows(desk, shown)]
    listed = table(parent, "Commands and posts", columns, cells, "commands-pairs")
    listed.set("data-keys", "")
    body = listed.find("tbody")
    assert body is not None
    for line, wait in zip(body, shown, strict=True):
        line.set("data-href", href(message=wait.row))
        if desk.selection.message in (wait.row, wait.sip_row, *wait.replies):
            line.set("data-selected", "still")
    pager(parent, desk, part, "command")


def _rows(desk: Desk, shown: Sequence[Wait]) -> Iterator[Sequence[Cell]]:
    found = outline(desk.case.trace).pairs
    for wait in shown:
        yield _row(desk, wait, found[wait.pair])


def _row(desk: Desk, wait: Wait, pair: CommandPair) -> Sequence[Cell]:
    case = desk.case
    frame = case.trace.rows.frame[wait.row]
    user = (pair.user or "unknown").removeprefix("sip:")
    code = pair.replies[0].code if pair.replies else None
    captured = pair.row is not None
    return (
        pair.index,
        way(f"{frame}", desk.href(message=wait.row)) if captured else "not captured",
        desk.moments.clock(moment(case.trace, wait.row)),
        pair.command,
        _outcome(wait, pair),
        _answer(str(pair.sip_status or ""), wait.sip_ms),
        _answer(code or "", wait.reply_ms),
        user if wait.session is None else way(user, desk.href(session=wait.session, page=None)),
        desk.page.in_frames(case.trace.rows.frame[row] for row in wait.replies),
        _rooms(pair.rooms),
    )


def _answer(what: str, ms: float | None) -> str:
    return " ".join(part for part in (what, latency_text(ms)) if part)


def _outcome(wait: Wait, pair: CommandPair) -> Cell:
    def fill(cell: Element) -> None:
        made = badge(cell, BADGES.get(wait.word, wait.word), TITLES.get(wait.word, wait.word))
        made.set("title", pair.detail.translate({0: None})[:500])

    return fill


def _rooms(rooms: Sequence[str]) -> str:
    more = f" and {len(rooms) - ROOMS} more" if len(rooms) > ROOMS else ""
    return ", ".join(map(short_room, rooms[:ROOMS])) + more
