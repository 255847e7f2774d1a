"""Parquet: typed columns that give the records of JSON when they are read back."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from analyzer import __version__
from analyzer.export import parquet
from analyzer.export.column_types import COLUMNS
from analyzer.export.parquet import ParquetOut, nanoseconds
from analyzer.export.tables import TABLES, Filter, records_of
from analyzer.query import Query
from analyzer.times import time_text
from analyzer.trace import open_capture
from tests.analyzer.captures import capture, chat, message
from tests.paths import SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.export.column_types import Kind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SOURCES = [
    *(SAMPLES / f"{name}.pcap" for name in ("twousers-post", "fault-503", "r2-signin-full")),
    *(SHARED / "flows" / name for name in ("fanout-missing.pcapng", "late-start.pcapng")),
]


def written(paths: list[Path], table: str) -> bytes:
    parts: list[bytes] = []
    out = ParquetOut(parts.append, TABLES[table], several=len(paths) > 1)
    for path in paths:
        with open_capture(path) as trace:
            out.add(path.name, trace, TABLES[table].select(trace, Filter(Query())))
    out.close()
    return b"".join(parts)


def read(data: bytes) -> Any:  # noqa: ANN401
    return pa.parquet.read_table(io.BytesIO(data))


def plain(kind: Kind, value: Any, digits: int) -> Any:  # noqa: ANN401
    """Turn a value as pyarrow gives it back into that of JSON."""
    if value is None:
        return None
    if isinstance(kind, dict):
        return {name: plain(part, value[name], digits) for name, part in kind.items()}
    if isinstance(kind, list):
        return [plain(kind[0], one, digits) for one in value]
    if kind == "counts":
        return dict(value)
    if kind == "time":
        return time_text((value - EPOCH) // timedelta(microseconds=1) * 1000, digits)
    return value


@pytest.mark.untraced
@pytest.mark.parametrize("table", TABLES)
def test_what_is_read_back_is_the_records_of_json(table: str) -> None:
    require_shared()
    for path in SOURCES:
        with open_capture(path) as trace:
            known = TABLES[table]
            chosen = known.select(trace, Filter(Query()))
            records = json.loads(json.dumps(list(records_of(known, None, trace, chosen))))
            digits = trace.quality.digits
        rows = read(written([path], table)).to_pylist()
        assert [plain(COLUMNS[table], row, digits) for row in rows] == records


@pytest.mark.parametrize("table", TABLES)
def test_every_field_has_a_type_and_the_order_is_that_of_json(table: str) -> None:
    assert tuple(COLUMNS[table]) == TABLES[table].fields


def test_types_are_those_that_programs_compute_with() -> None:
    schema = read(written([SOURCES[0]], "messages")).schema
    assert schema.field("time").type == pa.timestamp("ns", tz="UTC")
    assert schema.field("frame").type == pa.int64()
    assert schema.field("frames").type == pa.list_(pa.int64())
    assert schema.field("xccos").type.value_type.field("envid").type == pa.string()


def test_the_file_says_what_wrote_it() -> None:
    told = pa.parquet.read_schema(io.BytesIO(written([SOURCES[0]], "flows"))).metadata
    assert told[b"xccos.program"] == b"xccos-analyzer"
    assert told[b"xccos.version"] == __version__.encode()
    assert (told[b"xccos.table"], told[b"xccos.table_version"]) == (b"flows", b"1")


def test_several_captures_are_one_table_with_their_names() -> None:
    found = read(written(SOURCES[:2], "sessions"))
    assert found.column("file").to_pylist() == [SOURCES[0].name] * 2 + [SOURCES[1].name]


def test_rows_are_written_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS", 10)
    monkeypatch.setattr(parquet, "GROUP", 3)
    file = pa.parquet.ParquetFile(io.BytesIO(written([SOURCES[1]], "messages")))
    sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    assert sizes == [30, 27]


def test_nothing_is_a_table_without_rows() -> None:
    found = read(written([SAMPLES / "signin-tcp.pcap"], "findings"))
    assert (found.num_rows, found.column_names) == (0, list(TABLES["findings"].fields))


def test_text_that_is_no_unicode_and_a_record_without_a_time_are_no_obstacle(
    tmp_path: Path,
) -> None:
    strange = message(From="<sip:b\udcffob@example.com>;tag=1".encode("latin-1", "ignore").decode())
    path = capture(tmp_path / "in.pcap", strange, chat("&#xD83D; \u202e \x85"), message(To="\xff"))
    assert read(written([path], "messages")).num_rows == 3


def test_lone_surrogates_are_spelt_out() -> None:
    assert parquet._spelt([{"a": "x\ud800", "b": 1}]) == [{"a": "x\\ud800", "b": 1}]


def test_a_time_is_exact_to_the_nanosecond() -> None:
    moment = datetime(2026, 11, 22, 7, 20, 6, tzinfo=UTC)
    whole = int(moment.timestamp()) * 10**9
    assert nanoseconds("2026-11-22T07:20:06Z") == whole
    assert nanoseconds("2026-11-22T07:20:06.5Z") == whole + 500_000_000
    assert nanoseconds("2026-11-22T07:20:06.541321999Z") == whole + 541_321_999
