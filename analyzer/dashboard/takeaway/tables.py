"""Tables of what is taken: as `xccos export --table` writes them, narrowed to a filter's messages.

What a filter means for records that are no messages: those that have one of its messages in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.export.related import Related
from analyzer.export.tables import TABLES, Filter, LinesOut
from analyzer.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.dashboard.takeaway.order import Order
    from analyzer.dashboard.takeaway.scope import Scope
    from analyzer.dashboard.takeaway.work import Work
    from analyzer.export.parquet import ParquetOut
    from analyzer.trace import Trace

LINES = 2_000
"""Records at a time: a tenth of a second of work."""
COLUMNS = 8_192
"""The same of Parquet, which packs so many together (``analyzer.export.parquet.ROWS``)."""


def write_table(
    trace: Trace, order: Order, scope: Scope, work: Work, write: Callable[[bytes], object]
) -> int:
    """Write a table and return how many records it has. Raises ValueError where pyarrow lacks."""
    table = TABLES[order.table]
    found = table.select(trace, Filter(Query(), scope.sessions))
    chosen = _within(trace, order.table, scope, found)
    out = _out(order, write)
    size = COLUMNS if order.form == "parquet" else LINES
    for first in range(0, len(chosen), size):
        out.add("", trace, chosen[first : first + size])
        work.step((first + size) / len(chosen))
    out.close()
    return len(chosen)


def _out(order: Order, write: Callable[[bytes], object]) -> LinesOut | ParquetOut:
    table = TABLES[order.table]
    if order.form != "parquet":
        return LinesOut(write, table, order.form, several=False)
    from analyzer.export.parquet import MissingLibraryError, ParquetOut

    try:
        return ParquetOut(write, table, several=False)
    except MissingLibraryError as error:
        raise ValueError(str(error)) from None


def _within(trace: Trace, name: str, scope: Scope, found: Sequence[Any]) -> Sequence[Any]:
    """Return those records that have a message of the scope in them."""
    if scope.rows is None:
        return found
    rows = frozenset(scope.rows)
    frames = frozenset(trace.rows.frame[row] for row in rows)
    related = Related(trace)
    sessions = related.sessions_of(related.exchanges(rows)) if name == "sessions" else set()
    tests: dict[str, Callable[[Any], bool]] = {
        "messages": lambda row: row in rows,
        "commands": lambda pair: _any(rows, (pair.row, *(one.row for one in pair.replies))),
        "dialogs": lambda dialog: _any(rows, (*dialog.rows, *dialog.copies)),
        "sessions": lambda session: session.index in sessions,
        "flows": lambda run: _any(frames, (one for step in run.steps for one in step.frames)),
        "findings": lambda finding: _any(frames, finding.frames),
    }
    test = tests[name]
    return [one for one in found if test(one)]


def _any(known: frozenset[int], numbers: Iterable[int | None]) -> bool:
    return any(number in known for number in numbers)
