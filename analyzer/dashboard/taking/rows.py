"""Tables of a capture: CSV, JSON, Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.export.tables import TABLES, Filter, LinesOut
from analyzer.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dashboard.taking.wanted import Wanted
    from analyzer.export.parquet import ParquetOut


def table_blocks(wanted: Wanted, name: str, form: str) -> Iterator[bytes]:
    """Yield a table of what is wanted. Raises ValueError where a library is missing."""
    table = TABLES[name]
    blocks: list[bytes] = []
    out: LinesOut | ParquetOut
    if form == "parquet":
        from analyzer.export.parquet import ParquetOut

        out = ParquetOut(lambda data: blocks.append(bytes(data)), table, several=False)
    else:
        out = LinesOut(lambda data: blocks.append(bytes(data)), table, form, several=False)
    sessions = () if wanted.session is None else (wanted.session + 1,)
    chosen = _filtered(wanted, name, table.select(wanted.trace, Filter(Query(), sessions)))
    out.add(wanted.file, wanted.trace, chosen)
    out.close()
    yield from blocks


def _filtered(wanted: Wanted, name: str, chosen: Sequence[Any]) -> Sequence[Any]:
    """Return what the filter leaves of messages and commands; of other tables all."""
    if not wanted.filtered or wanted.rows is None:
        return chosen
    rows = set(wanted.rows)
    if name == "messages":
        return [row for row in chosen if row in rows]
    if name == "commands":
        return [
            one
            for one in chosen
            if one.row in rows or any(reply.row in rows for reply in one.replies)
        ]
    return chosen
