"""What a drawing is made of: a handful of shapes, each with the name of its style.

Coordinates are CSS pixels (1/96 inch) from the top left corner, y grows downwards. Text stands on
its baseline. ``theme`` says what the names of styles and roles look like.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Anchor = Literal["start", "middle", "end"]
Command = tuple[str | float, ...]
"""A letter of SVG paths (absolute: M, L, C, Z) with its coordinates."""


class Line(NamedTuple):
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    style: str


class Path(NamedTuple):
    """Lines and cubic curves, filled, stroked or both as the style says."""

    commands: tuple[Command, ...]
    style: str


class Rect(NamedTuple):
    """A box, its corners rounded by a radius."""

    x: float
    y: float
    width: float
    height: float
    style: str
    radius: float = 0


class Circle(NamedTuple):
    """A dot or ring around a middle."""

    x: float
    y: float
    radius: float
    style: str


class Text(NamedTuple):
    """A line of text."""

    x: float
    y: float
    anchor: Anchor
    role: str
    text: str
    """Safe to show: no control characters, no half surrogates."""


Part = Line | Path | Rect | Circle | Text
Kind = Literal["heads", "arrow", "note", "step", "bracket", "legend", "ground"]


class Item(NamedTuple):
    """Parts that are one thing to the reader, with what is said of it on request."""

    kind: Kind
    parts: tuple[Part, ...]
    tip: str = ""
    """The whole of it in words, some lines; safe to show."""
    frame: int | None = None


class Bookmark(NamedTuple):
    """A place in the drawing that a table of contents may name."""

    title: str
    y: float
    fresh: bool
    """It begins here; else it is the rest of what an earlier page began."""


class Drawing(NamedTuple):
    """A picture of a ladder, or of some rows of it."""

    width: float
    height: float
    title: str
    subtitle: str
    description: str
    """The ladder in a few sentences, for those who do not see it."""
    items: tuple[Item, ...]
    """In the order in which they are painted."""
    bookmarks: tuple[Bookmark, ...] = ()
