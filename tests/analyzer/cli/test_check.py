"""``xccos check``: what it prints, writes and returns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from junitparser import JUnitXml

from tests.analyzer.cli.running import xccos
from tests.paths import ROOT, SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

STARTER = ROOT / "docs/examples/rules.toml"
HEALTHY = SAMPLES / "twousers-post.pcap"
REFUSED = SAMPLES / "fault-503.pcap"
SILENT = SAMPLES / "fault-no-reply.pcap"


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    path = tmp_path / "damaged.pcap"
    path.write_bytes(HEALTHY.read_bytes()[:-7])
    return path


@pytest.mark.parametrize(
    "name", ["signin-tcp", "twousers-post", "r2-signin-full", "fe-two-hops", "keepalive"]
)
def test_healthy_samples_pass_the_starter(name: str) -> None:
    result = xccos("check", STARTER, next(SAMPLES.glob(f"{name}.pcap*")))
    assert (result.code, result.err) == (0, "")
    assert "failed" not in result.out


def test_a_fault_fails_the_starter_with_its_frames() -> None:
    result = xccos("check", STARTER, SILENT)
    assert result.code == 1
    assert result.lines[0] == f"{SILENT}: 3 passed, 3 failed, 3 not applicable"
    assert "  ✗ failed: every command is answered: 5 of 6 held" in result.lines
    assert "came in the 4.8 s that the capture goes on (frames 51-52)" in result.out


def test_the_page_shows_what_is_printed() -> None:
    page = (ROOT / "docs/check.md").read_text(encoding="utf-8").splitlines()
    begin = page.index("$ xccos check docs/examples/rules.toml samples/fault-no-reply.pcap") + 1
    shown = page[begin : page.index("  ...", begin)]
    printed = xccos("check", STARTER, SILENT).lines
    assert shown[1:] == printed[1 : len(shown)]
    assert len(shown) == 7


def test_several_captures_follow_one_another() -> None:
    result = xccos("check", STARTER, HEALTHY, REFUSED)
    assert result.code == 1
    heads = [line for line in result.lines if line.startswith(str(SAMPLES))]
    assert heads == [
        f"{HEALTHY}: 6 passed, 3 not applicable",
        f"{REFUSED}: 4 passed, 3 failed, 2 not applicable",
    ]


def test_json_lines_keep_to_the_schema() -> None:
    schema = json.loads((ROOT / "docs/schema/check.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    result = xccos("check", STARTER, REFUSED, SILENT, "--format", "jsonl")
    records = [json.loads(line) for line in result.lines]
    for record in records:
        validator.validate(record)
    assert result.code == 1
    assert len(records) == 18
    retried = next(one for one in records if one["about"] == "retried")
    assert (retried["status"], retried["evidence"][0]["frames"]) == ("failed", [57, 59])


def test_json_is_one_array_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    assert xccos("check", STARTER, HEALTHY, "-o", path).out == ""
    assert len(json.loads(path.read_text())) == 9


def test_junit_is_written_beside_the_text(tmp_path: Path, damaged: Path) -> None:
    path = tmp_path / "out.xml"
    result = xccos("check", STARTER, REFUSED, damaged, "--junit", path)
    assert result.lines[0].startswith(str(REFUSED))
    document = JUnitXml.fromfile(str(path))
    assert [(suite.name, suite.failures, suite.errors) for suite in document] == [
        (str(REFUSED), 3, 0),
        (str(damaged), 1, 1),
    ]


def test_damage_goes_before_a_failure(damaged: Path) -> None:
    result = xccos("check", STARTER, REFUSED, damaged)
    assert result.code == 3
    assert result.err.startswith(f"xccos: {damaged}: ")
    assert "? skipped: every command is answered: 11 of 11 held, but byte" in result.out


def test_a_capture_that_is_not_there_is_an_error_of_its_suite(tmp_path: Path) -> None:
    path = tmp_path / "out.xml"
    assert xccos("check", STARTER, tmp_path / "none.pcap", "--junit", path).code == 3
    (suite,) = JUnitXml.fromfile(str(path))
    assert (suite.tests, suite.errors) == (1, 1)


def test_strict_fails_what_cannot_be_told(damaged: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[check]]\nname = "x"\nno = "error"\n')
    assert "1 skipped" in xccos("check", rules, damaged).lines[0]
    assert "1 failed" in xccos("check", rules, damaged, "--strict").lines[0]


def test_bad_rules_exit_with_2_and_one_line(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[check]]\nname = "sign-in"\nflow = "sign-in"\nwithn = "5 s"\n')
    result = xccos("check", rules, HEALTHY)
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        f"xccos: {rules}: check[1] \"sign-in\": withn: unknown key; did you mean 'within'?\n"
    )


def test_names_in_rules_cannot_steer_a_terminal(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[check]]\nname = "a\\u001b[2J"\nflow = "x"\n')
    assert "\x1b" not in xccos("check", rules, HEALTHY).err
    rules.write_text('[[check]]\nname = "a\\u001b[2J"\ncommand = "*"\n')
    assert "\x1b" not in xccos("check", rules, HEALTHY).out


@pytest.mark.parametrize(
    "arguments", [("--junit", STARTER), ("-o", "x.csv"), ("--junit", "-"), ("--junit", HEALTHY)]
)
def test_outputs_that_make_no_sense_are_refused(arguments: tuple[str, ...]) -> None:
    before = STARTER.read_bytes()
    assert xccos("check", STARTER, HEALTHY, *arguments).code == 2
    assert STARTER.read_bytes() == before


def test_long_evidence_is_cut_in_the_text_only(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[check]]\nname = "x"\ncommand = "*"\nwithin = "0 ms"\n')
    assert "      and 1 more (--format json has them)" in xccos("check", rules, HEALTHY).lines
    (record,) = json.loads(xccos("check", rules, HEALTHY, "--format", "json").out)
    assert len(record["evidence"]) == 11
