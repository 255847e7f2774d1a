"""``xccos diff``: the sentence first, then everything; text, JSON, ladders, exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from analyzer.compare.values import KINDS
from tests.analyzer.cli.running import xccos
from tests.paths import ROOT, SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

FLOWS = require_shared() / "flows"
GOOD, BAD = FLOWS / "r2-signin-full.pcap", FLOWS / "lookup-404.pcap"
TWO = SAMPLES / "twousers-post.pcap"
FIRST = "✗ First divergence: step 4 INVITE to Lookup: A answered 200 OK after 50.6 ms (frame 38), B"


def test_the_first_divergence_is_told_in_words_with_both_frames() -> None:
    result = xccos("diff", GOOD, BAD)
    assert result.code == 0
    assert result.lines[0] == f"A  {GOOD}, session 1: sip:hiro@emea.adatum.example"
    assert "Compared: no user is in both captures: their first sign-ins" in result.lines
    at = next(k for k, line in enumerate(result.lines) if line.startswith(FIRST))
    assert "answered 404 Not Found (4005" in " ".join(" ".join(result.lines[at : at + 3]).split())


def test_steps_stand_beside_one_another_and_divergences_under_their_step() -> None:
    lines = xccos("diff", GOOD, BAD).lines
    (step,) = [line for line in lines if line.startswith("4 INVITE to Lookup")]
    assert step.split()[4:8] == ["✓", "ok", "50.6", "ms"]
    assert "✗ failed" in step
    at = lines.index("  step 4 INVITE to Lookup")
    assert lines[at + 1 : at + 3] == [
        "    ✗ INVITE to Lookup: outcome, major",
        "        A answered 200 OK after 50.6 ms (frame 38)",
    ]
    assert "    ! getpref ×11: only in A (frame 71), not reached after step 4" in lines


def test_trivial_divergences_are_counted_and_shown_when_asked_for() -> None:
    without, with_ = xccos("diff", GOOD, BAD).out, xccos("diff", GOOD, BAD, "--trivial").out
    assert "1 major, 7 minor and 1 trivial divergences (trivial ones are not shown" in without
    assert "BYE to Channel service" not in without
    assert "BYE to Channel service: only in A (frame 103)" in with_


def test_the_aligned_table_has_every_exchange() -> None:
    lines = xccos("diff", GOOD, BAD, "--all-rows").lines
    (row,) = [line for line in lines if line.startswith("✗  4 ")]
    assert "200 OK" in row
    (prefs,) = [line for line in lines if "getpref ×11" in line and line.startswith("!  8")]
    assert prefs.rstrip().endswith("-")


def test_what_one_capture_cannot_tell_comes_before_what_is_only_minor() -> None:
    lines = xccos("diff", GOOD, FLOWS / "late-start.pcapng").lines
    doubt = next(k for k, line in enumerate(lines) if line.startswith("? steps 1 to 6, "))
    first = next(k for k, line in enumerate(lines) if line.startswith("! First divergence: "))
    assert doubt < first


def test_like_sessions_have_no_meaningful_divergence() -> None:
    result = xccos("diff", GOOD, GOOD)
    assert "✓ No meaningful divergence" in result.lines
    assert result.lines[-1] == "No divergence"


def test_two_sessions_of_one_capture_are_compared() -> None:
    result = xccos("diff", TWO, "--session", "1", "--session", "2")
    assert result.lines[0].endswith("session 1: sip:user2@contoso.com")
    assert "Compared: the sessions asked for" in result.lines
    assert "! First divergence: part: A has none, B answered rpl:part 200" in result.out


def test_a_user_is_chosen_in_both() -> None:
    result = xccos("diff", TWO, SAMPLES / "signin-tcp.pcap", "--user", "user1")
    assert "Compared: the first sessions of the same user" in result.lines


def test_all_compares_by_user_and_names_who_has_no_counterpart() -> None:
    result = xccos("diff", TWO, SAMPLES / "signin-tcp.pcap", "--all")
    assert result.out.count("Compared: the same user") == 1
    assert result.err == "xccos: session 1 of A (sip:user2@contoso.com) has no counterpart\n"


def test_a_kind_can_be_left_out() -> None:
    out = xccos("diff", GOOD, BAD, "--ignore", "outcome", "--ignore", "one-sided").out
    assert "No meaningful divergence" in out


def test_latency_thresholds_are_options() -> None:
    slow = FLOWS / "slow-signin.pcap"
    assert "9.41 s" in xccos("diff", GOOD, slow).out.partition("First divergence")[2][:300]
    strict = xccos("diff", GOOD, slow, "--latency-ms", "1", "--latency-factor", "1.1").out
    assert strict.count(": latency, minor") > 5


@pytest.mark.parametrize(
    ("other", "condition", "code"),
    [(BAD, "divergence", 1), (BAD, "major", 1), (GOOD, "divergence", 0)],
)
def test_the_exit_code_is_one_only_where_it_was_asked_for(
    other: Path, condition: str, code: int
) -> None:
    assert xccos("diff", GOOD, other, "--fail-on", condition).code == code


def test_minor_divergences_do_not_fail_on_major() -> None:
    arguments = ("diff", TWO, "--session", "1", "--session", "2", "--fail-on")
    assert xccos(*arguments, "major").code == 0
    assert xccos(*arguments, "divergence").code == 1


def records(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(xccos("diff", *arguments, "--format", "json").out)
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        (GOOD, BAD),
        (GOOD, FLOWS / "late-start.pcapng"),
        (FLOWS / "stale-duplicate-dialog.pcap", FLOWS / "lync2013-signin.pcap"),
    ],
)
def test_json_keeps_to_its_schema(arguments: tuple[str | Path, ...]) -> None:
    schema = json.loads((ROOT / "docs/schema/diff.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(records(*arguments))


def test_json_has_the_first_divergence_and_every_row() -> None:
    found = records(GOOD, BAD)
    (comparison,) = found["comparisons"]
    assert comparison["first"]["subject"] == "INVITE to Lookup"
    row = comparison["rows"][comparison["first"]["row"]]
    assert (row["a"]["well"], row["b"]["well"], row["weight"]) == (True, False, "major")
    assert row["b"]["messages"][1]["frame"] == 38
    assert found["unpaired"] == {"a": [], "b": []}


def test_every_kind_is_in_the_documentation() -> None:
    text = (ROOT / "docs/diff.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"| `{kind}` |" not in text] == []


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.svg", b"<?xml"), ("a.html", b"<!"), ("a.mmd", b""), ("a.puml", b"@startuml")],
)
def test_a_suffix_gives_a_ladder(tmp_path: Path, name: str, begins: bytes) -> None:
    assert xccos("diff", GOOD, BAD, "-o", tmp_path / name).code == 0
    data = (tmp_path / name).read_bytes()
    assert data.lstrip().lower().startswith(begins.lower())
    assert b"404" in data


def test_the_ladder_is_drawn_as_text_too() -> None:
    lines = xccos("diff", GOOD, BAD, "--format", "ladder").lines
    assert any("B: servers" in line for line in lines)
    assert any("First divergence: step 4 INVITE to Lookup" in line for line in lines)


def test_text_and_json_go_to_files_whole(tmp_path: Path) -> None:
    assert xccos("diff", GOOD, BAD, "-o", tmp_path / "a.txt").raw == b""
    assert FIRST in (tmp_path / "a.txt").read_text(encoding="utf-8")
    assert xccos("diff", GOOD, BAD, "-o", tmp_path / "a.json").code == 0
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["format"] == 1


def test_a_plain_terminal_gets_plain_characters() -> None:
    out = xccos("diff", GOOD, BAD, terminal=True, encoding="ascii").out
    assert "x First divergence" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((GOOD, BAD, GOOD), "two captures are compared, or two sessions of one"),
        ((GOOD,), "the capture has no two sessions"),
        ((GOOD, BAD, "--session", "1"), "--session is for one capture"),
        ((TWO, *("--session", "1") * 3), "two sessions are compared"),
        ((TWO, "--all"), "--all compares two captures"),
        ((GOOD, BAD, "--session-b", "4"), "B has no session 4: there is 1"),
        ((GOOD, BAD, "--user", "nobody"), "A has no session of nobody"),
    ],
)
def test_what_cannot_be_compared_is_a_wrong_command_line(
    arguments: tuple[str | Path, ...], words: str
) -> None:
    result = xccos("diff", *arguments)
    assert result.code == 2
    assert words in " ".join(result.err.split())


def test_a_capture_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = xccos("diff", GOOD, tmp_path / "none.pcap")
    assert result.code == 3
    assert len(result.err.splitlines()) == 1
