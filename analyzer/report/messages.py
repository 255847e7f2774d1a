"""The table of messages: whole and readable without script, filtered and opened with it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from analyzer.ladder.aliases import Aliases
from analyzer.ladder.html_details import Details
from analyzer.markup import Column, add, say, section, table
from analyzer.views.messages import message_record
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.markup import Cell, Element
    from analyzer.moments import Moments
    from analyzer.report.content import Content
    from analyzer.report.places import ReportPage
    from analyzer.report.sharing import Sharing

Record = dict[str, Any]
DETAIL_BYTES = 12 * 1024 * 1024
"""Of all messages in a report, about 3,000 usual ones: with the rest of the page it stays below the
20 to 25 MB that mail and ticket systems take."""
LONG = 150
"""Rows from which on only the cited messages are printed: 150 are four pages."""
FIELDS = ("index", "frame", "time", "src", "dst", "method", "status", "reason", "xccos", "notes")
SHOWN_ITEMS = 4
"""Kinds of XCCOS items in a cell; an INFO may carry hundreds."""


class Messages:
    """Writes the table of messages, and their details."""

    def __init__(
        self, page: ReportPage, content: Content, moments: Moments, aliases: Mapping[str, str]
    ) -> None:
        self._page, self._content, self._moments = page, content, moments
        self._aliases = Aliases(aliases)

    def add_to(self, parent: Element) -> None:
        """Add the section."""
        content = self._content
        made = section(parent, "messages", "Messages")
        add(made, "p", "hint", self._what())
        columns = (
            *(Column("#", "num"), Column("frame", "num"), Column(self._heading(), "mono")),
            *(Column("from", "mono"), Column("to", "mono"), Column("message")),
            *(Column("XCCOS", "wide"), Column("", "go")),
        )
        found = table(made, "SIP messages in order of time", columns, self._rows(), "filterable")
        found.set("id", "message-table")
        found.set("data-noun", "message")
        long = len(content.rows) > LONG
        if long:
            found.set("class", "filterable long")
            text = "Printed are the messages that findings, steps and posts rest on."
            add(made, "p", "printed-only", text)
        for row, line in zip(content.rows, found.iterfind("tbody/tr"), strict=True):
            self._mark(line, row)

    def _what(self) -> str:
        content = self._content
        shown, total = len(content.rows), content.total
        of = "of what was chosen" if content.words else "of the capture"
        if shown == total:
            return f"All {amount(total, 'message')} {of}, hop copies too." if total else "None."
        return (
            f"{shown:,} of the {total:,} messages {of}: those that findings, steps and posts rest "
            f"on, then those of the sessions that are told, then the first others. All of them: "
            f"xccos messages {content.name}."
        )

    def _heading(self) -> str:
        return self._moments.heading(self._content.record["first_time"])

    def _mark(self, line: Element, row: int) -> None:
        """Give a row its id, and classes for how it looks and whether it is printed."""
        line.set("id", self._page.places.message(row))
        status = self._content.trace.rows.status[row]
        classes = ["cited"] if row in self._content.cited else []
        if status >= 400 and status not in (401, 407):
            classes.append("bad")
        if row in self._page.places.copies:
            classes.append("copy")
        if classes:
            line.set("class", " ".join(classes))

    def _rows(self) -> Iterator[Sequence[Cell]]:
        for row in self._content.rows:
            record = message_record(self._content.trace, row, FIELDS)
            yield (
                record["index"],
                record["frame"],
                self._moments.clock(record["time"]),
                self._named(record["src"]),
                self._named(record["dst"]),
                self._message(record, row),
                " ".join(
                    [_items(record["xccos"]), *(f"!{one}" for one in record["notes"])]
                ).strip(),
                self._go(row),
            )

    def _named(self, address: str) -> str:
        alias = self._aliases.of_address(address)
        return f"{alias}:{address.rpartition(':')[2]}" if alias else address

    def _message(self, record: Record, row: int) -> Cell:
        """Return ``INFO``, or ``200 OK (INFO)`` with a sign where that is an error."""
        bad = (record["status"] or 0) >= 400 and record["status"] not in (401, 407)

        def fill(cell: Element) -> None:
            if bad:
                add(cell, "b", "sign", "✕", title="error")
                say(cell, " ")
            say(cell, what(record))
            if row in self._page.places.copies:
                say(cell, " ")
                add(cell, "small", "", "hop copy")

        return fill

    def _go(self, row: int) -> Cell:
        target = self._page.places.in_ladder(row)
        if target is None:
            return None

        def fill(cell: Element) -> None:
            add(cell, "a", "to-ladder", "ladder", href=f"#{target}")

        return fill


def what(record: Record) -> str:
    """Return ``INFO`` for a request, ``200 OK (INFO)`` for a response."""
    if record["status"] is None:
        return record["method"] or "?"
    answer = f"{record['status']} {record['reason'] or ''}".rstrip()
    return f"{answer} ({record['method']})" if record["method"] else answer


def _items(items: Sequence[Record]) -> str:
    """Return ``cmd:join``, ``rpl:join 200``, ``cmd:getpref ×11``."""
    counts = Counter(
        f"{one['id'] or one['element']}{' ' + one['code'] if one['code'] else ''}" for one in items
    )
    parts = [f"{text} ×{count}" if count > 1 else text for text, count in counts.items()]
    if len(parts) > SHOWN_ITEMS:
        parts[SHOWN_ITEMS:] = [f"and {len(parts) - SHOWN_ITEMS} more"]
    return ", ".join(parts)


def details(body: Element, content: Content, sharing: Sharing) -> int:
    """Add the details of messages; return how many there was no room for.

    Those that are cited come first, then those of the ladders, then the rest in order.
    """
    drawn = (row for one in content.ladders for arrow in one.ladder.arrows for row in arrow.rows)
    listed = set(content.rows)
    ranked = dict.fromkeys((*sorted(content.cited), *drawn, *content.rows))
    found = Details(
        (row for row in ranked if row in listed), sharing.details(content.trace), DETAIL_BYTES
    )
    for element in found.elements():
        body.append(element)
    return found.left_out
