"""Ladders as text: for a terminal, a mail, a ticket, in Unicode or in ASCII.

No line is wider than it may be, and nothing in it can steer a terminal. Each event has its frame,
its time, its arrow between the lanes and what there is to say of it at the right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.ladder.look import Clock, pages
from analyzer.ladder.text_cells import ASCII, UNICODE, Row, cells, cut_cells, safe, wrapped
from analyzer.ladder.text_columns import GAP, columns_of, frame_text, hanging, heads, key_lines
from analyzer.ladder.text_drawing import Drawing
from analyzer.ladder.text_words import Remark, Words
from analyzer.ladder.values import Arrow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.ladder.look import Look
    from analyzer.ladder.text_cells import Paint
    from analyzer.ladder.values import Event, Group, Ladder, Note

HEADS_EVERY = 50
"""Events after which the names stand again: a screenful of a tall terminal."""


def render_text(ladder: Ladder, look: Look) -> Iterator[bytes]:
    """Yield a ladder as pages of UTF-8 text."""
    for page in pages(ladder, look.page):
        yield "".join(f"{line}\n" for line in text_lines(page, look)).encode()


def text_lines(ladder: Ladder, look: Look, paint: Paint | None = None) -> Iterator[str]:
    """Yield the lines of a ladder, all events on one page, painted where ``paint`` is given."""
    yield from _Text(ladder, look, paint).lines()


class _Text:
    def __init__(self, ladder: Ladder, look: Look, paint: Paint | None) -> None:
        self._ladder, self._look = ladder, look
        self._paint = paint or (lambda text, _: text)
        self._signs = UNICODE if look.unicode else ASCII
        self._clock = Clock(ladder, look)
        self._words = Words(ladder, self._clock, self._signs)
        befores = [None, *(event.time for event in ladder.events)]
        self._times = [
            self._clock.text(event.time, before)
            for event, before in zip(ladder.events, befores, strict=False)
        ]
        heading = self._clock.heading if ladder.events else ""
        self._columns = columns_of(ladder, look.width, self._times, heading)
        self._drawing = Drawing(self._columns, self._words, self._signs, look)
        self._heads = heads(ladder, self._columns, unicode=look.unicode)
        self._day = ""
        self._names = max((cells(self._ends(arrow)) for arrow in ladder.arrows), default=0)

    def lines(self) -> Iterator[str]:
        yield from self._title()
        if not self._ladder.events:
            yield "Nothing was said."
        elif not self._columns.lanes:
            yield self._rule_heading()
        groups = {group.first: group for group in self._ladder.groups}
        last = {group.last for group in self._ladder.groups}
        for number, event in enumerate(self._ladder.events):
            if self._columns.lanes and number % HEADS_EVERY == 0:
                yield from self._head_lines(again=number > 0)
            yield from self._date(event)
            if number in groups:
                yield from self._step(groups[number])
            elif number - 1 in last and isinstance(event, Arrow):
                yield self._paint(self._ruled("outside the steps"), "dim")
            yield from self._event(number, event)
        yield from self._left_out()

    def _safe(self, text: str) -> str:
        return safe(text, unicode=self._look.unicode)

    def _title(self) -> Iterator[str]:
        ladder, width = self._ladder, self._columns.width
        for line in wrapped(self._safe(ladder.title), width):
            yield self._paint(line, "bold")
        yield from wrapped(self._safe(ladder.subtitle), width)
        if ladder.events:
            yield from wrapped(self._begins(ladder.events[0].time), width)
        yield ""
        yield from key_lines(ladder, self._heads, width, self._signs, unicode=self._look.unicode)
        yield ""

    def _begins(self, first: int) -> str:
        clock = self._clock
        if not self._ladder.dated:
            return "Seconds since a beginning of their own"
        if self._look.times == "relative":
            return f"Seconds since {clock.local(self._ladder.began)}"
        local, utc = clock.local(first), clock.utc(first)
        return f"Begins {local}" if local == utc else f"Begins {local}, which is {utc}"

    def _date(self, event: Event) -> Iterator[str]:
        """Yield a line where a new day begins, as times of day do not tell."""
        day = self._clock.local(event.time)[:10]
        if self._day and day != self._day and self._look.times == "absolute":
            yield self._paint(self._ruled(day), "bold")
        self._day = day

    def _ruled(self, text: str) -> str:
        rule = self._signs.solid
        begin = f"{rule * 2} {cut_cells(text, self._columns.width - 6, self._signs.cut)} "
        return begin + rule * (self._columns.width - cells(begin))

    def _left(self, frame: str, time: str) -> str:
        return f"{frame:>{self._columns.frame}}{' ' * GAP}{time:<{self._columns.time}}"

    def _rule_heading(self) -> str:
        return self._paint(self._left("frame", self._clock.heading).rstrip(), "bold")

    def _head_lines(self, *, again: bool) -> Iterator[str]:
        if again:
            yield self._drawing.row().text()
        tallest = max(map(len, self._heads))
        for line in range(tallest):
            row = Row(self._columns.width)
            for lane, head in zip(self._columns.lanes, self._heads, strict=True):
                # Short names stand on their lanes, not above a gap.
                place = line - (tallest - len(head))
                if place >= 0:
                    text = head[place]
                    row.put(max(lane - cells(text) // 2, 0), text, "bold")
            yield row.text(self._paint)
        row = self._drawing.row()
        row.put(0, self._left("frame", self._clock.heading), "dim")
        yield row.text(self._paint)

    def _step(self, group: Group) -> Iterator[str]:
        step = self._words.step(group)
        room = self._columns.width - cells(step.status) - 8
        title = cut_cells(self._safe(step.title), room, self._signs.cut)
        text = f"{title}  {step.status}"
        detail = self._safe(step.detail)
        whole = f"{text}: {detail}" if detail else text
        if cells(whole) + 6 <= self._columns.width:
            yield self._paint(self._ruled(whole), step.style)
            return
        yield self._paint(self._ruled(text), step.style)
        for line in hanging("   ", detail, self._columns.width):
            if line.strip():
                yield self._paint(line, step.style)

    def _event(self, number: int, event: Event) -> Iterator[str]:
        if isinstance(event, Arrow):
            remarks = self._words.remarks(number)
            if self._columns.lanes:
                yield from self._drawn(number, event, remarks)
            else:
                yield from self._told(number, event, remarks)
        elif self._columns.lanes:
            yield from self._noted(number, event)
        else:
            begin = self._left(frame_text(event), self._times[number]) + " " * GAP
            text = self._safe(self._words.note(event))
            for line in hanging(begin + self._note_sign(event), text, self._columns.width):
                yield self._paint(line, event.tone)

    def _note_sign(self, note: Note) -> str:
        if note.kind == "hole":
            return f"{self._signs.hole * 2} "
        return self._words.sign(note.tone) or f"{self._signs.none} "

    def _remark_lines(self, remarks: list[Remark], room: int) -> list[Remark]:
        """Return remarks as lines, several on one where they fit."""
        lines: list[Remark] = []
        for text, style in remarks:
            safe_text = self._safe(text)
            if lines and style in (lines[-1].style, "dim"):
                joined = f"{lines[-1].text}, {safe_text}"
                if cells(joined) <= room:
                    lines[-1] = Remark(joined, lines[-1].style)
                    continue
            lines += [Remark(line, style) for line in wrapped(safe_text, room)]
        return lines

    def _drawn(self, number: int, arrow: Arrow, remarks: list[Remark]) -> Iterator[str]:
        columns, drawing = self._columns, self._drawing
        beside = columns.remarks is not None and bool(remarks)
        rows = drawing.arrow(arrow, drawing.end(beside=beside))
        if columns.remarks is None:
            said = self._remark_lines(remarks, columns.width - columns.begin - GAP)
            rows += [self._over_lanes(one.text, columns.begin + GAP, one.style) for one in said]
        else:
            said = self._remark_lines(remarks, columns.width - columns.remarks)
            rows += [drawing.row() for _ in range(len(said) - len(rows))]
            for row, remark in zip(rows, said, strict=False):
                row.put(columns.remarks, remark.text, remark.style)
        rows[0].put(0, self._left(frame_text(arrow), self._times[number]))
        for row in rows:
            yield row.text(self._paint)

    def _over_lanes(self, text: str, at: int, style: str) -> Row:
        row = self._drawing.row()
        row.put(at - 1, f" {text} ")
        row.put(at, text, style)
        return row

    def _noted(self, number: int, note: Note) -> Iterator[str]:
        columns = self._columns
        lanes = [columns.lanes[lane] for lane in note.lanes] or list(columns.lanes)
        rows = [self._drawing.hole(note)] if note.kind == "hole" else []
        body = self._words.note(note) if not rows else note.text
        text = "" if rows and body == note.label else self._safe(body)
        at = min(lanes) + GAP
        sign = "" if rows else self._note_sign(note)
        lines = hanging(sign, text, columns.width - at) if text else []
        rows += [self._over_lanes(line, at, note.tone) for line in lines]
        if rows:
            rows[0].put(0, self._left(frame_text(note), self._times[number]))
        for row in rows:
            yield row.text(self._paint)

    def _ends(self, arrow: Arrow) -> str:
        source, target = self._heads[arrow.source][0], self._heads[arrow.target][0]
        return f"{source} {self._signs.to} {target}"

    def _told(self, number: int, arrow: Arrow, remarks: list[Remark]) -> Iterator[str]:
        ends = self._ends(arrow)
        begin = self._left(frame_text(arrow), self._times[number]) + " " * GAP
        begin += ends + " " * (self._names - cells(ends) + GAP)
        further = [self._safe(remark.text) for remark in remarks]
        if between := set(arrow.via) - set(self._words.outside(arrow)):
            further.append(f"via {', '.join(self._heads[lane][0] for lane in sorted(between))}")
        text = self._drawing.label(arrow)
        whole = f"{text} ({', '.join(further)})" if further else text
        for line in hanging(begin, whole, self._columns.width):
            yield self._paint(line, arrow.tone)

    def _left_out(self) -> Iterator[str]:
        if self._ladder.left_out:
            yield ""
        for sentence in self._ladder.left_out:
            for line in hanging(f"{self._signs.none} ", self._safe(sentence), self._columns.width):
                yield self._paint(line, "dim")
