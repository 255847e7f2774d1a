"""What XCCOS each dialog carried: one light record per element, without copies and repetitions.

Names are compared in lower case without their prefix. Nothing is read back from the file here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from dissectors.xccos.messages import base_name

if TYPE_CHECKING:
    from collections.abc import Container

    from analyzer.rows import Rows

Kind = Literal["cmd", "rpl", "ntc", "grpchat", "other"]
KINDS: tuple[Kind, ...] = ("cmd", "rpl", "ntc", "grpchat")


class Element(NamedTuple):
    """One child of an envelope."""

    row: int
    item: int
    """Index into the XCCOS columns of the rows."""
    kind: Kind
    name: str
    """``join``, ``getpref`` ...: the id in lower case without its prefix."""
    sender_tag: int
    """From tag of the message, as its number in the rows."""


def elements_by_group(
    rows: Rows, group_of: dict[int, int], left_out: Container[int]
) -> dict[int, list[Element]]:
    """Return the elements of every group (dialog), in order; -1 collects those of no dialog."""
    columns, items, first, tags = rows.item_columns, rows.items, rows.item, rows.from_tag
    elements, ids = columns["element"], columns["id"]
    named: dict[tuple[int, int], tuple[Kind, str]] = {}
    found: dict[int, list[Element]] = {}
    for row, count in enumerate(items):
        if not count or row in left_out:
            continue
        here = found.setdefault(group_of.get(row, -1), [])
        for k in range(first[row], first[row] + count):
            key = (elements[k], ids[k])
            known = named.get(key)
            if known is None:
                known = named[key] = _named(rows, *key)
            here.append(Element(row, k, *known, tags[row]))
    return found


def _named(rows: Rows, element: int, identifier: int) -> tuple[Kind, str]:
    """Return kind and name of an element, from the numbers of its local name and its id."""
    value = rows.strings.values
    local = (value[element] or "").lower()
    kind: Kind = next((kind for kind in KINDS if kind == local), "other")
    return kind, base_name(value[identifier] or local)
