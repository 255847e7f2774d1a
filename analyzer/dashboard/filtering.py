"""The filter box: which messages are shown, in the words of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.desk import Desk

FILTERED = {"messages", "ladder", "commands"}
"""Pages that show only what the filter lets through."""


def filter_box(desk: Desk) -> None:
    """Draw the box, its completion, and what is wrong with what was typed."""


def chosen_rows(desk: Desk) -> Sequence[int] | None:
    """Return the messages that filter and session let through, ascending; None: all of them."""
    return None if desk.selection.filter == "" else ()
