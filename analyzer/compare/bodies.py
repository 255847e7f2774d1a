"""XCCOS items compared by path: what is a name, a number or a time of one run has a common name.

So the same user in another company, with other rooms, says the same. Only what is left compares:
codes, flags, limits, and which attributes there are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.compare.values import Weight
    from dissectors.xccos.messages import Element, Item

MAX_NODES = 5000
"""Elements of an item that are looked at: a reply with a long history has a few hundred."""
OF_A_RUN = frozenset(
    {"seqid", "envid", "ts", "key", "guid", "chatid", "inviteid", "dbversion", "id",
     "content"}
)  # fmt: skip
"""Attributes (lower case) that number or date things: never alike in two runs. The content of a
preference is left out where the client has its newest state."""
FREE_TEXT = frozenset(
    {"name", "description", "topic", "dispname", "authdisp", "uname", "author", "value",
     "filename", "siopname", "company", "email", "displayname", "token"}
)  # fmt: skip
"""Attributes that people write, or that name them."""
ENVELOPED = frozenset({"commandid", "resp"})
"""Children of an item that the outcome of its exchange is made of."""
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("<room>", re.compile(r"ma-chan://.*", re.IGNORECASE | re.DOTALL)),
    ("<uri>", re.compile(r"(?:sips?:|[\w.+-]+@|[a-z][\w.+-]*://).*", re.IGNORECASE | re.DOTALL)),
    ("<time>", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.DOTALL)),
    ("<id>", re.compile(
        r"\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,27}\}?|\d{7,}|[0-9a-f]{16,}", re.IGNORECASE
    )),
    ("<domain>", re.compile(r"(?=.*[a-z])[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)),
)  # fmt: skip
_WORD = re.compile(r"[\w.:,+-]{0,64}")
TEXT = "<text>"


class Field(NamedTuple):
    """What the elements of one path have."""

    values: frozenset[str]
    elements: int
    """How many elements have that path."""


class Differs(NamedTuple):
    """A path whose values differ."""

    path: str
    weight: Weight
    a: str
    b: str


def normal(attribute: str, value: str) -> str | None:
    """Return the value that compares, None where nothing of it does."""
    name = attribute.lower()
    if name in OF_A_RUN:
        return None
    if name in FREE_TEXT:
        return TEXT
    value = value.strip()
    for common, pattern in _KINDS:
        if pattern.fullmatch(value):
            return common
    return value if _WORD.fullmatch(value) else TEXT


def differing(a: Item, b: Item, *, sent: bool) -> Iterator[Differs]:
    """Yield the paths in which two items differ.

    ``sent``: they are commands. What a client leaves out of a command matters; what lists of rooms
    and members hold is a matter of those.
    """
    one, two = _fields(a), _fields(b)
    for path in sorted({*one, *two}):
        left, right = one.get(path), two.get(path)
        if left is None or right is None:
            there = left or right
            if there is not None and (sent or _is_single(path, one, two)):
                weight: Weight = "minor" if sent else "trivial"
                yield Differs(path, weight, _shown(left), _shown(right))
        elif left.values != right.values:
            single = len(left.values) == len(right.values) == 1
            yield Differs(path, "minor" if single else "trivial", _shown(left), _shown(right))


def _shown(field: Field | None) -> str:
    return "none" if field is None else ", ".join(sorted(field.values)) or "empty"


def _is_single(path: str, one: dict[str, Field], two: dict[str, Field]) -> bool:
    """Say whether the element of an attribute is there once on both sides."""
    parent = path.partition("@")[0]
    return all(parent in side and side[parent].elements == 1 for side in (one, two))


def _fields(item: Item) -> dict[str, Field]:
    values: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    left = MAX_NODES
    stack: list[tuple[str, Element]] = [("", item.node)]
    while stack and left:
        path, node = stack.pop()
        left -= 1
        if path:
            counts[path] = counts.get(path, 0) + 1
            values.setdefault(path, set())
            if node.text.strip():
                values[path].add(TEXT)
            for name, value in node.attributes:
                kept = normal(name, value)
                if kept is not None:
                    values.setdefault(f"{path}@{name}", set()).add(kept)
        stack += [
            (f"{path}/{child.name}" if path else child.name, child)
            for child in node.children
            if path or child.name not in ENVELOPED
        ]
    return {path: Field(frozenset(kept), counts.get(path, 0)) for path, kept in values.items()}
