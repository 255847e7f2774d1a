"""XCCOS as a tree that opens and closes: elements, attributes, and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.dashboard.dock.filters import of_attribute
from analyzer.export.printable import printable_lines
from analyzer.markup import add, badge, say
from analyzer.sessions.rooms import is_good
from analyzer.views.numbers import size_text
from dissectors.model import Malformed
from dissectors.xccos.catalogue import meaning
from dissectors.xccos.preferences import decode_preference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.markup import Element as Markup
    from dissectors.xccos.messages import Element

NODES = 300
"""Elements of one part: a join of a hundred rooms; drawn in some ten milliseconds."""
VALUE = 4_096
"""Characters of one attribute or text."""
DECODED = 16_384
"""Characters of a decoded preference document; real ones have some hundred."""
SPOKEN = {"chat", "rtf"}
"""Elements that hold people's words."""
OWN_ID = {"cmd", "rpl", "ntc"}


class Node(NamedTuple):
    """An element with its place in document order."""

    number: int
    last: int
    """Number of the last element within it."""
    element: Element
    children: tuple[Node, ...]


def numbered(root: Element) -> Node:
    """Number an element and all within it in document order, from 0."""
    return _numbered(root, iter(range(1 << 62)))


def _numbered(element: Element, numbers: Iterator[int]) -> Node:
    # The reader refuses what is nested deeper than 64.
    number = next(numbers)
    children = tuple(_numbered(child, numbers) for child in element.children)
    return Node(number, children[-1].last if children else number, element, children)


class Tree:
    """Draws the elements of one part, with those that they are in."""

    def __init__(self, begin: int, end: int, filtered: Callable[[str], str]) -> None:
        """``filtered`` gives the link to the messages that a filter lets through."""
        self._begin, self._end = begin, end
        self._filtered = filtered

    def draw(self, parent: Markup, root: Node) -> None:
        """Draw a tree."""
        self._node(add(parent, "ul", "dock-tree"), root)

    def _node(self, parent: Markup, node: Node) -> None:
        item = add(parent, "li")
        children = [
            one for one in node.children if one.last >= self._begin and one.number < self._end
        ]
        if not children:
            leaf = add(item, "div", "leaf")
            self._name(leaf, node.element)
            self._words(leaf, node.element)
            return
        made = add(item, "details", id=f"dock-e{node.number}", open="open")
        self._name(add(made, "summary"), node.element)  # whose links nobody who listens would find
        words = add(made, "div", "words")
        self._words(words, node.element)
        if not len(words):
            made.remove(words)
        below = add(made, "ul")
        for child in children:
            self._node(below, child)

    @staticmethod
    def _name(parent: Markup, element: Element) -> None:
        add(parent, "code", "name", element.name)
        known = element.get("id")
        text = meaning(known) if known and element.name.lower() in OWN_ID else None
        if text:
            say(parent, " ")
            add(parent, "span", "soft", f"({text})")

    def _words(self, parent: Markup, element: Element) -> None:
        for name, value in element.attributes:
            self._attribute(parent, element, name, value)
        self._text(parent, element)

    def _attribute(self, parent: Markup, element: Element, name: str, value: str) -> None:
        say(parent, " ")
        add(parent, "span", "key", f"{name}=")
        if element.name == "resp" and name == "code":
            badge(parent, "ok" if is_good(value) else "failed", value[:40])
            return
        if element.name == "pref" and name == "content":
            self._preference(parent, value)
            return
        wanted = of_attribute(name, value)
        shown = _cut(value)
        if wanted is None:
            add(parent, "span", "value", f'"{shown}"')
            return
        say(parent, '"')
        add(parent, "a", "value", shown, href=self._filtered(wanted), title=f"filter: {wanted}")
        say(parent, '"')

    @staticmethod
    def _preference(parent: Markup, value: str) -> None:
        """Show what a preference document holds: base64, and what was compressed within."""
        add(parent, "span", "value", f'"{_cut(value, 60)}"')
        found = decode_preference(value)
        if isinstance(found, Malformed):
            say(parent, " ")
            add(parent, "span", "soft", f"({found.reason})")
            return
        box = add(parent, "div", "decoded")
        what = f"decoded: base64, {found.how}, {found.form}, {size_text(len(found.data))}"
        add(box, "span", "soft", what)
        if found.text is not None:
            pre = add(box, "pre")
            say_lines(pre, found.text[:DECODED])
            if len(found.text) > DECODED:
                add(box, "p", "cut", f"{len(found.text) - DECODED:,} more characters: see the text")

    @staticmethod
    def _text(parent: Markup, element: Element) -> None:
        spoken = element.name.lower() in SPOKEN
        text = element.content() if spoken and len(element.children) < NODES else element.text
        if not text.strip():
            return
        if spoken:
            say_lines(add(parent, "blockquote", "said"), _cut(text))
        else:
            say(parent, " ")
            add(parent, "span", "text", " ".join(printable_lines(_cut(text.strip()))))


def say_lines(parent: Markup, text: str) -> None:
    """Put lines into an element that keeps them, each made safe."""
    parent.text = "\n".join(printable_lines(text))


def _cut(text: str, size: int = VALUE) -> str:
    if len(text) <= size:
        return text
    return f"{text[:size]}… ({len(text) - size:,} more characters: see the text)"
