"""The group of many clients: what is told of a play, and what is wrong with one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bench import crowd, crowd_table, machine, readme, run
from bench.crowd import LOOK, Crowd, CrowdRow, Match, Played, Watched
from bench.programs import find_tools
from bench.replay_ends import Spent

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.untraced


OURS = Match("call", "at once", "xccos", "xccos")
THEIRS = Match("call", "at once", "SIPp", "SIPp")
SLOWLY = Match("sign-in", "40/s, slowly", "xccos", "xccos")
HOLDS_FILES = """
import sys
print(flush=True)
sys.stdin.readline()
files = [open("/dev/null") for _ in range(20)]
sys.stdin.read()
"""


def played(
    seconds: float, *, code: int = 0, served: int = 0, together: int | None = None
) -> Played:
    spent, server = Spent(seconds, 1.0, 20480, code), Spent(seconds, 2.0, 40960, served)
    return Played(spent, server, {"INVITE": (0.5, 2.0, 30.0)}, together)


def crowd_of(*rows: CrowdRow) -> Crowd:
    return Crowd(machine={"load": 0.1, "processors": 2}, clients=500, rounds=3, rows=list(rows))


def test_the_ratio_to_sipp_is_the_median_of_the_rounds() -> None:
    ours = [played(seconds) for seconds in (2.0, 4.0, 8.0)]
    plays = {OURS: ours, THEIRS: [played(seconds) for seconds in (1.0, 1.0, 1.0)]}
    found = crowd.row(OURS, ours, 6000, crowd.theirs(OURS, plays))
    assert (found["ratio"], found["ratio_min"], found["ratio_max"]) == (0.25, 0.125, 0.5)
    assert (found["seconds"], found["messages_per_second"]) == (4.0, 1500.0)
    assert (found["cpu"], found["peak_mib"]) == ((1.0, 2.0), (20.0, 40.0))


def test_sipp_is_not_compared_with_itself_and_a_sign_in_with_nothing() -> None:
    plays = {THEIRS: [played(1.0)], SLOWLY: [played(1.0)]}
    assert crowd.theirs(THEIRS, plays) == ()
    assert crowd.theirs(SLOWLY, plays) == ()
    assert crowd.row(SLOWLY, plays[SLOWLY], 100)["ratio"] is None


@pytest.mark.parametrize(
    ("bad", "told"),
    [(played(1.0, code=1), "client ended with 1"), (played(1.0, served=1), "server ended with 1")],
)
def test_a_play_that_did_not_hold_has_no_figures_and_is_wrong(bad: Played, told: str) -> None:
    found = crowd.row(OURS, [played(1.0), bad], 6000, [played(1.0), played(1.0)])
    assert (found["remark"], found["seconds"], found["ratio"]) == (told, None, None)
    assert crowd.verdict([found], 500) == [
        f"call at once, xccos -> xccos: not all held: {told}",
    ]
    assert "Every expectation held" not in crowd_table.text(crowd_of(found))
    assert told in crowd_table.text(crowd_of(found))


def test_a_failure_of_sipp_with_itself_is_no_fault_of_ours() -> None:
    failed = crowd.row(THEIRS, [played(1.0, code=1)], 6000)
    assert crowd.verdict([failed], 500) == []
    found = crowd.row(OURS, [played(1.0)], 6000, [played(1.0, code=1)])
    assert (found["ratio"], found["seconds"]) == (None, 1.0)


def test_clients_that_were_never_all_there_are_told() -> None:
    few = crowd.row(SLOWLY, [played(1.0, together=480)], 6000)
    all_of_them = crowd.row(OURS, [played(1.0, together=500)], 6000)
    assert crowd.verdict([few], 500) == ["no more than 480 of 500 clients were connected at a time"]
    assert crowd.verdict([few, all_of_them], 500) == []


def test_the_descriptors_of_another_process_are_counted() -> None:
    line = [sys.executable, "-c", HOLDS_FILES]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()  # while it starts it has files open that it closes again
        watched = Watched(process.pid)
        with watched:
            process.stdin.write(b"\n")
            process.stdin.flush()
            end = time.monotonic() + 600 * LOOK
            while watched.most < 20 and time.monotonic() < end:
                time.sleep(LOOK)  # it looks as often: there is nothing else to wait for
        process.stdin.close()
    assert watched.most >= 20


def test_without_sipp_its_rows_are_left_out_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(crowd, "PACES", (("at once", ("--rate", "5000/s", "--no-limits")),))
    code = run.main(["--only", "replay", "--clients", "3", "--rounds", "1", "--out", str(tmp_path)])
    results: Crowd = json.loads((tmp_path / "crowd.json").read_text())
    whole, call, absent = results["rows"]
    assert [one["remark"] for one in results["rows"]] == ["", "", crowd.ABSENT]
    assert (whole["messages"], call["messages"]) == (3 * 55, 3 * 12)
    assert {"REGISTER", "INVITE", "INFO cmd:join", "cmd:join"} <= set(whole["latencies"])
    assert not absent["ours"]
    said = capsys.readouterr()
    assert crowd.ABSENT in said.out
    assert "Every expectation held in every round, at both ends where these are ours." in said.out
    assert code == ("WRONG" in said.err)
    assert not (tmp_path / "results.json").exists()


def test_the_figures_of_many_clients_go_between_markers_of_their_own(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    kept = f"{readme.BEGIN}\nkept\n{readme.END}\n"
    page.write_text(f"{kept}{readme.CROWD_BEGIN}\nold\n{readme.CROWD_END}\nafter\n")
    results = crowd_of(crowd.row(OURS, [played(2.0)] * 3, 6000, [played(1.0)] * 3))
    results["machine"] = machine.facts(find_tools())
    (tmp_path / "crowd.json").write_text(json.dumps(results))
    options = ["--only", "replay", "--out", str(tmp_path), "--root", str(tmp_path)]
    assert readme.main(options) == 0
    text = page.read_text()
    assert text.startswith(kept)
    assert "old" not in text.splitlines()
    assert "| call | at once | xccos | xccos | 3 | 0.50 (0.50-0.50) | 2.00 | 3,000 |" in text
    assert "| <1 / 2.0 / 30 | 1.0 / 2.0 | 20 / 40 |" in text


def test_a_page_without_these_markers_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing here\n")
    (tmp_path / "crowd.json").write_text(
        json.dumps({**crowd_of(), "machine": machine.facts(find_tools())})
    )
    options = ["--only", "replay", "--out", str(tmp_path), "--root", str(tmp_path)]
    assert readme.main(options) == 1
    assert page.read_text() == "nothing here\n"
    assert "nothing written" in capsys.readouterr().err
