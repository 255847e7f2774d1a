"""How pages are written: elements, text with links, tables. The only place that makes markup.

Every text goes in as text, made safe by ``safe``; lxml escapes it. There are no style attributes
and no event handlers, because the content policy of a report would not let them do anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lxml import etree

from analyzer.export.printable import printable
from analyzer.ladder.html_words import STATUS_SIGNS
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Element = etree._Element  # noqa: SLF001  (lxml has no public name for it)
Cell = str | int | Callable[[Element], None] | None
"""What a cell shows: a text, a number, nothing, or what fills its element."""

SHOWN_FRAMES = 12
"""Frame numbers in a cell; the details of a message and JSON have all."""
_LINKED = re.compile(
    r"\*(?P<name>[^*\n]{1,200})\*"
    r"|\bframes (?P<several>\d{1,18}(?:(?:-|, | and )\d{1,18}(?!\d))*)"
    r"|\bframe (?P<one>\d{1,18})"
)
"""What stands out in sentences: names of rooms between asterisks, and numbers of frames."""
_UNMARKED = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What markup cannot hold (XML 1.0, 2.2)."""
_NUMBER = re.compile(r"\d+")
TONES = {
    **dict.fromkeys(("ok", "answered", "accepted", "complete", "certain"), "good"),
    **dict.fromkeys(("failed", "missing", "rejected", "unanswered", "error"), "bad"),
    **dict.fromkeys(("slow", "retried", "out-of-order", "warning", "doubtful"), "doubt"),
    **dict.fromkeys(("incomplete", "unknown", "likely", "possible"), "doubt"),
}
"""How a word is coloured; the word itself always stands there, with a sign."""
SIGNS = {
    **STATUS_SIGNS,
    **dict.fromkeys(("answered", "accepted", "complete"), "✓"),
    **dict.fromkeys(("rejected", "unanswered", "error"), "✕"),
    **dict.fromkeys(("warning", "doubtful", "incomplete"), "!"),
    "unknown": "?",
    "note": "i",
}


def add(parent: Element, tag: str, classes: str = "", text: str = "", **more: str) -> Element:
    """Return a new child; ``for_`` and ``aria_label`` stand for ``for`` and ``aria-label``."""
    made = etree.SubElement(parent, tag)
    if classes:
        made.set("class", classes)
    for key, value in more.items():
        made.set(key.rstrip("_").replace("_", "-"), printable(value))
    if text:
        made.text = printable(text)
    return made


def say(parent: Element, text: str) -> None:
    """Append a text behind all that is in an element."""
    last = parent[-1] if len(parent) else None
    if last is None:
        parent.text = (parent.text or "") + printable(text)
    else:
        last.tail = (last.tail or "") + printable(text)


def copy_button(parent: Element, label: str, text: str, **more: str) -> None:
    """Add a button that copies a text as it is, with the ends of its lines.

    Names of files may hold what markup cannot: there it says that it cannot be copied.
    """
    if _UNMARKED.search(text):
        add(parent, "span", "soft", f"{label}: not to be copied, it has control characters")
        return
    add(parent, "button", "", label, type="button", **more).set("data-copy", text)


def badge(parent: Element, word: str, text: str | None = None) -> Element:
    """Add a word with its sign, coloured by what it means."""
    made = add(parent, "span", f"badge {TONES.get(word, 'plain')}")
    sign = SIGNS.get(word, "")
    if sign:
        add(made, "span", "sign", sign, aria_hidden="true")
        say(made, " ")
    say(made, text or word.replace("-", " "))
    return made


def badged(word: str, text: str | None = None, behind: str = "") -> Cell:
    """Return a cell with a word and its sign, and a text behind it."""

    def fill(cell: Element) -> None:
        badge(cell, word, text)
        say(cell, behind)

    return fill


def linked(text: str, target: str | None, classes: str = "") -> Cell:
    """Return a cell with a link; with the text alone where there is nothing to lead to."""
    if target is None:
        return text

    def fill(cell: Element) -> None:
        add(cell, "a", classes, text, href=f"#{target}")

    return fill


def coded(text: str, classes: str = "") -> Cell:
    """Return a cell with what is typed somewhere: a digest, a command, a filter."""

    def fill(cell: Element) -> None:
        add(cell, "code", classes, text)

    return fill


class Linker(Protocol):
    """Knows where the messages of a capture are shown."""

    def href_of(self, frame: int) -> str | None:
        """Return the address of the message that a frame brought; None where it is not shown."""
        ...


