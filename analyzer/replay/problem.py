"""What is wrong with a script, as a value."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]
"""``error``: it cannot be played as it stands. ``warning``: it can, and somebody may wonder."""


class Problem(NamedTuple):
    """One thing that is wrong."""

    severity: Severity
    place: str
    """``turn t7: expect[0]``, ``slot room1``: by id, as people find it in the file."""
    text: str
    """One sentence without a full stop."""

    def __str__(self) -> str:
        return f"{self.severity}: {self.place}: {self.text}"


def error(place: str, text: str) -> Problem:
    """Return an error."""
    return Problem("error", place, text)


def warning(place: str, text: str) -> Problem:
    """Return a warning."""
    return Problem("warning", place, text)
