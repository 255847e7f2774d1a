"""The open cases as the start page lists them: what was opened just now before the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.dashboard.verdict.headline import headline
from analyzer.markup import Column, add, badged, table
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.selection import Selection
    from analyzer.markup import Cell, Element

_COLUMNS = (
    *(Column("capture", "wide"), Column("verdict", "wide")),
    *(Column("messages", "num"), Column("sessions", "num")),
)


def list_open(
    made: Element, selection: Selection, cases: Sequence[Case], opened: Sequence[str]
) -> None:
    """List the open cases; ``opened``: ids of those that the last job opened."""
    new = [case for case in cases if case.id in opened]
    if len(new) > 1:
        text = f"{amount(len(new), 'capture')} were opened, each for itself. Which one first?"
        add(made, "p", text=text, role="status")
    _listed(made, selection, "Opened now", new)
    _listed(made, selection, "Open already", [case for case in cases if case not in new])


def _listed(made: Element, selection: Selection, caption: str, cases: Sequence[Case]) -> None:
    if cases:
        table(made, caption, _COLUMNS, (_line(selection, case) for case in cases))


def _line(selection: Selection, case: Case) -> Sequence[Cell]:
    said = headline(case)
    href = selection.but(case=case.id, name=case.name, view="overview").href()
    return (
        linked_to(href, case.name),
        badged(said.sign, said.word),
        f"{len(case.trace.rows):,}",
        f"{len(case.views):,}",
    )


def linked_to(href: str, text: str) -> Cell:
    """Return a cell with a link."""

    def fill(cell: Element) -> None:
        add(cell, "a", "", text, href=href)

    return fill