class Column(NamedTuple):
    """One column of a table."""

    title: str
    classes: str = ""
    """``num`` for numbers, ``wide`` for what may wrap, ``mono`` for addresses."""


@dataclass(frozen=True, slots=True)
class Page:
    """Writes what links to messages."""

    places: Linker

    def frame(self, parent: Element, frame: int | None) -> None:
        """Add a frame number, as a link where its message is shown."""
        if frame is None:
            return
        target = self.places.href_of(frame)
        if target is None:
            say(parent, str(frame))
        else:
            add(parent, "a", "frame", str(frame), href=target)

    def frames(self, parent: Element, frames: Iterable[int], shown: int = SHOWN_FRAMES) -> None:
        """Add frame numbers, each a link where its message is shown."""
        found = sorted(set(frames))
        for number, frame in enumerate(found[:shown]):
            say(parent, ", " if number else "")
            self.frame(parent, frame)
        if len(found) > shown:
            say(parent, f" and {len(found) - shown:,} more")

    def in_frame(self, frame: int | None) -> Cell:
        """Return a cell with a frame number."""
        return lambda cell: self.frame(cell, frame)

    def in_frames(self, frames: Iterable[int]) -> Cell:
        """Return a cell with frame numbers."""
        return lambda cell: self.frames(cell, frames)

    def words(self, text: str) -> Cell:
        """Return a cell with a sentence."""
        return lambda cell: self.prose(cell, text)

    def prose(self, parent: Element, text: str) -> None:
        """Add a sentence; what it says of frames and rooms is linked and set off."""
        at = 0
        for found in _LINKED.finditer(text):
            say(parent, text[at : found.start()])
            at = found.end()
            if found["name"]:
                add(parent, "em", text=found["name"])
            elif found["one"]:
                say(parent, "frame ")
                self.frame(parent, int(found["one"]))
            else:
                self._several(parent, found["several"])
        say(parent, text[at:])

    def _several(self, parent: Element, text: str) -> None:
        say(parent, "frames ")
        at = 0
        for found in _NUMBER.finditer(text):
            say(parent, text[at : found.start()])
            at = found.end()
            self.frame(parent, int(found[0]))
        say(parent, text[at:])

    def paragraph(self, parent: Element, text: str, classes: str = "") -> Element:
        """Add a paragraph of prose."""
        made = add(parent, "p", classes)
        self.prose(made, text)
        return made

    def points(self, parent: Element, texts: Iterable[str], classes: str = "") -> None:
        """Add sentences as a list."""
        listed = add(parent, "ul", classes)
        for text in texts:
            self.prose(add(listed, "li"), text)


def table(
    parent: Element,
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    classes: str = "",
) -> Element:
    """Add a table; a cell is a text, a number, nothing, or what fills its element."""
    box = add(parent, "div", "scroll", tabindex="0", role="region", aria_label=caption)
    made = add(box, "table", classes)
    add(made, "caption", text=caption)
    head = add(add(made, "thead"), "tr")
    for column in columns:
        add(head, "th", column.classes, column.title, scope="col")
    body = add(made, "tbody")
    for row in rows:
        fill(add(body, "tr"), columns, row)
    return made


def fill(row: Element, columns: Sequence[Column], cells: Sequence[Cell]) -> None:
    """Fill a row of a table."""
    for column, cell in zip(columns, cells, strict=True):
        made = add(row, "td", column.classes)
        if callable(cell):
            cell(made)
        elif cell is not None:
            say(made, str(cell))


def section(parent: Element, identifier: str, title: str, level: int = 2) -> Element:
    """Add a section with its heading."""
    made = add(parent, "section", id=identifier, aria_labelledby=f"{identifier}-title")
    add(made, f"h{level}", "", title, id=f"{identifier}-title")
    return made


def facts(parent: Element, pairs: Iterable[tuple[str, Cell]], classes: str = "facts") -> None:
    """Add names with what belongs to them; those with nothing are left out."""
    listed = add(parent, "dl", classes)
    for name, value in pairs:
        if value in (None, ""):
            continue
        add(listed, "dt", text=name)
        cell = add(listed, "dd")
        if callable(value):
            value(cell)
        else:
            say(cell, str(value))


def more(parent: Element, left: int, noun: str, how: str) -> None:
    """Say how many things are not shown, and how to see them; nothing where all are."""
    if left > 0:
        add(parent, "p", "cut", f"{amount(left, f'more {noun}')}: {how}")
