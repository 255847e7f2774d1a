"""Two messages side by side as markup, or what they could be compared with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from analyzer.dashboard.compare.fields import compared, middle
from analyzer.dashboard.dock.message import Docked, session_rows
from analyzer.markup import Column, add, badge, facts, say, table
from analyzer.times import latency_text
from analyzer.views.numbers import amount, frames_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.compare.fields import Field, State
    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Cell, Element

CANDIDATES = 40
"""Messages that are offered to compare with."""
LOOKED_AT = 5_000
"""Messages of a session that are looked through for those."""
STATES: dict[State, tuple[str, str]] = {
    "same": ("note", "same"),
    "alike": ("note", "differs in every run"),
    "differs": ("doubtful", "differs"),
    "only A": ("missing", "only in A"),
    "only B": ("missing", "only in B"),
}
"""Word whose sign and colour it has, and what stands there."""


@dataclass(eq=False)
class Pair:
    """Two messages of which at least one is chosen; the locks of both cases are held."""

    desk: Desk
    a: Docked | None
    b: Docked | None

    def draw(self, parent: Element, *, every: bool) -> None:
        """Draw both messages field by field; ``every``: what is the same too."""
        if self.a is None or self.b is None:
            return
        both = add(parent, "div", "compare-sides")
        self._head(both, "A", self.a)
        self._head(both, "B", self.b)
        found = compared(self.a, self.b)
        self._sentence(parent, found.fields)
        shown = found.fields if every else found.differing
        for group, some in groupby(shown, key=lambda one: one.group):
            self._table(parent, group, [*some])
        same = len(found.fields) - len(found.differing)
        line = add(parent, "p", "cut")
        if every:
            add(line, "a", "", "Only what differs", href=self.desk.href(all=None))
        elif same:
            say(line, f"{amount(same, 'field')} that are the same are not shown: ")
            add(line, "a", "", "show them", href=self.desk.href(all=1))
        for text in found.cut:
            add(parent, "p", "cut", text)

    def _head(self, parent: Element, name: str, one: Docked) -> None:
        made = add(parent, "section", "compare-side", aria_label=f"Message of side {name}")
        title = add(made, "h3")
        add(title, "span", "compare-name", name)
        say(title, f" {one.words(one.row)}")
        sender, target = one.stage.ends(one.row)
        moments, time = self.desk.moments, one.time

        def place(cell: Element) -> None:
            more = dict.fromkeys(self.desk.selection.more)
            href = self.desk.href(
                case=one.case.id, name=one.case.name, view="messages", message=one.row,
                session=one.session, **more,
            )  # fmt: skip
            add(cell, "a", "", f"{frames_text(one.frames)} of {one.case.name}", href=href)

        latency = (one.belongs["transaction"] or {}).get("latency_ms")
        facts(
            made,
            (
                ("Message", place),
                ("Way", f"{sender} → {target}"),
                ("Time", f"{moments.text(time)} {moments.name(time)}" if time else "unknown"),
                ("Answered after", latency_text(latency)),
                ("Size", amount(len(one.raw), "byte")),
            ),
        )

    @staticmethod
    def _sentence(parent: Element, fields: Sequence[Field]) -> None:
        differs = [one for one in fields if one.state not in ("same", "alike")]
        alike = sum(one.state == "alike" for one in fields)
        line = add(parent, "p")
        if differs:
            badge(line, "doubtful", f"{amount(len(differs), 'field')} differ"
                  if len(differs) != 1 else "1 field differs")  # fmt: skip
            say(line, f", first {differs[0].group}: {differs[0].name}")
        else:
            badge(line, "ok", "nothing that matters differs")
        say(line, f"; {amount(alike, 'field')} differ as in any two runs." if alike else ".")

    @staticmethod
    def _table(parent: Element, group: str, fields: Sequence[Field]) -> None:
        columns = (
            Column("result"),
            Column("field", "mono"),
            Column("A", "wide mono"),
            Column("B", "wide mono"),
        )
        rows = ((_state(one), one.name, *_values(one)) for one in fields)
        drawn = table(parent, group, columns, rows, "compare-fields")
        for line, one in zip(drawn.iterfind("tbody/tr"), fields, strict=True):
            if one.state not in ("same", "alike"):
                line.set("class", "differs")


def _state(one: Field) -> Cell:
    word, text = STATES[one.state]

    def fill(cell: Element) -> None:
        if one.state == "same":
            say(cell, "= same")
        else:
            badge(cell, word, text)

    return fill


def _values(one: Field) -> tuple[Cell, Cell]:
    """Return both values, with what is between their common beginning and end marked."""
    if one.a is None or one.b is None or one.a == one.b:
        return one.a if one.a is not None else "none", one.b if one.b is not None else "none"
    before, after = middle(one.a, one.b)
    return _marked(one.a, before, after), _marked(one.b, before, after)


def _marked(value: str, before: int, after: int) -> Cell:
    end = len(value) - after

    def fill(cell: Element) -> None:
        say(cell, value[:before])
        if before < end:
            add(cell, "mark", text=value[before:end])
        say(cell, value[end:])

    return fill


def candidates(case: Case, session: int | None, like: Docked) -> list[Docked]:
    """Return the messages of a session that one could be compared with: of the same kind."""
    among: Sequence[int] = range(len(case.trace.rows))
    if session is not None:
        among = session_rows(case, session)
    kind = _kind(like.case, like.row)
    found = (
        Docked(case, row)
        for row in among[:LOOKED_AT]
        if _kind(case, row) == kind and not (case is like.case and row == like.row)
    )
    return [one for one, _ in zip(found, range(CANDIDATES), strict=False)]


def _kind(case: Case, row: int) -> tuple[str, bool]:
    """Return the method of a message, and whether it is a request."""
    rows = case.trace.rows
    cseq = rows.cseqs.values[rows.cseq[row]]
    method = rows.strings.values[rows.method[row]] or (cseq[1] if cseq else "")
    return (method or "").upper(), rows.status[row] < 0
