"""The main job: what triage says of healthy, broken, damaged and foreign captures."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from analyzer.cli.table import text_width
from analyzer.cli.terminal import Terminal
from analyzer.cli.triage_text import triage_lines
from analyzer.trace import open_capture
from analyzer.views.told import MAX_STORIES, tell, to_tell, told_by_none
from analyzer.views.triage import triage_record
from tests.analyzer.captures import capture, message
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

HEALTHY = SAMPLES / "twousers-post.pcap"
REFUSED = SAMPLES / "fault-503.pcap"
SILENT = SAMPLES / "fault-no-reply.pcap"
WIDE = Terminal(200, colour=False, unicode=True)


def test_a_session_is_told_with_who_when_and_how_far() -> None:
    out = xccos("triage", HEALTHY).out
    for text in (
        "160 frames, 114 SIP messages, 2026-11-22 06:08:26.540 to 06:08:28.739 UTC (2.199 s)",
        "Session 1 of 2: sip:user2@contoso.com",
        "client     127.0.0.1:58088, tcp, Purple/2.14.12",
        "front end  127.0.0.1:5060, RTC/3.5",
        "✓ ok ",
        "Sales EMEA",
        "Slowest commands",
        "Capture quality",
    ):
        assert text in out
    assert "What failed" not in out


def test_a_refused_post_is_named_with_its_frames() -> None:
    lines = xccos("triage", REFUSED).lines
    posts = [line for line in lines if line.strip().startswith(("57 ", "61 "))]
    assert "rejected" in posts[0]
    assert "503" in posts[0]
    assert "accepted" in posts[1]
    failed = " ".join(lines[lines.index("  Findings") :])
    assert "frame 57" in failed
    assert "frame 59" in failed
    assert "503" in failed


def test_the_slowest_commands_are_at_most_five_and_slowest_first() -> None:
    record = json.loads(xccos("triage", HEALTHY, "--format", "json").out)["captures"][0]
    for session in record["sessions"]:
        slowest = session["slowest"]
        taken = [one["reply_latency_ms"] or one["sip_latency_ms"] for one in slowest]
        assert 0 < len(taken) <= 5
        assert taken == sorted(taken, reverse=True)


def test_commands_of_one_message_are_one_slow_entry() -> None:
    path = require_shared() / "flows/fanout-missing.pcapng"
    record = json.loads(xccos("triage", path, "--format", "json").out)["captures"][0]
    entries = [
        (one["command"], one["frame"], one["number"])
        for session in record["sessions"]
        for one in session["slowest"]
    ]
    assert ("getpref", 102, 11) in entries
    assert len({entry[:2] for entry in entries}) == len(entries)
    assert "getpref (11)" in xccos("triage", path).out


def test_a_failed_step_is_said_by_symbol_and_word() -> None:
    lines = xccos("triage", require_shared() / "flows/lookup-404.pcap").lines
    failed = [line for line in lines if "✗ failed" in line]
    assert len(failed) == 1
    assert "4 INVITE to Lookup" in failed[0]
    assert sum("○ missing" in line for line in lines) == 6


def test_holes_are_told_as_quality_and_not_as_silence() -> None:
    path = require_shared() / "flows/hole-in-the-middle.pcapng"
    out = xccos("triage", path).out
    quality = out[out.index("Capture quality") :]
    assert "2 holes" in quality
    assert "What seems absent may only not have been captured" in " ".join(quality.split())


def test_a_capture_without_sip_says_what_it_has_and_what_to_do(tmp_path: Path) -> None:
    locked = tmp_path / "locked.pcap"
    shutil.copy(require_shared() / "captures/tls.pcap", locked)  # its keys stay behind
    result = xccos("triage", locked)
    assert result.code == 0
    assert "There is no SIP message in 82 frames." in result.out
    assert "TLS 1" in result.out
    assert "--keylog" in result.out
    assert "What to do next" in result.out


def test_an_empty_capture_says_so(tmp_path: Path) -> None:
    result = xccos("triage", capture(tmp_path / "empty.pcap"))
    assert result.code == 0
    assert "The capture has no frames." in result.out


def test_sip_without_a_session_points_to_the_lists(tmp_path: Path) -> None:
    out = xccos("triage", capture(tmp_path / "one.pcap", message())).out
    assert "1 SIP message" in out
    assert "no session of a client" in out


def test_several_captures_are_told_one_after_the_other(tmp_path: Path) -> None:
    result = xccos("triage", HEALTHY, tmp_path / "absent.pcap", REFUSED)
    assert result.code == 3
    assert [line for line in result.lines if line.endswith(".pcap")] == [
        str(HEALTHY),
        str(REFUSED),
    ]
    documents = xccos("triage", HEALTHY, tmp_path / "absent.pcap", REFUSED, "--format", "json")
    assert len(json.loads(documents.out)["captures"]) == 2


def test_nothing_readable_is_still_a_document(tmp_path: Path) -> None:
    result = xccos("triage", tmp_path / "absent.pcap", "--format", "json")
    assert (result.code, json.loads(result.out)) == (3, {"format": 1, "captures": []})


@pytest.mark.parametrize("columns", [60, 80, 100, 160])
@pytest.mark.parametrize("path", [HEALTHY, REFUSED, SAMPLES / "r2-signin-full.pcap"])
def test_no_line_is_wider_than_the_terminal(
    columns: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = xccos("triage", path, "--color", "never", terminal=True).lines
    assert max(map(text_width, lines)) <= max(columns, 76)


def test_many_sessions_are_listed_and_those_with_problems_told() -> None:
    with open_capture(REFUSED) as trace:
        record = triage_record(trace, "many.pcap")
    bad = record["sessions"][0]
    bad["steps"][0]["status"] = "failed"
    good = {**bad, "problems": [], "steps": [], "verdict": "signed in"}
    record["sessions"] = [{**good, "index": n} for n in range(MAX_STORIES)] + [
        {**bad, "index": MAX_STORIES + n} for n in range(3)
    ]
    asked: list[list[int]] = []
    lines = list(triage_lines(record, WIDE, lambda told: asked.append(list(told))))
    assert asked == [[20, 21, 22]] == [to_tell(record["sessions"])]
    assert "  The findings of all sessions: `xccos findings`." in lines
    assert "23 sessions, 3 with problems; 3 of these in full below" in lines
    assert sum(line.startswith("Session ") for line in lines) == 3
    assert sum(line.startswith("  ✓ ") for line in lines) == MAX_STORIES


@pytest.mark.parametrize(
    ("path", "condition", "code"),
    [
        (HEALTHY, "any", 0),
        (REFUSED, "rejected", 1),
        (REFUSED, "unanswered", 0),
        (REFUSED, "holes", 0),
        (REFUSED, "any", 1),
        (SILENT, "unanswered", 1),
        (SILENT, "rejected", 0),
    ],
)
@pytest.mark.parametrize("command", ["triage", "commands"])
def test_fail_on_makes_the_exit_code(command: str, path: Path, condition: str, code: int) -> None:
    result = xccos(command, path, "--fail-on", condition)
    assert result.code == code
    assert bool(result.err) is bool(code)
    assert result.out == xccos(command, path).out


def test_fail_on_says_its_evidence() -> None:
    result = xccos("triage", REFUSED, "--fail-on", "rejected", "--fail-on", "holes")
    assert result.err == f"xccos: {REFUSED}: --fail-on rejected: 1 command rejected (frame 57)\n"


@pytest.mark.parametrize(
    ("name", "condition"),
    [("lookup-404.pcap", "incomplete"), ("hole-in-the-middle.pcapng", "holes")],
)
def test_fail_on_incomplete_and_holes(name: str, condition: str) -> None:
    path = require_shared() / "flows" / name
    assert xccos("triage", path, "--fail-on", condition).code == 1
    assert xccos("triage", HEALTHY, "--fail-on", condition).code == 0


def test_fail_on_looks_at_the_commands_selected_and_not_at_the_limit() -> None:
    asked = ("commands", REFUSED, "--fail-on", "rejected")
    assert xccos(*asked, "--command", "join").code == 0
    assert xccos(*asked, "--command", "grpchat").code == 1
    assert xccos(*asked, "--limit", "1").code == 1


def test_damage_goes_before_a_met_condition(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(REFUSED.read_bytes()[:-700])
    result = xccos("triage", cut, "--fail-on", "rejected")
    assert result.code == 3
    assert "--fail-on rejected" in result.err
    assert "The file is damaged" in result.out


def test_triage_leads_with_the_verdict_in_words_then_steps_posts_copies_and_findings() -> None:
    lines = xccos("triage", REFUSED).lines
    first = lines.index("Session 1 of 1: sip:user1@contoso.com") + 1
    assert lines[first].startswith("  ✗ user1 signed in at 06:08:36 in 11.1 ms; 1 room joined;")
    titles = ["Sign-in", "Rooms", "Posts", "Copies", "Slowest commands", "Findings"]
    places = [
        next(n for n, line in enumerate(lines) if line.startswith(f"  {one}")) for one in titles
    ]
    assert places == sorted(places)
    assert lines.index("Capture quality") > places[-1]
    assert any(line.split()[:2] == ["61", "sip:user1@contoso.com"] for line in lines)


def test_the_document_has_flows_findings_and_a_summary_of_each_session() -> None:
    record = json.loads(xccos("triage", REFUSED, "--format", "json").out)["captures"][0]
    assert [run["flow"] for run in record["flows"]] == ["sign-in", "posting", "posting"]
    assert any(57 in one["frames"] for one in record["findings"])
    (session,) = record["sessions"]
    assert "1 post answered 503 and lost (frame 57)" in session["summary"]
    assert session["verdict"].startswith("sip:user1@contoso.com signed in")


def test_of_too_many_sessions_only_those_with_problems_have_flows_and_findings() -> None:
    with open_capture(require_shared() / "flows/fanout-missing.pcapng") as trace:
        record = triage_record(trace, "many.pcap", whole=False)
        tell(trace, record, [0])
        summaries = [session["summary"] for session in record["sessions"]]
    assert {run["session"] for run in record["flows"]} == {0}
    assert {one["session"] for one in record["findings"]} <= {0, None}
    assert summaries[0].startswith("chandra signed in")
    assert summaries[1:] == [None, None]


def test_a_problem_is_left_out_only_where_a_finding_has_all_of_its_facts() -> None:
    finding = {
        "severity": "error",
        "title": "Refused",
        "detail": "INVITE to sip:a@b.example answered 404 in frame 38",
        "frames": [35, 38],
    }
    told = "INVITE to sip:a@b.example in frame 35 answered 404 Not Found (frame 38)"
    other = "INVITE to sip:a@b.example in frame 35 answered 404 (4005 No such user) (frame 38)"
    assert told_by_none([told, other], [finding]) == [other]
    assert told_by_none([told], [{**finding, "severity": "note"}]) == [told]
    assert told_by_none([told], []) == [told]


@pytest.mark.parametrize("name", ["lookup-404", "partial-join", "missing-reply", "session-expired"])
def test_nothing_that_failed_is_left_untold(name: str) -> None:
    path = next(iter((require_shared() / "flows").glob(f"{name}.pcap*")))
    record = json.loads(xccos("triage", path, "--format", "json").out)["captures"][0]
    text = " ".join(xccos("triage", path).out.split())
    problems = [problem for session in record["sessions"] for problem in session["problems"]]
    assert problems
    for problem in problems:
        frames = [word.rstrip(",);:") for word in problem.split("frame ")[1:]]
        assert all(frame.split()[0].rstrip(",);:") in text for frame in frames)


def test_a_sign_in_that_is_not_all_captured_is_not_marked_as_well() -> None:
    lines = xccos("triage", require_shared() / "flows/late-start.pcapng").lines
    assert any(line.lstrip().startswith("? chandra was signed in before") for line in lines)
