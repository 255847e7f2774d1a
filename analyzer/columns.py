"""Named columns of numbers, filled a batch of rows at a time."""

from __future__ import annotations

from array import array
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What a column can hold.
LIMITS = {
    "B": (0, (1 << 8) - 1),
    "I": (0, (1 << 32) - 1),
    "Q": (0, (1 << 64) - 1),
    "q": (-(1 << 63), (1 << 63) - 1),
}


class Columns:
    """Named ``array`` columns of equal length, filled a batch at a time."""

    __slots__ = ("_key", "_pending", "columns")

    BATCH = 512
    # Rows are written when their message is complete in its stream, which in a reordered capture
    # is a little later than the row's frame says. Of each batch so many wait for the next one.
    LATE = 128

    def __init__(self, names: tuple[tuple[str, str], ...], *, order: str | None = None) -> None:
        """``order``: the column that is to ascend as far as a batch reaches."""
        self.columns: dict[str, array[int]] = {name: array(code) for name, code in names}
        self._pending: list[tuple[int, ...]] = []
        position = list(self.columns).index(order) if order is not None else None
        self._key = None if position is None else itemgetter(position)

    @property
    def length(self) -> int:
        """Rows, also those that are not in the columns yet."""
        return len(next(iter(self.columns.values()))) + len(self._pending)

    def append(self, values: tuple[int, ...]) -> None:
        """Add a row; it is in the columns after ``flush``."""
        pending = self._pending
        pending.append(values)
        if len(pending) >= self.BATCH:
            if self._key is None:
                self._write(pending)
                pending.clear()
            else:
                pending.sort(key=self._key)
                self._write(pending[: -self.LATE])
                del pending[: -self.LATE]

    def flush(self) -> None:
        """Move what is pending into the columns."""
        if self._key is not None:
            self._pending.sort(key=self._key)
        self._write(self._pending)
        self._pending.clear()

    def _write(self, rows: list[tuple[int, ...]]) -> None:
        if rows:
            for column, values in zip(self.columns.values(), zip(*rows, strict=True), strict=True):
                try:
                    more = array(column.typecode, values)
                except OverflowError:  # a time or number that only a hostile capture has
                    low, high = LIMITS[column.typecode]
                    more = array(column.typecode, [min(max(n, low), high) for n in values])
                column.extend(more)

    def extend(self, other: Columns) -> None:
        """Add the rows of other columns."""
        for name, column in self.columns.items():
            column.extend(other.columns[name])

    def extend_by(self, other: Columns, spans: Iterable[tuple[int, int]]) -> list[int]:
        """Add some rows of other columns, given by first row and number.

        Returns where each span begins among the rows that were added.
        """
        places, at = [], 0
        for first, count in spans:
            places.append(at)
            at += count
            if count:
                for name, column in self.columns.items():
                    column.extend(other.columns[name][first : first + count])
        return places

    def permute(self, order: list[int]) -> None:
        """Put the rows into another order."""
        for name, column in self.columns.items():
            self.columns[name] = array(column.typecode, map(column.__getitem__, order))
