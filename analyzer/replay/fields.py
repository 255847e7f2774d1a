"""Fields of a message by path, as expectations name them (``analyzer.replay.script.Expectation``).

The rule: a path names one place by meaning (the item by its id, elements by their local names), so
that another order of attributes, elements or headers makes no difference.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from analyzer.replay.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.replay.heard import Heard
    from dissectors.xccos.messages import Element, Item

T = TypeVar("T")
MAX_PATH = 400
"""Characters: a path has a handful of names."""
_STEP = re.compile(r"(?P<name>[^/@\[\]]+)(?:\[(?P<number>[1-9][0-9]{0,4})\])?")


class Step(NamedTuple):
    """A name, and the how-manieth of that name it is, from 1."""

    name: str
    number: int


class Path(NamedTuple):
    """A path, read."""

    kind: str
    """``method``, ``status``, ``body``, ``header`` or ``xccos``."""
    name: str = ""
    """Of a header."""
    steps: tuple[Step, ...] = ()
    """The item, then elements below it."""
    attribute: str | None = None


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """Read a path. Raises ValueError with one line for what is none."""
    if len(text) > MAX_PATH:
        raise ValueError(f"a path of more than {MAX_PATH} characters")
    if text in ("method", "status", "body"):
        return Path(text)
    kind, _, rest = text.partition("/")
    if kind == "header" and rest and "/" not in rest:
        return Path("header", rest)
    if kind != "xccos" or not rest:
        raise ValueError(
            f"no such field: {text[:80]!r} (method, status, body, header/NAME or xccos/…)"
        )
    names, attribute = rest, None
    if "@" in rest.rpartition("/")[2]:
        names, _, last = rest.rpartition("/")
        attribute = last.removeprefix("@")
    return Path("xccos", "", tuple(_steps(names, text)), attribute)


def _steps(names: str, text: str) -> Iterable[Step]:
    for part in names.split("/") if names else ():
        match = _STEP.fullmatch(part)
        if match is None:
            raise ValueError(f"cannot read {part[:40]!r} in the path {text[:80]!r}")
        yield Step(match["name"], int(match["number"] or 1))


def read_field(path: str, heard: Heard) -> str | None:
    """Return what a message has at a path; None where there is nothing."""
    place = parse_path(path)
    message = heard.message
    match place.kind:
        case "method":
            return message.method
        case "status":
            return None if message.status is None else str(message.status)
        case "header":
            return message.headers.first(place.name)
        case "body":
            return message.body.decode("utf-8", "replace")
        case _:
            return _of_document(place, heard)


def _of_document(place: Path, heard: Heard) -> str | None:
    if heard.document is None:
        return None
    node: Element | None = heard.document.root
    if place.steps:
        item = _numbered(
            (one for one in heard.items if _named(one, place.steps[0])), place.steps[0]
        )
        node = None if item is None else item.node
    for step in place.steps[1:]:
        if node is None:
            return None
        node = _numbered((one for one in node.children if one.name == step.name), step)
    if node is None:
        return None
    return node.content() if place.attribute is None else node.get(place.attribute)


def _named(item: Item, step: Step) -> bool:
    wanted = canonical(step.name)
    return canonical(item.id or "") == wanted or item.element.lower() == wanted


def _numbered(found: Iterable[T], step: Step) -> T | None:
    for number, one in enumerate(found, 1):
        if number == step.number:
            return one
    return None
