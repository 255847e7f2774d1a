"""Which part of a large message is shown: the page of its bytes, headers or elements.

In the address as ``part=ROW-NUMBER``: of another message the first part is shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.markup import add, say
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Element

_PART = re.compile(r"(\d{1,9})-(\d{1,9})")


class Part(NamedTuple):
    """A part of something that is shown a piece at a time."""

    number: int
    """From 0."""
    parts: int
    size: int
    """Of one part."""
    total: int

    @property
    def begin(self) -> int:
        """The first thing of it."""
        return self.number * self.size

    @property
    def end(self) -> int:
        """The one behind its last."""
        return min(self.total, self.begin + self.size)


def part_of(desk: Desk, row: int, total: int, size: int) -> Part:
    """Return the part that the address names; the last one where it names one behind that."""
    count = max(1, -(-total // size))
    found = _PART.fullmatch(desk.selection.more.get("part", ""))
    wanted = int(found[2]) - 1 if found and int(found[1]) == row else 0
    return Part(min(max(0, wanted), count - 1), count, size, total)


def ways(parent: Element, desk: Desk, row: int, part: Part, noun: str) -> None:
    """Say which part is shown, and lead to the others; nothing where there is but one."""
    if part.parts < 2:
        return
    made = add(parent, "nav", "dock-parts", aria_label="Parts of what is shown")
    text = f"{noun} {part.begin + 1:,} to {part.end:,} of {amount(part.total, noun.rstrip('s'))}"
    add(made, "span", "cut", text)
    for title, number in (
        ("first", 0),
        ("before", part.number - 1),
        ("next", part.number + 1),
        ("last", part.parts - 1),
    ):
        if 0 <= number < part.parts and number != part.number:
            say(made, " ")
            add(made, "a", "", title, href=desk.href(part=f"{row}-{number + 1}"))
