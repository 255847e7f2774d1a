"""A whole run with stand-ins: every program has a row, and what is missing or wrong is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench import chart, readme, run
from tests.bench.peers import fakes

if TYPE_CHECKING:
    from pathlib import Path

    from bench.programs import Tools
    from bench.results import Results, Row

pytestmark = [pytest.mark.untraced, pytest.mark.xdist_group("bench")]


SIZES = ["--own", "--size", "40K", "--pyshark-size", "20K", "--slow-size", "30K"]
FAILING = 'case "$*" in *--full*) echo "out of paper" >&2; exit 3 ;; esac\nseq "$number"\n'


def measure(
    tools: Tools, out: Path, monkeypatch: pytest.MonkeyPatch, *options: str
) -> tuple[int, Results]:
    monkeypatch.setattr(run, "find_tools", lambda: tools)
    code = run.main([*SIZES, "--out", str(out), *options])
    results: Results = json.loads((out / "results.json").read_text())
    return code, results


def row(results: Results, ours: str, theirs: str) -> Row:
    (found,) = [
        one
        for one in results["rows"]
        if one["ours"]["name"] == ours and one["theirs"]["name"] == theirs
    ]
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    out = tmp_path_factory.mktemp("whole")
    options = ["--rounds", "2", "--only", "dense", "--only", "sparse", "--only", "growth"]
    with pytest.MonkeyPatch.context() as patch:
        code, results = measure(fakes(out / "tools"), out, patch, *options)
    assert code == 0
    return out, results


def test_every_program_has_a_row(whole: tuple[Path, Results]) -> None:
    _, results = whole
    theirs = {one["theirs"]["name"].split(",")[0] for one in results["rows"]}
    assert theirs == {
        *("tshark -T fields", "tshark -T ek", "tshark -T json", "xccos pure Python"),
        *("dpkt loop (no reader)", "dd bs=1M (reads only)", "sngrep -N", "pyshark loop"),
    }
    assert {one["group"] for one in results["rows"]} == {"dense", "sparse"}


def test_a_program_that_is_not_installed_is_named_in_the_table(whole: tuple[Path, Results]) -> None:
    out, results = whole
    missing = row(results, "xccos, ten fields", "sngrep -N")
    assert missing["ratio"] is None
    assert missing["ours"]["seconds"] is not None
    assert "not installed (Debian package sngrep)" in (out / "table.txt").read_text()


def test_a_program_that_misses_messages_is_marked(whole: tuple[Path, Results]) -> None:
    out, results = whole
    side = row(results, "xccos --full", "tshark -T json")["theirs"]
    assert side["expected"] is not None
    assert side["found"] == side["expected"] - 1
    table = (out / "table.txt").read_text()
    assert f"tshark -T json found {side['found']:,} of {side['expected']:,} messages" in table
    assert row(results, "xccos --full", "tshark -T ek")["theirs"]["found"] == side["expected"]


def test_all_single_figures_are_kept(whole: tuple[Path, Results]) -> None:
    _, results = whole
    rounds = {
        one["program"]: len(one["runs"]) for one in results["singles"] if "-40K-" in one["capture"]
    }
    assert rounds["tshark -T fields, ten fields"] == rounds["xccos, all fields"] == 2
    assert row(results, "xccos --full", "tshark -T ek")["rounds"] == 1
    assert [one["bytes"] for one in results["growth"]] == sorted(
        one["bytes"] for one in results["growth"]
    )
    assert len(results["growth"]) == 3
    assert {"processor", "processors", "python", "xccos", "tshark"} <= set(results["machine"])


def test_there_is_a_chart_where_it_can_be_drawn(whole: tuple[Path, Results]) -> None:
    out, results = whole
    assert (out / "chart.svg").is_file() == chart.available()
    shown = chart.bars(results["rows"], "dense")
    assert [bar.rate for bar in shown] == sorted((bar.rate for bar in shown), reverse=True)
    assert len({bar.name for bar in shown}) == len(shown) == 10
    assert {bar.name for bar in shown if bar.ours} == {
        *("xccos, ten fields", "xccos, all fields", "xccos --full", "xccos triage"),
        "xccos pure Python, ten fields",
    }


def test_the_figures_go_between_the_markers_of_the_page(
    whole: tuple[Path, Results], tmp_path: Path
) -> None:
    out, _ = whole
    (out / "chart.svg").touch()
    (tmp_path / "docs").mkdir()
    page = tmp_path / "README.md"
    page.write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    for _ in range(2):
        assert readme.main(["--out", str(out), "--root", str(tmp_path)]) == 0
    text = page.read_text()
    assert text.startswith(f"before\n{readme.BEGIN}\n\n`make bench SIZE=40K ROUNDS=2`")
    assert text.endswith(f"{readme.END}\nafter\n")
    assert "| xccos triage | tshark -T fields, ten fields |" in text
    assert "old" not in text.splitlines()
    assert (tmp_path / readme.CHART).is_file()


def test_a_page_without_markers_is_left_as_it_is(
    whole: tuple[Path, Results], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing here\n")
    assert readme.main(["--out", str(whole[0]), "--root", str(tmp_path)]) == 1
    assert page.read_text() == "nothing here\n"
    assert "nothing written" in capsys.readouterr().err


def test_messages_that_we_miss_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = fakes(tmp_path / "tools", xccos='seq 2 "$number"\n')
    code, _ = measure(tools, tmp_path, monkeypatch, "--rounds", "1", "--only", "giant")
    assert code == 1
    assert "WRONG: xccos, all fields on giant: messages missed" in capsys.readouterr().err


def test_our_failure_is_an_error_and_the_others_are_still_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = fakes(tmp_path / "tools", xccos=FAILING)
    code, results = measure(tools, tmp_path, monkeypatch, "--rounds", "1", "--only", "dense")
    assert code == 1
    assert "xccos --full on dense: ended with 3: out of paper" in capsys.readouterr().err
    assert row(results, "xccos --full", "tshark -T ek")["theirs"]["seconds"] is not None
    assert row(results, "xccos, ten fields", "tshark -T fields, ten fields")["ratio"] is not None
