"""Where in the text of an XML body its attributes and texts stand.

The rule: this locates, it does not parse: the body was accepted by the one parser of XML
(``dissectors.xccos.xml``), so that tags match and quotes are closed.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKUP = re.compile(
    r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>|</[^>]*>"
    r"""|<(?P<name>[^\s/>"'<]+)(?P<rest>(?:[^>"']|"[^"]*"|'[^']*')*?)(?P<empty>/?)>""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=/"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_REFERENCE = re.compile(r"&(#x[0-9A-Fa-f]{1,6}|#[0-9]{1,7}|lt|gt|amp|quot|apos);")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_LAST_CHARACTER = 0x10FFFF
_STEP = re.compile(r"[^/@\[\]]+")
ROOT_DEPTH = 2
"""Elements that are open, a nameless one included, where a child of the root begins."""


class Place(NamedTuple):
    """An attribute value or a text, in the text of a body."""

    steps: tuple[str, ...]
    """Local names from the child of the root down, the second of a name ``chanid[2]``; an item of
    XCCOS by its id (``cmd:join``). Empty for the root."""
    element: str
    """Local name."""
    attribute: str | None
    """None: the text at the beginning of the element."""
    start: int
    end: int
    value: str
    """Without references."""
    item: int = -1
    """Number of the child of the root, from 0."""

    @property
    def path(self) -> str:
        """Return it as expectations and people name it: ``cmd:join/data/chanid/@value``."""
        last = () if self.attribute is None else (f"@{self.attribute}",)
        return "/".join((*self.steps, *last))


class _Open(NamedTuple):
    """An element whose end has not come."""

    name: str
    steps: tuple[str, ...]
    children: Counter[str]
    item: int


def places_of(text: str) -> Iterator[Place]:
    """Yield the attributes and texts of a well-formed document, in document order."""
    stack = [_Open("", (), Counter(), -1)]
    items = 0
    pending: tuple[_Open, int] | None = None
    for match in _MARKUP.finditer(text):
        if pending is not None:
            yield from _text(text, pending, match.start())
            pending = None
        name = match["name"]
        if name is None:
            if match[0].startswith("</") and len(stack) > 1:
                stack.pop()
            continue
        attributes = list(_attributes(match))
        if len(stack) == 1:
            opened = _Open(name.rpartition(":")[2], (), Counter(), -1)
        else:
            items += len(stack) == ROOT_DEPTH
            identifier = next((text[at:end] for key, at, end in attributes if key == "id"), None)
            opened = _opened(stack[-1], name.rpartition(":")[2], identifier, items - 1)
        for key, start, end in attributes:
            value = unescape(text[start:end])
            yield Place(opened.steps, opened.name, key, start, end, value, opened.item)
        if not match["empty"]:
            stack.append(opened)
            pending = (opened, match.end())


def _attributes(match: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the attributes of a tag with where their values stand, namespaces left out."""
    base = match.start("rest")
    for one in _ATTRIBUTE.finditer(match["rest"]):
        name = one[1]
        if name == "xmlns" or name.startswith("xmlns:"):
            continue
        group = 2 if one[2] is not None else 3
        yield name.rpartition(":")[2], base + one.start(group), base + one.end(group)


def _opened(parent: _Open, name: str, identifier: str | None, item: int) -> _Open:
    """Return an element below another, with its step: the how-manieth of its name, or its id."""
    step = name
    if parent.item < 0:
        # As ``analyzer.replay.fields`` counts items: by id and by element, in any case.
        known = identifier if identifier and _STEP.fullmatch(identifier) else name
        parent.children.update({name.lower(), (identifier or name).lower()})
        step, number = known, parent.children[known.lower()]
    else:
        parent.children[name] += 1
        number = parent.children[name]
    return _Open(
        name, (*parent.steps, step if number == 1 else f"{step}[{number}]"), Counter(), item
    )


def _text(text: str, pending: tuple[_Open, int], end: int) -> Iterator[Place]:
    """Yield the text at the beginning of an element, where there is any but blanks."""
    opened, start = pending
    if text[start:end].strip():
        value = unescape(text[start:end])
        yield Place(opened.steps, opened.name, None, start, end, value, opened.item)


def unescape(text: str) -> str:
    """Return a text of a well-formed document as XML has it: line ends are LF, no references."""
    text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if name[0] != "#":
        return _NAMED[name]
    number = int(f"0{name[1:]}", 16) if name[1] == "x" else int(name[1:])
    return chr(number) if number <= _LAST_CHARACTER else match[0]
