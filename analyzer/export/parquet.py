"""Tables as Parquet: the records of JSON in typed columns, a row group at a time.

Times are timestamps in nanoseconds UTC, ids of XCCOS are text (an ``envid`` exceeds 2^53), what is
nested in JSON is nested here. The types are in ``COLUMNS``; a test holds them against all records.
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from analyzer import __version__
from analyzer.export.column_types import COLUMNS, FILE
from analyzer.export.messages import MessageWriter
from analyzer.export.printable import printable
from analyzer.export.tables import VERSION, records_of
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.export.column_types import Kind
    from analyzer.export.tables import Table
    from analyzer.trace import Trace

Record = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS = 8192
"""Records that are turned into columns at a time, about 20 MB of messages."""
GROUP = 8
"""Of these make a row group: readers skip whole groups, and smaller ones compress less."""


class MissingLibraryError(Exception):
    """pyarrow is not installed; the text is one line for the user."""


def _pyarrow() -> Any:  # noqa: ANN401  (a module without types)
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        text = "Parquet needs pyarrow: pip install 'xccos-analyzer[parquet]'"
        raise MissingLibraryError(text) from None
    return pa


class ParquetOut:
    """Writes a table of one capture after another; ``close`` it."""

    def __init__(self, write: Callable[[bytes], object], table: Table, *, several: bool) -> None:
        """``several``: each record names its file. Raises ``MissingLibraryError``."""
        pa = self._pa = _pyarrow()
        self._table, self._several = table, several
        kinds = ({"file": FILE} if several else {}) | COLUMNS[table.name]
        told = {
            "xccos.program": "xccos-analyzer",
            "xccos.version": __version__,
            "xccos.table": table.name,
            "xccos.table_version": str(VERSION),
        }
        self._schema = pa.schema(
            [pa.field(name, _type(pa, kind)) for name, kind in kinds.items()], metadata=told
        )
        self._convert = _converter(kinds)
        self._sink = pa.PythonFile(_Sink(write), mode="w")
        self._writer = pa.parquet.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._waiting: list[Any] = []

    def add(self, file: str, trace: Trace, chosen: Sequence[Any]) -> None:
        """Write some of the table of one capture."""
        records = iter(self._records(file, trace, chosen))
        while batch := list(islice(records, ROWS)):
            self._waiting.append(self._batch(batch))
            if len(self._waiting) == GROUP:
                self._flush()

    def close(self) -> None:
        """Write what is left, and the end."""
        self._flush()
        self._writer.close()
        self._sink.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(self._pa.Table.from_batches(self._waiting, self._schema))
            self._waiting = []

    def _batch(self, records: list[Record]) -> Any:  # noqa: ANN401
        convert = self._convert
        rows = records if convert is None else [convert(record) for record in records]
        try:
            return self._pa.RecordBatch.from_pylist(rows, schema=self._schema)
        except UnicodeEncodeError:  # a lone surrogate: no UTF-8 can hold it
            return self._pa.RecordBatch.from_pylist(_spelt(rows), schema=self._schema)

    def _records(self, file: str, trace: Trace, chosen: Sequence[Any]) -> Iterable[Record]:
        """Yield the records; those of messages by way of their JSON, which is made sooner."""
        named = file if self._several else None
        if self._table.name == "messages":
            blocks = MessageWriter("jsonl", self._table.fields, file=named).blocks(trace, chosen)
            return (json.loads(line) for block in blocks for line in block.splitlines())
        return records_of(self._table, named, trace, chosen)


class _Sink(io.RawIOBase):
    """A stream to write to, out of a function that writes."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        super().__init__()
        self._out, self._at = write, 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401  (a buffer)
        block = bytes(data)
        self._out(block)
        self._at += len(block)
        return len(block)

    def tell(self) -> int:
        return self._at


def _type(pa: Any, kind: Kind) -> Any:  # noqa: ANN401
    """Return the type of a column."""
    if isinstance(kind, list):
        return pa.list_(_type(pa, kind[0]))
    if isinstance(kind, dict):
        return pa.struct([pa.field(name, _type(pa, part)) for name, part in kind.items()])
    plain = {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "time": pa.timestamp("ns", tz="UTC"),
        "counts": pa.map_(pa.string(), pa.int64()),
    }
    return plain[kind]


def _converter(kind: Kind) -> Callable[[Any], Any] | None:
    """Return what turns a value of JSON into one of a column; None where it is the same."""
    if isinstance(kind, dict):
        return _struct_converter(kind)
    if isinstance(kind, list):
        each = _converter(kind[0])
        return None if each is None else lambda values: [each(value) for value in values]
    if kind == "time":
        return nanoseconds
    return (lambda value: list(value.items())) if kind == "counts" else None


def _struct_converter(kinds: dict[str, Kind]) -> Callable[[Any], Any] | None:
    parts = {name: _converter(part) for name, part in kinds.items()}
    changing = [(name, convert) for name, convert in parts.items() if convert is not None]
    if not changing:
        return None

    def convert(record: Record | None) -> Record | None:
        if record is None:
            return None
        made = dict(record)
        for name, change in changing:
            value = made[name]
            made[name] = None if value is None else change(value)
        return made

    return convert


def nanoseconds(text: str) -> int:
    """Return an ISO time of ours (``2026-11-22T07:20:06.541321Z``) as nanoseconds since 1970."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return _seconds(whole) * SECOND + int(fraction.ljust(9, "0") or 0)


@lru_cache(maxsize=64)
def _seconds(text: str) -> int:
    """Return a whole second; most records are of the same one as the record before."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(seconds=1)


def _spelt(value: Any) -> Any:  # noqa: ANN401
    """Return a value with what no text file can hold spelt out."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {name: _spelt(part) for name, part in value.items()}
    return [_spelt(part) for part in value] if isinstance(value, list | tuple) else value
