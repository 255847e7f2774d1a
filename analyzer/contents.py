"""What XCCOS each dialog carried: the numbers of its elements, without copies and repetitions.

An element is a number into the XCCOS columns of the rows. Names are compared in lower case without
their prefix. Nothing is read back from the file here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from analyzer.compiled import exchanges
from dissectors.xccos.messages import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.rows import Rows

Kind = Literal["cmd", "rpl", "ntc", "grpchat", "other"]
KINDS: tuple[Kind, ...] = ("cmd", "rpl", "ntc", "grpchat")


class Elements:
    """The elements of a trace by number, and by group (dialog) in order; -1 is for no dialog."""

    __slots__ = ("_named", "_of_group", "row", "rows", "what")

    def __init__(self, rows: Rows, group_of: list[int], left_out: set[int]) -> None:
        self.rows = rows
        columns = rows.item_columns
        keys = list(zip(columns["element"], columns["id"], strict=True))
        self._named = {key: _named(rows, *key) for key in set(keys)}
        self.what: list[tuple[Kind, str]] = list(map(self._named.__getitem__, keys))
        """Kind and name: ``join``, ``getpref`` ... the id in lower case without its prefix."""
        self.row = [-1] * len(keys)
        """The message of each element; -1 of those that are left out."""
        twin = exchanges()
        collect = _collected if twin is None else twin.elements_by_group
        self._of_group: dict[int, list[int]] = collect(rows, group_of, left_out, self.row)

    def of(self, group: int) -> Sequence[int]:
        """Return the elements of a group, in order."""
        return self._of_group.get(group, ())

    def groups(self) -> Iterator[tuple[int, list[int]]]:
        """Yield the groups that carried any, in order of their first one."""
        yield from self._of_group.items()

    def have(self, kind: Kind, name: str) -> bool:
        """Say whether any element is of a kind and name."""
        return (kind, name) in self._named.values()

    def position(self, element: int) -> int:
        """Return the place of an element among those of its message, from 0."""
        return element - self.rows.item[self.row[element]]

    def sender_tag(self, element: int) -> int:
        """Return the From tag of its message, as its number in the rows."""
        return self.rows.from_tag[self.row[element]]

    def text(self, column: str, element: int) -> str | None:
        """Return the value that an element has in one of the XCCOS columns."""
        return self.rows.strings.values[self.rows.item_columns[column][element]]


def _collected(
    rows: Rows, group_of: list[int], left_out: set[int], row_of: list[int]
) -> dict[int, list[int]]:
    """Return the elements of each group, in order; fill in the message of each element."""
    found: dict[int, list[int]] = {}
    first = rows.item
    for row, count in enumerate(rows.items):
        if not count or row in left_out:
            continue
        here = found.get(group_of[row])
        if here is None:
            here = found[group_of[row]] = []
        k = first[row]
        if count == 1:
            here.append(k)
            row_of[k] = row
            continue
        here += range(k, k + count)
        row_of[k : k + count] = [row] * count
    return found


def _named(rows: Rows, element: int, identifier: int) -> tuple[Kind, str]:
    """Return kind and name of an element, from the numbers of its local name and its id."""
    value = rows.strings.values
    local = (value[element] or "").lower()
    kind: Kind = next((kind for kind in KINDS if kind == local), "other")
    return kind, base_name(value[identifier] or local)
