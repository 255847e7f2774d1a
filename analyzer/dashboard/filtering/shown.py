"""What filter and session let through: which messages are shown, in the words of the command line.

The rule: a filter that nobody understands is told, and nothing is hidden because of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from analyzer.dashboard.filtering.box import draw_box
from analyzer.dashboard.kept_last import kept_last
from analyzer.filters.facts import Facts
from analyzer.filters.lexing import FilterError
from analyzer.filters.parse import Filter, parse_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.desk import Desk

FILTERED = {"messages", "ladder", "commands"}
"""Pages that show only what the filter lets through."""


class Filtered(NamedTuple):
    """What the filter of an address comes to."""

    filter: Filter | None
    """None where there is none, or where it is wrong."""
    rows: Sequence[int] | None
    """Ascending; None: all messages."""
    wrong: FilterError | None = None


def filter_box(desk: Desk) -> None:
    """Draw the box, its completion, and what is wrong with what was typed."""
    found = filtered(desk)
    total = len(desk.case.trace.rows)
    draw_box(desk, found.filter, found.wrong, total if found.rows is None else len(found.rows))


def chosen_rows(desk: Desk) -> Sequence[int] | None:
    """Return the messages that filter and session let through, ascending; None: all of them."""
    return filtered(desk).rows


def filtered(desk: Desk) -> Filtered:
    """Return what filter and session let through, and the filter as it was read."""
    selection = desk.selection
    if not selection.filter.strip() and selection.session is None:
        return Filtered(None, None)
    key = (selection.filter, selection.session, selection.zone)
    return kept_last(desk.case, "filtered", key, lambda: _found(desk))


def _found(desk: Desk) -> Filtered:
    """Work it out; full text over a large capture takes a moment."""
    with st.spinner("Filtering", show_time=True):
        return _filtered(desk)


def _filtered(desk: Desk) -> Filtered:
    case, text = desk.case, desk.selection.filter.strip()
    if not text:
        return Filtered(None, _of_session(desk, range(len(case.trace.rows))))
    try:
        # Not stripped: the places of errors are those in the text that the box shows.
        wanted = parse_filter(desk.selection.filter)
        rows = _of_session(desk, wanted.rows(case, desk.zone))
    except FilterError as error:
        whole = desk.selection.session is None
        rest = None if whole else _of_session(desk, range(len(case.trace.rows)))
        return Filtered(None, rest, error.with_traceback(None))
    return Filtered(wanted, rows)


def _of_session(desk: Desk, rows: Sequence[int]) -> Sequence[int]:
    wanted = desk.selection.session
    if wanted is None:
        return rows
    session = Facts.of(desk.case).session
    return [row for row in rows if session[row] == wanted]
