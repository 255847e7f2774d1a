"""The desk that a ladder of two sessions is drawn at: its messages are of A or of B.

The rule: a message that is chosen in it is set beside the one of the other side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analyzer.compare.ladder import row_of
from analyzer.dashboard.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.compare.values import SideName
    from analyzer.dashboard.compare.view import SideLinks

MAX_DIGITS = 9


@dataclass(eq=False)
class SideDesk(Desk):
    """As the desk of the page, but ``message`` is a number of the ladder of a comparison."""

    page_desk: Desk
    links: Mapping[SideName, SideLinks]

    @classmethod
    def of(cls, desk: Desk, links: Mapping[SideName, SideLinks]) -> SideDesk:
        """Return it for the desk of a page."""
        a = desk.selection.more.get("a", "")
        known = a.isascii() and a.isdigit() and len(a) <= MAX_DIGITS
        chosen = row_of("A", int(a)) if known else None
        return cls(desk.case, replace(desk.selection, message=chosen), desk, links)

    def href(self, **changes: Any) -> str:  # noqa: ANN401  (as ``Selection.but``)
        """Return a link to what is looked at, with changes."""
        return self.page_desk.href(**self._of_side(changes))

    def go(self, **changes: Any) -> None:  # noqa: ANN401  (as ``Selection.but``)
        """Change what is selected."""
        self.page_desk.go(**self._of_side(changes))

    def _of_side(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return changes with messages of the sides for those of the ladder."""
        number, marks = changes.pop("message", None), changes.pop("marks", None)
        if number is not None:
            changes |= self._links(number).selected(number // 2)
        if marks:
            # Two that are marked are set beside one another where there is one of each side.
            sides = {("b" if int(one) % 2 else "a"): int(one) // 2 for one in marks.split(",")}
            if len(sides) == 2:
                changes |= {"tab": "messages", **sides}
        return changes

    def _links(self, number: int) -> SideLinks:
        return self.links["B" if number % 2 else "A"]
