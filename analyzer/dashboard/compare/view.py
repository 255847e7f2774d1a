"""A comparison as markup: who is compared, what differs first, steps and exchanges side by side.

The rule: a frame of A leads to a message of A, one of B to one of B, whatever captures they are of.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from analyzer.compare.align import align
from analyzer.compare.likes import alike, subject_of
from analyzer.compare.naming import where
from analyzer.compare.words import doubt_sentence, place_text, summary
from analyzer.markup import Column, Page, add, badge, badged, facts, say, table
from analyzer.times import duration_text, latency_text, time_text
from analyzer.views.told import VERDICT_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.compare.values import (
        AlignedRow,
        Comparison,
        Divergence,
        Exchange,
        Party,
        SideName,
        StepSeen,
        Told,
        Weight,
    )
    from analyzer.dashboard.compare.sides import Side
    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Cell, Element

T = TypeVar("T")
WEIGHED: dict[Weight, str] = {"major": "failed", "minor": "doubtful", "trivial": "note"}
"""Weight of a divergence to the word whose sign and colour it has."""
SHOWN = 100
"""Rows of a page of the table, and divergences of a page of the list."""
MESSAGE = {"tab": "messages", "page": None}


class SideLinks:
    """Leads from the frames of one side to its messages, beside those that stand for them."""

    def __init__(self, desk: Desk, side: Side, name: SideName, twins: dict[int, int]) -> None:
        self._desk, self._side, self._name, self._twins = desk, side, name, twins

    def href_of(self, frame: int) -> str | None:
        """Return the link to the message of a frame."""
        row = self._side.case.row_of_frame(frame)
        return None if row is None else self.href_of_row(row)

    def href_of_row(self, row: int) -> str:
        """Return the link that sets a message beside the one of the other side."""
        return self._desk.href(**self.selected(row))

    def selected(self, row: int) -> dict[str, object]:
        """Return what is selected then."""
        own, other = ("a", "b") if self._name == "A" else ("b", "a")
        return {**MESSAGE, own: row, other: self._twins.get(row)}


@dataclass(eq=False)
class View:
    """Two sessions, compared; the locks of both cases are held."""

    desk: Desk
    a: Side
    b: Side
    found: Comparison

    @cached_property
    def twins(self) -> tuple[dict[int, int], dict[int, int]]:
        """The message of B that stands for one of A, and the other way round."""
        of_a: dict[int, int] = {}
        of_b: dict[int, int] = {}
        for row in self.found.rows:
            if row.a is None or row.b is None:
                continue
            one, two = row.a.sights, row.b.sights
            for i, j in align([(sight.part,) for sight in one], [(sight.part,) for sight in two]):
                of_a.setdefault(one[i].row, two[j].row)
                of_b.setdefault(two[j].row, one[i].row)
        return of_a, of_b

    @cached_property
    def links(self) -> dict[SideName, SideLinks]:
        """Links to the messages of each side."""
        of_a, of_b = self.twins
        return {
            "A": SideLinks(self.desk, self.a, "A", of_a),
            "B": SideLinks(self.desk, self.b, "B", of_b),
        }

    @cached_property
    def pages(self) -> dict[SideName, Page]:
        """Writers of sentences about each side."""
        return {name: Page(links) for name, links in self.links.items()}

    @property
    def swapped(self) -> str:
        """The address in which the sides have changed places."""
        more = self.desk.selection.more
        return self.desk.href(
            case=self.b.case.id,
            name=self.b.case.name,
            session=self.b.session,
            other=self.a.address,
            tab=more.get("tab"),
            all=more.get("all"),
            page=more.get("page"),
            a=more.get("b"),
            b=more.get("a"),
        )

    def head(self, parent: Element, *, brief: bool) -> None:
        """Draw who is compared, and what differs first; ``brief``: without particulars."""
        both = add(parent, "div", "compare-sides")
        for name, side, party in (("A", self.a, self.found.a), ("B", self.b, self.found.b)):
            made = self._party(both, "A" if name == "A" else "B", side, party)
            if not brief:
                self._facts(made, side, party)
        line = self.desk.page.paragraph(parent, f"Compared: {self.found.why}. ", "soft")
        add(line, "a", "", "Swap the sides", href=self.swapped)
        self._first(parent)

    def _party(self, parent: Element, name: SideName, side: Side, party: Party) -> Element:
        made = add(parent, "section", "compare-side", aria_label=f"Side {name}")
        title = add(made, "h3")
        add(title, "span", "compare-name", name)
        verdict = side.case.verdict(side.session)
        say(title, f" {party.user or 'unknown user'} ")
        badge(title, verdict, VERDICT_WORDS[verdict])
        self.pages[name].paragraph(made, party.verdict)
        for doubt in party.doubts:
            line = add(made, "p")
            badge(line, "unknown", "unsure")
            say(line, " ")
            self.pages[name].prose(line, doubt)
        return made

    def _facts(self, parent: Element, side: Side, party: Party) -> None:
        moments = self.desk.moments
        started = time_text(party.started, party.digits)

        def session(cell: Element) -> None:
            href = self.desk.href(
                case=side.case.id, name=side.case.name, session=side.session, view="sessions",
                **dict.fromkeys(self.desk.selection.more),
            )  # fmt: skip
            add(cell, "a", "", f"session {side.session + 1} of {side.case.name}", href=href)

        took = duration_text(party.ended - party.started)
        facts(
            parent,
            (
                ("Which", session),
                ("Client", f"{party.variant_words}; {party.user_agent or 'unnamed'}"),
                ("Server", party.server or ""),
                ("Began", f"{moments.text(started)} {moments.name(started)}, took {took}"),
                ("Exchanges", f"{party.exchanges:,}"),
            ),
        )

    def _first(self, parent: Element) -> None:
        first = self.found.first
        made = add(parent, "section", "compare-first", aria_label="What differs first")
        add(made, "h2", text="What differs first")
        if first is None:
            line = add(made, "p")
            badge(line, "ok", "no meaningful difference")
            say(line, " as far as both captures tell.")
        else:
            self._divergence(made, first, place_text(first))
        for text in (*map(doubt_sentence, self.found.doubts[:SHOWN]), *self.found.cut):
            line = add(made, "p")
            badge(line, "unknown", "cannot be told")
            say(line, f" {text}")

    def _divergence(self, parent: Element, one: Divergence, place: str) -> None:
        line = add(parent, "p", "compare-place")
        badge(line, WEIGHED[one.weight], one.weight)
        say(line, " ")
        add(line, "strong", text=place)
        if one.follows:
            say(line, ", which follows from an earlier one")
        told = add(parent, "dl", "compare-told")
        self._told(told, "A", one.a)
        self._told(told, "B", one.b)

    def _told(self, parent: Element, name: SideName, told: Told) -> None:
        add(parent, "dt", "compare-name", name)
        cell = add(parent, "dd")
        self.pages[name].prose(cell, told.text)
        if told.frames:
            say(cell, " (frame " if len(told.frames) == 1 else " (frames ")
            self.pages[name].frames(cell, told.frames)
            say(cell, ")")

    def steps(self, parent: Element) -> None:
        """Draw the steps of the sign-ins side by side."""
        pairs = self.found.steps
        if not pairs:
            add(parent, "p", text="Not both sides have a sign-in: there are no steps to compare.")
            return
        columns = (Column("step", "wide"), *_sided("status", "latency", "frames"))
        columns = (*columns, Column("B minus A", "num"))
        rows = (
            (
                f"{one.step.id} {one.step.title}",
                *self._seen("A", one.a),
                *self._seen("B", one.b),
                delta_text(one.a.latency_ms, one.b.latency_ms),
            )
            for one in pairs
        )
        drawn = table(parent, "Steps of the sign-in on both sides", columns, rows, "compare-steps")
        for line, one in zip(drawn.iterfind("tbody/tr"), pairs, strict=True):
            if one.a.status != one.b.status:
                line.set("class", "differs")

    def _seen(self, name: SideName, seen: StepSeen) -> tuple[Cell, Cell, Cell]:
        return (
            badged(seen.status),
            latency_text(seen.latency_ms),
            self.pages[name].in_frames(seen.frames),
        )

    def divergences(self, parent: Element, number: int, *, every: bool) -> int:
        """Draw one page of what differs, in the order of the flow; return how many pages."""
        found = self.found.divergences if every else self.found.meaningful
        text = summary(self.found)
        add(parent, "p", text=f"{text[:1].upper()}{text[1:]}.")
        count, some = _page(found, number)
        step: object = ""
        for one in some:
            if one.step != step:
                step = one.step
                title = where(one.step, one.step.title) if one.step else "Beyond the steps"
                add(parent, "h3", text=title)
            place = place_text(one).removeprefix(where(one.step, "")).strip()
            self._divergence(parent, one, f"{place}: {one.kind}")
        return count

    def exchanges(self, parent: Element, number: int, *, every: bool) -> int:
        """Draw one page of commands and requests side by side; return how many pages there are."""
        rows = [one for one in self.found.rows if every or _matters(one)]
        count, some = _page([*alike(rows)], number)
        columns = (
            *(Column("result", "wide"), Column("step"), Column("exchange", "wide")),
            *_sided("frames", "outcome", "latency"),
            Column("B minus A", "num"),
        )
        cells = (self._exchange(group) for group in some)
        caption = "Requests, commands and posts of both sides, those that are the same in a row"
        drawn = table(parent, caption, columns, cells, "compare-rows")
        for line, group in zip(drawn.iterfind("tbody/tr"), some, strict=True):
            if _matters(group[0]):
                line.set("class", "differs")
        if not rows:
            add(parent, "p", text="No exchange differs.")
        return count

    def _exchange(self, group: list[AlignedRow]) -> Sequence[Cell]:
        row = group[0]
        latencies = [None if one is None else one.latency_ms for one in (row.a, row.b)]
        return (
            lambda cell: _sign(cell, row),
            "" if row.step is None else row.step.id,
            subject_of(group),
            *self._side_cells("A", row.a, row.unseen),
            *self._side_cells("B", row.b, row.unseen),
            delta_text(*latencies),
        )

    def _side_cells(
        self, name: SideName, one: Exchange | None, unseen: str | None
    ) -> tuple[Cell, Cell, Cell]:
        if one is None:
            return None, "not captured" if unseen else "none", None
        words = one.outcome.words.removeprefix("answered ")
        bad = one.outcome.known and not one.outcome.well
        outcome: Cell = badged("failed", words) if bad else words
        return self.pages[name].in_frames(one.frames), outcome, latency_text(one.latency_ms)


def _sided(*titles: str) -> tuple[Column, ...]:
    kinds = {"latency": "num", "outcome": "wide"}
    return tuple(Column(f"{name} {one}", kinds.get(one, "")) for name in "AB" for one in titles)


def _matters(row: AlignedRow) -> bool:
    return row.weight in ("major", "minor") or row.unseen is not None


def _sign(cell: Element, row: AlignedRow) -> None:
    if row.unseen is not None:
        badge(cell, "unknown", "cannot be told")
    elif row.weight is not None:
        badge(cell, WEIGHED[row.weight], row.weight)
    else:
        say(cell, "= same")
    if row.moved:
        say(cell, ", in another order")


def _page(found: Sequence[T], number: int) -> tuple[int, Sequence[T]]:
    """Return how many pages there are, and what is on one (from 0; the last one at most)."""
    count = max(1, -(-len(found) // SHOWN))
    begin = min(max(0, number), count - 1) * SHOWN
    return count, found[begin : begin + SHOWN]


def delta_text(a: float | None, b: float | None) -> str:
    """Return how much longer B took: ``+120 ms``, ``-3.10 ms``; empty where one is not known."""
    if a is None or b is None:
        return ""
    if abs(b - a) < 0.005:
        return "the same"
    return f"{'+' if b > a else '-'}{latency_text(abs(b - a))}"
