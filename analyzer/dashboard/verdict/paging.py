"""Long lists in pages, and choices among a few: links, so that they stand in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.markup import add, say
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Element

AROUND = 2
"""Pages on either side of the one that is shown, besides the first and the last."""


class Part(NamedTuple):
    """The part of a list that a page shows."""

    page: int
    """From 1."""
    pages: int
    first: int
    """From 0."""
    last: int
    """Behind the last that is shown."""
    total: int


class Option(NamedTuple):
    """One of a few things to choose."""

    text: str
    href: str
    chosen: bool


def part_of(given: str | None, total: int, size: int, at: int | None = None) -> Part:
    """Return the part that the address asks for; without it the one with number ``at``.

    A page that is not there is the nearest that is.
    """
    pages = max(1, -(-total // size))
    page = 1 if at is None else at // size + 1
    if given and given.isascii() and given.isdigit():
        page = int(given[:9])
    page = min(max(page, 1), pages)
    first = (page - 1) * size
    return Part(page, pages, first, min(first + size, total), total)


def pager(parent: Element, desk: Desk, part: Part, noun: str, key: str = "page") -> None:
    """Add what is shown of how many, and links to the other pages; nothing where all is shown."""
    if part.pages == 1:
        return
    label = f"Pages of {noun}s"
    if any(one.get("aria-label") == label for one in parent.iter("nav")):
        label += ", below"  # landmarks are told apart by their names
    made = add(parent, "nav", "pager", aria_label=label)
    add(made, "span", "soft", f"{part.first + 1:,} to {part.last:,} of {amount(part.total, noun)}")
    if part.page > 1:
        add(made, "a", "", "previous", href=desk.href(**{key: part.page - 1}))
    before = 0
    for page in _near(part):
        if page > before + 1:
            add(made, "span", "soft", "…")
        link = add(made, "a", "", f"{page:,}", href=desk.href(**{key: page}))
        link.set("aria-label", f"page {page}")
        if page == part.page:
            link.set("aria-current", "true")
        before = page
    if part.page < part.pages:
        add(made, "a", "", "next", href=desk.href(**{key: part.page + 1}))


def _near(part: Part) -> Sequence[int]:
    near = range(part.page - AROUND, part.page + AROUND + 1)
    return sorted({1, part.pages, *(page for page in near if 1 <= page <= part.pages)})


def choices(parent: Element, name: str, options: Iterable[Option]) -> None:
    """Add a few things of which one is chosen."""
    made = add(parent, "nav", "choices", aria_label=name)
    add(made, "span", "soft", f"{name}:")
    for one in options:
        link = add(made, "a", "", one.text, href=one.href)
        if one.chosen:
            link.set("aria-current", "true")


def ways(parent: Element, links: Iterable[tuple[str, str | None]]) -> None:
    """Add links one behind the other; those that lead nowhere are left out."""
    made = add(parent, "p", "ways")
    first = True
    for text, href in links:
        if href is None:
            continue
        if not first:
            say(made, " · ")
        add(made, "a", "", text, href=href)
        first = False
