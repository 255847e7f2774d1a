"""Tables: the records of the list commands, filtered in the same way."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.export.tables import TABLES, Filter, LinesOut, records_of
from analyzer.query import Query
from analyzer.times import parse_typed_time
from analyzer.trace import open_capture
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

POSTS = SAMPLES / "twousers-post.pcap"
FAULT = SAMPLES / "fault-503.pcap"
EVERYTHING = Filter(Query())


def written(paths: list[Path], table: str, form: str, wanted: Filter = EVERYTHING) -> bytes:
    parts: list[bytes] = []
    out = LinesOut(parts.append, TABLES[table], form, several=len(paths) > 1)
    for path in paths:
        with open_capture(path) as trace:
            out.add(path.name, trace, TABLES[table].select(trace, wanted))
    out.close()
    return b"".join(parts)


def selected(path: Path, table: str, wanted: Filter) -> list[dict[str, Any]]:
    with open_capture(path) as trace:
        known = TABLES[table]
        return list(records_of(known, None, trace, known.select(trace, wanted)))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_a_table_is_what_its_list_command_writes(table: str, form: str) -> None:
    assert written([FAULT], table, form) == xccos(table, FAULT, "--format", form).raw


def test_several_captures_name_their_files_and_are_one_array() -> None:
    found = json.loads(written([POSTS, FAULT], "sessions", "json"))
    assert [one["file"] for one in found] == [POSTS.name, POSTS.name, FAULT.name]
    rows = list(csv.DictReader(io.StringIO(written([POSTS, FAULT], "flows", "csv").decode())))
    assert {row["file"] for row in rows} == {POSTS.name, FAULT.name}


def test_nothing_is_an_empty_array() -> None:
    assert json.loads(written([POSTS], "findings", "json")) == []


@pytest.mark.parametrize("table", TABLES)
def test_a_session_has_its_own_part_of_every_table(table: str) -> None:
    first, second, both = (
        selected(POSTS, table, Filter(Query(), numbers)) for numbers in ((1,), (2,), (1, 2))
    )
    assert len(first) + len(second) == len(both)
    assert all(one in both for one in first)
    assert selected(POSTS, table, Filter(Query(), (9,))) == []


def test_flows_are_filtered_by_user_room_time_and_what_their_messages_carry() -> None:
    def found(**asked: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        runs = selected(POSTS, "flows", Filter(Query(**asked)))
        return [(one["flow"], one["user"].partition("@")[0]) for one in runs]

    everything = found()
    assert found(users=("user1",)) == [one for one in everything if one[1] == "sip:user1"]
    assert found(rooms=("sales",)) == [one for one in everything if one[0] == "posting"]
    assert found(commands=("grpchat",)) == [one for one in everything if one[0] == "posting"]
    assert found(to_time=parse_typed_time("2020-01-01")) == []


def test_findings_are_filtered_by_user_call_id_and_status() -> None:
    def found(**asked: Any) -> list[str]:  # noqa: ANN401
        return [one["rule"] for one in selected(FAULT, "findings", Filter(Query(**asked)))]

    assert found() == found(users=("user1",)) == found(statuses=((503, 503),)) == ["GC409"]
    assert found(users=("user2",)) == found(call_ids=("x",)) == found(statuses=((404, 404),)) == []
