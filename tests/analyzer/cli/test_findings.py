"""``xccos findings``, ``rules`` and ``explain``."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from analyzer.diagnostics.table import RULES
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

RECONNECT = SAMPLES / "reconnect.pcap"
HEALTHY = SAMPLES / "signin-tcp.pcap"
KEYS = [
    "rule", "severity", "title", "detail", "advice", "frames", "user", "call_id", "confidence",
    "session", "time",
]  # fmt: skip


def test_people_read_what_is_wrong_by_severity_with_frames_and_advice() -> None:
    result = xccos("findings", RECONNECT, "--select", "GC203")
    assert result.code == 0
    assert result.lines[0].endswith("reconnect.pcap: 1 finding: 1 warning")
    assert "Warnings" in result.lines
    assert "! GC203 Obsolete duplicate dialog" in result.lines
    assert "frames 175, 179" in result.out
    assert "certain" in result.out
    assert "To do: " in result.out
    assert max(map(len, result.lines)) <= 100


def test_a_healthy_capture_has_no_findings() -> None:
    result = xccos("findings", HEALTHY)
    assert result.code == 0
    assert result.lines[0].endswith("signin-tcp.pcap: no findings")


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_programs_get_every_key_in_order(form: str) -> None:
    result = xccos("findings", RECONNECT, "--select", "GC203", "--format", form)
    (found,) = json.loads(result.out) if form == "json" else map(json.loads, result.lines)
    assert list(found) == KEYS
    assert found["rule"] == "GC203"
    assert found["frames"] == sorted(found["frames"])
    assert found["user"] == "sip:user1@contoso.com"
    assert found["time"].endswith("Z")
    assert result.raw.isascii()


def test_an_empty_list_is_still_json() -> None:
    assert json.loads(xccos("findings", HEALTHY, "--format", "json").out) == []


def test_several_files_are_told_apart(tmp_path: Path) -> None:
    out = tmp_path / "found.csv"
    result = xccos("findings", RECONNECT, HEALTHY, "--select", "GC2", "-o", out)
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert result.code == 0
    assert list(rows[0]) == ["file", *KEYS]
    assert {row["file"] for row in rows} == {str(RECONNECT)}


def test_fields_and_limit_restrict_what_is_written() -> None:
    result = xccos(
        "findings", RECONNECT, "--format", "jsonl", "--fields", "rule,frames", "--limit", "1"
    )
    assert [list(json.loads(line)) for line in result.lines] == [["rule", "frames"]]
    assert xccos("findings", RECONNECT, "--fields", "rule").code == 2


def test_rules_are_selected_and_ignored() -> None:
    result = xccos("findings", RECONNECT, "--ignore", "GC2,GC4", "--format", "jsonl")
    assert not [line for line in result.lines if json.loads(line)["rule"].startswith("GC2")]
    low = xccos("findings", RECONNECT, "--select", "GC203", "--severity", "error")
    assert low.lines[0].endswith("no findings")


@pytest.mark.parametrize(
    ("condition", "code"), [("warning", 1), ("note", 1), ("GC203", 1), ("error", 0), ("gc1", 0)]
)
def test_a_condition_decides_the_exit_code(condition: str, code: int) -> None:
    result = xccos("findings", RECONNECT, "--select", "GC1,GC203", "--fail-on", condition)
    assert result.code == code
    assert ("--fail-on" in result.err) == bool(code)
    assert not code or "1 finding (GC203)" in result.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--select", "GC240"], "near it: "),
        (["--ignore", "nonsense"], "xccos rules lists them"),
        (["--fail-on", "rejected"], "unknown rule REJECTED"),
        (["--threshold", "slow=1"], "there are: slow_ms"),
        (["--threshold", "slow_ms=soon"], "takes a number"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(options: list[str], said: str) -> None:
    result = xccos("findings", RECONNECT, *options)
    assert result.code == 2
    assert said in result.err
    assert result.out == ""


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    result = xccos("findings", tmp_path / "none.pcap", RECONNECT, "--select", "GC203")
    assert result.code == 3
    assert "GC203" in result.out


def test_rules_lists_the_table() -> None:
    result = xccos("rules")
    assert result.code == 0
    assert [line.split()[0] for line in result.lines[1:]] == list(RULES)
    records = json.loads(xccos("rules", "--format", "json").out)
    assert [record["rule"] for record in records] == list(RULES)
    assert list(records[0]) == ["rule", "severity", "title", "explanation", "advice", "source"]


def test_a_rule_is_explained_by_its_page() -> None:
    result = xccos("explain", "gc204")
    assert result.code == 0
    assert result.lines[0] == "# GC204: Refused with 503"
    assert "## What to do" in result.lines


@pytest.mark.parametrize(
    ("number", "said"),
    [("20000", "Chat service busy"), ("481", "no longer knows the dialog"), ("200", "SUCCESS_OK")],
)
def test_a_number_is_explained(number: str, said: str) -> None:
    result = xccos("explain", number)
    assert result.code == 0
    assert said in result.out


@pytest.mark.parametrize("text", ["GC240", "99999", ",", "\x1b[31m"])
def test_what_nobody_knows_is_a_usage_error(text: str) -> None:
    result = xccos("explain", text)
    assert result.code == 2
    assert "\x1b" not in result.err
