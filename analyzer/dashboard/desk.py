"""What a page is given: the case, what is selected in it, and the ways to draw and to go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any

import streamlit as st

from analyzer.dashboard.links import draw
from analyzer.markup import Page
from analyzer.moments import Moments
from analyzer.zones import parse_zone

if TYPE_CHECKING:
    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.selection import Selection
    from analyzer.markup import Element


@dataclass(eq=False)
class Desk:
    """One look at a case; made anew for each run of the page."""

    case: Case
    selection: Selection

    @cached_property
    def zone(self) -> tzinfo:
        """The zone that times are shown in: that of the address, else UTC."""
        try:
            return parse_zone(self.selection.zone) if self.selection.zone else UTC
        except ValueError:
            return UTC

    @cached_property
    def moments(self) -> Moments:
        """Writes times."""
        return Moments(self.zone)

    @cached_property
    def page(self) -> Page:
        """Writes text in which frames are links to their messages."""
        return Page(self)

    def href(self, **changes: Any) -> str:  # noqa: ANN401  (as ``Selection.but``)
        """Return a link to what is looked at, with changes."""
        return self.selection.href(**changes)

    def href_of(self, frame: int) -> str | None:
        """Return the link that selects the message of a frame, on the same page."""
        row = self.case.row_of_frame(frame)
        return None if row is None else self.href(message=row)

    def go(self, **changes: Any) -> None:  # noqa: ANN401  (as ``Selection.but``)
        """Change what is selected, from within a callback of a widget: the page runs next."""
        st.query_params.from_dict(self.selection.but(**changes).params())

    def draw(self, element: Element, key: str) -> None:
        """Draw markup; links in it change what is selected. ``key`` is unique in the page."""
        draw(element, key)
