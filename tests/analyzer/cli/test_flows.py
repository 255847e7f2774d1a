"""``xccos flows``: the contract of its JSON, its filters, and what people read."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from analyzer.views.flows import FIELDS
from tests.analyzer.cli.running import xccos
from tests.analyzer.truths import FLOWS, name_of
from tests.paths import ROOT, SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = SAMPLES / "fault-503.pcap"
HEALTHY = SAMPLES / "twousers-post.pcap"
KEYS = ["flow", "user", "variant", "outcome", "started", "duration_ms", "steps"]
STEP_KEYS = ["id", "title", "status", "frames", "time", "latency_ms", "detail"]
SCHEMA = ROOT / "docs/schema/flow.schema.json"


def listed(*arguments: str | Path) -> list[dict[str, Any]]:
    result = xccos("flows", *arguments, "--format", "json")
    assert result.code == 0
    found: list[dict[str, Any]] = json.loads(result.out)
    return found


def test_the_keys_are_those_of_the_contract_and_in_its_order() -> None:
    runs = listed(REFUSED)
    assert [run["flow"] for run in runs] == ["sign-in", "posting", "posting"]
    for run in runs:
        assert list(run) == list(FIELDS)
        assert list(run)[:7] == KEYS
        assert all(list(step) == STEP_KEYS for step in run["steps"])
    assert [step["id"] for step in runs[0]["steps"]] == [str(n) for n in range(1, 11)]
    assert [step["id"] for step in runs[1]["steps"]] == [str(n) for n in range(1, 6)]


@pytest.mark.parametrize("path", FLOWS, ids=name_of)
def test_every_run_keeps_to_its_schema(path: Path) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    runs = listed(path)
    assert runs
    for run in runs:
        validator.validate(run)
    assert schema["required"] == list(FIELDS)
    assert list(schema["properties"]) == ["file", *FIELDS]


def test_a_copy_says_who_got_it_when() -> None:
    (run,) = listed(require_shared() / "flows/r2-post-full.pcap", "--flow", "posting")
    copies = {copy["user"]: copy for copy in run["copies"]}
    echo = copies["sip:grace.o@emea.adatum.example"]
    assert echo["echo"] is True
    other = copies["sip:hiro@emea.adatum.example"]
    assert (other["echo"], other["frame"]) == (False, 378)
    assert other["latency_ms"] == pytest.approx(39.3, abs=0.2)
    assert run["frame"] == 353
    assert run["room"].startswith("ma-chan://")


def test_filters_narrow_the_list() -> None:
    assert {run["flow"] for run in listed(HEALTHY, "--flow", "posting")} == {"posting"}
    assert {run["user"] for run in listed(HEALTHY, "--user", "user2")} == {"sip:user2@contoso.com"}
    assert [run["flow"] for run in listed(REFUSED, "--outcome", "failed")] == ["posting"]
    assert len(listed(REFUSED, "--limit", "1")) == 1
    nothing = xccos("flows", REFUSED, "--user", "nobody")
    assert (nothing.code, nothing.out) == (0, "")
    assert nothing.err == "xccos: no run of a flow matches\n"


def test_several_captures_are_told_apart() -> None:
    runs = listed(HEALTHY, REFUSED)
    assert {run["file"] for run in runs} == {str(HEALTHY), str(REFUSED)}
    out = xccos("flows", HEALTHY, REFUSED).out
    assert out.index(str(HEALTHY)) < out.index(str(REFUSED))


def test_json_lines_and_csv_are_one_line_a_run() -> None:
    lines = xccos("flows", REFUSED, "--format", "jsonl").lines
    assert [json.loads(line)["flow"] for line in lines] == ["sign-in", "posting", "posting"]
    table = list(csv.reader(io.StringIO(xccos("flows", REFUSED, "--format", "csv").out)))
    assert table[0] == list(FIELDS)
    assert len(table) == 4
    assert "4=failed" in table[2][6]


def test_people_read_a_heading_and_the_steps_of_each_run() -> None:
    lines = xccos("flows", REFUSED).lines
    heads = [line for line in lines if line[:1] in "✓✗!?" and line]
    assert heads[0].startswith("✓ sign-in of sip:user1@contoso.com (sipe): complete, 06:08:36.626")
    assert heads[1].startswith("✗ posting of sip:user1@contoso.com into ")
    assert sum("✗ failed" in line for line in lines) == 1
    assert any("✓ echo" in line for line in lines)


def test_chosen_fields_make_a_plain_table() -> None:
    lines = xccos("flows", REFUSED, "--fields", "flow,outcome").lines
    assert [line.split() for line in lines[:2]] == [["flow", "outcome"], ["sign-in", "complete"]]


def test_a_flow_of_ones_own_is_listed_by_its_name(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN, encoding="utf-8")
    runs = listed(REFUSED, "--flow-file", own, "--flow", "look-around")
    assert [run["flow"] for run in runs] == ["look-around"]
    assert [step["status"] for step in runs[0]["steps"]] == ["ok", "ok"]


def test_a_flow_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("name = 1\n", encoding="utf-8")
    result = xccos("flows", REFUSED, "--flow-file", own)
    assert result.code == 2
    assert "--flow-file" in result.err
    assert "own.toml" in result.err


OWN = """
name = "look-around"
title = "Searching and joining"
begins = "first step"
source = "a test"

[[step]]
id = "1"
title = "search"
command = "chansrch"
phase = 1

[[step]]
id = "2"
title = "join"
command = "join"
phase = 2
needs = { 1 = "the URI of the room" }
"""
