"""The ladder as a table: a row an event, complete and readable without script or style.

Positions are classes (``s2 e4``: from lane 2 to lane 4), which the style sheet turns into places:
a page under a strict content policy has no style attributes, and the script hides a lane by
changing one property of the whole table.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lxml import etree

from analyzer.export.printable import printable
from analyzer.ladder.html_links import stretches
from analyzer.ladder.html_words import (
    HEAT_SIGNS,
    NOTE_SIGNS,
    STATUS_SIGNS,
    TONE_SIGNS,
    TONE_WORDS,
    caption,
    ends,
    note_words,
    spoken,
)
from analyzer.ladder.look import Clock, Look, cut
from analyzer.ladder.values import Arrow
from analyzer.times import SECOND, latency_text

if TYPE_CHECKING:
    from analyzer.ladder.html_links import Links, Stretch
    from analyzer.ladder.values import Event, Group, Ladder, Lane, Note

Element = etree._Element  # noqa: SLF001  (lxml has no public name for it)
CHUNK = 50
"""Rows of one ``tbody``: what is out of sight is left alone by the browser, so much at a time."""
PAUSE = SECOND // 10
"""Of a pause from here on the length stands under the time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def add(parent: Element, tag: str, classes: str = "", text: str = "", **more: str) -> Element:
    """Return a new child; ``role`` and the like by name, ``aria_label`` for ``aria-label``."""
    made = etree.SubElement(parent, tag)
    if classes:
        made.set("class", classes)
    for key, value in more.items():
        made.set(key.replace("_", "-"), value)
    if text:
        made.text = text
    return made


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the rows of one table share."""

    ladder: Ladder
    look: Look
    prefix: str
    links: Links
    before: int | None = None
    """Time of the event before the first, on another page."""


class Table:
    """Builds the table."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet, self._ladder = sheet, sheet.ladder
        self._clock = Clock(sheet.ladder, sheet.look)
        self._spoken = Clock(sheet.ladder, Look(zone=sheet.look.zone))
        self._stretches = stretches(sheet.ladder.brackets)
        self._groups = {one.first: number for number, one in enumerate(sheet.ladder.groups)}
        self._open = deque(sheet.ladder.groups)
        self._lanes = str(max(1, len(sheet.ladder.lanes)))

    def element(self) -> Element:
        """Return the table."""
        ladder = self._ladder
        table = etree.Element("table", role="table")
        arrows = len(ladder.arrows)
        add(table, "caption", "xl-vh", caption(arrows, len(ladder.events) - arrows, ladder.lanes))
        self._head(add(table, "thead", role="rowgroup"))
        for body, first, end, rows in self._chunks(table):
            body.set("class", f"r{rows}")
            for number in range(first, end):
                self._event(body, number)
        if not ladder.events:
            body = add(table, "tbody", role="rowgroup")
            row = add(body, "tr", "xl-none", role="row")
            add(row, "td", "", "No messages.", role="cell", colspan=str(int(self._lanes) + 3))
        return table

    def _chunks(self, table: Element) -> list[tuple[Element, int, int, int]]:
        """Return bodies for at most ``CHUNK`` rows each, the heads of groups counted."""
        found: list[tuple[Element, int, int, int]] = []
        first = rows = 0
        for number in range(len(self._ladder.events)):
            needed = 2 if number in self._groups else 1
            if rows + needed > CHUNK:
                found.append((add(table, "tbody", role="rowgroup"), first, number, rows))
                first, rows = number, 0
            rows += needed
        if rows:
            end = len(self._ladder.events)
            found.append((add(table, "tbody", role="rowgroup"), first, end, rows))
        return found

    def _head(self, head: Element) -> None:
        row = add(head, "tr", role="row")
        fixed = {"role": "columnheader", "scope": "col"}
        add(row, "th", "tm", self._clock.heading, **fixed)
        add(row, "th", "fr", "frame", **fixed)
        for number, lane in enumerate(self._ladder.lanes):
            self._lane(add(row, "th", f"ln l{number} k-{lane.kind}", **fixed), lane)
        add(row, "th", "la", "latency", **fixed)

    def _lane(self, cell: Element, lane: Lane) -> None:
        title, about = printable(lane.title), printable(lane.subtitle)
        cell.set("title", f"{title} ({lane.kind}) {about}")
        box = add(cell, "span", "bx")
        add(box, "span", "lt", title)
        add(box, "span", "ls", about or lane.kind)

    def _event(self, body: Element, number: int) -> None:
        event = self._ladder.events[number]
        if number in self._groups:
            self._group(body, self._groups[number])
        links = self._sheet.links.of(number)
        row = add(body, "tr", self._classes(event, number), role="row", tabindex="-1")
        row.set("id", f"{self._sheet.prefix}-e{number}")
        time = self._spoken.text(event.time, None)
        row.set("aria-label", spoken(event, self._ladder.lanes, links, time))
        self._time(add(row, "td", "tm", role="cell"), number)
        frame = event.frame if isinstance(event, Arrow) else next(iter(event.frames), None)
        add(row, "td", "fr", "" if frame is None else str(frame), role="cell")
        cell = add(row, "td", "ms", role="cell", colspan=self._lanes)
        cell.set("title", printable(event.text))
        if isinstance(event, Arrow):
            self._arrow(cell, event)
        else:
            self._note(cell, event)
        self._latency(add(row, "td", "la", role="cell"), event, number)

    def _classes(self, event: Event, number: int) -> str:
        group = self._within(number)
        within = "" if group is None else f" in g-{group.status}"
        if isinstance(event, Arrow):
            turn = "rt" if event.target > event.source else "lf"
            if event.target == event.source:
                turn = "self mirror" if event.source * 2 >= len(self._ladder.lanes) > 1 else "self"
            places = f"s{event.source} e{event.target}"
            return f"ev {event.kind} {turn} {places} {event.tone} {event.heat}{within}"
        first, last = min(event.lanes, default=0), max(event.lanes, default=-1)
        places = f"s{first} e{last}" if last >= 0 else "s0 all"
        if first * 2 >= len(self._ladder.lanes) > 1:
            places += " mirror"
        return f"ev note {event.kind} {places} {event.tone}{within}"

    def _within(self, number: int) -> Group | None:
        """Return the group of an event; groups come in order and do not overlap."""
        while self._open and self._open[0].last < number:
            self._open.popleft()
        return self._open[0] if self._open and self._open[0].first <= number else None

    def _time(self, cell: Element, number: int) -> None:
        event, clock = self._ladder.events[number], self._clock
        before = self._ladder.events[number - 1].time if number else self._sheet.before
        time = add(cell, "time", "", clock.text(event.time, before))
        if self._ladder.dated:
            time.set("datetime", _iso(event.time))
        utc, local = clock.utc(event.time), clock.local(event.time)
        time.set("title", utc if utc == local else f"{local}\n{utc}")
        if before is not None and event.time - before >= PAUSE:
            add(cell, "small", "", clock.seconds(event.time - before), title="since the row before")

    def _group(self, body: Element, number: int) -> None:
        group = self._ladder.groups[number]
        status = group.status.replace("-", " ")
        more = " (continued)" if group.continued else ""
        row = add(body, "tr", f"gr g-{group.status}", role="row")
        row.set("id", f"{self._sheet.prefix}-g{number}")
        cell = add(row, "th", "", role="rowheader", colspan=str(int(self._lanes) + 3))
        inner = add(cell, "span", "gi")
        sign = STATUS_SIGNS.get(group.status, "")
        add(inner, "b", "st", f"{sign} {status}")
        add(inner, "b", "", printable(f"{group.flow} {group.step}: {group.title}{more}"))
        add(inner, "span", "dt", printable(group.detail))

    def _arrow(self, cell: Element, arrow: Arrow) -> None:
        box = add(cell, "span", "w")
        add(box, "span", "xl-vh", f"{ends(arrow, self._ladder.lanes)}: ")
        text = add(box, "span", "t")
        if sign := TONE_SIGNS[arrow.tone]:
            add(text, "b", "sg", sign, aria_hidden="true")
            add(text, "span", "xl-vh", f"{TONE_WORDS[arrow.tone]}: ")
        add(text, "span", "lb", cut(printable(arrow.label), self._sheet.look.label))
        for mark in arrow.marks:
            add(text, "span", "mk", printable(mark))
        if folded := _folded(arrow):
            add(text, "span", "fo", folded)
        add(cell, "i", "ar")
        for lane in arrow.via:
            add(cell, "i", f"vi v{lane}")

    def _note(self, cell: Element, note: Note) -> None:
        box = add(cell, "span", "nt")
        inner = add(box, "span", "t")
        add(inner, "b", "sg", NOTE_SIGNS[note.kind], aria_hidden="true")
        add(inner, "span", "lb", note_words(note))

    def _latency(self, cell: Element, event: Event, number: int) -> None:
        for stretch in self._stretches.get(number, ()):
            add(cell, "i", _line_class(stretch))
        if isinstance(event, Arrow) and event.latency_ms is not None:
            sign = HEAT_SIGNS[event.heat]
            text = f"{latency_text(event.latency_ms)} {sign}".strip()
            shown = add(cell, "span", "ms-t", text)
            of = f" since {printable(event.latency_of)}" if event.latency_of else ""
            heat = "" if event.heat == "quick" else f", {event.heat.replace('-', ' ')}"
            shown.set("title", f"{latency_text(event.latency_ms)}{of}{heat}")


def _folded(arrow: Arrow) -> str:
    """Return what more than one message an arrow stands for: ``+ 200 OK · 2 hops``."""
    parts = []
    if arrow.count > 1 and "×" not in arrow.label:
        parts.append(f"×{arrow.count}")
    if arrow.answer is not None:
        parts.append(f"→ {printable(arrow.answer.text)}")
    if arrow.hops:
        parts.append(f"+{len(arrow.hops)} hop{'' if len(arrow.hops) == 1 else 's'}")
    return " · ".join(parts)


def _line_class(stretch: Stretch) -> str:
    return f"br b{stretch.track} {stretch.part} {stretch.heat}"


def _iso(time: int) -> str:
    """Return a time as HTML has it: with milliseconds, in UTC."""
    moment = _EPOCH + timedelta(seconds=time // SECOND)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time % SECOND // 1_000_000:03d}Z"
